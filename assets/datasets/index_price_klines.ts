import { asset, firstAvailable, from, overlapping, source, sql } from 'crypto-lakehouse';
import { date, exchange, futuresMarket, interval, longInterval, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { restKlines } from '../exchanges/binance/rest/source.ts';
import { longPriceCandles, priceAnswers, priceAsset, priceCandles, priceColumns, priceFiles } from './price_candles.ts';

export const binanceIndexPriceKlinesDaily = source('binance/index_price_klines_daily_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'indexPriceKlines', cadence: 'daily' }),
  description: "Binance's public archive of index price candles, one zip per day.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const binanceIndexPriceKlinesMonthly = source('binance/index_price_klines_monthly_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'indexPriceKlines', cadence: 'monthly' }),
  description: "Binance's public archive of index price candles, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
});

export const binanceIndexPriceKlinesRest = source('binance/index_price_klines_rest', {
  ...priceAsset,
  ...restKlines('indexPriceKlines'),
  description:
    "Candles of the index price of the last closed days as Binance's REST interface answers them, where the setting exchanges.binance.rest is on.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const bronzeIndexPriceKlinesDaily = asset('bronze/index_price_klines_daily', {
  ...priceFiles,
  description: 'Zips of one day of index price candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { archive: binanceIndexPriceKlinesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeIndexPriceKlinesMonthly = asset('bronze/index_price_klines_monthly', {
  ...priceFiles,
  description: 'Zips of one month of index price candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
  inputs: { archive: binanceIndexPriceKlinesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeIndexPriceKlinesRest = asset('bronze/index_price_klines_rest', {
  ...priceAnswers,
  description: 'Answers of REST that hold one day of index price candles, byte for byte as received.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { rest: binanceIndexPriceKlinesRest },
  compute: ({ inputs }) => inputs.rest.bytes(),
});

export const silverIndexPriceKlines = asset('silver/index_price_klines', {
  ...priceCandles,
  description:
    'Candles of the index, the spot price over several exchanges, typed and exact; in the quote asset (cm: USD). The symbol is that of the pair: BTCUSD, not BTCUSD_PERP.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: {
    raw: firstAvailable(
      from(bronzeIndexPriceKlinesMonthly, { month: overlapping() }),
      bronzeIndexPriceKlinesDaily,
      bronzeIndexPriceKlinesRest,
    ),
  },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

export const binanceLongIndexPriceKlines = source('binance/long_index_price_klines_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'indexPriceKlines', cadence: 'monthly', long: true }),
  description: "Binance's public archive of index price candles longer than a day, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
});

export const bronzeLongIndexPriceKlines = asset('bronze/long_index_price_klines', {
  ...priceFiles,
  description: 'Zips of one month of index price candles longer than a day, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { archive: binanceLongIndexPriceKlines },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverLongIndexPriceKlines = asset('silver/long_index_price_klines', {
  ...longPriceCandles,
  description:
    'Candles of the index longer than a day, by the month in which they open, typed and exact; in the quote asset (cm: USD). The symbol is that of the pair.',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { raw: bronzeLongIndexPriceKlines },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

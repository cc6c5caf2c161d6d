import { asset, firstAvailable, from, overlapping, source, sql } from 'crypto-lakehouse';
import { date, exchange, futuresMarket, interval, longInterval, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { restKlines } from '../exchanges/binance/rest/source.ts';
import { longPriceCandles, priceAnswers, priceAsset, priceCandles, priceColumns, priceFiles } from './price_candles.ts';

export const binancePremiumIndexKlinesDaily = source('binance/premium_index_klines_daily_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'premiumIndexKlines', cadence: 'daily' }),
  description: "Binance's public archive of premium index candles, one zip per day.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const binancePremiumIndexKlinesMonthly = source('binance/premium_index_klines_monthly_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'premiumIndexKlines', cadence: 'monthly' }),
  description: "Binance's public archive of premium index candles, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
});

export const binancePremiumIndexKlinesRest = source('binance/premium_index_klines_rest', {
  ...priceAsset,
  ...restKlines('premiumIndexKlines'),
  description:
    "Candles of the premium index of the last closed days as Binance's REST interface answers them, where the setting exchanges.binance.rest is on.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const bronzePremiumIndexKlinesDaily = asset('bronze/premium_index_klines_daily', {
  ...priceFiles,
  description: 'Zips of one day of premium index candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { archive: binancePremiumIndexKlinesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzePremiumIndexKlinesMonthly = asset('bronze/premium_index_klines_monthly', {
  ...priceFiles,
  description: 'Zips of one month of premium index candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
  inputs: { archive: binancePremiumIndexKlinesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzePremiumIndexKlinesRest = asset('bronze/premium_index_klines_rest', {
  ...priceAnswers,
  description: 'Answers of REST that hold one day of premium index candles, byte for byte as received.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { rest: binancePremiumIndexKlinesRest },
  compute: ({ inputs }) => inputs.rest.bytes(),
});

export const silverPremiumIndexKlines = asset('silver/premium_index_klines', {
  ...priceCandles,
  description:
    'Candles of the premium index, the part of the index by which the perpetual trades above (negative: below) it, typed and exact; 0.0001 is 0.01%.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: {
    raw: firstAvailable(
      from(bronzePremiumIndexKlinesMonthly, { month: overlapping() }),
      bronzePremiumIndexKlinesDaily,
      bronzePremiumIndexKlinesRest,
    ),
  },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

export const binanceLongPremiumIndexKlines = source('binance/long_premium_index_klines_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'premiumIndexKlines', cadence: 'monthly', long: true }),
  description: "Binance's public archive of premium index candles longer than a day, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
});

export const bronzeLongPremiumIndexKlines = asset('bronze/long_premium_index_klines', {
  ...priceFiles,
  description: 'Zips of one month of premium index candles longer than a day, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { archive: binanceLongPremiumIndexKlines },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverLongPremiumIndexKlines = asset('silver/long_premium_index_klines', {
  ...longPriceCandles,
  description:
    'Candles of the premium index longer than a day, by the month in which they open, typed and exact; 0.0001 is 0.01%.',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { raw: bronzeLongPremiumIndexKlines },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

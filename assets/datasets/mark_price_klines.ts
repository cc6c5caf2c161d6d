import { asset, firstAvailable, from, overlapping, source, sql } from 'crypto-lakehouse';
import { date, exchange, futuresMarket, interval, longInterval, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { restKlines } from '../exchanges/binance/rest/source.ts';
import { longPriceCandles, priceAnswers, priceAsset, priceCandles, priceColumns, priceFiles } from './price_candles.ts';

export const binanceMarkPriceKlinesDaily = source('binance/mark_price_klines_daily_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'markPriceKlines', cadence: 'daily' }),
  description: "Binance's public archive of mark price candles, one zip per day.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const binanceMarkPriceKlinesMonthly = source('binance/mark_price_klines_monthly_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'markPriceKlines', cadence: 'monthly' }),
  description: "Binance's public archive of mark price candles, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
});

export const binanceMarkPriceKlinesRest = source('binance/mark_price_klines_rest', {
  ...priceAsset,
  ...restKlines('markPriceKlines'),
  description:
    "Candles of the mark price of the last closed days as Binance's REST interface answers them, where the setting exchanges.binance.rest is on.",
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
});

export const bronzeMarkPriceKlinesDaily = asset('bronze/mark_price_klines_daily', {
  ...priceFiles,
  description: 'Zips of one day of mark price candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { archive: binanceMarkPriceKlinesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeMarkPriceKlinesMonthly = asset('bronze/mark_price_klines_monthly', {
  ...priceFiles,
  description: 'Zips of one month of mark price candles, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval, month },
  inputs: { archive: binanceMarkPriceKlinesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeMarkPriceKlinesRest = asset('bronze/mark_price_klines_rest', {
  ...priceAnswers,
  description: 'Answers of REST that hold one day of mark price candles, byte for byte as received.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { rest: binanceMarkPriceKlinesRest },
  compute: ({ inputs }) => inputs.rest.bytes(),
});

export const silverMarkPriceKlines = asset('silver/mark_price_klines', {
  ...priceCandles,
  description:
    'Candles of the mark price, by which positions are valued and liquidated, typed and exact; in the quote asset (cm: USD).',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: {
    raw: firstAvailable(
      from(bronzeMarkPriceKlinesMonthly, { month: overlapping() }),
      bronzeMarkPriceKlinesDaily,
      bronzeMarkPriceKlinesRest,
    ),
  },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

export const binanceLongMarkPriceKlines = source('binance/long_mark_price_klines_archive', {
  ...priceAsset,
  ...archiveFiles({ type: 'markPriceKlines', cadence: 'monthly', long: true }),
  description: "Binance's public archive of mark price candles longer than a day, one zip per month.",
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
});

export const bronzeLongMarkPriceKlines = asset('bronze/long_mark_price_klines', {
  ...priceFiles,
  description: 'Zips of one month of mark price candles longer than a day, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { archive: binanceLongMarkPriceKlines },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverLongMarkPriceKlines = asset('silver/long_mark_price_klines', {
  ...longPriceCandles,
  description:
    'Candles of the mark price longer than a day, by the month in which they open, typed and exact; in the quote asset (cm: USD).',
  partitions: { exchange, market: futuresMarket, symbol, interval: longInterval, month },
  inputs: { raw: bronzeLongMarkPriceKlines },
  query: ({ raw }) => sql`SELECT ${priceColumns(raw)} FROM ${raw}`,
});

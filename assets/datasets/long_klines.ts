import { asset, source, sql, zipCsv } from 'crypto-lakehouse';
import { exchange, longInterval, market, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { candle, candleAsset, klineText } from '../klines.ts';
import { candleChecks, candleColumns, longOnGrid } from '../silver/candles.ts';
import { original } from './shared.ts';

// Candles longer than a day: of most days none opens, so days would be partitions of which most can never have a row. In every
// month there opens at least one, also of three days, a week or a month: a month without one is really missing.

export const binanceLongKlines = source('binance/long_klines_archive', {
  ...candleAsset,
  ...archiveFiles({ type: 'klines', cadence: 'monthly', long: true }),
  description:
    "Binance's public archive of candles longer than a day, one zip per month; there are no daily ones. Published in the first three weeks of the next.",
  partitions: { exchange, market, symbol, interval: longInterval, month },
});

export const bronzeLongKlines = asset('bronze/long_klines', {
  ...candleAsset,
  ...original,
  description:
    'Zips of one month of candles longer than a day, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market, symbol, interval: longInterval, month },
  inputs: { archive: binanceLongKlines },
  format: zipCsv({ columns: klineText }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverLongKlines = asset('silver/long_klines', {
  ...candleAsset,
  description:
    'Candles longer than a day as the exchange published them, typed and exact, by the month in which they open: one row per bar. They end up to a bar after the month.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval: longInterval, month },
  inputs: { raw: bronzeLongKlines },
  columns: candle,
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  rowwise: true,
  checks: [...candleChecks, longOnGrid],
  query: ({ raw }) => sql`SELECT ${candleColumns(raw)} FROM ${raw}`,
});

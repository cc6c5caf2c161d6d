import { asset, columns, decimal, rowsWhere, source, sql, timestamp, zipCsv } from 'crypto-lakehouse';
import { date, exchange, futuresMarket, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly } from '../silver/exact.ts';
import { marketData, original } from './shared.ts';

const common = { ...marketData, group: 'book' } as const;

export const binanceBookDepth = source('binance/book_depth_archive', {
  ...common,
  ...archiveFiles({ type: 'bookDepth', cadence: 'daily' }),
  description: "Binance's public archive of the depth of order books, one zip per day.",
  partitions: { exchange, market: futuresMarket, symbol, date },
});

export const bronzeBookDepth = asset('bronze/book_depth', {
  ...common,
  ...original,
  description: 'Zips of one day of depths of the order book, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { archive: binanceBookDepth },
  format: zipCsv({ columns: ['timestamp', 'percentage', 'depth', 'notional'] }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverBookDepth = asset('silver/book_depth', {
  ...common,
  description:
    'How much is bid and asked within some percent of the price, about every 30 seconds: no order book, one row per band. Typed and exact.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { raw: bronzeBookDepth },
  columns: columns({
    time: timestamp().describe('When it was looked at, UTC, in seconds.'),
    percentage: decimal(5, 2).describe(
      'The band: what is bid down to (negative) or asked up to (positive) so many percent from the price. Older files write -5, newer ones -5.00; 0.2 is there from 2026 on.',
    ),
    depth: decimal(38, 8).describe(
      'Amount in the band and those within it. um: in the base asset. cm: number of contracts.',
    ),
    notional: decimal(38, 8).describe('The same, valued. um: in the quote asset. cm: as published.'),
  }),
  sortBy: ['time', 'percentage'],
  timeColumn: 'time',
  rowwise: true,
  checks: [
    rowsWhere('not_negative', ['depth', 'notional'], ({ depth, notional }) => sql`${depth} < 0 OR ${notional} < 0`, {
      description: 'There is no less than nothing.',
    }),
  ],
  query: ({ raw }) => {
    const { hundredths, padded, written } = exactly(raw.timestamp);
    return sql`
    SELECT
      ${written(raw.timestamp)} AS time,
      ${hundredths(raw.percentage)} AS percentage,
      ${padded(raw.depth)} AS depth,
      ${padded(raw.notional)} AS notional
    FROM ${raw}`;
  },
});

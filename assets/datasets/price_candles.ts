import {
  bigint,
  columns,
  decimal,
  json,
  noGaps,
  ohlcConsistent,
  rowsWhere,
  type SqlTemplate,
  sql,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';
import { barInterval, klineText, upToDate } from '../klines.ts';
import { longOnGrid } from '../silver/candles.ts';
import { exactly, orNull, type TextColumn } from '../silver/exact.ts';
import { answered, marketData, original } from './shared.ts';

// Candles of a price that nobody trades at (mark, index, premium index): the files of klines, without amounts. A file with a line twice fails
// its day with `duplicate-rows`, and the other days are there.

/** What their assets have in common. */
export const priceAsset = { ...marketData, group: 'prices' } as const;

/** What their original files have in common. */
export const priceFiles = { ...priceAsset, ...original, format: zipCsv({ columns: klineText }) } as const;

/** What their answers of REST have in common. */
export const priceAnswers = { ...priceAsset, ...answered, format: json({ columns: klineText }) } as const;

const price = () => decimal(18, 8);

/** What their tables have in common, whatever the length of the bars. */
const anyLength = {
  ...priceAsset,
  kinds: ['table', 'sql'],
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    open: price().describe('First value of the bar.'),
    high: price().describe('Highest value.'),
    low: price().describe('Lowest value.'),
    close: price().describe('Last value of the bar.'),
    close_time: timestamp().describe('What the exchange calls the end of the bar, cut to whole milliseconds.'),
    count: bigint()
      .nullable()
      .describe('How many values the exchange made the bar of, as published; NULL where it left that blank.'),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  rowwise: true,
  checks: [ohlcConsistent()],
} as const;

/** What tables of candles up to a day have in common. */
export const priceCandles = {
  ...anyLength,
  freshness: upToDate,
  checks: [
    ...anyLength.checks,
    noGaps('open_time', barInterval, { description: 'Bars follow each other without holes.' }),
    rowsWhere(
      'on_grid',
      ['open_time'],
      ({ open_time }, partition) => sql`epoch_us(${open_time}) % epoch_us(${barInterval(partition)}) <> 0`,
      { severity: 'warn', description: 'Bars open at multiples of the interval.' },
    ),
  ],
} as const;

/** What tables of candles longer than a day have in common: see `long_klines.ts`. */
export const longPriceCandles = { ...anyLength, checks: [...anyLength.checks, longOnGrid] } as const;

type PriceText = Readonly<Record<'open_time' | 'open' | 'high' | 'low' | 'close' | 'close_time' | 'count', TextColumn>>;

/** The columns of `priceCandles`, to select from text columns of a file of klines. */
export function priceColumns(raw: PriceText): SqlTemplate {
  const { integer, price: exact, time } = exactly(raw.open_time);
  return sql`
      ${time(raw.open_time)} AS open_time,
      ${exact(raw.open)} AS open,
      ${exact(raw.high)} AS high,
      ${exact(raw.low)} AS low,
      ${exact(raw.close)} AS close,
      ${time(raw.close_time)} AS close_time,
      ${orNull(raw.count, integer)} AS count`;
}

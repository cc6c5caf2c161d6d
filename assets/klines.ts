import { bigint, columns, decimal, type SqlTemplate, sql, timestamp, within } from 'crypto-lakehouse';
import { marketData } from './datasets/shared.ts';

/** The columns of a kline file, in order, in the words of the futures files' header line. */
export const klineText = [
  'open_time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'close_time',
  'quote_volume',
  'count',
  'taker_buy_volume',
  'taker_buy_quote_volume',
  'ignore',
] as const;

const price = () => decimal(18, 8);
/** Wider than a price: volumes reach 1e13. */
const amount = () => decimal(38, 8);

const onlyBinance = 'NULL for other exchanges than Binance, which do not publish it.';

/** One candle as the exchange published it, exact. What an exchange does not publish is NULL. */
export const candle = columns({
  open_time: timestamp().describe(
    'Start of the bar, UTC, in whole milliseconds; not always on the grid of the interval.',
  ),
  open: price().describe('Price of the first trade; in a bar without trades the last price before it.'),
  high: price().describe('Highest price.'),
  low: price().describe('Lowest price.'),
  close: price().describe('Price of the last trade.'),
  volume: amount().describe('spot, um: amount traded in the base asset. cm: number of contracts.'),
  close_time: timestamp()
    .nullable()
    .describe(
      `What the exchange calls the end of the bar, cut to whole milliseconds (…59.999 whether it wrote milliseconds or microseconds). Not reliable: use open_time plus the interval. ${onlyBinance}`,
    ),
  quote_volume: amount()
    .nullable()
    .describe(`spot, um: amount traded in the quote asset. cm: amount traded in the BASE asset. ${onlyBinance}`),
  count: bigint().nullable().describe('Number of trades. NULL for Coinbase, which does not publish it.'),
  taker_buy_volume: amount()
    .nullable()
    .describe(`The part of volume in which the buyer was the taker; same unit as volume. ${onlyBinance}`),
  taker_buy_quote_volume: amount()
    .nullable()
    .describe(`The part of quote_volume in which the buyer was the taker; same unit as quote_volume. ${onlyBinance}`),
});

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Length of a bar in milliseconds, read from the interval's text rather than looked up in a list: a new interval changes no
 * code version. Undefined for what is no length (`1mo`).
 */
export function barMs(interval: string | undefined): number | undefined {
  const [, count, unit] = /^([1-9]\d*)([smhd])$/.exec(interval ?? '') ?? [];
  const ms = unitMs[unit ?? ''];
  return ms === undefined ? undefined : Number(count) * ms;
}

/** What may stand in `${…}` of an SQL template. */
export type SqlValue = Parameters<typeof sql.join>[0][number];

/** Length of the partition's bars as an SQL INTERVAL: DuckDB reads every value of the dimension (`1m` is a minute to it). */
export function barInterval(partition: { readonly interval?: SqlValue | undefined }): SqlTemplate {
  if (partition.interval === undefined) throw new TypeError('These partitions have no interval');
  return sql`${partition.interval}::INTERVAL`;
}

/**
 * The archive is normally there 48 hours after a day, often sooner and at times a week later: a day more is worth a look, two are
 * worth an alarm.
 */
export const upToDate = within({ days: 2 }, { warn: { days: 1 } });

/** What all assets of candles have in common. */
export const candleAsset = {
  group: 'klines',
  ...marketData,
} as const;

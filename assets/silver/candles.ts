import { ohlcConsistent, rowsWhere, type SqlTemplate, sql } from 'crypto-lakehouse';
import { partitionValue } from '../datasets/shared.ts';
import type { SqlValue } from '../klines.ts';
import { exactly, type TextColumn } from './exact.ts';

// What tables of candles have in common, whatever the length of the bars.

/** Checks that hold for bars of any length. */
export const candleChecks = [
  ohlcConsistent(),
  rowsWhere(
    'amounts_not_negative',
    ['volume', 'quote_volume', 'count', 'taker_buy_volume', 'taker_buy_quote_volume'],
    (row) =>
      sql`least(${row.volume}, ${row.quote_volume}, ${row.count}, ${row.taker_buy_volume}, ${row.taker_buy_quote_volume}) < 0`,
    { description: 'No volume and no count is below zero.' },
  ),
  rowsWhere(
    'close_time_after_open_time',
    ['open_time', 'close_time'],
    ({ open_time, close_time }) => sql`${close_time} < ${open_time}`,
    {
      // The exchange has published such a row and will not correct it, and nothing downstream reads close_time.
      blocking: false,
      description: 'A bar does not end before it starts. Reported, but holds up nothing.',
    },
  ),
] as const;

/** Of bars longer than a day. */
export const longOnGrid = rowsWhere(
  'on_grid',
  ['open_time'],
  ({ open_time }, partition) =>
    sql`${open_time} <> CASE ${partitionValue(partition, 'interval')} WHEN '1w' THEN date_trunc('week', ${open_time}) WHEN '1mo' THEN date_trunc('month', ${open_time}) ELSE date_trunc('day', ${open_time}) END`,
  { severity: 'warn', description: 'Weeks open on Mondays, months on their first day, all at midnight UTC.' },
);

export type CandleText = Readonly<
  Record<
    | 'open_time'
    | 'open'
    | 'high'
    | 'low'
    | 'close'
    | 'volume'
    | 'close_time'
    | 'quote_volume'
    | 'count'
    | 'taker_buy_volume'
    | 'taker_buy_quote_volume',
    TextColumn
  >
> & { readonly exchange: SqlValue };

/** The columns of `candle`, to select from text columns of a file of klines, or of what other exchanges answer. */
export function candleColumns(raw: CandleText): SqlTemplate {
  const { amount, price, time } = exactly(raw.open_time);
  // Binance publishes all of them: a field that is empty there is a broken file.
  const some = exactly(raw.open_time, sql`${raw.exchange} <> 'binance'`);
  return sql`
      ${time(raw.open_time)} AS open_time,
      ${price(raw.open)} AS open,
      ${price(raw.high)} AS high,
      ${price(raw.low)} AS low,
      ${price(raw.close)} AS close,
      ${amount(raw.volume)} AS volume,
      ${some.time(raw.close_time)} AS close_time,
      ${some.amount(raw.quote_volume)} AS quote_volume,
      ${some.integer(raw.count)} AS count,
      ${some.amount(raw.taker_buy_volume)} AS taker_buy_volume,
      ${some.amount(raw.taker_buy_quote_volume)} AS taker_buy_quote_volume`;
}

import {
  asset,
  bigint,
  type ColumnReference,
  columns,
  double,
  from,
  integer,
  ohlcConsistent,
  type SqlReference,
  type SqlTemplate,
  sql,
  timestamp,
  window,
} from 'crypto-lakehouse';
import { baseAmount, inBase, inQuote, quoteAmount } from '../contracts.ts';
import { silverAggTrades } from '../datasets/agg_trades.ts';
import { tradeAsset } from '../datasets/tick_files.ts';
import { date, exchange, market, symbol } from '../dimensions.ts';

// Bars of equal activity instead of equal time: Marcos López de Prado, "Advances in Financial Machine Learning", 2018, section
// 2.3.1. A fixed threshold would fit one symbol in one year; this one is what was traded on the day before, so it is known when the day
// begins. A trade belongs to the bar in which it begins; bars begin anew every day, so each day can be computed alone.

/** Of the day before, about so many bars would have been made. */
const BARS_PER_DAY = 500;

const bar = (threshold: string) =>
  columns({
    bar: integer().describe('Number of the bar within its day, from 0; a trade larger than a bar leaves some out.'),
    open_time: timestamp().describe('Time of the first trade, UTC.'),
    close_time: timestamp().describe('Time of the last trade, UTC.'),
    open: double().describe('Price of the first trade.'),
    high: double().describe('Highest price.'),
    low: double().describe('Lowest price.'),
    close: double().describe('Price of the last trade.'),
    volume: double().describe(`Amount traded, ${inBase}.`),
    quote_volume: double().describe(`Amount traded, ${inQuote}.`),
    trades: bigint().describe('Number of trades.'),
    taker_buy_volume: double().describe('The part of volume in which the buyer was the taker.'),
    vwap: double().describe('Volume-weighted average price: quote_volume / volume.'),
    threshold: double().describe(
      `A bar is full with so much ${threshold}: 1/${BARS_PER_DAY} of that of the day before.`,
    ),
    available_at: timestamp().describe(
      'From when on this row could be known: the last trade of a full bar; the end (exclusive) of the day of the last one, which is not.',
    ),
  });

const common = {
  ...tradeAsset,
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, date },
  sortBy: ['bar'],
  timeColumn: 'open_time',
  checks: [ohlcConsistent()],
} as const;

const inputs = { trades: from(silverAggTrades, { date: window({ days: 1 }) }) };

export const goldVolumeBars = asset('gold/volume_bars', {
  ...common,
  description: 'Bars of about equal volume, built of trades. A day whose day before has no trades has none.',
  inputs,
  columns: bar('volume'),
  query: ({ trades }, { partition }) => bars(trades, partition, 'base'),
});

export const goldDollarBars = asset('gold/dollar_bars', {
  ...common,
  description: 'Bars of about equal turnover, built of trades. A day whose day before has no trades has none.',
  inputs,
  columns: bar('quote_volume'),
  query: ({ trades }, { partition }) => bars(trades, partition, 'quote'),
});

type Trades = SqlReference &
  Readonly<
    Record<
      'agg_trade_id' | 'price' | 'quantity' | 'first_trade_id' | 'last_trade_id' | 'transact_time' | 'is_buyer_maker',
      ColumnReference
    >
  >;

function bars(
  trades: Trades,
  partition: Readonly<Record<'market' | 'symbol' | 'start' | 'end', SqlReference>>,
  of: 'base' | 'quote',
): SqlTemplate {
  const { quantity, price } = trades;
  const traded = { quantity, price, market: partition.market, symbol: partition.symbol };
  // Sums and comparisons are of DECIMAL: a bar ends at the same trade however it is computed. The quotient is of DOUBLE, so what it is
  // cut to may be one off at the edge of a bar, and is put right.
  const measure = sql`${sql.identifier(of)}::DECIMAL(38,8)`;
  return sql`
    WITH valued AS (
      SELECT
        ${trades.agg_trade_id} AS id,
        ${trades.transact_time} AS time,
        ${price} AS price,
        ${baseAmount(traded)} AS base,
        ${quoteAmount(traded)} AS quote,
        ${trades.last_trade_id} - ${trades.first_trade_id} + 1 AS count,
        NOT ${trades.is_buyer_maker} AS taker_buys
      FROM ${trades} WHERE ${quantity} > 0 AND ${price} > 0
    ), day_before AS (
      SELECT (sum(${measure}) / ${BARS_PER_DAY})::DECIMAL(38,8) AS threshold FROM valued WHERE time < ${partition.start}
    ), running AS (
      SELECT *, sum(${measure}) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS until
      FROM valued WHERE time >= ${partition.start}
    ), begun AS (
      SELECT *, until - ${measure} AS start, floor((until - ${measure}) / threshold)::INTEGER AS about
      FROM running, day_before WHERE threshold > 0
    ), placed AS (
      SELECT
        *,
        CASE WHEN (about + 1) * threshold <= start THEN about + 1 WHEN about * threshold > start THEN about - 1 ELSE about END AS bar
      FROM begun
    )
    SELECT
      bar,
      arg_min(time, id) AS open_time,
      arg_max(time, id) AS close_time,
      arg_min(price, id)::DOUBLE AS open,
      max(price)::DOUBLE AS high,
      min(price)::DOUBLE AS low,
      arg_max(price, id)::DOUBLE AS close,
      sum(base)::DOUBLE AS volume,
      sum(quote)::DOUBLE AS quote_volume,
      sum(count)::BIGINT AS trades,
      coalesce(sum(base) FILTER (taker_buys), 0)::DOUBLE AS taker_buy_volume,
      sum(quote)::DOUBLE / sum(base)::DOUBLE AS vwap,
      max(threshold)::DOUBLE AS threshold,
      CASE WHEN max(until) >= (bar + 1) * max(threshold) THEN arg_max(time, id) ELSE ${partition.end} END AS available_at
    FROM placed GROUP BY bar`;
}

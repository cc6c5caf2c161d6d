import {
  asset,
  bigint,
  columns,
  double,
  from,
  inRange,
  ohlcConsistent,
  reconciles,
  sql,
  timestamp,
} from 'crypto-lakehouse';
import { baseAmount, contractUsd, inBase, inQuote, quoteAmount } from '../contracts.ts';
import { silverAggTrades } from '../datasets/agg_trades.ts';
import { partitionValue } from '../datasets/shared.ts';
import { tradeAsset } from '../datasets/tick_files.ts';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barInterval } from '../klines.ts';
import { silverKlines } from '../silver/klines.ts';

export const goldTradeBars = asset('gold/trade_bars', {
  ...tradeAsset,
  description:
    "Candles of the interval, built of trades: they agree with the exchange's own, which are compared where they are there. Bars without trades have no row.",
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: { trades: from(silverAggTrades, {}) },
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    open: double().describe('Price of the first trade.'),
    high: double().describe('Highest price.'),
    low: double().describe('Lowest price.'),
    close: double().describe('Price of the last trade.'),
    volume: double().describe(`Amount traded, ${inBase}.`),
    quote_volume: double().describe(`Amount traded, ${inQuote}.`),
    trades: bigint().describe('Number of trades.'),
    taker_buy_volume: double().describe('The part of volume in which the buyer was the taker.'),
    taker_buy_quote_volume: double().describe('The part of quote_volume in which the buyer was the taker.'),
    vwap: double().describe('Volume-weighted average price: quote_volume / volume.'),
    available_at: timestamp().describe('From when on this row could be known: the end (exclusive) of the bar.'),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  checks: [
    ohlcConsistent(),
    inRange('volume', { min: 0 }, { description: 'No volume is below zero.' }),
    reconciles(
      silverKlines,
      {
        on: ['open_time'],
        columns: ['open', 'high', 'low', 'close', 'volume', 'quote_volume', 'trades'],
        // The exchange rounds amounts of cm at every trade.
        tolerance: { relative: 1e-6 },
        of: (klines, partition) => {
          const inContracts = sql`${partitionValue(partition, 'market')} = 'cm'`;
          return sql`
          SELECT
            ${klines.open_time} AS open_time,
            ${klines.open}::DOUBLE AS open, ${klines.high}::DOUBLE AS high,
            ${klines.low}::DOUBLE AS low, ${klines.close}::DOUBLE AS close,
            CASE WHEN ${inContracts} THEN ${klines.quote_volume} ELSE ${klines.volume} END::DOUBLE AS volume,
            CASE WHEN ${inContracts} THEN ${klines.volume} * ${contractUsd(partitionValue(partition, 'symbol'))} ELSE ${klines.quote_volume} END::DOUBLE AS quote_volume,
            ${klines.count} AS trades
          FROM ${klines} WHERE ${klines.count} > 0`;
        },
      },
      { severity: 'warn', description: "Bars built of trades are the exchange's own." },
    ),
  ],
  query: ({ trades }, { partition }) => {
    const { quantity, price } = trades;
    const traded = { quantity, price, market: partition.market, symbol: partition.symbol };
    return sql`
    WITH valued AS (
      SELECT
        time_bucket(${barInterval(partition)}, ${trades.transact_time}) AS bar,
        ${trades.agg_trade_id} AS id,
        ${price} AS price,
        ${baseAmount(traded)} AS base,
        ${quoteAmount(traded)} AS quote,
        ${trades.last_trade_id} - ${trades.first_trade_id} + 1 AS count,
        NOT ${trades.is_buyer_maker} AS taker_buys
      FROM ${trades}
      -- Some old files have rows of nothing.
      WHERE ${quantity} > 0 AND ${price} > 0
    )
    SELECT
      bar AS open_time,
      arg_min(price, id)::DOUBLE AS open,
      max(price)::DOUBLE AS high,
      min(price)::DOUBLE AS low,
      arg_max(price, id)::DOUBLE AS close,
      sum(base)::DOUBLE AS volume,
      sum(quote)::DOUBLE AS quote_volume,
      sum(count)::BIGINT AS trades,
      coalesce(sum(base) FILTER (taker_buys), 0)::DOUBLE AS taker_buy_volume,
      coalesce(sum(quote) FILTER (taker_buys), 0)::DOUBLE AS taker_buy_quote_volume,
      sum(quote)::DOUBLE / sum(base)::DOUBLE AS vwap,
      bar + ${barInterval(partition)} AS available_at
    FROM valued GROUP BY bar`;
  },
});

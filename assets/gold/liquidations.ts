import { all, asset, bigint, columns, double, from, integer, sql, text, timestamp } from 'crypto-lakehouse';
import { baseAmount, inBase, inQuote, quoteAmount } from '../contracts.ts';
import { silverLiquidations } from '../datasets/liquidations.ts';
import { marketData } from '../datasets/shared.ts';
import { date, exchange, futuresMarket, interval, symbol } from '../dimensions.ts';
import { barInterval } from '../klines.ts';

const common = { ...marketData, group: 'liquidations', kinds: ['table', 'sql'] } as const;

export const goldLiquidations = asset('gold/liquidations', {
  ...common,
  description: 'How much was liquidated in each bar of the interval, by side. Bars without liquidations have no row.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { liquidations: from(silverLiquidations, {}) },
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    side: text().describe('Of the orders: SELL closes long positions, BUY short ones.'),
    liquidations: bigint().describe('Number of orders.'),
    quantity: double().describe(`Amount filled, ${inBase}.`),
    notional: double().describe(`Amount filled times its average price, ${inQuote}.`),
    largest_notional: double().describe('Of the largest of these orders.'),
    available_at: timestamp().describe('From when on this row could be known: the end (exclusive) of the bar.'),
  }),
  sortBy: ['open_time', 'side'],
  timeColumn: 'open_time',
  query: ({ liquidations }, { partition }) => {
    const traded = {
      quantity: liquidations.accumulated_fill_quantity,
      price: liquidations.average_price,
      market: partition.market,
      symbol: partition.symbol,
    };
    return sql`
    SELECT
      time_bucket(${barInterval(partition)}, ${liquidations.time}) AS open_time,
      ${liquidations.side} AS side,
      count(*)::BIGINT AS liquidations,
      coalesce(sum(${baseAmount(traded)}), 0)::DOUBLE AS quantity,
      sum(${quoteAmount(traded)})::DOUBLE AS notional,
      max(${quoteAmount(traded)})::DOUBLE AS largest_notional,
      time_bucket(${barInterval(partition)}, ${liquidations.time}) + ${barInterval(partition)} AS available_at
    FROM ${liquidations}
    GROUP BY ALL`;
  },
});

const LARGEST = 100;

export const goldLargestLiquidations = asset('gold/largest_liquidations', {
  ...common,
  description: `The ${LARGEST} largest liquidations of a market on one day, over all symbols. Amounts in different quote assets are compared as they are.`,
  partitions: { exchange, market: futuresMarket, date },
  inputs: { liquidations: from(silverLiquidations, { symbol: all() }) },
  columns: columns({
    rank: integer().describe('1 for the largest; of equal ones the earlier first.'),
    symbol: text().describe('The symbol as the exchange writes it.'),
    time: timestamp().describe('When the order was executed, UTC.'),
    side: text().describe('Of the order: SELL closes a long position, BUY a short one.'),
    average_price: double().describe('Average price at which it was filled.'),
    quantity: double().describe(`Amount filled, ${inBase}.`),
    notional: double().describe(`Amount filled times its average price, ${inQuote}.`),
    available_at: timestamp().describe('From when on this row could be known: the end (exclusive) of the day.'),
  }),
  sortBy: ['rank'],
  query: ({ liquidations }, { partition }) => {
    const traded = {
      quantity: liquidations.accumulated_fill_quantity,
      price: liquidations.average_price,
      market: partition.market,
      symbol: liquidations.symbol,
    };
    return sql`
    WITH valued AS (
      SELECT *, ${baseAmount(traded)} AS base, ${quoteAmount(traded)} AS quote FROM ${liquidations}
    ), ranked AS (
      SELECT
        *,
        row_number() OVER (ORDER BY
          quote DESC, time, symbol, side, price, original_quantity, average_price, accumulated_fill_quantity,
          last_fill_quantity, order_status, order_type, time_in_force) AS place
      FROM valued
    )
    SELECT
      place::INTEGER AS rank,
      symbol,
      time,
      side,
      average_price::DOUBLE AS average_price,
      coalesce(base, 0)::DOUBLE AS quantity,
      quote::DOUBLE AS notional,
      ${partition.end} AS available_at
    FROM ranked WHERE place <= ${LARGEST}`;
  },
});

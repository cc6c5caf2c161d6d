import { asset, bigint, columns, double, from, inRange, sql, timestamp } from 'crypto-lakehouse';
import { silverBookDepth } from '../datasets/book_depth.ts';
import { silverBookTicker } from '../datasets/book_ticker.ts';
import { marketData } from '../datasets/shared.ts';
import { date, exchange, futuresMarket, interval, symbol } from '../dimensions.ts';
import { barInterval } from '../klines.ts';

const common = { ...marketData, group: 'book', kinds: ['table', 'sql'] } as const;

export const goldDepthImbalance = asset('gold/depth_imbalance', {
  ...common,
  description:
    'What is bid against what is asked within some percent of the price, about every 30 seconds: one row per band.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { depth: silverBookDepth },
  columns: columns({
    time: timestamp().describe('When the book was looked at, UTC.'),
    within_percent: double().describe('The band: so many percent below (bids) and above (asks) the price.'),
    bid_depth: double().describe('Amount bid in the band. um: in the base asset. cm: number of contracts.'),
    ask_depth: double().describe('Amount asked in the band; same unit.'),
    bid_notional: double().describe('The bids, valued. um: in the quote asset. cm: as published.'),
    ask_notional: double().describe('The asks, valued; same unit.'),
    imbalance: double()
      .nullable()
      .describe(
        '(bid_depth - ask_depth) / (bid_depth + ask_depth): 1 where all is bid, -1 where all is asked; NULL where there is neither.',
      ),
    available_at: timestamp().describe('From when on this row could be known: when the book was looked at.'),
  }),
  sortBy: ['time', 'within_percent'],
  timeColumn: 'time',
  checks: [
    inRange('imbalance', { min: -1, max: 1 }, { severity: 'warn', description: 'A part is not more than the whole.' }),
  ],
  // Bands of which one side is missing have no row.
  query: ({ depth }) => sql`
    SELECT
      bid.time AS time,
      ask.percentage::DOUBLE AS within_percent,
      bid.depth::DOUBLE AS bid_depth,
      ask.depth::DOUBLE AS ask_depth,
      bid.notional::DOUBLE AS bid_notional,
      ask.notional::DOUBLE AS ask_notional,
      (bid.depth - ask.depth)::DOUBLE / nullif((bid.depth + ask.depth)::DOUBLE, 0) AS imbalance,
      bid.time AS available_at
    FROM ${depth} AS bid JOIN ${depth} AS ask ON ask.time = bid.time AND ask.percentage = -bid.percentage
    WHERE bid.percentage < 0`,
});

export const goldSpread = asset('gold/spread', {
  ...common,
  description:
    'The spread between best bid and ask in each bar of the interval. Bars in which neither changed have no row.',
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: { quotes: from(silverBookTicker, {}) },
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    updates: bigint().describe('How often the best bid or ask changed.'),
    bid: double().describe('Best bid at the end of the bar.'),
    ask: double().describe('Best ask at the end of the bar.'),
    spread: double().describe('Ask - bid, the mean weighted by time from the first change in the bar to its end.'),
    mid: double().describe('(bid + ask) / 2, the mean weighted alike.'),
    relative_spread: double().nullable().describe('spread / mid.'),
    last_spread: double().describe('Ask - bid at the end of the bar.'),
    available_at: timestamp().describe('From when on this row could be known: the end (exclusive) of the bar.'),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  // A quote holds until the next one, in the last of a bar until the bar ends. Weights are microseconds: sums are exact.
  query: ({ quotes }, { partition }) => {
    const bar = barInterval(partition);
    return sql`
    WITH quoted AS (
      SELECT
        time_bucket(${bar}, ${quotes.transaction_time}) AS bar,
        ${quotes.update_id} AS id,
        ${quotes.transaction_time} AS time,
        ${quotes.best_bid_price} AS bid,
        ${quotes.best_ask_price} AS ask
      FROM ${quotes}
    ), held AS (
      SELECT
        *,
        greatest(0, epoch_us(coalesce(lead(time) OVER (PARTITION BY bar ORDER BY time, id), bar + ${bar})) - epoch_us(time)) AS micros
      FROM quoted
    ), summed AS (
      SELECT
        bar,
        count(*)::BIGINT AS updates,
        arg_max(bid, id)::DOUBLE AS bid,
        arg_max(ask, id)::DOUBLE AS ask,
        sum((ask - bid)::DECIMAL(38,8) * micros)::DOUBLE / sum(micros)::DOUBLE AS spread,
        sum((ask + bid)::DECIMAL(38,8) * micros)::DOUBLE / sum(micros)::DOUBLE / 2 AS mid
      FROM held GROUP BY bar
    )
    SELECT
      bar AS open_time, updates, bid, ask, spread, mid,
      spread / nullif(mid, 0) AS relative_spread,
      ask - bid AS last_spread,
      bar + ${bar} AS available_at
    FROM summed`;
  },
});

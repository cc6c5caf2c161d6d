import {
  asset,
  bigint,
  boolean,
  columns,
  double,
  firstAvailable,
  from,
  integer,
  ohlcConsistent,
  reconciles,
  rowsWhere,
  sql,
  text,
  timestamp,
  valuesBy,
} from 'crypto-lakehouse';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barInterval, barMs, candleAsset, upToDate } from '../klines.ts';
import { silverKlines } from '../silver/klines.ts';

/** Bars that longer ones are made of, best first: the shorter they are, the more is known of a longer one with a hole. */
const bases = ['1m', '5m', '15m', '1h'] as const;

/** The bars of a day with this length, for every longer bar that is a multiple of it. */
const madeOf = (base: (typeof bases)[number]) =>
  from(silverKlines, {
    interval: valuesBy(`made of ${base}`, (target) => {
      const [length, longer] = [barMs(base) ?? Number.NaN, barMs(target) ?? Number.NaN];
      return longer > length && longer % length === 0 ? [base] : [];
    }),
  });

const sumOfBase = 'that of its base bars, in the unit of silver/klines';

export const goldKlinesResampled = asset('gold/klines_resampled', {
  ...candleAsset,
  description:
    "Candles of the interval, made of the shortest ones there are of 1m, 5m, 15m and 1h. They agree with the exchange's own, which are compared where they are there. Where there is no base bar there is no bar.",
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: { base: firstAvailable(madeOf(bases[0]), madeOf(bases[1]), madeOf(bases[2]), madeOf(bases[3])) },
  config: bases,
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC, also where its first base bars are missing.'),
    open: double().describe('Open of the first base bar.'),
    high: double().describe('Highest price.'),
    low: double().describe('Lowest price.'),
    close: double().describe('Close of the last base bar.'),
    volume: double().describe(`Sum of volume: ${sumOfBase}.`),
    quote_volume: double()
      .nullable()
      .describe(`Sum of quote_volume: ${sumOfBase}. NULL where the exchange does not publish it.`),
    count: bigint().nullable().describe('Number of trades. NULL where the exchange does not publish it.'),
    taker_buy_volume: double()
      .nullable()
      .describe('The part of volume in which the buyer was the taker. NULL where the exchange does not publish it.'),
    taker_buy_quote_volume: double()
      .nullable()
      .describe(
        'The part of quote_volume in which the buyer was the taker. NULL where the exchange does not publish it.',
      ),
    base_interval: text().describe('Length of the bars it is made of.'),
    bars: integer().describe('How many of them there are.'),
    expected_bars: integer().describe('How many there would be without outages.'),
    incomplete: boolean().describe('Whether there are fewer than that.'),
    available_at: timestamp().describe(
      'From when on this row could be known: the end (exclusive, open_time + interval) of the bar.',
    ),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  freshness: upToDate,
  checks: [
    ohlcConsistent(),
    rowsWhere(
      'bars_expected',
      ['bars', 'expected_bars'],
      ({ bars, expected_bars }) => sql`${bars} > ${expected_bars}`,
      {
        severity: 'warn',
        description: 'There are no more base bars than the bar has room for.',
      },
    ),
    reconciles(
      silverKlines,
      {
        on: ['open_time'],
        columns: ['open', 'high', 'low', 'close', 'volume', 'quote_volume', 'count'],
        // The exchange rounds amounts of cm at every trade.
        tolerance: { relative: 1e-6 },
        of: (klines) => sql`
          SELECT
            ${klines.open_time} AS open_time,
            ${klines.open}::DOUBLE AS open, ${klines.high}::DOUBLE AS high,
            ${klines.low}::DOUBLE AS low, ${klines.close}::DOUBLE AS close,
            ${klines.volume}::DOUBLE AS volume, ${klines.quote_volume}::DOUBLE AS quote_volume, ${klines.count} AS count
          FROM ${klines}`,
      },
      { severity: 'warn', description: "Bars made of shorter ones are the exchange's own." },
    ),
  ],
  // Sums are of DECIMAL: exact, so the same in any order.
  query: ({ base }, { partition }) => {
    const length = barInterval(partition);
    const bar = sql`time_bucket(${length}, ${base.open_time})`;
    const expected = sql`epoch_ms(${length}) // epoch_ms(min(${base.interval})::INTERVAL)`;
    return sql`
    SELECT
      ${bar} AS open_time,
      arg_min(${base.open}, ${base.open_time})::DOUBLE AS open,
      max(${base.high})::DOUBLE AS high,
      min(${base.low})::DOUBLE AS low,
      arg_max(${base.close}, ${base.open_time})::DOUBLE AS close,
      sum(${base.volume})::DOUBLE AS volume,
      sum(${base.quote_volume})::DOUBLE AS quote_volume,
      sum(${base.count})::BIGINT AS count,
      sum(${base.taker_buy_volume})::DOUBLE AS taker_buy_volume,
      sum(${base.taker_buy_quote_volume})::DOUBLE AS taker_buy_quote_volume,
      min(${base.interval}) AS base_interval,
      count(*)::INTEGER AS bars,
      (${expected})::INTEGER AS expected_bars,
      count(*) < ${expected} AS incomplete,
      ${bar} + ${length} AS available_at
    FROM ${base}
    GROUP BY ${bar}`;
  },
});

import {
  asset,
  bigint,
  columns,
  double,
  from,
  ifPresent,
  inRange,
  integer,
  ohlcConsistent,
  rowsWhere,
  sql,
  timestamp,
  window,
} from 'crypto-lakehouse';
import { contractUsd } from '../contracts.ts';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barInterval, candleAsset, upToDate } from '../klines.ts';
import { silverKlines } from '../silver/klines.ts';
import { silverKlinesPatches } from '../silver/klines_quality.ts';

const units = 'In every market, also cm, where the exchange counts contracts.';

const unpublished = 'NULL where the exchange does not publish it.';

/** The same for a day and for a month: see `klines_monthly.ts`. */
export const period = {
  open_time: timestamp().describe('Start of the period, UTC, also where its first bars are missing.'),
  open: double().describe('Open of the first bar.'),
  high: double().describe('Highest price.'),
  low: double().describe('Lowest price.'),
  close: double().describe('Close of the last bar.'),
  volume: double().describe(`Amount traded, in the base asset. ${units}`),
  quote_volume: double()
    .nullable()
    .describe(
      `Amount traded, in the quote asset; cm: in USD, contracts times their size (100 USD for BTC, 10 USD for all others). ${units} ${unpublished}`,
    ),
  taker_buy_volume: double().nullable().describe(`The part of volume in which the buyer was the taker. ${unpublished}`),
  taker_share: double().nullable().describe('taker_buy_volume / volume, 0 to 1; NULL without trades or without those.'),
  vwap: double()
    .nullable()
    .describe('Volume-weighted average price: quote_volume / volume; NULL without trades or without those.'),
  trades: bigint().nullable().describe(`Number of trades. ${unpublished}`),
  bars: integer().describe('Bars there are.'),
  expected_bars: integer().describe('Bars there would be without outages.'),
  simple_return: double()
    .nullable()
    .describe('close / close of the day before the period - 1; NULL where that day has no bars.'),
  log_return: double()
    .nullable()
    .describe('ln(close / close of the day before the period); NULL where that day has no bars.'),
  available_at: timestamp().describe(
    'From when on this row could be known: the end (exclusive, open_time + interval) of the last bar it uses.',
  ),
};

export const periodChecks = [
  ohlcConsistent(),
  inRange('taker_share', { min: 0, max: 1 }, { severity: 'warn', description: 'A part is not more than the whole.' }),
  rowsWhere('bars_expected', ['bars', 'expected_bars'], ({ bars, expected_bars }) => sql`${bars} > ${expected_bars}`, {
    severity: 'warn',
    description: 'There are no more bars than the period has room for.',
  }),
] as const;

/**
 * Formulas: VWAP is Berkowitz, Logue, Noser, "The Total Cost of Transactions on the NYSE", Journal of Finance 43, 1988; returns
 * are Campbell, Lo, MacKinlay, "The Econometrics of Financial Markets", 1997, section 1.4.
 */
export const goldKlinesDaily = asset('gold/klines_daily', {
  ...candleAsset,
  description:
    'One row per day, from the bars of the interval and, in months that are over, those of silver/klines_patches: prices, amounts, VWAP and the return since the day before.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: {
    klines: from(silverKlines, { date: window({ days: 1 }) }),
    // A monthly file that lacks days replaces daily ones that had them.
    patches: ifPresent(from(silverKlinesPatches, { month: window({ days: 1 }) })),
  },
  columns: columns(period),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  freshness: upToDate,
  checks: [
    rowsWhere(
      'vwap_between_low_and_high',
      ['vwap', 'low', 'high'],
      // The tolerance is for amounts that the exchange rounds.
      ({ vwap, low, high }) => sql`${vwap} NOT BETWEEN ${low} * 0.999 AND ${high} * 1.001`,
      {
        severity: 'warn',
        description: 'The average price is one that was traded; if not, an amount is in another unit.',
      },
    ),
    ...periodChecks,
  ],
  // Sums are of DECIMAL: exact, so the same in any order.
  query: ({ klines, patches }, { partition }) => {
    const bars = (of: typeof klines | typeof patches) =>
      sql`SELECT ${of.open_time} AS open_time, ${of.open} AS open, ${of.high} AS high, ${of.low} AS low, ${of.close} AS close, ${of.volume} AS volume, ${of.quote_volume} AS quote_volume, ${of.taker_buy_volume} AS taker_buy_volume, ${of.taker_buy_quote_volume} AS taker_buy_quote_volume, ${of.count} AS count FROM ${of}`;
    const inContracts = sql`${partition.market} = 'cm'`;
    return sql`
      WITH bars AS (${bars(klines)} UNION ALL ${bars(patches)}), day AS (
        SELECT
          arg_min(open, open_time)::DOUBLE AS open,
          max(high)::DOUBLE AS high,
          min(low)::DOUBLE AS low,
          arg_max(close, open_time)::DOUBLE AS close,
          sum(volume)::DOUBLE AS raw_volume,
          sum(quote_volume)::DOUBLE AS raw_quote_volume,
          sum(taker_buy_volume)::DOUBLE AS raw_taker_buy_volume,
          sum(taker_buy_quote_volume)::DOUBLE AS raw_taker_buy_quote_volume,
          sum(count)::BIGINT AS trades,
          count(*)::INTEGER AS bars,
          max(open_time) + ${barInterval(partition)} AS available_at
        FROM bars WHERE open_time >= ${partition.start} AND open_time < ${partition.end} HAVING count(*) > 0
      ), day_before AS (
        SELECT arg_max(close, open_time)::DOUBLE AS previous
        FROM bars WHERE open_time < ${partition.start} AND open_time >= ${partition.start} - INTERVAL 1 DAY
      ), amounts AS (
        SELECT
          *,
          CASE WHEN ${inContracts} THEN raw_quote_volume ELSE raw_volume END AS volume,
          CASE WHEN ${inContracts} THEN raw_volume * ${contractUsd(partition.symbol)} ELSE raw_quote_volume END AS quote_volume,
          CASE WHEN ${inContracts} THEN raw_taker_buy_quote_volume ELSE raw_taker_buy_volume END AS taker_buy_volume
        FROM day, day_before
      )
      SELECT
        ${partition.start} AS open_time,
        open, high, low, close, volume, quote_volume, taker_buy_volume,
        taker_buy_volume / nullif(volume, 0) AS taker_share,
        quote_volume / nullif(volume, 0) AS vwap,
        trades, bars,
        (epoch_ms(${partition.end} - ${partition.start}) // epoch_ms(${barInterval(partition)}))::INTEGER AS expected_bars,
        close / nullif(previous, 0) - 1 AS simple_return,
        ln(nullif(close, 0) / nullif(previous, 0)) AS log_return,
        available_at
      FROM amounts`;
  },
});

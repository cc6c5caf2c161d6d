import {
  asset,
  columns,
  decimal,
  double,
  from,
  noGaps,
  rowCount,
  source,
  sql,
  timestamp,
  window,
  zipCsv,
} from 'crypto-lakehouse';
import { date, exchange, futuresMarket, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly, orNull } from '../silver/exact.ts';
import { marketData, original } from './shared.ts';

const common = { ...marketData, group: 'metrics' } as const;

export const binanceMetrics = source('binance/metrics_archive', {
  ...common,
  ...archiveFiles({ type: 'metrics', cadence: 'daily' }),
  description: "Binance's public archive of open interest and long/short ratios, one zip per day.",
  partitions: { exchange, market: futuresMarket, symbol, date },
});

export const bronzeMetrics = asset('bronze/metrics', {
  ...common,
  ...original,
  description: 'Zips of one day of open interest and long/short ratios, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { archive: binanceMetrics },
  format: zipCsv({
    columns: [
      'create_time',
      'file_symbol',
      'sum_open_interest',
      'sum_open_interest_value',
      'count_toptrader_long_short_ratio',
      'sum_toptrader_long_short_ratio',
      'count_long_short_ratio',
      'sum_taker_long_short_vol_ratio',
    ],
  }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});

const amount = () => decimal(38, 8);
const ratio = (description: string) =>
  decimal(38, 8).nullable().describe(`${description} NULL where the exchange left it empty.`);

/**
 * What the label of a row means is not the same in all files: um wrote the end of the 5 minutes (00:05 to 00:00 of the next day) up to
 * 2026-06-24, and has written their start since (binance-public-data issue 491), as cm always did. The file itself tells by its first
 * or last row; the date only where both are missing.
 */
export const silverMetrics = asset('silver/metrics', {
  ...common,
  description:
    'Open interest and long/short ratios every 5 minutes, typed and exact, in order; rows the exchange left out are missing here too.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { raw: bronzeMetrics },
  columns: columns({
    period_start: timestamp().describe(
      'Start of the 5 minutes, UTC; amounts and shares of accounts are as of their end.',
    ),
    create_time: timestamp().describe(
      'The time the file gives, UTC: the end of the 5 minutes in some files, the start in others.',
    ),
    sum_open_interest: amount().describe('Open interest. um: in the base asset. cm: number of contracts.'),
    sum_open_interest_value: amount().describe('Open interest, valued. um: in the quote asset. cm: in the BASE asset.'),
    count_toptrader_long_short_ratio: ratio('Accounts of top traders that are long / short.'),
    sum_toptrader_long_short_ratio: ratio('Positions of top traders, long / short.'),
    count_long_short_ratio: ratio('Accounts that are long / short.'),
    sum_taker_long_short_vol_ratio: ratio('Volume of takers that bought / sold during the 5 minutes.'),
  }),
  sortBy: ['period_start'],
  timeColumn: 'period_start',
  checks: [
    noGaps('period_start', () => sql`INTERVAL 5 MINUTE`, { description: 'Rows follow each other every 5 minutes.' }),
    rowCount({ min: 288 }, { severity: 'warn', description: 'A day has 288 rows.' }),
  ],
  query: ({ raw }, { partition }) => {
    const { padded, same, written } = exactly(raw.create_time);
    return sql`
    WITH labelled AS (
      SELECT DISTINCT
        ${written(raw.create_time)} AS create_time,
        ${padded(raw.sum_open_interest)} AS sum_open_interest,
        ${padded(raw.sum_open_interest_value)} AS sum_open_interest_value,
        ${orNull(raw.count_toptrader_long_short_ratio, padded)} AS count_toptrader_long_short_ratio,
        ${orNull(raw.sum_toptrader_long_short_ratio, padded)} AS sum_toptrader_long_short_ratio,
        ${orNull(raw.count_long_short_ratio, padded)} AS count_long_short_ratio,
        ${orNull(raw.sum_taker_long_short_vol_ratio, padded)} AS sum_taker_long_short_vol_ratio
      FROM ${raw}
      WHERE ${same(raw.file_symbol, partition.symbol)} IS NOT NULL
    ), file AS (
      SELECT CASE
        WHEN max(create_time) = ${partition.end} THEN INTERVAL 5 MINUTE
        WHEN min(create_time) = ${partition.start} THEN INTERVAL 0 MINUTE
        WHEN ${partition.market} = 'um' AND ${partition.start} < TIMESTAMP '2026-06-25' THEN INTERVAL 5 MINUTE
        ELSE INTERVAL 0 MINUTE
      END AS late
      FROM labelled
    )
    SELECT create_time - late AS period_start, labelled.* FROM labelled, file`;
  },
});

const change = (over: string) =>
  double().nullable().describe(`open_interest / that of ${over} before - 1; NULL where there was no row then.`);
const passed = (description: string) => double().nullable().describe(description);

export const goldOpenInterest = asset('gold/open_interest', {
  ...common,
  description: 'Open interest every 5 minutes and how it changed, with the long/short ratios.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { metrics: from(silverMetrics, { date: window({ days: 1 }) }) },
  columns: columns({
    period_start: timestamp().describe('Start of the 5 minutes, UTC.'),
    open_interest: double().describe('At their end. um: in the base asset. cm: number of contracts.'),
    open_interest_value: double().describe('At their end. um: in the quote asset. cm: in the base asset.'),
    change_5m: change('5 minutes'),
    change_1h: change('an hour'),
    change_24h: change('24 hours'),
    top_accounts_long_short: passed('Accounts of top traders that are long / short.'),
    top_positions_long_short: passed('Positions of top traders, long / short.'),
    accounts_long_short: passed('Accounts that are long / short.'),
    taker_buy_sell: passed('Volume of takers that bought / sold during the 5 minutes.'),
    available_at: timestamp().describe('From when on this row could be known: the end (exclusive) of the 5 minutes.'),
  }),
  sortBy: ['period_start'],
  timeColumn: 'period_start',
  query: ({ metrics }, { partition }) => {
    const since = (name: string) => sql`now.value / nullif(${sql.identifier(name)}.value, 0) - 1`;
    return sql`
    WITH measured AS (
      SELECT ${metrics.period_start} AS at, ${metrics.sum_open_interest}::DOUBLE AS value FROM ${metrics}
    ), now AS (
      SELECT *, ${metrics.period_start} AS at, ${metrics.sum_open_interest}::DOUBLE AS value
      FROM ${metrics} WHERE ${metrics.period_start} >= ${partition.start}
    )
    SELECT
      now.at AS period_start,
      now.value AS open_interest,
      sum_open_interest_value::DOUBLE AS open_interest_value,
      ${since('bar')} AS change_5m,
      ${since('hour')} AS change_1h,
      ${since('day')} AS change_24h,
      count_toptrader_long_short_ratio::DOUBLE AS top_accounts_long_short,
      sum_toptrader_long_short_ratio::DOUBLE AS top_positions_long_short,
      count_long_short_ratio::DOUBLE AS accounts_long_short,
      sum_taker_long_short_vol_ratio::DOUBLE AS taker_buy_sell,
      now.at + INTERVAL 5 MINUTE AS available_at
    FROM now
    LEFT JOIN measured AS bar ON bar.at = now.at - INTERVAL 5 MINUTE
    LEFT JOIN measured AS hour ON hour.at = now.at - INTERVAL 1 HOUR
    LEFT JOIN measured AS day ON day.at = now.at - INTERVAL 24 HOUR`;
  },
});

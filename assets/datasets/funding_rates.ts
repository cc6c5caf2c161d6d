import {
  asset,
  columns,
  decimal,
  from,
  ifPresent,
  inRange,
  integer,
  json,
  overlapping,
  rowsWhere,
  type SqlTemplate,
  source,
  sql,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';
import { date, exchange, futuresMarket, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { restFunding } from '../exchanges/binance/rest/source.ts';
import { exactly, orNull } from '../silver/exact.ts';
import { answered, marketData, original } from './shared.ts';

const common = { ...marketData, group: 'funding' } as const;

export const binanceFundingRates = source('binance/funding_rates_archive', {
  ...common,
  ...archiveFiles({ type: 'fundingRate', cadence: 'monthly' }),
  description: "Binance's public archive of funding rates, one zip per month; there are no daily ones.",
  partitions: { exchange, market: futuresMarket, symbol, month },
});

export const bronzeFundingRates = asset('bronze/funding_rates', {
  ...common,
  ...original,
  description:
    'Zips of one month of funding rates, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market: futuresMarket, symbol, month },
  inputs: { archive: binanceFundingRates },
  format: zipCsv({ columns: ['calc_time', 'funding_interval_hours', 'last_funding_rate'] }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const binanceFundingRatesRest = source('binance/funding_rates_rest', {
  ...common,
  ...restFunding(),
  description:
    "Funding rates of the last closed days as Binance's REST interface answers them, with mark price, where the setting exchanges.binance.rest is on. Each answer begins a day earlier.",
  partitions: { exchange, market: futuresMarket, symbol, date },
});

export const bronzeFundingRatesRest = asset('bronze/funding_rates_rest', {
  ...common,
  ...answered,
  description: 'Answers of REST that hold one day of funding rates and the day before, byte for byte as received.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { rest: binanceFundingRatesRest },
  // markPrice came later: old fundings have none, or an empty one.
  format: json({ columns: ['fundingTime', 'fundingRate'], optional: ['markPrice'] }),
  compute: ({ inputs }) => inputs.rest.bytes(),
});

export const silverFundingRates = asset('silver/funding_rates', {
  ...common,
  description:
    'Funding rates as the exchange published them, typed and exact: one row per funding, at its slot, from the archive where it has the month, else from REST; the mark price is known to REST alone.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: {
    archive: ifPresent(from(bronzeFundingRates, { month: overlapping() })),
    rest: ifPresent(bronzeFundingRatesRest),
  },
  columns: columns({
    funding_time: timestamp().describe(
      'The full hour, UTC, that the funding is of: calc_time without its jitter of some milliseconds.',
    ),
    funding_rate: decimal(18, 8).describe(
      'Part of the position that longs pay to shorts (negative: shorts to longs) for one interval, e.g. 0.0001 is 0.01%.',
    ),
    interval_hours: integer()
      .nullable()
      .describe(
        'Hours since the funding before, as published; of a funding that only REST has, counted, and NULL for the first of a symbol.',
      ),
    calc_time: timestamp().describe('When the exchange computed it, UTC, in milliseconds.'),
    mark_price: decimal(18, 8)
      .nullable()
      .describe(
        'Mark price that positions were valued at; NULL where REST was not asked within its days, or did not say.',
      ),
  }),
  sortBy: ['funding_time'],
  timeColumn: 'funding_time',
  checks: [
    inRange('interval_hours', { min: 1, max: 24 }, { description: 'Funding is paid once an hour to once a day.' }),
    rowsWhere(
      'near_its_slot',
      ['funding_time', 'calc_time'],
      ({ funding_time, calc_time }) => sql`abs(epoch_ms(${calc_time}) - epoch_ms(${funding_time})) > 60000`,
      { severity: 'warn', description: 'A funding is computed within a minute of its hour.' },
    ),
  ],
  query: ({ archive, rest }, { partition }) => {
    const file = exactly(archive.calc_time);
    const answer = exactly(rest.fundingTime);
    const slot = (time: SqlTemplate) => sql`date_trunc('hour', ${time} + INTERVAL 30 MINUTE)`;
    return sql`
    WITH published AS (
      SELECT
        ${slot(file.time(archive.calc_time))} AS funding_time,
        ${file.price(archive.last_funding_rate)} AS funding_rate,
        ${file.integer(archive.funding_interval_hours)}::INTEGER AS interval_hours,
        ${file.time(archive.calc_time)} AS calc_time
      FROM ${archive}
    ), answered AS (
      SELECT
        ${slot(answer.time(rest.fundingTime))} AS funding_time,
        ${answer.price(rest.fundingRate)} AS funding_rate,
        ${answer.time(rest.fundingTime)} AS calc_time,
        ${orNull(rest.markPrice, answer.price)} AS mark_price
      FROM ${rest}
    ), said AS (
      SELECT 1 AS rank, *, NULL::DECIMAL(18,8) AS mark_price FROM published
      UNION ALL
      SELECT 2, funding_time, funding_rate, date_diff('hour', lag(funding_time) OVER (ORDER BY funding_time), funding_time)::INTEGER, calc_time, mark_price
      FROM answered
    ), numbered AS (
      -- What one of them has twice stays two rows, which are refused.
      SELECT *, row_number() OVER (PARTITION BY rank, funding_time ORDER BY calc_time, funding_rate) AS copy FROM said
    )
    SELECT
      funding_time,
      arg_min(funding_rate, rank) AS funding_rate,
      arg_min(interval_hours, rank) AS interval_hours,
      arg_min(calc_time, rank) AS calc_time,
      max(mark_price) AS mark_price
    FROM numbered
    WHERE funding_time >= ${partition.start} AND funding_time < ${partition.end}
    GROUP BY funding_time, copy`;
  },
});

import {
  acceptedValues,
  asset,
  columns,
  double,
  from,
  integer,
  rowsWhere,
  type SqlTemplate,
  sql,
  text,
  timestamp,
  window,
} from 'crypto-lakehouse';
import { silverFundingRates } from '../datasets/funding_rates.ts';
import { marketData } from '../datasets/shared.ts';
import { date, exchange, futuresMarket, symbol } from '../dimensions.ts';

const HOURS_PER_YEAR = 365 * 24;

/** Fundings of so many days up to and including this one. They are at full hours. */
const last = (days: number): SqlTemplate =>
  sql`(ORDER BY funding_time RANGE BETWEEN ${sql.raw(`INTERVAL ${days * 24 - 1} HOUR`)} PRECEDING AND CURRENT ROW)`;

const mean = (days: number) =>
  double()
    .nullable()
    .describe(
      `Mean rate of the last ${days} days, or of what there is of them, annualised: the sum of their rates / the sum of their hours × ${HOURS_PER_YEAR}. NULL where no hours are known.`,
    );

/**
 * What a funding is: Songrun He, Asaf Manela, Omri Ross, Victor von Wachter, "Fundamentals of Perpetual Futures", 2022. Annualised as
 * simple interest: the position is not enlarged by what it earns. Means are weighted by hours, so that they say the same when the exchange
 * goes from a funding every 8 hours to one every 4.
 */
export const goldFundingRates = asset('gold/funding_rates', {
  ...marketData,
  group: 'funding',
  description:
    'Funding rates as yearly rates, their means of 7 and 30 days, who pays whom, and what holding a position has cost.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { rates: from(silverFundingRates, { date: window({ days: 30 }) }) },
  columns: columns({
    funding_time: timestamp().describe('The full hour, UTC, that the funding is of.'),
    funding_rate: double().describe(
      'Part of the position that longs pay to shorts (negative: shorts to longs) for one interval.',
    ),
    interval_hours: integer()
      .nullable()
      .describe('Hours since the funding before; NULL where nothing says it, see silver/funding_rates.'),
    annualised_rate: double()
      .nullable()
      .describe(
        `funding_rate × 24 / interval_hours × 365, simple interest, e.g. 0.1095 is 10.95% a year. NULL without interval_hours.`,
      ),
    mean_7d: mean(7),
    mean_30d: mean(30),
    fundings_30d: integer().describe('Fundings there are in the last 30 days.'),
    regime: text()
      .nullable()
      .describe(
        'By mean_7d: negative below 0 (shorts pay longs), positive above 0.1095 (longs pay more than the interest of 0.01% per 8 hours at which rates rest), neutral between. NULL as mean_7d.',
      ),
    carry_30d: double().describe(
      'Sum of the rates of the last 30 days: what a long position of constant size has paid, as a part of it.',
    ),
    carry_month: double().describe(
      'Sum of the rates since the first of the month (UTC), at which it begins anew: the last of each month add up to the carry of any number of months.',
    ),
    available_at: timestamp().describe('From when on this row could be known: when the exchange computed the rate.'),
  }),
  sortBy: ['funding_time'],
  timeColumn: 'funding_time',
  checks: [
    acceptedValues('regime', ['negative', 'neutral', 'positive']),
    rowsWhere('rates_of_30_days', ['fundings_30d'], ({ fundings_30d }) => sql`${fundings_30d} > 30 * 24`, {
      severity: 'warn',
      description: 'There is one funding an hour at most.',
    }),
  ],
  // Sums are of DECIMAL and of whole hours: exact, so the same in any order, and the regime does not hang on a rounded double.
  query: ({ rates }, { partition }) => sql`
    WITH read AS (
      SELECT
        ${rates.funding_time} AS funding_time,
        ${rates.funding_rate} AS funding_rate,
        ${rates.interval_hours} AS interval_hours,
        ${rates.calc_time} AS calc_time,
        CASE WHEN ${rates.interval_hours} IS NOT NULL THEN ${rates.funding_rate} END AS timed_rate
      FROM ${rates}
    ), summed AS (
      SELECT
        *,
        sum(timed_rate) OVER ${last(7)} AS rate_7d,
        sum(interval_hours) OVER ${last(7)} AS hours_7d,
        sum(timed_rate) OVER ${last(30)} AS rate_30d,
        sum(interval_hours) OVER ${last(30)} AS hours_30d,
        sum(funding_rate) OVER ${last(30)} AS carry_30d,
        count(*) OVER ${last(30)} AS fundings_30d,
        sum(funding_rate) OVER (PARTITION BY date_trunc('month', funding_time) ORDER BY funding_time) AS carry_month
      FROM read
    )
    SELECT
      funding_time,
      funding_rate::DOUBLE AS funding_rate,
      interval_hours,
      funding_rate::DOUBLE / interval_hours * ${HOURS_PER_YEAR} AS annualised_rate,
      rate_7d::DOUBLE / hours_7d * ${HOURS_PER_YEAR} AS mean_7d,
      rate_30d::DOUBLE / hours_30d * ${HOURS_PER_YEAR} AS mean_30d,
      fundings_30d::INTEGER AS fundings_30d,
      CASE
        WHEN rate_7d < 0 THEN 'negative'
        WHEN rate_7d * 8 > 0.0001 * hours_7d THEN 'positive'
        WHEN hours_7d IS NOT NULL THEN 'neutral'
      END AS regime,
      carry_30d::DOUBLE AS carry_30d,
      carry_month::DOUBLE AS carry_month,
      greatest(funding_time, calc_time) AS available_at
    FROM summed WHERE funding_time >= ${partition.start}`,
});

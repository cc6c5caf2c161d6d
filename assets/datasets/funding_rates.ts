import {
  asset,
  columns,
  decimal,
  from,
  inRange,
  integer,
  overlapping,
  rowsWhere,
  source,
  sql,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';
import { date, exchange, futuresMarket, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly } from '../silver/exact.ts';
import { marketData, original } from './shared.ts';

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

export const silverFundingRates = asset('silver/funding_rates', {
  ...common,
  description: 'Funding rates as the exchange published them, typed and exact: one row per funding, at its slot.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { raw: from(bronzeFundingRates, { month: overlapping() }) },
  columns: columns({
    funding_time: timestamp().describe(
      'The full hour, UTC, that the funding is of: calc_time without its jitter of some milliseconds.',
    ),
    funding_rate: decimal(18, 8).describe(
      'Part of the position that longs pay to shorts (negative: shorts to longs) for one interval, e.g. 0.0001 is 0.01%.',
    ),
    interval_hours: integer().describe('Hours since the funding before, as published.'),
    calc_time: timestamp().describe('When the exchange computed it, UTC, in milliseconds.'),
  }),
  sortBy: ['funding_time'],
  timeColumn: 'funding_time',
  rowwise: true,
  checks: [
    inRange('interval_hours', { min: 1, max: 24 }, { description: 'Funding is paid once an hour to once a day.' }),
    rowsWhere(
      'near_its_slot',
      ['funding_time', 'calc_time'],
      ({ funding_time, calc_time }) => sql`abs(epoch_ms(${calc_time}) - epoch_ms(${funding_time})) > 60000`,
      { severity: 'warn', description: 'A funding is computed within a minute of its hour.' },
    ),
  ],
  query: ({ raw }) => {
    const { integer: whole, price, time } = exactly(raw.calc_time);
    return sql`
    SELECT
      date_trunc('hour', ${time(raw.calc_time)} + INTERVAL 30 MINUTE) AS funding_time,
      ${price(raw.last_funding_rate)} AS funding_rate,
      ${whole(raw.funding_interval_hours)}::INTEGER AS interval_hours,
      ${time(raw.calc_time)} AS calc_time
    FROM ${raw}`;
  },
});

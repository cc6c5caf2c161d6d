import { asset, columns, decimal, double, sql, timestamp } from 'crypto-lakehouse';
import { date, exchange, interval, market, silverKlines, symbol } from 'crypto-lakehouse/assets';

/** The query is written for one partition: `${klines}` is one day of one symbol, `${partition.start}` where it begins. */
export const goldRange = asset('gold/range', {
  description: 'How far the price of a day went, from its bars.',
  partitions: { exchange, market, symbol, interval, date },
  inputs: { klines: silverKlines },
  columns: columns({
    day: timestamp().describe('Start of the day, UTC.'),
    high: decimal(18, 8).describe('Highest price.'),
    low: decimal(18, 8).describe('Lowest price.'),
    range_percent: double().describe('(high - low) / low, in percent.'),
  }),
  sortBy: ['day'],
  timeColumn: 'day',
  query: ({ klines }, { partition }) => sql`
    SELECT
      ${partition.start} AS day,
      max(${klines.high}) AS high,
      min(${klines.low}) AS low,
      (100 * (max(${klines.high}) - min(${klines.low})) / min(${klines.low}))::DOUBLE AS range_percent
    FROM ${klines}
    HAVING count(*) > 0`,
});

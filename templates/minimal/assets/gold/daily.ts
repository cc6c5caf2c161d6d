import { asset, columns, decimal, double, integer, sql, timestamp } from 'crypto-lakehouse';
import { date, symbol } from '../dimensions.ts';
import { silverTrades } from '../silver/trades.ts';

/** The query is written for one partition: `${trades}` is one day of one symbol, `${partition.start}` where it begins. */
export const goldDaily = asset('gold/daily', {
  description: 'One row per day: prices and turnover.',
  partitions: { symbol, date },
  inputs: { trades: silverTrades },
  columns: columns({
    day: timestamp().describe('Start of the day, UTC.'),
    open: decimal(12, 2).describe('Price of the first trade.'),
    high: decimal(12, 2).describe('Highest price.'),
    low: decimal(12, 2).describe('Lowest price.'),
    close: decimal(12, 2).describe('Price of the last trade.'),
    turnover: double().describe('In euros.'),
    trades: integer().describe('How many there were.'),
  }),
  sortBy: ['day'],
  timeColumn: 'day',
  query: ({ trades }, { partition }) => sql`
    SELECT
      ${partition.start} AS day,
      arg_min(${trades.price}, ${trades.id}) AS open,
      max(${trades.price}) AS high,
      min(${trades.price}) AS low,
      arg_max(${trades.price}, ${trades.id}) AS close,
      sum(${trades.price} * ${trades.amount})::DOUBLE AS turnover,
      count(*)::INTEGER AS trades
    FROM ${trades}
    HAVING count(*) > 0`,
});

import { asset, bigint, columns, decimal, rowsWhere, sql, timestamp } from 'crypto-lakehouse';
import { bronzeTrades } from '../bronze/trades.ts';
import { date, symbol } from '../dimensions.ts';

/** Typed and exact. A row that cannot be read, or a price that is not above 0, fails its day and holds up what reads it. */
export const silverTrades = asset('silver/trades', {
  description: 'Trades, typed and exact.',
  partitions: { symbol, date },
  inputs: { raw: bronzeTrades },
  columns: columns({
    id: bigint().describe('Number of the trade.'),
    time: timestamp().describe('When it was made, UTC.'),
    price: decimal(12, 2).describe('In euros.'),
    amount: decimal(12, 4).describe('In the base asset.'),
  }),
  sortBy: ['id'],
  timeColumn: 'time',
  // Every row comes of one row alone, so that many days are computed in one pass.
  rowwise: true,
  checks: [rowsWhere('positive', ['price', 'amount'], ({ price, amount }) => sql`${price} <= 0 OR ${amount} <= 0`)],
  query: ({ raw }) => sql`
    SELECT
      ${raw.id}::BIGINT AS id,
      ${raw.time}::TIMESTAMP AS time,
      ${raw.price}::DECIMAL(12,2) AS price,
      ${raw.amount}::DECIMAL(12,4) AS amount
    FROM ${raw}`,
});

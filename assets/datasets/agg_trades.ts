import {
  asset,
  bigint,
  boolean,
  columns,
  decimal,
  firstAvailable,
  from,
  overlapping,
  rowsWhere,
  source,
  sql,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';
import { date, exchange, market, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly, orNull } from '../silver/exact.ts';
import { original } from './shared.ts';
import { bestMatch, numbered, tradeAsset } from './tick_files.ts';

export const binanceAggTradesDaily = source('binance/agg_trades_daily_archive', {
  ...tradeAsset,
  ...archiveFiles({ type: 'aggTrades', cadence: 'daily' }),
  description: "Binance's public archive of aggregated trades, one zip per day.",
  partitions: { exchange, market, symbol, date },
});

export const binanceAggTradesMonthly = source('binance/agg_trades_monthly_archive', {
  ...tradeAsset,
  ...archiveFiles({ type: 'aggTrades', cadence: 'monthly' }),
  description: "Binance's public archive of aggregated trades, one zip per month.",
  partitions: { exchange, market, symbol, month },
});

const files = {
  ...tradeAsset,
  ...original,
  format: zipCsv({
    columns: [
      'agg_trade_id',
      'price',
      'quantity',
      'first_trade_id',
      'last_trade_id',
      'transact_time',
      'is_buyer_maker',
    ],
    optional: ['is_best_match'],
  }),
} as const;

export const bronzeAggTradesDaily = asset('bronze/agg_trades_daily', {
  ...files,
  description: 'Zips of one day of aggregated trades, byte for byte as the archive has them.',
  partitions: { exchange, market, symbol, date },
  inputs: { archive: binanceAggTradesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeAggTradesMonthly = asset('bronze/agg_trades_monthly', {
  ...files,
  description:
    'Zips of one month of aggregated trades, byte for byte as the archive has them. Fetched where a daily one is lacking.',
  partitions: { exchange, market, symbol, month },
  inputs: { archive: binanceAggTradesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverAggTrades = asset('silver/agg_trades', {
  ...tradeAsset,
  description:
    'Trades as the exchange published them, typed and exact, those of one order at one price and time put together in one row.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, date },
  inputs: { raw: firstAvailable(bronzeAggTradesDaily, from(bronzeAggTradesMonthly, { month: overlapping() })) },
  columns: columns({
    agg_trade_id: bigint().describe('Number of the row, ascending in time.'),
    price: decimal(18, 8).describe('Price.'),
    quantity: decimal(38, 8).describe('spot, um: amount in the base asset. cm: number of contracts.'),
    first_trade_id: bigint().describe('Number of the first trade in it.'),
    last_trade_id: bigint().describe('Number of the last trade in it.'),
    transact_time: timestamp().describe(
      'When it was traded, UTC; in microseconds where published so (spot from 2025-01-01), else in milliseconds.',
    ),
    is_buyer_maker: boolean().describe('Whether the buyer was the maker: then the seller was the taker.'),
    is_best_match: boolean().nullable().describe(bestMatch),
  }),
  sortBy: ['agg_trade_id'],
  timeColumn: 'transact_time',
  rowwise: true,
  checks: [
    rowsWhere('positive', ['price', 'quantity'], ({ price, quantity }) => sql`${price} <= 0 OR ${quantity} <= 0`, {
      severity: 'warn',
      description: 'Something is traded, at a price.',
    }),
    rowsWhere(
      'trades_in_order',
      ['first_trade_id', 'last_trade_id'],
      ({ first_trade_id, last_trade_id }) => sql`${last_trade_id} < ${first_trade_id}`,
      { description: 'The last trade does not come before the first.' },
    ),
    numbered('agg_trade_id'),
  ],
  query: ({ raw }) => {
    const { amount, flag, instant, integer, price } = exactly(raw.agg_trade_id);
    return sql`
    SELECT
      ${integer(raw.agg_trade_id)} AS agg_trade_id,
      ${price(raw.price)} AS price,
      ${amount(raw.quantity)} AS quantity,
      ${integer(raw.first_trade_id)} AS first_trade_id,
      ${integer(raw.last_trade_id)} AS last_trade_id,
      ${instant(raw.transact_time)} AS transact_time,
      ${flag(raw.is_buyer_maker)} AS is_buyer_maker,
      ${orNull(raw.is_best_match, flag)} AS is_best_match
    FROM ${raw}`;
  },
});

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

export const binanceTradesDaily = source('binance/trades_daily_archive', {
  ...tradeAsset,
  ...archiveFiles({ type: 'trades', cadence: 'daily' }),
  description: "Binance's public archive of single trades, one zip per day.",
  partitions: { exchange, market, symbol, date },
});

export const binanceTradesMonthly = source('binance/trades_monthly_archive', {
  ...tradeAsset,
  ...archiveFiles({ type: 'trades', cadence: 'monthly' }),
  description: "Binance's public archive of single trades, one zip per month.",
  partitions: { exchange, market, symbol, month },
});

const files = {
  ...tradeAsset,
  ...original,
  // The fourth is called base_qty in files of cm.
  format: zipCsv({
    columns: ['id', 'price', 'qty', 'quote_qty', 'time', 'is_buyer_maker'],
    optional: ['is_best_match'],
  }),
} as const;

export const bronzeTradesDaily = asset('bronze/trades_daily', {
  ...files,
  description: 'Zips of one day of single trades, byte for byte as the archive has them.',
  partitions: { exchange, market, symbol, date },
  inputs: { archive: binanceTradesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeTradesMonthly = asset('bronze/trades_monthly', {
  ...files,
  description:
    'Zips of one month of single trades, byte for byte as the archive has them. Fetched where a daily one is lacking.',
  partitions: { exchange, market, symbol, month },
  inputs: { archive: binanceTradesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const silverTrades = asset('silver/trades', {
  ...tradeAsset,
  description: 'Single trades as the exchange published them, typed and exact.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, date },
  inputs: { raw: firstAvailable(bronzeTradesDaily, from(bronzeTradesMonthly, { month: overlapping() })) },
  columns: columns({
    trade_id: bigint().describe('Number of the trade, ascending in time.'),
    price: decimal(18, 8).describe('Price.'),
    quantity: decimal(38, 8).describe('spot, um: amount in the base asset. cm: number of contracts.'),
    quote_quantity: decimal(38, 8).describe('spot, um: amount in the quote asset. cm: amount in the BASE asset.'),
    time: timestamp().describe(
      'When it was traded, UTC; in microseconds where published so (spot from 2025-01-01), else in milliseconds.',
    ),
    is_buyer_maker: boolean().describe('Whether the buyer was the maker: then the seller was the taker.'),
    is_best_match: boolean().nullable().describe(bestMatch),
  }),
  sortBy: ['trade_id'],
  timeColumn: 'time',
  rowwise: true,
  checks: [
    rowsWhere('positive', ['price', 'quantity'], ({ price, quantity }) => sql`${price} <= 0 OR ${quantity} <= 0`, {
      severity: 'warn',
      description: 'Something is traded, at a price.',
    }),
    numbered('trade_id'),
  ],
  query: ({ raw }) => {
    const { amount, flag, instant, integer, price } = exactly(raw.id);
    return sql`
    SELECT
      ${integer(raw.id)} AS trade_id,
      ${price(raw.price)} AS price,
      ${amount(raw.qty)} AS quantity,
      ${amount(raw.quote_qty)} AS quote_quantity,
      ${instant(raw.time)} AS time,
      ${flag(raw.is_buyer_maker)} AS is_buyer_maker,
      ${orNull(raw.is_best_match, flag)} AS is_best_match
    FROM ${raw}`;
  },
});

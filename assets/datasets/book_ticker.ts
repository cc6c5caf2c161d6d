import {
  asset,
  bigint,
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
import { date, exchange, futuresMarket, month, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly } from '../silver/exact.ts';
import { marketData, original } from './shared.ts';

const common = { ...marketData, group: 'book' } as const;

export const binanceBookTickerDaily = source('binance/book_ticker_daily_archive', {
  ...common,
  ...archiveFiles({ type: 'bookTicker', cadence: 'daily' }),
  description:
    "Binance's public archive of best bids and asks, one zip per day. No longer published: um to 2024-03-30, cm to 2024-10-14.",
  partitions: { exchange, market: futuresMarket, symbol, date },
});

export const binanceBookTickerMonthly = source('binance/book_ticker_monthly_archive', {
  ...common,
  ...archiveFiles({ type: 'bookTicker', cadence: 'monthly' }),
  description: "Binance's public archive of best bids and asks, one zip per month. No longer published.",
  partitions: { exchange, market: futuresMarket, symbol, month },
});

const files = {
  ...common,
  ...original,
  format: zipCsv({
    columns: [
      'update_id',
      'best_bid_price',
      'best_bid_qty',
      'best_ask_price',
      'best_ask_qty',
      'transaction_time',
      'event_time',
    ],
  }),
} as const;

export const bronzeBookTickerDaily = asset('bronze/book_ticker_daily', {
  ...files,
  description: 'Zips of one day of best bids and asks, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { archive: binanceBookTickerDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeBookTickerMonthly = asset('bronze/book_ticker_monthly', {
  ...files,
  description:
    'Zips of one month of best bids and asks, byte for byte as the archive has them. Fetched where a daily one is lacking.',
  partitions: { exchange, market: futuresMarket, symbol, month },
  inputs: { archive: binanceBookTickerMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

const price = () => decimal(18, 8);
const amount = () => decimal(38, 8);
const unit = 'um: in the base asset. cm: number of contracts.';

export const silverBookTicker = asset('silver/book_ticker', {
  ...common,
  description:
    'The best bid and ask after every change of either, as the exchange published them, typed and exact. Some files have their rows out of order; here they are in order.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { raw: firstAvailable(bronzeBookTickerDaily, from(bronzeBookTickerMonthly, { month: overlapping() })) },
  columns: columns({
    update_id: bigint().describe('Number of the update of the order book, ascending in time.'),
    best_bid_price: price().describe('Highest price that is bid.'),
    best_bid_qty: amount().describe(`Amount bid at that price. ${unit}`),
    best_ask_price: price().describe('Lowest price that is asked.'),
    best_ask_qty: amount().describe(`Amount asked at that price. ${unit}`),
    transaction_time: timestamp().describe('When the book changed, UTC, in milliseconds.'),
    event_time: timestamp().describe('When the exchange sent it, UTC, in milliseconds.'),
  }),
  sortBy: ['update_id'],
  timeColumn: 'transaction_time',
  rowwise: true,
  checks: [
    rowsWhere(
      'not_crossed',
      ['best_bid_price', 'best_ask_price'],
      ({ best_bid_price, best_ask_price }) => sql`${best_bid_price} >= ${best_ask_price}`,
      { severity: 'warn', description: 'Nobody bids more than is asked.' },
    ),
  ],
  query: ({ raw }) => {
    const exact = exactly(raw.update_id);
    return sql`
    SELECT
      ${exact.integer(raw.update_id)} AS update_id,
      ${exact.price(raw.best_bid_price)} AS best_bid_price,
      ${exact.amount(raw.best_bid_qty)} AS best_bid_qty,
      ${exact.price(raw.best_ask_price)} AS best_ask_price,
      ${exact.amount(raw.best_ask_qty)} AS best_ask_qty,
      ${exact.instant(raw.transaction_time)} AS transaction_time,
      ${exact.instant(raw.event_time)} AS event_time
    FROM ${raw}`;
  },
});

import {
  acceptedValues,
  asset,
  columns,
  decimal,
  integer,
  rowsWhere,
  source,
  sql,
  text,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';
import { date, exchange, futuresMarket, symbol } from '../dimensions.ts';
import { archiveFiles } from '../exchanges/binance/files.ts';
import { exactly } from '../silver/exact.ts';
import { marketData, original } from './shared.ts';

const common = { ...marketData, group: 'liquidations' } as const;
const sides = ['BUY', 'SELL'] as const;

/**
 * Discontinued: the last day of um is 2024-03-31, of cm 2024-10-14. Nothing says so here: a series ends with the last file that was
 * seen, and days after that are not waited for.
 */
export const binanceLiquidations = source('binance/liquidations_archive', {
  ...common,
  ...archiveFiles({ type: 'liquidationSnapshot', cadence: 'daily' }),
  description:
    "Binance's public archive of forced orders, one zip per day. No longer published: um to 2024-03-31, cm to 2024-10-14.",
  partitions: { exchange, market: futuresMarket, symbol, date },
});

export const bronzeLiquidations = asset('bronze/liquidations', {
  ...common,
  ...original,
  description: 'Zips of one day of forced orders, byte for byte as the archive has them.',
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { archive: binanceLiquidations },
  format: zipCsv({
    columns: [
      'time',
      'side',
      'order_type',
      'time_in_force',
      'original_quantity',
      'price',
      'average_price',
      'order_status',
      'last_fill_quantity',
      'accumulated_fill_quantity',
    ],
  }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});

const price = () => decimal(18, 8);
const amount = () => decimal(38, 8);
const quantityUnit = 'um: in the base asset. cm: number of contracts.';

export const silverLiquidations = asset('silver/liquidations', {
  ...common,
  description:
    'Forced orders as the exchange published them, typed and exact. Each is one row, though the archive has every row twice: see copies.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, date },
  inputs: { raw: bronzeLiquidations },
  columns: columns({
    time: timestamp().describe('When the order was executed, UTC, in milliseconds.'),
    side: text().describe('Of the order: SELL closes a long position, BUY a short one.'),
    order_type: text().describe('As published, LIMIT.'),
    time_in_force: text().describe('As published, IOC.'),
    original_quantity: amount().describe(`What was to be closed. ${quantityUnit}`),
    price: price().describe('Limit of the order.'),
    average_price: price().describe('Average price at which it was filled.'),
    order_status: text().describe('As published, e.g. FILLED.'),
    last_fill_quantity: amount().describe(`Filled last. ${quantityUnit}`),
    accumulated_fill_quantity: amount().describe(`Filled in all. ${quantityUnit}`),
    copies: integer().describe(
      'How many rows of the file are this one, alike in every column. Normally 2, as the archive doubles all of them.',
    ),
  }),
  sortBy: [
    'time',
    'side',
    'price',
    'original_quantity',
    'average_price',
    'accumulated_fill_quantity',
    'last_fill_quantity',
    'order_status',
    'order_type',
    'time_in_force',
  ],
  timeColumn: 'time',
  checks: [
    acceptedValues('side', sides, { description: 'An order buys or sells.' }),
    rowsWhere(
      'filled_at_most_whole',
      ['original_quantity', 'accumulated_fill_quantity'],
      (row) => sql`${row.accumulated_fill_quantity} > ${row.original_quantity}`,
      { severity: 'warn', description: 'No more is filled than was ordered.' },
    ),
  ],
  query: ({ raw }) => {
    const { amount: exact, instant, price: exactPrice, word } = exactly(raw.time);
    return sql`
    SELECT *, count(*)::INTEGER AS copies
    FROM (
      SELECT
        ${instant(raw.time)} AS time,
        ${word(raw.side, sides)} AS side,
        ${raw.order_type} AS order_type,
        ${raw.time_in_force} AS time_in_force,
        ${exact(raw.original_quantity)} AS original_quantity,
        ${exactPrice(raw.price)} AS price,
        ${exactPrice(raw.average_price)} AS average_price,
        ${raw.order_status} AS order_status,
        ${exact(raw.last_fill_quantity)} AS last_fill_quantity,
        ${exact(raw.accumulated_fill_quantity)} AS accumulated_fill_quantity
      FROM ${raw}
    )
    GROUP BY ALL`;
  },
});

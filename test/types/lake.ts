// A small lake for the type tests.
import {
  asset,
  bigint,
  boolean,
  bytes,
  columns,
  daily,
  date as dateColumn,
  decimal,
  double,
  dynamicDimension,
  integer,
  monthly,
  source,
  sql,
  staticDimension,
  text,
  timestamp,
  zipCsv,
} from 'crypto-lakehouse';

export const exchange = staticDimension(['binance']);
export const market = staticDimension(['spot', 'um']);
export const symbol = dynamicDimension();
export const date = daily({ start: '2020-01-01' });
export const month = monthly({ start: '2020-01' });

export const archive = source('binance/archive', {
  partitions: { exchange, market, symbol, date },
  observe: async function* () {},
});
export const bronze = asset('bronze/klines', {
  partitions: { exchange, market, symbol, date },
  inputs: { archive },
  format: zipCsv({ columns: ['open_time', 'open', 'close', 'count'] }),
  compute: ({ inputs }) => inputs.archive.bytes(),
});
export const bronzeMonthly = asset('bronze/klines_monthly', {
  partitions: { exchange, market, symbol, month },
  format: zipCsv({ columns: ['open_time', 'open', 'close'] }),
  compute: () => new Uint8Array(),
});
export const opaque = asset('bronze/opaque', {
  partitions: { market, date },
  format: bytes({ extension: '.json' }),
  compute: async () => new Uint8Array(),
});
export const silver = asset('silver/klines', {
  partitions: { exchange, market, symbol, date },
  inputs: { raw: bronze },
  columns: columns({ open_time: timestamp(), open: decimal(18, 8), close: decimal(18, 8), count: bigint().nullable() }),
  sortBy: ['open_time'],
  query: ({ raw }) => sql`SELECT ${raw.open_time}, ${raw.open}, ${raw.close}, ${raw.count} FROM ${raw}`,
});
/** One column of each type. */
export const everything = asset('silver/everything', {
  partitions: { market },
  columns: columns({
    at: timestamp().describe('An instant.'),
    day: dateColumn(),
    price: decimal(18, 8),
    share: double().nullable(),
    trades: bigint(),
    bars: integer().nullable().describe('May be NULL.'),
    name: text(),
    live: boolean(),
  }),
  sortBy: ['at'],
  compute: () => [],
});

/** What most assets of the tests share. */
export const table = {
  columns: columns({ open_time: timestamp(), close: double().nullable() }),
  sortBy: ['open_time'],
} as const;
export const partitions = { exchange, market, symbol, date } as const;

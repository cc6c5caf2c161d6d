import {
  all,
  asset,
  bigint,
  boolean,
  columns,
  daily,
  date,
  decimal,
  defineLakehouse,
  double,
  from,
  hourly,
  integer,
  type LakehouseDefinition,
  monthly,
  overlapping,
  sql,
  staticDimension,
  text,
  timestamp,
} from 'crypto-lakehouse';

/** Noon of the third day, a month after the first ones are over. */
export const NOON = Date.parse('2020-02-03T12:00:00Z');

/** A lake of every type of column, every kind of partition, and values that directories have to encode. */
export function kindsLake(revised = false): LakehouseDefinition {
  const name = staticDimension(['plain', 'ü/=% x', 'NULL']);
  const days = daily({ start: '2020-01-30' });
  const kinds = asset('silver/kinds', {
    description: 'One row per minute of all types',
    partitions: { name, date: days },
    columns: columns({
      ts: timestamp().describe('When it was.'),
      n: bigint(),
      small: integer(),
      price: decimal(18, 8),
      huge: decimal(38, 10).nullable(),
      cheap: decimal(5, 2),
      ratio: double(),
      ok: boolean(),
      day: date(),
      note: text().nullable(),
    }),
    sortBy: ['ts'],
    timeColumn: 'ts',
    packs: ['partition', 'month'],
    codeVersion: revised ? '2' : '1',
    compute: ({ partition }) =>
      Array.from({ length: 3 }, (_, i) => ({
        ts: new Date((partition.start?.getTime() ?? 0) + 60_000 * i),
        n: 9_007_199_254_740_993n + BigInt(i),
        small: -i,
        price: `${i}.12345678`,
        huge: i === 1 ? null : `${i}2345678901234567890123456.0123456789`,
        cheap: `-${i}.05`,
        ratio: revised ? 0.25 * i : 0.1 * i,
        ok: i % 2 === 0,
        day: `1969-12-3${i % 2}`,
        note: i === 2 ? null : `it's "${partition.values.name}" ☃`,
      })),
  });
  const hours = asset('silver/hours', {
    partitions: { hour: hourly({ start: '2020-02-03T08', end: '2020-02-03T12' }) },
    columns: columns({ n: integer() }),
    sortBy: ['n'],
    compute: ({ partition }) => [{ n: partition.start?.getUTCHours() ?? -1 }],
  });
  const months = asset('gold/months_2', {
    partitions: { name, month: monthly({ start: '2020-01' }) },
    inputs: { kinds: from(kinds, { date: overlapping() }) },
    columns: columns({ rows: bigint(), total: decimal(38, 8) }),
    sortBy: ['rows'],
    query: ({ kinds: days }) => sql`SELECT count(*) AS rows, CAST(sum(price) AS DECIMAL(38, 8)) AS total FROM ${days}`,
  });
  const single = asset('gold/single', {
    inputs: { hours: from(hours, { hour: all() }) },
    columns: columns({ answer: integer() }),
    sortBy: ['answer'],
    compute: () => [{ answer: 42 }],
  });
  return defineLakehouse({ assets: [kinds, hours, months, single] });
}

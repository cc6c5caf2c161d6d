import {
  asset,
  type CheckSpec,
  columns,
  daily,
  defineLakehouse,
  double,
  from,
  integer,
  type LakehouseDefinition,
  monthly,
  overlapping,
  sql,
  staticDimension,
  text,
} from 'crypto-lakehouse';

/** Rows of a day, by `symbol/date`: name and size. What is not here has one row `x`, 10. */
export type Data = Map<string, readonly (readonly [name: string, size: number | null])[]>;

export interface CheckLake {
  readonly data: Data;
  /** Names that `base/names` knows. */
  readonly names?: readonly string[];
  readonly rawChecks?: readonly CheckSpec<'name' | 'size'>[];
  readonly sumChecks?: (sizes: Sizes) => readonly CheckSpec<'day' | 'total'>[];
  /** Totals of `gold/sums` by `symbol/date` that are other than they should be. */
  readonly wrong?: ReadonlyMap<string, number>;
}

const symbol = staticDimension(['A', 'B']);
const date = daily({ start: '2020-03-30' });

const namesOf = (names: readonly string[]) =>
  asset('base/names', {
    partitions: {},
    columns: columns({ name: text() }),
    sortBy: ['name'],
    codeVersion: '1',
    compute: () => names.map((name) => ({ name })),
  });

const sizesOf = (known: ReturnType<typeof namesOf>, data: Data, rawChecks: readonly CheckSpec<'name' | 'size'>[]) =>
  asset('raw/sizes', {
    partitions: { symbol, date },
    inputs: { names: from(known, {}) },
    columns: columns({ name: text(), size: double().nullable() }),
    sortBy: ['name'],
    codeVersion: '1',
    checks: rawChecks,
    compute: ({ partition: { values } }) =>
      (data.get(`${values.symbol}/${values.date}`) ?? [['x', 10] as const]).map(([name, size]) => ({ name, size })),
  });

type Sizes = ReturnType<typeof sizesOf>;

/** `raw/sizes` is made of nothing, `gold/sums` reads it, `gold/months` reads that. */
export function checkLake({
  data,
  names = ['x', 'y'],
  rawChecks = [],
  sumChecks,
  wrong,
}: CheckLake): LakehouseDefinition {
  const known = namesOf(names);
  const sizes = sizesOf(known, data, rawChecks);
  const sums = asset('gold/sums', {
    partitions: { symbol, date },
    inputs: { sizes },
    columns: columns({ day: text(), total: double() }),
    sortBy: ['day'],
    codeVersion: '1',
    checks: sumChecks?.(sizes) ?? [],
    compute: async ({ partition: { values }, inputs }) => {
      const total = (await inputs.sizes.rows()).reduce((sum, { size }) => sum + (size ?? 0), 0);
      return [{ day: values.date, total: wrong?.get(`${values.symbol}/${values.date}`) ?? total }];
    },
  });
  const months = asset('gold/months', {
    partitions: { symbol, month: monthly({ start: '2020-03' }) },
    inputs: { sums: from(sums, { date: overlapping() }) },
    columns: columns({ days: integer() }),
    sortBy: ['days'],
    query: ({ sums: s }) => sql`SELECT count(*)::INTEGER AS days FROM ${s}`,
  });
  return defineLakehouse({ assets: [months] });
}

/** The same rows as `raw/sizes` has of these, without `y` of `A`. */
export const mirror = (data: Data) =>
  asset('raw/mirror', {
    partitions: { symbol, date },
    columns: columns({ name: text(), size: double().nullable() }),
    sortBy: ['name'],
    codeVersion: '1',
    compute: ({ partition: { values } }) =>
      (data.get(`${values.symbol}/${values.date}`) ?? [['x', 10] as const])
        .filter(([name]) => values.symbol !== 'A' || name !== 'y')
        .map(([name, size]) => ({ name, size })),
  });

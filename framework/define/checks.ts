import { type CheckOptions, checkSpec, id } from './check-spec.ts';
import { type ColumnReference, type SqlLiteral, type SqlTemplate, type SqlValue, sql } from './sql.ts';
import type { CheckContext, CheckPartition, CheckSpec, InputsShape } from './types.ts';

/** No NULL in the column. (A column that is not `nullable()` is refused at commit already.) */
export const notNull = <const TColumn extends string>(column: TColumn, options?: CheckOptions): CheckSpec<TColumn> =>
  checkSpec(`not_null_${column}`, [column], options, () => ({ type: 'rows', bad: sql`${id(column)} IS NULL` }));

/** No two rows of the partition agree in all of these columns. */
export const unique = <const TColumn extends string>(
  column: TColumn | readonly TColumn[],
  options?: CheckOptions,
): CheckSpec<TColumn> => {
  const names = typeof column === 'string' ? [column] : column;
  const keys = sql.join(names.map(id));
  return checkSpec(`unique_${names.join('_')}`, names, options, ({ rows }) => ({
    type: 'query',
    select: sql`SELECT ${keys}, count(*) AS occurrences FROM ${rows} GROUP BY ${keys} HAVING count(*) > 1`,
    // Rows with NULL are alike, but what is counted of one column alone has none.
    unless:
      names.length > 1
        ? sql`count(*) = count(DISTINCT (${keys}))`
        : sql`count(*) - count(DISTINCT ${keys}) = CAST(count(${keys}) < count(*) AS INTEGER)`,
  }));
};

/**
 * In the order of the asset's `sortBy` a value is never below the one before it; with `strictly` it is always above it. Rows
 * with NULL are left out.
 */
export const monotonic = <const TColumn extends string>(
  column: TColumn,
  options?: CheckOptions & { readonly strictly?: boolean },
): CheckSpec<TColumn> =>
  checkSpec(`monotonic_${column}`, [column], options, ({ rows, sortBy }) => {
    if (sortBy.length === 0) throw new TypeError('monotonic() needs an order of rows: an asset with sortBy');
    const order = sql.join(sortBy.map(id));
    const falls = sql.raw(options?.strictly ? '<=' : '<');
    return {
      type: 'query',
      select: sql`SELECT ${order}, previous, ${id(column)} AS value FROM (SELECT *, lag(${id(column)}) OVER (ORDER BY ${order}) AS previous FROM ${rows} WHERE ${id(column)} IS NOT NULL) WHERE ${id(column)} ${falls} previous`,
    };
  });

/** Every value (that is not NULL) lies between `min` and `max`, both included. */
export const inRange = <const TColumn extends string>(
  column: TColumn,
  bounds: { readonly min?: SqlLiteral; readonly max?: SqlLiteral },
  options?: CheckOptions,
): CheckSpec<TColumn> =>
  checkSpec(`range_${column}`, [column], options, () => {
    const parts: SqlTemplate[] = [];
    if (bounds.min !== undefined) parts.push(sql`${id(column)} < ${bounds.min}`);
    if (bounds.max !== undefined) parts.push(sql`${id(column)} > ${bounds.max}`);
    return { type: 'rows', bad: parts.length > 0 ? sql`(${sql.join(parts, ' OR ')})` : sql`FALSE` };
  });

/** Every value (that is not NULL) is one of these. */
export const acceptedValues = <const TColumn extends string>(
  column: TColumn,
  values: readonly SqlLiteral[],
  options?: CheckOptions,
): CheckSpec<TColumn> =>
  checkSpec(`accepted_${column}`, [column], options, () => ({
    type: 'rows',
    bad: sql`${id(column)} NOT IN (${sql.join(values)})`,
  }));

/** The partition has at least `min` and at most `max` rows. */
export const rowCount = (
  bounds: { readonly min?: number; readonly max?: number },
  options?: CheckOptions,
): CheckSpec<never> =>
  checkSpec('row_count', [], options, ({ rows }) => {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
    return {
      type: 'query',
      select: sql`SELECT count(*) AS row_count FROM ${rows} HAVING count(*) < ${min} OR count(*) > ${max}`,
      unless: sql`count(*) BETWEEN ${min} AND ${max}`,
    };
  });

/**
 * Consecutive values of a TIMESTAMP column are exactly `step` (an SQL INTERVAL expression) apart. Default severity `warn`:
 * exchanges do stop trading at times.
 */
export const noGaps = <const TColumn extends string>(
  column: TColumn,
  step: (partition: CheckPartition) => SqlValue,
  options?: CheckOptions,
): CheckSpec<TColumn> =>
  checkSpec(`no_gaps_${column}`, [column], { severity: 'warn', ...options }, ({ rows, partition }) => ({
    type: 'query',
    select: sql`SELECT previous AS after, ${id(column)} AS before FROM (SELECT ${id(column)}, lag(${id(column)}) OVER (ORDER BY ${id(column)}) AS previous FROM ${rows}) WHERE ${id(column)} <> previous + ${step(partition)}`,
    unless: evenlySpaced(id(column), step(partition)),
  }));

/**
 * Whether distinct values lie on one grid of the step and fill it from first to last. Months differ in length, so no step with
 * months is said to.
 */
function evenlySpaced(column: SqlTemplate, step: SqlValue): SqlTemplate {
  const micros = sql`epoch_us(${step})`;
  const place = sql`epoch_us(${column}) % ${micros}`;
  const span = sql`(epoch_us(max(${column}))::HUGEINT - epoch_us(min(${column})))`;
  return sql`count(DISTINCT ${column}) = count(${column}) AND min(${place}) = max(${place}) AND ${span} = (count(${column}) - 1)::HUGEINT * ${micros} AND datepart('year', ${step}) = 0 AND datepart('month', ${step}) = 0`;
}

/**
 * A predicate that is TRUE for a bad row: `` rowsWhere('ohlc', ['high', 'low'], ({ high, low }) => sql`${high} < ${low}`) ``. All
 * of an asset's are evaluated in one scan, so they are the cheapest checks; `partition` has the values of the row's partition.
 */
export const rowsWhere = <const TColumn extends string>(
  name: string,
  columns: readonly TColumn[],
  bad: (columns: { readonly [K in TColumn]: ColumnReference }, partition: CheckPartition) => SqlTemplate,
  options?: CheckOptions,
): CheckSpec<TColumn> =>
  checkSpec(name, columns, options, ({ rows, partition }) => {
    // A plain object, so that Object.values() gives the columns.
    const named = Object.fromEntries(columns.map((column) => [column, rows[column]]));
    return { type: 'rows', bad: bad(named as unknown as { readonly [K in TColumn]: ColumnReference }, partition) };
  });

/**
 * `high` is the highest and `low` the lowest of the four prices of a candle. The columns are named so unless said otherwise:
 * `ohlcConsistent({ close: 'last' })`.
 */
export const ohlcConsistent = <const TNames extends Partial<Record<Price, string>> = Record<never, never>>(
  names?: TNames,
  options?: CheckOptions,
): CheckSpec<PriceColumns<TNames>> => {
  const column = (price: Price) => names?.[price] ?? price;
  const [open, high, low, close] = [id(column('open')), id(column('high')), id(column('low')), id(column('close'))];
  return checkSpec(
    'ohlc_consistent',
    PRICES.map(column) as PriceColumns<TNames>[],
    { description: 'high is the highest and low the lowest of the four prices.', ...options },
    () => ({
      type: 'rows',
      bad: sql`${high} < greatest(${open}, ${close}, ${low}) OR ${low} > least(${open}, ${close})`,
    }),
  );
};
const PRICES = ['open', 'high', 'low', 'close'] as const;
type Price = (typeof PRICES)[number];
type PriceColumns<TNames> = {
  [K in Price]: TNames extends { readonly [P in K]: infer TName extends string } ? TName : K;
}[Price];

/**
 * A query that selects the bad rows of one partition. `inputs` are the inputs of the asset, those that are tables: what the
 * partition was computed from. With `options.inputs` they are these instead, which may be any assets and times; then the check
 * is a comparison: it runs after a run and in `lakehouse check`, makes nothing stale, and blocks nothing.
 */
export const check = <const TColumn extends string, TInputs extends InputsShape = InputsShape>(
  name: string,
  columns: readonly TColumn[],
  select: (context: CheckContext<TColumn, TInputs>) => SqlTemplate,
  options?: CheckOptions & { readonly inputs?: TInputs },
): CheckSpec<TColumn> => {
  const { inputs } = options ?? {};
  return checkSpec(
    name,
    columns,
    options,
    (context) => ({ type: 'query', select: select(context as CheckContext<TColumn, TInputs>) }),
    inputs && { inputs: () => inputs },
  );
};

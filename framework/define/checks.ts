import { type ColumnReference, quoteIdentifier, type SqlLiteral, type SqlTemplate, type SqlValue, sql } from './sql.ts';
import type { CheckContext, CheckPartition, CheckSpec } from './types.ts';

export interface CheckOptions {
  /** `error` (default) fails the partition; `warn` only reports. */
  readonly severity?: 'warn' | 'error';
  /** Whether a failure keeps downstream partitions from being computed. Default: true for `error`. */
  readonly blocking?: boolean;
  readonly description?: string;
}

function spec<TColumn extends string>(
  name: string,
  columns: readonly TColumn[],
  options: CheckOptions | undefined,
  build: CheckSpec['build'],
): CheckSpec<TColumn> {
  const severity = options?.severity ?? 'error';
  return {
    name,
    description: options?.description,
    severity,
    blocking: options?.blocking ?? severity === 'error',
    columns,
    build,
  };
}

const id = (name: string): SqlTemplate => sql.raw(quoteIdentifier(name));

/** No NULL in the column. (A column that is not `nullable()` is refused at commit already.) */
export const notNull = <const TColumn extends string>(column: TColumn, options?: CheckOptions): CheckSpec<TColumn> =>
  spec(`not_null_${column}`, [column], options, () => ({ type: 'rows', bad: sql`${id(column)} IS NULL` }));

/** No two rows of the partition agree in all of these columns. */
export const unique = <const TColumn extends string>(
  column: TColumn | readonly TColumn[],
  options?: CheckOptions,
): CheckSpec<TColumn> => {
  const names = typeof column === 'string' ? [column] : column;
  return spec(`unique_${names.join('_')}`, names, options, ({ rows }) => ({
    type: 'query',
    select: sql`SELECT ${sql.join(names.map(id))}, count(*) AS occurrences FROM ${rows} GROUP BY ${sql.join(names.map(id))} HAVING count(*) > 1`,
  }));
};

/** Every value (that is not NULL) lies between `min` and `max`, both included. */
export const inRange = <const TColumn extends string>(
  column: TColumn,
  bounds: { readonly min?: SqlLiteral; readonly max?: SqlLiteral },
  options?: CheckOptions,
): CheckSpec<TColumn> =>
  spec(`range_${column}`, [column], options, () => {
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
  spec(`accepted_${column}`, [column], options, () => ({
    type: 'rows',
    bad: sql`${id(column)} NOT IN (${sql.join(values)})`,
  }));

/** The partition has at least `min` and at most `max` rows. */
export const rowCount = (
  bounds: { readonly min?: number; readonly max?: number },
  options?: CheckOptions,
): CheckSpec<never> =>
  spec('row_count', [], options, ({ rows }) => {
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
  spec(`no_gaps_${column}`, [column], { severity: 'warn', ...options }, ({ rows, partition }) => ({
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
  spec(name, columns, options, ({ rows, partition }) => {
    // A plain object, so that Object.values() gives the columns.
    const named = Object.fromEntries(columns.map((column) => [column, rows[column]]));
    return { type: 'rows', bad: bad(named as unknown as { readonly [K in TColumn]: ColumnReference }, partition) };
  });

/** A query that selects the bad rows of one partition. */
export const check = <const TColumn extends string>(
  name: string,
  columns: readonly TColumn[],
  select: (context: CheckContext<TColumn>) => SqlTemplate,
  options?: CheckOptions,
): CheckSpec<TColumn> => spec(name, columns, options, (context) => ({ type: 'query', select: select(context) }));

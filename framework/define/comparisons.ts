import { type CheckOptions, type ComparisonOptions, checkSpec, id } from './check-spec.ts';
import { self } from './inputs.ts';
import { earlier } from './mappings.ts';
import { isDefinition } from './model.ts';
import { type ColumnReference, type SqlTemplate, sql } from './sql.ts';
import type {
  Asset,
  CheckPartition,
  CheckRelation,
  CheckSpec,
  InputSpec,
  PartitionReferences,
  Relation,
} from './types.ts';

// Checks that hold a partition against other data.

/**
 * Every value (that is not NULL) is among those of `column` (default: the one of the same name) of the input. A text names an
 * input of the asset: the partition is held against what it was computed from, as part of the batch. Anything else is mapped
 * like an input and makes a comparison: it runs after a run and in `lakehouse check`, and blocks nothing.
 */
export function references<const TColumn extends string>(
  column: TColumn,
  input: string | Asset | InputSpec,
  options?: CheckOptions & { readonly column?: string },
): CheckSpec<TColumn> {
  const own = typeof input === 'string' ? input : undefined;
  return checkSpec(
    `references_${own ?? nameOf(input as Asset | InputSpec)}_${column}`,
    [column],
    options,
    ({ rows, inputs }) => {
      const other = inputs[own ?? 'other'] as Relation<string>;
      const known = columnOf(other, options?.column ?? column);
      return {
        type: 'query',
        select: sql`SELECT found.* FROM ${rows} AS found LEFT JOIN (SELECT DISTINCT ${known} AS known FROM ${other}) AS others ON others.known = found.${id(column)} WHERE others.known IS NULL AND found.${id(column)} IS NOT NULL`,
      };
    },
    typeof input === 'string' ? undefined : { inputs: () => ({ other: input }) },
  );
}

interface Trailing {
  /** How far back the asset's own partitions are looked at; the partition itself is not among them. */
  readonly window: Parameters<typeof earlier>[0];
  /**
   * How far the measure may be from the mean of the window: `share` of that mean (0.5 is half of it), standard deviations of the
   * window. With both, a partition is bad that exceeds both.
   */
  readonly max: { readonly share?: number; readonly deviations?: number };
  /** With fewer partitions in the window nothing is said. Default 7. */
  readonly atLeast?: number;
}
/** Drift of a column; `nulls` is the share of rows with NULL in it, 0 to 1. Default: its mean. */
export interface ColumnDrift<TColumn extends string> extends Trailing {
  readonly column: TColumn;
  readonly measure?: 'mean' | 'stddev' | 'nulls';
}
/** Drift of the number of rows. */
export interface RowsDrift extends Trailing {
  readonly measure: 'rows';
}

/**
 * A measure of the partition is not far from what it was in the partitions of the series before it. A comparison: it depends
 * on what these are like now. Default severity `warn`: markets do change.
 */
export function drift(of: RowsDrift, options?: ComparisonOptions): CheckSpec<never>;
export function drift<const TColumn extends string>(
  of: ColumnDrift<TColumn>,
  options?: ComparisonOptions,
): CheckSpec<TColumn>;
export function drift(of: RowsDrift | ColumnDrift<string>, options?: ComparisonOptions): CheckSpec<string> {
  const { window, max, atLeast = 7, measure = 'mean' } = of;
  const column = 'column' in of ? of.column : undefined;
  return checkSpec(
    column === undefined ? 'drift_rows' : `drift_${measure}_${column}`,
    column === undefined ? [] : [column],
    { severity: 'warn', ...options },
    ({ rows, inputs }) => {
      const far: SqlTemplate[] = [];
      if (max.share !== undefined) far.push(sql`abs(value - mean) > ${max.share} * abs(mean)`);
      if (max.deviations !== undefined) far.push(sql`abs(value - mean) > ${max.deviations} * deviation`);
      if (far.length === 0) throw new TypeError('drift() needs max: { share } or { deviations }');
      // No rows are a measure of 0 rows, and none of anything else.
      const value = sql.raw(measure === 'rows' ? 'coalesce(value, 0)' : 'value');
      return {
        type: 'query',
        select: sql`SELECT value, mean, deviation, partitions FROM (SELECT ${measureSql(measure, column)} AS value FROM ${rows}) CROSS JOIN (SELECT avg(${value}) AS mean, stddev_samp(${value}) AS deviation, count(${value}) AS partitions FROM ${inputs.before as Relation<string>}) WHERE partitions >= ${atLeast} AND ${sql.join(far, ' AND ')}`,
      };
    },
    {
      inputs: (time) => {
        if (time === undefined) throw new TypeError('drift() looks back in time: the asset needs a time dimension');
        return { before: self({ [time]: earlier(window) }) };
      },
      summaries: { before: sql`${measureSql(measure, column)} AS value` },
    },
  );
}

function measureSql(measure: 'mean' | 'stddev' | 'nulls' | 'rows', column: string | undefined): SqlTemplate {
  const of = id(column ?? '');
  switch (measure) {
    case 'mean':
      return sql`avg(${of})::DOUBLE`;
    case 'stddev':
      return sql`stddev_samp(${of})::DOUBLE`;
    case 'nulls':
      return sql`((count(*) - count(${of})) / nullif(count(*), 0))::DOUBLE`;
    case 'rows':
      return sql`count(*)::DOUBLE`;
  }
}

export interface Reconciliation<TColumn extends string, TInput> {
  /** Columns that name a row on both sides; none: both sides have one row. */
  readonly on: readonly TColumn[];
  /** Columns that must agree. */
  readonly columns: readonly TColumn[];
  /** Numbers agree that differ by no more than `absolute + relative × |the other's|`. Default: exactly. */
  readonly tolerance?: { readonly absolute?: number; readonly relative?: number };
  /** The other side as rows of these columns, where it has other names or has to be summed up first. */
  readonly of?: (other: CheckRelation<TInput>, partition: CheckPartition & PartitionReferences<never>) => SqlTemplate;
}

/**
 * The rows are those of another asset: none is missing on either side, and the columns agree. `other` is an asset with the same
 * partitions, or is mapped like an input: `from(silverKlines, { date: overlapping() })`. A comparison: it runs after a run and in
 * `lakehouse check`, where the other side is there as a whole, and blocks nothing. Bad rows show each column and `other_` each.
 */
export function reconciles<const TColumn extends string, TInput extends Asset | InputSpec>(
  other: TInput,
  { on, columns, tolerance, of }: Reconciliation<TColumn, TInput>,
  options?: ComparisonOptions,
): CheckSpec<TColumn> {
  const { absolute = 0, relative = 0 } = tolerance ?? {};
  return checkSpec(
    `reconciles_${nameOf(other)}`,
    [...on, ...columns],
    options,
    ({ rows, inputs, partition }) => {
      const theirs = inputs.other as Relation<string>;
      const list = [...on, ...columns];
      const side =
        of?.(theirs as CheckRelation<TInput>, partition as Parameters<typeof of>[1]) ??
        sql`SELECT ${sql.join(list.map((name) => columnOf(theirs, name)))} FROM ${theirs}`;
      const named = (name: string, prefix: string) => id(`${prefix}${name}`);
      const exact = absolute === 0 && relative === 0;
      const differs = columns.map((name) => {
        const [mine, his] = [id(name), named(name, 'other_')];
        return exact
          ? sql`${mine} IS DISTINCT FROM ${his}`
          : sql`((${mine} IS NULL) <> (${his} IS NULL) OR abs(${mine} - ${his}) > ${absolute} + ${relative} * abs(${his}))`;
      });
      // Both sides under each other and grouped: unlike a full join it also sees rows that are there twice, and NULLs meet.
      const keys = on.map((name) => sql`${id(name)}, `);
      const own = sql`SELECT ${sql.join(keys, '')} ${sql.join(
        columns.map((name) => sql`${id(name)}, NULL AS ${named(name, 'other_')}, `),
        '',
      )} 1 AS here, 0 AS there FROM ${rows}`;
      const his = sql`SELECT ${sql.join(keys, '')} ${sql.join(
        columns.map((name) => sql`NULL, ${id(name)}, `),
        '',
      )} 0, 1 FROM (${side})`;
      const both = sql.join(
        columns.map(
          (name) =>
            sql`any_value(${id(name)}) AS ${id(name)}, any_value(${named(name, 'other_')}) AS ${named(name, 'other_')}, `,
        ),
        '',
      );
      return {
        type: 'query',
        select: sql`SELECT * FROM (SELECT ${sql.join(keys, '')} ${both} sum(here)::BIGINT AS here, sum(there)::BIGINT AS there FROM (${own} UNION ALL ${his}) ${on.length > 0 ? sql`GROUP BY ${sql.join(on.map(id))}` : sql``}) WHERE ${sql.join([sql`here <> 1`, sql`there <> 1`, ...differs], ' OR ')}`,
      };
    },
    { inputs: () => ({ other }) },
  );
}

/** @throws TypeError for a column that it has not. */
const columnOf = (relation: Relation<string>, name: string): ColumnReference => relation[name] as ColumnReference;

/** `silver/klines` as `silver_klines`. */
function nameOf(other: Asset | InputSpec): string {
  const asset = isDefinition(other) ? other : other.alternatives[0]?.asset;
  return (asset?.key ?? 'itself').replaceAll('/', '_');
}

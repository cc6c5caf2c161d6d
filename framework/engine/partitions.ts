import type { DuckDBValue } from '@duckdb/node-api';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import type { PartitionSpace, SeriesValues } from '../partition/space.ts';
import { endOf, type Grain, indexAt, startOf } from '../partition/time.ts';
import type { Driver, TypedColumn } from './duckdb.ts';

// Partitions as columns. The time dimension is a DATE (the first day of the period), or for hours a TIMESTAMP.

/** Columns by which a file and a relation begin: listed dimensions in declared order, then time. */
export function partitionColumns(space: PartitionSpace): TypedColumn[] {
  const listed = space.listed.map(({ name }) => ({ name, type: 'VARCHAR' }));
  return space.time ? [...listed, { name: space.time.name, type: timeType(space.time.grain) }] : listed;
}

/** All columns of an asset as a query sees them; those of a raw file are text. */
export function relationColumns(definition: AssetDefinition): TypedColumn[] {
  const { storage } = definition;
  const data =
    storage.type === 'raw'
      ? storage.format.columns.map((name) => ({ name, type: 'VARCHAR' }))
      : definition.columns.map(({ name, type }) => ({ name, type }));
  return [...partitionColumns(definition.space), ...data];
}

/** What a query sees of an asset of original files, besides the partition columns. */
export const RAW_COLUMNS: readonly TypedColumn[] = [
  { name: 'path', type: 'VARCHAR' },
  { name: 'bytes', type: 'BIGINT' },
];

export function timeType(grain: Grain): 'DATE' | 'TIMESTAMP' {
  return grain === 'hour' ? 'TIMESTAMP' : 'DATE';
}

const DAY_MS = 86_400_000;

/** A time index as the value of its column. */
export function timeValue(driver: Driver, grain: Grain, index: number) {
  const ms = startOf(grain, index);
  return grain === 'hour' ? instant(driver, ms) : new driver.DuckDBDateValue(Math.floor(ms / DAY_MS));
}

export function instant(driver: Driver, ms: number) {
  return new driver.DuckDBTimestampValue(BigInt(ms) * 1000n);
}

/** Partitions as columns of a table: the partition columns, `__start` and `__end` (NULL without a time dimension). */
export function partitionValues(
  driver: Driver,
  space: PartitionSpace,
  partitions: readonly { readonly values: SeriesValues; readonly time: number }[],
): (TypedColumn & { readonly values: readonly DuckDBValue[] })[] {
  const { time } = space;
  const edge = (at: typeof startOf) => partitions.map((p) => (time ? instant(driver, at(time.grain, p.time)) : null));
  return [
    ...partitionColumns(space).map((column) => ({
      ...column,
      values: partitions.map((p) =>
        time?.name === column.name ? timeValue(driver, time.grain, p.time) : (p.values[column.name] ?? null),
      ),
    })),
    { name: '__start', type: 'TIMESTAMP', values: edge(startOf) },
    { name: '__end', type: 'TIMESTAMP', values: edge(endOf) },
  ];
}

/** The index of a partition column's value, read as text (`2024-01-01` or `2024-01-01 05:00:00`). */
export function indexOfText(grain: Grain, text: string): number {
  return indexAt(grain, Date.parse(`${text.replace(' ', 'T')}${text.length > 10 ? 'Z' : ''}`));
}

/** The column expression whose text {@link indexOfText} reads. */
export function timeText(name: string): string {
  return `CAST(${quoteIdentifier(name)} AS VARCHAR)`;
}

/** The period an instant falls in, as a value of the time column. */
export function bucketSql(grain: Grain, instantSql: string): string {
  if (grain === 'day') return `CAST(${instantSql} AS DATE)`;
  return `CAST(date_trunc('${grain}', ${instantSql}) AS ${timeType(grain)})`;
}

/** A value of one partition as a typed literal: a dimension, `start` or `end`. */
export function partitionLiteral(space: PartitionSpace, values: SeriesValues, time: number, name: string): string {
  const { time: dimension } = space;
  if (dimension && name === dimension.name) {
    const text = new Date(startOf(dimension.grain, time)).toISOString();
    return dimension.grain === 'hour' ? timestampLiteral(text) : `DATE '${text.slice(0, 10)}'`;
  }
  if (name === 'start' || name === 'end') {
    if (!dimension) return 'CAST(NULL AS TIMESTAMP)';
    return timestampLiteral(new Date((name === 'start' ? startOf : endOf)(dimension.grain, time)).toISOString());
  }
  return quoteLiteral(values[name] ?? null);
}

function timestampLiteral(iso: string): string {
  return `TIMESTAMP '${iso.slice(0, 19).replace('T', ' ')}'`;
}

/** `silver/klines` as the view `"silver"."klines"`; what follows the first slash is one name. */
export function viewName({ key }: { readonly key: string }): string {
  const slash = key.indexOf('/');
  return `${quoteIdentifier(key.slice(0, slash))}.${quoteIdentifier(key.slice(slash + 1))}`;
}

/** The same value computed from a relation's partition columns. */
export function partitionExpression(space: PartitionSpace, name: string): string {
  const { time } = space;
  if (name !== 'start' && name !== 'end') return quoteIdentifier(name);
  if (!time) return 'CAST(NULL AS TIMESTAMP)';
  const start = `CAST(${quoteIdentifier(time.name)} AS TIMESTAMP)`;
  return name === 'start' ? start : `(${start} + INTERVAL 1 ${time.grain})`;
}

/** `WHERE` conditions that select one partition. */
export function partitionCondition(space: PartitionSpace, values: SeriesValues, time: number): string {
  const names = partitionColumns(space).map((column) => column.name);
  if (names.length === 0) return 'TRUE';
  return names.map((name) => `${quoteIdentifier(name)} = ${partitionLiteral(space, values, time, name)}`).join(' AND ');
}

/** One text per partition, equal for equal partitions. */
export function identityOf(space: PartitionSpace, values: SeriesValues, time: number): string {
  return JSON.stringify([time, ...space.listed.map(({ name }) => values[name])]);
}

/** Listed dimensions that differ among these partitions: the others need not be compared or sorted. */
export function varyingDimensions(space: PartitionSpace, all: readonly SeriesValues[]): string[] {
  const [first] = all;
  return space.listed.map(({ name }) => name).filter((name) => all.some((values) => values[name] !== first?.[name]));
}

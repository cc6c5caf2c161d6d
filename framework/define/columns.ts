import { z } from 'zod';
import type { ColumnDefinition } from './model.ts';

/**
 * A column's declaration: its DuckDB type, and the zod schema of its value in TypeScript. The phantom `TValue` is what
 * compute functions get and return.
 *
 * | builder | Parquet / DuckDB | TypeScript |
 * |---|---|---|
 * | `timestamp()` | TIMESTAMP, microseconds, UTC | `Date` (milliseconds) |
 * | `date()` | DATE | `string` `2024-01-31` |
 * | `decimal(p, s)` | DECIMAL(p,s), exact | `string` |
 * | `double()` | DOUBLE | `number` |
 * | `bigint()` / `integer()` | BIGINT / INTEGER | `bigint` / `number` |
 * | `text()` | VARCHAR | `string` |
 * | `boolean()` | BOOLEAN | `boolean` |
 */
export interface Column<TValue> {
  readonly type: string;
  readonly isNullable: boolean;
  readonly description: string | undefined;
  readonly schema: z.ZodType<TValue>;
  /** The same column, NULL allowed. */
  nullable(): Column<TValue | null>;
  /** The same column with a description; does not change the code version. */
  describe(text: string): Column<TValue>;
}

function column<TValue>(type: string, schema: z.ZodType<TValue>, isNullable = false, description?: string): Column<TValue> {
  return {
    type,
    isNullable,
    description,
    schema,
    nullable: () => column<TValue | null>(type, schema.nullable(), true, description),
    describe: (text) => column(type, schema, isNullable, text),
  };
}

export const timestamp = (): Column<Date> => column('TIMESTAMP', z.date());
export const date = (): Column<string> => column('DATE', z.iso.date());
export const double = (): Column<number> => column('DOUBLE', z.number().or(z.nan()).or(z.literal([Infinity, -Infinity])));
export const bigint = (): Column<bigint> => column('BIGINT', z.bigint());
export const integer = (): Column<number> => column('INTEGER', z.int32());
export const text = (): Column<string> => column('VARCHAR', z.string());
export const boolean = (): Column<boolean> => column('BOOLEAN', z.boolean());

/** An exact number of at most `precision` digits, `scale` of them after the point; a string in TypeScript. */
export function decimal(precision: number, scale: number): Column<string> {
  if (!(Number.isInteger(precision) && Number.isInteger(scale) && precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) {
    throw new RangeError(`decimal(${precision}, ${scale}): precision is 1 to 38 and scale 0 to precision`);
  }
  return column(`DECIMAL(${precision},${scale})`, z.string().regex(/^-?\d+(\.\d+)?$/, 'a decimal number as text'));
}

export type ColumnShape = Readonly<Record<string, Column<unknown>>>;

/** All columns of an asset, in file order: the one place where they are named. */
export interface Columns<TShape extends ColumnShape = ColumnShape> {
  readonly shape: TShape;
  /** Validates one row of a compute function. */
  readonly row: z.ZodType;
}

export type ValueOf<TColumn> = TColumn extends Column<infer TValue> ? TValue : never;
export type RowOf<TShape extends ColumnShape> = { -readonly [K in keyof TShape]: ValueOf<TShape[K]> };

/** `columns({ open_time: timestamp(), open: decimal(18, 8) })` */
export function columns<const TShape extends ColumnShape>(shape: TShape): Columns<TShape> {
  const members = Object.fromEntries(Object.entries(shape).map(([name, c]) => [name, c.schema]));
  return { shape, row: z.strictObject(members) };
}

export function columnDefinitions(columns: Columns | undefined): ColumnDefinition[] {
  return Object.entries(columns?.shape ?? {}).map(([name, c]) => ({
    name,
    type: c.type,
    nullable: c.isNullable,
    description: c.description,
  }));
}

import { z } from 'zod';
import type { ColumnDefinition } from './model.ts';

/**
 * A column's declaration: its DuckDB type, and the zod schema of its value in TypeScript. `TValue` is what compute functions get
 * and return.
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
  /** What is wrong with the declaration; reported with the asset's other problems. */
  readonly problem: string | undefined;
  /** Accepts what a row may hold here. */
  readonly schema: z.ZodType<TValue>;
  /** For the compiler only. */
  readonly '~value'?: TValue | undefined;
  /** The same column, NULL allowed. */
  nullable(): Column<TValue | null>;
  /** The same column with a description; does not change the code version. */
  describe(text: string): Column<TValue>;
}

type ColumnFacts = Pick<Column<unknown>, 'type' | 'isNullable' | 'description' | 'problem'>;

function column<TValue>(schema: z.ZodType<TValue>, facts: ColumnFacts): Column<TValue> {
  return {
    ...facts,
    schema,
    nullable: () => column<TValue | null>(schema.nullable(), { ...facts, isNullable: true }),
    describe: (description) => column(schema, { ...facts, description }),
  };
}

const plain = <TValue>(type: string, schema: z.ZodType<TValue>, problem?: string): Column<TValue> =>
  column(schema, { type, isNullable: false, description: undefined, problem });

export const timestamp = (): Column<Date> => plain('TIMESTAMP', z.date());
export const date = (): Column<string> => plain('DATE', z.iso.date());
/** Includes NaN and the infinities, which zod's own `number()` refuses. */
export const double = (): Column<number> =>
  plain(
    'DOUBLE',
    z.custom<number>((value) => typeof value === 'number', 'expected a number'),
  );
export const bigint = (): Column<bigint> => plain('BIGINT', z.int64());
export const integer = (): Column<number> => plain('INTEGER', z.int32());
export const text = (): Column<string> => plain('VARCHAR', z.string());
export const boolean = (): Column<boolean> => plain('BOOLEAN', z.boolean());

/** An exact number of at most `precision` digits (1 to 38), `scale` of them after the point; a string in TypeScript. */
export function decimal(precision: number, scale: number): Column<string> {
  const whole = Number.isInteger(precision) && Number.isInteger(scale);
  const fits = precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
  return plain(
    `DECIMAL(${precision},${scale})`,
    z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text'),
    whole && fits ? undefined : 'precision is 1 to 38 and scale 0 to precision',
  );
}

export type ColumnShape = Readonly<Record<string, Column<unknown>>>;

/** All columns of an asset, in file order: the one place where they are named. */
export interface Columns<TShape extends ColumnShape = ColumnShape> {
  readonly shape: TShape;
  /** zod schema of one row, strict: for parsing what comes from elsewhere, `klineColumns.row().parse(answer)`. */
  readonly row: () => z.ZodType<RowOf<TShape>>;
}

export type ValueOf<TColumn> = TColumn extends Column<infer TValue> ? TValue : never;
export type RowOf<TShape extends ColumnShape> = { -readonly [K in keyof TShape]: ValueOf<TShape[K]> };

/** `columns({ open_time: timestamp(), open: decimal(18, 8) })` */
export function columns<const TShape extends ColumnShape>(shape: TShape): Columns<TShape> {
  const row = () => z.strictObject(Object.fromEntries(Object.entries(shape).map(([name, c]) => [name, c.schema])));
  return { shape, row: row as unknown as Columns<TShape>['row'] };
}

export function columnDefinitions(columns: Columns | undefined): ColumnDefinition[] {
  return Object.entries(columns?.shape ?? {}).map(([name, c]) => ({
    name,
    type: c.type,
    nullable: c.isNullable,
    description: c.description,
  }));
}

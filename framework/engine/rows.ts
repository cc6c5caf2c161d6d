import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import { type Driver, type Session, VECTOR } from './duckdb.ts';
import type { RowBuffer } from './port.ts';
import { emptyRelation } from './types.ts';

/** What a TypeScript value becomes, or a sentence on what was expected instead. */
type Conversion = { readonly value: DuckDBValue } | { readonly expected: string };

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  TINYINT: [-(2n ** 7n), 2n ** 7n - 1n],
  SMALLINT: [-(2n ** 15n), 2n ** 15n - 1n],
  INTEGER: [-(2n ** 31n), 2n ** 31n - 1n],
  BIGINT: [-(2n ** 63n), 2n ** 63n - 1n],
  HUGEINT: [-(2n ** 127n), 2n ** 127n - 1n],
};

/** Rows in DuckDB's memory, where they cost a tenth of what objects do and no garbage collector looks at them. */
interface Sealed {
  readonly chunk: DuckDBDataChunk;
  /** Per row, what its target was called when it was added. */
  readonly targets: readonly number[];
}

/** A {@link RowBuffer} whose rows can be staged. */
export interface StagedRows extends RowBuffer {
  /** Appends all rows to a table of `__target` and the columns; rows of targets without a place get the place -1. */
  stage(session: Session, table: string, placeOf: (target: number) => number | undefined): Promise<void>;
}

/** A buffer as this engine made it. */
export function stagedRows(buffer: RowBuffer): StagedRows {
  if ('stage' in buffer) return buffer as StagedRows;
  throw new LakehouseError('bad-batch', 'the rows are in a buffer that this engine did not make', { kind: 'internal' });
}

/** @param columns with canonical types. */
export async function createRowBuffer(
  session: Session,
  definition: AssetDefinition,
  columns: readonly ColumnDefinition[],
): Promise<StagedRows> {
  const { driver } = session;
  const types = await session.types(emptyRelation([{ name: '__target', type: 'INTEGER' }, ...columns]));
  const sealed: Sealed[] = [];
  let targets: number[] = [];
  let open: DuckDBValue[][] = columns.map(() => []);
  const seal = () => {
    const chunk = driver.DuckDBDataChunk.create(types, targets.length);
    chunk.setColumns([targets, ...open]);
    sealed.push({ chunk, targets });
    targets = [];
    open = columns.map(() => []);
  };
  return {
    add: (target, key, rows) => {
      const values = convertRows(driver, definition, columns, target, key, rows);
      for (let from = 0; from < rows.length; ) {
        const to = Math.min(rows.length, from + VECTOR - targets.length);
        for (let i = from; i < to; i++) targets.push(target);
        for (const [i, column] of open.entries()) for (let k = from; k < to; k++) column.push(values[i]?.[k] ?? null);
        if (targets.length === VECTOR) seal();
        from = to;
      }
    },
    stage: async (into, table, placeOf) => {
      if (targets.length > 0) seal();
      for (const { chunk, targets: added } of sealed)
        chunk.setColumnValues(
          0,
          added.map((one) => placeOf(one) ?? -1),
        );
      await into.appendChunks(
        table,
        sealed.map(({ chunk }) => chunk),
      );
    },
  };
}

/** Rows as values per column. Throws `row-mismatch` for the first value that does not fit. */
function convertRows(
  driver: Driver,
  definition: AssetDefinition,
  columns: readonly ColumnDefinition[],
  target: number,
  key: string,
  rows: readonly object[],
): DuckDBValue[][] {
  const values: DuckDBValue[][] = columns.map(() => []);
  const refuse = (row: number, column: string, what: string, hint?: string): never => {
    throw new LakehouseError('row-mismatch', `${definition.key} ${key}: row ${row + 1}, column '${column}': ${what}`, {
      kind: 'data',
      hint,
      details: { asset: definition.key, targets: [target], row: row + 1, column },
    });
  };
  rows.forEach((row, number) => {
    const members = row as Readonly<Record<string, unknown>>;
    if (Object.keys(members).length > columns.length || columns.some(({ name }) => !(name in members))) {
      const missing = columns.find(({ name }) => !(name in members));
      const extra = Object.keys(members).find((name) => !columns.some((column) => column.name === name));
      const hint = didYouMean(
        extra ?? '',
        columns.map(({ name }) => name),
      );
      if (missing)
        refuse(number, missing.name, `is missing${extra === undefined ? '' : `, while '${extra}' is not a column`}`);
      else refuse(number, extra ?? '', 'is not a column of the asset', hint);
    }
    columns.forEach(({ name, type, nullable }, i) => {
      const converted = convert(driver, type, members[name]);
      if ('expected' in converted) refuse(number, name, `${show(members[name])} is not ${converted.expected}`);
      else if (converted.value === null && !nullable) refuse(number, name, 'is null, but the column is not nullable');
      else values[i]?.push(converted.value);
    });
  });
  return values;
}

function convert(driver: Driver, type: string, value: unknown): Conversion {
  if (value === null || value === undefined) return { value: null };
  const limits = INTEGERS[type];
  if (limits !== undefined) {
    const [low, high] = limits;
    const whole = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
    if (whole === undefined || whole < low || whole > high) return { expected: `a whole number that fits ${type}` };
    return { value: type === 'BIGINT' || type === 'HUGEINT' ? whole : Number(whole) };
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal) return convertDecimal(driver, type, Number(decimal[1]), Number(decimal[2]), value);
  switch (type) {
    case 'DOUBLE':
    case 'FLOAT':
      if (typeof value !== 'number') return { expected: 'a number' };
      return { value: Number.isNaN(value) ? Number.NaN : value + 0 };
    case 'VARCHAR':
      return typeof value === 'string' ? { value } : { expected: 'a string' };
    case 'BOOLEAN':
      return typeof value === 'boolean' ? { value } : { expected: 'a boolean' };
    case 'TIMESTAMP':
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return { expected: 'a valid Date' };
      return { value: new driver.DuckDBTimestampValue(BigInt(value.getTime()) * 1000n) };
    case 'DATE': {
      const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value)
        return { expected: "a date like '2024-01-31'" };
      return { value: new driver.DuckDBDateValue(ms / 86_400_000) };
    }
    default:
      return { expected: `a value that can be written as ${type}; use a query for such a column` };
  }
}

/** Exact: a text with more digits than the column has is refused, not rounded. */
function convertDecimal(driver: Driver, type: string, width: number, scale: number, value: unknown): Conversion {
  const match = typeof value === 'string' ? /^(-?)(\d+)(?:\.(\d+))?$/.exec(value) : null;
  const expected = `a decimal number as text that fits ${type} exactly`;
  if (!match) return { expected };
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return { expected };
  const digits = BigInt(`${match[2]}${fraction.padEnd(scale, '0')}`);
  if (digits >= 10n ** BigInt(width)) return { expected };
  return { value: new driver.DuckDBDecimalValue(match[1] === '-' ? -digits : digits, width, scale) };
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'an invalid Date' : `the Date ${value.toISOString()}`;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? JSON.stringify(value)
    : `a ${typeof value}`;
}

import type { DuckDBValue } from '@duckdb/node-api';
import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { ColumnDefinition } from '../define/model.ts';
import type { Driver, Session } from './duckdb.ts';
import type { BatchRequest } from './port.ts';

/** What a TypeScript value becomes, or a sentence on what was expected instead. */
type Conversion = { readonly value: DuckDBValue } | { readonly expected: string };

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  TINYINT: [-(2n ** 7n), 2n ** 7n - 1n],
  SMALLINT: [-(2n ** 15n), 2n ** 15n - 1n],
  INTEGER: [-(2n ** 31n), 2n ** 31n - 1n],
  BIGINT: [-(2n ** 63n), 2n ** 63n - 1n],
  HUGEINT: [-(2n ** 127n), 2n ** 127n - 1n],
};

/** Puts the rows that compute functions returned into the stage. Throws `row-mismatch` for the first value that does not fit. */
export async function stageRows(
  session: Session,
  { definition, targets }: BatchRequest,
  columns: readonly ColumnDefinition[],
  rows: readonly (readonly object[])[],
  stage: string,
): Promise<void> {
  const ordinals: number[] = [];
  const values: DuckDBValue[][] = columns.map(() => []);
  rows.forEach((list, target) => {
    const refuse = (row: number, column: string, what: string, hint?: string): never => {
      throw new LakehouseError(
        'row-mismatch',
        `${definition.key} ${targets[target]?.key}: row ${row + 1}, column '${column}': ${what}`,
        {
          kind: 'data',
          hint,
          details: { asset: definition.key, targets: [target], row: row + 1, column },
        },
      );
    };
    list.forEach((row, number) => {
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
      ordinals.push(target);
      columns.forEach(({ name, type, nullable }, i) => {
        const converted = convert(session.driver, type, members[name]);
        if ('expected' in converted) refuse(number, name, `${show(members[name])} is not ${converted.expected}`);
        else if (converted.value === null && !nullable) refuse(number, name, 'is null, but the column is not nullable');
        else values[i]?.push(converted.value);
      });
    });
  });
  await session.append(stage, [ordinals, ...values]);
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

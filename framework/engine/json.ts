import type { DuckDBValue } from '@duckdb/node-api';
import type { Row } from './duckdb.ts';
import type { QueryValue } from './port.ts';

/** A DuckDB value as plain JavaScript: see `QueryResult` for what becomes of each type. */
export function plainValue(value: DuckDBValue): QueryValue {
  if (value === null || typeof value !== 'object') return value as QueryValue;
  if ('items' in value) return [...value.items].map(plainValue);
  if ('entries' in value) {
    const { entries } = value;
    if (Array.isArray(entries))
      return entries.map(({ key, value: item }) => ({ key: plainValue(key), value: plainValue(item) }));
    return Object.fromEntries(Object.entries(entries).map(([name, item]) => [name, plainValue(item)]));
  }
  // The driver would name a day in the year 5881580.
  if ('days' in value && !('months' in value) && Math.abs(value.days) === INFINITE_DAYS)
    return value.days > 0 ? 'infinity' : '-infinity';
  return String(value);
}

const INFINITE_DAYS = 2 ** 31 - 1;

/** A row that JSON can hold: wide integers and what is not finite as text. */
export function jsonRow(row: Row): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonValue(plainValue(value))]));
}

function jsonValue(value: QueryValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonValue(item as QueryValue)]));
  }
  return value;
}

import { isLakehouseError } from '../../common/errors.ts';
import type { LakeView, QueryResult, QueryValue } from '../../engine/port.ts';
import type { Lake } from '../../materialize/lake.ts';
import type { LakeFiles } from '../../materialize/lake-files.ts';
import { askLake, type Queried, queryAnew } from '../../report/query.ts';
import type { StateReader } from '../../state/store.ts';
import type { Grid } from '../model/data.ts';

type Row = readonly QueryValue[];

/** A result as far as it was read. */
export interface Answer {
  readonly columns: QueryResult['columns'];
  readonly rows: readonly Row[];
  readonly more: boolean;
}

/**
 * The first rows of a query, over the files as they are.
 * @throws LakehouseError what the engine throws; the signal's reason.
 */
export const ask = (
  lake: Queried,
  views: (files: LakeFiles) => Promise<readonly LakeView[]>,
  sql: string,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> => queryAnew(lake, views, sql, signal, (result) => firstRows(result, limit));

/**
 * One SELECT over the whole lake.
 * @throws LakehouseError what the engine throws; the signal's reason.
 */
export const askAll = (lake: Lake<StateReader>, sql: string, limit: number, signal: AbortSignal): Promise<Answer> =>
  askLake(lake, { sql }, signal, (result) => firstRows(result, limit));

async function firstRows(result: QueryResult, limit: number): Promise<Answer> {
  const rows: Row[] = [];
  for await (const batch of result.batches) {
    rows.push(...batch);
    if (rows.length > limit) break;
  }
  return { columns: result.columns, rows: rows.slice(0, limit), more: rows.length > limit };
}

/** What went wrong with a query, for a person: with DuckDB's excerpt of the statement and the caret below it, where there is one. */
export function problemOf(error: unknown): { readonly message: string; readonly hint: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), hint: undefined };
  const message = error.message.replace(/^query: /, '');
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const excerpt = /\n(LINE \d+: .*\n *\^)/.exec(cause)?.[1];
  return {
    message: excerpt === undefined || message.includes(excerpt) ? message : `${message}\n${excerpt}`,
    hint: isLakehouseError(error) ? error.hint : undefined,
  };
}

// --- values as text ------------------------------------------------------------------------------------------------------------

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL)(\(\d+,\d+\))?$/;

export const gridOf = ({ columns, rows, more }: Answer): Grid => ({
  columns: columns.map(({ name, type }) => ({ name, type, numeric: NUMERIC.test(type) })),
  rows: rows.map((row) => row.map(cellText)),
  more,
});

/** More of one value is not shown. */
const LONGEST = 1000;

/** `NULL` is what is not there; a text that reads the same has quotes. */
function cellText(value: QueryValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return value === 'NULL' ? '"NULL"' : value.slice(0, LONGEST);
  return typeof value === 'object' ? jsonText(value).slice(0, LONGEST) : String(value);
}

/** JSON, but with all digits of whole numbers. */
function jsonText(value: QueryValue): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${jsonText(one)}`)
    .join(', ')}}`;
}

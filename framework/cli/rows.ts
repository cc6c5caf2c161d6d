import type { QueryResult, QueryValue } from '../engine/port.ts';
import { displayWidth, table, truncate, visible } from '../report/format.ts';
import type { Style } from './style.ts';

/** Where rows go. `write` waits for a slow reader; `closed` says that nobody reads any more. */
export interface Sink {
  readonly write: (text: string | Uint8Array) => Promise<void>;
  readonly closed: () => boolean;
}

export interface RowsFormat {
  readonly format: 'table' | 'csv' | 'json' | 'ndjson';
  readonly limit: number;
  /** Of the terminal, for tables. */
  readonly width: number;
  readonly style: Style;
}

type Row = readonly QueryValue[];

/** Prints a result as it comes, and nothing before the first rows are there; a table waits for its rows to know the widths. */
export async function writeRows(
  result: QueryResult,
  { format, limit, width, style }: RowsFormat,
  sink: Sink,
): Promise<{ rows: number; more: boolean }> {
  const names = result.columns.map(({ name }) => name);
  const keys = names.map((name) => JSON.stringify(name));
  const held: Row[] = [];
  let rows = 0;
  let more = false;
  const print: Readonly<Record<Exclude<RowsFormat['format'], 'table'>, (row: Row) => string>> = {
    csv: (row) => `${row.map(csvCell).join(',')}\r\n`,
    json: (row) =>
      `${rows === 0 ? '\n' : ',\n'}  {${row.map((value, i) => `${keys[i]}: ${jsonValue(value)}`).join(', ')}}`,
    ndjson: (row) => `{${row.map((value, i) => `${keys[i]}:${jsonValue(value)}`).join(',')}}\n`,
  };
  let head = { csv: `${names.map(csvCell).join(',')}\r\n`, json: '[', ndjson: '', table: '' }[format];
  const write = async (text: string) => {
    if (head + text !== '') await sink.write(head + text);
    head = '';
  };
  for await (const batch of result.batches) {
    let text = '';
    for (const row of batch) {
      if (rows >= limit) {
        more = true;
        break;
      }
      if (format === 'table') held.push(row);
      else text += print[format](row);
      rows++;
    }
    if (text !== '') await write(text);
    if (more || sink.closed()) break;
  }
  if (format === 'table') await write(`${tableText(result, held, width, style)}\n`);
  else await write(format !== 'json' ? '' : rows === 0 ? ']\n' : '\n]\n');
  return { rows, more };
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL)/;

function tableText({ columns }: QueryResult, rows: readonly Row[], width: number, style: Style): string {
  const most = Math.max(Math.floor(width / Math.max(columns.length, 1)), 24);
  const cells = rows.map((row) =>
    row.map((value, i) => {
      const text = visible(cellText(value));
      // A cut number would be another number.
      return NUMERIC.test(columns[i]?.type ?? '') || displayWidth(text) <= most ? text : truncate(text, most);
    }),
  );
  const titles = columns.map(({ name, type }) => ({
    title: visible(name),
    align: NUMERIC.test(type) ? ('right' as const) : ('left' as const),
  }));
  const count = rows.length === 1 ? '1 row' : `${rows.length.toLocaleString('en-US')} rows`;
  return `${table(titles, cells, style.strong)}\n${style.faint(count)}`;
}

function cellText(value: QueryValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? value : typeof value === 'object' ? jsonValue(value) : String(value);
}

/** RFC 4180; NULL is empty, the empty text is quoted. */
function csvCell(value: QueryValue): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? jsonValue(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whole numbers keep all their digits; what JSON has no number for is a text. */
function jsonValue(value: QueryValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map((one: QueryValue) => jsonValue(one)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${JSON.stringify(key)}:${jsonValue(one as QueryValue)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value);
}

import type { RecordBatch, Table } from 'apache-arrow';
import { sqlTokens } from '../code/sql.ts';
import type { Needed, QueryResult, QueryValue } from '../engine/port.ts';
import { parseAsOf } from '../materialize/history.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { askLake } from '../report/query.ts';
import { handed } from './handed.ts';
import type { LakeQuery, ReadingOptions } from './types.ts';

/** One SELECT. */
export interface Question {
  readonly sql: string;
  /** What is needed of each asset; found out of the statement, where this is absent. */
  readonly needs?: (definition: { readonly key: string }) => Needed;
  /** A run, an instant or a revision; now when absent. */
  readonly asOf?: string | undefined;
  /** Looks, each time it is asked, whether it can be answered. */
  readonly check?: (lake: OpenedLake) => void;
}

/** What reading needs of an open lake. */
export interface Reading {
  /** The lake to be read. */
  readonly lake: () => Promise<OpenedLake>;
  /** Does something that ends when the lake is closed or the signal is aborted. */
  readonly during: <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Gives the result of a statement to `use`: again where a run replaced files meanwhile, unless it was used for good. */
export async function ask<T>(
  reading: Reading,
  { sql, needs, check, asOf: asked }: Question,
  signal: AbortSignal,
  use: (result: QueryResult) => Promise<T>,
  final?: () => boolean,
): Promise<T> {
  const lake = await reading.lake();
  lake.state.refresh();
  check?.(lake);
  const asOf = asked === undefined ? undefined : parseAsOf(lake.state, asked, lake.now());
  return askLake(lake, { sql, needs, asOf }, signal, use, final);
}

/** A statement whose rows can be asked for. */
export function lakeQuery<TRow>(reading: Reading, question: () => Question): LakeQuery<TRow> {
  const asked = ({ asOf }: ReadingOptions): Question => (asOf === undefined ? question() : { ...question(), asOf });
  const collected = <T>(options: ReadingOptions, use: (result: QueryResult) => Promise<T>): Promise<T> =>
    reading.during(options.signal, (ending) => ask(reading, asked(options), ending, use));
  return {
    rows: (options = {}) =>
      collected(options, async (result) => {
        const rowsOf = rowMaker<TRow>(result);
        const rows: TRow[] = [];
        for await (const batch of result.batches) for (const row of rowsOf(batch)) rows.push(row);
        return rows;
      }),
    batches: (options = {}) =>
      handed<TRow[]>((give) =>
        reading.during(options.signal, async (ending) => {
          let given = false;
          const use = async (result: QueryResult) => {
            const rowsOf = rowMaker<TRow>(result);
            for await (const batch of result.batches) {
              given = true;
              await give(rowsOf(batch), ending);
            }
          };
          await ask(reading, asked(options), ending, use, () => given);
        }),
      ),
    arrow: (options = {}) => collected(options, tableOf),
    count: (options = {}) =>
      reading.during(options.signal, (ending) => {
        const { sql, ...rest } = asked(options);
        return ask(reading, { ...rest, sql: `SELECT count(*) FROM (\n${withoutEnd(sql)}\n)` }, ending, oneNumber);
      }),
  };
}

/** Without the `;` at its end. */
function withoutEnd(sql: string): string {
  const tokens = [...sqlTokens(sql)];
  const last = tokens.findLastIndex(({ token }) => token !== ';');
  return sql.slice(0, tokens[last + 1]?.start);
}

async function oneNumber(result: QueryResult): Promise<number> {
  let count = 0;
  for await (const [row] of result.batches) count = Number(row?.[0] ?? 0);
  return count;
}

async function tableOf(result: QueryResult): Promise<Table> {
  const { Table } = await import('apache-arrow');
  const batches: RecordBatch[] = [];
  for await (const batch of result.arrow()) batches.push(batch);
  return new Table(batches);
}

/** Values in the order of columns become rows by name; TIMESTAMP becomes a Date, as compute functions have it. */
function rowMaker<TRow>({ columns }: QueryResult): (batch: readonly (readonly QueryValue[])[]) => TRow[] {
  const instants = columns.map(({ type }) => type === 'TIMESTAMP');
  return (batch) =>
    batch.map((values) => {
      const row: Record<string, unknown> = {};
      for (const [i, { name }] of columns.entries())
        row[name] = instants[i] && typeof values[i] === 'string' ? instantOf(values[i]) : values[i];
      return row as TRow;
    });
}

/** `2024-01-31 05:00:00.123456` in UTC, cut off to milliseconds; the text where no Date is it (`infinity`, years before 0 or after 9999). */
function instantOf(text: string): Date | string {
  const date = new Date(`${text.replace(' ', 'T')}Z`);
  return Number.isNaN(date.getTime()) ? text : date;
}

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { arrowStream } from '../engine/arrow.ts';
import { type Parameters, withParameters } from '../engine/parameters.ts';
import type { QueryResult } from '../engine/port.ts';
import { withoutEnd } from '../engine/select.ts';
import { mayName } from '../engine/syntax.ts';
import type { AsOf } from '../materialize/history.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { askLake, type Scan } from '../report/query.ts';
import type { Context } from './context.ts';
import type { Io } from './io.ts';
import { type RowsFormat, type Sink, writeRows } from './rows.ts';
import { wholeFile } from './whole-file.ts';

// What `query` and `shell` have in common: a SELECT, and where its rows go.

const TABLE_LIMIT = 1000;

/** Formats that are bytes: of a file, or for another program. */
const BINARY = ['parquet', 'arrow'] as const;

export type QueryFormat = RowsFormat['format'] | (typeof BINARY)[number];

/** One SELECT and what becomes of its rows. */
export interface Question {
  readonly sql: string;
  /** What its parameters stand for. */
  readonly parameters?: Parameters | undefined;
  readonly format: QueryFormat;
  /** At most so many rows; Infinity for all. See {@link limitOf}. */
  readonly limit: number;
  /** Absolute path of a file for them, which is there whole or not at all; stdout when absent. */
  readonly output?: string | undefined;
  /** When the lake was as it is to be asked; as it is now when absent. */
  readonly asOf?: AsOf | undefined;
  /** Absolute paths of files and directories outside of the lake that it may read. */
  readonly allow?: readonly string[] | undefined;
  /** Ends the query. */
  readonly signal: AbortSignal;
}

/** What was printed: how many rows, whether there would have been more (not known of bytes), and what was read for it. */
export interface Answered {
  readonly rows: number;
  readonly more: boolean;
  readonly scans: readonly Scan[];
}

/**
 * Asks the lake, and prints the rows as they come.
 * @throws LakehouseError what the engine throws, of a source asked for as a table what is made of it; `cannot-write` (transient);
 * `missing-parameter`, `unknown-parameter`, `not-for-a-terminal` (usage); the signal's reason.
 */
export async function answer(context: Context, lake: OpenedLake, question: Question): Promise<Answered> {
  const { io, console } = context;
  const { format, limit, output, asOf, allow, signal } = question;
  const sql = withParameters(question.sql, question.parameters ?? new Map());
  const { width, style } = console;
  const binary = BINARY.some((one) => one === format);
  if (binary && output === undefined && io.stdout.isTTY)
    throw new LakehouseError('not-for-a-terminal', `${format} is bytes, and nothing for a terminal`, {
      hint: `Write it to a file (--output rows.${format}), or to another program (| …).`,
    });
  let printed = false;
  const toStdout: Sink = {
    write: async (text) => {
      printed = true;
      io.stdout.write(text);
      await io.stdout.drained();
    },
    closed: () => io.stdout.closed,
  };
  // What was printed cannot be taken back; a file is written anew.
  const final = () => printed;
  const asked = { sql: binary ? limited(sql, limit) : sql, asOf, allow };
  const toSink = async (sink: Sink, result: QueryResult) => {
    if (format === 'arrow') return { rows: await writeArrow(result, sink), more: false };
    if (format !== 'parquet') return writeRows(result, { format, limit, width, style }, sink);
    throw new LakehouseError('no-text', 'Parquet is written by the engine', { kind: 'internal' });
  };
  const ask = async (): Promise<Answered> => {
    if (format === 'parquet') {
      const copy = (into: string) =>
        askLake(lake, { ...asked, into }, signal, async ({ written = 0 }, scans) => ({
          rows: written,
          more: false,
          scans,
        }));
      return output === undefined ? throughFile(copy, toStdout) : wholeFile(output, io.random, copy);
    }
    const use = async (result: QueryResult, scans: readonly Scan[]) => ({
      ...(output === undefined
        ? await toSink(toStdout, result)
        : await toFile(output, io.random, (sink) => toSink(sink, result))),
      scans,
    });
    return askLake(lake, asked, signal, use, final);
  };
  return ask().catch((error: unknown) => {
    throw asSource(lake, error);
  });
}

/** The statement with a limit of its own, where there is one. */
const limited = (sql: string, limit: number): string =>
  Number.isFinite(limit) ? `FROM (\n${withoutEnd(sql)}\n) LIMIT ${limit}` : sql;

async function writeArrow(result: QueryResult, sink: Sink): Promise<number> {
  let rows = 0;
  async function* counted() {
    for await (const batch of result.arrow()) {
      rows += batch.numRows;
      yield batch;
    }
  }
  for await (const bytes of arrowStream(counted())) {
    await sink.write(bytes);
    if (sink.closed()) break;
  }
  return rows;
}

/** Bytes of a file that has to be written before it can be read. */
async function throughFile<T>(write: (path: string) => Promise<T>, sink: Sink): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-query-'));
  try {
    const path = join(directory, 'rows');
    const written = await write(path);
    for await (const bytes of createReadStream(path)) {
      await sink.write(bytes as Uint8Array);
      if (sink.closed()) break;
    }
    return written;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * What a statement reads, and DuckDB's plan of it.
 * @param analyze run it, and tell of every step how long it took.
 * @throws LakehouseError as {@link answer} does.
 */
export async function explain(
  lake: OpenedLake,
  { sql, parameters = new Map(), asOf, allow, signal }: Question,
  analyze: boolean,
): Promise<{ readonly scans: readonly Scan[]; readonly plan: string }> {
  const explained = `EXPLAIN ${analyze ? 'ANALYZE ' : ''}${withParameters(sql, parameters)}`;
  const use = async (result: QueryResult, scans: readonly Scan[]) => {
    const steps: string[] = [];
    for await (const batch of result.batches) for (const row of batch) steps.push(String(row.at(-1)));
    return { scans, plan: steps.join('\n').trimEnd() };
  };
  return askLake(lake, { sql: explained, asOf, allow }, signal, use).catch((error: unknown) => {
    throw asSource(lake, error);
  });
}

/** How many rows are printed where nobody said: a table on the screen ends after a thousand. 0 is all. */
export function limitOf(given: number | undefined, format: Question['format'], output: string | undefined): number {
  if (given !== undefined) return given === 0 ? Number.POSITIVE_INFINITY : given;
  return format === 'table' && output === undefined ? TABLE_LIMIT : Number.POSITIVE_INFINITY;
}

/** Whether a statement may name an asset; for sure not where this is false. */
export const namedIn =
  (sql: string) =>
  (key: string): boolean =>
    mayName(sql, key.slice(key.lastIndexOf('/') + 1));

/** A source is listed among the assets, but what it has is outside of the lake. */
function asSource({ graph }: OpenedLake, error: unknown): unknown {
  const table = isLakehouseError(error) && error.code === 'unknown-table' ? String(error.details?.table) : '';
  const sources = graph.order.filter((key) => graph.node(key).definition.kind === 'source');
  const key = sources.find((source) =>
    [source.replace('/', '.'), source.slice(source.indexOf('/') + 1)].includes(table),
  );
  if (key === undefined) return error;
  const readers = graph.downstreamOf(key).map((reader) => `'${reader.replace('/', '.')}'`);
  return new LakehouseError('unknown-table', `${key} is a source, and sources are not tables`, {
    hint: readers.length === 0 ? undefined : `What is made of it: ${readers.slice(0, 3).join(', ')}.`,
    cause: error,
  });
}

const toFile = <T>(path: string, random: Io['random'], use: (sink: Sink) => Promise<T>): Promise<T> =>
  wholeFile(path, random, async (partial) => {
    const stream = createWriteStream(partial);
    // A full disk is told between two writes; unheard it would end the program.
    stream.on('error', () => {});
    try {
      await once(stream, 'open');
      const used = await use({
        write: async (text) => {
          if (stream.errored) throw stream.errored;
          if (!stream.write(text)) await once(stream, 'drain');
        },
        closed: () => false,
      });
      stream.end();
      if (!stream.closed) await once(stream, 'close');
      if (stream.errored) throw stream.errored;
      return used;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  });

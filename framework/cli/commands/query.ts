import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { isLakehouseError, LakehouseError } from '../../common/errors.ts';
import type { QueryResult } from '../../engine/port.ts';
import { mayName } from '../../engine/syntax.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { lakeViews } from '../../materialize/views.ts';
import { number } from '../../report/format.ts';
import { queryAnew } from '../../report/query.ts';
import type { Context } from '../context.ts';
import { noLake } from '../no-lake.ts';
import { type Sink, writeRows } from '../rows.ts';

export interface QueryOptions {
  readonly format: 'table' | 'csv' | 'json' | 'ndjson';
  readonly file?: string;
  readonly limit?: number;
  readonly output?: string;
}

const TABLE_LIMIT = 1000;

export async function run(context: Context, options: QueryOptions, given?: string): Promise<number | undefined> {
  const { io, globals, console } = context;
  const sql = await statement(context, options, given);
  const { signal } = context.interrupts();
  const format = globals.json && options.format === 'table' ? 'json' : options.format;
  const limit = limitOf(options, format);
  const { width, style } = console;
  let printed = false;
  const toStdout: Sink = {
    write: async (text) => {
      printed = true;
      io.stdout.write(text);
      await io.stdout.drained();
    },
    closed: () => io.stdout.closed,
  };
  const { output } = options;
  return context.withLake('read', async (lake) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined && lake.graph.order.some(namedIn(sql)))
      console.warn(`${missing}: all its tables are empty.`);
    const print = (result: QueryResult) => async (sink: Sink) => {
      const { rows, more } = await writeRows(result, { format, limit, width, style }, sink);
      if (more) console.note(`Only the first ${number(rows)} rows are shown; --limit 0 shows all.`);
    };
    const views = () => lakeViews(lake, ({ key }) => namedIn(sql)(key));
    const use = async (result: QueryResult) => {
      if (output === undefined) await print(result)(toStdout);
      else await toFile(resolve(io.cwd, output), print(result));
    };
    // What was printed cannot be taken back; a file is written anew.
    const final = () => printed;
    await queryAnew(await lake.engine(), views, sql, signal, use, final).catch((error: unknown) => {
      throw asSource(lake, error);
    });
    return undefined;
  });
}

function limitOf({ limit, output }: QueryOptions, format: QueryOptions['format']): number {
  if (limit !== undefined) return limit === 0 ? Number.POSITIVE_INFINITY : limit;
  return format === 'table' && output === undefined ? TABLE_LIMIT : Number.POSITIVE_INFINITY;
}

async function statement({ io }: Context, { file }: QueryOptions, given: string | undefined): Promise<string> {
  if ((given === undefined) === (file === undefined)) {
    throw new LakehouseError(
      'no-statement',
      given === undefined ? 'There is no statement' : 'There are two statements: an argument and --file',
      { hint: 'lakehouse query "SELECT …", or lakehouse query --file report.sql' },
    );
  }
  if (given !== undefined) return given;
  if (file === '-') return readAll(io.stdin);
  try {
    return await readFile(resolve(io.cwd, file as string), 'utf8');
  } catch (error) {
    throw new LakehouseError(
      'no-statement',
      `Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

const namedIn =
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

/** The file is there whole or not at all. */
async function toFile(path: string, use: (sink: Sink) => Promise<void>): Promise<void> {
  const partial = `${path}.partial`;
  const stream = createWriteStream(partial);
  try {
    await once(stream, 'open');
    await use({
      write: async (text) => {
        if (!stream.write(text)) await once(stream, 'drain');
      },
      closed: () => false,
    });
    stream.end();
    await once(stream, 'close');
    if (stream.errored) throw stream.errored;
    await rename(partial, path);
  } catch (error) {
    stream.destroy();
    await rm(partial, { force: true });
    const reason = error instanceof LakehouseError ? undefined : (error as NodeJS.ErrnoException).code;
    throw reason === undefined
      ? error
      : new LakehouseError('cannot-write', `Cannot write ${path}: ${(error as Error).message}`, {
          kind: 'transient',
          cause: error,
        });
  }
}

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { LakehouseError } from '../../common/errors.ts';
import { parseParameters } from '../../engine/parameters.ts';
import { parseAsOf } from '../../materialize/history.ts';
import { bytes, duration, number, plural, table } from '../../report/format.ts';
import type { Scan } from '../../report/query.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import { noLake } from '../no-lake.ts';
import { type Answered, answer, explain, limitOf, namedIn, type QueryFormat } from '../queries.ts';

export interface QueryOptions {
  readonly format: QueryFormat;
  readonly file?: string;
  readonly limit?: number;
  readonly output?: string;
  readonly asOf?: string;
  readonly param?: readonly string[];
  readonly allow?: readonly string[];
  readonly timing?: boolean;
  readonly explain?: boolean;
  readonly analyze?: boolean;
}

export async function run(context: Context, options: QueryOptions, given?: string): Promise<number | undefined> {
  const { io, globals, console } = context;
  const sql = await statement(context, options, given);
  const { signal } = context.interrupts();
  const format = globals.json && options.format === 'table' ? 'json' : options.format;
  const output = options.output === undefined ? undefined : resolve(io.cwd, options.output);
  const limit = limitOf(options.limit, format, output);
  const parameters = parseParameters(options.param ?? []);
  const allow = options.allow?.map((path) => resolve(io.cwd, path));
  return context.withLake('read', async (lake) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined && lake.graph.order.some(namedIn(sql)))
      console.warn(`${missing}: all its tables are empty.`);
    const asOf = options.asOf === undefined ? undefined : parseAsOf(lake.state, options.asOf, io.now());
    if (asOf) console.note(`As of revision ${number(asOf.revision)} of ${number(lake.state.index().head)}.`);
    const question = { sql, parameters, format, limit, output, asOf, allow, signal };
    if (options.explain || options.analyze) {
      const { scans, plan } = await explain(lake, question, options.analyze === true);
      console.result({ revision: asOf?.revision ?? lake.state.index().head, scans, plan }, () =>
        [...(scans.length === 0 ? [] : [scanTable(scans, console.style.strong)]), plan].join('\n\n'),
      );
      return undefined;
    }
    const started = io.now();
    const { rows, more, scans } = await answer(context, lake, question);
    if (more) console.note(`Only the first ${number(rows)} rows are shown; --limit 0 shows all.`);
    if (options.timing)
      tellTiming(context, { rows, scans }, io.now() - started, asOf?.revision ?? lake.state.index().head);
    return undefined;
  });
}

/** How long it took and what was read, on stderr. @param revision that was asked. */
export function tellTiming(
  { io, globals }: Context,
  { rows, scans }: Pick<Answered, 'rows' | 'scans'>,
  ms: number,
  revision: number,
): void {
  io.stderr.write(`${globals.json ? jsonText({ rows, ms, revision, scans }) : timingText(rows, ms, scans)}\n`);
}

function timingText(rows: number, ms: number, scans: readonly Scan[]): string {
  const read = scans.map(
    ({ asset, lake, files, bytes: size }) =>
      `${asset.replace('/', '.')}: ${number(files)} of ${plural(lake, 'file')}${files === 0 ? '' : `, ${bytes(size)}`}`,
  );
  return [`${plural(rows, 'row')} in ${duration(ms)}`, ...read].join('; ');
}

function scanTable(scans: readonly Scan[], strong: (text: string) => string): string {
  const right = { align: 'right' as const };
  return table(
    [{ title: 'table' }, { title: 'files', ...right }, { title: 'of', ...right }, { title: 'bytes', ...right }],
    scans.map(({ asset, lake, files, bytes: size }) => [
      asset.replace('/', '.'),
      number(files),
      number(lake),
      bytes(size),
    ]),
    strong,
  );
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

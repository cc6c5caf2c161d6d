import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { quoteLiteral } from '../../define/sql.ts';
import type { DatabaseFile } from '../../engine/port.ts';
import { openFiles } from '../../materialize/lake-files.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { number, plural } from '../../report/format.ts';
import type { LakeTable } from '../../report/tables.ts';
import { type Context, shownPath } from '../context.ts';
import { addressesOf, type Exported, leftOutText, tablesAtOnce } from '../exports.ts';
import { noLake } from '../no-lake.ts';
import { wholeFile } from '../whole-file.ts';

export interface ExportDuckdbOptions {
  readonly data?: boolean;
  readonly force?: boolean;
}

/** So often it is begun again because a run replaced files that were to be read. */
const ATTEMPTS = 5;

export async function run(context: Context, options: ExportDuckdbOptions, file: string): Promise<number | undefined> {
  const { io, console } = context;
  const { data = false, force = false } = options;
  const path = resolve(io.cwd, file);
  refuseTaken(path, file, force);
  const { signal } = context.interrupts();
  return context.withLake('read', async (lake) => {
    const missing = await noLake(context, lake);
    if (missing !== undefined) console.warn(`${missing}: all its tables are empty.`);
    if (!data) await requireReadable(lake);
    const exported = await wholeFile(path, io.random, async (partial) => {
      const remove = async () => {
        for (const one of [partial, `${partial}.wal`]) await rm(one, { force: true });
      };
      try {
        return await write(context, lake, { path: partial, copies: data }, remove, signal);
      } catch (error) {
        await remove();
        throw error;
      }
    });
    report(context, path, data, exported);
    return undefined;
  });
}

function refuseTaken(path: string, file: string, force: boolean): void {
  // Whoever opens the new file would find the changes of the old one beside it.
  if (existsSync(`${path}.wal`))
    throw new LakehouseError('file-in-use', `${file}.wal lies there: some program has ${file} open, or died with it`, {
      hint: `End that program, or open ${file} with DuckDB once and close it.`,
    });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new LakehouseError('not-a-file', `${file} is a directory`, { hint: 'Name a file in it.' });
  if (!force && existsSync(path))
    throw new LakehouseError('file-exists', `${file} is there already`, { hint: 'Replace it with --force.' });
}

/** A view is bound when it is made: DuckDB has to open a file of it. */
async function requireReadable(lake: OpenedLake): Promise<void> {
  if (lake.store.kind === 'local') return;
  const remote = await (await lake.engine()).remote();
  if (remote.scope === undefined)
    throw new LakehouseError(
      'export-needs-httpfs',
      `Views of files on S3 need DuckDB's extension httpfs: ${remote.why}`,
      {
        hint: 'Copy the rows with --data instead, or see s3.reads and s3.httpfs in the settings.',
      },
    );
}

async function write(
  { io }: Context,
  lake: OpenedLake,
  { path, copies }: Pick<DatabaseFile, 'path' | 'copies'>,
  remove: () => Promise<void>,
  signal: AbortSignal,
): Promise<Exported> {
  const engine = await lake.engine();
  let failed: { readonly error: unknown; readonly opened: string } | undefined;
  for (let attempt = 1; ; attempt++) {
    await remove();
    await using files = copies ? openFiles(lake) : addressesOf(lake);
    const exported = await tablesAtOnce(lake, files);
    const opened = [...files.opened()].sort().join('\n');
    if (failed?.opened === opened) throw failed.error;
    const about = {
      revision: `CAST(${exported.revision} AS BIGINT)`,
      exported_at: `TIMESTAMP ${quoteLiteral(new Date(io.now()).toISOString().replace('T', ' ').slice(0, 19))}`,
      has_rows: copies ? 'TRUE' : 'FALSE',
    };
    const isRemote = !copies && lake.store.kind !== 'local';
    const comments = new Map(exported.tables.map((table) => [table.key, commentsOf(table, isRemote)]));
    try {
      await engine.writeDatabase({ path, views: exported.views, copies, about, comments }, signal);
      return exported;
    } catch (error) {
      if (signal.aborted || attempt === ATTEMPTS) throw error;
      failed = { error, opened };
    }
  }
}

function commentsOf({ description, columns, kind }: LakeTable, isRemote: boolean) {
  const text = [
    description,
    isRemote && kind === 'table' ? 'Needs the extension httpfs and a secret for S3.' : undefined,
  ]
    .filter((one) => one !== undefined)
    .join(' ');
  const said = columns.flatMap((column): [string, string][] =>
    column.description === undefined ? [] : [[column.name, column.description]],
  );
  return { text: text === '' ? undefined : text, columns: new Map(said) };
}

function report({ io, console }: Context, path: string, data: boolean, exported: Exported): void {
  const { revision, tables, views, leftOut } = exported;
  const files = views.reduce((sum, view) => sum + ('files' in view ? view.files.length : 0), 0);
  const names = (kind: LakeTable['kind']) => tables.flatMap((table) => (table.kind === kind ? [table.name] : []));
  console.result({ file: path, revision, data, tables: names('table'), views: names('view'), files, leftOut }, () => {
    const what = [
      `${plural(names('table').length, 'table')} ${data ? 'with the rows of' : 'as views over'} ${plural(files, 'file')}`,
      ...(names('view').length === 0 ? [] : [plural(names('view').length, 'view')]),
    ].join(' and ');
    return [
      `${shownPath(io.cwd, path)}: ${what}, as of revision ${number(revision)}`,
      ...leftOutText(leftOut),
      ...(data ? [] : ['When a run replaces some of these files, their views fail: export again.']),
    ].join('\n');
  });
}

import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { closest, didYouMean } from '../common/suggest.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import { viewName } from './checks.ts';
import { type Database, openDatabase, type Session } from './duckdb.ts';
import { plainValue } from './json.ts';
import { partitionLiteral, partitionValues, relationColumns } from './partitions.ts';
import type { EngineSettings, LakeView, QueryResult, QueryValue } from './port.ts';
import type { Scratch } from './scratch.ts';
import { emptyRelation, pathList } from './types.ts';

/**
 * Runs one SELECT in an instance of its own, which sees the views and can open no file but theirs.
 * @param scratch an empty directory for it alone, because DuckDB lets a query read what lies in its temporary directory.
 * Throws `unknown-table`, `query-invalid`, `query-not-select` (usage).
 */
export async function runQuery(
  settings: EngineSettings,
  scratch: Scratch,
  sql: string,
  views: readonly LakeView[],
  signal: AbortSignal,
): Promise<QueryResult> {
  const database = await openDatabase({ ...settings, tempDirectory: scratch.path });
  try {
    const session = await database.open('query', signal);
    const named = new Set(session.tableNames(sql).map((name) => name.replaceAll('"', '').toLowerCase()));
    const wanted = views.filter(({ definition }) => named.has(definition.key.replace('/', '.').toLowerCase()));
    // What names no view (SHOW TABLES, a misspelling, a query in a string) sees them all.
    for (const view of wanted.length > 0 ? wanted : views) await createView(session, view);
    const files = views.flatMap((view) => ('files' in view ? view.files : []));
    if (files.length > 0) await session.run(`SET allowed_paths = ${pathList(files)}`);
    await session.run('SET enable_external_access = false');
    await session.run('SET lock_configuration = true');

    const result = await session.select(sql);
    const columns = result.columnNames().map((name, i) => ({ name, type: String(result.columnType(i)) }));
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      session.close();
      database.close();
      await scratch.remove();
    };
    async function* batches(): AsyncGenerator<QueryValue[][]> {
      try {
        while (!closed) {
          const chunk = await session.interruptible(sql, () => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          yield chunk.getRows().map((row) => row.map(plainValue));
        }
      } finally {
        await close();
      }
    }
    return { columns, batches: batches(), close };
  } catch (error) {
    closeQuietly(database);
    await scratch.remove();
    throw explain(error, views);
  }
}

async function createView(session: Session, view: LakeView): Promise<void> {
  const { definition } = view;
  const [zone = ''] = definition.key.split('/');
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zone)}`);
  if ('partitions' in view) {
    const list = view.partitions;
    const table = `__raw_${definition.key}`;
    await session.table(table, [
      ...partitionValues(session.driver, definition.space, list).filter(({ name }) => !name.startsWith('__')),
      { name: 'path', type: 'VARCHAR', values: list.map(({ path }) => path) },
      { name: 'bytes', type: 'BIGINT', values: list.map(({ bytes }) => BigInt(bytes)) },
    ]);
    await session.run(`CREATE TABLE ${viewName(definition)} AS FROM ${quoteIdentifier(table)}`);
    await session.run(`DROP TABLE ${quoteIdentifier(table)}`);
    return;
  }
  const columns = relationColumns(definition);
  await session.run(
    `CREATE VIEW ${viewName(definition)} AS ${view.files.length === 0 ? emptyRelation(columns) : await packsView(session, view, columns)}`,
  );
}

/** Packs written by older code may lack a column, which is NULL there. */
async function packsView(
  session: Session,
  { definition, files, partly = [] }: Extract<LakeView, { files: unknown }>,
  columns: ReturnType<typeof relationColumns>,
): Promise<string> {
  const source = `read_parquet(${pathList(files)}, hive_partitioning = false, union_by_name = true)`;
  const found = new Set((await session.describe(`SELECT * FROM ${source}`)).map(({ name }) => name));
  const list = columns.map(
    ({ name, type }) =>
      `CAST(${found.has(name) ? quoteIdentifier(name) : 'NULL'} AS ${type}) AS ${quoteIdentifier(name)}`,
  );
  return `SELECT ${list.join(', ')} FROM ${source}${partly.length === 0 ? '' : ` WHERE ${onlyLive(definition, partly)}`}`;
}

function onlyLive(
  { space }: AssetDefinition,
  partly: readonly { readonly path: string; readonly times: readonly number[] }[],
): string {
  const { time } = space;
  const cases = partly.map(({ path, times }) => {
    const live = time ? times.map((t) => partitionLiteral(space, {}, t, time.name)) : [];
    return `WHEN ${quoteLiteral(path)} THEN ${time ? `${quoteIdentifier(time.name)} IN (${live.join(', ')})` : 'TRUE'}`;
  });
  return `CASE filename ${cases.join(' ')} ELSE TRUE END`;
}

function explain(error: unknown, views: readonly LakeView[]): unknown {
  if (!isLakehouseError(error) || error.kind !== 'data') return error;
  const missing = /Table with name (.+?) does not exist/.exec(error.message)?.[1];
  const names = views.map(({ definition }) => definition.key.replace('/', '.'));
  if (missing !== undefined) {
    const table = (name: string) => name.slice(name.indexOf('.') + 1);
    // DuckDB names the table without its schema.
    const near = closest(missing, new Set(names.map(table)));
    const meant = names.filter((name) => near.includes(table(name)));
    const hint =
      meant.length > 0 ? `Did you mean ${meant.map((name) => `'${name}'`).join(' or ')}?` : didYouMean(missing, names);
    return new LakehouseError('unknown-table', `There is no table '${missing}'`, {
      kind: 'usage',
      hint,
      cause: error.cause,
    });
  }
  return new LakehouseError(error.code, error.message, { kind: 'usage', hint: error.hint, cause: error.cause });
}

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {
    // The error that led here says more.
  }
}

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
import { explained } from './select.ts';
import { tablesIn } from './syntax.ts';
import { emptyRelation, pathList } from './types.ts';

/**
 * Runs one SELECT in an instance of its own, which sees the views and can open no file but theirs. Zones are schemas, all of which
 * are searched for a name without one.
 * @param scratch an empty directory for it alone, because DuckDB lets a query read what lies in its temporary directory.
 * Throws `unknown-table`, `ambiguous-table`, `query-invalid`, `query-not-select` (usage).
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
    const wanted = await wantedViews(session, sql, views);
    for (const view of wanted) await createView(session, view);
    const zones = new Set(wanted.map(({ definition }) => zoneOf(definition)));
    if (zones.size > 0) await session.run(`SET search_path = ${quoteLiteral([...zones].join(','))}`);
    const files = views.flatMap((view) => ('files' in view ? view.files : []));
    if (files.length > 0) await session.run(`SET allowed_paths = ${pathList(files)}`);
    await session.run('SET enable_external_access = false');
    await session.run('SET lock_configuration = true');

    // In a transaction, which tells at the end whether the rows are whole.
    await session.run('BEGIN');
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
          if (chunk === null || chunk.rowCount === 0) return await requireWhole(session, sql, signal);
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

const zoneOf = ({ key }: AssetDefinition): string => key.slice(0, key.indexOf('/'));
const tableOf = ({ key }: AssetDefinition): string => key.slice(key.indexOf('/') + 1);

/** The views that a query names. What names anything else as well (the catalogue, a misspelling, nothing at all) sees them all. */
async function wantedViews(session: Session, sql: string, views: readonly LakeView[]): Promise<readonly LakeView[]> {
  const named = await tablesIn(session, explained(sql) ?? sql);
  const tables = Map.groupBy(views, ({ definition }) => tableOf(definition));
  if (named === undefined) {
    for (const [table, found] of tables)
      if (new RegExp(`(?<![\\w."])${table}(?![\\w"])`, 'i').test(sql)) refuseAmbiguous(table, found);
    return views;
  }
  const known = new Map(views.map((view) => [view.definition.key.replace('/', '.'), view]));
  const wanted = new Set<LakeView | undefined>();
  for (const name of named) {
    const found = tables.get(name) ?? [];
    refuseAmbiguous(name, found);
    wanted.add(known.get(name) ?? found[0]);
  }
  return wanted.size === 0 || wanted.has(undefined) ? views : [...wanted].filter((view) => view !== undefined);
}

/** One zone's table must not be taken for another's. */
function refuseAmbiguous(name: string, found: readonly LakeView[]): void {
  if (found.length < 2) return;
  const meant = found.map(({ definition }) => `'${definition.key.replace('/', '.')}'`);
  throw new LakehouseError('ambiguous-table', `There are several tables '${name}'`, {
    kind: 'usage',
    hint: `Write ${meant.join(' or ')}.`,
  });
}

/**
 * Of an error in the middle of a stream the driver tells nothing: the rows just end. But the transaction is aborted then.
 * @throws what the query fails with when it is run once more for its error alone; else `query-broke-off` (transient).
 */
async function requireWhole(session: Session, sql: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await session.rows('SELECT 1');
    return;
  } catch {
    await session.run('ROLLBACK');
  }
  const cause: unknown = await session
    .rows(`SELECT bit_xor(hash(q)) FROM (\n${sql.replace(/[;\s]+$/, '')}\n) q`)
    .catch((error: unknown) => error);
  // It was valid when it began: what is not any more is a file that is gone.
  if (isLakehouseError(cause) && cause.code !== 'query-invalid') throw cause;
  throw new LakehouseError('query-broke-off', 'The rows broke off before their end', {
    kind: 'transient',
    hint: 'A run may have replaced files while they were read. Run the query again.',
    cause,
  });
}

async function createView(session: Session, view: LakeView): Promise<void> {
  const { definition } = view;
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zoneOf(definition))}`);
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
    // DuckDB names the table without its schema.
    const near = closest(missing, new Set(views.map(({ definition }) => tableOf(definition))));
    const meant = names.filter((name) => near.includes(name.slice(name.indexOf('.') + 1)));
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

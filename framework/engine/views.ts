import { access } from 'node:fs/promises';
import { normalizeSql } from '../code/sql.ts';
import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import { type Database, openDatabase, type Session } from './duckdb.ts';
import { plainValue } from './json.ts';
import { partitionLiteral, partitionValues, relationColumns, viewName } from './partitions.ts';
import type { EngineSettings, LakeView, QueryResult, QueryValue } from './port.ts';
import { ambiguousTable, explainQuery, type Named, tableOf, withExcerpt, zoneOf } from './query-errors.ts';
import { render } from './render.ts';
import type { Scratch } from './scratch.ts';
import type { PreparedSelect } from './select.ts';
import { mayName } from './syntax.ts';
import { emptyRelation, pathList } from './types.ts';

/** DuckDB would list the names alone, which may be in several zones. */
const SHOW_TABLES =
  "SELECT concat(table_schema, '.', table_name) AS name FROM information_schema.tables ORDER BY table_schema, table_name";

/**
 * Runs one SELECT in an instance of its own, which sees the views and can open no file but theirs. Zones are schemas, all of which
 * are searched for a name without one.
 * @param scratch an empty directory for it alone, because DuckDB lets a query read what lies in its temporary directory.
 * Throws `unknown-table`, `ambiguous-table`, `query-invalid`, `query-not-select` (usage).
 */
export async function runQuery(
  settings: EngineSettings,
  scratch: Scratch,
  text: string,
  views: readonly LakeView[],
  signal: AbortSignal,
): Promise<QueryResult> {
  const sql = /^show tables( ;)*$/i.test(normalizeSql(text)) ? SHOW_TABLES : text;
  const definitions = views.map(({ definition }) => definition);
  const database = await openDatabase({ ...settings, tempDirectory: scratch.path });
  try {
    const session = await database.open('query', signal);
    // Views last: they read the others.
    const inOrder = [...views].sort((a, b) => Number('template' in a) - Number('template' in b));
    for (const view of inOrder) await createView(session, view);
    const decoys = await createDecoys(session, sql, definitions);
    const zones = [...decoys, ...new Set(definitions.map(zoneOf))];
    if (zones.length > 0) await session.run(`SET search_path = ${quoteLiteral(zones.join(','))}`);
    const files = views.flatMap((view) => ('files' in view ? view.files : []));
    if (files.length > 0) await session.run(`SET allowed_paths = ${pathList(files)}`);
    await session.run('SET enable_external_access = false');
    await session.run('SET lock_configuration = true');

    // In a transaction: one that is aborted tells of an error where no mark does.
    await session.run('BEGIN');
    const prepared = await session.prepareSelect(sql).catch((error: unknown) => {
      throw withExcerpt(error, sql);
    });
    const { columns, statement, marked } = prepared;
    const result = await session.interruptible(sql, () => statement.stream());
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      session.close();
      database.close();
      await scratch.remove();
    };
    async function* batches(): AsyncGenerator<QueryValue[][]> {
      let whole = false;
      try {
        while (!closed) {
          const chunk = await session.interruptible(sql, () => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) {
            if (!marked)
              whole = await session.rows('SELECT 1').then(
                () => true,
                () => false,
              );
            if (!whole) throw await whyBroken(session, prepared, files, signal);
            return;
          }
          const rows = chunk.getRows();
          if (marked) whole = rows.at(-1)?.at(-1) === false;
          if (whole) rows.pop();
          // The last chunk may have held the mark alone.
          if (rows.length > 0) yield rows.map((row) => (marked ? row.slice(0, -1) : row).map(plainValue));
        }
      } catch (error) {
        throw explainQuery(error, definitions);
      } finally {
        await close();
      }
    }
    return { columns, batches: batches(), close };
  } catch (error) {
    closeQuietly(database);
    await scratch.remove();
    throw explainQuery(error, definitions);
  }
}

/**
 * One zone's table must not be taken for another's: a name that several zones have, without a zone, finds a view first that cannot
 * be read. Only for names that the query may have, because the catalogue lists these views as well. The schemas to search first.
 */
async function createDecoys(session: Session, sql: string, definitions: readonly Named[]): Promise<readonly string[]> {
  const found = Map.groupBy(definitions, tableOf);
  const several = [...found].filter(([table, assets]) => assets.length > 1 && mayName(sql, table));
  if (several.length === 0) return [];
  const schema = '__ambiguous';
  await session.run(`CREATE SCHEMA ${schema}`);
  for (const [table] of several) {
    const missing = `${schema}.${quoteIdentifier(ambiguousTable(table))}`;
    await session.run(`CREATE TABLE ${missing} (x INTEGER)`);
    await session.run(`CREATE VIEW ${schema}.${quoteIdentifier(table)} AS FROM ${missing}`);
    await session.run(`DROP TABLE ${missing}`);
  }
  return [schema];
}

/** Why the rows broke off: what the query fails with when it is run once more, for its error alone. */
async function whyBroken(
  session: Session,
  { rerun }: PreparedSelect,
  files: readonly string[],
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  await session.run('ROLLBACK');
  const cause: unknown = await session.rows(rerun).then(
    () => undefined,
    (error: unknown) => error,
  );
  signal.throwIfAborted();
  const there = await Promise.all(
    files.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  // A file that is gone shows itself in many ways.
  if (cause !== undefined && there.every(Boolean)) return cause;
  return new LakehouseError('query-broke-off', 'The rows broke off before their end', {
    kind: 'transient',
    hint: 'A run may have replaced files while they were read. Run the query again.',
    cause,
  });
}

async function createView(session: Session, view: LakeView): Promise<void> {
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zoneOf(view.definition))}`);
  if ('template' in view) {
    const { definition, template } = view;
    const relation = (input: string) => viewName(definition.inputs[input] ?? { key: input });
    const text = render(template, { relation, partition: quoteIdentifier });
    await session.run(`CREATE VIEW ${viewName(definition)} AS ${text}`);
    return;
  }
  const { definition } = view;
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

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {
    // The error that led here says more.
  }
}

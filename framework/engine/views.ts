import { access } from 'node:fs/promises';
import { normalizeSql } from '../code/sql.ts';
import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import type { ViewDefinition } from '../define/view.ts';
import { arrowBatches, type ColumnChunk } from './arrow.ts';
import type { Session } from './duckdb.ts';
import { plainValue } from './json.ts';
import { partitionLiteral, partitionValues, relationColumns, viewName } from './partitions.ts';
import type { EngineSettings, LakeView, QueryOptions, QueryResult, QueryValue } from './port.ts';
import { explainQuery, withExcerpt, zoneOf } from './query-errors.ts';
import { isRemote } from './remote.ts';
import { render } from './render.ts';
import { openSandbox } from './sandbox.ts';
import type { Scratch } from './scratch.ts';
import { type PreparedSelect, withoutEnd } from './select.ts';
import { emptyRelation, pathList } from './types.ts';

/** DuckDB would list the names alone, which may be in several zones. */
const SHOW_TABLES =
  "SELECT concat(table_schema, '.', table_name) AS name FROM information_schema.tables ORDER BY table_schema, table_name";

/**
 * Runs one SELECT in a sandbox of its own over the views. See {@link openSandbox} for `scratch`.
 * Throws `unknown-table`, `ambiguous-table`, `query-invalid`, `query-not-select`, `file-not-allowed`, `no-such-path` (usage).
 */
export async function runQuery(
  settings: EngineSettings,
  scratch: Scratch,
  text: string,
  views: readonly LakeView[],
  signal: AbortSignal,
  { allow = [], into }: QueryOptions = {},
): Promise<QueryResult> {
  const sql = /^show tables( ;)*$/i.test(normalizeSql(text)) ? SHOW_TABLES : text;
  const definitions = views.map(({ definition }) => definition);
  const files = views.flatMap((view) => ('files' in view ? view.files : []));
  let close = () => scratch.remove();
  try {
    const sandbox = await openSandbox(
      settings,
      scratch,
      {
        sql,
        relations: definitions,
        fill: async (session) => {
          // Views last: they read the others.
          const inOrder = [...views].sort((a, b) => Number('template' in a) - Number('template' in b));
          for (const view of inOrder) await createView(session, view);
        },
        files: into === undefined ? files : [...files, into],
        allow,
      },
      signal,
    );
    const { session } = sandbox;
    close = sandbox.close;

    // In a transaction: one that is aborted tells of an error where no mark does.
    await session.run('BEGIN');
    const prepared = await session.prepareSelect(sql).catch((error: unknown) => {
      throw withExcerpt(error, sql);
    });
    const { columns, types, statement, marked } = prepared;
    if (into !== undefined) {
      // DuckDB looks up the columns of a PIVOT in a transaction of its own.
      await session.run('ROLLBACK');
      const written = await session.run(
        `COPY (${exactColumns(prepared, sql)}) TO ${quoteLiteral(into)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
      );
      return { columns, batches: none(), arrow: none, written, close };
    }
    refuseNameless(columns);
    const result = await session.interruptible(sql, () => statement.stream());
    let closed = false;
    async function* chunks(): AsyncGenerator<ColumnChunk> {
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
          if (marked) whole = chunk.getColumnVector(chunk.columnCount - 1).getItem(chunk.rowCount - 1) === false;
          const rows = whole && marked ? chunk.rowCount - 1 : chunk.rowCount;
          // The last chunk may have held the mark alone.
          if (rows > 0) yield { rows, values: (column) => chunk.getColumnValues(column).slice(0, rows) };
        }
      } catch (error) {
        throw explainQuery(error, definitions, files);
      } finally {
        await sandbox.close();
      }
    }
    async function* batches(): AsyncGenerator<QueryValue[][]> {
      for await (const { rows, values } of chunks()) {
        const table = columns.map((_, i) => values(i));
        yield Array.from({ length: rows }, (_, row) => table.map((column) => plainValue(column[row] ?? null)));
      }
    }
    const typed = columns.map(({ name }, i) => ({ name, type: types[i] as (typeof types)[number] }));
    return {
      columns,
      batches: batches(),
      arrow: () => arrowBatches(session.driver, typed, chunks()),
      close: async () => {
        closed = true;
        await sandbox.close();
      },
    };
  } catch (error) {
    await close();
    throw explainQuery(error, definitions, files);
  }
}

/** Throws `nameless-values` (usage): of values without names the driver gives but the last. */
function refuseNameless(columns: PreparedSelect['columns']): void {
  const found = columns.find(({ type }) => /\("" .*, "" /.test(type));
  if (found === undefined) return;
  throw new LakehouseError('nameless-values', `Column '${found.name}' (${found.type}) has values without names`, {
    kind: 'usage',
    hint: "Name them, {'a': …, 'b': …} in the place of (…, …), or cast the column: CAST(… AS VARCHAR).",
  });
}

/** A type in which its widest integers are DECIMAL, where it has some; names in quotes are left alone. */
const withoutHugeint = (type: string): string =>
  type.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\bU?HUGEINT\b/g, (part) => (/^U?H/.test(part) ? 'DECIMAL(38,0)' : part));

/** A statement of which Parquet can hold every value as it is: of the widest integers DuckDB would make a DOUBLE. */
function exactColumns({ columns }: PreparedSelect, sql: string): string {
  const inner = `\n${withoutEnd(sql)}\n`;
  const exact = columns.map(({ name, type }) => ({ name, type, as: withoutHugeint(type) }));
  if (exact.every(({ type, as }) => type === as)) return inner;
  const list = exact.map(
    ({ name, type, as }, i) => `${type === as ? `c${i}` : `CAST(c${i} AS ${as})`} AS ${quoteIdentifier(name)}`,
  );
  return `SELECT ${list.join(', ')} FROM (${inner}) q(${exact.map((_, i) => `c${i}`).join(', ')})`;
}

async function* none(): AsyncGenerator<never> {}

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
    files.map(
      (path) =>
        isRemote(path) ||
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

/** A view over assets, whose own views are there. */
export async function createTemplateView(session: Session, definition: ViewDefinition): Promise<void> {
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zoneOf(definition))}`);
  const relation = (input: string) => viewName(definition.inputs[input] ?? { key: input });
  const text = render(definition.template, { relation, partition: quoteIdentifier });
  await session.run(`CREATE VIEW ${viewName(definition)} AS ${text}`);
}

/** A view of the current database, in the schema of its zone. */
export async function createView(session: Session, view: LakeView): Promise<void> {
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(zoneOf(view.definition))}`);
  if ('template' in view) {
    await createTemplateView(session, view.definition);
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

/** Packs written by older code may lack a column, which is NULL there. Only where all are not alike is each of them asked what it has. */
async function packsView(
  session: Session,
  { definition, files, alike = false, partly = [] }: Extract<LakeView, { files: unknown }>,
  columns: ReturnType<typeof relationColumns>,
): Promise<string> {
  const source = `read_parquet(${pathList(files)}, hive_partitioning = false, union_by_name = ${!alike})`;
  const found = new Set((await session.describe(`SELECT * FROM ${source}`)).map(({ name }) => name));
  const list = columns.map(
    ({ name, type }) =>
      `CAST(${found.has(name) ? quoteIdentifier(name) : 'NULL'} AS ${type}) AS ${quoteIdentifier(name)}`,
  );
  return `SELECT ${list.join(', ')} FROM ${source}${partly.length === 0 ? '' : ` WHERE ${onlyLive(definition, partly)}`}`;
}

/** What is true of the rows that count, in files of which only a part does. */
export function onlyLive(
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

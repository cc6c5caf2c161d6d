import type {
  DuckDBConnection,
  DuckDBExtractedStatements,
  DuckDBPreparedStatement,
  DuckDBType,
} from '@duckdb/node-api';
import { normalizeSql } from '../code/sql.ts';
import { LakehouseError } from '../common/errors.ts';

type StatementTypes = typeof import('@duckdb/node-api').StatementType;

/** A statement that only reads. */
export interface PreparedSelect {
  /** As the statement names them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The driver's types of the columns. */
  readonly types: readonly DuckDBType[];
  readonly statement: DuckDBPreparedStatement;
  /**
   * Whether each row has one more value, TRUE, and behind the last comes one with FALSE: without it the rows broke off, of which
   * the driver tells nothing. Not what cannot be a subquery (EXPLAIN, PRAGMA).
   */
  readonly marked: boolean;
  /** Runs into the same error as the statement, and gives one row at most where that can be had. */
  readonly rerun: string;
}

const EXPLAIN = /^explain (analy[sz]e )?(\( (analy[sz]e|format \w+)( , (analy[sz]e|format \w+))* \) )?/i;

/** What an EXPLAIN explains, in DuckDB's words without comments; undefined where it is none. */
export function explained(sql: string): string | undefined {
  const text = normalizeSql(sql);
  const rest = text.replace(EXPLAIN, '');
  return rest === text ? undefined : rest;
}

/** The one statement of a text, which only reads. Throws `query-not-select` (usage). */
export async function prepareSelect(
  types: StatementTypes,
  connection: DuckDBConnection,
  sql: string,
): Promise<PreparedSelect> {
  const statement = await prepareReading(types, connection, sql);
  const kinds = Array.from({ length: statement.columnCount }, (_, i) => statement.columnType(i));
  const columns = kinds.map((type, i) => ({ name: statement.columnName(i), type: String(type) }));
  const inner = `(\n${withoutEnd(sql)}\n)`;
  if (statement.statementType !== types.SELECT || (await extract(connection, `FROM ${inner}`)) === undefined)
    return { columns, types: kinds, statement, marked: false, rerun: sql };
  const end = `UNION ALL SELECT ${columns.map(() => 'NULL, ').join('')}FALSE`;
  const marked = await prepareReading(types, connection, `SELECT *, TRUE FROM ${inner} ${end}`);
  return { columns, types: kinds, statement: marked, marked: true, rerun: `SELECT bit_xor(hash(q)) FROM ${inner} q` };
}

async function prepareReading(
  types: StatementTypes,
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql).catch((cause: Error) => {
    // What the driver says of a text without any statement.
    throw cause.message.includes('native callback') ? notSelect('there is no statement') : cause;
  });
  const what = explained(sql);
  // Their files are refused before DuckDB says what they are.
  const [opener] = /^(copy|attach|export|import)\b/i.exec(normalizeSql(sql)) ?? [];
  if (opener !== undefined) throw notSelect(`${opener.toUpperCase()} is not a statement that only reads`);
  // Functions, but they write into directories that may be read, and onto standard output.
  const [writer] = /\benable_(?:logging|profiling)\b/i.exec(normalizeSql(sql)) ?? [];
  if (writer !== undefined) throw notSelect(`${writer} writes files`);
  const last = statements.count - 1;
  // DuckDB makes several statements of a PIVOT: all but the last look up which columns there will be. The user's own fit in no subquery.
  if (last > 0 && (await extract(connection, `FROM (\n${withoutEnd(what ?? sql)}\n)`)) === undefined)
    throw notSelect(`${statements.count} statements were given, one is run`);
  for (let i = 0; i < last; i++) {
    const lookup = await statements.prepare(i);
    if (lookup.statementType !== types.CREATE) throw notSelect('a part of it does not only read');
    await lookup.run();
  }
  const prepared = await statements.prepare(last);
  const type = prepared.statementType;
  if (type === types.EXPLAIN) {
    // EXPLAIN ANALYZE carries out what it explains, COPY included.
    if (what === undefined) throw notSelect('there is no telling what is explained');
    await prepareReading(types, connection, what);
  } else if (type !== types.SELECT) throw notSelect(`${types[type] ?? 'this'} is not a statement that only reads`);
  return prepared;
}

/** A text without the semicolons (and comments after them) that it ends with. */
export function withoutEnd(sql: string): string {
  let text = sql;
  while (normalizeSql(text).endsWith(';')) text = text.slice(0, text.lastIndexOf(';'));
  return text;
}

/** The statements of a text; undefined where DuckDB does not understand it. */
function extract(connection: DuckDBConnection, sql: string): Promise<DuckDBExtractedStatements | undefined> {
  return connection.extractStatements(sql).catch(() => undefined);
}

function notSelect(why: string): LakehouseError {
  return new LakehouseError('query-not-select', `Only one SELECT can be run: ${why}`, { kind: 'usage' });
}

import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { normalizeSql } from '../code/sql.ts';
import { LakehouseError } from '../common/errors.ts';

type StatementTypes = typeof import('@duckdb/node-api').StatementType;

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
): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql).catch((cause: Error) => {
    // What the driver says of a text without any statement.
    throw cause.message.includes('native callback') ? notSelect('there is no statement') : cause;
  });
  const last = statements.count - 1;
  for (let i = 0; i < last; i++) {
    // DuckDB makes two statements of a PIVOT: the first looks up which columns there will be.
    const lookup = /\bpivot\b/i.test(sql) ? await statements.prepare(i) : undefined;
    if (lookup?.statementType !== types.CREATE)
      throw notSelect(`${statements.count} statements were given, one is run`);
    await lookup.run();
  }
  const prepared = await statements.prepare(last);
  const type = prepared.statementType;
  if (type === types.EXPLAIN) {
    // EXPLAIN ANALYZE carries out what it explains, COPY included.
    const what = explained(sql);
    if (what === undefined) throw notSelect('there is no telling what is explained');
    await prepareSelect(types, connection, what);
  } else if (type !== types.SELECT) throw notSelect(`${types[type] ?? 'this'} is not a statement that only reads`);
  return prepared;
}

function notSelect(why: string): LakehouseError {
  return new LakehouseError('query-not-select', `Only one SELECT can be run: ${why}`, { kind: 'usage' });
}

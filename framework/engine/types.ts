import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { partitionColumns } from './partitions.ts';

/** The definition's columns with their types in DuckDB's own spelling. Throws `bad-column-type`. */
export async function canonicalColumns(session: Session, definition: AssetDefinition): Promise<ColumnDefinition[]> {
  if (definition.columns.length === 0) return [];
  const list = definition.columns
    .map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`)
    .join(', ');
  const found = await session.describe(`SELECT ${list}`).catch((error: unknown) => {
    if (!isLakehouseError(error) || error.code !== 'query-invalid') throw error;
    throw new LakehouseError('bad-column-type', `${error.message}: a column's type is not one of DuckDB's`, {
      cause: error,
    });
  });
  return definition.columns.map((column, i) => ({ ...column, type: found[i]?.type ?? column.type }));
}

const SIGNED = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'];
const UNSIGNED = ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT'];

/** Whether a value of one type always is, exactly and obviously, one of the other. Types in DuckDB's spelling. */
export function isLossless(from: string, to: string): boolean {
  if (from === to) return true;
  const decimals = [from, to].map((type) => /^DECIMAL\((\d+),(\d+)\)$/.exec(type));
  if (decimals[0] && decimals[1]) {
    const [w1, s1, w2, s2] = [decimals[0][1], decimals[0][2], decimals[1][1], decimals[1][2]].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return s1 <= s2 && w1 - s1 <= w2 - s2;
  }
  const within = (family: readonly string[]) => family.includes(from) && family.indexOf(from) < family.indexOf(to);
  const intoSigned = UNSIGNED.includes(from) && UNSIGNED.indexOf(from) < SIGNED.indexOf(to);
  return within(SIGNED) || within(UNSIGNED) || intoSigned;
}

/**
 * The select list that turns a query's result into the asset's columns, from the alias `source`. −0 becomes 0 and every NaN the
 * same NaN, because equal rows must be equal bytes.
 * Throws `schema-mismatch` (data) that names every column that does not fit.
 */
export function conform(
  definition: AssetDefinition,
  columns: readonly ColumnDefinition[],
  found: readonly TypedColumn[],
  source: string,
): string[] {
  const problems: string[] = [];
  const names = new Set(columns.map(({ name }) => name));
  const dimensions = new Set(partitionColumns(definition.space).map(({ name }) => name));
  for (const { name, type } of found) {
    if (!names.has(name) && !dimensions.has(name)) {
      const hint = didYouMean(
        name,
        columns.filter((column) => !found.some((f) => f.name === column.name)).map((column) => column.name),
      );
      problems.push(`'${name}' (${type}) is not a column of the asset.${hint ? ` ${hint}` : ''}`);
    }
  }
  const list = columns.map(({ name, type }) => {
    const result = found.find((column) => column.name === name);
    if (result === undefined) problems.push(`'${name}' (${type}) is missing from the query's result`);
    else if (!isLossless(result.type, type)) {
      problems.push(
        `'${name}' is declared ${type}, but the query gives ${result.type}: write CAST(… AS ${type}) AS ${name}`,
      );
    }
    const value = `${source}.${quoteIdentifier(name)}`;
    return `${canonicalSql(result?.type === type ? value : `CAST(${value} AS ${type})`, type)} AS ${quoteIdentifier(name)}`;
  });
  if (problems.length > 0) {
    const [only] = problems;
    const text = problems.length === 1 ? `: column ${only}` : `:${problems.map((p) => `\n  - column ${p}`).join('')}`;
    throw new LakehouseError(
      'schema-mismatch',
      `${definition.key}: the query does not give the declared columns${text}`,
      {
        kind: 'data',
        details: { expected: columns.map(({ name, type }) => ({ name, type })), got: found },
      },
    );
  }
  return list;
}

function canonicalSql(value: string, type: string): string {
  if (type !== 'DOUBLE' && type !== 'FLOAT') return value;
  return `CASE WHEN isnan(${value}) THEN CAST('NaN' AS ${type}) ELSE ${value} + CAST(0 AS ${type}) END`;
}

/** No rows of these columns. */
export function emptyRelation(columns: readonly TypedColumn[]): string {
  const list = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`);
  return `SELECT ${list.join(', ')} WHERE FALSE`;
}

export function identifiers(columns: readonly { readonly name: string }[], prefix = ''): string {
  return columns.map(({ name }) => `${prefix}${quoteIdentifier(name)}`).join(', ');
}

/** A list of paths as DuckDB reads it. Globs are literal in a list only when escaped, so paths with `*?[` are refused. */
export function pathList(paths: readonly string[]): string {
  const glob = paths.find((path) => /[*?[]/.test(path));
  if (glob !== undefined)
    throw new LakehouseError('bad-path', `${glob}: a path with * ? or [ cannot be read`, { kind: 'internal' });
  return `[${paths.map((path) => quoteLiteral(path)).join(', ')}]`;
}

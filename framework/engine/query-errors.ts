import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { closest, didYouMean } from '../common/suggest.ts';

/** An asset or a view. */
export type Named = { readonly key: string };

export const zoneOf = ({ key }: Named): string => key.slice(0, key.indexOf('/'));
export const tableOf = ({ key }: Named): string => key.slice(key.indexOf('/') + 1);
/** As a query names it. */
export const nameOf = ({ key }: Named): string => key.replace('/', '.');

const AMBIGUOUS = 'ambiguous: ';

/** What DuckDB is to miss when a query means a table that several zones have. */
export const ambiguousTable = (table: string): string => `${AMBIGUOUS}${table}`;

/**
 * What is wrong with a query that a person asked, in the lake's words. What is wrong with the lake stays as it is.
 * @param files that it may read: one that is gone DuckDB takes for a directory, and says of that what it says of a forbidden one.
 */
export function explainQuery(error: unknown, definitions: readonly Named[], files: readonly string[]): unknown {
  if (!isLakehouseError(error) || error.kind !== 'data' || error.code === 'file-corrupt') return error;
  const { code, message, hint, cause, details } = error;
  const refused = /Cannot access (?:file|directory) "(.+?)" - file system operations are disabled/.exec(message)?.[1];
  const gone = refused?.replace(/\/\*\*\/\*\.parquet$/, '');
  if (gone !== undefined && files.includes(gone))
    return new LakehouseError('file-missing', `${gone} is gone`, {
      kind: 'transient',
      hint: 'A run may have replaced it: ask again. If it stays so, run `lakehouse verify`.',
      cause,
      details,
    });
  if (refused !== undefined)
    return new LakehouseError('file-not-allowed', `The query may not read ${refused}, which is outside of the lake`, {
      kind: 'usage',
      hint: `Allow a file, or a directory with all that is in it: --allow ${refused}`,
      cause,
    });
  const missing = /Table with name (?:"(.+?)"|(.+?)) does not exist/.exec(message)?.slice(1).find(Boolean);
  if (missing === undefined) return new LakehouseError(code, message, { kind: 'usage', hint, cause });
  if (missing.startsWith(AMBIGUOUS)) {
    const table = missing.slice(AMBIGUOUS.length);
    const meant = definitions.filter((definition) => tableOf(definition) === table).map(nameOf);
    return new LakehouseError('ambiguous-table', `There are several tables '${table}'`, {
      kind: 'usage',
      hint: `Write ${orOf(meant)}.`,
      cause,
    });
  }
  const table = nameAtCaret(message, missing);
  return new LakehouseError('unknown-table', `There is no table '${table}'`, {
    kind: 'usage',
    hint: otherTable(table, definitions),
    cause,
    details: { ...details, table },
  });
}

/** The error of a statement with DuckDB's excerpt of it and the caret, unless that is of a statement DuckDB made itself. */
export function withExcerpt(error: unknown, sql: string): unknown {
  if (!isLakehouseError(error) || !(error.cause instanceof Error)) return error;
  const [, excerpt, line = ''] = /\n(LINE \d+: (?:\.\.\.)?(.*?)(?:\.\.\.)?\n *\^)/.exec(error.cause.message) ?? [];
  if (excerpt === undefined || !sql.includes(line)) return error;
  const { code, message, kind, hint, cause, details } = error;
  return new LakehouseError(code, `${message}\n${excerpt}`, { kind, hint, cause, details });
}

/** DuckDB names a missing table without its schema, but points at it. */
function nameAtCaret(message: string, missing: string): string {
  const [, line = '', indent = ''] = /\n(LINE \d+: .*)\n( *)\^/.exec(message) ?? [];
  const written = /^("[^"]+"|\w+)\s*\.\s*("[^"]+"|\w+)/.exec(line.slice(indent.length));
  const name = written?.slice(1).map((part) => part.replaceAll('"', ''));
  return name?.[1]?.toLowerCase() === missing.toLowerCase() ? name.join('.') : missing;
}

function otherTable(written: string, definitions: readonly Named[]): string | undefined {
  const names = definitions.map(nameOf);
  const table = written.slice(written.indexOf('.') + 1);
  const named = (within: readonly Named[]) => {
    const near = closest(table, new Set(within.map(tableOf)));
    return within.filter((definition) => near.includes(tableOf(definition))).map(nameOf);
  };
  // In the zone that was written, else the zone is wrong.
  const meant = [
    named(definitions.filter((definition) => written.startsWith(`${zoneOf(definition)}.`))),
    written === table ? [] : closest(written, names),
    named(definitions),
  ].find((found) => found.length > 0);
  return meant === undefined ? didYouMean(written, names) : `Did you mean ${orOf(meant)}?`;
}

const orOf = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' or ');

import { type ErrorKind, isLakehouseError, LakehouseError } from '../common/errors.ts';

interface Rule {
  readonly matches: RegExp;
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint?: string;
}

/** First match wins; `matches` sees DuckDB's whole message, which begins with the class of the error. */
const RULES: readonly Rule[] = [
  {
    matches: /no space left|disk full|max_temp_directory_size/i,
    code: 'disk-full',
    kind: 'transient',
    hint: 'Free some space, or point the data directory or engine.tempDirectory at a larger disk.',
  },
  {
    matches: /^(Out of Memory Error|.*failed to (allocate|offload|pin))/i,
    code: 'out-of-memory',
    kind: 'transient',
    hint: 'Raise engine.memoryLimit, or compute fewer partitions at once (smaller batches, lower concurrency).',
  },
  {
    matches: /no files found that match|no such file or directory|\(HTTP 404/i,
    code: 'file-missing',
    kind: 'transient',
    hint: 'Another run may have replaced the file: try again. If it stays so, run `lakehouse verify`.',
  },
  {
    matches:
      /no magic bytes|not a parquet file|too small to be a parquet file|footer length|TProtocolException|(snappy|zstd).*(fail|error)|corrupt/i,
    code: 'file-corrupt',
    kind: 'data',
    hint: 'Run `lakehouse verify` to find damaged files.',
  },
  {
    matches: /^(IO|HTTP) Error.*\b(s3:\/\/|HTTP)/s,
    code: 'engine-io',
    kind: 'transient',
    hint: 'If it stays so although the bucket can be reached, read through the local cache: --set s3.reads=cache',
  },
  { matches: /^(IO|HTTP|Connection) Error/, code: 'engine-io', kind: 'transient' },
  {
    matches: /^(Binder|Catalog|Parser|Syntax|Not implemented|Dependency|Permission) Error/,
    code: 'query-invalid',
    kind: 'data',
  },
  { matches: /^(INTERNAL|FATAL|Serialization) Error/, code: 'engine-internal', kind: 'internal' },
  {
    matches: /^(Conversion|Out of Range|Invalid Input|Constraint|Mismatch Type|Decimal|Invalid Type) Error/,
    code: 'query-data',
    kind: 'data',
  },
];

/** DuckDB's message without the excerpt of a statement that the user never wrote. */
export function driverMessage(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (
    text
      .replace(/^Failed to \w+ statements?: /, '')
      .split(/\n\nLINE \d+:/)[0]
      ?.trim() ?? text
  );
}

/** A failure of DuckDB in the framework's words. `where` begins the message: the asset and what was done. */
export function engineError(cause: unknown, where: string, sql?: string): Error {
  if (isLakehouseError(cause)) return cause;
  const message = driverMessage(cause);
  const rule = RULES.find(({ matches }) => matches.test(message));
  return new LakehouseError(rule?.code ?? 'engine-failed', `${where}: ${message}`, {
    kind: rule?.kind ?? 'data',
    hint: rule?.hint,
    cause,
    ...(sql !== undefined && { details: { sql: sql.length > 4000 ? `${sql.slice(0, 4000)} …` : sql } }),
  });
}

/** A message without the place that it begins with, for those who name the place themselves. */
export function withoutPlace(message: string, ...places: readonly string[]): string {
  const place = places.find((one) => message.startsWith(`${one}: `));
  return place === undefined ? message : message.slice(place.length + 2);
}

/** A temporary file that could not be written. */
export function fileError(cause: unknown, path: string): LakehouseError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new LakehouseError(full ? 'disk-full' : 'file-unwritable', `${path}: cannot be written (${code})`, {
    kind: 'transient',
    hint: full ? RULES[0]?.hint : 'Check the directory and the setting engine.tempDirectory.',
    cause,
  });
}

/** A guard inside a statement: raises an error that {@link guardOf} recognises. Give an SQL expression for the ordinal. */
export function guardSql(guard: Guard['guard'], ordinal: string): string {
  return `error('@lakehouse ${guard} ' || ${ordinal})`;
}

export interface Guard {
  readonly guard: 'span' | 'dimension';
  readonly ordinal: number;
}

/** Which guard stopped a statement, if one did. */
export function guardOf(error: unknown): Guard | undefined {
  const match = /@lakehouse (span|dimension) (\d+)/.exec(error instanceof Error ? error.message : '');
  return match?.[1] === 'span' || match?.[1] === 'dimension'
    ? { guard: match[1], ordinal: Number(match[2]) }
    : undefined;
}

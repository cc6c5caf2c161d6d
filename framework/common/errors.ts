/** One problem with something a person wrote (a definition, a setting, a selection). Data first: formatted only at the edge. */
export interface Issue {
  /** Stable machine-readable code, `kebab-case`. */
  readonly code: string;
  /** Where in the thing that was checked, e.g. `['silver/klines', 'columns', 'open']`. */
  readonly path: readonly (string | number)[];
  /** What is wrong, one sentence, without the path. */
  readonly message: string;
  /** What to write or do instead. */
  readonly hint?: string | undefined;
  /** Where it was written, when known. Line and column count from 1. */
  readonly at?: { readonly file: string; readonly line?: number; readonly column?: number } | undefined;
}

/**
 * How a failure may be answered.
 * - `usage`: the command, the settings or the definitions are wrong. Exit code 2. A partition that fails by it is left to the next run.
 * - `data`: the data is wrong. Fails its partition; not retried until an input, the code or the configuration changes.
 * - `transient`: network, disk, lock. Retried with backoff, and again by the next run.
 * - `conflict`: another process committed first. The stage is discarded and planned again.
 * - `internal`: a bug in this framework.
 */
export type ErrorKind = 'usage' | 'data' | 'transient' | 'conflict' | 'internal';

export interface LakehouseErrorOptions {
  readonly kind?: ErrorKind;
  readonly hint?: string | undefined;
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
  /** For `transient`: do not try again before this many milliseconds (e.g. Retry-After). */
  readonly retryAfterMs?: number | undefined;
  /** Structured facts for `--json` and the event log. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The one error class of the framework: says what was wrong, where (in the message) and what to do (`hint`). */
export class LakehouseError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly issues: readonly Issue[];
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, options: LakehouseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LakehouseError';
    this.code = code;
    this.kind = options.kind ?? 'usage';
    this.hint = options.hint;
    this.issues = options.issues ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

export function isLakehouseError(error: unknown): error is LakehouseError {
  return error instanceof Error && error.name === 'LakehouseError' && 'kind' in error;
}

/** An error as plain data for events and `--json`: message, code, kind, hint and the chain of causes. */
export interface SerializedError {
  readonly message: string;
  readonly code?: string;
  readonly kind?: ErrorKind;
  readonly hint?: string;
  readonly issues?: readonly Issue[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: SerializedError;
}

export function serializeError(error: unknown, depth = 3): SerializedError {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    message: error.message,
    ...(isLakehouseError(error) && {
      code: error.code,
      kind: error.kind,
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.issues.length > 0 && { issues: error.issues }),
      ...(error.details !== undefined && { details: error.details }),
    }),
    ...(error.cause !== undefined && depth > 0 && { cause: serializeError(error.cause, depth - 1) }),
  };
}

export function formatIssue(issue: Issue): string {
  const at = issue.at
    ? `${issue.at.file}${issue.at.line ? `:${issue.at.line}${issue.at.column ? `:${issue.at.column}` : ''}` : ''}: `
    : '';
  const path = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  const text = `${issue.message}${issue.hint ? `\n${issue.hint}` : ''}`;
  return `${at}${path}${text.replaceAll('\n', '\n    ')}`;
}

/** Throws one error that carries all issues; does nothing when there is none. */
export function throwIfIssues(code: string, summary: string, issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const lines = issues.map((issue) => `  - ${formatIssue(issue)}`);
  throw new LakehouseError(code, `${summary}\n${lines.join('\n')}`, { kind: 'usage', issues });
}

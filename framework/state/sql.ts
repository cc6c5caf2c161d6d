import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { isLakehouseError, LakehouseError } from '../common/errors.ts';

/** Other processes hold the write lock for milliseconds; whoever waits this long waits for a process that hangs. */
export const BUSY_TIMEOUT_MS = 60_000;

export type Row = Record<string, SQLOutputValue>;

const RESTORE =
  'Nothing was changed. Restore the file, with its -wal file if there is one, from a backup; without a backup move its directory away: the next run makes a new log and computes everything again.';

export function corrupt(message: string, cause?: unknown): LakehouseError {
  return new LakehouseError('state-corrupt', message, { kind: 'data', hint: RESTORE, cause });
}

export function readOnlyError(path: string, cause?: unknown): LakehouseError {
  return new LakehouseError('read-only', `The state ${path} cannot be written`, {
    kind: 'usage',
    hint: 'Check the permissions of the file and its directory, and that the disk is not mounted read-only.',
    cause,
  });
}

export const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** The -shm file could not be made large enough: what a full disk looks like at its first write. */
const IOERR_SHMSIZE = 4874;

/** What SQLite or the file system said, as an error that says what to do. */
export function translate(error: unknown, path: string): unknown {
  if (isLakehouseError(error)) return error;
  const extended = error instanceof Error && 'errcode' in error ? Number(error.errcode) : undefined;
  const sqlite = extended === undefined ? undefined : extended & 0xff;
  if (sqlite === 11 || sqlite === 26)
    return corrupt(`The state file ${path} is damaged: ${(error as Error).message}`, error);
  if (sqlite === 13 || extended === IOERR_SHMSIZE || codeOf(error) === 'ENOSPC') {
    const hint = 'Nothing was lost and nothing was appended. Free some space and run again.';
    return new LakehouseError('disk-full', `The disk that holds the state ${path} is full`, {
      kind: 'transient',
      hint,
      cause: error,
    });
  }
  if (
    sqlite === 8 ||
    sqlite === 14 ||
    codeOf(error) === 'EACCES' ||
    codeOf(error) === 'EROFS' ||
    codeOf(error) === 'EPERM'
  ) {
    return readOnlyError(path, error);
  }
  if (sqlite === 5 || sqlite === 6) {
    const hint = 'Another process holds its lock. See whether one hangs.';
    return new LakehouseError('state-busy', `The state ${path} stayed locked for ${BUSY_TIMEOUT_MS / 1000} s`, {
      kind: 'transient',
      hint,
      cause: error,
    });
  }
  if (sqlite === 19) {
    return new LakehouseError('bad-event', `The log refuses the event: ${(error as Error).message}`, {
      kind: 'internal',
      cause: error,
    });
  }
  if (sqlite === 10) {
    return new LakehouseError('state-io', `Reading or writing the state ${path} failed`, {
      kind: 'transient',
      cause: error,
    });
  }
  return error;
}

/** Runs `body` in one transaction: all of it or nothing. `immediate` holds the write lock from the start, `deferred` only reads. */
export function transaction<T>(db: DatabaseSync, mode: 'immediate' | 'deferred', body: () => T): T {
  db.exec(`BEGIN ${mode}`);
  try {
    const result = body();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** A statement that is prepared once per connection. Not for `iterate`: two uses at once would disturb each other. */
export function prepare(db: DatabaseSync, sql: string): StatementSync {
  let known = statements.get(db);
  if (known === undefined) {
    known = new Map();
    statements.set(db, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = db.prepare(sql);
    known.set(sql, statement);
  }
  return statement;
}

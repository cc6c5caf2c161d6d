import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { LakehouseError } from '../common/errors.ts';
import { checkSchema, createSchema, migrate } from './migrations.ts';
import { BUSY_TIMEOUT_MS, codeOf, corrupt, transaction } from './sql.ts';

/** An open state file. */
export interface Connection {
  readonly db: DatabaseSync;
  /** Read-only ones only: the file is no longer what was opened, so that what was read since cannot be relied on. */
  outdated(): boolean;
}

interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

function stampOf(path: string): Stamp | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { size: found.size, mtimeMs: found.mtimeMs, ino: found.ino };
}

const hasWal = (path: string): boolean => (stampOf(`${path}-wal`)?.size ?? 0) > 0;

function refuseEmpty(path: string): void {
  if (stampOf(path)?.size === 0) throw corrupt(`The state file ${path} is empty (0 bytes); it was cut off`);
}

function setUp(db: DatabaseSync): DatabaseSync {
  // No mmap: a file that is cut off under a mapping kills the process instead of giving an error.
  db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF');
  return db;
}

/** Made elsewhere and then linked: a state file is whole or absent, whoever else makes it now and whenever the power goes. */
function create(path: string, writer: string): void {
  const drafts = mkdtempSync(`${path}.new-`);
  try {
    const draft = join(drafts, 'state');
    const db = new DatabaseSync(draft);
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      transaction(db, 'immediate', () => createSchema(db, writer));
    } finally {
      db.close();
    }
    try {
      linkSync(draft, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return;
      if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP' && codeOf(error) !== 'ENOSYS') throw error;
      // A file system without links.
      copyFileSync(draft, path, constants.COPYFILE_EXCL);
    }
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

/**
 * Opens a state file for writing; makes it where there is none. The directory must exist: a lake whose disk is not mounted
 * must not begin anew somewhere else.
 */
export function openForWriting(path: string, writer: string): Connection {
  const directory = dirname(path);
  if (stampOf(directory) === undefined) {
    throw new LakehouseError('no-directory', `The directory ${directory} of the state does not exist`, {
      kind: 'usage',
      hint: 'Create it, or mount the disk it is on.',
    });
  }
  accessSync(directory, constants.W_OK);
  if (stampOf(path) === undefined) create(path, writer);
  accessSync(path, constants.W_OK);
  // Refusals first, while nothing has been written beside the file.
  openForReading(path).db.close();
  const db = setUp(new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }));
  try {
    db.exec('PRAGMA journal_mode = WAL');
    migrate(db, path, writer);
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, outdated: () => false };
}

/**
 * Opens a state file without making or altering any file. A live lake (one with a -wal) is read together with its writers;
 * a quiet one as an immutable file, whose stamp tells afterwards whether it stayed quiet; a missing one is empty.
 */
export function openForReading(path: string): Connection {
  const stamp = stampOf(path);
  if (stamp === undefined) {
    const db = new DatabaseSync(':memory:');
    createSchema(db, '');
    return { db, outdated: () => stampOf(path) !== undefined };
  }
  refuseEmpty(path);
  const live = hasWal(path);
  const url = pathToFileURL(path);
  if (!live) url.searchParams.set('immutable', '1');
  const db = setUp(new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS }));
  const outdated = (): boolean => {
    const now = stampOf(path);
    return (
      !live && (hasWal(path) || now?.size !== stamp.size || now.mtimeMs !== stamp.mtimeMs || now.ino !== stamp.ino)
    );
  };
  try {
    checkSchema(db, path);
  } catch (error) {
    const moved = outdated();
    db.close();
    if (moved) return openForReading(path);
    throw error;
  }
  return { db, outdated };
}

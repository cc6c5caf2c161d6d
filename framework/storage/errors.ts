import { type ErrorKind, isLakehouseError, LakehouseError } from '../common/errors.ts';

/** What was being done to the path when the operating system refused. */
export type StorageAction = 'read' | 'write' | 'list' | 'delete';

interface Meaning {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly hint: string;
}

const FULL: Meaning = {
  code: 'disk-full',
  kind: 'transient',
  what: 'the disk is full',
  hint: 'Free some space on the disk of that directory and run again. Nothing that was committed is harmed.',
};
const FILES: Meaning = {
  code: 'too-many-open-files',
  kind: 'transient',
  what: 'too many files are open',
  hint: 'Raise the limit (ulimit -n), or let fewer things run at once.',
};
const SHAPE: Meaning = {
  code: 'not-a-directory',
  kind: 'usage',
  what: 'a file stands where a directory is needed, or a directory where a file is needed',
  hint: 'Move it away, or choose another data directory.',
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, what: 'the disk quota is used up' },
  EMFILE: FILES,
  ENFILE: FILES,
  EEXIST: SHAPE,
  ENOTDIR: SHAPE,
  EISDIR: SHAPE,
  ENAMETOOLONG: {
    code: 'name-too-long',
    kind: 'usage',
    what: 'the path is longer than the file system allows',
    hint: 'Use a data directory with a shorter path, or shorter partition values.',
  },
};

function meaningOf(errno: string, action: StorageAction): Meaning {
  if (errno === 'EROFS' || errno === 'EACCES' || errno === 'EPERM') {
    return action === 'read' || action === 'list'
      ? {
          code: 'unreadable',
          kind: 'usage',
          what: 'permission denied',
          hint: 'Give the user who runs this the right to read it.',
        }
      : {
          code: 'read-only-directory',
          kind: 'usage',
          what: errno === 'EROFS' ? 'the file system is read-only' : 'permission denied',
          hint: 'Make the directory writable for the user who runs this, or choose another data directory.',
        };
  }
  const known = MEANINGS[errno];
  if (known !== undefined) return known;
  return {
    code: 'storage-failed',
    kind: 'transient',
    what: 'the operating system reported an error',
    hint: 'Run again. If it stays, look at the disk or the mount that holds it.',
  };
}

/**
 * A failed file operation as a `LakehouseError` that names the path and what to do. `transient`: `disk-full`,
 * `too-many-open-files`, `storage-failed` (anything else). `usage`: `read-only-directory`, `unreadable`, `not-a-directory`,
 * `name-too-long`. An error that is a LakehouseError already, or has no errno (a bug, not the disk), is returned as it is.
 */
export function storageError(error: unknown, action: StorageAction, path: string): unknown {
  if (isLakehouseError(error)) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const { code, kind, what, hint } = meaningOf(errno, action);
  return new LakehouseError(code, `Cannot ${action} ${path}: ${what} (${errno})`, {
    kind,
    hint,
    cause: error,
    details: { path, action, errno },
  });
}

/** The operating system's code of an error, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What nobody can read: `conflict`, since whoever named it should look again at what is current. */
export function objectMissing(key: string, root: string, cause?: unknown): LakehouseError {
  return new LakehouseError('object-missing', `There is no object '${key}' in ${root}`, {
    kind: 'conflict',
    hint: "It may have been superseded meanwhile. If the log still refers to it, 'lakehouse verify' finds all such.",
    cause,
    details: { key },
  });
}

/** What a commit finds in its place. */
export function objectExists(key: string): LakehouseError {
  return new LakehouseError('object-exists', `The object '${key}' exists already, and objects are never overwritten`, {
    kind: 'conflict',
    hint: 'Another process was first. Plan again.',
    details: { key },
  });
}

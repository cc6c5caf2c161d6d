import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import { type ArchiveClient, type ArchiveObject, compareKeys, objectNotFound } from './archive.ts';

/**
 * A local mirror of the archive, read-only. Links inside the mirror are refused, not followed, so nothing outside the directory
 * can be read through it (the directory itself may be a link). What has no `data/` is not listed: a wrong path, or a disk that is
 * not mounted, would look like an archive from which everything has vanished.
 * @throws LakehouseError from every method, kind `usage`: `archive-directory` when a listing finds no mirror there,
 * `archive-link` when a link is met, `archive-key` for a key that is no path inside; kind `transient`: `archive-directory` from
 * `get`, because it had been listed, `archive-read`, `object-changed-while-reading`.
 */
export function directoryArchive(directory: string): ArchiveClient {
  const where = (key: string): Promise<Place | undefined> => locate(directory, key);

  async function* list(prefix: string, startAfter: string, signal?: AbortSignal): AsyncGenerator<ArchiveObject> {
    await requireMirror(directory);
    yield* walk(folderOf(prefix), prefix, startAfter, signal);
  }

  async function* walk(
    folder: string,
    prefix: string,
    startAfter: string,
    signal?: AbortSignal,
  ): AsyncGenerator<ArchiveObject> {
    signal?.throwIfAborted();
    const entries = (await readFolder(await where(folder))).filter(
      ({ key, isFolder }) =>
        key.startsWith(prefix) && (compareKeys(key, startAfter) > 0 || (isFolder && startAfter.startsWith(key))),
    );
    // All of a folder's files at once: one by one, a listing of thousands waits for each answer of the disk.
    const stats = await Promise.all(entries.map(({ path, isFolder }) => (isFolder ? undefined : statFile(path))));
    for (const [i, { key, isFolder }] of entries.entries()) {
      const stat = stats[i];
      if (isFolder) yield* walk(key, prefix, startAfter, signal);
      else if (stat)
        yield { key, bytes: Number(stat.size), version: versionOf(stat), modifiedMs: Number(stat.mtimeMs) };
    }
  }

  return {
    describe: directory,
    list: (prefix, { signal, startAfter = '' } = {}) => list(prefix, startAfter, signal),
    listPrefixes: async (prefix, { signal } = {}) => {
      signal?.throwIfAborted();
      await requireMirror(directory);
      const entries = await readFolder(await where(folderOf(prefix)));
      return entries.filter(({ key, isFolder }) => isFolder && key.startsWith(prefix)).map(({ key }) => key);
    },
    get: async (key, { signal } = {}) => {
      signal?.throwIfAborted();
      const place = await locate(directory, key, 'transient');
      if (place === undefined) throw objectNotFound(key, directory);
      try {
        await using file = await open(place.path, constants.O_RDONLY);
        const before = await file.stat({ bigint: true });
        if (!before.isFile()) throw objectNotFound(key, directory);
        const bytes = await file.readFile({ signal });
        const version = versionOf(before);
        // The version must be that of the bytes: a file rewritten in place while it was read has neither.
        if (version !== versionOf(await file.stat({ bigint: true })) || BigInt(bytes.length) !== before.size) {
          throw new LakehouseError(
            'object-changed-while-reading',
            `${key} was changed in ${directory} while it was read`,
            {
              kind: 'transient',
            },
          );
        }
        return { bytes, version };
      } catch (error) {
        signal?.throwIfAborted();
        throw readError(key, directory, error);
      }
    },
  };
}

interface Place {
  readonly key: string;
  readonly path: string;
}

interface Entry extends Place {
  readonly isFolder: boolean;
}

/** @throws LakehouseError `archive-directory` (usage). */
async function requireMirror(directory: string): Promise<void> {
  const data = await locate(directory, 'data');
  const entries = data && (await readdir(data.path).catch((error: unknown) => unlessMissing(error, data)));
  if (entries !== undefined && entries.length > 0) return;
  const isFile = (await stat(directory)).isFile();
  throw notMirror(
    directory,
    'usage',
    isFile ? 'is a file' : entries ? 'has nothing in data/' : 'contains no directory data/',
  );
}

/** Where a key lies on disk; undefined when nothing is there. @throws LakehouseError `archive-directory` of the given kind. */
async function locate(
  directory: string,
  key: string,
  kind: 'usage' | 'transient' = 'usage',
): Promise<Place | undefined> {
  if (key.split('/').some((part, i, all) => (part === '' && i < all.length - 1) || part === '.' || part === '..')) {
    throw badKey(key);
  }
  if (/[\\\0]/.test(key)) throw badKey(key);
  const root = await realpath(directory).catch((cause: unknown) => {
    throw notMirror(directory, kind, isMissing(cause) ? 'does not exist' : 'cannot be opened', cause);
  });
  const path = join(root, key.replace(/\/$/, ''));
  try {
    if ((await realpath(path)) !== path) throw linkError(key, directory);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw readError(key, directory, error);
  }
  return { key, path };
}

/** A folder's entries in the order of their keys; a folder's key ends in `/`. */
async function readFolder(folder: Place | undefined): Promise<Entry[]> {
  if (folder === undefined) return [];
  const found = await readdir(folder.path, { withFileTypes: true }).catch((error: unknown) =>
    unlessMissing(error, folder),
  );
  return (found ?? [])
    .map((entry) => {
      if (entry.isSymbolicLink()) throw linkError(`${folder.key}${entry.name}`, folder.path);
      const isFolder = entry.isDirectory();
      const key = `${folder.key}${entry.name}${isFolder ? '/' : ''}`;
      return { key, path: join(folder.path, entry.name), isFolder };
    })
    .sort((a, b) => compareKeys(a.key, b.key));
}

/** Undefined when the file vanished after its folder was read, or is not a plain file. */
async function statFile(path: string): Promise<BigIntStats | undefined> {
  const stat = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw readError(path, path, error);
  });
  return stat?.isFile() ? stat : undefined;
}

const versionOf = (stat: BigIntStats): string => `${stat.mtimeNs}+${stat.size}`;

const folderOf = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf('/') + 1);

function unlessMissing(error: unknown, { key, path }: Place): undefined {
  if (!isMissing(error)) throw readError(key, path, error);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function readError(key: string, where: string, cause: unknown): LakehouseError {
  if (isLakehouseError(cause)) return cause;
  if (isMissing(cause)) return objectNotFound(key, where, cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LakehouseError('archive-read', `${key || 'The archive'} cannot be read: ${reason}`, {
    kind: 'transient',
    cause,
  });
}

function notMirror(directory: string, kind: 'usage' | 'transient', what: string, cause?: unknown): LakehouseError {
  return new LakehouseError('archive-directory', `exchanges.binance.archive.directory ${directory} ${what}`, {
    kind,
    hint: "It must be a mirror of the archive's bucket: the directory that contains data/ (data/spot/…, data/futures/…). If it is on another disk, see whether that is mounted.",
    cause,
  });
}

function linkError(key: string, where: string): LakehouseError {
  return new LakehouseError('archive-link', `${key} in ${where} is a link, or lies behind one`, {
    hint: 'A mirror must hold plain files and directories: copy them in, or mount them there.',
  });
}

function badKey(key: string): LakehouseError {
  return new LakehouseError('archive-key', `${JSON.stringify(key)} is not a key inside the archive`);
}

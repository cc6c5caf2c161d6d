import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import { type ArchiveClient, type ArchiveObject, compareKeys, objectNotFound } from './archive.ts';

/**
 * A local mirror of the archive, read-only. Links inside the mirror are refused, not followed, so nothing outside the directory
 * can be read through it (the directory itself may be a link).
 * @throws LakehouseError from every method, kind `usage`: `archive-directory` when the directory cannot be opened,
 * `archive-link` when a link is met, `archive-key` for a key that is no path inside; kind `transient`: `archive-read`,
 * `object-changed-while-reading`.
 */
export function directoryArchive(directory: string): ArchiveClient {
  const where = (key: string): Promise<Place | undefined> => locate(directory, key);

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
    list: (prefix, { signal, startAfter = '' } = {}) => walk(folderOf(prefix), prefix, startAfter, signal),
    listPrefixes: async (prefix, { signal } = {}) => {
      signal?.throwIfAborted();
      const entries = await readFolder(await where(folderOf(prefix)));
      return entries.filter(({ key, isFolder }) => isFolder && key.startsWith(prefix)).map(({ key }) => key);
    },
    get: async (key, { signal } = {}) => {
      signal?.throwIfAborted();
      const place = await where(key);
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

/** Where a key lies on disk; undefined when nothing is there. */
async function locate(directory: string, key: string): Promise<Place | undefined> {
  if (key.split('/').some((part, i, all) => (part === '' && i < all.length - 1) || part === '.' || part === '..')) {
    throw badKey(key);
  }
  if (/[\\\0]/.test(key)) throw badKey(key);
  const root = await realpath(directory).catch((cause: unknown) => {
    throw new LakehouseError('archive-directory', `The archive directory ${directory} cannot be opened`, {
      hint: 'Point it at a mirror of the archive: the directory that contains data/.',
      cause,
    });
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
  const found = await readdir(folder.path, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw readError(folder.key, folder.path, error);
  });
  return found
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

function linkError(key: string, where: string): LakehouseError {
  return new LakehouseError('archive-link', `${key} in ${where} is a link, or lies behind one`, {
    hint: 'A mirror must hold plain files and directories: copy them in, or mount them there.',
  });
}

function badKey(key: string): LakehouseError {
  return new LakehouseError('archive-key', `${JSON.stringify(key)} is not a key inside the archive`);
}

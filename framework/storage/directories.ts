import { link, lstat, mkdir, open, readlink, realpath, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import { errnoOf, objectExists } from './errors.ts';

/** How often work in a directory is tried again when other processes prune that directory at the same moment. */
const ATTEMPTS = 20;

/**
 * The directories below one root, named by their keys: made durably, never through a symbolic link. '.' is the root itself,
 * which may be a link. Throws the operating system's errors as they are, and those named here.
 */
export class DirectoryTree {
  readonly root: string;
  #realRoot: string | undefined;
  /** Directories for which this process has synced the whole chain of parents, whoever made them. */
  readonly #durable = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.root = root;
  }

  /** Does the work in a directory that is there, made durable when it is not. @throws `symlink-in-key`, `not-a-directory` (usage). */
  async within<T>(key: string, work: (path: string) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#make(key);
        return await work(join(this.root, key));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
        this.#forget(key);
      }
    }
  }

  /** Gives a durable file its name. @throws `object-exists` (conflict) when the name is taken; `no-hard-links` (usage). */
  async link(from: string, key: string): Promise<void> {
    const to = join(this.root, key);
    await this.within(dirname(key), async () => {
      await this.contains(dirname(key));
      try {
        await hardLink(from, to);
      } catch (error) {
        throw errnoOf(error) === 'EEXIST' ? await taken(key, to) : error;
      }
    });
  }

  /** Whether something is there, under exactly this path. @throws `symlink-in-key` (usage). */
  async contains(key: string): Promise<boolean> {
    try {
      this.#realRoot ??= await realpath(this.root);
      const real = await realpath(join(this.root, key));
      if (real !== resolve(this.#realRoot, key)) throw throughLink(key, real);
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return false;
      throw errno === 'ELOOP' ? throughLink(key, 'a loop') : error;
    }
  }

  /** Makes the names in the directory durable. */
  async sync(key: string): Promise<void> {
    await syncDirectory(join(this.root, key));
  }

  /** Removes the directory and its parents as far as they are empty, the root excepted. */
  async prune(key: string): Promise<void> {
    for (let directory = key; directory !== '.'; directory = dirname(directory)) {
      this.#durable.delete(directory);
      try {
        await rmdir(join(this.root, directory));
      } catch {
        return; // Not empty, or already gone. One that stays does no harm.
      }
    }
  }

  #make(key: string): Promise<void> {
    const known = this.#durable.get(key);
    if (known !== undefined) return known;
    const making = this.#makeNow(key);
    this.#durable.set(key, making);
    making.catch(() => this.#durable.delete(key));
    return making;
  }

  async #makeNow(key: string): Promise<void> {
    if (key === '.') return makeDirectory(this.root);
    await this.#make(dirname(key));
    const path = join(this.root, key);
    await mkdir(path).catch(unless('EEXIST'));
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) throw throughLink(key, await readlink(path));
    if (!stats.isDirectory()) throw notADirectory(path);
    await syncDirectory(dirname(path));
  }

  #forget(key: string): void {
    this.#durable.delete(key);
    if (key !== '.') this.#forget(dirname(key));
  }
}

/**
 * Makes a directory and its parents, durably. Not `mkdir(…, { recursive: true })`: that reports a read-only file system as ENOENT,
 * never returns below /proc, and syncs nothing. Throws the operating system's errors as they are.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    await mkdir(path).catch(unless('EEXIST'));
  }
  await syncDirectory(dirname(path));
}

/** Throws the operating system's errors as they are, and `no-hard-links` (usage). */
export async function hardLink(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    throw ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errno) ? noLinks(to, errno, error) : error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    // EINVAL: some network and FUSE mounts cannot sync a directory; they order names by themselves or promise nothing.
    await handle.sync().catch(unless('EINVAL'));
  } finally {
    await handle.close();
  }
}

function unless(errno: string): (error: unknown) => undefined {
  return (error) => {
    if (errnoOf(error) !== errno) throw error;
    return undefined;
  };
}

async function taken(key: string, path: string): Promise<LakehouseError> {
  const stats = await lstat(path).catch(unless('ENOENT'));
  if (stats !== undefined && !stats.isFile()) return notADirectory(path);
  return objectExists(key);
}

function notADirectory(path: string): LakehouseError {
  return new LakehouseError('not-a-directory', `Cannot write ${path}: objects and directories cannot have one name`, {
    hint: 'Move what is there away, or choose another key.',
    details: { path },
  });
}

function throughLink(key: string, real: string): LakehouseError {
  return new LakehouseError('symlink-in-key', `'${key}' does not stand where it says, but leads to ${real}`, {
    hint: 'Symbolic links are not followed inside the data directory (the directory itself may be one): use a mount instead. On a disk that ignores case, write names always the same way.',
    details: { key, real },
  });
}

function noLinks(path: string, errno: string, cause: unknown): LakehouseError {
  return new LakehouseError('no-hard-links', `Cannot write ${path}: the file system refuses hard links (${errno})`, {
    hint: 'Choose a data directory on ext4, XFS, Btrfs, ZFS, APFS, NTFS or tmpfs.',
    cause,
  });
}

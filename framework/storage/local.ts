import { lstat, mkdtemp, open, readdir, readFile, rm, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { LakehouseError } from '../common/errors.ts';
import { DirectoryTree } from './directories.ts';
import { errnoOf, type StorageAction, storageError } from './errors.ts';
import { assertKey, assertPrefix, compareKeys, STAGING } from './key.ts';
import { isRunning, type StageOwner, stagePrefix } from './owner.ts';
import type { ObjectInfo, ObjectStore, Staged } from './store.ts';

/** Files synced or linked at once: enough for a disk's queue, and far below any limit on open files. */
const CONCURRENCY = 16;

/**
 * Objects as plain files below the directory `root`, which the first write creates. Files are written under `.staging/` and get
 * their name by a hard link, which fails where the name is taken, also among processes. Symbolic links are never followed
 * below the root: a key that passes one is refused (`symlink-in-key`), a listing leaves them out. Stages bear the name of their
 * `owner`, this process: while it runs, no other process of its host sweeps them.
 */
export function localStore(options: { readonly root: string; readonly owner?: StageOwner }): ObjectStore {
  const { owner } = options;
  const root = resolve(options.root);
  const staging = join(root, STAGING);
  const tree = new DirectoryTree(root);
  const live = new WeakSet<Staged>();
  const durable = new WeakSet<Staged>();
  const limit = pLimit(CONCURRENCY);

  /** All of them, also when one fails, so that nothing is still running when the caller cleans up. */
  async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const results = await Promise.allSettled(items.map((item) => limit(work, item)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  const pathOf = (key: string) => join(root, key);

  async function find(key: string, action: StorageAction): Promise<ObjectInfo | undefined> {
    assertKey(key);
    return attempt(action, pathOf(key), async () => {
      if (!(await tree.contains(key))) return undefined;
      return infoOf(key, pathOf(key));
    });
  }

  async function openExisting<T>(key: string, use: (path: string) => Promise<T>): Promise<T> {
    if ((await find(key, 'read')) === undefined) throw missing(key, root);
    return attempt('read', pathOf(key), async () => {
      try {
        return await use(pathOf(key));
      } catch (error) {
        throw errnoOf(error) === 'ENOENT' ? missing(key, root) : error;
      }
    });
  }

  async function stage(key: string): Promise<Staged> {
    assertKey(key);
    const directory = await attempt('write', root, () =>
      tree.within(STAGING, (path) => mkdtemp(join(path, stagePrefix(owner)))),
    );
    const staged: Staged = {
      key,
      path: join(directory, basename(key)),
      write: async (bytes) => {
        await attempt('write', pathOf(key), () => writeDurably(staged.path, bytes));
        durable.add(staged);
      },
      commit: async () => {
        const [info] = await commitAll([staged]);
        if (info === undefined) throw ended(key);
        return info;
      },
      discard: async () => {
        if (live.delete(staged)) await removeStages([staged]);
      },
      [Symbol.asyncDispose]: () => staged.discard(),
    };
    live.add(staged);
    return staged;
  }

  async function commitAll(stages: readonly Staged[]): Promise<ObjectInfo[]> {
    const foreign = stages.find((staged) => !live.has(staged));
    if (foreign !== undefined) throw ended(foreign.key);
    for (const staged of stages) live.delete(staged);
    const named: string[] = [];
    let infos: ObjectInfo[];
    try {
      infos = await each(stages, (staged) => syncStaged(staged, durable.has(staged)));
      await each(stages, async ({ key, path }) => {
        await attempt('write', pathOf(key), () => tree.link(path, key));
        named.push(key);
      });
      const directories = [...new Set(named.map((key) => dirname(key)))];
      await each(directories, (directory) => attempt('write', pathOf(directory), () => tree.sync(directory)));
    } catch (error) {
      // Nobody can refer to the new names before this returns. What cannot be removed stays as an unreferenced object.
      await each(named, (key) => unlink(pathOf(key)).then(() => tree.prune(dirname(key)), ignore));
      throw error;
    } finally {
      await removeStages(stages);
    }
    // Linking and unlinking touch a file, so its time is final only now.
    return each(infos, async (info) => (await infoOf(info.key, pathOf(info.key)).catch(ignore)) ?? info);
  }

  /** What cannot be removed is left to sweepStaging: a failed clean-up must not hide why it was needed. */
  async function removeStages(stages: readonly Staged[]): Promise<void> {
    await each(stages, ({ path }) => removeStage(path).catch(ignore));
    await tree.prune(STAGING);
  }

  return {
    kind: 'local',
    root,
    stage,
    commitAll,

    async put(key, bytes) {
      const staged = await stage(key);
      try {
        await staged.write(bytes);
        return await staged.commit();
      } finally {
        await staged.discard();
      }
    },

    read: (key) => openExisting(key, (path) => readFile(path)),

    createReadStream: (key) => openExisting(key, async (path) => (await open(path)).createReadStream()),

    localPath: (key) => openExisting(key, async (path) => path),

    head: (key) => find(key, 'read'),

    async *list(prefix) {
      assertPrefix(prefix);
      const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      if (directory !== '' && !(await attempt('list', pathOf(directory), () => tree.contains(directory)))) return;
      const stack = [directory];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        const path = pathOf(next);
        if (next !== '' && !next.endsWith('/')) {
          const info = await attempt('list', path, () => infoOf(next, path));
          if (info !== undefined) yield info;
          continue;
        }
        const keys = (await attempt('list', path, () => namesIn(path))).map((name) => next + name);
        const wanted = keys.filter((key) => key.startsWith(prefix) && key !== `${STAGING}/`);
        stack.push(...wanted.sort((a, b) => compareKeys(b, a)));
      }
    },

    async delete(key) {
      if ((await find(key, 'delete')) === undefined) return false;
      return attempt('delete', pathOf(key), async () => {
        try {
          await unlink(pathOf(key));
        } catch (error) {
          if (errnoOf(error) === 'ENOENT') return false;
          throw error;
        }
        await tree.prune(dirname(key));
        return true;
      });
    },

    async sweepStaging(olderThanMs, nowMs) {
      const names = await attempt('list', staging, async () =>
        (await tree.contains(STAGING)) ? namesIn(staging) : [],
      );
      const removed = await each(names, async (name) => {
        const path = join(staging, name);
        return attempt('delete', path, async () => {
          const touched = await lastTouched(path);
          if (touched === undefined || touched > nowMs - olderThanMs || isRunning(name, owner)) return 0;
          await rm(path, { recursive: true, force: true });
          return 1;
        });
      });
      if (names.length > 0) await tree.prune(STAGING);
      return removed.reduce<number>((sum, n) => sum + n, 0);
    },
  };
}

async function attempt<T>(action: StorageAction, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, action, path);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The directory of a stage with what is in it: almost always the one file. */
async function removeStage(path: string): Promise<void> {
  const directory = dirname(path);
  try {
    await unlink(path);
    await rmdir(directory);
  } catch {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Makes the staged bytes durable. */
async function syncStaged({ key, path }: Staged, isDurable: boolean): Promise<ObjectInfo> {
  return attempt('write', path, async () => {
    const info = await infoOf(key, path);
    if (info === undefined) {
      throw new LakehouseError('stage-missing', `Nothing was written to the stage of '${key}': ${path}`, {
        kind: 'transient',
        hint: 'It was never written, or swept because its writer was silent for too long.',
      });
    }
    if (isDurable) return info;
    const handle = await open(path, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return info;
  });
}

/** undefined for whatever is not a plain file. Modified is also what only just got its name: its bytes may have been staged for hours. */
async function infoOf(key: string, path: string): Promise<ObjectInfo | undefined> {
  const stats = await lstat(path).catch(ifAbsent(undefined));
  return stats?.isFile()
    ? { key, bytes: stats.size, modifiedMs: Math.trunc(Math.max(stats.mtimeMs, stats.ctimeMs)) }
    : undefined;
}

/** Files, and directories with a `/` behind them, which is how their keys sort; nothing else. */
async function namesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ifAbsent([]));
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : entry.isDirectory() ? [`${entry.name}/`] : []));
}

/** The latest modification of a stage or of a file in it. */
async function lastTouched(path: string): Promise<number | undefined> {
  const inside = (await namesIn(path)).map((name) => join(path, name));
  const stats = await Promise.all([path, ...inside].map((each) => lstat(each).catch(ifAbsent(undefined))));
  const times = stats.flatMap((stat) => (stat === undefined ? [] : [stat.mtimeMs]));
  return times.length === 0 ? undefined : Math.max(...times);
}

function ifAbsent<T>(value: T): (error: unknown) => T {
  return (error) => {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return value;
    throw error;
  };
}

function ignore(): void {}

function ended(key: string): LakehouseError {
  return new LakehouseError('stage-ended', `The stage of '${key}' was already ended, or is another store's`, {
    kind: 'internal',
  });
}

function missing(key: string, root: string): LakehouseError {
  return new LakehouseError('object-missing', `There is no object '${key}' in ${root}`, {
    kind: 'conflict',
    hint: "It may have been superseded meanwhile. If the log still refers to it, 'lakehouse verify' finds all such.",
    details: { key },
  });
}

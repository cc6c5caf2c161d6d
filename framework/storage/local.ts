import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DirectoryTree } from './directories.ts';
import { errnoOf, objectMissing, type StorageAction } from './errors.ts';
import { attempt, ignore, infoOf, namesIn } from './files.ts';
import { assertKey, assertPrefix, compareKeys, STAGING } from './key.ts';
import type { StageOwner } from './owner.ts';
import { parallel } from './parallel.ts';
import { putStaged, Stages } from './staging.ts';
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
  const root = resolve(options.root);
  const tree = new DirectoryTree(root);
  const each = parallel(CONCURRENCY);
  const stages = new Stages({ tree, key: STAGING, owner: options.owner, each });

  const pathOf = (key: string) => join(root, key);

  async function find(key: string, action: StorageAction): Promise<ObjectInfo | undefined> {
    assertKey(key);
    return attempt(action, pathOf(key), async () => {
      if (!(await tree.contains(key))) return undefined;
      return infoOf(key, pathOf(key));
    });
  }

  async function openExisting<T>(key: string, use: (path: string) => Promise<T>): Promise<T> {
    if ((await find(key, 'read')) === undefined) throw objectMissing(key, root);
    return attempt('read', pathOf(key), async () => {
      try {
        return await use(pathOf(key));
      } catch (error) {
        throw errnoOf(error) === 'ENOENT' ? objectMissing(key, root) : error;
      }
    });
  }

  async function stage(key: string): Promise<Staged> {
    assertKey(key);
    return stages.stage(key, commitAll);
  }

  async function commitAll(staged: readonly Staged[]): Promise<ObjectInfo[]> {
    stages.take(staged);
    const named: string[] = [];
    let infos: ObjectInfo[];
    try {
      infos = await each(staged, (one) => stages.settle(one));
      await each(staged, async ({ key, path }) => {
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
      await stages.remove(staged);
    }
    // Linking and unlinking touch a file, so its time is final only now.
    return each(infos, async (info) => (await infoOf(info.key, pathOf(info.key)).catch(ignore)) ?? info);
  }

  return {
    kind: 'local',
    root,
    stage,
    commitAll,

    put: async (key, bytes) => putStaged(await stage(key), bytes),

    async overwrite(key, bytes) {
      await using staged = await stage(key);
      await staged.write(bytes);
      return await attempt('write', pathOf(key), async () => {
        await tree.within(dirname(key), async () => {
          await tree.contains(key);
          await rename(staged.path, pathOf(key));
        });
        await tree.sync(dirname(key));
        const info = await infoOf(key, pathOf(key));
        if (info === undefined) throw objectMissing(key, root);
        return info;
      });
    },

    read: (key) => openExisting(key, (path) => readFile(path)),

    createReadStream: (key) => openExisting(key, async (path) => (await open(path)).createReadStream()),

    // Files are where they are. One that is removed stays readable for those who have opened it; others look again at what is current.
    reading: () => ({
      path: ({ key }) => openExisting(key, async (path) => path),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }),

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

    sweepStaging: (olderThanMs, nowMs) => stages.sweep(olderThanMs, nowMs),
  };
}

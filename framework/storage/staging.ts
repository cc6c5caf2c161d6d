import { lstat, mkdtemp, open, rm, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import type { DirectoryTree } from './directories.ts';
import { attempt, ifAbsent, ignore, infoOf, namesIn, writeDurably } from './files.ts';
import { isRunning, type StageOwner, stagePrefix } from './owner.ts';
import type { Each } from './parallel.ts';
import type { ObjectInfo, Staged } from './store.ts';

export interface StagesOptions {
  readonly tree: DirectoryTree;
  /** The directory of the tree that is for stages only; '.' for the whole tree. Goes when the last stage goes, the root excepted. */
  readonly key: string;
  readonly owner: StageOwner | undefined;
  readonly each: Each;
}

/**
 * Files that nobody sees yet, each alone in a directory that bears the name of its owner, this process: while it runs, no other
 * process of its host sweeps it.
 */
export class Stages {
  readonly #tree: DirectoryTree;
  readonly #key: string;
  readonly #owner: StageOwner | undefined;
  readonly #each: Each;
  readonly #live = new WeakSet<Staged>();
  readonly #durable = new WeakSet<Staged>();

  constructor({ tree, key, owner, each }: StagesOptions) {
    this.#tree = tree;
    this.#key = key;
    this.#owner = owner;
    this.#each = each;
  }

  /** A new one. The key is one that {@link assertKey} takes. */
  async stage(key: string, commitAll: (stages: readonly Staged[]) => Promise<ObjectInfo[]>): Promise<Staged> {
    const directory = await this.directory();
    const staged: Staged = {
      key,
      path: join(directory, basename(key)),
      write: async (bytes) => {
        await attempt('write', staged.path, () => writeDurably(staged.path, bytes));
        this.#durable.add(staged);
      },
      commit: async () => {
        const [info] = await commitAll([staged]);
        if (info === undefined) throw ended(key);
        return info;
      },
      discard: async () => {
        if (this.#live.delete(staged)) await this.remove([staged]);
      },
      [Symbol.asyncDispose]: () => staged.discard(),
    };
    this.#live.add(staged);
    return staged;
  }

  /** A new directory of this owner. */
  directory(): Promise<string> {
    return attempt('write', this.#tree.root, () =>
      this.#tree.within(this.#key, (path) => mkdtemp(join(path, stagePrefix(this.#owner)))),
    );
  }

  /** Those that there are now, of whatever process. */
  directories(): Promise<string[]> {
    const path = join(this.#tree.root, this.#key);
    return attempt('list', path, async () => {
      const names = (await this.#tree.contains(this.#key)) ? await namesIn(path) : [];
      return names.map((name) => join(path, name));
    });
  }

  /** Ends the stages for their holders: they are the commit's now, which removes them. @throws `stage-ended` (internal). */
  take(stages: readonly Staged[]): void {
    const foreign = stages.find((staged) => !this.#live.has(staged));
    if (foreign !== undefined) throw ended(foreign.key);
    for (const staged of stages) this.#live.delete(staged);
  }

  /** Makes the staged bytes durable. @throws `stage-missing` (transient). */
  settle(staged: Staged): Promise<ObjectInfo> {
    const { key, path } = staged;
    return attempt('write', path, async () => {
      const info = await infoOf(key, path);
      if (info === undefined) {
        throw new LakehouseError('stage-missing', `Nothing was written to the stage of '${key}': ${path}`, {
          kind: 'transient',
          hint: 'It was never written, or swept because its writer was silent for too long.',
        });
      }
      if (this.#durable.has(staged)) return info;
      const handle = await open(path, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      return info;
    });
  }

  /** What cannot be removed is left to `sweep`: a failed clean-up must not hide why it was needed. */
  async remove(stages: readonly Staged[]): Promise<void> {
    await this.#each(stages, ({ path }) => removeStage(path).catch(ignore));
    await this.#tree.prune(this.#key);
  }

  /**
   * Removes what nobody has written to for `olderThanMs` before `nowMs` and whose owner is not known to run.
   * @param before Told the directory of each that is about to go.
   * @returns How many went.
   */
  async sweep(olderThanMs: number, nowMs: number, before?: (directory: string) => Promise<void>): Promise<number> {
    const stages = await this.directories();
    const removed = await this.#each(stages, async (stage) =>
      attempt('delete', stage, async () => {
        const touched = await lastTouched(stage);
        if (touched === undefined || touched > nowMs - olderThanMs || isRunning(basename(stage), this.#owner)) return 0;
        await before?.(stage);
        await rm(stage, { recursive: true, force: true });
        return 1;
      }),
    );
    if (stages.length > 0) await this.#tree.prune(this.#key);
    return removed.reduce<number>((sum, n) => sum + n, 0);
  }
}

/** Writes and commits a stage, which is gone then whatever happened. */
export async function putStaged(staged: Staged, bytes: Uint8Array): Promise<ObjectInfo> {
  try {
    await staged.write(bytes);
    return await staged.commit();
  } finally {
    await staged.discard();
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

/** The latest modification of a stage or of a file in it. */
async function lastTouched(path: string): Promise<number | undefined> {
  const inside = (await namesIn(path)).map((name) => join(path, name));
  const stats = await Promise.all([path, ...inside].map((each) => lstat(each).catch(ifAbsent(undefined))));
  const times = stats.flatMap((stat) => (stat === undefined ? [] : [stat.mtimeMs]));
  return times.length === 0 ? undefined : Math.max(...times);
}

function ended(key: string): LakehouseError {
  return new LakehouseError('stage-ended', `The stage of '${key}' was already ended, or is another store's`, {
    kind: 'internal',
  });
}

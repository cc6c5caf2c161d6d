import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ReadCache } from './cache.ts';
import { DirectoryTree } from './directories.ts';
import { ignore } from './files.ts';
import { assertPrefix } from './key.ts';
import type { StageOwner } from './owner.ts';
import { parallel } from './parallel.ts';
import type { S3Connection } from './s3-client.ts';
import { mayComeWhole } from './s3-errors.ts';
import { S3Objects } from './s3-objects.ts';
import { Uploader, type UploaderOptions } from './s3-upload.ts';
import { putStaged, Stages } from './staging.ts';
import type { ObjectInfo, ObjectStore, Staged } from './store.ts';

export interface S3StoreOptions extends Omit<UploaderOptions, 'objects'> {
  readonly connection: S3Connection;
  /** In front of all keys, e.g. `lakes/production`; the store neither sees nor touches what lies outside it. */
  readonly prefix?: string | undefined;
  /** Objects transferred at once. */
  readonly parallel: number;
  /** Local directory where objects are staged. */
  readonly staging: string;
  readonly cache: { readonly directory: string; readonly maxBytes: number };
  readonly owner?: StageOwner | undefined;
  readonly now: () => number;
}

/** Files that are synced or removed at once. */
const FILES = 16;
/** Attempts at an object whose bytes do not come whole. */
const ATTEMPTS = 3;

/**
 * Objects in a bucket. They are staged in a local directory and committed by one request each, which the store refuses where the key
 * is taken. Those that are read as files come from a local cache, into which goes what was committed here.
 */
export function s3Store(options: S3StoreOptions): ObjectStore {
  const objects = new S3Objects(options.connection, options.prefix);
  const uploader = new Uploader({ ...options, objects });
  const each = parallel(options.parallel);
  const stages = new Stages({
    tree: new DirectoryTree(options.staging),
    key: '.',
    owner: options.owner,
    each: parallel(FILES),
  });
  const cache = new ReadCache({
    ...options.cache,
    parallel: options.parallel,
    owner: options.owner,
    now: options.now,
    source: {
      root: objects.root,
      version: async (key) => {
        const found = await objects.find(key);
        return found?.etag;
      },
      fetch: (key, etag) => objects.stream(key, etag),
    },
  });

  async function stage(key: string): Promise<Staged> {
    objects.place(key);
    return stages.stage(key, commitAll);
  }

  async function commitAll(staged: readonly Staged[]): Promise<ObjectInfo[]> {
    stages.take(staged);
    const attempts = staged.map((one) => uploader.prepare(one));
    try {
      const sized = await each(attempts, async (attempted) => ({
        attempted,
        bytes: (await stages.settle(attempted.staged)).bytes,
      }));
      const made = await each(sized, ({ attempted, bytes }) => uploader.upload(attempted, bytes));
      await each(made, ({ path, sha256 }) => cache.adopt(path, sha256));
      return made.map(({ info }) => info);
    } catch (error) {
      // Nobody can refer to the new objects before this returns. What cannot be removed stays as an unreferenced object.
      await each(attempts, (one) => uploader.takeBack(one).catch(ignore));
      throw error;
    } finally {
      await stages.remove(staged);
    }
  }

  async function read(key: string): Promise<Uint8Array> {
    for (let tried = 1; ; tried++) {
      try {
        return await buffer(await objects.stream(key));
      } catch (error) {
        if (tried === ATTEMPTS || !mayComeWhole(error)) throw error;
      }
    }
  }

  return {
    kind: 's3',
    root: objects.root,
    stage,
    commitAll,
    put: async (key, bytes) => putStaged(await stage(key), bytes),
    overwrite: async (key, bytes) => uploader.overwrite(key, bytes),
    read,
    createReadStream: async (key): Promise<Readable> => objects.stream(key),
    reading: () => cache.reading(),
    head: async (key) => (await objects.find(key))?.info,

    async *list(prefix) {
      assertPrefix(prefix);
      yield* objects.list(prefix);
    },

    async delete(key) {
      if ((await objects.find(key)) === undefined) return false;
      await objects.delete(key);
      return true;
    },

    async sweepStaging(olderThanMs, nowMs) {
      const staged = await stages.sweep(olderThanMs, nowMs, (directory) => uploader.abortNoted(directory));
      const leases = await cache.sweep(olderThanMs, nowMs);
      // Stages that are left may be those of living processes.
      const ended = await uploader.abortOlder(nowMs - olderThanMs, await stages.directories());
      return staged + leases + ended;
    },
  };
}

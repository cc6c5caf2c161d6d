import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isLakehouseError } from '../common/errors.ts';
import type { FileRecord } from '../state/store.ts';
import { storageError } from '../storage/errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { sha256File } from './files.ts';
import { endsRun, isTransient } from './retry.ts';

/** A file with the bytes that an object has now, and their SHA-256, hex. */
export interface FreshFile extends AsyncDisposable {
  readonly path: string;
  readonly sha256: string;
}

/** Attempts at an object whose bytes break off. */
const ATTEMPTS = 4;

/**
 * An object as it lies in the store, past every cache: what has rotted there is seen. What must be fetched goes into the first of
 * `directories` that can be written to, until it is disposed of. Undefined when there is no such object.
 * @throws what the store throws; `disk-full` and the like of the directory.
 */
export async function freshFile(
  store: ObjectStore,
  file: FileRecord,
  directories: readonly string[],
): Promise<FreshFile | undefined> {
  for (let tried = 1; ; tried++) {
    try {
      return store.kind === 'local' ? await inPlace(store, file) : await fetched(store, file, directories);
    } catch (error) {
      if (isLakehouseError(error) && error.code === 'object-missing') return undefined;
      if (tried === ATTEMPTS || !isTransient(error) || endsRun(error)) throw error;
    }
  }
}

async function inPlace(store: ObjectStore, file: FileRecord): Promise<FreshFile> {
  const reading = store.reading();
  const path = await reading.path({ key: file.path });
  return { path, sha256: await sha256File(path), [Symbol.asyncDispose]: () => reading.close() };
}

async function fetched(store: ObjectStore, file: FileRecord, directories: readonly string[]): Promise<FreshFile> {
  const own = await ownDirectory(directories);
  const remove = () => rm(own, { recursive: true, force: true });
  const path = join(own, 'object');
  try {
    const hash = createHash('sha256');
    await pipeline(
      await store.createReadStream(file.path),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path),
    );
    return { path, sha256: hash.digest('hex'), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw storageError(error, 'write', path);
  }
}

async function ownDirectory(directories: readonly string[]): Promise<string> {
  let failed: unknown;
  for (const directory of directories) {
    const path = join(directory, 'lakehouse-');
    try {
      return await mkdtemp(path);
    } catch (error) {
      failed = storageError(error, 'write', path);
    }
  }
  throw failed;
}

/** Whether looking at bytes costs nothing but time: elsewhere each has to be fetched. */
export const readsAll = ({ kind }: ObjectStore): boolean => kind === 'local';

/**
 * Lengths of the objects of an asset by their keys, where asking for each would be a request of its own; nothing elsewhere. What is not
 * among them has to be asked for: some stores list late.
 */
export async function lengthsOf(store: ObjectStore, asset: string): Promise<ReadonlyMap<string, number>> {
  const lengths = new Map<string, number>();
  if (store.kind === 'local') return lengths;
  for await (const { key, bytes } of store.list(`${asset}/`)) lengths.set(key, bytes);
  return lengths;
}

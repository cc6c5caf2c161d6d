import type { ObjectInfo, ObjectStore } from './store.ts';

/**
 * The objects under `prefix` that nothing refers to: left by a process that died between its commit and its append, or superseded.
 * A living process has such objects too, for a moment: spare what was modified after the log was read that `isReferenced` speaks
 * for, and what is younger than the longest batch.
 */
export async function* unreferenced(
  store: ObjectStore,
  prefix: string,
  isReferenced: (key: string) => boolean,
): AsyncGenerator<ObjectInfo> {
  for await (const object of store.list(prefix)) {
    if (!isReferenced(object.key)) yield object;
  }
}

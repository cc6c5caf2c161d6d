import type { OpenedLake } from '../materialize/open.ts';
import { unreferenced } from '../storage/recovery.ts';
import type { ObjectInfo } from '../storage/store.ts';

/** Objects in the directories of assets that the log does not know. Whatever else lies in the data directory is not ours. */
export async function* unknownObjects(lake: OpenedLake): AsyncGenerator<ObjectInfo> {
  const { state, store, graph } = lake;
  const known = new Set<string>();
  for (const { path } of state.files()) known.add(path);
  for (const { path } of state.supersededFiles(Number.MAX_SAFE_INTEGER)) known.add(path);
  for (const { path } of state.keptFiles()) known.add(path);
  for (const asset of new Set([...graph.order, ...state.index().assetKeys()])) {
    yield* unreferenced(store, `${asset}/`, (key) => known.has(key));
  }
}

import { PRESENT } from '../plan/view.ts';
import type { AssetState } from '../state/index.ts';
import type { StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';

/** An asset that the log knows content of, and the definitions do not know: removed from them, or renamed. */
export interface RemovedAsset {
  readonly asset: string;
  readonly partitions: number;
  /** Current files, and those kept because the settings had excluded what is in them. */
  readonly files: number;
  readonly bytes: number;
}

/** Sorted by key; sources too, which have no files. Without definitions every asset looks like one: do not ask then. */
export function removedAssets({ state, graph }: Lake<StateReader>): RemovedAsset[] {
  const index = state.refresh();
  const kept = Map.groupBy(state.keptFiles(), ({ asset }) => asset);
  return index.assetKeys().flatMap((asset) => {
    if (graph.find(asset)) return [];
    const files = [...state.files(asset), ...(kept.get(asset) ?? [])];
    const partitions = presentPartitions(index.asset(asset));
    if (partitions === 0 && files.length === 0) return [];
    return [{ asset, partitions, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }];
  });
}

/** Whether the definitions know any asset that the log knows content of: else they are probably those of another lake. */
export function definesAny({ state, graph }: Lake<StateReader>): boolean {
  const index = state.index();
  return index.assetKeys().some((key) => graph.find(key) !== undefined && presentPartitions(index.asset(key)) > 0);
}

function presentPartitions(asset: AssetState | undefined): number {
  let count = 0;
  for (const { flags } of asset?.series.values() ?? []) for (const flag of flags) if ((flag & PRESENT) !== 0) count++;
  return count;
}

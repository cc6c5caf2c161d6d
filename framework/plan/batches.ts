import type { AssetNode } from '../graph/graph.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import { selfMapping } from './chain.ts';
import { cutByPack } from './packs.ts';

/** The partitions of one series that share a file. */
export interface PackPlan {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  /** Stem of the file name, e.g. `2020-01`. */
  readonly name: string;
  readonly times: RangeSet;
}
/** What is computed in one go, and committed by one event. */
export interface BatchPlan {
  readonly packs: readonly PackPlan[];
  readonly partitions: number;
}

/** Targets per statement and file per batch; see `BatchPlan`. */
export interface BatchLimits {
  readonly maxPartitions: number;
  readonly maxPacks: number;
}
export const DEFAULT_LIMITS: BatchLimits = { maxPartitions: 400, maxPacks: 32 };

/**
 * Cuts a set into batches: one pack each where packs are large; packs of few partitions share a batch, so that one statement
 * serves many series.
 */
export function batchesOf(node: AssetNode, set: PartitionSet, now: number, limits: BatchLimits): BatchPlan[] {
  const { definition } = node;
  const packs: PackPlan[] = [];
  for (const [seriesKey, times] of set.bySeries) {
    const values = readSeriesKey(seriesKey);
    for (const pack of cutByPack(definition, times, now, limits.maxPartitions))
      packs.push({ seriesKey, values, ...pack });
  }
  const batches: BatchPlan[] = [];
  let open: PackPlan[] = [];
  let partitions = 0;
  const close = () => {
    if (open.length > 0) batches.push({ packs: open, partitions });
    open = [];
    partitions = 0;
  };
  // Rowwise statements read one series; a chain must see its own earlier partitions in order.
  const together = !definition.rowwise && !selfMapping(node.inputs);
  for (const pack of packs) {
    const count = ranges.count(pack.times);
    const fits = together && open.length < limits.maxPacks && partitions + count <= limits.maxPartitions / 4;
    const raw = definition.storage.type === 'raw' && partitions + count <= limits.maxPacks;
    const samePack = open.some((p) => p.seriesKey === pack.seriesKey && p.name === pack.name);
    if (open.length > 0 && (!(fits || raw) || samePack)) close();
    open.push(pack);
    partitions += count;
  }
  close();
  return batches;
}

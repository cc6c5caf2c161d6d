import type { AssetGraph, ResolvedAlternative, ResolvedInput } from '../graph/graph.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey } from '../partition/space.ts';
import { presentSet, type Universe } from '../plan/universe.ts';
import type { LakeView } from '../plan/view.ts';
import type { Target } from './bind.ts';

/** Which alternative of each input a target is held against. */
export type Chosen = ReadonlyMap<string, number>;

/**
 * Says of a partition what a comparison of it reads: of each input the first alternative of which all that belongs to the partition
 * is there. Undefined where a required input has none such: then nothing can be said. Of an input that is read if present,
 * it is whatever there is.
 */
export function comparable(
  graph: AssetGraph,
  view: LakeView,
  universe: (asset: string) => Universe,
  reads: readonly ResolvedInput[],
): (target: Target) => Chosen | undefined {
  const inputs = reads.map(({ name, need, alternatives }) => ({
    name,
    need,
    alternatives: alternatives.map((alternative) => completeness(graph, view, universe, alternative)),
  }));
  return (target) => {
    const chosen = new Map<string, number>();
    for (const { name, need, alternatives } of inputs) {
      const complete = alternatives.findIndex((isComplete) => isComplete(target));
      if (complete < 0 && need === 'required') return undefined;
      chosen.set(name, Math.max(complete, 0));
    }
    return chosen;
  };
}

/** Whether something belongs to a target and all of it is there; what is not to be had at the source is not waited for. */
function completeness(
  graph: AssetGraph,
  view: LakeView,
  universe: (asset: string) => Universe,
  { asset, mapping }: ResolvedAlternative,
): (target: Target) => boolean {
  const { all, unavailable } = universe(asset);
  const there = presentSet(graph.node(asset), view.asset(asset));
  const lacking = sets.subtract(sets.subtract(all, unavailable), there);
  const byJoin = (set: PartitionSet) => {
    const out = new Map<string, RangeSet[]>();
    for (const [key, times] of set.bySeries) {
      const join = mapping.joinUp(readSeriesKey(key));
      if (join !== undefined) out.set(join, [...(out.get(join) ?? []), times]);
    }
    return out;
  };
  const [absent, present] = [byJoin(lacking), byJoin(there)];
  return ({ values, time }) => {
    const [lo, hi] = mapping.upstream(values, time);
    if (lo >= hi) return false;
    const read = ranges.range(lo, hi);
    const meets = (times: RangeSet) => !ranges.isEmpty(ranges.intersect(times, read));
    const joins = mapping.joinDown(values);
    return joins.some((join) => present.get(join)?.some(meets)) && !joins.some((join) => absent.get(join)?.some(meets));
  };
}

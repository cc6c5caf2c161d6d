import type { OpenedLake } from '../materialize/open.ts';
import { applyFilter } from '../partition/filter.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { type PartitionRef, readSeriesKey } from '../partition/space.ts';
import { presentSet } from '../plan/universe.ts';
import type { Asked } from './filter.ts';

/**
 * The partitions asked for that are there, wanted by the settings or not, as queries see them.
 * @throws LakehouseError `no-such-partition` (usage).
 */
export function presentNow({ graph, state }: OpenedLake, key: string, { filter, check }: Asked): PartitionSet {
  const asset = state.refresh().asset(key);
  check(asset);
  if (filter === 'none') return sets.EMPTY_SET;
  const node = graph.node(key);
  const { space } = node.definition;
  const present = presentSet({ ...node, space }, asset);
  return filter ? applyFilter(space, present, filter) : present;
}

/** By series and time. */
export const pointsOf = (set: PartitionSet): PartitionRef[] =>
  [...sets.points(set)].map(([series, time]) => ({ values: readSeriesKey(series), time }));

/** How many rows they have, as the log says. */
export function rowsOf({ state }: OpenedLake, key: string, set: PartitionSet): number {
  let count = 0;
  for (const [series, times] of set.bySeries) {
    const details = state.details(key, series);
    for (const [, time] of sets.points({ bySeries: new Map([[series, times]]) }))
      count += details?.rows[time - details.base] ?? 0;
  }
  return count;
}

import type { AssetGraph } from '../graph/graph.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import type { LakeIndex } from '../state/index.ts';

/** What is remembered of what failed in passing and is tried again: an asset by the conditions, what a sensor asked for. Plain data. */
export interface Backoff {
  /** Runs in a row in which some did. */
  readonly failures: number;
  /** It is not tried again before, ms UTC. */
  readonly until: number;
}

const FIRST_MS = 60_000;
const LONGEST_MS = 60 * 60_000;

/** After a further run in which some failed: a minute, then twice as long each time, an hour at most. */
export function afterShakyRun(backoff: Backoff | undefined, now: number): Backoff {
  const failures = (backoff?.failures ?? 0) + 1;
  return { failures, until: now + Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS) };
}

/** Whether it is time to try again. A clock that was put back would hold it for long. */
export const isOver = (backoff: Pick<Backoff, 'until'> | undefined, now: number): boolean =>
  backoff === undefined || now >= backoff.until || backoff.until - now > LONGEST_MS;

/** Partitions whose last attempt failed in passing, of assets that are still to be left alone. */
export function heldBack(
  graph: AssetGraph,
  index: LakeIndex,
  backoffs: ReadonlyMap<string, Backoff>,
  now: number,
): Map<string, PartitionSet> {
  const held = new Map<string, PartitionSet>();
  for (const [asset, { until }] of backoffs) {
    if (isOver({ until }, now) || !graph.find(asset)) continue;
    const failed: (readonly [string, number])[] = [];
    for (const [series, { failures }] of index.asset(asset)?.series ?? [])
      for (const [time, { transient }] of failures ?? []) if (transient) failed.push([series, time]);
    if (failed.length > 0) held.set(asset, sets.fromPoints(failed));
  }
  return held;
}

import type { AssetGraph } from '../graph/graph.ts';
import { upstreamSet } from '../partition/mapping.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { choosing } from '../plan/demand.ts';
import type { BatchTime } from '../plan/estimate.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import type { SeriesDetails } from '../state/details.ts';
import type { ObservedEvent } from '../state/events.ts';
import type { StateReader } from '../state/store.ts';

export interface Fetching {
  /** Partitions of sources that are read. */
  readonly fetches: number;
  /** Their sizes as far as the sources say. */
  readonly bytes: number;
}

/** Size of a source's partition as last observed; 0 where the source says none. */
export type SizeOf = (asset: string, series: string, time: number) => number;

/** Sizes from the log, and before them those that were only just observed. */
export function observedSizes(state: StateReader, events: readonly ObservedEvent[]): SizeOf {
  const fresh = new Map<string, Map<number, number>>();
  for (const { asset, outcomes } of events) {
    for (const { series, times, bytes } of outcomes)
      fresh.set(`${asset}\n${series}`, new Map(Array.from(times, (time, i) => [time, bytes[i] ?? 0])));
  }
  const logged = new Map<string, SeriesDetails | undefined>();
  return (asset, series, time) => {
    const key = `${asset}\n${series}`;
    const now = fresh.get(key)?.get(time);
    if (now !== undefined) return now;
    if (!logged.has(key)) logged.set(key, state.details(asset, series));
    const details = logged.get(key);
    return details?.bytes[time - details.base] ?? 0;
  };
}

/** What computing a set of partitions reads from sources. */
export function fetching(
  graph: AssetGraph,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  asset: string,
  set: PartitionSet,
  sizeOf: SizeOf,
): Fetching {
  const evaluation = evaluations.get(asset);
  let fetches = 0;
  let bytes = 0;
  for (const input of evaluation?.node.inputs ?? []) {
    for (const [i, alternative] of input.alternatives.entries()) {
      const upstream = evaluations.get(alternative.asset);
      if (!evaluation || !upstream || graph.node(alternative.asset).definition.kind !== 'source') continue;
      const chosen = choosing(evaluation, input.name, i, set);
      const { read } = upstreamSet(alternative.mapping, chosen, evaluation.node.space, upstream.universe.ready);
      fetches += sets.countOf(read);
      for (const [series, time] of sets.points(read)) bytes += sizeOf(alternative.asset, series, time);
    }
  }
  return { fetches, bytes };
}

/** Revisions before an asset's last change in which its batches are looked for, and how many of them are enough. */
const WINDOW = 200;
const ENOUGH = 40;

/** How long the latest batches of an asset took, as far as the log still knows. */
export function recentBatches(state: StateReader, asset: string): BatchTime[] {
  const series = [...(state.index().asset(asset)?.series.values() ?? [])];
  const last = series.reduce(
    (max, { changed }) => changed.reduce((most, revision) => Math.max(most, revision), max),
    0,
  );
  if (last === 0) return [];
  return [...state.events({ asset, after: last - WINDOW, limit: ENOUGH })].flatMap(({ event, at }): BatchTime[] => {
    const ms = event.kind === 'materialized' ? event.stats?.ms : undefined;
    if (event.kind !== 'materialized' || ms === undefined) return [];
    const partitions = event.outcomes.reduce((sum, { times }) => sum + times.length, 0);
    return [{ run: event.run, partitions, ms, endedAt: at }];
  });
}

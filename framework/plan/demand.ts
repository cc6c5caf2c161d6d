import type { AssetGraph, ResolvedAlternative, ResolvedInput } from '../graph/graph.ts';
import { upstreamSet } from '../partition/mapping.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey } from '../partition/space.ts';
import { chainUpstream, rangesOf, selfMapping } from './chain.ts';
import { type AssetEvaluation, statusCode, withStatus } from './evaluate.ts';

/** The partitions of an asset for which an alternative of an input was chosen; all of them where there is nothing to choose. */
export function choosing(
  evaluation: AssetEvaluation,
  input: string,
  alternative: number,
  within: PartitionSet,
): PartitionSet {
  const several = (evaluation.node.inputs.find((i) => i.name === input)?.alternatives.length ?? 1) > 1;
  if (!several || sets.isEmpty(within)) return within;
  return sets.mapSeries(within, (times, key) => {
    const series = evaluation.series.get(key);
    const chosen = series?.chosen.get(input);
    if (!series || !chosen) return ranges.EMPTY;
    const hits = new Uint8Array(chosen.length);
    for (let i = 0; i < hits.length; i++) hits[i] = chosen[i] === alternative ? 1 : 0;
    return ranges.intersect(times, rangesOf(hits, series.base));
  });
}

/** The alternatives of all inputs of an asset but those that are the asset itself. */
export function* alternativesOf(
  evaluation: AssetEvaluation,
): Generator<{ input: ResolvedInput; alternative: ResolvedAlternative; i: number }> {
  for (const input of evaluation.node.inputs) {
    for (const [i, alternative] of input.alternatives.entries()) {
      if (!alternative.mapping.self) yield { input, alternative, i };
    }
  }
}

/** What some partitions of an asset read through one alternative of an input, out of `existing`. */
export function readBy(
  evaluation: AssetEvaluation,
  { mapping }: ResolvedAlternative,
  set: PartitionSet,
  existing: PartitionSet,
): PartitionSet {
  if (sets.isEmpty(set) || sets.isEmpty(existing)) return sets.EMPTY_SET;
  return upstreamSet(mapping, set, evaluation.node.space, existing).read;
}

/** Those that can be computed, now or later: what is unavailable asks for nothing. */
const possible = ({ universe }: AssetEvaluation): PartitionSet => sets.union(universe.ready, universe.awaiting);

/** Links of a chain with the earlier ones they are made of. */
function withEarlier(evaluation: AssetEvaluation, set: PartitionSet): PartitionSet {
  const mapping = selfMapping(evaluation.node.inputs);
  if (!mapping) return set;
  const all = possible(evaluation);
  return sets.mapSeries(set, (links, key) =>
    chainUpstream(mapping, readSeriesKey(key), links, sets.rangesOf(all, key)),
  );
}

/**
 * What the seeds need from everything upstream, through the chosen alternatives only, and from their own earlier partitions. Seeds
 * are included. Assets for which `follow` says no are neither asked for nor passed through.
 */
export function demand(
  graph: AssetGraph,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  seeds: (key: string) => PartitionSet,
  follow: (key: string) => boolean,
): Map<string, PartitionSet> {
  const wanted = new Map<string, PartitionSet>();
  for (const key of graph.order.toReversed()) {
    const asked = sets.union(seeds(key), wanted.get(key) ?? sets.EMPTY_SET);
    const evaluation = evaluations.get(key);
    const set = evaluation ? withEarlier(evaluation, asked) : asked;
    wanted.set(key, set);
    if (!evaluation || sets.isEmpty(set)) continue;
    const { unavailable } = evaluation.universe;
    const asking = sets.subtract(set, unavailable);
    for (const { input, alternative, i } of alternativesOf(evaluation)) {
      const upstream = evaluations.get(alternative.asset)?.universe;
      if (!upstream || input.asks === false || !follow(alternative.asset)) continue;
      const read = [readBy(evaluation, alternative, choosing(evaluation, input.name, i, asking), upstream.all)];
      // Nothing is computed for what is unavailable, but where it comes from can be told.
      if (input.alternatives.length === 1) {
        read.push(readBy(evaluation, alternative, sets.intersect(set, unavailable), upstream.unavailable));
      }
      wanted.set(alternative.asset, sets.unionAll([wanted.get(alternative.asset) ?? sets.EMPTY_SET, ...read]));
    }
  }
  return wanted;
}

const UNNEEDED = statusCode('unneeded');

/**
 * Marks partitions that would be computed but that nothing needs, since another alternative serves: they are not work to be done.
 * What nothing reads is needed for its own sake.
 * @returns the evaluations with the marks, and what is needed by asset; undefined where the graph has no alternatives and so
 * everything is.
 */
export function markUnneeded(
  graph: AssetGraph,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
): {
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  readonly needed: ReadonlyMap<string, PartitionSet> | undefined;
} {
  const all = [...evaluations.values()];
  if (!all.some((e) => e.node.inputs.some((i) => i.alternatives.length > 1))) return { evaluations, needed: undefined };
  const read = new Map<string, PartitionSet>();
  for (const evaluation of all) {
    const readers = possible(evaluation);
    for (const { input, alternative } of alternativesOf(evaluation)) {
      if (input.asks === false) continue;
      const existing = evaluations.get(alternative.asset)?.universe.all ?? sets.EMPTY_SET;
      const more = readBy(evaluation, alternative, readers, existing);
      read.set(alternative.asset, sets.union(read.get(alternative.asset) ?? sets.EMPTY_SET, more));
    }
  }
  const unread = (key: string) =>
    sets.subtract(evaluations.get(key)?.universe.all ?? sets.EMPTY_SET, read.get(key) ?? sets.EMPTY_SET);
  const needed = demand(graph, evaluations, unread, () => true);
  const marked = new Map<string, AssetEvaluation>();
  for (const [key, evaluation] of evaluations) {
    const idle = withStatus(evaluation, 'missing', 'stale', 'pending');
    const unneeded = sets.subtract(idle, needed.get(key) ?? sets.EMPTY_SET);
    marked.set(key, withMarks(evaluation, unneeded));
  }
  return { evaluations: marked, needed };
}

function withMarks(evaluation: AssetEvaluation, set: PartitionSet): AssetEvaluation {
  if (sets.isEmpty(set)) return evaluation;
  const series = new Map(evaluation.series);
  for (const [key, times] of set.bySeries) {
    const one = series.get(key);
    if (one) series.set(key, one.marked(times, UNNEEDED));
  }
  return { ...evaluation, series };
}

import type { AssetGraph } from '../graph/graph.ts';
import { upstreamSet } from '../partition/mapping.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { type AssetEvaluation, pointsWhere, type SeriesEvaluation, statusCode } from './evaluate.ts';

/** The partitions of an asset for which an alternative of an input was chosen; all of them where there is nothing to choose. */
export function choosing(evaluation: AssetEvaluation, input: string, alternative: number, within: PartitionSet): PartitionSet {
  const several = (evaluation.node.inputs.find((i) => i.name === input)?.alternatives.length ?? 1) > 1;
  if (!several) return within;
  const chosen = pointsWhere(evaluation, (series: SeriesEvaluation, i) => series.chosen.get(input)?.[i] === alternative);
  return sets.intersect(within, chosen);
}

/**
 * What the seeds need from everything upstream, through the chosen alternatives only. Seeds are included. Assets for which
 * `follow` says no are neither asked for nor passed through.
 */
export function demand(
  graph: AssetGraph,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  seeds: (key: string) => PartitionSet,
  follow: (key: string) => boolean,
): Map<string, PartitionSet> {
  const wanted = new Map<string, PartitionSet>();
  for (const key of graph.order.toReversed()) {
    const set = sets.union(seeds(key), wanted.get(key) ?? sets.EMPTY_SET);
    wanted.set(key, set);
    const evaluation = evaluations.get(key);
    if (!evaluation || sets.isEmpty(set)) continue;
    for (const input of evaluation.node.inputs) {
      for (const [i, alternative] of input.alternatives.entries()) {
        if (alternative.mapping.self || !follow(alternative.asset)) continue;
        const upstream = evaluations.get(alternative.asset);
        if (!upstream) continue;
        const { read } = upstreamSet(alternative.mapping, choosing(evaluation, input.name, i, set), evaluation.node.space, upstream.universe.all);
        wanted.set(alternative.asset, sets.union(wanted.get(alternative.asset) ?? sets.EMPTY_SET, read));
      }
    }
  }
  return wanted;
}

const MISSING = statusCode('missing');
const UNNEEDED = statusCode('unneeded');

/**
 * Marks missing partitions that nothing needs, since another alternative serves: they are not work to be done.
 * @returns what is needed, by asset; undefined where the graph has no alternatives and so everything is.
 */
export function markUnneeded(graph: AssetGraph, evaluations: ReadonlyMap<string, AssetEvaluation>): Map<string, PartitionSet> | undefined {
  const alternatives = [...evaluations.values()].some((e) => e.node.inputs.some((i) => i.alternatives.length > 1));
  if (!alternatives) return undefined;
  const needed = demand(
    graph,
    evaluations,
    (key) => (graph.downstreamOf(key).length === 0 ? (evaluations.get(key) as AssetEvaluation).universe.all : sets.EMPTY_SET),
    () => true,
  );
  for (const [key, evaluation] of evaluations) {
    const missing = pointsWhere(evaluation, (series, i) => series.status[i] === MISSING);
    for (const [seriesKey, times] of sets.subtract(missing, needed.get(key) ?? sets.EMPTY_SET).bySeries) {
      const series = evaluation.series.get(seriesKey);
      for (let i = 0; series && i < times.bounds.length; i += 2) {
        series.status.fill(UNNEEDED, (times.bounds[i] as number) - series.base, (times.bounds[i + 1] as number) - series.base);
      }
    }
  }
  return needed;
}

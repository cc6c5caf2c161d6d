import type { Steps } from '../common/steps.ts';
import type { AssetGraph } from '../graph/graph.ts';
import { markUnneeded } from './demand.ts';
import { type AssetEvaluation, evaluateAssetInSteps } from './evaluate.ts';
import { sameUniverses, type Universe, universesInSteps } from './universe.ts';
import type { LakeView } from './view.ts';

/** Every partition's status as of one view and one instant, with what the next one can be made from. */
export interface EvaluatedLake<View extends LakeView = LakeView> {
  readonly graph: AssetGraph;
  readonly view: View;
  /** ms UTC. */
  readonly at: number;
  readonly universes: ReadonlyMap<string, Universe>;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** Without marks of what is unneeded. */
  readonly unmarked: ReadonlyMap<string, AssetEvaluation>;
}

/** The finest grain of time. */
const HOUR_MS = 3_600_000;

/**
 * The whole graph evaluated, some series at a time. What an earlier evaluation of the same log found out and has not changed since is
 * taken from it, so that it costs what has changed and what that concerns, not what there is.
 */
export function* evaluateAfter<View extends LakeView>(
  graph: AssetGraph,
  view: View,
  now: number,
  before?: EvaluatedLake,
): Steps<EvaluatedLake<View>> {
  const earlier = before?.graph === graph ? before : undefined;
  const still = earlier && sameClock(graph, earlier.at, now) && sameUniverses(graph, earlier.view, view);
  const universes = still ? earlier.universes : yield* universesInSteps(graph, view, now);
  const unmarked = new Map<string, AssetEvaluation>();
  const upstream = (key: string) => unmarked.get(key) as AssetEvaluation;
  for (const key of graph.order) {
    yield;
    const [node, universe] = [graph.node(key), universes.get(key) as Universe];
    const known = earlier?.unmarked.get(key);
    unmarked.set(key, yield* evaluateAssetInSteps(node, universe, view, upstream, { mode: 'plan' }, known));
  }
  yield;
  const { evaluations } = markUnneeded(graph, unmarked);
  return { graph, view, at: now, universes, evaluations, unmarked };
}

/** Whether the clock tells universes apart: periods begin with an hour, and so do delays that are whole hours. */
function sameClock(graph: AssetGraph, before: number, now: number): boolean {
  if (before === now) return true;
  if (Math.floor(before / HOUR_MS) !== Math.floor(now / HOUR_MS)) return false;
  return graph.order.every((key) => {
    const { source } = graph.node(key).definition;
    return !source || (source.publicationLagMs % HOUR_MS === 0 && source.liveForMs % HOUR_MS === 0);
  });
}

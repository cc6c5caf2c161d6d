import type { OpenedLake } from '../materialize/open.ts';
import { markUnneeded } from '../plan/demand.ts';
import { type AssetEvaluation, evaluateLake } from '../plan/evaluate.ts';
import { universes } from '../plan/universe.ts';
import type { LakeIndex } from '../state/index.ts';

export interface Evaluated {
  readonly view: LakeIndex;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** ms UTC. */
  readonly at: number;
}

/** Every partition's status as of now. */
export function evaluateNow(
  { graph, state, now }: Pick<OpenedLake, 'graph' | 'state' | 'now'>,
  view: LakeIndex = state.refresh(),
): Evaluated {
  const at = now();
  const evaluations = evaluateLake(graph, view, universes(graph, view, at), () => ({ mode: 'plan' }));
  return { view, evaluations: markUnneeded(graph, evaluations).evaluations, at };
}

import { setImmediate } from 'node:timers/promises';
import type { OpenedLake } from '../../materialize/open.ts';
import { markUnneeded } from '../../plan/demand.ts';
import { type AssetEvaluation, evaluateAsset } from '../../plan/evaluate.ts';
import { type Universe, universes } from '../../plan/universe.ts';
import type { LakeIndex } from '../../state/index.ts';

/** Every partition's status as of one revision and one instant. */
export interface Snapshot {
  readonly view: LakeIndex;
  readonly at: number;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
}

/**
 * Evaluates asset by asset, and lets keys and frames have their turn in between.
 * @throws the signal's reason.
 */
export async function takeSnapshot(lake: OpenedLake, signal: AbortSignal): Promise<Snapshot> {
  const view = lake.state.refresh();
  const at = lake.now();
  const universe = universes(lake.graph, view, at);
  const evaluations = new Map<string, AssetEvaluation>();
  const upstream = (key: string) => evaluations.get(key) as AssetEvaluation;
  for (const key of lake.graph.order) {
    await setImmediate();
    signal.throwIfAborted();
    const node = lake.graph.node(key);
    evaluations.set(key, evaluateAsset(node, universe.get(key) as Universe, view, upstream, { mode: 'plan' }));
  }
  markUnneeded(lake.graph, evaluations);
  return { view, at, evaluations };
}

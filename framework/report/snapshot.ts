import { setImmediate } from 'node:timers/promises';
import { byTurns } from '../common/steps.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { markUnneeded } from '../plan/demand.ts';
import { type AssetEvaluation, evaluateAssetInSteps } from '../plan/evaluate.ts';
import { sameUniverses, type Universe, universesInSteps } from '../plan/universe.ts';
import type { LakeIndex } from '../state/index.ts';

/** Every partition's status as of one revision and one instant. */
export interface Snapshot {
  readonly view: LakeIndex;
  readonly at: number;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** What the next one can be made from. */
  readonly made: {
    readonly lake: OpenedLake;
    readonly universes: ReadonlyMap<string, Universe>;
    /** Without marks of what is unneeded. */
    readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  };
}

/** The finest grain of time: with the next one there may be other partitions without any event. */
const HOUR_MS = 3_600_000;

/**
 * Evaluates some series at a time, and lets keys and frames have their turn in between. What has not changed since an earlier snapshot
 * of the same lake is taken from it, so that it costs what has changed and what that concerns.
 * @throws the signal's reason.
 */
export async function takeSnapshot(lake: OpenedLake, signal: AbortSignal, before?: Snapshot): Promise<Snapshot> {
  const { graph } = lake;
  const view = lake.state.refresh();
  const at = lake.now();
  const turn = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };
  const earlier = before?.made.lake === lake ? before : undefined;
  const sameHour = earlier && Math.floor(earlier.at / HOUR_MS) === Math.floor(at / HOUR_MS);
  const universes =
    sameHour && sameUniverses(graph, earlier.view, view)
      ? earlier.made.universes
      : await byTurns(universesInSteps(graph, view, at), turn);
  const evaluations = new Map<string, AssetEvaluation>();
  const upstream = (key: string) => evaluations.get(key) as AssetEvaluation;
  for (const key of graph.order) {
    const [node, universe] = [graph.node(key), universes.get(key) as Universe];
    const known = earlier?.made.evaluations.get(key);
    const steps = evaluateAssetInSteps(node, universe, view, upstream, { mode: 'plan' }, known);
    evaluations.set(key, await byTurns(steps, turn));
  }
  const marked = markUnneeded(graph, evaluations).evaluations;
  return { view, at, evaluations: marked, made: { lake, universes, evaluations } };
}

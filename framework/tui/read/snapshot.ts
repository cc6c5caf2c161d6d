import { setImmediate } from 'node:timers/promises';
import { byTurns } from '../../common/steps.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { type EvaluatedLake, evaluateAfter } from '../../plan/follow.ts';
import type { LakeIndex } from '../../state/index.ts';

/** Every partition's status as of one revision and one instant. */
export interface Snapshot extends EvaluatedLake<LakeIndex> {
  readonly lake: OpenedLake;
}

/**
 * Evaluates some series at a time, and lets keys and frames have their turn in between.
 * @param before an earlier snapshot; what has not changed since is taken from it.
 * @throws the signal's reason.
 */
export async function takeSnapshot(lake: OpenedLake, signal: AbortSignal, before?: Snapshot): Promise<Snapshot> {
  const view = lake.state.refresh();
  const earlier = before?.lake === lake ? before : undefined;
  const evaluated = await byTurns(evaluateAfter(lake.graph, view, lake.now(), earlier), async () => {
    await setImmediate();
    signal.throwIfAborted();
  });
  return { ...evaluated, lake };
}

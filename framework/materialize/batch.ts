import { isLakehouseError } from '../common/errors.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { printKey } from '../partition/space.ts';
import { evaluateAsset, RUN_WILL } from '../plan/evaluate.ts';
import type { BatchPlan, PackPlan } from '../plan/plan.ts';
import type { Universe } from '../plan/universe.ts';
import type { LakeView } from '../plan/view.ts';
import type { LakeIndex } from '../state/index.ts';
import type { ClaimToken } from '../state/store.ts';
import { choiceOf, type Target } from './bind.ts';
import { withClaim } from './claims.ts';
import { type BatchContext, policyOf, retryControl } from './context.ts';
import { type Failure, recordFailures } from './finish.ts';
import { rawBatch } from './raw.ts';
import { endsRun, isConflict, isTransient, withRetry } from './retry.ts';
import { isChain, tableBatch } from './table.ts';

/** How often a batch is looked up anew because others came first, before it is left to the next run. */
const CONFLICTS = 8;

/**
 * Computes and commits one batch under a claim on its packs. Failures of partitions are recorded, not thrown.
 * @throws what ends the run: {@link endsRun}, and the signal's reason.
 */
export async function runBatch(context: BatchContext, batch: BatchPlan): Promise<void> {
  const packs = batch.packs.map((p) => `${p.seriesKey}|${p.name}`);
  const all = batch.packs.flatMap((pack) => targetsOf(context.node, pack));
  for (let lost = 0; ; lost++) {
    try {
      await withClaim(context, packs, batch.partitions, async (claim) => {
        const byChoice = Map.groupBy(remaining(context, all), (target) => choiceOf(context.evaluation, target));
        for (const targets of byChoice.values()) await runTargets(context, claim, targets);
      });
      return;
    } catch (error) {
      // This process was stopped for so long that its claim expired and was taken: whoever took it may have done it all.
      if (!(isLakehouseError(error) && error.code === 'claim-lost') || lost >= CONFLICTS) throw error;
    }
  }
}

function targetsOf(node: AssetNode, { seriesKey, values, times }: PackPlan): Target[] {
  return Array.from(ranges.iterate(times), (time) => ({
    seriesKey,
    values,
    time,
    key: printKey(node.space, { values, time }),
  }));
}

/** Leaves out what another run (or this one, under a claim it lost) has settled since the asset was evaluated. */
function remaining(context: BatchContext, targets: readonly Target[]): readonly Target[] {
  const { lake, node, evaluation, head } = context;
  const index = lake.state.refresh();
  const state = index.asset(node.key);
  const bySeries = Map.groupBy(targets, (t) => t.seriesKey);
  const settled = new Set<Target>();
  for (const [key, list] of bySeries) {
    const details = lake.state.details(node.key, key);
    for (const target of list) {
      const revision = details?.revision[target.time - details.base] ?? 0;
      if (revision > head || (state?.failure(key, target.time)?.revision ?? 0) > head) settled.add(target);
    }
  }
  if (settled.size === 0) return targets;
  const series = new Set([...settled].map((t) => t.seriesKey));
  const again = evaluateAsset(
    node,
    onlySeries(evaluation.universe, series),
    viewOf(index, node.key, series),
    context.upstream,
    { mode: 'execute' },
  );
  return targets.filter((target) => {
    if (!settled.has(target)) return true;
    const now = again.series.get(target.seriesKey);
    return now?.run[target.time - now.base] === RUN_WILL;
  });
}

function onlySeries(universe: Universe, keys: ReadonlySet<string>): Universe {
  const only = (set: Universe['all']) => sets.fromSeries([...set.bySeries].filter(([key]) => keys.has(key)));
  return {
    ready: only(universe.ready),
    awaiting: only(universe.awaiting),
    unavailable: only(universe.unavailable),
    all: only(universe.all),
  };
}

function viewOf(index: LakeIndex, asset: string, keys: ReadonlySet<string>): LakeView {
  const state = index.asset(asset);
  const own = state && {
    series: new Map([...state.series].filter(([key]) => keys.has(key))),
    failure: (key: string, time: number) => state.failure(key, time),
  };
  return {
    head: index.head,
    codes: index.codes,
    accepted: index.accepted,
    choices: index.choices,
    asset: (key) => (key === asset ? own : index.asset(key)),
  };
}

/** Targets of one choice; split where one of them spoils the rest. */
async function runTargets(context: BatchContext, claim: ClaimToken, targets: readonly Target[]): Promise<void> {
  const { lake, node, signal, stopping } = context;
  if (targets.length === 0) return;
  const { compute, storage } = node.definition;
  // A function cannot read rows of its own batch, so each link of its chain is committed before the next.
  if (targets.length > 1 && compute?.type === 'rows' && isChain(node))
    return runEach(
      context,
      claim,
      targets.map((t) => [t]),
    );
  const { head } = lake.state.refresh();
  try {
    const failed = await withConflicts(context, () =>
      storage.type === 'raw' ? rawBatch(context, claim, targets) : retried(context, claim, targets),
    );
    recordFailures(context, head, failed);
  } catch (error) {
    signal.throwIfAborted();
    if (endsRun(error)) throw error;
    if (stopping.aborted && isConflict(error)) return;
    // A conflict that does not pass may be one target's: a file that is lost. Then the others are computed without it.
    if (targets.length === 1 || (isTransient(error) && !splitsHelp(error))) {
      return recordFailures(
        context,
        head,
        targets.map((target) => ({ target, error })),
      );
    }
    // Splitting goes on for a while: not when the run is to stop.
    if (stopping.aborted) return;
    const bad = knownBad(error, targets);
    if (bad !== undefined) {
      recordFailures(context, head, [{ target: bad, error }]);
      return runEach(context, claim, [targets.filter((t) => t !== bad)]);
    }
    const middle = targets.length >> 1;
    await runEach(context, claim, [targets.slice(0, middle), targets.slice(middle)]);
  }
}

async function runEach(context: BatchContext, claim: ClaimToken, parts: readonly (readonly Target[])[]): Promise<void> {
  for (const part of parts) if (!context.stopping.aborted) await runTargets(context, claim, part);
}

function retried(context: BatchContext, claim: ClaimToken, targets: readonly Target[]): Promise<Failure[]> {
  const again = (error: unknown) => isTransient(error) && !(targets.length > 1 && splitsHelp(error));
  return withRetry(
    context.node.key,
    policyOf(context),
    retryControl(context),
    () => tableBatch(context, claim, targets),
    again,
  );
}

/** A batch that is too large for the memory is cut up at once instead of being tried again. */
function splitsHelp(error: unknown): boolean {
  return isLakehouseError(error) && error.code === 'out-of-memory';
}

/** Repeats what others got in the way of, on the state as it is then. */
async function withConflicts<T>({ signal, stopping }: BatchContext, task: () => Promise<T>): Promise<T> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      if (!isConflict(error) || endsRun(error) || stopping.aborted || conflicts >= CONFLICTS) throw error;
    }
  }
}

/** The one target the engine knows to be to blame, if it does: then its message is about exactly that one. */
function knownBad(error: unknown, targets: readonly Target[]): Target | undefined {
  const ordinals = isLakehouseError(error) ? error.details?.targets : undefined;
  return Array.isArray(ordinals) && ordinals.length === 1 ? targets[Number(ordinals[0])] : undefined;
}

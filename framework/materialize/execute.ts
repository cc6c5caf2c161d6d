import pLimit from 'p-limit';
import { type Issue, LakehouseError, serializeError } from '../common/errors.ts';
import { traced } from '../common/trace.ts';
import type { AssetNode } from '../graph/graph.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { printKey, readSeriesKey } from '../partition/space.ts';
import { type AssetEvaluation, evaluateAsset, pointsWhere, RUN_WILL, withStatus } from '../plan/evaluate.ts';
import {
  type BatchPlan,
  batchesOf,
  causeCounts,
  type DepartStep,
  type Planning,
  type PlanRequest,
} from '../plan/plan.ts';
import { type Universe, universes } from '../plan/universe.ts';
import { runBatch } from './batch.ts';
import { createBreaker } from './breaker.ts';
import { type BatchContext, type RunControl, toldToStop } from './context.ts';
import { depart } from './depart.ts';
import { newCounts, type RunCounts } from './events.ts';
import type { Lake } from './lake.ts';
import { isChain } from './table.ts';

/** What a plan without work has to tell: the partitions that cannot be computed now. */
export function tellHolds({ plan }: Planning, { emit }: RunControl, counts: RunCounts): void {
  for (const step of plan.steps) {
    if (step.type !== 'hold' || step.reason === 'unavailable') continue;
    const partitions = sets.countOf(step.set);
    emit({ type: 'held', asset: step.asset, reason: step.reason, partitions });
    counts.held += partitions;
    if (step.reason === 'failed') counts.standing += partitions;
  }
}

/**
 * Carries out a plan. Every asset has its turn when all upstream of it have had theirs.
 * @throws the first error that is no partition's fault, after everything that was running has come to an end.
 */
export async function execute(
  lake: Lake,
  planning: Planning,
  request: PlanRequest & { readonly priority?: number | undefined },
  run: string,
  control: RunControl,
  counts: RunCounts,
  /** Sources that could not be looked at: what is fetched from them is left for later. */
  down: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { plan, targets } = planning;
  const { now } = plan;
  const { stopping, signal, emit } = control;
  const selected = new Set(plan.assets);
  const evaluations = new Map<string, AssetEvaluation>();
  const { priority } = request;
  const ending = AbortSignal.any([signal, stopping]);
  const begin = (pool: string) =>
    lake.pools.begin(pool, { signal: ending, priority }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw stopping.aborted ? toldToStop() : error;
    });
  // The universe is fixed by the observations this run began with; only sources and what is present can alter it.
  const universe = universes(lake.graph, lake.state.index(), now);
  const upstream = (key: string) => evaluations.get(key) as AssetEvaluation;
  const evaluate = (key: string, force?: PartitionSet, retryFailed?: PartitionSet): AssetEvaluation =>
    evaluateAsset(lake.graph.node(key), universe.get(key) as Universe, lake.state.refresh(), upstream, {
      mode: 'execute',
      ...(force && { force }),
      ...(retryFailed && { retryFailed }),
    });

  let failure: { readonly error: unknown } | undefined;
  const halted = () => stopping.aborted || signal.aborted || failure !== undefined;
  const turns = new Map<string, Promise<void>>();
  /** Never rejects, so that the run ends only when nothing of it is running any more. */
  const turn = async (key: string): Promise<void> => {
    await Promise.all(lake.graph.upstreamOf(key).map((up) => turns.get(up)));
    if (halted()) return;
    try {
      const node = lake.graph.node(key);
      await leave(node);
      const waits = lake.graph.upstreamOf(key).filter((up) => down.has(up));
      if (selected.has(key) && node.definition.kind !== 'source') {
        if (waits.length === 0) await runAsset(node);
        else
          emit({
            type: 'warning',
            asset: key,
            message: `${key} is left for later: ${waits.join(', ')} cannot be looked at`,
          });
      }
      if (!halted()) evaluations.set(key, evaluate(key));
    } catch (error) {
      failure ??= { error };
    }
  };

  /** An asset whose query does not bind fails as a whole, at once. */
  const failAll = (node: AssetNode, set: PartitionSet, issues: readonly Issue[], head: number): void => {
    const error = serializeError(
      new LakehouseError('bad-query', `${node.key}: ${issues.map(({ message }) => message).join('; ')}`, {
        kind: 'data',
        issues,
      }),
    );
    const failures = [...sets.points(set)].map(([series, time]) => ({
      series,
      values: readSeriesKey(series),
      time,
      transient: false,
      error,
    }));
    lake.state.append({ kind: 'failed', asset: node.key, run, code: node.code, head, failures });
    counts.failed += failures.length;
    for (const f of failures)
      emit({ type: 'partition-failed', asset: node.key, partition: printKey(node.space, f), error });
  };

  const leave = async (node: AssetNode): Promise<void> => {
    const leaving = plan.steps.find((s): s is DepartStep => s.type === 'depart' && s.asset === node.key);
    if (!leaving) return;
    const partitions = await depart(lake, node, { run, reason: 'excluded', set: leaving.set, now, signal });
    counts.departed += partitions;
    emit({ type: 'departed', asset: node.key, partitions });
  };

  const tellHeld = (key: string, evaluation: AssetEvaluation, waiting: PartitionSet): void => {
    for (const reason of ['pending', 'blocked', 'awaiting', 'failed'] as const) {
      const partitions = sets.countOf(sets.intersect(waiting, withStatus(evaluation, reason)));
      if (partitions > 0) emit({ type: 'held', asset: key, reason, partitions });
      counts.held += partitions;
      if (reason === 'failed') counts.standing += partitions;
    }
  };

  const runAsset = async (node: AssetNode): Promise<void> => {
    const { key, definition } = node;
    const started = performance.now();
    const own = newCounts();
    const target = targets.get(key) ?? sets.EMPTY_SET;
    const evaluation = evaluate(key, request.force ? target : undefined, request.retryFailed ? target : undefined);
    const { head } = lake.state.index();
    const set = sets.intersect(
      target,
      pointsWhere(evaluation, (series, i) => series.run[i] === RUN_WILL),
    );
    tellHeld(key, evaluation, sets.subtract(target, set));
    if (sets.isEmpty(set)) return;
    // An engine that does not start is no partition's fault.
    if (definition.storage.type === 'table') {
      const { issues, warnings } = await (await lake.engine()).examine(definition);
      for (const { message, hint } of warnings) emit({ type: 'warning', asset: key, message, hint });
      if (issues.length > 0) return failAll(node, set, issues, head);
    } else if (definition.inputs.some((input) => input.alternatives.some(({ asset }) => asset?.kind === 'asset')))
      await lake.engine();
    const batches = batchesOf(node, set, now, lake.settings.limits);
    emit({
      type: 'asset-started',
      asset: key,
      partitions: sets.countOf(set),
      batches: batches.length,
      causes: causeCounts(evaluation, set),
    });
    const context: BatchContext = {
      lake,
      run,
      node,
      evaluation,
      upstream,
      head,
      now,
      stopping,
      signal,
      emit,
      counts: own,
      breaker: createBreaker(key),
      pool: (task) => lake.pools.run(definition.pool, task, { signal, priority }),
      begin: () => begin(definition.pool),
    };
    // A few more than the pool has slots are prepared ahead.
    const width = pLimit(lake.pools.slotsOf(definition.pool) + 1);
    const runChain = async (chain: readonly BatchPlan[]): Promise<void> => {
      for (const batch of chain) {
        if (halted()) return;
        try {
          const { partitions } = batch;
          await traced({ type: 'batch', run, asset: key, partitions }, () => runBatch(context, batch));
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await traced({ type: 'asset', run, asset: key, partitions: sets.countOf(set), counts: own }, () =>
      Promise.all(chained(node, batches).map((chain) => width(() => runChain(chain)))),
    );
    for (const [name, count] of Object.entries(own)) counts[name as keyof RunCounts] += count;
    emit({
      type: 'asset-finished',
      asset: key,
      done: own.computed,
      changed: own.changed,
      failed: own.failed,
      ms: Math.round(performance.now() - started),
    });
  };

  for (const key of lake.graph.order) turns.set(key, turn(key));
  await Promise.all(turns.values());
  signal.throwIfAborted();
  if (failure) throw failure.error;
}

/** Batches grouped so that those which write the same pack follow each other, and those of a series that reads itself as well. */
function chained(node: AssetNode, batches: readonly BatchPlan[]): BatchPlan[][] {
  const bySeries = isChain(node);
  const chains: BatchPlan[][] = [];
  const owner = new Map<string, BatchPlan[]>();
  for (const batch of batches) {
    const keys = batch.packs.map((p) => (bySeries ? p.seriesKey : `${p.seriesKey}\n${p.name}`));
    const found = keys.map((k) => owner.get(k)).find((c) => c !== undefined);
    const chain = found ?? [];
    chain.push(batch);
    if (!found) chains.push(chain);
    for (const k of keys) owner.set(k, chain);
  }
  return chains;
}

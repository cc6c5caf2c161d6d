import pLimit from 'p-limit';
import { formatIssue, type Issue, LakehouseError, serializeError } from '../common/errors.ts';
import type { AssetNode } from '../graph/graph.ts';
import { batchesOf, causeCounts, type DepartStep, makePlan, type Plan, type Planning, type PlanRequest } from '../plan/plan.ts';
import { type AssetEvaluation, evaluateAsset, pointsWhere, RUN_WILL, withStatus } from '../plan/evaluate.ts';
import * as sets from '../partition/set.ts';
import type { PartitionSet } from '../partition/set.ts';
import { printKey, readSeriesKey } from '../partition/space.ts';
import { universes } from '../plan/universe.ts';
import type { PackedSet } from '../state/events.ts';
import { type BatchContext, runBatch } from './batch.ts';
import { removeSuperseded } from './commit.ts';
import { type Emit, newCounts, type RunCounts } from './events.ts';
import type { Lake } from './lake.ts';
import { observe } from './observe.ts';

export interface RunRequest extends PlanRequest {
  /** The command line, for the record. */
  readonly command: string;
  /** Whether to look at the selected sources first. Default true. */
  readonly observe?: boolean | undefined;
  /** Per asset: partitions at this code version are declared to be what the current code gives. */
  readonly acceptCode?: readonly { readonly asset: string; readonly from: string }[];
}

export interface RunControl {
  /** Aborted: start nothing new; what is running finishes. */
  readonly stopping: AbortSignal;
  /** Aborted: stop now; nothing of what is running commits. */
  readonly signal: AbortSignal;
  readonly emit: Emit;
}

export interface RunResult {
  readonly run: string;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly counts: RunCounts;
  readonly plan: Plan;
}

export function packed(set: PartitionSet): PackedSet {
  return [...set.bySeries].map(([series, times]) => ({ series, values: readSeriesKey(series), ranges: [...times.bounds] }));
}

/** Tells the log which code this process runs, so that older processes notice. */
export function logDefinitions(lake: Lake): void {
  const known = lake.state.refresh().definitions;
  const versions = Object.fromEntries(lake.graph.order.map((key) => [key, lake.graph.node(key).code]).filter(([key, code]) => known[key as string] !== code));
  if (Object.keys(versions).length > 0) lake.state.append({ kind: 'definitions', versions });
}

/**
 * Observes the selected sources, plans, and computes what is stale, asset by asset in topological order; assets that do not
 * depend on each other run at the same time. Every asset is evaluated again when its turn comes, against what its upstreams
 * really became: that is where early cutoff happens. After a crash, running again is all there is to do.
 */
export async function materialize(lake: Lake, request: RunRequest, control: RunControl): Promise<RunResult> {
  const { emit } = control;
  const started = performance.now();
  const run = lake.id();
  const counts = newCounts();
  lake.state.append({ kind: 'run-started', run, command: request.command, selection: request.selection ?? '*' });
  emit({ type: 'run-started', run, at: lake.now(), selection: request.selection ?? '*' });
  const end = (outcome: RunResult['outcome'], error?: unknown) => {
    lake.state.append({ kind: 'run-finished', run, outcome, counts: { ...counts }, ...(error !== undefined && { error: serializeError(error) }) });
    if (lake.state.eventsSinceCheckpoint() >= lake.settings.checkpointEvery) lake.state.checkpoint();
    emit({ type: 'run-finished', run, outcome, counts, ms: Math.round(performance.now() - started) });
  };
  try {
    logDefinitions(lake);
    for (const { asset, from } of request.acceptCode ?? []) lake.state.append({ kind: 'accepted', asset, run, from, to: lake.graph.node(asset).code });
    if (request.observe !== false) await observeSelected(lake, request, run, control);
    const planning = makePlan(lake.graph, lake.state.refresh(), request, lake.now(), lake.settings.limits);
    const { plan } = planning;
    emit({ type: 'planned', will: plan.will, may: plan.may, batches: plan.batches, files: plan.files });
    const failure = await execute(lake, planning, request, run, control, counts);
    await removeSuperseded(lake, lake.now());
    if (failure) throw failure.error;
    const outcome = control.stopping.aborted ? 'cancelled' : counts.failed > 0 || counts.checksFailed > 0 ? 'failed' : 'succeeded';
    end(outcome);
    return { run, outcome, counts, plan };
  } catch (error) {
    end(control.signal.aborted ? 'cancelled' : 'failed', error);
    throw error;
  }
}

/** Sources that a selection reaches, observed and logged. Returns nothing: the log has it. */
async function observeSelected(lake: Lake, request: PlanRequest, run: string, control: RunControl): Promise<void> {
  const keys = request.selection === undefined ? lake.graph.order : lake.graph.select(request.selection).keys;
  for (const key of keys) {
    const node = lake.graph.node(key);
    if (node.definition.kind !== 'source') continue;
    control.stopping.throwIfAborted();
    control.emit({ type: 'observing', asset: key });
    const started = performance.now();
    const result = await observe(lake, node, run, control.signal);
    if (result.changed > 0 || result.withdrawn > 0 || lake.state.index().asset(key)?.lastObservedAt === undefined) lake.state.append(result.event);
    control.emit({ type: 'observed', asset: key, seen: result.seen, changed: result.changed, withdrawn: result.withdrawn, ms: Math.round(performance.now() - started) });
  }
}

async function execute(lake: Lake, planning: Planning, request: RunRequest, run: string, control: RunControl, counts: RunCounts): Promise<{ error: unknown } | undefined> {
  const { plan, targets } = planning;
  const now = plan.now;
  const evaluations = new Map<string, AssetEvaluation>();
  const pools = new Map<string, ReturnType<typeof pLimit>>();
  const poolOf = (name: string) => {
    let pool = pools.get(name);
    if (!pool) {
      pool = pLimit(lake.settings.pools[name] ?? lake.settings.defaultPool);
      pools.set(name, pool);
    }
    return pool;
  };
  const selected = new Set(plan.assets);
  // The universe is fixed by the observations this run began with; only sources and what is present can alter it.
  const universe = universes(lake.graph, lake.state.index(), now);
  const evaluate = (key: string, force?: PartitionSet, retryFailed?: PartitionSet): AssetEvaluation =>
    evaluateAsset(lake.graph.node(key), universe.get(key) as never, lake.state.refresh(), (k) => evaluations.get(k) as AssetEvaluation, {
      mode: 'execute',
      ...(force && { force }),
      ...(retryFailed && { retryFailed }),
    });

  let failure: { error: unknown } | undefined;
  const turns = new Map<string, Promise<void>>();
  const turn = async (key: string): Promise<void> => {
    await Promise.all(lake.graph.upstreamOf(key).map((up) => turns.get(up)));
    if (!selected.has(key) || lake.graph.node(key).definition.kind === 'source' || control.stopping.aborted || failure) {
      evaluations.set(key, evaluate(key));
      return;
    }
    try {
      await runAsset(key);
    } catch (error) {
      failure ??= { error };
    }
    evaluations.set(key, evaluate(key));
  };

  /** An asset whose query does not bind fails as a whole, at once. */
  const failAll = (node: AssetNode, set: PartitionSet, issues: readonly Issue[], head: number): void => {
    const error = serializeError(new LakehouseError('bad-query', `${node.key}: ${issues.map(formatIssue).join('; ')}`, { kind: 'data', issues }));
    const failures = [...sets.points(set)].map(([series, time]) => ({ series, values: readSeriesKey(series), time, transient: false, error }));
    lake.state.append({ kind: 'failed', asset: node.key, run, code: node.code, head, failures });
    counts.failed += failures.length;
    for (const f of failures) control.emit({ type: 'partition-failed', asset: node.key, partition: printKey(node.space, f), error });
  };

  const runAsset = async (key: string): Promise<void> => {
    const node = lake.graph.node(key);
    const started = performance.now();
    const own = newCounts();
    const leaving = plan.steps.find((s): s is DepartStep => s.type === 'depart' && s.asset === key);
    if (leaving) {
      lake.state.append({ kind: 'departed', asset: key, run, reason: 'excluded', set: packed(leaving.set) });
      counts.departed += sets.countOf(leaving.set);
      control.emit({ type: 'departed', asset: key, partitions: sets.countOf(leaving.set) });
    }
    const target = targets.get(key) ?? sets.EMPTY_SET;
    const evaluation = evaluate(key, request.force ? target : undefined, request.retryFailed ? target : undefined);
    const head = lake.state.index().head;
    const set = sets.intersect(target, pointsWhere(evaluation, (series, i) => series.run[i] === RUN_WILL));
    const held: Record<string, PartitionSet> = { blocked: withStatus(evaluation, 'blocked'), awaiting: withStatus(evaluation, 'awaiting'), failed: withStatus(evaluation, 'failed') };
    for (const reason of ['blocked', 'awaiting', 'failed'] as const) {
      const waiting = sets.countOf(sets.subtract(sets.intersect(target, held[reason] as PartitionSet), set));
      if (waiting > 0) control.emit({ type: 'held', asset: key, reason, partitions: waiting });
      counts.held += waiting;
    }
    if (sets.isEmpty(set)) return;
    // An engine that does not start is no partition's fault.
    if (node.definition.storage.type === 'table') {
      const { issues } = await (await lake.engine()).examine(node.definition);
      if (issues.length > 0) return failAll(node, set, issues, head);
    }
    const batches = batchesOf(node, set, now, lake.settings.limits);
    control.emit({ type: 'asset-started', asset: key, partitions: sets.countOf(set), batches: batches.length, causes: causeCounts(evaluation, set) });
    const context: BatchContext = {
      lake,
      run,
      node,
      evaluation,
      upstream: (k) => evaluations.get(k) as AssetEvaluation,
      head,
      now,
      signal: control.signal,
      emit: control.emit,
      counts: own,
      pool: (task) => poolOf(node.definition.pool)(task),
    };
    // Batches that share a pack follow each other; a few more than the pool has slots are prepared ahead.
    const width = pLimit((lake.settings.pools[node.definition.pool] ?? lake.settings.defaultPool) + 1);
    const chains = chained(batches);
    await Promise.all(
      chains.map((chain) =>
        width(async () => {
          for (const batch of chain) {
            if (control.stopping.aborted || failure) return;
            try {
              await runBatch(context, batch);
            } catch (error) {
              failure ??= { error };
            }
          }
        }),
      ),
    );
    for (const [name, count] of Object.entries(own)) counts[name as keyof RunCounts] += count;
    control.emit({
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
  return failure;
}

/** Batches grouped so that those which write the same pack, or belong to one chain, run one after another. */
function chained<T extends { readonly packs: readonly { readonly seriesKey: string; readonly name: string }[] }>(batches: readonly T[]): T[][] {
  const chains: T[][] = [];
  const owner = new Map<string, T[]>();
  for (const batch of batches) {
    const keys = batch.packs.map((p) => `${p.seriesKey}\n${p.name}`);
    const found = keys.map((k) => owner.get(k)).find((c) => c !== undefined);
    const chain = found ?? [];
    chain.push(batch);
    if (!found) chains.push(chain);
    for (const k of keys) owner.set(k, chain);
  }
  return chains;
}


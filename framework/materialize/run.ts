import { LakehouseError, type SerializedError, serializeError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import { traced } from '../common/trace.ts';
import type { Plan, PlanRequest } from '../plan/plan.ts';
import { makePlan } from '../plan/plan.ts';
import { publishThenRemove } from './catalogue.ts';
import { compareComputed } from './check.ts';
import type { RunControl } from './context.ts';
import { logDefinitions } from './definitions.ts';
import { newCounts, type RunCounts } from './events.ts';
import { examinePlan, refuseUnsound } from './examine.ts';
import { execute, tellHolds } from './execute.ts';
import { rememberHistory } from './history.ts';
import type { Lake } from './lake.ts';
import { observe } from './observe.ts';
import { endsRun, withRetry } from './retry.ts';

/** Clocks of the machines of one lake may differ by this much. */
const CLOCK_SKEW_MS = 600_000;

export interface RunRequest extends PlanRequest {
  /** The command line, for the record. */
  readonly command: string;
  /**
   * Whether to look at the selected sources first. Default true: one that cannot be looked at ends the run. `tolerant`: the run
   * goes on without what is fetched from it.
   */
  readonly observe?: boolean | 'tolerant' | undefined;
  /** Sources that are not even tried, with why; only where `observe` is `tolerant`. */
  readonly avoid?: ReadonlyMap<string, string> | undefined;
  /** For whoever looks for the run later. */
  readonly tags?: Tags | undefined;
  /** In the pools that the runs of a process share: the greater goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Per asset: partitions at this code version are declared to be what the current code gives. */
  readonly acceptCode?: readonly { readonly asset: string; readonly from: string }[];
}

export interface RunResult {
  readonly run: string;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly counts: RunCounts;
  readonly plan: Plan;
  /** Sources that could not be looked at, or were avoided. */
  readonly down: readonly SourceDown[];
}

export interface SourceDown {
  readonly asset: string;
  /** Absent where it was avoided. */
  readonly error?: SerializedError;
}

/**
 * Observes the selected sources, plans, and computes what is stale, asset by asset in topological order; assets that do not
 * depend on each other run at the same time. Every asset is evaluated again when its turn comes, against what its upstreams
 * really became: that is where early cutoff happens. After a crash, running again is all there is to do.
 * @throws what keeps all partitions from being computed (queries that do not bind, a full or read-only disk, newer definitions, a
 * damaged log), and the reason of `control.signal`. Failures of partitions are in the result and in the log.
 */
export function materialize(lake: Lake, request: RunRequest, control: RunControl): Promise<RunResult> {
  const { command, selection = '*' } = request;
  const run = lake.id();
  return traced({ type: 'run', run, selection, command }, () => carryOut(lake, request, run, control));
}

async function carryOut(lake: Lake, request: RunRequest, run: string, control: RunControl): Promise<RunResult> {
  const { emit, stopping, signal } = control;
  const started = performance.now();
  signal.throwIfAborted();
  requireClock(lake);
  await requireWritable(lake);
  const counts = newCounts();
  const selection = request.selection ?? '*';
  const { command, tags } = request;
  lake.state.append({ kind: 'run-started', run, command, selection, ...(tags && { tags }) });
  emit({ type: 'run-started', run, at: lake.now(), selection, ...(tags && { tags }) });
  const end = (outcome: RunResult['outcome'], error?: unknown) => {
    emit({ type: 'run-finished', run, outcome, counts, ms: Math.round(performance.now() - started) });
    lake.state.append({
      kind: 'run-finished',
      run,
      outcome,
      counts: { ...counts },
      ...(error !== undefined && { error: serializeError(error) }),
    });
  };
  let plan: Plan;
  let outcome: RunResult['outcome'];
  let down: readonly SourceDown[] = [];
  try {
    logDefinitions(lake);
    rememberHistory(lake);
    for (const { asset, from } of request.acceptCode ?? [])
      lake.state.append({ kind: 'accepted', asset, run, from, to: lake.graph.node(asset).code });
    if (request.observe !== false) down = await observeSelected(lake, request, run, control);
    const planning = makePlan(lake.graph, lake.state.refresh(), request, lake.now(), lake.settings.limits);
    plan = planning.plan;
    refuseUnsound(await examinePlan(lake, plan));
    emit({ type: 'planned', will: plan.will, may: plan.may, batches: plan.batches, files: plan.files });
    if (plan.steps.some((step) => step.type !== 'hold')) {
      const without = new Set(down.map(({ asset }) => asset));
      await execute(lake, planning, request, run, control, counts, without);
    } else tellHolds(planning, control, counts);
    if (!stopping.aborted && counts.computed > 0) counts.checksFailed += await compareComputed(lake, run, control);
    await tidy(lake, control);
    const bad = counts.failed + counts.checksFailed + counts.standing;
    outcome = stopping.aborted ? 'cancelled' : bad > 0 || down.length > 0 ? 'failed' : 'succeeded';
  } catch (error) {
    try {
      end(signal.aborted ? 'cancelled' : 'failed', error);
    } catch {
      // The log cannot be written either. What ended the run says more; the run stays listed as one that never finished.
    }
    throw error;
  }
  end(outcome);
  return { run, outcome, counts, plan, down };
}

/**
 * A clock that is behind would make the newest partitions look like ones that do not exist yet, and take them out of the lake.
 * @throws LakehouseError `clock-behind` (usage).
 */
function requireClock({ state, now }: Lake): void {
  const [last] = state.events({ after: state.refresh().head - 1, limit: 1 });
  const here = now();
  if (last === undefined || last.at - here <= CLOCK_SKEW_MS) return;
  const text = (ms: number) => new Date(ms).toISOString();
  throw new LakehouseError('clock-behind', `It is ${text(here)} here, but the log ends at ${text(last.at)}`, {
    hint: 'Set the clock. If it is right, and that of an earlier run was ahead: `lakehouse observe` lets the log go on from now.',
  });
}

/** What may as well be done by a later run: it does not make a good run a failed one. */
async function tidy(lake: Lake, { emit }: RunControl): Promise<void> {
  try {
    await publishThenRemove(lake, lake.now(), (message) =>
      emit({
        type: 'warning',
        asset: '',
        message,
        hint: 'The next run tries again; lakehouse catalogue sync does so now.',
      }),
    );
    if (lake.state.eventsSinceCheckpoint() >= lake.settings.checkpointEvery) lake.state.checkpoint();
  } catch (error) {
    emit({
      type: 'warning',
      asset: '',
      message: `Everything was committed, but tidying up failed: ${serializeError(error).message}`,
      hint: 'The next run tries again; lakehouse gc --yes does so now.',
    });
  }
}

/**
 * Finds out before any work whether there is where to put it.
 * @throws LakehouseError `read-only-directory` (usage), `disk-full` (transient).
 */
async function requireWritable(lake: Lake): Promise<void> {
  const probe = await lake.store.stage('probe');
  await probe.discard();
}

/** Sources that a selection reaches, observed and logged. Returns those that could not be, where that is tolerated. */
export async function observeSelected(
  lake: Lake,
  request: RunRequest,
  run: string,
  { stopping, signal, emit }: RunControl,
): Promise<SourceDown[]> {
  const keys = request.selection === undefined ? lake.graph.order : lake.graph.select(request.selection).keys;
  const down: SourceDown[] = [];
  for (const key of keys) {
    const node = lake.graph.node(key);
    if (node.definition.kind !== 'source' || !node.wanted) continue;
    if (stopping.aborted) break;
    const avoided = request.observe === 'tolerant' ? request.avoid?.get(key) : undefined;
    if (avoided !== undefined) {
      emit({ type: 'warning', asset: key, message: `${key} is not looked at: ${avoided}` });
      down.push({ asset: key });
      continue;
    }
    emit({ type: 'observing', asset: key });
    const started = performance.now();
    const { retryAttempts: retries, retryDelayMs: delayMs } = lake.settings;
    const policy = node.definition.retry ?? { retries, delayMs, maxDelayMs: 30_000 };
    try {
      const { event, seen, changed, withdrawn, warning } = await withRetry(
        key,
        policy,
        { signal, stopping, emit, id: lake.id },
        () => traced({ type: 'observe', run, asset: key }, () => observe(lake, node, run, signal)),
      );
      lake.state.append(event);
      emit({ type: 'observed', asset: key, seen, changed, withdrawn, ms: Math.round(performance.now() - started) });
      if (warning) emit({ type: 'warning', asset: key, ...warning });
    } catch (thrown) {
      if (request.observe !== 'tolerant' || stopping.aborted || endsRun(thrown)) throw thrown;
      const error = serializeError(thrown);
      emit({ type: 'warning', asset: key, message: error.message });
      down.push({ asset: key, error });
    }
  }
  return down;
}

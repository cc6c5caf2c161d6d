import { serializeError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import { inputsRead } from '../define/check-spec.ts';
import type { CheckDefinition } from '../define/model.ts';
import type { AssetNode } from '../graph/graph.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { printKey } from '../partition/space.ts';
import { type AssetEvaluation, evaluateLake, pointsWith } from '../plan/evaluate.ts';
import { presentSet, type Universe, universes } from '../plan/universe.ts';
import { CHECK_FAILED } from '../plan/view.ts';
import type { CheckOutcome } from '../state/events.ts';
import type { LakeIndex } from '../state/index.ts';
import { choiceOf } from './bind.ts';
import { makeChecks } from './check-batch.ts';
import { type CheckChunk, chunked } from './check-chunks.ts';
import { comparable } from './check-reads.ts';
import type { RunControl } from './context.ts';
import type { Lake } from './lake.ts';
import { recorded } from './recorded.ts';
import { endsRun } from './retry.ts';

export interface CheckRequest {
  /** The command line and the selection, for the record. */
  readonly command: string;
  readonly selection: string;
  readonly tags?: Tags | undefined;
  /** Which partitions, by asset; those that are not there are left out. */
  readonly targets: ReadonlyMap<string, PartitionSet>;
  /** Which checks; all when absent. */
  readonly wanted?: ((asset: string, check: CheckDefinition) => boolean) | undefined;
}

/** What became of one check. */
export interface CheckTotals {
  readonly asset: string;
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly blocking: boolean;
  /** Partitions of which it was made, and those that did not pass. */
  readonly checked: number;
  readonly failed: number;
  /** Rows that are wrong. */
  readonly rows: number;
  /**
   * Partitions of which it could not be made. `stale`: its inputs have changed since, the next run computes and checks it;
   * `incomplete`: something that it is compared with is not there; `outgrown`: made by code that had other columns.
   */
  readonly skipped: { readonly stale: number; readonly incomplete: number; readonly outgrown: number };
  /** The first of them. */
  readonly failures: readonly CheckOutcome[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Skipped = Mutable<CheckTotals['skipped']>;
type Totals = Mutable<Omit<CheckTotals, 'skipped' | 'failures'>> & { skipped: Skipped; failures: CheckOutcome[] };

/** How many failures of a check are handed back. The log has all. */
const KEPT = 100;

/**
 * Makes checks of partitions as they are, without computing anything, as a run of its own. What passes all of its blocking checks
 * blocks nothing any more; what fails one holds up what reads it, from now on.
 */
export async function checkPartitions(
  lake: Lake,
  request: CheckRequest,
  control: RunControl,
): Promise<{ readonly run: string; readonly checks: readonly CheckTotals[] }> {
  const done: CheckTotals[] = [];
  const sum = (of: (one: CheckTotals) => number) => done.reduce((total, one) => total + of(one), 0);
  const counts = () => ({
    checked: sum(({ checked }) => checked),
    checksFailed: sum(({ severity, failed }) => (severity === 'error' ? failed : 0)),
  });
  let id = '';
  await recorded(lake, request, counts, control.signal, async (run) => {
    id = run;
    await check(lake, run, request, control, done);
  });
  return { run: id, checks: done };
}

/**
 * The comparisons of what a run has computed. One that cannot be made is told of and spoils nothing else.
 * @returns how many of severity error did not pass, or could not be made.
 */
export async function compareComputed(lake: Lake, run: string, control: RunControl): Promise<number> {
  const compared = lake.graph.order.filter((key) => lake.graph.node(key).checkReads.size > 0);
  if (compared.length === 0) return 0;
  const points = new Map<string, [string, number][]>(compared.map((key) => [key, []]));
  for (const { event } of lake.state.events({ run, kind: 'materialized' })) {
    if (event.kind !== 'materialized') continue;
    for (const { series, times } of event.outcomes)
      for (const time of times) points.get(event.asset)?.push([series, time]);
  }
  let bad = 0;
  for (const [key, list] of points) {
    for (const { name } of lake.graph.node(key).definition.checks.filter(({ reads }) => reads.length > 0)) {
      const done: CheckTotals[] = [];
      const request = {
        command: '',
        selection: key,
        targets: new Map([[key, sets.fromPoints(list)]]),
        wanted: (_: string, one: CheckDefinition) => one.name === name,
      };
      try {
        await check(lake, run, request, control, done);
      } catch (error) {
        control.signal.throwIfAborted();
        if (endsRun(error)) throw error;
        bad++;
        const { message } = serializeError(error);
        control.emit({ type: 'warning', asset: key, message: `The check ${name} could not be made: ${message}` });
      }
      for (const { severity, failed } of done) if (severity === 'error') bad += failed;
    }
  }
  return bad;
}

async function check(
  lake: Lake,
  run: string,
  { targets, wanted = () => true }: CheckRequest,
  control: RunControl,
  done: CheckTotals[],
): Promise<void> {
  const index = lake.state.refresh();
  const surroundings = known(lake, index);
  for (const key of lake.graph.order) {
    const node = lake.graph.node(key);
    const asked = targets.get(key);
    const checks = node.definition.checks.filter((one) => wanted(key, one));
    if (control.stopping.aborted) return;
    if (asked === undefined || checks.length === 0 || node.definition.storage.type !== 'table') continue;
    const set = sets.intersect(asked, presentSet(node, index.asset(key)));
    const totals = new Map(checks.map((one) => [one.name, newTotals(key, one)]));
    done.push(...totals.values());
    if (sets.isEmpty(set)) continue;
    await checkAsset(lake, run, node, index, { set, checks, totals, surroundings }, control);
  }
}

/** What is looked up only where a check reads more than its partition. */
interface Surroundings {
  universe(asset: string): Universe;
  evaluation(asset: string): AssetEvaluation;
}

function known(lake: Lake, index: LakeIndex): Surroundings {
  let all: ReadonlyMap<string, Universe> | undefined;
  let evaluated: ReadonlyMap<string, AssetEvaluation> | undefined;
  const existing = () => {
    all ??= universes(lake.graph, index, lake.now());
    return all;
  };
  return {
    universe: (asset) => existing().get(asset) as Universe,
    evaluation: (asset) => {
      evaluated ??= evaluateLake(lake.graph, index, existing(), () => ({ mode: 'plan' }));
      return evaluated.get(asset) as AssetEvaluation;
    },
  };
}

const newTotals = (asset: string, { name, severity, blocking }: CheckDefinition): Totals => ({
  asset,
  check: name,
  severity,
  blocking,
  checked: 0,
  failed: 0,
  rows: 0,
  skipped: { stale: 0, incomplete: 0, outgrown: 0 },
  failures: [],
});

interface Work {
  readonly set: PartitionSet;
  readonly checks: readonly CheckDefinition[];
  readonly totals: ReadonlyMap<string, Totals>;
  readonly surroundings: Surroundings;
}

async function checkAsset(
  lake: Lake,
  run: string,
  node: AssetNode,
  index: LakeIndex,
  work: Work,
  { stopping, signal, emit }: RunControl,
): Promise<void> {
  const { surroundings, totals } = work;
  const make = async ({ checks, chosen, targets }: CheckChunk) => {
    const { universe } = surroundings;
    const result = await makeChecks(lake, run, node, { checks, chosen, targets, universe }, signal);
    for (const one of checks) {
      const total = totals.get(one.name);
      if (total === undefined) continue;
      total.checked += result.checked;
      total.skipped.outgrown += result.outgrown;
    }
    for (const failure of result.failures) {
      const total = totals.get(failure.check);
      if (total === undefined) continue;
      total.failed++;
      total.rows += failure.failedRows;
      if (total.failures.length < KEPT) total.failures.push(failure);
      const { check: name, severity, failedRows } = failure;
      const partition = printKey(node.space, failure);
      emit({ type: 'check-failed', asset: node.key, partition, check: name, severity, failedRows });
    }
  };
  const width = Math.max(lake.settings.defaultPool, 1);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const halted = () => stopping.aborted || signal.aborted || failure !== undefined;
  // One chunk after the other is looked up: a large asset has more partitions than there is room for.
  for (const chunk of chunksOf(lake, node, index, work)) {
    while (running.size >= width && !halted()) await Promise.race(running);
    if (halted()) break;
    const task = make(chunk).catch((error: unknown) => {
      failure ??= { error };
    });
    running.add(task);
    void task.finally(() => running.delete(task));
  }
  await Promise.all(running);
  signal.throwIfAborted();
  if (failure) throw failure.error;
}

function* chunksOf(...of: Parameters<typeof ownChunks>): Generator<CheckChunk> {
  yield* ownChunks(...of);
  yield* comparisonChunks(...of);
}

/** Checks that are functions of the partition and its inputs, as its batch made them. */
function ownChunks(lake: Lake, node: AssetNode, index: LakeIndex, work: Work): Generator<CheckChunk> {
  const { set, checks, totals, surroundings } = work;
  const own = checks.filter(({ reads }) => reads.length === 0);
  const readsInputs = (one: CheckDefinition) => inputsRead(one).size > 0;
  const gates = node.definition.checks.filter(({ severity, blocking }) => severity === 'error' && blocking);
  // What is held up is let go only by all that could hold it up.
  const partial = gates.some((one) => !own.includes(one));
  const all = node.definition.checks.filter((one) => own.includes(one) || gates.includes(one));
  const evaluation = all.some(readsInputs) ? surroundings.evaluation(node.key) : undefined;
  // A partition is held against what it was computed from: where that has changed, it is yet to be computed.
  const current = evaluation && pointsWith(evaluation, 'causes', 0);
  const state = index.asset(node.key)?.series;
  return chunked(lake, node, own.length > 0 ? set : sets.EMPTY_SET, (target) => {
    const { seriesKey, time } = target;
    const known = state?.get(seriesKey);
    const held = partial && ((known?.flags[time - known.base] ?? 0) & CHECK_FAILED) !== 0;
    const fresh = current === undefined || sets.has(current, seriesKey, time);
    if (!fresh) for (const one of own.filter(readsInputs)) (totals.get(one.name) as Totals).skipped.stale++;
    const choice = evaluation && fresh ? choiceOf(evaluation, target) : '';
    return {
      key: `${held} ${fresh} ${choice}`,
      checks: () => (held ? all : own).filter((one) => fresh || !readsInputs(one)),
      chosen: () => {
        const series = evaluation?.series.get(seriesKey);
        return new Map(node.inputs.map(({ name }) => [name, series?.chosen.get(name)?.[time - series.base] ?? 0]));
      },
    };
  });
}

function* comparisonChunks(lake: Lake, node: AssetNode, index: LakeIndex, work: Work): Generator<CheckChunk> {
  const { set, checks, totals, surroundings } = work;
  for (const one of checks) {
    const reads = node.checkReads.get(one.name);
    if (reads === undefined) continue;
    const choose = comparable(lake.graph, index, surroundings.universe, reads);
    yield* chunked(lake, node, set, (target) => {
      const chosen = choose(target);
      if (chosen !== undefined) return { key: [...chosen.values()].join(), checks: () => [one], chosen: () => chosen };
      (totals.get(one.name) as Totals).skipped.incomplete++;
      return undefined;
    });
  }
}

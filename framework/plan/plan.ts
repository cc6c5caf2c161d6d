import { throwIfIssues } from '../common/errors.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { Selected } from '../graph/selection.ts';
import { applyFilter, checkFilter, type PartitionFilter } from '../partition/filter.ts';
import { downstreamSet } from '../partition/mapping.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import { AVAILABLE, READABLE } from './aggregate.ts';
import { choosing, demand, markUnneeded } from './demand.ts';
import {
  type AssetEvaluation,
  CAUSES,
  type Cause,
  type EvaluateOptions,
  evaluateLake,
  pointsWhere,
  RUN_MAY,
  RUN_WILL,
  type Status,
  STATUSES,
  statusCode,
  withStatus,
} from './evaluate.ts';
import { packName } from './packs.ts';
import { universes } from './universe.ts';
import type { LakeView } from './view.ts';

/** What a person or a schedule asks for. */
export interface PlanRequest {
  /** Dagster's selection syntax; everything when absent. */
  readonly selection?: string | undefined;
  readonly filter?: PartitionFilter | undefined;
  /** Compute what is selected whether it is stale or not. */
  readonly force?: boolean | undefined;
  /** Also try again what failed for its data though nothing has changed since. */
  readonly retryFailed?: boolean | undefined;
}

/** The partitions of one series that share a file. */
export interface PackPlan {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  /** Stem of the file name, e.g. `2020-01`. */
  readonly name: string;
  readonly times: RangeSet;
}
/** What is computed in one go, and committed by one event. */
export interface BatchPlan {
  readonly packs: readonly PackPlan[];
  readonly partitions: number;
}

export interface MaterializeStep {
  readonly type: 'materialize';
  readonly asset: string;
  /** Computed for sure. */
  readonly will: PartitionSet;
  /** Computed only if what is upstream really changes. */
  readonly may: PartitionSet;
  /** Partitions of `will` by cause; one may have several. */
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly batches: readonly BatchPlan[];
  /** Files that will be written. */
  readonly files: number;
}
export interface DepartStep {
  readonly type: 'depart';
  readonly asset: string;
  readonly set: PartitionSet;
}
export interface HoldStep {
  readonly type: 'hold';
  readonly asset: string;
  /** Why these selected partitions are not computed. `unmet`: an upstream partition is missing and not selected. */
  readonly reason: 'blocked' | 'awaiting' | 'unavailable' | 'failed' | 'unmet';
  readonly set: PartitionSet;
}
export type PlanStep = DepartStep | MaterializeStep | HoldStep;

export interface Plan {
  /** Revision the plan was made at, and the clock it used (ms UTC). */
  readonly head: number;
  readonly now: number;
  readonly selection: string;
  /** Selected assets in topological order. */
  readonly assets: readonly string[];
  /** In the order of execution. */
  readonly steps: readonly PlanStep[];
  readonly will: number;
  readonly may: number;
  readonly batches: number;
  readonly files: number;
}

/** Everything a plan was made of, for `status`, `explain` and the materializer. */
export interface Planning {
  readonly plan: Plan;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** What is asked of each selected asset, fresh or not. */
  readonly targets: ReadonlyMap<string, PartitionSet>;
}

/** Targets per statement and file per batch; see `BatchPlan`. */
export interface BatchLimits {
  readonly maxPartitions: number;
  readonly maxPacks: number;
}
export const DEFAULT_LIMITS: BatchLimits = { maxPartitions: 400, maxPacks: 32 };

/**
 * The whole answer to "what is stale and what will be done about it". Pure: graph, index, request and clock in, data out.
 * @throws LakehouseError for a selection or filter that names nothing.
 */
export function makePlan(graph: AssetGraph, view: LakeView, request: PlanRequest, now: number, limits: BatchLimits = DEFAULT_LIMITS): Planning {
  const selected: Selected = request.selection !== undefined ? graph.select(request.selection) : { keys: graph.order, direct: new Set(), named: new Set() };
  const chosen = new Set(selected.keys);
  if (request.filter) throwIfIssues('bad-filter', `--partitions '${request.filter.text}':`, checkFilter(request.filter, selected.keys.map((k) => graph.node(k).space)));
  const universe = universes(graph, view, now);

  const evaluate = (options: (key: string) => EvaluateOptions) => {
    const evaluations = evaluateLake(graph, view, universe, options);
    return { evaluations, needed: markUnneeded(graph, evaluations) };
  };
  let { evaluations, needed } = evaluate(() => ({ mode: 'plan' }));
  const targetsOf = () => {
    const seed = (key: string): PartitionSet => {
      if (!chosen.has(key)) return sets.EMPTY_SET;
      const sink = !graph.downstreamOf(key).some((k) => chosen.has(k));
      if (!sink && !selected.direct.has(key)) return sets.EMPTY_SET;
      const { node, universe: own } = evaluations.get(key) as AssetEvaluation;
      const wanted = request.filter ? applyFilter(node.space, own.all, request.filter) : own.all;
      return needed && !selected.named.has(key) ? sets.intersect(wanted, needed.get(key) ?? sets.EMPTY_SET) : wanted;
    };
    return demand(graph, evaluations, seed, (key) => chosen.has(key));
  };
  let targets = targetsOf();
  if (request.force || request.retryFailed) {
    const forced = targets;
    const options = (key: string): EvaluateOptions => {
      const set = chosen.has(key) ? forced.get(key) : undefined;
      return { mode: 'plan', ...(request.force && set && { force: set }), ...(request.retryFailed && set && { retryFailed: set }) };
    };
    ({ evaluations, needed } = evaluate(options));
    targets = targetsOf();
  }

  const steps: PlanStep[] = [];
  const planned = new Map<string, PartitionSet>();
  for (const key of selected.keys) {
    const evaluation = evaluations.get(key) as AssetEvaluation;
    if (evaluation.node.definition.kind === 'source') continue;
    const leaving = withStatus(evaluation, 'leaving');
    if (!sets.isEmpty(leaving)) steps.push({ type: 'depart', asset: key, set: leaving });
    const step = materializeStep(evaluation, targets.get(key) ?? sets.EMPTY_SET, evaluations, planned, now, limits, steps);
    if (step) steps.push(step);
  }
  const work = steps.filter((s) => s.type === 'materialize');
  const total = (of: (s: MaterializeStep) => number) => work.reduce((sum, s) => sum + of(s), 0);
  const plan: Plan = {
    head: view.head,
    now,
    selection: request.selection ?? '*',
    assets: selected.keys,
    steps,
    will: total((s) => sets.countOf(s.will)),
    may: total((s) => sets.countOf(s.may)),
    batches: total((s) => s.batches.length),
    files: total((s) => s.files),
  };
  return { plan, evaluations, targets };
}

function materializeStep(
  evaluation: AssetEvaluation,
  target: PartitionSet,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  planned: Map<string, PartitionSet>,
  now: number,
  limits: BatchLimits,
  steps: PlanStep[],
): MaterializeStep | undefined {
  const { key, node } = evaluation;
  const running = (run: number) => sets.intersect(target, pointsWhere(evaluation, (series, i) => series.run[i] === run));
  const willAll = running(RUN_WILL);
  const mayAll = running(RUN_MAY);
  const both = sets.union(willAll, mayAll);
  const unmet: PartitionSet[] = [];
  const moved: PartitionSet[] = [];
  for (const input of node.inputs) {
    for (const [i, alternative] of input.alternatives.entries()) {
      if (alternative.mapping.self) {
        // A chain goes on from any of its own partitions that is computed.
        moved.push(mayAll);
        continue;
      }
      const upstream = evaluations.get(alternative.asset) as AssetEvaluation;
      const will = planned.get(alternative.asset) ?? sets.EMPTY_SET;
      const here = choosing(evaluation, input.name, i, both);
      moved.push(downstreamSet(alternative.mapping, will, here));
      if (input.need === 'ifPresent') continue;
      const absent = pointsWhere(upstream, (series, p) => ((series.bits[p] as number) & (AVAILABLE | READABLE)) === AVAILABLE);
      unmet.push(downstreamSet(alternative.mapping, sets.subtract(absent, will), here));
    }
  }
  const stuck = sets.unionAll(unmet);
  const will = sets.subtract(willAll, stuck);
  const may = sets.intersect(sets.subtract(mayAll, stuck), sets.unionAll(moved));
  const hold = (reason: HoldStep['reason'], set: PartitionSet) => {
    if (!sets.isEmpty(set)) steps.push({ type: 'hold', asset: key, reason, set });
  };
  const idle = sets.subtract(target, both);
  for (const reason of ['blocked', 'awaiting', 'unavailable', 'failed'] as const) hold(reason, sets.intersect(idle, withStatus(evaluation, reason)));
  hold('unmet', sets.intersect(both, stuck));
  const all = sets.union(will, may);
  planned.set(key, all);
  if (sets.isEmpty(all)) return undefined;
  const batches = batchesOf(node, all, now, limits);
  return {
    type: 'materialize',
    asset: key,
    will,
    may,
    causes: causeCounts(evaluation, will),
    batches,
    files: batches.reduce((sum, b) => sum + (node.definition.storage.type === 'raw' ? b.partitions : b.packs.length), 0),
  };
}

/** Partitions of a set by cause. */
export function causeCounts(evaluation: AssetEvaluation, set: PartitionSet): Partial<Record<Cause, number>> {
  const counts: Partial<Record<Cause, number>> = {};
  for (const [key, times] of set.bySeries) {
    const series = evaluation.series.get(key);
    if (!series) continue;
    for (const t of ranges.iterate(times)) {
      const bits = series.causes[t - series.base] as number;
      CAUSES.forEach((cause, b) => {
        if (bits & (1 << b)) counts[cause] = (counts[cause] ?? 0) + 1;
      });
    }
  }
  return counts;
}

/**
 * Cuts a set into batches: one pack each where packs are large; packs of few partitions share a batch, so that one statement
 * serves many series.
 */
export function batchesOf(node: AssetNode, set: PartitionSet, now: number, limits: BatchLimits): BatchPlan[] {
  const packs: PackPlan[] = [];
  for (const [seriesKey, times] of set.bySeries) {
    const values = readSeriesKey(seriesKey);
    let name: string | undefined;
    let current: number[] = [];
    const flush = () => {
      if (name !== undefined && current.length > 0) packs.push({ seriesKey, values, name, times: ranges.fromSorted(current) });
      current = [];
    };
    for (const t of ranges.iterate(times)) {
      const own = packName(node.definition, t, now);
      if (own !== name || current.length >= limits.maxPartitions) flush();
      name = own;
      current.push(t);
    }
    flush();
  }
  const batches: BatchPlan[] = [];
  let open: PackPlan[] = [];
  let partitions = 0;
  const close = () => {
    if (open.length > 0) batches.push({ packs: open, partitions });
    open = [];
    partitions = 0;
  };
  // Rowwise statements read one series; a chain must see its own earlier partitions in order.
  const together = !node.definition.rowwise && !node.inputs.some((i) => i.alternatives.some((a) => a.mapping.self));
  for (const pack of packs) {
    const count = ranges.count(pack.times);
    const fits = together && open.length < limits.maxPacks && partitions + count <= limits.maxPartitions / 4;
    const raw = node.definition.storage.type === 'raw' && partitions + count <= limits.maxPacks;
    const samePack = open.some((p) => p.seriesKey === pack.seriesKey && p.name === pack.name);
    if (open.length > 0 && (!(fits || raw) || samePack)) close();
    open.push(pack);
    partitions += count;
  }
  close();
  return batches;
}

/** Counts of partitions by status, `none` left out. */
export function statusCounts(evaluation: AssetEvaluation, within?: PartitionSet): Record<Exclude<Status, 'none'>, number> {
  const totals = new Float64Array(STATUSES.length);
  for (const [key, series] of evaluation.series) {
    const times = within && sets.rangesOf(within, key);
    for (let i = 0; i < series.length; i++) {
      if (!times || ranges.has(times, series.base + i)) totals[series.status[i] as number] = (totals[series.status[i] as number] as number) + 1;
    }
  }
  return Object.fromEntries(STATUSES.flatMap((status) => (status === 'none' ? [] : [[status, totals[statusCode(status)] as number]]))) as Record<Exclude<Status, 'none'>, number>;
}

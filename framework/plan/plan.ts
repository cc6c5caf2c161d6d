import { throwIfIssues } from '../common/errors.ts';
import { atOnce, type Steps } from '../common/steps.ts';
import type { AssetGraph } from '../graph/graph.ts';
import type { Selected } from '../graph/selection.ts';
import { applyFilter, checkFilter, type PartitionFilter } from '../partition/filter.ts';
import { downstreamSet } from '../partition/mapping.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey } from '../partition/space.ts';
import { AVAILABLE, READABLE } from './aggregate.ts';
import { type BatchLimits, type BatchPlan, batchesOf, DEFAULT_LIMITS } from './batches.ts';
import { chainDownstream, selfMapping } from './chain.ts';
import { causeCounts } from './counts.ts';
import { alternativesOf, choosing, demand, markUnneeded, readBy } from './demand.ts';
import {
  type AssetEvaluation,
  type Cause,
  type EvaluateOptions,
  evaluateInSteps,
  pointsLike,
  pointsWith,
  RUN_MAY,
  RUN_WILL,
  withStatus,
} from './evaluate.ts';
import { bitsOf } from './evaluated.ts';
import { universes } from './universe.ts';
import type { LakeView } from './view.ts';

export { type BatchLimits, type BatchPlan, batchesOf, DEFAULT_LIMITS, type PackPlan } from './batches.ts';
export { causeCounts, statusCounts } from './counts.ts';

/** What a person or a schedule asks for. */
export interface PlanRequest {
  /** Dagster's selection syntax; everything when absent. */
  readonly selection?: string | undefined;
  readonly filter?: PartitionFilter | undefined;
  /**
   * Instead of what the selection means: exactly these partitions, by asset, and nothing that they read, but for the earlier links of
   * chains. `selection` is what the run is called then.
   */
  readonly targets?: ReadonlyMap<string, PartitionSet> | undefined;
  /** Compute what is selected whether it is stale or not. */
  readonly force?: boolean | undefined;
  /** Also try again what failed for its data though nothing has changed since. */
  readonly retryFailed?: boolean | undefined;
}

export interface MaterializeStep {
  readonly type: 'materialize';
  readonly asset: string;
  /** Computed for sure. */
  readonly will: PartitionSet;
  /** Computed only if what is upstream really changes. */
  readonly may: PartitionSet;
  /** Partitions of `will` by the first of their causes. */
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
  /**
   * Why these selected partitions are not computed. `unmet`: an upstream partition is missing and not selected; `pending`: one is
   * stale and not selected, so whether they are up to date is not known.
   */
  readonly reason: 'blocked' | 'awaiting' | 'unavailable' | 'failed' | 'unmet' | 'pending';
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

/**
 * The whole answer to "what is stale and what will be done about it". Pure: graph, index, request and clock in, data out.
 * @throws LakehouseError for a selection or filter that names nothing.
 */
export function makePlan(...asked: Parameters<typeof planInSteps>): Planning {
  return atOnce(planInSteps(...asked));
}

/** The same, asset by asset. */
export function* planInSteps(
  graph: AssetGraph,
  view: LakeView,
  request: PlanRequest,
  now: number,
  limits: BatchLimits = DEFAULT_LIMITS,
): Steps<Planning> {
  const { filter, targets: given } = request;
  const everything: Selected = { keys: graph.order, direct: new Set(graph.order), named: new Set() };
  const selected = given
    ? onlyThese(graph.order.filter((key) => given.has(key)))
    : request.selection === undefined
      ? everything
      : graph.select(request.selection);
  const chosen = new Set(selected.keys);
  if (filter) {
    const spaces = selected.keys.map((k) => graph.node(k).space);
    throwIfIssues('bad-filter', `--partitions '${filter.text}':`, checkFilter(filter, spaces));
  }
  const universe = universes(graph, view, now);
  const evaluate = function* (options: (key: string) => EvaluateOptions) {
    return markUnneeded(graph, yield* evaluateInSteps(graph, view, universe, options));
  };
  let { evaluations, needed } = yield* evaluate(() => ({ mode: 'plan' }));
  const filtered = (key: string, set: PartitionSet) => (filter ? applyFilter(graph.node(key).space, set, filter) : set);
  const universeOf = (key: string) => filtered(key, universe.get(key)?.all ?? sets.EMPTY_SET);
  const meant = ownSake(graph, selected);
  const targetsOf = () => {
    const seed = (key: string): PartitionSet => {
      if (!meant.has(key)) return sets.EMPTY_SET;
      const wanted = given ? sets.intersect(universeOf(key), given.get(key) ?? sets.EMPTY_SET) : universeOf(key);
      return needed && !selected.named.has(key) ? sets.intersect(wanted, needed.get(key) ?? sets.EMPTY_SET) : wanted;
    };
    return demand(graph, evaluations, seed, (key) => !given && chosen.has(key));
  };
  let targets = targetsOf();
  // Trying again can bring back an alternative, and so ask for more; then that is forced as well.
  const asked = new Map<string, PartitionSet>();
  const more = () =>
    selected.keys.filter((key) => {
      const [before, now] = [asked.get(key) ?? sets.EMPTY_SET, targets.get(key) ?? sets.EMPTY_SET];
      asked.set(key, sets.union(before, now));
      return !sets.isEmpty(sets.subtract(now, before));
    }).length > 0;
  if (request.force || request.retryFailed) {
    more();
    do {
      ({ evaluations, needed } = yield* evaluate((key): EvaluateOptions => {
        const set = asked.get(key);
        if (!set) return { mode: 'plan' };
        // What failed is asked for even where another alternative has taken its place.
        const retryFailed = request.retryFailed && sets.union(set, universeOf(key));
        return { mode: 'plan', ...(request.force && { force: set }), ...(retryFailed && { retryFailed }) };
      }));
      targets = targetsOf();
    } while (more());
  }

  const planned = new Map<string, Planned>();
  for (const key of selected.keys) {
    const evaluation = evaluations.get(key) as AssetEvaluation;
    if (evaluation.node.definition.kind === 'source') continue;
    yield;
    planned.set(key, planAsset(evaluation, targets.get(key) ?? sets.EMPTY_SET, evaluations, planned));
  }
  const steps: PlanStep[] = [];
  for (const key of graph.order) {
    const evaluation = evaluations.get(key) as AssetEvaluation;
    const leaving = withStatus(evaluation, 'leaving');
    if (!sets.isEmpty(leaving)) {
      const own = planned.has(key) ? filtered(key, leaving) : sets.EMPTY_SET;
      const set = sets.union(own, readByPlanned(graph, evaluations, planned, key, leaving));
      if (!sets.isEmpty(set)) steps.push({ type: 'depart', asset: key, set });
    }
    yield;
    const plan = planned.get(key);
    if (plan) steps.push(...stepsOf(evaluation, plan, now, limits));
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

const onlyThese = (keys: readonly string[]): Selected => ({ keys, direct: new Set(keys), named: new Set(keys) });

/**
 * Selected assets that are meant for their own sake: those that a term matched, what is selected downstream of them, and those
 * that nothing else selected reads. The others are selected (by `+`) only for what is needed of them.
 */
function ownSake(graph: AssetGraph, { keys, direct }: Selected): Set<string> {
  const chosen = new Set(keys);
  const below = new Set<string>();
  for (const key of graph.order) {
    if (direct.has(key) || graph.upstreamOf(key).some((up) => below.has(up))) below.add(key);
  }
  return new Set(keys.filter((key) => below.has(key) || !graph.downstreamOf(key).some((down) => chosen.has(down))));
}

/** What becomes of what is asked of an asset. */
export interface Planned {
  readonly will: PartitionSet;
  readonly may: PartitionSet;
  /** Would be computed, but something they require is missing and will not be there. */
  readonly unmet: PartitionSet;
  /** Asked for, and none of these. */
  readonly idle: PartitionSet;
}

/** What becomes of a target, given what becomes of what is asked of the assets upstream. */
export function planAsset(
  evaluation: AssetEvaluation,
  target: PartitionSet,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  planned: ReadonlyMap<string, Planned>,
): Planned {
  const running = (run: number) => sets.intersect(target, pointsWith(evaluation, 'run', run));
  const willAll = running(RUN_WILL);
  const mayAll = running(RUN_MAY);
  const both = sets.union(willAll, mayAll);
  const stuck: PartitionSet[] = [];
  const moved: PartitionSet[] = [];
  const served: PartitionSet[] = [];
  const edges = [...alternativesOf(evaluation)];
  const any = edges.every(({ input }) => input.need === 'ifPresent');
  for (const { input, alternative, i } of edges) {
    const upstream = evaluations.get(alternative.asset) as AssetEvaluation;
    const { will, may } = planned.get(alternative.asset) ?? { will: sets.EMPTY_SET, may: sets.EMPTY_SET };
    const computed = sets.union(will, may);
    const here = choosing(evaluation, input.name, i, both);
    if (sets.isEmpty(here)) continue;
    moved.push(downstreamSet(alternative.mapping, computed, here));
    if (input.need === 'ifPresent' && !any) continue;
    const absent = pointsLike(upstream, (point) => (bitsOf(point) & (AVAILABLE | READABLE)) === AVAILABLE);
    if (input.asks !== false) stuck.push(downstreamSet(alternative.mapping, sets.subtract(absent, computed), here));
    if (!any) continue;
    const readable = pointsLike(upstream, (point) => (bitsOf(point) & READABLE) !== 0);
    served.push(downstreamSet(alternative.mapping, sets.union(readable, computed), here));
  }
  // One that is there is enough where none is required.
  const unmet = sets.intersect(both, sets.subtract(sets.unionAll(stuck), sets.unionAll(served)));
  const will = sets.subtract(willAll, unmet);
  const open = sets.subtract(mayAll, unmet);
  const may = goOn(evaluation, will, sets.intersect(open, sets.unionAll(moved)), open);
  return { will, may, unmet, idle: sets.subtract(target, sets.unionAll([will, may, unmet])) };
}

/** Partitions that may be computed since what they read does, and of a chain those that follow any that are. */
function goOn({ node }: AssetEvaluation, will: PartitionSet, moved: PartitionSet, open: PartitionSet): PartitionSet {
  const mapping = selfMapping(node.inputs);
  if (!mapping) return moved;
  return sets.mapSeries(open, (may, key) => {
    const started = ranges.union(sets.rangesOf(will, key), sets.rangesOf(moved, key));
    return ranges.intersect(may, chainDownstream(mapping, readSeriesKey(key), started, may));
  });
}

/**
 * Of partitions that leave, those that something planned has read. Their departure has to be recorded even if their asset is
 * not selected, or is a source: otherwise what read them would have to be computed by every run again.
 */
function readByPlanned(
  graph: AssetGraph,
  evaluations: ReadonlyMap<string, AssetEvaluation>,
  planned: ReadonlyMap<string, Planned>,
  key: string,
  leaving: PartitionSet,
): PartitionSet {
  const read: PartitionSet[] = [];
  for (const down of graph.downstreamOf(key)) {
    const plan = planned.get(down);
    const evaluation = evaluations.get(down);
    if (!plan || !evaluation) continue;
    const computed = sets.union(plan.will, plan.may);
    for (const { input, alternative, i } of alternativesOf(evaluation)) {
      if (alternative.asset !== key) continue;
      read.push(readBy(evaluation, alternative, choosing(evaluation, input.name, i, computed), leaving));
    }
  }
  return sets.unionAll(read);
}

function stepsOf(evaluation: AssetEvaluation, planned: Planned, now: number, limits: BatchLimits): PlanStep[] {
  const { key, node } = evaluation;
  const { will, may, unmet, idle } = planned;
  const held = (['blocked', 'awaiting', 'unavailable', 'failed', 'pending'] as const).map((reason): HoldStep => {
    return { type: 'hold', asset: key, reason, set: sets.intersect(idle, withStatus(evaluation, reason)) };
  });
  held.push({ type: 'hold', asset: key, reason: 'unmet', set: unmet });
  const steps: PlanStep[] = held.filter(({ set }) => !sets.isEmpty(set));
  const all = sets.union(will, may);
  if (sets.isEmpty(all)) return steps;
  const batches = batchesOf(node, all, now, limits);
  const raw = node.definition.storage.type === 'raw';
  const files = batches.reduce((sum, b) => sum + (raw ? b.partitions : b.packs.length), 0);
  const causes = causeCounts(evaluation, will);
  return [...steps, { type: 'materialize', asset: key, will, may, causes, batches, files }];
}

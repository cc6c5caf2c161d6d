import { atOnce, type Steps } from '../../common/steps.ts';
import type { AutomationCondition } from '../../define/automation.ts';
import type { AssetGraph } from '../../graph/graph.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import { readSeriesKey } from '../../partition/space.ts';
import { chainDownstream, selfMapping } from '../../plan/chain.ts';
import { demand } from '../../plan/demand.ts';
import { type AssetEvaluation, type Status, withStatus } from '../../plan/evaluate.ts';
import { type Planned, planAsset } from '../../plan/plan.ts';
import { type AutomationCursor, packPartitions, unpackPartitions } from './cursor.ts';
import { type ConditionContext, type ConditionTree, evaluateCondition } from './evaluate.ts';
import { factsOf } from './facts.ts';

/** Why a partition for which the condition holds is not requested. */
export const HELD_REASONS = [
  'in progress',
  'held back',
  'fresh',
  'pending',
  'blocked',
  'failed',
  'awaiting',
  'unavailable',
  'unneeded',
  'unmet',
] as const;
export type HeldReason = (typeof HELD_REASONS)[number];

export interface AutomationTickInput {
  readonly graph: AssetGraph;
  /** Of the whole lake, in mode `plan` and with what is unneeded marked, as of revision `head` and `now` (ms UTC). */
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  readonly head: number;
  readonly now: number;
  /** What to evaluate; default: {@link conditionsOf} the graph. One that is left out (paused) is as if it was not declared. */
  readonly conditions?: ReadonlyMap<string, AutomationCondition>;
  /** What the last tick left, by asset. */
  readonly cursors: ReadonlyMap<string, AutomationCursor>;
  /** What runs that have not ended were asked for, by asset. */
  readonly inProgress?: ReadonlyMap<string, PartitionSet>;
  /** What is not to be requested now for another reason, by asset: what failed in passing, and is tried again later. */
  readonly heldBack?: ReadonlyMap<string, PartitionSet>;
}

/** What was decided for one asset. */
export interface AutomationDecision {
  readonly asset: string;
  /** Whether its condition was never evaluated before. */
  readonly first: boolean;
  readonly tree: ConditionTree;
  /** Every partition of the asset that the lake speaks of. */
  readonly all: PartitionSet;
  readonly request: PartitionSet;
  /** What the condition holds for and is not requested, by why; disjoint, and none of them empty. */
  readonly held: ReadonlyMap<HeldReason, PartitionSet>;
}

export interface AutomationTick {
  /** By asset, in topological order; only assets of which something is requested. What `PlanRequest.targets` takes. */
  readonly requests: ReadonlyMap<string, PartitionSet>;
  /** To be persisted with the requests, and given to the next tick; of the assets that were evaluated. */
  readonly cursors: ReadonlyMap<string, AutomationCursor>;
  /** By asset, in topological order. */
  readonly decisions: ReadonlyMap<string, AutomationDecision>;
}

/** The conditions of the assets that have one. */
export function conditionsOf(graph: AssetGraph): Map<string, AutomationCondition> {
  return new Map(
    graph.order.flatMap((key) => {
      const { automation } = graph.node(key).definition;
      return automation ? [[key, automation] as const] : [];
    }),
  );
}

/**
 * One evaluation of all conditions: what to request now. Pure. Assets are evaluated in topological order, and each sees what is
 * requested of those upstream of it, so that a whole chain is requested at once.
 *
 * A condition says when; requested of it is only what a run given exactly these requests would compute, or may have to: never what is
 * fresh, blocked, awaited, unavailable or unneeded, what failed for its data and has not changed since, or what is in progress.
 */
export function automationTick(input: AutomationTickInput): AutomationTick {
  return atOnce(automationInSteps(input));
}

/** The same, asset by asset. */
export function* automationInSteps(input: AutomationTickInput): Steps<AutomationTick> {
  const { graph, evaluations, head, now, cursors } = input;
  const conditions = input.conditions ?? conditionsOf(graph);
  const requests = new Map<string, PartitionSet>();
  const nextCursors = new Map<string, AutomationCursor>();
  const decisions = new Map<string, AutomationDecision>();
  const planned = new Map<string, Planned>();
  const context: ConditionContext = {
    graph,
    evaluations,
    head,
    now,
    facts: (asset) => factsOf(evaluations.get(asset) as AssetEvaluation),
    inProgress: (asset) => input.inProgress?.get(asset) ?? sets.EMPTY_SET,
    requested: (asset) => requests.get(asset) ?? sets.EMPTY_SET,
    requestedBefore: (asset) => unpackPartitions(cursors.get(asset)?.requested ?? {}),
  };
  for (const asset of graph.order) {
    const condition = conditions.get(asset);
    const evaluation = evaluations.get(asset);
    if (!condition || !evaluation) continue;
    yield;
    const cursor = cursors.get(asset);
    const { result, nodes, tree } = evaluateCondition(condition, asset, context, cursor);
    const kept: [HeldReason, PartitionSet][] = [
      ['in progress', context.inProgress(asset)],
      ['held back', input.heldBack?.get(asset) ?? sets.EMPTY_SET],
      ['unneeded', withStatus(evaluation, 'unneeded')],
    ];
    const asked = sets.subtract(result, sets.unionAll(kept.map(([, set]) => set)));
    const plan = plannedOf(input, evaluation, asked, planned);
    planned.set(asset, plan);
    const request = sets.union(plan.will, plan.may);
    kept.push(['unmet', plan.unmet]);
    const byStatus: Status[] = ['fresh', 'pending', 'blocked', 'failed', 'awaiting', 'unavailable'];
    for (const status of byStatus) kept.push([status as HeldReason, withStatus(evaluation, status)]);
    const held = heldBy(sets.subtract(result, request), kept);
    if (!sets.isEmpty(request)) requests.set(asset, request);
    decisions.set(asset, { asset, first: cursor === undefined, tree, all: evaluation.universe.all, request, held });
    nextCursors.set(asset, { at: now, head, requested: packPartitions(request), nodes });
  }
  return { requests, cursors: nextCursors, decisions };
}

/**
 * What a run would do if exactly this was asked of an asset. Of one that reads its own past it would also compute earlier links that are
 * not asked for; what follows those is left out, as unmet.
 */
function plannedOf(
  { graph, evaluations }: AutomationTickInput,
  evaluation: AssetEvaluation,
  asked: PartitionSet,
  planned: ReadonlyMap<string, Planned>,
): Planned {
  const { key, node, universe } = evaluation;
  const mapping = selfMapping(node.inputs);
  if (!mapping) return planAsset(evaluation, asked, evaluations, planned);
  for (let kept = asked; ; ) {
    const seeds = (asset: string) => (asset === key ? kept : sets.EMPTY_SET);
    const links = demand(graph, evaluations, seeds, () => false).get(key) ?? kept;
    const plan = planAsset(evaluation, links, evaluations, planned);
    const extra = sets.subtract(sets.union(plan.will, plan.may), kept);
    if (sets.isEmpty(extra)) return { ...plan, unmet: sets.union(plan.unmet, sets.subtract(asked, kept)) };
    const after = sets.mapSeries(universe.all, (times, series) =>
      chainDownstream(mapping, readSeriesKey(series), sets.rangesOf(extra, series), times),
    );
    kept = sets.subtract(kept, after);
  }
}

/** Every partition under the first reason that it has. */
function heldBy(
  rest: PartitionSet,
  reasons: readonly (readonly [HeldReason, PartitionSet])[],
): Map<HeldReason, PartitionSet> {
  const found = new Map<HeldReason, PartitionSet>();
  let left = rest;
  for (const [reason, set] of reasons) {
    const here = sets.intersect(left, set);
    if (sets.isEmpty(here)) continue;
    found.set(reason, here);
    left = sets.subtract(left, here);
  }
  return new Map(
    HELD_REASONS.flatMap((reason) => {
      const set = found.get(reason);
      return set ? [[reason, set] as const] : [];
    }),
  );
}

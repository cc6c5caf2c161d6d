import type { AutomationCondition } from '../../define/automation.ts';
import type { AssetGraph } from '../../graph/graph.ts';
import { downstreamSet } from '../../partition/mapping.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import { readSeriesKey } from '../../partition/space.ts';
import { chainDownstream, selfMapping } from '../../plan/chain.ts';
import { alternativesOf, choosing } from '../../plan/demand.ts';
import type { AssetEvaluation } from '../../plan/evaluate.ts';
import { previousTick } from '../cron.ts';
import { type AutomationCursor, nodeId, type PackedPartitions, packPartitions, unpackPartitions } from './cursor.ts';
import type { AssetFacts } from './facts.ts';

/** One node of a condition, as it was evaluated. */
export interface ConditionTree {
  readonly type: AutomationCondition['type'];
  readonly label: string;
  readonly arguments: AutomationCondition['arguments'];
  /** Whose partitions `value` are: the asset itself, or one it reads. */
  readonly asset: string;
  readonly value: PartitionSet;
  readonly children: readonly ConditionTree[];
}

/** What a condition is evaluated against. */
export interface ConditionContext {
  readonly graph: AssetGraph;
  /** In mode `plan`, of the whole lake as of `head`. */
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  readonly facts: (asset: string) => AssetFacts;
  readonly head: number;
  /** ms UTC. */
  readonly now: number;
  /** What runs that have not ended were asked for. */
  readonly inProgress: (asset: string) => PartitionSet;
  /** What this evaluation requests of assets upstream. */
  readonly requested: (asset: string) => PartitionSet;
  /** What the last evaluation requested. */
  readonly requestedBefore: (asset: string) => PartitionSet;
}

export interface ConditionResult {
  /** Partitions for which it holds. */
  readonly result: PartitionSet;
  /** What its nodes have to remember; see `AutomationCursor.nodes`. */
  readonly nodes: AutomationCursor['nodes'];
  readonly tree: ConditionTree;
}

/**
 * Evaluates a condition for one asset. Pure. `previous` is what the evaluation before it left; without it, and for nodes that are not
 * in it, nothing has happened newly yet: `newlyUpdated`, `newlyTrue`, `newlyFalse`, `cronTickPassed` and `since` hold for nothing, and all that
 * `withoutBacklog` finds is backlog.
 */
export function evaluateCondition(
  condition: AutomationCondition,
  asset: string,
  context: ConditionContext,
  previous: AutomationCursor | undefined,
): ConditionResult {
  // A log that is shorter than it was is another one.
  const before = previous && previous.head <= context.head ? previous : undefined;
  const evaluator: Evaluator = { context, owner: asset, before, nodes: {}, known: new Map() };
  const tree = treeOf(evaluator, condition, asset);
  return { result: tree.value, nodes: evaluator.nodes, tree };
}

interface Evaluator {
  readonly context: ConditionContext;
  readonly owner: string;
  readonly before: AutomationCursor | undefined;
  readonly nodes: Record<string, PackedPartitions>;
  readonly known: Map<string, { readonly value: PartitionSet; readonly children: readonly ConditionTree[] }>;
}

function treeOf(evaluator: Evaluator, condition: AutomationCondition, asset: string): ConditionTree {
  const { type, label } = condition;
  const id = nodeId(condition, evaluator.owner, asset);
  // Equal nodes are evaluated once: they share what they remember.
  const known = evaluator.known.get(id);
  const { value, children } = known ?? evaluated(evaluator, condition, asset, id);
  if (!known) evaluator.known.set(id, { value, children });
  return { type, label, arguments: condition.arguments, asset, value, children };
}

function evaluated(
  evaluator: Evaluator,
  condition: AutomationCondition,
  asset: string,
  id: string,
): { value: PartitionSet; children: readonly ConditionTree[] } {
  const { context, before, nodes } = evaluator;
  const facts = context.facts(asset);
  const all = facts.all();
  const remembered = before?.nodes[id];
  /** What the node has to remember; nothing but that it was there, for events. */
  const remember = (set: PartitionSet = sets.EMPTY_SET): void => {
    nodes[id] = packPartitions(set);
  };
  const leaf = (set: PartitionSet) => ({ value: sets.intersect(set, all), children: [] });

  switch (condition.type) {
    case 'missing':
      return leaf(facts.missing());
    case 'stale':
      return leaf(facts.stale());
    case 'failed':
      return leaf(facts.failed());
    case 'codeChanged':
      return leaf(facts.codeChanged());
    case 'checksPassed':
      return leaf(sets.subtract(all, facts.checkFailed()));
    case 'inLatestWindow':
      return leaf(facts.latest(condition.arguments.count));
    case 'inProgress':
      return leaf(context.inProgress(asset));
    case 'willBeRequested':
      return leaf(context.requested(asset));
    case 'newlyRequested':
      return leaf(context.requestedBefore(asset));
    case 'newlyUpdated': {
      remember();
      const news = before && remembered && before.head < context.head;
      return leaf(news ? facts.changedAfter(before.head) : sets.EMPTY_SET);
    }
    case 'cronTickPassed': {
      remember();
      const passed = before && remembered && previousTick(condition.arguments, context.now, before.at) !== undefined;
      return leaf(passed ? all : sets.EMPTY_SET);
    }
    case 'anyDepsMatch': {
      const children = context.graph
        .upstreamOf(asset)
        .flatMap((up) => condition.children.map((child) => treeOf(evaluator, child, up)));
      const matched = new Map(children.map((child) => [child.asset, child.value]));
      const required = condition.arguments.inputs === 'required';
      return { value: readersOf(context.evaluations.get(asset), matched, all, required), children };
    }
  }
  const children = condition.children.map((child) => treeOf(evaluator, child, asset));
  const [first = sets.EMPTY_SET, second = sets.EMPTY_SET] = children.map((child) => child.value);
  const earlier = remembered && unpackPartitions(remembered);
  switch (condition.type) {
    case 'and':
      return { value: children.reduce((set, child) => sets.intersect(set, child.value), all), children };
    case 'or':
      return { value: sets.unionAll(children.map((child) => child.value)), children };
    case 'not':
      return { value: sets.subtract(all, first), children };
    case 'since': {
      const held = sets.union(sets.intersect(earlier ?? sets.EMPTY_SET, all), first);
      const value = sets.subtract(held, second);
      remember(value);
      return { value, children };
    }
    case 'newlyTrue':
      remember(first);
      return { value: earlier ? sets.subtract(first, earlier) : sets.EMPTY_SET, children };
    case 'newlyFalse':
      remember(first);
      return { value: sets.subtract(sets.intersect(earlier ?? sets.EMPTY_SET, all), first), children };
    case 'withoutBacklog': {
      const backlog = earlier ? sets.intersect(earlier, first) : first;
      remember(backlog);
      return { value: sets.subtract(first, backlog), children };
    }
  }
}

/**
 * Partitions that read some of what is given, by asset, through the alternatives that are chosen: themselves, or through earlier
 * partitions of their own asset.
 */
function readersOf(
  evaluation: AssetEvaluation | undefined,
  given: ReadonlyMap<string, PartitionSet>,
  all: PartitionSet,
  required: boolean,
): PartitionSet {
  const found: PartitionSet[] = [];
  for (const { input, alternative, i } of evaluation ? alternativesOf(evaluation) : []) {
    const set = given.get(alternative.asset) ?? sets.EMPTY_SET;
    if (!evaluation || sets.isEmpty(set) || (required && input.need === 'ifPresent')) continue;
    found.push(downstreamSet(alternative.mapping, set, choosing(evaluation, input.name, i, all)));
  }
  const readers = sets.unionAll(found);
  const chain = evaluation && selfMapping(evaluation.node.inputs);
  if (!chain || sets.isEmpty(readers)) return readers;
  return sets.mapSeries(all, (times, key) =>
    chainDownstream(chain, readSeriesKey(key), sets.rangesOf(readers, key), times),
  );
}

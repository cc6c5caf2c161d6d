import * as sets from '../../partition/set.ts';
import { number, plural } from '../../report/format.ts';
import { nextTick } from '../cron.ts';
import type { ConditionTree } from './evaluate.ts';
import type { AutomationDecision, HeldReason } from './tick.ts';

/** What each reason for not requesting a partition means, read after "the condition holds for it, but". */
export const HELD_MEANINGS: Readonly<Record<HeldReason, string>> = {
  'in progress': 'a run is computing it',
  'held back': 'it failed and is tried again later',
  fresh: 'it is up to date',
  pending: 'nothing it reads is requested, so nothing about it can change',
  blocked: 'what it reads failed',
  failed: 'it failed for its data, and nothing it depends on has changed since',
  awaiting: 'what it reads has not been published yet',
  unavailable: 'its source does not have it',
  unneeded: 'another alternative serves',
  unmet: 'something it requires is missing, and is not requested',
};

/** Why nothing is requested, one sentence without a full stop per reason; empty if something is. `now` in ms UTC. */
export function whyNothing({ all, request, held, tree, first }: AutomationDecision, now: number): string[] {
  if (!sets.isEmpty(request)) return [];
  if (sets.isEmpty(all)) return ['it has no partitions yet'];
  if (held.size > 0) {
    return [...held].map(
      ([reason, set]) =>
        `the condition holds for ${plural(sets.countOf(set), 'partition')} that ${sets.countOf(set) === 1 ? 'is' : 'are'} not requested: ${HELD_MEANINGS[reason]}`,
    );
  }
  return [...new Set(blame(tree, { now, first, asset: tree.asset }))];
}

interface Telling {
  readonly now: number;
  readonly first: boolean;
  /** Of whose condition this is. */
  readonly asset: string;
}

/** Why a node holds for nothing. */
function blame(tree: ConditionTree, telling: Telling): string[] {
  const { type, children, label } = tree;
  const of = tree.asset === telling.asset ? '' : ` of ${tree.asset}`;
  const [first, second] = children;
  switch (type) {
    case 'missing':
      return [`nothing${of} is missing`];
    case 'stale':
      return [`nothing${of} is stale`];
    case 'failed':
      return [`nothing${of} has failed`];
    case 'codeChanged':
      return [`nothing${of} was made by other code`];
    case 'checksPassed':
      return [`everything${of} failed a blocking check`];
    case 'inProgress':
      return [`nothing${of} is in progress`];
    case 'inLatestWindow':
      return [`nothing${of} is in the latest window`];
    case 'newlyUpdated':
      return [`nothing${of} was updated since the last evaluation`];
    case 'newlyRequested':
      return [`the last evaluation requested nothing${of}`];
    case 'willBeRequested':
      return [`nothing${of} is requested`];
    case 'cronTickPassed': {
      const cron = tree.arguments as { readonly expression: string; readonly timezone: string };
      const next = nextTick(cron, telling.now);
      const when =
        next === undefined ? 'there will be none' : `the next is at ${new Date(next).toISOString().slice(0, 16)}Z`;
      return [`no tick of '${cron.expression}' has passed; ${when}`];
    }
    case 'and': {
      const empty = children.find((child) => sets.isEmpty(child.value));
      return empty ? blame(empty, telling) : [spoilt(children)];
    }
    case 'or':
      return children.flatMap((child) => blame(child, telling));
    case 'not':
      return first && !sets.isEmpty(first.value)
        ? [`'${first.label}'${throughOf(first)} holds for every partition${of}`]
        : [`there are no partitions${of}`];
    case 'since':
      if (!first || !second) return [];
      return sets.isEmpty(first.value)
        ? blame(first, telling)
        : [`'${second.label}' holds for all of '${first.label}'`];
    case 'newlyTrue':
      if (!first || sets.isEmpty(first.value)) return first ? blame(first, telling) : [];
      return [`'${first.label}'${of} is as it was at the last evaluation`];
    case 'newlyFalse':
      return [`'${first?.label}'${of} has ended for nothing since the last evaluation`];
    case 'withoutBacklog':
      if (!first || sets.isEmpty(first.value)) return first ? blame(first, telling) : [];
      return [
        `all ${number(sets.countOf(first.value))} of '${first.label}'${of} ${telling.first ? 'become' : 'are'} the backlog, which a run computes when asked to`,
      ];
    case 'anyDepsMatch':
      return children.length === 0 ? [`${tree.asset} reads nothing`] : [`'${label}'${of} holds for nothing`];
  }
}

/** Which of several parts, each of which holds for something, is the one that leaves nothing of what those before it leave. */
function spoilt([first, ...rest]: readonly ConditionTree[]): string {
  let left = first?.value ?? sets.EMPTY_SET;
  for (const child of rest) {
    const next = sets.intersect(left, child.value);
    if (sets.isEmpty(next)) {
      const [negated] = child.type === 'not' ? child.children : [];
      const these = `${plural(sets.countOf(left), 'partition')} that the parts before it leave`;
      return negated
        ? `'${negated.label}'${throughOf(negated)} holds for all of the ${these}`
        : `'${child.label}' holds for none of the ${these}`;
    }
    left = next;
  }
  return '';
}

/** Which of the assets that are read it is. */
function throughOf({ type, children }: ConditionTree): string {
  if (type !== 'anyDepsMatch') return '';
  return ` (${children.flatMap(({ asset, value }) => (sets.isEmpty(value) ? [] : [asset])).join(', ')})`;
}

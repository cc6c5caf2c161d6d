import { didYouMean } from '../common/suggest.ts';
import type { Report } from './report.ts';

/** One node of a condition. What it stands for, for one asset at one time, is a set of the asset's partitions. */
interface Node<TType extends string, TArguments = Readonly<Record<never, never>>> {
  readonly type: TType;
  /** What it is called where a condition is explained, and by {@link replaced} and {@link without}. */
  readonly label: string;
  readonly arguments: TArguments;
  readonly children: readonly AutomationCondition[];
  /** What is wrong with how it was declared; reported when the lakehouse is loaded. */
  readonly problem?: string | undefined;
}

/** Kinds of nodes that have no arguments. */
type PlainType =
  | 'missing'
  | 'stale'
  | 'failed'
  | 'codeChanged'
  | 'checksPassed'
  | 'inProgress'
  | 'newlyUpdated'
  | 'newlyRequested'
  | 'willBeRequested'
  | 'and'
  | 'or'
  | 'not'
  | 'since'
  | 'newlyTrue'
  | 'newlyFalse'
  | 'withoutBacklog';

/** When an asset's partitions are to be requested: a tree of plain, immutable data. */
export type AutomationCondition =
  | Node<PlainType>
  | Node<'inLatestWindow', { readonly count: number }>
  | Node<'cronTickPassed', { readonly expression: string; readonly timezone: string }>
  | Node<'anyDepsMatch', { readonly inputs: 'all' | 'required' }>;

const NONE: readonly AutomationCondition[] = Object.freeze([]);

const node = (
  type: PlainType,
  label: string = type,
  children: readonly AutomationCondition[] = NONE,
): AutomationCondition =>
  Object.freeze({ type, label, arguments: Object.freeze({}), children: Object.freeze(children) });

// --- operands: what is so of a partition now ---------------------------------------------------------------------------------

/** Has no content, though what it is made of exists: published, or able to be computed. Also where a failure keeps it from being computed. */
export const missing = (): AutomationCondition => node('missing');
/** Has content that is not what it would be if it were computed now: code, inputs or chosen alternatives are others. */
export const stale = (): AutomationCondition => node('stale');
/** The last attempt failed, or its content failed a blocking check. */
export const failed = (): AutomationCondition => node('failed');
/** Has content that other code made. `newlyTrue(codeChanged())` is the moment at which that became so. */
export const codeChanged = (): AutomationCondition => node('codeChanged');
/** No blocking check failed on its content; true where there is none. */
export const checksPassed = (): AutomationCondition => node('checksPassed');
/** A run that has not ended was asked for it. */
export const inProgress = (): AutomationCondition => node('inProgress');
/**
 * Its time is among the newest `count` that the asset has anything of. What nobody has published yet does not count, so that a
 * source that publishes late is not too late. Always true where there is no time.
 */
export const inLatestWindow = (count = 1): AutomationCondition =>
  Object.freeze({
    type: 'inLatestWindow',
    label: count === 1 ? 'inLatestWindow' : `inLatestWindow(${count})`,
    arguments: Object.freeze({ count }),
    children: NONE,
    ...(!(Number.isInteger(count) && count > 0) && { problem: `inLatestWindow(${count}): not a whole number from 1` }),
  });

// --- operands: what has happened since the condition was last evaluated -----------------------------------------------------

/** Its content changed (entered the lake, or is another one) since the last evaluation. Decided by revisions of the log, not by clocks. */
export const newlyUpdated = (): AutomationCondition => node('newlyUpdated');
/** The last evaluation requested it. */
export const newlyRequested = (): AutomationCondition => node('newlyRequested');
/** A tick of the cron has come since the last evaluation: then all partitions. Default time zone: UTC. */
export const cronTickPassed = (
  expression: string,
  options: { readonly timezone?: string } = {},
): AutomationCondition => {
  const { timezone = 'UTC' } = options;
  return Object.freeze({
    type: 'cronTickPassed',
    label: `cronTickPassed(${expression}${timezone === 'UTC' ? '' : `, ${timezone}`})`,
    arguments: Object.freeze({ expression, timezone }),
    children: NONE,
  });
};
/** This evaluation requests it. Of assets upstream only: `anyDepsMatch(willBeRequested())`. */
export const willBeRequested = (): AutomationCondition => node('willBeRequested');

// --- operators ---------------------------------------------------------------------------------------------------------------

/** All of them hold. */
export const and = (...conditions: readonly AutomationCondition[]): AutomationCondition => several('and', conditions);
/** At least one holds. */
export const or = (...conditions: readonly AutomationCondition[]): AutomationCondition => several('or', conditions);
/** Partitions of the asset for which it does not hold. */
export const not = (condition: AutomationCondition): AutomationCondition =>
  node('not', `not ${condition.label}`, [condition]);
/** `event` has held at some evaluation, and `reset` at none since. Where both do, `reset` wins. */
export const since = (event: AutomationCondition, reset: AutomationCondition): AutomationCondition =>
  node('since', `${event.label} since ${reset.label}`, [event, reset]);
/** Held at the last evaluation, and does not any more. */
export const newlyFalse = (condition: AutomationCondition): AutomationCondition =>
  node('newlyFalse', `newlyFalse(${condition.label})`, [condition]);
/** Holds, and did not at the last evaluation. */
export const newlyTrue = (condition: AutomationCondition): AutomationCondition =>
  node('newlyTrue', `newlyTrue(${condition.label})`, [condition]);
/**
 * Holds, but not for the backlog: partitions for which it held when it was first evaluated and has held ever since. That is what
 * keeps automation that is switched on from computing years of history.
 */
export const withoutBacklog = (condition: AutomationCondition): AutomationCondition =>
  node('withoutBacklog', `withoutBacklog(${condition.label})`, [condition]);
/**
 * Something the partition reads of another asset is such that the condition holds; what earlier partitions of its own asset read, if
 * it reads those, counts as well. `required`: through inputs that are not `ifPresent` only.
 */
export const anyDepsMatch = (
  condition: AutomationCondition,
  options: { readonly inputs?: 'all' | 'required' } = {},
): AutomationCondition =>
  Object.freeze({
    type: 'anyDepsMatch',
    label: `anyDepsMatch(${condition.label})`,
    arguments: Object.freeze({ inputs: options.inputs ?? 'all' }),
    children: Object.freeze([condition]),
  });
/** Everything the partition reads of other assets is such that the condition holds; also where it reads nothing. */
export const allDepsMatch = (condition: AutomationCondition): AutomationCondition =>
  labelled(not(anyDepsMatch(not(condition))), `allDepsMatch(${condition.label})`);

function several(type: 'and' | 'or', conditions: readonly AutomationCondition[]): AutomationCondition {
  const made = node(type, type, conditions);
  return conditions.length > 0 ? made : Object.freeze({ ...made, problem: `${type}() of nothing` });
}

// --- changing conditions -----------------------------------------------------------------------------------------------------

/** The same condition with a name of its own. */
export const labelled = (condition: AutomationCondition, label: string): AutomationCondition =>
  Object.freeze({ ...condition, label });

/** The condition with every part that has this label replaced: `replaced(eager(), 'stale', and(stale(), not(codeChanged())))`. */
export function replaced(condition: AutomationCondition, label: string, by: AutomationCondition): AutomationCondition {
  return changed(condition, label, (part) => (part.label === label ? by : undefined));
}

/** The condition without the part of an `and` or `or` that has this label: `without(eager(), 'depsChecksPassed')`. */
export function without(condition: AutomationCondition, label: string): AutomationCondition {
  return changed(condition, label, (part) => {
    if (part.type !== 'and' && part.type !== 'or') return undefined;
    const children = part.children.filter((child) => child.label !== label);
    return children.length === part.children.length ? undefined : rebuilt(part, children);
  });
}

/** Parts for which `change` gives another one exchanged, from the root down; it is a problem if there is none. */
function changed(
  condition: AutomationCondition,
  label: string,
  change: (part: AutomationCondition) => AutomationCondition | undefined,
): AutomationCondition {
  let found = false;
  const visit = (part: AutomationCondition): AutomationCondition => {
    const other = change(part);
    if (other) {
      found = true;
      return other;
    }
    const children = part.children.map(visit);
    return children.every((child, i) => child === part.children[i]) ? part : rebuilt(part, children);
  };
  const result = visit(condition);
  if (found) return result;
  const hint = didYouMean(label, labelsOf(condition));
  return Object.freeze({ ...result, problem: `it has no part '${label}'${hint === undefined ? '' : `. ${hint}`}` });
}

function rebuilt(part: AutomationCondition, children: readonly AutomationCondition[]): AutomationCondition {
  return Object.freeze({
    ...part,
    children: Object.freeze(children),
    ...(children.length === 0 && { problem: `nothing is left of '${part.label}'` }),
  });
}

function labelsOf(condition: AutomationCondition): string[] {
  return [...new Set([condition.label, ...condition.children.flatMap(labelsOf)])];
}

/** What an asset declared, with everything that is wrong in it reported. */
export function checkedAutomation(
  condition: AutomationCondition | undefined,
  report: Report,
): AutomationCondition | undefined {
  const visit = (part: AutomationCondition, inDeps: boolean): void => {
    if (part.problem !== undefined) report('bad-automation', ['automation'], part.problem);
    if (part.type === 'willBeRequested' && !inDeps) {
      const hint = 'Write anyDepsMatch(willBeRequested()), or newlyRequested() for the last evaluation';
      report('bad-automation', ['automation'], 'willBeRequested() is about assets upstream', hint);
    }
    for (const child of part.children) visit(child, inDeps || part.type === 'anyDepsMatch');
  };
  if (condition) visit(condition, false);
  return condition;
}

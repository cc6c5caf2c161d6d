import {
  type AutomationCondition,
  allDepsMatch,
  and,
  anyDepsMatch,
  checksPassed,
  cronTickPassed,
  inLatestWindow,
  inProgress,
  labelled,
  missing,
  newlyFalse,
  newlyUpdated,
  not,
  or,
  since,
  stale,
  willBeRequested,
  withoutBacklog,
} from './automation.ts';

/** Something it reads changed since the last evaluation, or is requested by this one. */
export const anyDepsUpdated = (): AutomationCondition =>
  labelled(anyDepsMatch(or(newlyUpdated(), willBeRequested())), 'anyDepsUpdated');
/** Something it requires has no content, and is not requested by this evaluation either. */
export const anyDepsMissing = (): AutomationCondition =>
  labelled(
    anyDepsMatch(labelled(and(missing(), not(willBeRequested())), 'missing and not willBeRequested'), {
      inputs: 'required',
    }),
    'anyDepsMissing',
  );
/** A run that has not ended was asked for something it reads. */
export const anyDepsInProgress = (): AutomationCondition => labelled(anyDepsMatch(inProgress()), 'anyDepsInProgress');
/** Nothing it reads failed a blocking check, or what did is requested by this evaluation. */
export const depsChecksPassed = (): AutomationCondition =>
  labelled(
    allDepsMatch(labelled(or(checksPassed(), willBeRequested()), 'checksPassed or willBeRequested')),
    'depsChecksPassed',
  );

export interface PresetOptions {
  /**
   * Also works off what is out of date when automation begins, all of it: for a lake that nobody else fills. Default: false, that is left
   * to `lakehouse materialize`.
   */
  readonly backlog?: boolean;
}

/**
 * What the presets agree on: which partitions, given what is wrong with them. What was in the latest window when it began is no backlog,
 * even if it cannot be computed before the window has moved on.
 */
function due(wrong: AutomationCondition, { backlog = false }: PresetOptions): AutomationCondition {
  const anyDepsRequested = labelled(anyDepsMatch(willBeRequested()), 'anyDepsRequested');
  if (backlog) return labelled(or(wrong, anyDepsRequested), 'due');
  const older = labelled(and(not(inLatestWindow()), wrong), `older ${wrong.label}`);
  return labelled(
    or(
      labelled(and(inLatestWindow(), wrong), 'latest'),
      labelled(withoutBacklog(older), 'withoutBacklog'),
      anyDepsRequested,
    ),
    'due',
  );
}

const outOfDate = (): AutomationCondition => labelled(or(missing(), stale()), 'outOfDate');
const ready = (): AutomationCondition[] => [
  not(inProgress()),
  not(anyDepsMissing()),
  not(anyDepsInProgress()),
  depsChecksPassed(),
];

/**
 * Keeps an asset up to date, as soon as what it reads is: requests every partition that is missing or stale, of whatever age, or that
 * may become stale by what the same evaluation requests of assets upstream.
 *
 * The first evaluation requests of what is missing or stale only the latest window. The rest is a backlog that is left to
 * `lakehouse materialize`; a partition leaves it when it is up to date, and from then on is kept so. Everything that comes to exist or
 * becomes stale later, by data or by code, is requested. It goes by what is so, not by what has happened, so nothing is lost where a
 * run is interrupted.
 */
export const eager = (options: PresetOptions = {}): AutomationCondition =>
  labelled(and(due(outOfDate(), options), ...ready()), 'eager');

/**
 * The same at the ticks of a cron: from each tick on, every partition is requested once as soon as it can be computed. What is up to
 * date at the tick is requested if it becomes stale before the next one. The first evaluation requests nothing: it waits for a tick.
 */
export function onCron(
  expression: string,
  options: PresetOptions & { readonly timezone?: string } = {},
): AutomationCondition {
  const handled = labelled(or(newlyUpdated(), newlyFalse(outOfDate())), 'handled');
  return labelled(
    and(since(cronTickPassed(expression, options), handled), due(outOfDate(), options), ...ready()),
    `onCron(${expression})`,
  );
}

/** Computes what is not there and leaves alone what is, stale or not. Its first evaluation is that of `eager()`. */
export const onMissing = (options: PresetOptions = {}): AutomationCondition =>
  labelled(and(missing(), due(missing(), options), ...ready()), 'onMissing');

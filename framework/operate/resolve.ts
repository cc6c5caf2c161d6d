import { type Issue, isLakehouseError, LakehouseError, throwIfIssues } from '../common/errors.ts';
import type { EffectiveSetting } from '../config/merge.ts';
import { formatOrigin, issueAt, type Origin } from '../config/origin.ts';
import type { Settings } from '../config/schema.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import { placeOf } from '../define/place.ts';
import { type ScheduleDefinition, type ScheduleOptions, schedule } from '../define/schedule.ts';
import type { AssetGraph } from '../graph/graph.ts';
import { checkFilter, type PartitionFilter, parseFilter } from '../partition/filter.ts';
import { CRON_EXAMPLE, cronProblems, nextTick } from './cron.ts';
import { cronOf } from './schedules.ts';

/**
 * The schedules of a lake by name: those of the definitions, altered and added to by the setting `schedules`.
 * @param effective the settings with their origins, to say where what is wrong was written.
 * @throws LakehouseError `bad-schedules` (usage) with all that is wrong with any of them.
 */
export function resolveSchedules(
  definition: LakehouseDefinition,
  settings: Pick<Settings, 'schedules'>,
  graph: AssetGraph,
  now: number,
  effective: readonly EffectiveSetting[] = [],
): ScheduleDefinition[] {
  const issues: Issue[] = [];
  /** In the settings, or else where the schedule is declared. */
  const located = (name: string, field: string, issue: Omit<Issue, 'at'>): Issue => {
    const origin = originOf(effective, name, field);
    if (origin) return issueAt(origin, { ...issue, path: ['schedules', name, field] });
    const declared = definition.schedules.find((one) => one.name === name);
    return declared ? { ...issue, ...placeOf(declared) } : issue;
  };
  const found = new Map<string, ScheduleDefinition>();
  for (const declared of definition.schedules) {
    const place = placeOf(declared);
    issues.push(...declared.issues.map((issue) => ({ ...issue, ...place })));
    if (found.has(declared.name))
      issues.push({
        code: 'duplicate-schedule',
        path: [declared.name],
        message: 'there are two schedules of this name',
        ...place,
      });
    found.set(declared.name, declared);
  }
  for (const [name, said] of Object.entries(settings.schedules)) {
    const declared = found.get(name);
    const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
    if (!declared && said.cron === undefined) {
      const message = `says no cron, and the definitions have no schedule '${name}'`;
      const issue = { code: 'no-cron', path: ['schedules', name], message, hint: "e.g. cron: '0 6 * * *'" };
      const [origin] = effective.flatMap((one) => (isOf(one, name) ? [one.origin] : []));
      issues.push(origin ? issueAt(origin, issue) : issue);
    } else found.set(name, declared ? altered(declared, given) : schedule({ name, cron: '', ...given }));
  }
  const schedules = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const one of schedules)
    for (const { field, ...issue } of problemsOf(one, graph, now)) issues.push(located(one.name, field, issue));
  throwIfIssues('bad-schedules', 'The schedules cannot be used:', issues);
  return schedules;
}

const isOf = ({ path }: EffectiveSetting, name: string): boolean => path[0] === 'schedules' && path[1] === name;

/** Where the settings say a field of a schedule; undefined where they do not. */
function originOf(effective: readonly EffectiveSetting[], name: string, field: string): Origin | undefined {
  return effective.find((one) => isOf(one, name) && one.path[2] === field)?.origin;
}

/**
 * Where it is said that a schedule or a sensor is not enabled: `enabled: false in lakehouse.yaml:4`.
 * @param shown a file as people write it.
 */
export function whereDisabled(
  { name, module, line }: Pick<ScheduleDefinition, 'name' | 'module' | 'line'>,
  effective: readonly EffectiveSetting[],
  shown: (file: string) => string,
): string {
  const origin = originOf(effective, name, 'enabled');
  const { at } = placeOf({ module, line });
  const place = origin ? formatOrigin(origin) : at && `${shown(at.file)}${at.line === undefined ? '' : `:${at.line}`}`;
  return `enabled: false${place === undefined ? '' : ` in ${place}`}`;
}

function altered(declared: ScheduleDefinition, said: Partial<ScheduleOptions>): ScheduleDefinition {
  const { jitterSeconds, timeoutMinutes, ...same } = said;
  return {
    ...declared,
    ...(same as Partial<ScheduleDefinition>),
    ...(jitterSeconds !== undefined && { jitterMs: jitterSeconds * 1000 }),
    ...(timeoutMinutes !== undefined && { timeoutMs: timeoutMinutes * 60_000 }),
  };
}

type Problem = Omit<Issue, 'at'> & { readonly field: string };

function problemsOf(one: ScheduleDefinition, graph: AssetGraph, now: number): Problem[] {
  const issue = (field: string, message: string, hint?: string): Problem => ({
    code: 'bad-schedule',
    path: [one.name, field],
    field,
    message,
    ...(hint !== undefined && { hint }),
  });
  const said = `'${one.cron}'`;
  const found = cronProblems(cronOf(one)).map(({ field, message }) =>
    field === 'cron' ? issue(field, `${said}: ${message}`, CRON_EXAMPLE) : issue(field, message),
  );
  if (found.length === 0 && nextTick(cronOf(one), now) === undefined) found.push(issue('cron', `${said} is never due`));
  // What a function of its own does with assets is its business.
  if (typeof one.action === 'function') return found;
  try {
    const keys = graph.select(one.select).keys;
    const due = new Date(now);
    if (one.partitions !== undefined) filterOf(one, due, graph, keys);
    if (one.action === 'observe' && !keys.some((key) => graph.node(key).definition.kind === 'source'))
      found.push(issue('select', `'${one.select}' selects no source`, `Write '+${one.select}'`));
  } catch (error) {
    const about = isLakehouseError(error) && error.code.includes('filter') ? 'partitions' : 'select';
    found.push(
      issue(
        about,
        error instanceof Error ? error.message : String(error),
        isLakehouseError(error) ? error.hint : undefined,
      ),
    );
  }
  return found;
}

/**
 * The partitions that a tick is about, undefined for all.
 * @throws LakehouseError `bad-partition-filter`, `bad-filter` (usage), and what the schedule's function throws.
 */
export function filterOf(
  { name, partitions }: ScheduleDefinition,
  due: Date,
  graph: AssetGraph,
  keys: readonly string[],
): PartitionFilter | undefined {
  if (partitions === undefined) return undefined;
  const text = typeof partitions === 'function' ? partitions(due) : partitions;
  if (typeof text !== 'string' || text.trim() === '')
    throw new LakehouseError('bad-filter', `Schedule ${name}: partitions is ${JSON.stringify(text)}, not a filter`, {
      hint: "Write e.g. 'date=2024-01..', or leave it out for all partitions.",
    });
  const filter = parseFilter(text);
  const spaces = keys.map((key) => graph.node(key).space);
  throwIfIssues('bad-filter', `Schedule ${name}: partitions '${text}':`, checkFilter(filter, spaces));
  return filter;
}

import { type Issue, isLakehouseError, LakehouseError, throwIfIssues } from '../common/errors.ts';
import type { Settings } from '../config/schema.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import { type ScheduleDefinition, type ScheduleOptions, schedule } from '../define/schedule.ts';
import type { AssetGraph } from '../graph/graph.ts';
import { checkFilter, type PartitionFilter, parseFilter } from '../partition/filter.ts';
import { cronProblems, nextTick } from './cron.ts';
import { cronOf } from './schedules.ts';

/**
 * The schedules of a lake by name: those of the definitions, altered and added to by the setting `schedules`.
 * @throws LakehouseError `bad-schedules` (usage) with all that is wrong with any of them.
 */
export function resolveSchedules(
  definition: LakehouseDefinition,
  settings: Pick<Settings, 'schedules'>,
  graph: AssetGraph,
  now: number,
): ScheduleDefinition[] {
  const issues: Issue[] = [];
  const found = new Map<string, ScheduleDefinition>();
  for (const declared of definition.schedules) {
    issues.push(...declared.issues);
    if (found.has(declared.name))
      issues.push({
        code: 'duplicate-schedule',
        path: [declared.name],
        message: 'there are two schedules of this name',
      });
    found.set(declared.name, declared);
  }
  for (const [name, said] of Object.entries(settings.schedules)) {
    const declared = found.get(name);
    const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
    if (!declared && said.cron === undefined) {
      const message = `says no cron, and the definitions have no schedule '${name}'`;
      issues.push({ code: 'no-cron', path: ['schedules', name], message, hint: "e.g. cron: '0 6 * * *'" });
    } else found.set(name, declared ? altered(declared, given) : schedule({ name, cron: '', ...given }));
  }
  const schedules = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const one of schedules) issues.push(...problemsOf(one, graph, now));
  throwIfIssues('bad-schedules', 'The schedules cannot be used:', issues);
  return schedules;
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

function problemsOf(one: ScheduleDefinition, graph: AssetGraph, now: number): Issue[] {
  const issue = (field: string, message: string, hint?: string): Issue => ({
    code: 'bad-schedule',
    path: [one.name, field],
    message,
    ...(hint !== undefined && { hint }),
  });
  const found = cronProblems(cronOf(one)).map((problem) => issue('cron', problem));
  if (found.length === 0 && nextTick(cronOf(one), now) === undefined) found.push(issue('cron', 'is never due'));
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

import { type Issue, throwIfIssues } from '../../common/errors.ts';
import type { AutomationCondition } from '../../define/automation.ts';
import { placeOf } from '../../define/place.ts';
import type { AssetGraph } from '../../graph/graph.ts';
import { cronProblems, nextTick } from '../cron.ts';

/**
 * Whether the conditions can be evaluated; what is wrong in them by themselves was found when the graph was built.
 * @throws LakehouseError `bad-automation` (usage) with every cron that cannot be read, or is never due.
 */
export function checkConditions(graph: AssetGraph, now: number): void {
  const issues: Issue[] = [];
  for (const asset of graph.order) {
    const { definition } = graph.node(asset);
    const problems = new Set(definition.automation ? cronsOf(definition.automation, now) : []);
    for (const message of problems)
      issues.push({ code: 'bad-automation', path: [asset, 'automation'], message, ...placeOf(definition) });
  }
  throwIfIssues('bad-automation', 'The automation of assets cannot be used:', issues);
}

function cronsOf(condition: AutomationCondition, now: number): string[] {
  const below = condition.children.flatMap((child) => cronsOf(child, now));
  if (condition.type !== 'cronTickPassed') return below;
  const cron = condition.arguments;
  const problems = cronProblems(cron).map(({ message }) => message);
  if (problems.length === 0 && nextTick(cron, now) === undefined) problems.push('is never due');
  return [...below, ...problems.map((problem) => `cron '${cron.expression}': ${problem}`)];
}

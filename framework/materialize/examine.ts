import { type Issue, throwIfIssues } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import type { Plan } from '../plan/plan.ts';
import type { Lake } from './lake.ts';

/**
 * What is wrong with the columns, queries and checks of the tables that a plan computes something of, found without any data.
 * Where there is nothing to look at, no engine is started.
 */
export async function examinePlan(lake: Pick<Lake, 'graph' | 'engine'>, { steps }: Plan): Promise<Issue[]> {
  const definitions = steps.flatMap((step) =>
    step.type === 'materialize' ? [lake.graph.node(step.asset).definition] : [],
  );
  return examineAssets(lake, definitions);
}

/** The same for these assets; those that are not tables have nothing of the kind. */
export async function examineAssets(
  { engine }: Pick<Lake, 'engine'>,
  definitions: readonly AssetDefinition[],
): Promise<Issue[]> {
  const issues: Issue[] = [];
  for (const definition of definitions) {
    if (definition.storage.type === 'table') issues.push(...(await (await engine()).examine(definition)).issues);
  }
  return issues;
}

/** @throws LakehouseError `bad-queries` (usage) with everything that is wrong; does nothing where nothing is. */
export function refuseUnsound(issues: readonly Issue[]): void {
  const { length } = issues;
  throwIfIssues(
    'bad-queries',
    `${length} problem${length === 1 ? '' : 's'} in queries and checks, so nothing runs:`,
    issues,
  );
}

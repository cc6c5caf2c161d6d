import { bindCheckInputs, checkExpressions, examineChecks, runChecks } from './checks.ts';
import type { Session } from './duckdb.ts';
import { identityOf, partitionValues } from './partitions.ts';
import type { CheckRequest, CheckResult } from './port.ts';
import { TARGETS } from './source.ts';
import { constantValues, readChecks } from './verify.ts';

/** Makes checks of partitions as they lie in their files. */
export async function recheck(session: Session, request: CheckRequest, scratch: string): Promise<CheckResult> {
  const { definition, targets, paths, signal } = request;
  await examineChecks(session, definition);
  await session.table(TARGETS, [
    { name: '__target', type: 'INTEGER', values: targets.map((_, i) => i) },
    ...partitionValues(session.driver, definition.space, targets),
  ]);
  // A pack may hold other partitions too, but of the same series.
  const constant = constantValues(
    definition,
    targets.map(({ values }) => values),
  );
  const found = await readChecks(session, {
    definition,
    paths: [...new Set(paths)],
    constant,
    checks: checkExpressions(definition, constant),
  });
  const facts = targets.map(({ values, time }) => found.get(identityOf(definition.space, values, time)));
  const inputs = await bindCheckInputs(session, definition, request.inputs, 1, scratch, signal);
  const checks = await runChecks(session, { definition, targets, paths, inputs, signal }, facts, 0);
  return { checks, rows: facts.reduce((sum, fact) => sum + (fact?.rows ?? 0), 0) };
}

import { type Issue, isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, CheckDefinition, InputDefinition } from '../define/model.ts';
import { placeOf } from '../define/place.ts';
import { compileDefinition, type QueryCache } from './batch.ts';
import { examineChecks } from './checks.ts';
import type { Session } from './duckdb.ts';
import { withoutPlace } from './errors.ts';
import { pointedOut } from './excerpt.ts';
import { partitionExpression, relationColumns } from './partitions.ts';
import type { BoundInput, QueryReport } from './port.ts';
import { canonicalColumns, conform } from './types.ts';

/** Everything that is wrong with an asset's columns, query and checks, found against empty inputs of the declared types. */
export async function examine(session: Session, definition: AssetDefinition, cache: QueryCache): Promise<QueryReport> {
  const { key } = definition;
  const issues: Issue[] = [];
  const warnings: Issue[] = [];
  const collect = async (path: readonly string[], places: readonly string[], work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!isLakehouseError(error) || error.kind === 'transient' || error.kind === 'internal') throw error;
      const { code, hint } = error;
      const message = withoutPlace(error.message, ...places, key);
      // The same problem shows itself with every alternative of an input.
      if (issues.some((issue) => issue.message === message && issue.path[1] === path[0])) return;
      issues.push({ code, path: [key, ...path], message, hint, ...placeOf(definition) });
    }
  };
  const warn = (code: string, message: string, hint?: string) => {
    if (!warnings.some((warning) => warning.message === message))
      warnings.push({ code, path: [key, 'query'], message, hint });
  };

  await collect(['columns'], [], async () => {
    await canonicalColumns(session, definition);
  });
  if (issues.length > 0) return { issues, warnings };
  if (definition.compute?.type === 'sql') {
    const columns = await canonicalColumns(session, definition);
    for (const { name, alternatives } of definition.inputs)
      await collect(['inputs', name], [], async () => {
        for (const { asset } of alternatives) refuseBytes(asset ?? definition);
      });
    for (const inputs of readings(definition)) {
      await collect(['query'], [], async () => {
        const compiled = await compileDefinition(session, { definition, inputs }, cache);
        conform(definition, columns, compiled.columns, 'q');
        for (const what of compiled.orderDependent) {
          warn(
            'order-dependent',
            `${what} without ORDER BY may differ from run to run`,
            'Write sum(x ORDER BY t), or add decimals or integers.',
          );
        }
        if (compiled.reason !== undefined) warn('not-fused', `runs one partition at a time: ${compiled.reason}`);
      });
    }
  }
  for (const check of definition.checks) {
    await collect(['checks', check.name], [`${key}, check ${check.name}`], () =>
      examineCheck(session, definition, check),
    );
  }
  return { issues, warnings };
}

/** Throws `input-not-a-table`. */
function refuseBytes({ key, storage }: AssetDefinition): void {
  if (storage.type !== 'raw' || storage.format.type !== 'bytes') return;
  throw new LakehouseError('input-not-a-table', `no query can read the bytes of ${key}`, {
    kind: 'data',
    hint: 'Read them in a compute function.',
  });
}

/** One check by itself, so that those after it are looked at as well. */
async function examineCheck(session: Session, definition: AssetDefinition, check: CheckDefinition): Promise<void> {
  try {
    await examineChecks(session, { ...definition, checks: [check] });
  } catch (error) {
    const { test } = check;
    if (test.type === 'query') throw error;
    throw pointedOut(error, test.bad, [
      { relation: () => '', partition: (name) => partitionExpression(definition.space, name) },
    ]);
  }
}

/** The inputs that a query may be run with: all as they are first, and one of each other columns that an alternative brings. */
function readings(definition: AssetDefinition): BoundInput[][] {
  const read = ({ name, alternatives }: InputDefinition, i: number): BoundInput => ({
    name,
    definition: alternatives[i]?.asset ?? definition,
    parts: [],
    pairs: new Int32Array(),
  });
  const first = definition.inputs.map((input) => read(input, 0));
  const others = definition.inputs.flatMap(({ alternatives }, at) =>
    alternatives
      .slice(1)
      .map((_, i) => definition.inputs.map((input, n) => (n === at ? read(input, i + 1) : read(input, 0)))),
  );
  const columnsOf = (inputs: readonly BoundInput[]) =>
    JSON.stringify(inputs.map((input) => relationColumns(input.definition)));
  return [...new Map([first, ...others].map((inputs) => [columnsOf(inputs), inputs])).values()];
}

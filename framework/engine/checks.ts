import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, CheckDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral, type SqlTemplate } from '../define/sql.ts';
import type { SeriesValues } from '../partition/space.ts';
import { type CompiledQuery, compileQuery, refuseVolatile } from './compile.ts';
import type { Session } from './duckdb.ts';
import { bindInput, type InputTable } from './inputs.ts';
import { jsonRow } from './json.ts';
import { partitionCondition, partitionExpression, partitionLiteral, relationColumns } from './partitions.ts';
import type { BatchRequest, BatchTarget, CheckFailure } from './port.ts';
import { render, TARGET } from './render.ts';
import { fusedQuery, singleQuery } from './source.ts';
import { planOf } from './syntax.ts';
import { emptyRelation } from './types.ts';
import { type CheckExpressions, type PartitionFacts, packsSql } from './verify.ts';

/** How many bad rows are shown. */
const SAMPLE = 5;
/** What a check's query calls the asset's own rows. */
const ROWS = 'rows';

const rowChecks = (definition: AssetDefinition) =>
  definition.checks.flatMap(({ name, test }) => (test.type === 'rows' ? [{ name, bad: test.bad }] : []));

const queryChecks = (definition: AssetDefinition) =>
  definition.checks.flatMap((check) => (check.test.type === 'query' ? [{ check, ...check.test }] : []));

const examined = new WeakSet<AssetDefinition>();

/** Looks at an asset's checks without its rows, once. Throws `query-invalid`, `query-volatile`, `check-invalid`. */
export async function examineChecks(session: Session, definition: AssetDefinition): Promise<void> {
  if (examined.has(definition)) return;
  const { predicates } = checkExpressions(definition, {});
  for (const [i, { name }] of rowChecks(definition).entries()) {
    const where = `${definition.key}, check ${name}`;
    const rows = `(${emptyRelation(relationColumns(definition))})`;
    await refuseVolatile(
      session,
      where,
      await planOf(session, where, `SELECT (${predicates[i]}) IS TRUE FROM ${rows}`),
    );
  }
  for (const { check, select } of queryChecks(definition)) await compileCheck(session, definition, check, select);
  examined.add(definition);
}

/** @param constant values that all partitions at hand share: text that DuckDB need not read in every row. */
export function checkExpressions(definition: AssetDefinition, constant: SeriesValues): CheckExpressions {
  const text = (name: string, template: SqlTemplate) =>
    render(template, {
      relation: noRelation(definition, name),
      partition: (value) => {
        const known = constant[value];
        return known === undefined ? partitionExpression(definition.space, value) : quoteLiteral(known);
      },
    });
  return {
    predicates: rowChecks(definition).map(({ name, bad }) => text(name, bad)),
    proofs: queryChecks(definition).map(({ check, unless }) => unless && text(check.name, unless)),
  };
}

/** Evaluates the checks on written partitions: those on rows were counted when the packs were read back. */
export async function runChecks(
  session: Session,
  request: BatchRequest,
  facts: readonly (PartitionFacts | undefined)[],
  paths: readonly string[],
): Promise<CheckFailure[]> {
  const { definition, targets } = request;
  const failures: CheckFailure[] = [];
  for (const [i, { name, bad }] of rowChecks(definition).entries()) {
    for (const [ordinal, target] of targets.entries()) {
      const failedRows = facts[ordinal]?.matched[i] ?? 0;
      if (failedRows === 0) continue;
      const mine = partitionCondition(definition.space, target.values, target.time);
      const shown = render(bad, { relation: noRelation(definition, name), partition: literals(definition, target) });
      const where = `WHERE ${mine} AND (${shown})`;
      const sample = await session.rows(`SELECT * FROM ${packsSql(paths)} ${where} LIMIT ${SAMPLE}`);
      failures.push({
        check: name,
        target: ordinal,
        failedRows,
        sample: sample.map(jsonRow),
        sql: `SELECT * FROM ${viewName(definition)} ${where}`,
      });
    }
  }
  let rows: InputTable | undefined;
  for (const [i, { check, select }] of queryChecks(definition).entries()) {
    // A partition without rows has no facts.
    const open = [...targets.keys()].filter((ordinal) => !facts[ordinal]?.proven[i]);
    if (open.length === 0) continue;
    rows ??= await bindWritten(session, request, paths);
    failures.push(...(await runQueryCheck(session, request, check, select, rows, open)));
  }
  return failures;
}

const compiledChecks = new WeakMap<SqlTemplate, CompiledQuery>();

/** How a check's query can run; the same rules as for an asset's own query. */
async function compileCheck(
  session: Session,
  definition: AssetDefinition,
  check: CheckDefinition,
  select: SqlTemplate,
): Promise<CompiledQuery> {
  const known = compiledChecks.get(select);
  if (known !== undefined) return known;
  const compiled = await compileQuery(session, {
    where: `${definition.key}, check ${check.name}`,
    template: select,
    space: definition.space,
    relations: new Map([[ROWS, relationColumns(definition)]]),
    rowwise: false,
  });
  compiledChecks.set(select, compiled);
  return compiled;
}

async function runQueryCheck(
  session: Session,
  request: BatchRequest,
  check: CheckDefinition,
  select: SqlTemplate,
  rows: InputTable,
  open: readonly number[],
): Promise<CheckFailure[]> {
  const { definition, targets } = request;
  const compiled = await compileCheck(session, definition, check, select);
  const context = { request, template: select, inputs: new Map([[ROWS, rows]]) };
  const found = new Map<number, { failedRows: number; sample: unknown[] }>();
  // Count and sample at once: a statement per failing partition would be hundreds where a check warns of every partition.
  const collect = async (query: string) => {
    const each = `OVER (PARTITION BY ${TARGET})`;
    const sampled = `SELECT *, count(*) ${each} AS "__rows" FROM (\n${query}\n) QUALIFY row_number() ${each} <= ${SAMPLE}`;
    for (const { __target, __rows, ...row } of await session.rows(sampled)) {
      const failure = found.get(Number(__target)) ?? { failedRows: Number(__rows), sample: [] };
      found.set(Number(__target), failure);
      failure.sample.push(jsonRow(row));
    }
  };
  if (compiled.form === 'fused') await collect(fusedQuery(context, open.length < targets.length ? open : undefined));
  else {
    for (const ordinal of open) {
      const target = targets[ordinal];
      if (target) await collect(singleQuery(context, ordinal, target));
    }
  }

  const failures: CheckFailure[] = [];
  for (const [ordinal, { failedRows, sample }] of [...found].sort(([a], [b]) => a - b)) {
    const target = targets[ordinal];
    if (target === undefined) continue;
    const mine = partitionCondition(definition.space, target.values, target.time);
    const sql = render(select, {
      relation: () => `(SELECT * FROM ${viewName(definition)} WHERE ${mine})`,
      partition: literals(definition, target),
    });
    failures.push({ check: check.name, target: ordinal, failedRows, sample, sql });
  }
  return failures;
}

/** The written packs as an input: each target reads its own partition. */
async function bindWritten(session: Session, request: BatchRequest, paths: readonly string[]): Promise<InputTable> {
  const { definition, targets, packs, signal } = request;
  const pathOf = new Map(packs.flatMap((pack) => pack.targets.map((ordinal) => [ordinal, pack.path] as const)));
  const parts = targets.map((target, ordinal) => ({ ...target, path: pathOf.get(ordinal) ?? paths[0] ?? '' }));
  const pairs = Int32Array.from(targets.flatMap((_, ordinal) => [ordinal, ordinal]));
  return bindInput(session, { name: ROWS, definition, parts, pairs }, request.inputs.length, '', signal);
}

function literals({ space }: AssetDefinition, target: BatchTarget): (name: string) => string {
  return (name) => partitionLiteral(space, target.values, target.time, name);
}

/** `silver/klines` as the view `"silver"."klines"`; what follows the first slash is one name. */
export function viewName({ key }: AssetDefinition): string {
  const slash = key.indexOf('/');
  return `${quoteIdentifier(key.slice(0, slash))}.${quoteIdentifier(key.slice(slash + 1))}`;
}

function noRelation(definition: AssetDefinition, check: string): (input: string) => string {
  return (input) => {
    throw new LakehouseError(
      'check-invalid',
      `${definition.key}, check ${check}: a check on rows cannot read '${input}'`,
      {
        kind: 'usage',
        hint: 'Make it a query over the rows.',
      },
    );
  };
}

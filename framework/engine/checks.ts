import { LakehouseError } from '../common/errors.ts';
import { inputsRead, ROWS } from '../define/check-spec.ts';
import type { AssetDefinition, CheckDefinition, CheckRead } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral, type SqlTemplate } from '../define/sql.ts';
import type { SeriesValues } from '../partition/space.ts';
import { type Checked, compileCheck, literals, runQueryCheck, SAMPLE } from './check-query.ts';
import { refuseVolatile } from './compile.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { bindInput, type InputTable, inputColumns } from './inputs.ts';
import { jsonRow } from './json.ts';
import {
  identityOf,
  indexOfText,
  partitionColumns,
  partitionCondition,
  partitionExpression,
  relationColumns,
  timeText,
  viewName,
} from './partitions.ts';
import type { BatchTarget, BoundInput, CheckFailure } from './port.ts';
import { render } from './render.ts';
import { planOf } from './syntax.ts';
import { emptyRelation } from './types.ts';
import { type CheckExpressions, type CheckFacts, packsSql } from './verify.ts';

/** Checks that a batch makes of what it computes: all but those that read something else. */
export function batchChecks(definition: AssetDefinition): AssetDefinition {
  const own = definition.checks.filter(({ reads }) => reads.length === 0);
  if (own.length === definition.checks.length) return definition;
  const known = withOwnChecks.get(definition) ?? { ...definition, checks: own };
  withOwnChecks.set(definition, known);
  return known;
}

const withOwnChecks = new WeakMap<AssetDefinition, AssetDefinition>();

const rowChecks = (definition: AssetDefinition) =>
  definition.checks.flatMap(({ name, test }) => (test.type === 'rows' ? [{ name, bad: test.bad }] : []));

const queryChecks = (definition: AssetDefinition) =>
  definition.checks.flatMap((check) => (check.test.type === 'query' ? [{ check, ...check.test }] : []));

const examined = new WeakSet<readonly CheckDefinition[]>();

/** Looks at an asset's checks without its rows, once. Throws `query-invalid`, `query-volatile`, `check-invalid`. */
export async function examineChecks(session: Session, definition: AssetDefinition): Promise<void> {
  if (examined.has(definition.checks)) return;
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
  for (const { check, select } of queryChecks(definition)) {
    const relations = new Map<string, readonly TypedColumn[]>([[ROWS, relationColumns(definition)]]);
    const read = inputsRead(check);
    const inputs: readonly CheckRead[] = check.reads.length > 0 ? check.reads : definition.inputs;
    for (const { name, alternatives, summary } of inputs) {
      const other = alternatives[0]?.asset ?? definition;
      if (read.has(name)) relations.set(name, await inputColumns(session, { definition: other, summary }));
    }
    await compileCheck(session, definition, check, select, relations);
  }
  examined.add(definition.checks);
}

/** The inputs that the checks of an asset read, as tables of a session. `from` is the first free id of an input. */
export async function bindCheckInputs(
  session: Session,
  definition: AssetDefinition,
  inputs: readonly BoundInput[],
  from: number,
  scratch: string,
  signal: AbortSignal,
): Promise<Map<string, InputTable>> {
  const read = new Set(definition.checks.flatMap((check) => [...inputsRead(check)]));
  const tables = new Map<string, InputTable>();
  for (const input of inputs)
    if (read.has(input.name))
      tables.set(input.name, await bindInput(session, input, from + tables.size, scratch, signal));
  return tables;
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

/**
 * Evaluates checks of partitions, of which a scan has counted the bad rows and seen the proofs (see `CheckExpressions`).
 * @param id a free id of an input.
 */
export async function runChecks(
  session: Session,
  checked: Checked,
  facts: readonly (CheckFacts | undefined)[],
  id: number,
): Promise<CheckFailure[]> {
  const { definition, targets } = checked;
  const failures: CheckFailure[] = [];
  for (const [i, { name, bad }] of rowChecks(definition).entries()) {
    const failing = [...targets.keys()].filter((ordinal) => (facts[ordinal]?.matched[i] ?? 0) > 0);
    if (failing.length === 0) continue;
    const samples = await badRows(session, checked, name, bad, failing);
    for (const ordinal of failing) {
      const target = targets[ordinal] as BatchTarget;
      const mine = partitionCondition(definition.space, target.values, target.time);
      const shown = render(bad, {
        relation: noRelation(definition, name),
        partition: literals(definition.space, target),
      });
      failures.push({
        check: name,
        target: ordinal,
        failedRows: facts[ordinal]?.matched[i] ?? 0,
        sample: samples.get(ordinal) ?? [],
        sql: `SELECT * FROM ${viewName(definition)} WHERE ${mine} AND (${shown})`,
      });
    }
  }
  let rows: InputTable | undefined;
  for (const [i, { check, select }] of queryChecks(definition).entries()) {
    // A partition without rows has no facts.
    const open = [...targets.keys()].filter((ordinal) => !facts[ordinal]?.proven[i]);
    if (open.length === 0) continue;
    rows ??= await bindPartitions(session, checked, id);
    const inputs = new Map([[ROWS, rows], ...checked.inputs]);
    failures.push(...(await runQueryCheck(session, { ...checked, inputs }, check, select, open)));
  }
  return failures;
}

/** The first bad rows of each of these targets, in one statement: where a check warns of every partition there are hundreds. */
async function badRows(
  session: Session,
  { definition, targets, paths }: Checked,
  name: string,
  bad: SqlTemplate,
  failing: readonly number[],
): Promise<Map<number, unknown[]>> {
  const { space, sortBy } = definition;
  const condition = render(bad, {
    relation: noRelation(definition, name),
    partition: (value) => partitionExpression(space, value),
  });
  const keys = partitionColumns(space).map((column) => quoteIdentifier(column.name));
  const order = sortBy.map(quoteIdentifier);
  const each = `OVER (${keys.length > 0 ? `PARTITION BY ${keys.join(', ')}` : ''}${order.length > 0 ? ` ORDER BY ${order.join(', ')}` : ''})`;
  const time = space.time ? `, ${timeText(space.time.name)} AS "__time"` : '';
  const files = [...new Set(failing.map((ordinal) => paths[ordinal] as string))];
  const found = await session.rows(
    `SELECT *${time} FROM ${packsSql(files)} WHERE (${condition}) QUALIFY row_number() ${each} <= ${SAMPLE}${keys.length + order.length > 0 ? ` ORDER BY ${[...keys, ...order].join(', ')}` : ''}`,
  );
  const ordinals = new Map(
    failing.map((ordinal) => {
      const { values, time: index } = targets[ordinal] as BatchTarget;
      return [identityOf(space, values, index), ordinal];
    }),
  );
  const samples = new Map<number, unknown[]>();
  for (const { __time, ...row } of found) {
    const values = Object.fromEntries(space.listed.map((dimension) => [dimension.name, String(row[dimension.name])]));
    const index = space.time ? indexOfText(space.time.grain, String(__time)) : 0;
    const ordinal = ordinals.get(identityOf(space, values, index));
    // A pack may hold partitions that nobody asked for.
    if (ordinal !== undefined) samples.set(ordinal, [...(samples.get(ordinal) ?? []), jsonRow(row)]);
  }
  return samples;
}

/** The partitions themselves as an input: each target reads its own. */
function bindPartitions(
  session: Session,
  { definition, targets, paths, signal }: Checked,
  id: number,
): Promise<InputTable> {
  const parts = targets.map((target, ordinal) => ({ ...target, path: paths[ordinal] as string }));
  const pairs = Int32Array.from(targets.flatMap((_, ordinal) => [ordinal, ordinal]));
  return bindInput(session, { name: ROWS, definition, parts, pairs }, id, '', signal);
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

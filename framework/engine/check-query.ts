import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { ROWS } from '../define/check-spec.ts';
import type { AssetDefinition, CheckDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral, type SqlTemplate } from '../define/sql.ts';
import type { PartitionSpace } from '../partition/space.ts';
import { type CompiledQuery, compileQuery } from './compile.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { type InputTable, inputColumns, summaryText } from './inputs.ts';
import { jsonRow } from './json.ts';
import { partitionColumns, partitionCondition, partitionLiteral, varyingDimensions, viewName } from './partitions.ts';
import type { BatchTarget, CheckFailure } from './port.ts';
import { references, render, TARGET } from './render.ts';
import { fusedQuery, partsOf, singleQuery } from './source.ts';

/** How many bad rows are shown. */
export const SAMPLE = 5;
/** Partitions that lie in files, and what their checks read. */
export interface Checked {
  readonly definition: AssetDefinition;
  readonly targets: readonly BatchTarget[];
  /** Per target. */
  readonly paths: readonly string[];
  /** Besides the partitions themselves. */
  readonly inputs: ReadonlyMap<string, InputTable>;
  readonly signal: AbortSignal;
}

/** Values of a target as literals. */
export function literals(space: PartitionSpace, target: BatchTarget): (name: string) => string {
  return (name) => partitionLiteral(space, target.values, target.time, name);
}

const compiledChecks = new WeakMap<SqlTemplate, Map<string, CompiledQuery>>();

/** How a check's query can run; the same rules as for an asset's own query. */
export async function compileCheck(
  session: Session,
  definition: AssetDefinition,
  check: CheckDefinition,
  select: SqlTemplate,
  relations: ReadonlyMap<string, readonly TypedColumn[]>,
): Promise<CompiledQuery> {
  const known = compiledChecks.get(select) ?? new Map<string, CompiledQuery>();
  compiledChecks.set(select, known);
  const key = JSON.stringify([...relations]);
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const compiled = await compileQuery(session, {
    where: `${definition.key}, check ${check.name}`,
    template: select,
    space: definition.space,
    relations,
    rowwise: false,
  });
  known.set(key, compiled);
  return compiled;
}

/** @param open ordinals of the targets to ask about. `inputs` has the partitions themselves as well. */
export async function runQueryCheck(
  session: Session,
  { definition, targets, inputs }: Checked,
  check: CheckDefinition,
  select: SqlTemplate,
  open: readonly number[],
): Promise<CheckFailure[]> {
  const read = references(select).relations;
  const relations = new Map<string, readonly TypedColumn[]>();
  for (const [name, { input }] of inputs) if (read.has(name)) relations.set(name, await inputColumns(session, input));
  const compiled = await compileCheck(session, definition, check, select, relations);
  const context = { request: { definition }, template: select, inputs };
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
  try {
    if (compiled.form === 'fused') await collect(fusedQuery(context, open.length < targets.length ? open : undefined));
    else {
      for (const ordinal of open) {
        const target = targets[ordinal];
        if (target) await collect(singleQuery(context, ordinal, target));
      }
    }
  } catch (error) {
    throw inCheck(error, definition, check);
  }

  const failures: CheckFailure[] = [];
  for (const [ordinal, { failedRows, sample }] of [...found].sort(([a], [b]) => a - b)) {
    const target = targets[ordinal];
    if (target === undefined) continue;
    const shown = [...read].map((name) => [name, inputs.get(name)] as const);
    const raw = shown.some(([, table]) => table?.input.definition.storage.type === 'raw');
    const texts = new Map(shown.map(([name, table]) => [name, table && viewRows(table, ordinal)]));
    const mine = partitionCondition(definition.space, target.values, target.time);
    texts.set(ROWS, `(SELECT * FROM ${viewName(definition)} WHERE ${mine})`);
    const sql = render(select, {
      relation: (input) => texts.get(input) ?? '',
      partition: literals(definition.space, target),
    });
    failures.push({ check: check.name, target: ordinal, failedRows, sample, ...(!raw && { sql }) });
  }
  return failures;
}

/** An error of the data says which check met it. */
function inCheck(error: unknown, { key }: AssetDefinition, { name }: CheckDefinition): unknown {
  if (!isLakehouseError(error) || error.kind !== 'data') return error;
  const { code, message, kind, hint, details, cause } = error;
  const said = message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message;
  return new LakehouseError(code, `${key}, check ${name}: ${said}`, { kind, hint, details, cause });
}

/** What a target reads of an input, as a query over its view. */
function viewRows(table: InputTable, target: number): string {
  const { definition, summary, parts } = table.input;
  const { space } = definition;
  const own = [...partsOf(table, target)].flatMap((ordinal) => parts[ordinal] ?? []);
  const [first] = own;
  const varying = varyingDimensions(
    space,
    own.map(({ values }) => values),
  );
  const conditions = space.listed.map(({ name }) =>
    varying.includes(name)
      ? `${quoteIdentifier(name)} IN (${[...new Set(own.map(({ values }) => values[name] ?? ''))].map(quoteLiteral).join(', ')})`
      : `${quoteIdentifier(name)} = ${quoteLiteral(first?.values[name] ?? null)}`,
  );
  if (space.time && first) {
    const times = own.map(({ time }) => time);
    const edge = (time: number) => partitionLiteral(space, {}, time, space.time?.name ?? '');
    const between = `${edge(Math.min(...times))} AND ${edge(Math.max(...times))}`;
    conditions.push(`${quoteIdentifier(space.time.name)} BETWEEN ${between}`);
  }
  const where = first === undefined ? 'FALSE' : conditions.join(' AND ') || 'TRUE';
  if (summary === undefined) return `(SELECT * FROM ${viewName(definition)} WHERE ${where})`;
  const keys = partitionColumns(space).map(({ name }) => quoteIdentifier(name));
  const grouped = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : '';
  return `(SELECT ${[...keys, summaryText(summary)].join(', ')} FROM ${viewName(definition)} WHERE ${where}${grouped})`;
}

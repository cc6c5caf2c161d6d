import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { SqlTemplate } from '../define/sql.ts';
import type { PartitionSpace } from '../partition/space.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { withoutPlace } from './errors.ts';
import { placed, pointedOut } from './excerpt.ts';
import { notRowwise, orderDependentAggregates, positionDependentWindows, volatileFunction } from './inspect.ts';
import { partitionColumns, partitionLiteral } from './partitions.ts';
import {
  CARRIED_COLUMNS,
  inputTable,
  nested,
  references,
  renderFused,
  renderPlain,
  renderSingle,
  singleRendering,
  TARGET_COLUMN,
  withInputs,
} from './render.ts';
import {
  carryColumns,
  type Json,
  type JsonObject,
  parseQuery,
  planOf,
  printQuery,
  refuseForeignReads,
} from './syntax.ts';
import { emptyRelation } from './types.ts';

/** What is to be compiled: a template that means one partition of `space`, over relations of known columns. */
export interface QueryShape {
  /** Begins messages: the asset, or the asset and a check of it. */
  readonly where: string;
  readonly template: SqlTemplate;
  readonly space: PartitionSpace;
  readonly relations: ReadonlyMap<string, readonly TypedColumn[]>;
  readonly rowwise: boolean;
}

export interface CompiledQuery {
  /** `fused`: one statement for all targets; `single`: one per target; `rowwise`: one over all rows, which are dealt out. */
  readonly form: 'fused' | 'single' | 'rowwise';
  /** Why it is `single`. */
  readonly reason: string | undefined;
  /** Columns of the result, without the target. */
  readonly columns: readonly TypedColumn[];
  /** What may make the result differ from run to run. */
  readonly orderDependent: readonly string[];
}

/** Hidden columns that a rowwise query passes from its input to its result. */
const CARRIED = CARRIED_COLUMNS.map(({ name }) => name);

/** Columns of the table of targets: the ordinal, the partition columns, its span. */
export function targetColumns(space: PartitionSpace): TypedColumn[] {
  return [TARGET_COLUMN, ...partitionColumns(space), ...CARRIED_COLUMNS.slice(1)];
}

/**
 * Decides, without data, how a query can run for many partitions at once, and refuses what would not give the same result
 * twice. Throws `query-invalid`, `query-reads`, `query-volatile`, `not-rowwise`; below the message stands the line of the template
 * that is to blame, as far as it is known.
 */
export async function compileQuery(session: Session, shape: QueryShape): Promise<CompiledQuery> {
  const { template, space } = shape;
  refuseUnknownReferences(shape);
  const sampleValues = Object.fromEntries(space.listed.map(({ name, values }) => [name, values?.[0] ?? 'x']));
  const sample = (name: string) => partitionLiteral(space, sampleValues, space.time?.start ?? 0, name);
  try {
    return await compile(session, shape, sample);
  } catch (error) {
    throw pointedOut(error, template, [singleRendering(0, sample), { relation: inputTable, partition: sample }]);
  }
}

async function compile(session: Session, shape: QueryShape, sample: (name: string) => string): Promise<CompiledQuery> {
  const { where, template } = shape;
  const text = renderPlain(template, sample);
  const tree = await parseQuery(session, where, text);
  refuseForeignReads(tree, text, where, [...shape.relations.keys()]);

  const empty = emptyInputs(shape, [TARGET_COLUMN]);
  const single = withInputs(empty, renderSingle(template, 0, sample));
  const plan = await planOf(session, where, single);
  await refuseVolatile(session, where, plan, single);
  const columns = (await session.describe(single)).filter(({ name }) => name !== TARGET_COLUMN.name);
  const common = { columns, orderDependent: orderDependentAggregates(plan), reason: undefined };
  if (shape.rowwise) {
    await checkRowwise(session, shape, tree, sample);
    return { ...common, form: 'rowwise' };
  }
  const reason = await whyNotFused(session, shape, empty);
  return { ...common, form: reason === undefined ? 'fused' : 'single', reason };
}

/** A rowwise query that also passes on {@link CARRIED}, as text over the input's table. */
export async function renderRowwise(
  session: Session,
  where: string,
  template: SqlTemplate,
  partition: (name: string) => string,
): Promise<string> {
  const tree = await parseQuery(session, where, renderPlain(template, partition));
  return printQuery(session, carryColumns(tree, CARRIED));
}

async function whyNotFused(
  session: Session,
  shape: QueryShape,
  empty: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const targets = `(${emptyRelation(targetColumns(shape.space))})`;
  let plan: Awaited<ReturnType<typeof planOf>>;
  try {
    plan = await planOf(session, shape.where, withInputs(empty, renderFused(shape.template, targets)));
  } catch (error) {
    if (!isLakehouseError(error) || error.kind !== 'data') throw error;
    return withoutPlace(error.message, shape.where);
  }
  const [window] = positionDependentWindows(plan);
  if (window !== undefined)
    return `the window aggregate ${window} adds floating-point numbers in another order when fused`;
  return undefined;
}

async function checkRowwise(
  session: Session,
  shape: QueryShape,
  tree: JsonObject,
  sample: (name: string) => string,
): Promise<void> {
  const { where, template } = shape;
  const refuse = (why: string): never => {
    throw new LakehouseError('not-rowwise', `${where}: declared rowwise, but ${why}`, {
      kind: 'data',
      hint: 'A rowwise query computes each row from one row of one input. Leave out `rowwise` for anything else.',
    });
  };
  const used = references(template);
  if (used.relations.size !== 1) refuse(`the query reads ${used.relations.size} inputs`);
  for (const name of used.partition) {
    if (name === 'start' || name === 'end' || name === shape.space.time?.name)
      refuse(`the query uses the partition's '${name}'`);
  }
  const bound = await planOf(session, where, withInputs(emptyInputs(shape, []), nested(renderPlain(template, sample))));
  const [operator] = notRowwise(bound);
  if (operator !== undefined) refuse(`the query has an operator over several rows: ${operator}`);
  const carried = await printQuery(session, carryColumns(tree, CARRIED));
  const names = (await session.describe(withInputs(emptyInputs(shape, CARRIED_COLUMNS), nested(carried)))).map(
    ({ name }) => name,
  );
  const passed = CARRIED.filter((name) => names.filter((n) => n === name).length !== 1);
  if (passed.length > 0)
    refuse('the rows cannot be traced to their partition; write the columns out instead of COLUMNS(…)');
}

function emptyInputs(shape: QueryShape, hidden: readonly TypedColumn[]): Map<string, string> {
  const { relations } = references(shape.template);
  return new Map(
    [...relations].map((name) => [name, emptyRelation([...hidden, ...(shape.relations.get(name) ?? [])])]),
  );
}

function refuseUnknownReferences({ where, template, space, relations }: QueryShape): void {
  const used = references(template);
  const dimensions = [...partitionColumns(space).map(({ name }) => name), 'start', 'end'];
  const unknown =
    [...used.relations].find((name) => !relations.has(name)) ??
    [...used.partition].find((name) => !dimensions.includes(name));
  if (unknown === undefined) return;
  throw new LakehouseError('query-invalid', `${where}: the query refers to '${unknown}', which it has not`, {
    kind: 'data',
  });
}

/**
 * Throws `query-volatile` when a plan calls what differs from call to call or from query to query.
 * @param sql the statement that the plan is of.
 */
export async function refuseVolatile(session: Session, where: string, plan: Json, sql = ''): Promise<void> {
  const called = volatileFunction(plan, await volatility(session));
  if (called === undefined) return;
  const error = new LakehouseError(
    'query-volatile',
    `${where}: the query calls ${called.name}(), which gives something else each time`,
    { kind: 'data', hint: 'Use the partition’s start or end, or a column of an input.' },
  );
  throw placed(error, sql, called.byte);
}

const registers = new WeakMap<object, ReadonlySet<string>>();

/** DuckDB's own register of functions that differ between calls or between queries; `error` only fails. */
async function volatility(session: Session): Promise<(name: string) => boolean> {
  let names = registers.get(session.driver);
  if (names === undefined) {
    const rows = await session.rows(
      "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' AND function_name <> 'error'",
    );
    names = new Set(rows.map((row) => String(row.name)));
    registers.set(session.driver, names);
  }
  const known = names;
  return (name) => known.has(name) || /^(get_)?current_/.test(name);
}

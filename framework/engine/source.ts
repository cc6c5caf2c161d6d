import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import type { SqlTemplate } from '../define/sql.ts';
import { quoteIdentifier } from '../define/sql.ts';
import { type CompiledQuery, renderRowwise } from './compile.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { guardSql } from './errors.ts';
import type { InputTable } from './inputs.ts';
import { bucketSql, partitionColumns, partitionLiteral, timeType, timeValue } from './partitions.ts';
import type { BatchRequest, BatchTarget } from './port.ts';
import {
  CARRIED_COLUMNS,
  END,
  nested,
  PART,
  references,
  renderFused,
  renderSingle,
  START,
  TARGET,
  withInputs,
} from './render.ts';
import { conform, identifiers } from './types.ts';

export const TARGETS = '__targets';

/** Everything a query of this batch needs to be written. */
export interface QueryContext {
  readonly session: Session;
  readonly request: BatchRequest;
  readonly template: SqlTemplate;
  readonly compiled: CompiledQuery;
  readonly columns: readonly ColumnDefinition[];
  readonly inputs: ReadonlyMap<string, InputTable>;
}

/** The query of all targets, or of some of them, in one statement. */
export function fusedQuery(
  { template, inputs }: Pick<QueryContext, 'template' | 'inputs'>,
  some?: readonly number[],
): string {
  const used = references(template).relations;
  const tables = new Map(
    [...inputs]
      .filter(([name]) => used.has(name))
      .map(([name, table]) => [name, table.byTarget(some && new Set(some.flatMap((one) => [...partsOf(table, one)])))]),
  );
  const targets = some ? `(SELECT * FROM "${TARGETS}" WHERE ${TARGET} IN (${some.join(', ')}))` : `"${TARGETS}"`;
  return withInputs(tables, renderFused(template, targets));
}

/** The query of one target, reading only the files of its own parts. */
export function singleQuery(
  {
    template,
    inputs,
    request,
  }: Pick<QueryContext, 'template' | 'inputs'> & {
    readonly request: Pick<BatchRequest, 'definition'>;
  },
  ordinal: number,
  target: BatchTarget,
  own: (input: string) => string | undefined = () => undefined,
): string {
  const used = references(template).relations;
  const { space } = request.definition;
  const tables = [...inputs].flatMap(([name, table]): [string, string][] => {
    if (!used.has(name)) return [];
    const committed = table.byTarget(partsOf(table, ordinal));
    const earlier = own(name);
    return [[name, earlier === undefined ? committed : `${committed}\nUNION ALL BY NAME\n${earlier}`]];
  });
  const partition = (name: string) => partitionLiteral(space, target.values, target.time, name);
  return withInputs(new Map(tables), renderSingle(template, ordinal, partition));
}

/** A rowwise query over some parts: one group of targets whose partition values, as far as the query uses them, are equal. */
export interface RowwiseGroup {
  readonly targets: readonly number[];
  readonly partition: (name: string) => string;
}

export function rowwiseGroups({ template, request }: Pick<QueryContext, 'template' | 'request'>): RowwiseGroup[] {
  const used = [...references(template).partition];
  const groups = new Map<string, number[]>();
  request.targets.forEach(({ values }, ordinal) => {
    const key = JSON.stringify(used.map((name) => values[name]));
    const group = groups.get(key);
    if (group) group.push(ordinal);
    else groups.set(key, [ordinal]);
  });
  return [...groups.values()].map((targets) => {
    const { values = {}, time = 0 } = request.targets[targets[0] ?? 0] ?? {};
    return { targets, partition: (name: string) => partitionLiteral(request.definition.space, values, time, name) };
  });
}

/** The one input of a rowwise query, and the parts that a group of targets reads. */
export function rowwiseInput({ template, inputs }: Pick<QueryContext, 'template' | 'inputs'>): InputTable {
  const [name] = references(template).relations;
  const table = inputs.get(name ?? '');
  if (table === undefined)
    throw new LakehouseError('missing-input', `The input '${name}' was not bound`, { kind: 'internal' });
  return table;
}

/** Rows of the user's query with the hidden columns that say which part each comes from. */
export async function tracedQuery(
  context: QueryContext,
  group: RowwiseGroup,
  parts: ReadonlySet<number> | undefined,
): Promise<string> {
  const { session, request, template } = context;
  const [name = ''] = references(template).relations;
  const text = await renderRowwise(session, request.definition.key, template, group.partition);
  return withInputs(new Map([[name, rowwiseInput(context).byPart(parts)]]), nested(text));
}

/** Whether a row lies within the part it comes from; NULL counts as outside. */
export function withinPart({ space, timeColumn }: AssetDefinition): string {
  if (!space.time || timeColumn === undefined) return 'TRUE';
  const time = quoteIdentifier(timeColumn);
  return `coalesce(${time} IS NOT NULL AND (${START} IS NULL OR (${time} >= ${START} AND ${time} < ${END})), FALSE)`;
}

/**
 * Rowwise: one pass over all rows, each dealt to the target of its part that its time falls in. A row outside its part's own
 * time stops the statement: the check is the join's key, so no row gets by it. Rows of partitions that nobody asked for are left.
 */
export async function rowwiseQuery(context: QueryContext, group: RowwiseGroup, id: number): Promise<string> {
  const { session, request } = context;
  const { definition, targets } = request;
  const { time } = definition.space;
  const input = rowwiseInput(context);
  const wanted = new Set(group.targets);
  const pairs = pairsOf(input).filter(([target]) => wanted.has(target));
  const byTime = time !== undefined && definition.timeColumn !== undefined;
  if (!byTime) refuseSharedParts(definition, pairs);
  const grain = time?.grain ?? 'day';
  await session.table(`__deal_${id}`, [
    { name: '__target', type: 'INTEGER', values: pairs.map(([target]) => target) },
    { name: '__checked', type: 'INTEGER', values: pairs.map(([, part]) => part) },
    {
      name: '__bucket',
      type: timeType(grain),
      values: pairs.map(([target]) => timeValue(session.driver, grain, targets[target]?.time ?? 0)),
    },
  ]);
  const parts = wanted.size === targets.length ? undefined : new Set(pairs.map(([, part]) => part));
  const bucket = byTime ? `, ${bucketSql(grain, quoteIdentifier(definition.timeColumn ?? ''))} AS "__bucket"` : '';
  const checked = `CASE WHEN ${withinPart(definition)} THEN ${PART} ELSE CAST(${guardSql('span', PART)} AS INTEGER) END AS "__checked"`;
  const on = byTime ? 'USING ("__checked", "__bucket")' : 'USING ("__checked")';
  return `SELECT d.${TARGET}, u.* EXCLUDE (${identifiers(CARRIED_COLUMNS)}, "__checked"${byTime ? ', "__bucket"' : ''})
FROM (SELECT *, ${checked}${bucket} FROM (\n${await tracedQuery(context, group, parts)}\n)) u JOIN "__deal_${id}" d ${on}`;
}

/**
 * A query's rows as rows of the asset: declared columns in declared types. A result column named like a dimension must say what
 * the partition says.
 */
export function conformed(
  context: Pick<QueryContext, 'request' | 'columns'>,
  found: readonly TypedColumn[],
  query: string,
): string {
  const { definition } = context.request;
  const list = conform(definition, context.columns, found, 'q').join(', ');
  const said = partitionColumns(definition.space).filter(({ name }) => found.some((column) => column.name === name));
  if (said.length === 0) return `SELECT q.${TARGET}, ${list} FROM (\n${query}\n) q`;
  const agrees = said
    .map(({ name }) => `q.${quoteIdentifier(name)} IS NOT DISTINCT FROM t.${quoteIdentifier(name)}`)
    .join(' AND ');
  const target = `CASE WHEN ${agrees} THEN t.${TARGET} ELSE CAST(${guardSql('dimension', `t.${TARGET}`)} AS INTEGER) END`;
  return `SELECT ${target} AS ${TARGET}, ${list} FROM (\n${query}\n) q JOIN "${TARGETS}" t ON q.${TARGET} = t.${TARGET}`;
}

/** (target, part) pairs of an input. */
export function pairsOf({ input }: InputTable): [target: number, part: number][] {
  return Array.from({ length: input.pairs.length / 2 }, (_, i) => [
    input.pairs[2 * i] ?? 0,
    input.pairs[2 * i + 1] ?? 0,
  ]);
}

export function partsOf(table: InputTable, target: number): ReadonlySet<number> {
  return new Set(pairsOf(table).flatMap(([t, part]) => (t === target ? [part] : [])));
}

function refuseSharedParts(definition: AssetDefinition, pairs: readonly (readonly [number, number])[]): void {
  if (new Set(pairs.map(([, part]) => part)).size === pairs.length) return;
  throw new LakehouseError(
    'not-rowwise',
    `${definition.key}: declared rowwise, but nothing says which partition a row belongs to`,
    {
      kind: 'data',
      hint: 'Declare timeColumn.',
    },
  );
}

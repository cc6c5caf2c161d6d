import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { quoteLiteral } from '../define/sql.ts';
import type { Session } from './duckdb.ts';
import { byteOf, placed } from './excerpt.ts';

// DuckDB's own syntax tree, as JSON. Only what is needed is typed.
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** Table functions that read nothing but their arguments. */
const PURE_TABLES: readonly string[] = [
  'unnest',
  'range',
  'generate_series',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
];
/** Functions that bind to a constant and so cannot be seen in a plan. */
const SESSION_FUNCTIONS: readonly string[] = ['getvariable', 'getenv', 'query', 'query_table'];

/** The one SELECT statement of a text. Throws `query-invalid`. */
export async function parseQuery(session: Session, where: string, text: string): Promise<JsonObject> {
  const [row] = await session.rows(`SELECT json_serialize_sql(${quoteLiteral(text)}) AS tree`);
  const tree = parseJson(String(row?.tree));
  const statements = Array.isArray(tree.statements) ? tree.statements : [];
  if (tree.error === true || statements.length !== 1) {
    const why = tree.error === true ? oneLine(tree.error_message) : `it has ${statements.length} statements`;
    const error = new LakehouseError('query-invalid', `${where}: the query is not one SELECT: ${why}`, {
      kind: 'data',
    });
    throw tree.position === undefined ? error : placed(error, text, byteOf(text, tree.position));
  }
  return tree;
}

/** DuckDB's message without the long list of functions that might have been meant. */
const oneLine = (message: Json | undefined): string =>
  String(message)
    .split(/\s*(?:\n\nLINE|\n\s*Candidate functions:)/)[0]
    ?.replace(/\s*\n\s*/g, ' ') ?? '';

export async function printQuery(session: Session, tree: JsonObject): Promise<string> {
  const [row] = await session.rows(`SELECT json_deserialize_sql(${quoteLiteral(printJson(tree))}) AS text`);
  return String(row?.text);
}

/** The logical plan of a query, bound and not optimised. Throws what DuckDB says when it does not bind. */
export async function planOf(session: Session, where: string, sql: string): Promise<Json> {
  const [row] = await session.rows(`SELECT json_serialize_plan(${quoteLiteral(sql)}) AS plan`);
  const plan = parseJson(String(row?.plan));
  if (plan.error !== true) return plan;
  const error = new LakehouseError('query-invalid', `${where}: ${oneLine(plan.error_message)}`, { kind: 'data' });
  throw placed(error, sql, plan.position);
}

/** The logical plan of a query as DuckDB would run it; undefined where it does not bind, or cannot be written down. */
export async function optimizedPlanOf(session: Session, sql: string): Promise<Json | undefined> {
  const [row] = await session.rows(`SELECT json_serialize_plan(${quoteLiteral(sql)}, optimize := true) AS plan`);
  // Nothing where it has bytes that are no text: those of a BIT.
  if (row?.plan === '') return undefined;
  const plan = parseJson(withoutInfinities(String(row?.plan)));
  return plan.error === true ? undefined : plan;
}

/** DuckDB writes numbers that JSON has not. As null, which a constant that is not NULL cannot be. */
const withoutInfinities = (json: string): string =>
  json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:Infinity|NaN)\b/g, (part) => (part.startsWith('"') ? part : 'null'));

/** Every object in a tree, outermost first. */
export function* objectsIn(json: Json): Generator<JsonObject> {
  if (Array.isArray(json)) for (const item of json) yield* objectsIn(item);
  else if (isObject(json)) {
    yield json;
    for (const member of Object.values(json)) yield* objectsIn(member);
  }
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * Refuses what reads anything but the inputs: other tables, files, settings. What a query reads unseen cannot make it stale.
 * Throws `query-reads`.
 * @param text what the tree was parsed from.
 */
export function refuseForeignReads(tree: JsonObject, text: string, where: string, inputs: readonly string[]): void {
  const own = new Set([...inputs.map((name) => `__in_${name}`), ...commonTables(tree)]);
  const refuse = (node: JsonObject, message: string, hint: string | undefined): never => {
    const error = new LakehouseError('query-reads', `${where}: ${message}`, { kind: 'data', hint });
    throw placed(error, text, node.query_location);
  };
  for (const node of objectsIn(tree)) {
    if (node.type === 'BASE_TABLE' && !own.has(String(node.table_name))) {
      const name = String(node.table_name);
      const hint = didYouMean(name, inputs) ?? 'Declare it as an input.';
      refuse(node, `the query reads '${name}', which is not an input`, hint);
    }
    const called = node.class === 'FUNCTION' ? String(node.function_name).toLowerCase() : undefined;
    if (called !== undefined && SESSION_FUNCTIONS.includes(called)) {
      refuse(node, `the query calls ${called}(), which reads what no input declares`, 'Read it through an input.');
    }
    if (node.type === 'TABLE_FUNCTION' && isObject(node.function)) {
      const name = String(node.function.function_name).toLowerCase();
      if (!PURE_TABLES.includes(name))
        refuse(node, `the query calls ${name}(), which reads what no input declares`, 'Read it through an input.');
    }
    if (isObject(node.sample))
      refuse(node, 'the query takes a sample, which differs from run to run', 'Select rows by their values.');
  }
}

/** Names of the common table expressions of a tree. */
function commonTables(tree: JsonObject): Set<string> {
  const names = new Set<string>();
  for (const node of objectsIn(tree)) {
    if (isObject(node.cte_map) && Array.isArray(node.cte_map.map)) {
      for (const entry of node.cte_map.map) if (isObject(entry)) names.add(String(entry.key));
    }
    if (node.type === 'RECURSIVE_CTE_NODE') names.add(String(node.cte_name));
  }
  return names;
}

/** Whether a query may name a table: for sure not where this is false. A name can be spelt with escapes, or put together. */
export function mayName(sql: string, table: string): boolean {
  return sql.toLowerCase().includes(table.toLowerCase()) || /u&"|\bquery|json_execute_serialized_sql/i.test(sql);
}

/** Adds columns to the select list of a chain of plain selects over one table, at every level that does not pass on `*`. */
export function carryColumns(tree: JsonObject, names: readonly string[]): JsonObject {
  const carried = names.map(
    (name): JsonObject => ({
      class: 'COLUMN_REF',
      type: 'COLUMN_REF',
      alias: '',
      query_location: 0,
      column_names: [name],
    }),
  );
  const rewrite = (json: Json): Json => {
    if (Array.isArray(json)) return json.map(rewrite);
    if (!isObject(json) || 'rawJSON' in json) return json;
    const members = Object.fromEntries(Object.entries(json).map(([key, member]) => [key, rewrite(member)]));
    const list = json.type === 'SELECT_NODE' ? json.select_list : undefined;
    if (!Array.isArray(list)) return members;
    const passes = list.some((item: Json) => isObject(item) && item.class === 'STAR' && item.columns === false);
    return passes ? members : { ...members, select_list: [...list, ...carried] };
  };
  return rewrite(tree) as JsonObject;
}

// Numbers keep their digits: a literal of the query may be wider than a double.
interface RawJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): Json;
}
const rawJson = JSON as unknown as RawJson;

function parseJson(text: string): JsonObject {
  return rawJson.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson.rawJSON(source) : value,
  ) as JsonObject;
}

function printJson(tree: JsonObject): string {
  return JSON.stringify(tree);
}

import { isObject, type Json, type JsonObject, objectsIn } from './syntax.ts';

/** Aggregates whose result does not depend on how the rows are grouped on the way, whatever their type. */
const EXACT: ReadonlySet<string> = new Set(
  `min max count count_star count_if countif arg_min arg_max argmin argmax min_by max_by arg_min_null arg_max_null
  arg_min_nulls_last arg_max_nulls_last first last any_value arbitrary list array_agg string_agg group_concat listagg
  bool_and bool_or bit_and bit_or bit_xor mode median quantile quantile_cont quantile_disc mad histogram`.split(/\s+/),
);
/** Aggregates that give what they meet first, or in the order met. */
const ORDERED: ReadonlySet<string> = new Set(
  'first last any_value arbitrary list array_agg string_agg group_concat listagg'.split(' '),
);
const APPROXIMATE = /^(approx_|reservoir_)/;

const named = (node: JsonObject): string => String(node.name);

/** A function of a plan that gives something else each time, by DuckDB's own register, and the byte of the statement it is at. */
export function volatileFunction(
  plan: Json,
  isVolatile: (name: string) => boolean,
): { readonly name: string; readonly byte: Json | undefined } | undefined {
  for (const node of objectsIn(plan)) {
    if (node.expression_class === 'BOUND_FUNCTION' && isVolatile(named(node)))
      return { name: named(node), byte: node.query_location };
  }
  return undefined;
}

/**
 * Window aggregates whose last bits depend on where in the batch their rows lie. DuckDB sums a frame by a tree over all rows
 * of several partitions of the window together, so a target computed with others gets another association of the same
 * floating-point additions. Exact types do not mind.
 */
export function positionDependentWindows(plan: Json): string[] {
  return describeAll(plan, (node) => node.type === 'WINDOW_AGGREGATE' && inexact(node));
}

/** Plain aggregates that differ from run to run as soon as several threads feed them. */
export function orderDependentAggregates(plan: Json): string[] {
  const certain = firstOfOne(plan);
  return describeAll(
    plan,
    (node) =>
      node.expression_class === 'BOUND_AGGREGATE' &&
      node.order_bys === null &&
      !certain.has(node) &&
      (ORDERED.has(named(node)) || inexact(node)),
  );
}

/**
 * The `first` of each scalar subquery: DuckDB takes it of one row, and counts the rows to make sure of that. A count that was written
 * is of a catalogue.
 */
function firstOfOne(plan: Json): ReadonlySet<Json> {
  const found = [...objectsIn(plan)].flatMap(({ expressions }) => {
    const [first, count] = Array.isArray(expressions) ? (expressions as readonly Json[]) : [];
    const sure = isObject(count) && named(count) === 'count_star' && count.catalog_name === '';
    return sure && first !== undefined ? [first] : [];
  });
  return new Set(found);
}

/** Operators by which a plan is more than one row in, one row (or none, or several) out. */
export function notRowwise(plan: Json): string[] {
  const allowed =
    /^LOGICAL_(PROJECTION|FILTER|GET|DUMMY_SCAN|EXPRESSION_GET|UNNEST|MATERIALIZED_CTE|CTE_REF|EMPTY_RESULT)$/;
  const found = [...objectsIn(plan)].flatMap(({ type }) =>
    typeof type === 'string' && type.startsWith('LOGICAL_') && !allowed.test(type) ? [type] : [],
  );
  return [...new Set(found)].map((type) => type.slice('LOGICAL_'.length).toLowerCase().replaceAll('_', ' '));
}

function inexact(node: JsonObject): boolean {
  if (APPROXIMATE.test(named(node))) return true;
  return !EXACT.has(named(node)) && typesOf(node).some((type) => type === 'DOUBLE' || type === 'FLOAT');
}

function typesOf(node: JsonObject): string[] {
  const list = Array.isArray(node.arguments) ? (node.arguments as readonly Json[]) : [];
  return list.flatMap((type) => (isObject(type) ? [String(type.id)] : []));
}

function describeAll(plan: Json, wanted: (node: JsonObject) => boolean): string[] {
  const found = [...objectsIn(plan)].filter(wanted).map((node) => `${named(node)}(${typesOf(node).join(', ')})`);
  return [...new Set(found)];
}

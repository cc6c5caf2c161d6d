import type { PartitionSpace } from '../partition/space.ts';
import { ANY, type Condition, type TextTest } from './condition.ts';
import { isObject, type Json, type JsonObject, objectsIn } from './syntax.ts';
import { type Step, timeCompared, typeId } from './time-condition.ts';

// Which files of its assets a query can need, read out of DuckDB's optimised plan of it. The optimiser has pushed conditions down to
// the scans; those on partition columns decide about files. What is not understood restricts nothing.

/** An asset's stand-in in the plan: an empty table of this name with the partition columns among its columns. */
export type Stubs = ReadonlyMap<string, { readonly key: string; readonly space: PartitionSpace }>;

/** Schema of the stubs' tables. */
export const STUBS = '__stubs';

/** By asset, what its scans have in common; an asset that is not in it is not read. */
export function conditionsOf(plan: Json, stubs: Stubs): Map<string, Condition> {
  const found = new Map<string, Condition[]>();
  const seen = new Set<JsonObject>();
  const add = ({ stub, conditions }: Chain) => {
    const scans = found.get(stub.key) ?? [];
    scans.push({ type: 'and', of: conditions });
    found.set(stub.key, scans);
  };
  const walk = (json: Json): void => {
    if (Array.isArray(json)) for (const one of json) walk(one);
    else if (isObject(json)) {
      const chain = chainOf(json, stubs, seen);
      if (chain) add(chain);
      else for (const member of Object.values(json)) walk(member);
    }
  };
  walk(plan);
  // Whatever way a scan may hide from the walk: it reads everything.
  for (const node of objectsIn(plan)) {
    const stub = stubOf(node, stubs);
    if (stub && !seen.has(node)) add({ stub, columns: [], conditions: [] });
  }
  return new Map([...found].map(([key, of]) => [key, { type: 'or', of }]));
}

/** A scan with nothing but filters and projections above it, so that all its rows go through these. */
interface Chain {
  readonly stub: { readonly key: string; readonly space: PartitionSpace };
  /** The partition column that each output is; undefined for anything else. */
  readonly columns: readonly (string | undefined)[];
  readonly conditions: readonly Condition[];
}

function chainOf(node: JsonObject, stubs: Stubs, seen: Set<JsonObject>): Chain | undefined {
  if (node.type === 'LOGICAL_GET') {
    const stub = stubOf(node, stubs);
    if (!stub) return undefined;
    seen.add(node);
    return scanOf(node, stub);
  }
  if (node.type !== 'LOGICAL_FILTER' && node.type !== 'LOGICAL_PROJECTION') return undefined;
  const [child, ...others] = list(node.children);
  if (!isObject(child) || others.length > 0) return undefined;
  const below = chainOf(child, stubs, seen);
  if (!below) return undefined;
  const expressions = list(node.expressions);
  if (node.type === 'LOGICAL_PROJECTION') {
    return { ...below, columns: expressions.map((one) => below.columns[refOf(one) ?? -1]) };
  }
  const kept = list(node.projection_map);
  return {
    ...below,
    columns: kept.length === 0 ? below.columns : kept.map((i) => below.columns[Number(i)]),
    conditions: [...below.conditions, ...expressions.map((one) => understood(one, below.columns, below.stub.space))],
  };
}

function scanOf(node: JsonObject, stub: Chain['stub']): Chain {
  const names = list(node.names).map(String);
  const dimensions = new Set(stub.space.dimensions.map(({ name }) => name));
  const dimension = (index: Json | undefined) => {
    const name = typeof index === 'number' ? names[index] : undefined;
    return name !== undefined && dimensions.has(name) ? name : undefined;
  };
  const scanned = list(node.column_indexes).map((one) => dimension(isObject(one) ? one.index : undefined));
  const kept = list(node.projection_ids);
  const filters = isObject(node.table_filters) ? list(node.table_filters.filters) : [];
  return {
    stub,
    columns: kept.length === 0 ? scanned : kept.map((i) => scanned[Number(i)]),
    conditions: filters.map((filter) => {
      if (!isObject(filter)) return ANY;
      const column = dimension(filter.key);
      return column === undefined ? ANY : ofFilter(filter.value, column, stub.space);
    }),
  };
}

function stubOf(node: JsonObject, stubs: Stubs): Chain['stub'] | undefined {
  const { function_data: data } = node;
  if (node.type !== 'LOGICAL_GET' || !isObject(data) || data.schema !== STUBS) return undefined;
  return stubs.get(String(data.table));
}

/** A filter within a scan, of one column. */
function ofFilter(filter: Json | undefined, column: string, space: PartitionSpace): Condition {
  if (!isObject(filter)) return ANY;
  const each = () => list(filter.child_filters).map((one) => ofFilter(one, column, space));
  switch (filter.filter_type) {
    case 'CONJUNCTION_AND':
      return { type: 'and', of: each() };
    case 'CONJUNCTION_OR':
      return { type: 'or', of: each() };
    // Whoever set it makes sure that the query does not depend on its being applied.
    case 'OPTIONAL_FILTER':
      return ofFilter(filter.child_filter, column, space);
    case 'CONSTANT_COMPARISON':
      return compared(column, identity, String(filter.comparison_type), [filter.constant], space);
    case 'IN_FILTER':
      return compared(column, identity, 'COMPARE_IN', list(filter.values), space);
    case 'EXPRESSION_FILTER':
      return understood(filter.expr, [column], space);
    default:
      return ANY;
  }
}

/** A bound expression of which only TRUE lets a row pass. */
function understood(json: Json | undefined, columns: Chain['columns'], space: PartitionSpace): Condition {
  if (!isObject(json)) return ANY;
  const children = list(json.children);
  switch (json.expression_class) {
    case 'BOUND_CONJUNCTION': {
      const of = children.map((one) => understood(one, columns, space));
      return { type: json.type === 'CONJUNCTION_AND' ? 'and' : 'or', of };
    }
    case 'BOUND_COMPARISON': {
      const type = String(json.type);
      const left = operandOf(json.left, columns, space);
      if (left) return compared(left.column, left.step, type, [valueIn(json.right)], space);
      const right = operandOf(json.right, columns, space);
      return right ? compared(right.column, right.step, MIRRORED[type] ?? '', [valueIn(json.left)], space) : ANY;
    }
    case 'BOUND_BETWEEN': {
      const input = operandOf(json.input, columns, space);
      if (!input) return ANY;
      const { column, step } = input;
      const [lower, upper] = [
        json.lower_inclusive === true ? 'COMPARE_GREATERTHANOREQUALTO' : 'COMPARE_GREATERTHAN',
        json.upper_inclusive === true ? 'COMPARE_LESSTHANOREQUALTO' : 'COMPARE_LESSTHAN',
      ];
      return {
        type: 'and',
        of: [
          compared(column, step, lower, [valueIn(json.lower)], space),
          compared(column, step, upper, [valueIn(json.upper)], space),
        ],
      };
    }
    case 'BOUND_OPERATOR': {
      const operand = operandOf(children[0], columns, space);
      if (!operand || !/^COMPARE_(NOT_)?IN$/.test(String(json.type))) return ANY;
      return compared(operand.column, operand.step, String(json.type), children.slice(1).map(valueIn), space);
    }
    case 'BOUND_FUNCTION': {
      const test = TEXT_FUNCTIONS[String(json.name)];
      const column = columns[refOf(children[0]) ?? -1];
      const text = textOf(valueIn(children[1]));
      if (test === undefined || column === undefined || text === undefined || column === space.time?.name) return ANY;
      return { type: 'text', column, is: test, values: [text] };
    }
    default:
      return ANY;
  }
}

const TEXT_FUNCTIONS: Readonly<Record<string, TextTest>> = {
  prefix: 'prefix',
  starts_with: 'prefix',
  suffix: 'suffix',
  ends_with: 'suffix',
  contains: 'contains',
};

const MIRRORED: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: 'COMPARE_EQUAL',
  COMPARE_NOTEQUAL: 'COMPARE_NOTEQUAL',
  COMPARE_LESSTHAN: 'COMPARE_GREATERTHAN',
  COMPARE_GREATERTHAN: 'COMPARE_LESSTHAN',
  COMPARE_LESSTHANOREQUALTO: 'COMPARE_GREATERTHANOREQUALTO',
  COMPARE_GREATERTHANOREQUALTO: 'COMPARE_LESSTHANOREQUALTO',
};

const identity: Step = 'identity';

/** A partition column, or what a function that never goes back makes of the time. */
function operandOf(
  json: Json | undefined,
  columns: Chain['columns'],
  space: PartitionSpace,
): { readonly column: string; readonly step: Step } | undefined {
  if (!isObject(json)) return undefined;
  const direct = columns[refOf(json) ?? -1];
  if (direct !== undefined) return { column: direct, step: identity };
  if (json.expression_class === 'BOUND_CAST') {
    const column = columns[refOf(json.child) ?? -1];
    if (column === undefined || column !== space.time?.name) return undefined;
    const to = typeId(json.return_type);
    if (to === 'DATE') return { column, step: 'day' };
    return to === 'TIMESTAMP' || to === 'TIMESTAMP WITH TIME ZONE' ? { column, step: identity } : undefined;
  }
  if (json.expression_class === 'BOUND_FUNCTION' && json.name === 'year') {
    const [argument, ...others] = list(json.children);
    const column = columns[refOf(argument) ?? -1];
    return column !== undefined && column === space.time?.name && others.length === 0
      ? { column, step: 'year' }
      : undefined;
  }
  return undefined;
}

function compared(
  column: string,
  step: Step,
  comparison: string,
  constants: readonly (Json | undefined)[],
  space: PartitionSpace,
): Condition {
  const { time } = space;
  if (column !== time?.name) {
    const values = constants.map(textOf);
    const is = TEXT_TESTS[comparison];
    return is !== undefined && values.every((value) => value !== undefined)
      ? { type: 'text', column, is, values }
      : ANY;
  }
  const of = constants.map((constant) => timeCompared(time.grain, step, comparison, constant));
  if (comparison === 'COMPARE_IN') return { type: 'or', of };
  return { type: 'and', of };
}

const TEXT_TESTS: Readonly<Record<string, TextTest>> = {
  COMPARE_EQUAL: 'in',
  COMPARE_IN: 'in',
  COMPARE_NOTEQUAL: 'not-in',
  COMPARE_NOT_IN: 'not-in',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
};

function textOf(constant: Json | undefined): string | undefined {
  if (!isObject(constant) || constant.is_null !== false || typeId(constant.type) !== 'VARCHAR') return undefined;
  return typeof constant.value === 'string' ? constant.value : undefined;
}

/** The value of an expression that is a constant. */
function valueIn(json: Json | undefined): Json | undefined {
  return isObject(json) && json.expression_class === 'BOUND_CONSTANT' ? json.value : undefined;
}

/** Which output of the operator below an expression is. */
function refOf(json: Json | undefined): number | undefined {
  return isObject(json) && json.expression_class === 'BOUND_REF' && typeof json.index === 'number'
    ? json.index
    : undefined;
}

const list = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : []);

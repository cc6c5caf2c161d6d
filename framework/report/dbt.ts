import type { CheckDefinition } from '../define/model.ts';
import { quoteIdentifier, sqlText } from '../define/sql.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { Grain } from '../partition/time.ts';
import type { LakeTable, TableColumn } from './tables.ts';

// What dbt calls sources: https://docs.getdbt.com/reference/source-properties, version 2 of its files.

type Severity = CheckDefinition['severity'];
type DbtTest = string | Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface DbtSpan {
  readonly count: number;
  readonly period: 'minute' | 'hour' | 'day';
}

export interface DbtTable {
  readonly name: string;
  readonly description?: string;
  /** SQL, UTC: with `freshness` only. */
  readonly loaded_at_field?: string;
  readonly freshness?: { readonly warn_after?: DbtSpan; readonly error_after: DbtSpan };
  /** `external_location` is what dbt-duckdb reads. */
  readonly meta: {
    readonly lakehouse: {
      readonly asset: string;
      readonly kind: 'table' | 'view';
      readonly partitions?: readonly string[];
      readonly code?: string;
    };
    readonly external_location?: string;
  };
  readonly data_tests?: readonly DbtTest[];
  readonly columns: readonly {
    readonly name: string;
    readonly data_type?: string;
    readonly description?: string;
    readonly data_tests?: readonly DbtTest[];
  }[];
}

export interface DbtSources {
  readonly version: 2;
  readonly sources: readonly {
    readonly name: string;
    readonly description: string;
    readonly tables: readonly DbtTable[];
  }[];
}

/**
 * One source per zone.
 * @param locations by key what stands behind FROM to read the table.
 */
export function dbtSources(
  graph: AssetGraph,
  tables: readonly LakeTable[],
  locations: ReadonlyMap<string, string>,
): DbtSources {
  const zones = Map.groupBy(tables, ({ key }) => key.slice(0, key.indexOf('/')));
  return {
    version: 2,
    sources: [...zones].map(([zone, own]) => ({
      name: zone,
      description: `Zone ${zone} of the lakehouse.`,
      tables: own.map((table) => dbtTable(graph, table, locations.get(table.key))),
    })),
  };
}

function dbtTable(
  graph: AssetGraph,
  { key, kind, description, columns }: LakeTable,
  location: string | undefined,
): DbtTable {
  const node = graph.find(key);
  const tests = node ? testsOf(node, columns) : undefined;
  return {
    name: key.slice(key.indexOf('/') + 1),
    ...(description !== undefined && { description }),
    ...(node && freshnessOf(graph, node)),
    meta: {
      lakehouse: {
        asset: key,
        kind: kind === 'view' ? 'view' : 'table',
        ...(node && { partitions: node.space.dimensions.map(({ name }) => name), code: node.code }),
      },
      // dbt-duckdb formats it as Python does.
      ...(location !== undefined && { external_location: location.replaceAll(/[{}]/g, '$&$&') }),
    },
    ...(tests && tests.table.length > 0 && { data_tests: tests.table }),
    columns: columns.map((column) => {
      const own = tests?.columns.get(column.name);
      return {
        name: column.name,
        ...(column.type !== undefined && { data_type: column.type }),
        ...(column.description !== undefined && { description: column.description }),
        ...(own && { data_tests: own }),
      };
    }),
  };
}

const configured = (name: string, severity: Severity, argument?: Readonly<Record<string, string>>): DbtTest => {
  const config = severity === 'warn' ? { config: { severity } } : {};
  return severity === 'warn' || argument ? { [name]: { ...argument, ...config } } : name;
};

const UNIQUE =
  /^SELECT ((?:"(?:[^"]|"")+"(?:, )?)+), count\(\*\) AS occurrences FROM .+ GROUP BY \1 HAVING count\(\*\) > 1$/s;

/** The checks notNull() and unique(). What is unique is so within a partition. */
function testsOf({ definition, space }: AssetNode, columns: readonly TableColumn[]) {
  const ofColumns = new Map<string, DbtTest[]>();
  const table: DbtTest[] = [];
  const add = (column: string, test: DbtTest) => ofColumns.set(column, [...(ofColumns.get(column) ?? []), test]);
  for (const { name, severity, test } of definition.checks) {
    if (test.type === 'rows') {
      const [column] = columns.filter((one) => sqlText(test.bad) === `${quoteIdentifier(one.name)} IS NULL`);
      if (column) add(column.name, configured('not_null', severity));
      continue;
    }
    const [, list] = UNIQUE.exec(sqlText(test.select)) ?? [];
    if (list === undefined || !name.startsWith('unique_')) continue;
    const keys = [...space.dimensions.map((dimension) => quoteIdentifier(dimension.name)), ...list.split(', ')];
    const [only = ''] = keys;
    if (keys.length > 1) table.push(configured('unique', severity, { column_name: `row(${keys.join(', ')})` }));
    else add(only.slice(1, -1).replaceAll('""', '"'), configured('unique', severity));
  }
  return { table, columns: ofColumns };
}

const DAY_MS = 86_400_000;
const LONGEST_MS: Readonly<Record<Grain, number>> = {
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  year: 366 * DAY_MS,
};

/**
 * A policy by data time. dbt looks at the newest value of all, the lake at when each series is due: the newest partition may have begun two
 * periods ago, and its sources publish it late. What this says to be late, is.
 */
function freshnessOf(graph: AssetGraph, node: AssetNode): Pick<DbtTable, 'freshness' | 'loaded_at_field'> | undefined {
  const { definition, space } = node;
  const policy = definition.freshness.find(({ basis }) => basis === 'data');
  const { time } = space;
  if (!policy || !time) return undefined;
  const usual = 2 * LONGEST_MS[time.grain] + publicationLagMs(graph, node.key);
  const column = quoteIdentifier(definition.timeColumn ?? time.name);
  return {
    loaded_at_field:
      definition.timeColumn === undefined && time.grain !== 'hour' ? `CAST(${column} AS TIMESTAMP)` : column,
    freshness: {
      ...(policy.warnMs !== undefined && { warn_after: spanOf(usual + policy.warnMs) }),
      error_after: spanOf(usual + policy.limitMs),
    },
  };
}

/** Of the slowest source that it is made of. */
function publicationLagMs(graph: AssetGraph, key: string): number {
  const seen = new Set<string>();
  const visit = (one: string): number => {
    if (seen.has(one)) return 0;
    seen.add(one);
    const own = graph.node(one).definition.source?.publicationLagMs ?? 0;
    return Math.max(own, ...graph.upstreamOf(one).map(visit));
  };
  return visit(key);
}

function spanOf(ms: number): DbtSpan {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes % 1440 === 0) return { count: minutes / 1440, period: 'day' };
  return minutes % 60 === 0 ? { count: minutes / 60, period: 'hour' } : { count: minutes, period: 'minute' };
}

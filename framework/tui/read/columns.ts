import type { AssetGraph, AssetNode } from '../../graph/graph.ts';
import type { ColumnTrace } from '../model/lineage.ts';
import { columnOrigins } from './sql-columns.ts';

/** What the columns of an asset are computed from. */
export interface AssetColumns {
  /**
   * By column, in the order declared: what its expression in the query names. Partition columns of what is read are among it,
   * conditions and joins are not. Undefined where that cannot be told.
   */
  readonly columns: ReadonlyMap<string, readonly ColumnOfAsset[] | undefined>;
  /** Why it cannot be told for those for which it cannot. */
  readonly why: string | undefined;
}
export interface ColumnOfAsset {
  readonly asset: string;
  readonly column: string;
}

/** Told from the query; code that computes rows or bytes tells nothing. */
export function assetColumns({ key, definition }: AssetNode): AssetColumns {
  const { compute, columns, inputs } = definition;
  const names = columns.map(({ name }) => name);
  const nothing = (why: string): AssetColumns => ({ columns: new Map(names.map((name) => [name, undefined])), why });
  if (definition.kind === 'source') return nothing('it comes from outside');
  if (compute?.type !== 'sql') return nothing('it is computed by code, not by a query');
  const relations = inputs.map(({ name, alternatives }): [string, string[]] => {
    const [first = definition] = alternatives.map(({ asset }) => asset ?? definition);
    return [name, [...first.columns, ...first.space.dimensions].map((column) => column.name)];
  });
  const origins = columnOrigins(compute.template, new Map(relations));
  if (typeof origins === 'string') return nothing(`its query has ${origins}`);

  const told = names.map((name): [string, readonly ColumnOfAsset[] | undefined] => {
    const origin = origins.get(name.toLowerCase());
    if (!origin?.known) return [name, undefined];
    const read = [...origin.from].flatMap((from) => {
      const [input = '', column = ''] = splitOnce(from);
      const alternatives = inputs.find((other) => other.name === input)?.alternatives ?? [];
      return alternatives.map(({ asset }) => ({ asset: asset?.key ?? key, column }));
    });
    return [name, read];
  });
  const all = told.every(([, read]) => read !== undefined);
  return { columns: new Map(told), why: all ? undefined : 'its query has an expression that is not followed' };
}
const splitOnce = (text: string): [string, string] => {
  const space = text.indexOf(' ');
  return [text.slice(0, space), text.slice(space + 1)];
};

/** Follows a column through all assets, as far as their queries tell. */
export function traceColumn(
  graph: Pick<AssetGraph, 'node' | 'downstreamOf'>,
  asset: string,
  column: string,
): ColumnTrace {
  const known = new Map<string, AssetColumns>();
  const columnsOf = (key: string): AssetColumns => {
    const columns = known.get(key) ?? assetColumns(graph.node(key));
    known.set(key, columns);
    return columns;
  };
  const unknown = new Map<string, string>();
  const edges = new Set<string>();
  const follow = (next: (from: ColumnOfAsset) => readonly ColumnOfAsset[]): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    const queue: ColumnOfAsset[] = [{ asset, column }];
    const seen = new Set(queue.map(idOf));
    for (const from of queue) {
      for (const to of next(from)) {
        if (seen.has(idOf(to))) continue;
        seen.add(idOf(to));
        queue.push(to);
        if (to.asset !== asset) found.set(to.asset, [...(found.get(to.asset) ?? []), to.column]);
      }
    }
    return found;
  };

  const upstream = follow((from) => {
    const { columns, why } = columnsOf(from.asset);
    const read = columns.get(from.column);
    // A column that is not declared is one of the partition: it is not computed.
    if (read === undefined && columns.has(from.column)) unknown.set(from.asset, why ?? '');
    for (const to of read ?? []) edges.add(`${to.asset} ${from.asset}`);
    return read ?? [];
  });
  const downstream = follow((from) =>
    graph.downstreamOf(from.asset).flatMap((key) => {
      const { columns, why } = columnsOf(key);
      return [...columns].flatMap(([name, read]): ColumnOfAsset[] => {
        if (read === undefined) unknown.set(key, why ?? '');
        if (!read?.some((other) => idOf(other) === idOf(from))) return [];
        edges.add(`${from.asset} ${key}`);
        return [{ asset: key, column: name }];
      });
    }),
  );
  return { asset, column, upstream, downstream, unknown, edges };
}
const idOf = ({ asset, column }: ColumnOfAsset): string => `${asset} ${column}`;

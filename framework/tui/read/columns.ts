import type { AssetGraph } from '../../graph/graph.ts';
import { type AssetColumns, assetColumns, type ColumnOfAsset } from '../../report/columns.ts';
import type { ColumnTrace } from '../model/lineage.ts';

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

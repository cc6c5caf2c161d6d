import type { AssetRow, StatusCounts } from './data.ts';
import { SHOWN_STATUSES } from './data.ts';

/** A line of the tree of assets. */
export type TreeEntry =
  | {
      readonly type: 'zone' | 'group';
      readonly name: string;
      readonly depth: number;
      readonly collapsed: boolean;
      readonly assets: number;
      readonly counts: StatusCounts | undefined;
      readonly rows: number;
      readonly bytes: number;
    }
  | { readonly type: 'asset'; readonly row: AssetRow; readonly depth: number };

export interface TreeOptions {
  readonly by: 'zone' | 'group';
  readonly collapsed: ReadonlySet<string>;
  /** Words that all must be in what is said of an asset. A filter opens everything. */
  readonly filter: string;
}

/** The assets under headings, in the order of the graph within each. Those that are idle only where a filter asks for them. */
export function assetTree(rows: readonly AssetRow[], { by, collapsed, filter }: TreeOptions): TreeEntry[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = rows.filter((row) => {
    if (words.length === 0) return row.idle !== true;
    const text = [row.key, row.group, row.kind, ...row.kinds, ...row.owners, ...Object.entries(row.tags).flat()]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const headings = Map.groupBy(matching, (row) => (by === 'zone' ? row.zone : row.group || '(no group)'));
  return [...headings].flatMap(([name, assets]): TreeEntry[] => {
    const closed = words.length === 0 && collapsed.has(name);
    const heading: TreeEntry = {
      type: by,
      name,
      depth: 0,
      collapsed: closed,
      assets: assets.length,
      counts: total(assets.map(({ counts }) => counts)),
      rows: assets.reduce((sum, row) => sum + row.rows, 0),
      bytes: assets.reduce((sum, row) => sum + row.bytes, 0),
    };
    return [heading, ...(closed ? [] : assets.map((row): TreeEntry => ({ type: 'asset', row, depth: 1 })))];
  });
}

function total(all: readonly (StatusCounts | undefined)[]): StatusCounts | undefined {
  if (all.some((counts) => counts === undefined)) return undefined;
  const entries = SHOWN_STATUSES.map((status) => [
    status,
    all.reduce((sum, counts) => sum + (counts?.[status] ?? 0), 0),
  ]);
  return Object.fromEntries(entries) as StatusCounts;
}

import type { AssetNode } from '../graph/graph.ts';
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

import { isLakehouseError } from '../../framework/common/errors.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { type AssetGraph, buildGraph } from '../../framework/graph/graph.ts';
import type { Selectable, SelectableGraph } from '../../framework/graph/selection.ts';

export const build = (definitions: readonly AssetDefinition[]): AssetGraph =>
  buildGraph(definitions, { codes: ({ key }) => `code of ${key}` });

/** What a person sees of an error: code, message and hint. Fails the test if nothing is thrown. */
export function shown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return `${error.code}: ${error.message}${error.hint === undefined ? '' : `\n=> ${error.hint}`}`;
  }
  throw new Error('Nothing was thrown');
}

export type Node = Partial<Selectable> & { readonly key: string };

/** A graph to select on; `edges` are pairs of upstream and downstream. */
export function selectable(nodes: readonly Node[], edges: readonly (readonly [string, string])[]): SelectableGraph {
  const walk = (key: string, depth: number, next: (key: string) => string[]): Set<string> =>
    depth === 0 ? new Set() : new Set(next(key).flatMap((k) => [k, ...walk(k, depth - 1, next)]));
  return {
    nodes: nodes.map((node) => ({ group: '', tags: {}, kinds: [], owners: [], ...node })),
    upstream: (key, depth) => walk(key, depth, (k) => edges.filter(([, to]) => to === k).map(([from]) => from)),
    downstream: (key, depth) => walk(key, depth, (k) => edges.filter(([from]) => from === k).map(([, to]) => to)),
  };
}

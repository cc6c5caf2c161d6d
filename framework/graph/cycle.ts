import type { DirectedGraph } from 'graphology';

/** The nodes of one cycle, the first repeated at the end; undefined when there is none. Deterministic: smallest keys first. */
export function findCycle(graph: DirectedGraph): string[] | undefined {
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    state.set(node, 'open');
    path.push(node);
    for (const next of graph.outNeighbors(node).sort()) {
      if (state.get(next) === 'open') return [...path.slice(path.indexOf(next)), next];
      const found = state.has(next) ? undefined : visit(next);
      if (found) return found;
    }
    path.pop();
    state.set(node, 'done');
    return undefined;
  };
  for (const node of graph.nodes().sort()) {
    const found = state.has(node) ? undefined : visit(node);
    if (found) return found;
  }
  return undefined;
}

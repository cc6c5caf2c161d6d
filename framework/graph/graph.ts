import { DirectedGraph } from 'graphology';
import { topologicalGenerations } from 'graphology-dag';
import type { Issue } from '../common/errors.ts';
import { throwIfIssues } from '../common/errors.ts';
import { globToRegExp } from '../common/glob.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition } from '../define/model.ts';
import { type ResolvedMapping, resolveMapping } from '../partition/mapping.ts';
import { type Dimension, type PartitionSpace, partitionSpace } from '../partition/space.ts';
import { findCycle } from './cycle.ts';
import { type SelectableGraph, type Selected, select } from './selection.ts';

export interface ResolvedAlternative {
  readonly asset: string;
  /** The upstream's space, unfiltered. */
  readonly space: PartitionSpace;
  readonly mapping: ResolvedMapping;
  /** A partition reads the same time index only (of one or many series). */
  readonly sameTime: boolean;
}
export interface ResolvedInput {
  readonly name: string;
  readonly need: 'required' | 'ifPresent';
  readonly alternatives: readonly ResolvedAlternative[];
}
export interface AssetNode {
  readonly key: string;
  readonly definition: AssetDefinition;
  /** The declared space with the lake's filters on its listed dimensions. */
  readonly space: PartitionSpace;
  readonly inputs: readonly ResolvedInput[];
  /** Code version of what it does now. */
  readonly code: string;
}

export interface AssetGraph {
  /** In deterministic topological order: by generation, then by key. */
  readonly order: readonly string[];
  readonly generations: readonly (readonly string[])[];
  node(key: string): AssetNode;
  find(key: string): AssetNode | undefined;
  upstreamOf(key: string): readonly string[];
  downstreamOf(key: string): readonly string[];
  /** What Dagster's selection syntax selects. @throws LakehouseError */
  select(selection: string): Selected;
}

export interface GraphOptions {
  /** Wanted values by dimension name, as globs. */
  readonly filters?: Readonly<Record<string, readonly string[] | undefined>>;
  /** Code version by asset key. */
  readonly codes: (definition: AssetDefinition) => string;
}

/** The space as far as the filters want it: static values are fewer, dynamic ones are asked. */
function filtered(space: PartitionSpace, filters: ReadonlyMap<string, readonly string[]>): PartitionSpace {
  return partitionSpace(
    space.dimensions.map((dimension): Dimension => {
      const globs = filters.get(dimension.name);
      if (dimension.type === 'time' || globs === undefined) return dimension;
      const patterns = globs.map(globToRegExp);
      const accepts = (value: string) => patterns.some((pattern) => pattern.test(value));
      const { values } = dimension;
      return { ...dimension, ...(values && { values: values.filter(accepts) }), accepts, pattern: globs.join('|') };
    }),
  );
}

/** A filter has to be about a listed dimension, and leave some of its values. */
function filterIssues(filters: ReadonlyMap<string, readonly string[]>, definitions: readonly AssetDefinition[]): Issue[] {
  const dimensions = definitions.flatMap(({ space }) => space.listed);
  const names = [...new Set(dimensions.map(({ name }) => name))];
  return [...filters].flatMap(([name, globs]): Issue[] => {
    const path = ['filters', name];
    if (!names.includes(name)) {
      const hint = didYouMean(name, names);
      return [{ code: 'unknown-dimension', path, message: `no asset has a listed dimension '${name}'`, hint }];
    }
    const values = dimensions.flatMap((dimension) => (dimension.name === name ? (dimension.values ?? []) : []));
    const patterns = globs.map(globToRegExp);
    if (values.length === 0 || values.some((value) => patterns.some((pattern) => pattern.test(value)))) return [];
    const hint = `Its values: ${[...new Set(values)].join(', ')}`;
    return [{ code: 'empty-filter', path, message: `no value of '${name}' is ${globs.join(' or ') || 'wanted'}`, hint }];
  });
}

/** Where a definition stands, for its issues. */
function placeOf({ module }: AssetDefinition): Pick<Issue, 'at'> {
  if (!module?.startsWith('file:')) return {};
  return { at: { file: decodeURIComponent(new URL(module).pathname).replace(/^\/(?=[A-Za-z]:)/, '') } };
}

/** Definitions reachable from these, themselves included, each once. */
function reachable(definitions: readonly AssetDefinition[]): AssetDefinition[] {
  const seen = new Set<AssetDefinition>();
  const visit = (definition: AssetDefinition): void => {
    if (seen.has(definition)) return;
    seen.add(definition);
    for (const input of definition.inputs) for (const { asset } of input.alternatives) if (asset) visit(asset);
  };
  for (const definition of definitions) visit(definition);
  return [...seen];
}

/**
 * The graph of everything declared. All problems of all definitions are reported at once.
 * @throws LakehouseError `invalid-definitions` with every issue; a cycle is reported with its path.
 */
export function buildGraph(definitions: readonly AssetDefinition[], options: GraphOptions): AssetGraph {
  const all = reachable(definitions);
  const issues: Issue[] = all.flatMap((d) => d.issues);
  const byKey = new Map<string, AssetDefinition>();
  for (const definition of all) {
    if (byKey.has(definition.key))
      issues.push({
        code: 'duplicate-asset',
        path: [definition.key],
        message: 'two assets have this key',
        ...(definition.module && { at: { file: definition.module } }),
      });
    byKey.set(definition.key, definition);
  }

  const graph = new DirectedGraph();
  for (const key of [...byKey.keys()].sort()) graph.addNode(key);
  for (const definition of byKey.values()) {
    for (const input of definition.inputs) {
      for (const { asset } of input.alternatives) {
        if (asset && !graph.hasEdge(asset.key, definition.key)) graph.addEdge(asset.key, definition.key);
      }
    }
  }
  const cycle = findCycle(graph);
  if (cycle)
    issues.push({
      code: 'cycle',
      path: [cycle[0] as string],
      message: `assets depend on each other in a circle: ${cycle.join(' → ')}`,
      hint: 'An asset that reads its own past uses self({ … earlier() }) instead',
    });

  const nodes = new Map<string, AssetNode>();
  for (const definition of byKey.values()) {
    const inputs = definition.inputs.map((input): ResolvedInput => {
      const alternatives: ResolvedAlternative[] = [];
      for (const { asset, mapping } of input.alternatives) {
        const upstream = asset ?? definition;
        const resolved = resolveMapping(mapping, definition.space, upstream.space, {
          barMs: (values) => definition.barMs?.(values),
        });
        if ('issues' in resolved)
          issues.push(
            ...resolved.issues.map((i) => ({ ...i, path: [definition.key, 'inputs', input.name, ...i.path] })),
          );
        else {
          const sameTime =
            mapping.time.rule === 'same' &&
            upstream.space.time !== undefined &&
            upstream.space.time.grain === definition.space.time?.grain;
          alternatives.push({ asset: upstream.key, space: upstream.space, mapping: resolved.mapping, sameTime });
        }
      }
      issues.push(...differingColumns(definition, input));
      return { name: input.name, need: input.need, alternatives };
    });
    if (issues.length === 0)
      nodes.set(definition.key, {
        key: definition.key,
        definition,
        space: filtered(definition.space, options.filters),
        inputs,
        code: options.codes(definition),
      });
  }
  throwIfIssues(
    'invalid-definitions',
    `${issues.length} problem${issues.length === 1 ? '' : 's'} in the asset definitions:`,
    issues,
  );

  const generations = topologicalGenerations(graph).map((generation) => [...generation].sort());
  const order = generations.flat();
  const reach = (key: string, depth: number, next: (k: string) => string[]): Set<string> => {
    const seen = new Set<string>();
    let frontier = [key];
    for (let d = 0; d < depth && frontier.length > 0; d++) {
      frontier = frontier.flatMap(next).filter((k) => !seen.has(k) && (seen.add(k), true));
    }
    return seen;
  };
  const selectable: SelectableGraph = {
    nodes: order.map((key) => (nodes.get(key) as AssetNode).definition),
    upstream: (key, depth) => reach(key, depth, (k) => graph.inNeighbors(k)),
    downstream: (key, depth) => reach(key, depth, (k) => graph.outNeighbors(k)),
  };
  return {
    order,
    generations,
    node: (key) => {
      const node = nodes.get(key);
      if (!node) throw new RangeError(`no asset '${key}'`);
      return node;
    },
    find: (key) => nodes.get(key),
    upstreamOf: (key) => graph.inNeighbors(key).sort(),
    downstreamOf: (key) => graph.outNeighbors(key).sort(),
    select: (selection) => select(selectable, selection),
  };
}

/** Alternatives of one input stand for each other, so their columns must agree in name and type. */
function differingColumns(definition: AssetDefinition, input: AssetDefinition['inputs'][number]): Issue[] {
  const [first, ...rest] = input.alternatives.flatMap((a) => (a.asset ? [a.asset] : []));
  const print = (d: AssetDefinition) => d.columns.map((c) => `${c.name} ${c.type}`).join(', ');
  return rest
    .filter((other) => first && print(other) !== print(first))
    .map((other) => ({
      code: 'alternatives-differ',
      path: [definition.key, 'inputs', input.name],
      message: `${first?.key} and ${other.key} have different columns`,
      hint: 'Alternatives of firstAvailable() need the same columns in the same order',
    }));
}

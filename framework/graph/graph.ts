import { DirectedGraph } from 'graphology';
import { topologicalGenerations } from 'graphology-dag';
import type { Issue } from '../common/errors.ts';
import { throwIfIssues } from '../common/errors.ts';
import { globMatcher } from '../common/glob.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition, InputDefinition } from '../define/model.ts';
import { placeOf } from '../define/place.ts';
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
  /** False: nothing is computed for its sake. */
  readonly asks?: false;
  readonly alternatives: readonly ResolvedAlternative[];
}
export interface AssetNode {
  readonly key: string;
  readonly definition: AssetDefinition;
  /** The declared space with the lake's filters on its listed dimensions. */
  readonly space: PartitionSpace;
  readonly inputs: readonly ResolvedInput[];
  /** What comparing checks read, by name of the check. These are no edges: they make nothing stale and order nothing. */
  readonly checkReads: ReadonlyMap<string, readonly ResolvedInput[]>;
  /** Code version of what it does now. */
  readonly code: string;
  /** Whether the settings want the source; true of all else. */
  readonly wanted: boolean;
  /** What is there stays when its source has it no longer, by declaration or because that source is not wanted. */
  readonly keeps: boolean;
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
  /** Wanted values by dimension name, as globs; one that begins with `!` excludes. */
  readonly filters?: Readonly<Record<string, readonly string[] | undefined>>;
  /** Code version by asset key. */
  readonly codes: (definition: AssetDefinition) => string;
  /** Whether the settings want a source; asked whenever somebody wants to know. Default: all are wanted. */
  readonly wanted?: (definition: AssetDefinition) => boolean;
}

/** The space as far as the filters want it: static values are fewer, dynamic ones are asked. */
function filtered(space: PartitionSpace, filters: ReadonlyMap<string, readonly string[]>): PartitionSpace {
  return partitionSpace(
    space.dimensions.map((dimension): Dimension => {
      const globs = filters.get(dimension.name);
      if (dimension.type === 'time' || globs === undefined) return dimension;
      const accepts = globMatcher(globs);
      const { values } = dimension;
      return { ...dimension, ...(values && { values: values.filter(accepts) }), accepts, pattern: globs.join('|') };
    }),
  );
}

/** A filter has to be about a listed dimension, and leave some of its values. */
function filterIssues(
  filters: ReadonlyMap<string, readonly string[]>,
  definitions: readonly AssetDefinition[],
): Issue[] {
  const dimensions = definitions.flatMap(({ space }) => space.listed);
  const names = [...new Set(dimensions.map(({ name }) => name))];
  return [...filters].flatMap(([name, globs]): Issue[] => {
    const path = ['filters', name];
    if (!names.includes(name)) {
      const hint = didYouMean(name, names);
      return [{ code: 'unknown-dimension', path, message: `no asset has a listed dimension '${name}'`, hint }];
    }
    const values = dimensions.flatMap((dimension) => (dimension.name === name ? (dimension.values ?? []) : []));
    if (values.length === 0 || values.some(globMatcher(globs))) return [];
    const hint = `Its values: ${[...new Set(values)].join(', ')}`;
    return [
      { code: 'empty-filter', path, message: `no value of '${name}' is ${globs.join(' or ') || 'wanted'}`, hint },
    ];
  });
}

/** Definitions reachable from these, themselves included, each once. */
function reachable(definitions: readonly AssetDefinition[]): AssetDefinition[] {
  const seen = new Set<AssetDefinition>();
  const visit = (definition: AssetDefinition): void => {
    if (seen.has(definition)) return;
    seen.add(definition);
    const reads = definition.checks.flatMap((check) => check.reads);
    for (const input of [...definition.inputs, ...reads])
      for (const { asset } of input.alternatives) if (asset) visit(asset);
  };
  for (const definition of definitions) visit(definition);
  return [...seen];
}

/** The definition of every key; a key declared twice is reported. */
function definitionsByKey(definitions: readonly AssetDefinition[], issues: Issue[]): Map<string, AssetDefinition> {
  const byKey = new Map<string, AssetDefinition>();
  for (const definition of definitions) {
    const { key } = definition;
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, definition);
    else {
      const { at } = placeOf(first);
      const hint = at && `The other one is in ${at.file}${at.line === undefined ? '' : `:${at.line}`}`;
      issues.push({
        code: 'duplicate-asset',
        path: [key],
        message: 'two assets have this key',
        hint,
        ...placeOf(definition),
      });
    }
  }
  return byKey;
}

function edgesOf(definitions: ReadonlyMap<string, AssetDefinition>): DirectedGraph {
  const graph = new DirectedGraph();
  for (const key of [...definitions.keys()].sort()) graph.addNode(key);
  for (const { key, inputs } of definitions.values()) {
    for (const { asset } of inputs.flatMap((input) => input.alternatives)) if (asset) graph.mergeEdge(asset.key, key);
  }
  return graph;
}

function resolveInput(
  definition: AssetDefinition,
  input: InputDefinition,
  issues: Issue[],
  of: readonly string[] = [],
): ResolvedInput {
  const path = [definition.key, ...of, 'inputs', input.name];
  const { space } = definition;
  const alternatives = input.alternatives.flatMap(({ asset, mapping }): ResolvedAlternative[] => {
    const upstream = asset ?? definition;
    const { time } = upstream.space;
    const resolved = resolveMapping(mapping, space, upstream.space, { barMs: (values) => definition.barMs?.(values) });
    if ('issues' in resolved) {
      for (const issue of resolved.issues) {
        const [kind, dimension = time?.name ?? 'time'] = issue.path;
        issues.push({
          ...issue,
          path: [...path, kind === 'listed' ? dimension : (time?.name ?? 'time')],
          ...placeOf(definition),
        });
      }
      return [];
    }
    const sameTime = mapping.time.rule === 'same' && time !== undefined && time.grain === space.time?.grain;
    return [{ asset: upstream.key, space: upstream.space, mapping: resolved.mapping, sameTime }];
  });
  // Alternatives stand for each other, so their columns must agree in name and type.
  const [first, ...rest] = input.alternatives.map(({ asset }) => asset ?? definition);
  for (const other of rest) {
    if (first === undefined || columnsText(other) === columnsText(first)) continue;
    const message = `${first.key} and ${other.key} have different columns`;
    const hint = 'Alternatives of firstAvailable() need the same columns in the same order';
    issues.push({ code: 'alternatives-differ', path, message, hint, ...placeOf(definition) });
  }
  return { name: input.name, need: input.need, ...(input.asks === false && { asks: false }), alternatives };
}

const columnsText = ({ columns }: AssetDefinition): string =>
  columns.map(({ name, type }) => `${name} ${type}`).join(', ');

/**
 * The graph of everything declared. All problems of all definitions are reported at once.
 * @throws LakehouseError `invalid-definitions` with every issue; a cycle is reported with its path.
 */
export function buildGraph(definitions: readonly AssetDefinition[], options: GraphOptions): AssetGraph {
  const all = reachable(definitions);
  const issues: Issue[] = all.flatMap((d) => d.issues.map((issue) => ({ ...issue, ...placeOf(d) })));
  const byKey = definitionsByKey(all, issues);
  const graph = edgesOf(byKey);
  const cycle = findCycle(graph);
  if (cycle) {
    const message = `assets depend on each other in a circle: ${cycle.join(' → ')}`;
    const hint = 'An asset that reads its own past uses self({ … earlier() }) instead';
    issues.push({ code: 'cycle', path: cycle.slice(0, 1), message, hint });
  }
  const inputs = new Map([...byKey].map(([key, d]) => [key, d.inputs.map((input) => resolveInput(d, input, issues))]));
  const checkReads = new Map(
    [...byKey].map(([key, d]) => [
      key,
      new Map(
        d.checks.flatMap(({ name, reads }) =>
          reads.length > 0 ? [[name, reads.map((read) => resolveInput(d, read, issues, ['checks', name]))]] : [],
        ),
      ),
    ]),
  );
  const filters = new Map(
    Object.entries(options.filters ?? {}).flatMap(([name, globs]) => (globs ? [[name, globs]] : [])),
  );
  issues.push(...filterIssues(filters, all));
  const summary = `${issues.length} problem${issues.length === 1 ? '' : 's'} in the asset definitions:`;
  throwIfIssues('invalid-definitions', summary, issues);

  const generations = topologicalGenerations(graph).map((generation) => [...generation].sort());
  const nodes = new Map<string, AssetNode>();
  for (const key of generations.flat()) {
    const definition = byKey.get(key);
    if (definition === undefined) continue;
    const own = inputs.get(key) ?? [];
    const needs = own.filter(({ need }) => need === 'required');
    const deciding = (needs.length > 0 ? needs : own).flatMap(({ alternatives }) => alternatives);
    nodes.set(key, {
      key,
      definition,
      space: filtered(definition.space, filters),
      inputs: own,
      checkReads: checkReads.get(key) ?? new Map(),
      code: options.codes(definition),
      get wanted() {
        return definition.kind !== 'source' || (options.wanted?.(definition) ?? true);
      },
      get keeps() {
        return definition.keepWithdrawn || deciding.some(({ asset }) => asset !== key && !nodes.get(asset)?.wanted);
      },
    });
  }
  const upstreamOf = (key: string): string[] => graph.inNeighbors(key).sort();
  const downstreamOf = (key: string): string[] => graph.outNeighbors(key).sort();
  const selectable: SelectableGraph = {
    nodes: [...nodes.values()].map((node) => node.definition),
    upstream: (key, depth) => reach(key, depth, upstreamOf),
    downstream: (key, depth) => reach(key, depth, downstreamOf),
  };
  return {
    order: [...nodes.keys()],
    generations,
    node: (key) => {
      const node = nodes.get(key);
      if (!node) throw new RangeError(`no asset '${key}'`);
      return node;
    },
    find: (key) => nodes.get(key),
    upstreamOf,
    downstreamOf,
    select: (selection) => select(selectable, selection),
  };
}

/** What is up to `depth` steps away. */
function reach(key: string, depth: number, next: (key: string) => string[]): Set<string> {
  const seen = new Set<string>();
  let frontier = [key];
  for (let d = 0; d < depth && frontier.length > 0; d++) {
    frontier = [...new Set(frontier.flatMap(next))].filter((k) => !seen.has(k));
    for (const k of frontier) seen.add(k);
  }
  return seen;
}

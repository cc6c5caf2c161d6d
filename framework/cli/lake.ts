import { LakehouseError, throwIfIssues } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { applyFilter, checkFilter, type PartitionFilter, parseFilter } from '../partition/filter.ts';
import * as sets from '../partition/set.ts';
import { type KnownValues, readSeriesKey } from '../partition/space.ts';
import { markUnneeded } from '../plan/demand.ts';
import { type AssetEvaluation, evaluateLake } from '../plan/evaluate.ts';
import { universes } from '../plan/universe.ts';
import type { LakeIndex } from '../state/index.ts';

/** @throws LakehouseError `unknown-asset` (usage). */
export function findAsset(graph: AssetGraph, key: string): AssetNode {
  const node = graph.find(key);
  if (node) return node;
  throw new LakehouseError('unknown-asset', `No asset is named '${key}'`, { hint: didYouMean(key, graph.order) });
}

/** In topological order. */
export function selectAssets(graph: AssetGraph, selection: string | undefined): readonly string[] {
  return selection === undefined ? graph.order : graph.select(selection).keys;
}

/** @throws LakehouseError `bad-partition-filter`, `bad-filter` (usage). */
export function readFilter(graph: AssetGraph, keys: readonly string[], text: string | undefined): PartitionFilter | undefined {
  if (text === undefined) return undefined;
  const filter = parseFilter(text);
  throwIfIssues('bad-filter', `--partitions '${text}':`, checkFilter(filter, keys.map((key) => graph.node(key).space)));
  return filter;
}

export interface Evaluated {
  readonly view: LakeIndex;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
}

/** Every partition's status as of now. */
export function evaluateNow(lake: OpenedLake, view: LakeIndex = lake.state.refresh()): Evaluated {
  const evaluations = evaluateLake(lake.graph, view, universes(lake.graph, view, lake.now()), () => ({ mode: 'plan' }));
  markUnneeded(lake.graph, evaluations);
  return { view, evaluations };
}

/** The values of listed dimensions that an asset's partitions have. */
export function knownValues(evaluation: AssetEvaluation): KnownValues {
  return {
    valuesOf: (dimension) => {
      const values = new Set<string>();
      for (const key of evaluation.series.keys()) {
        const value = readSeriesKey(key)[dimension];
        if (value !== undefined) values.add(value);
      }
      return [...values].sort();
    },
  };
}

/**
 * Refuses a filter that lets nothing through though there is something: it was probably misspelt.
 * @throws LakehouseError `no-such-partition` (usage).
 */
export function requireMatch(evaluations: ReadonlyMap<string, AssetEvaluation>, keys: readonly string[], filter: PartitionFilter | undefined): void {
  if (!filter) return;
  // An asset without a dimension that is named is let through whole, which says nothing about the name.
  const named = ({ node }: AssetEvaluation) => [...filter.listed.keys()].every((name) => node.space.listed.some((dimension) => dimension.name === name));
  const concerned = keys.flatMap((key) => evaluations.get(key) ?? []).filter(named);
  const found = concerned.filter(({ universe }) => !sets.isEmpty(universe.all));
  if (found.length === 0 || found.some(({ node, universe }) => !sets.isEmpty(applyFilter(node.space, universe.all, filter)))) return;
  const hints = [...filter.listed].flatMap(([name, globs]) => {
    const values = [...new Set(found.flatMap((evaluation) => knownValues(evaluation).valuesOf(name)))];
    return globs.filter((glob) => !/[*?]/.test(glob) && !values.includes(glob)).map((glob) => `${name}: ${didYouMean(glob, values) ?? ''}`);
  });
  throw new LakehouseError('no-such-partition', `--partitions '${filter.text}' matches none of the partitions there are`, { hint: hints.join('\n') || 'lakehouse show <asset> says what there is.' });
}

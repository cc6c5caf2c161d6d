import { isLakehouseError, LakehouseError, throwIfIssues } from '../common/errors.ts';
import { closest, didYouMean } from '../common/suggest.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { applyFilter, checkFilter, type PartitionFilter, parseFilter } from '../partition/filter.ts';
import * as sets from '../partition/set.ts';
import { type KnownValues, readSeriesKey } from '../partition/space.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import { statusCounts } from '../plan/plan.ts';
import { universes } from '../plan/universe.ts';
import type { LakeIndex } from '../state/index.ts';
import { requireValues } from './values.ts';

/** @throws LakehouseError `unknown-asset` (usage). */
export function findAsset(graph: AssetGraph, key: string): AssetNode {
  const node = graph.find(key);
  if (node) return node;
  throw new LakehouseError('unknown-asset', `No asset is named '${key}'`, { hint: didYouMean(key, graph.order) });
}

/**
 * In topological order.
 * @throws LakehouseError `bad-selection`, `nothing-selected` (usage).
 */
export function selectAssets(graph: AssetGraph, selection: string | undefined): readonly string[] {
  requireText(
    'bad-selection',
    'The selection',
    selection,
    "silver/klines or '+gold/*', or leave it out for all assets",
  );
  if (selection === undefined) return graph.order;
  try {
    return graph.select(selection).keys;
  } catch (error) {
    const globs = globsNear(error, graph);
    if (!isLakehouseError(error) || globs.length === 0) throw error;
    const { code, message, details } = error;
    throw new LakehouseError(code, message, {
      hint: `Did you mean ${globs.map((glob) => `'${glob}'`).join(' or ')}?`,
      details,
      cause: error,
    });
  }
}

/** All of a zone, where what matches no asset is the name of a zone or nearly so: `gold`, `glod/*`. */
function globsNear(error: unknown, graph: AssetGraph): string[] {
  const [, zone] = /^No asset is named '([^/']+)(?:\/\*?)?'$/.exec(isLakehouseError(error) ? error.message : '') ?? [];
  if (zone === undefined) return [];
  const zones = new Set(graph.order.flatMap((key) => (key.includes('/') ? [key.slice(0, key.indexOf('/'))] : [])));
  return (zones.has(zone) ? [zone] : closest(zone, zones)).map((name) => `${name}/*`);
}

/** Refuses what a shell variable that is not set gives: it must not mean everything. */
function requireText(code: string, what: string, text: string | undefined, example: string): void {
  if (text?.trim() === '') throw new LakehouseError(code, `${what} is empty`, { hint: `Write e.g. ${example}.` });
}

/** @throws LakehouseError `bad-partition-filter`, `bad-filter` (usage). */
export function readFilter(
  graph: AssetGraph,
  keys: readonly string[],
  text: string | undefined,
): PartitionFilter | undefined {
  if (text === undefined) return undefined;
  requireText('bad-partition-filter', '--partitions', text, 'date=2024-01,symbol=BTCUSDT, or leave it out for all');
  const filter = parseFilter(text);
  throwIfIssues(
    'bad-filter',
    `--partitions '${text}':`,
    checkFilter(
      filter,
      keys.map((key) => graph.node(key).space),
    ),
  );
  return filter;
}

/**
 * Counts of partitions by status. Of a source nothing leaves: what is there and the settings do not want (or is before its time)
 * is not counted, for no run will change that.
 */
export function countsOf(evaluation: AssetEvaluation, within?: sets.PartitionSet): ReturnType<typeof statusCounts> {
  const isSource = evaluation.node.definition.kind === 'source';
  return statusCounts(evaluation, within ?? (isSource ? evaluation.universe.all : undefined));
}

/** The values of listed dimensions that the series of an asset have. */
export function knownValues(seriesKeys: Iterable<string>): KnownValues {
  const series = [...seriesKeys].map(readSeriesKey);
  return {
    valuesOf: (dimension) => [...new Set(series.flatMap((values) => values[dimension] ?? []))].sort(),
  };
}

/**
 * Refuses a filter that lets nothing through though there is something, or names values that nothing has: it was probably misspelt.
 * @throws LakehouseError `no-such-partition` (usage).
 */
export function requireMatch(
  lake: OpenedLake,
  view: LakeIndex,
  keys: readonly string[],
  filter: PartitionFilter | undefined,
): void {
  if (!filter) return;
  const { graph, now } = lake;
  const existing = universes(graph, view, now());
  const found = keys.flatMap((key) => {
    const { space } = graph.node(key);
    const all = existing.get(key)?.all ?? sets.EMPTY_SET;
    // An asset without a dimension that is named is let through whole, which says nothing about the name.
    const named = [...filter.listed.keys()].every((name) => space.listed.some((dimension) => dimension.name === name));
    return named && !sets.isEmpty(all) ? [{ space, all }] : [];
  });
  if (found.length === 0 || found.some(({ space, all }) => !sets.isEmpty(applyFilter(space, all, filter)))) {
    requireValues(lake, view, keys, filter);
    return;
  }
  const known = knownValues(found.flatMap(({ all }) => [...all.bySeries.keys()]));
  const hints = [...filter.listed].flatMap(([name, globs]) => {
    const values = known.valuesOf(name);
    const wrong = globs.filter((glob) => !/[*?]/.test(glob) && !values.includes(glob));
    return wrong.map((glob) => `${name}: ${didYouMean(glob, values) ?? ''}`);
  });
  throw new LakehouseError(
    'no-such-partition',
    `--partitions '${filter.text}' matches none of the partitions there are`,
    { hint: hints.join('\n') || 'lakehouse show <asset> says what there is.' },
  );
}

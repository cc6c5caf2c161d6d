import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { PartitionFilter } from '../partition/filter.ts';
import { acceptsValue, readSeriesKey } from '../partition/space.ts';
import { decodeValue } from '../partition/terms.ts';
import { presentSet, universes } from '../plan/universe.ts';
import type { LakeIndex } from '../state/index.ts';

/** A value that somebody wrote out and that nothing has: it is probably misspelt. */
export interface Unmatched {
  readonly dimension: string;
  readonly value: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

const isLiteral = (glob: string): boolean => !/^!|[*?]/.test(glob);

const declares = ({ definition }: AssetNode, dimension: string, value: string): boolean =>
  definition.space.listed.some(({ name, values }) => name === dimension && values?.includes(value) === true);

const having = (graph: AssetGraph, keys: readonly string[], dimension: string): AssetNode[] =>
  keys.map((key) => graph.node(key)).filter(({ space }) => space.listed.some(({ name }) => name === dimension));

const valuesIn = (seriesKeys: Iterable<string>, dimension: string): string[] =>
  [...seriesKeys].flatMap((key) => readSeriesKey(key)[dimension] ?? []);

/** Values by dimension that sources asked about while they were observed: they have them, wanted or not. */
export type Offered = ReadonlyMap<string, ReadonlySet<string>>;

/** The lake as sources see it, and what they ask it about. */
export function overheard(lake: OpenedLake): { readonly lake: OpenedLake; readonly offered: Offered } {
  const offered = new Map<string, Set<string>>();
  const wants = (dimension: string, value: string): boolean => {
    const values = offered.get(dimension);
    if (values) values.add(value);
    else offered.set(dimension, new Set([value]));
    return lake.wants(dimension, value);
  };
  return { lake: { ...lake, wants }, offered };
}

/** Values that the settings want by name and that no source has, as far as sources were looked at: `sources` just now, others at some time. */
export function unmatchedSettings(
  { graph }: OpenedLake,
  view: LakeIndex,
  filters: Readonly<Record<string, readonly string[] | undefined>>,
  sources: readonly string[],
  offered: Offered,
): Unmatched[] {
  return Object.entries(filters).flatMap(([dimension, globs = []]) => {
    if (having(graph, sources, dimension).length === 0) return [];
    const seen = having(graph, graph.order, dimension).filter(
      ({ key, definition }) => definition.kind === 'source' && view.asset(key)?.lastObservedAt !== undefined,
    );
    const known = new Set(offered.get(dimension));
    for (const node of seen)
      for (const value of valuesIn(presentSet(node, view.asset(node.key)).bySeries.keys(), dimension)) known.add(value);
    const wrong = globs.filter(
      (glob) => isLiteral(glob) && !known.has(glob) && !seen.some((node) => declares(node, dimension, glob)),
    );
    if (wrong.length === 0) return [];
    // Also those that were there once, under settings that wanted them.
    const candidates = new Set([
      ...known,
      ...seen.flatMap(({ key }) => valuesIn(view.asset(key)?.series.keys() ?? [], dimension)),
    ]);
    const where = seen.map(({ key }) => key).join(', ');
    return wrong.map((value) => ({
      dimension,
      value,
      message: `The settings want ${dimension} '${value}', which is not in ${where}.`,
      hint: didYouMean(value, candidates),
    }));
  });
}

/** Values that a filter names and that no partition of the assets has. None as long as there is nothing at all. */
export function unmatchedFilter(
  { graph, now }: OpenedLake,
  view: LakeIndex,
  keys: readonly string[],
  filter: PartitionFilter | undefined,
): Unmatched[] {
  if (!filter) return [];
  const existing = universes(graph, view, now());
  return [...filter.listed].flatMap(([dimension, globs]) => {
    const nodes = having(graph, keys, dimension);
    const known = new Set(
      nodes.flatMap(({ key }) => [
        ...valuesIn(existing.get(key)?.all.bySeries.keys() ?? [], dimension),
        // What the settings no longer want can still be there.
        ...valuesIn(view.asset(key)?.series.keys() ?? [], dimension),
      ]),
    );
    if (known.size === 0) return [];
    const literals = globs.filter(isLiteral).map((glob) => decodeValue(glob) ?? glob);
    const wrong = literals.filter(
      (value) => !known.has(value) && !nodes.some((node) => declares(node, dimension, value)),
    );
    return wrong.map((value) => {
      const refused = nodes.some(({ space }) =>
        space.listed.some((listed) => listed.name === dimension && !acceptsValue(listed, value)),
      );
      const near = didYouMean(value, known) ?? '';
      return {
        dimension,
        value,
        message: `There is no ${dimension} '${value}'`,
        hint: refused ? `The settings do not want it. ${near}`.trim() : near,
      };
    });
  });
}

/**
 * Refuses a filter of which a part can match nothing.
 * @throws LakehouseError `no-such-partition` (usage).
 */
export function requireValues(
  lake: OpenedLake,
  view: LakeIndex,
  keys: readonly string[],
  filter: PartitionFilter | undefined,
): void {
  const wrong = unmatchedFilter(lake, view, keys, filter);
  if (!filter || wrong.length === 0) return;
  throw new LakehouseError(
    'no-such-partition',
    `--partitions '${filter.text}': ${wrong.map(({ message }) => message).join('; ')}`,
    { hint: wrong.map(({ dimension, hint = '' }) => `${dimension}: ${hint}`).join('\n') },
  );
}

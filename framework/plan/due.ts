import type { AssetGraph, ResolvedAlternative } from '../graph/graph.ts';
import { ALWAYS } from '../partition/mapping-time.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import { endOf } from '../partition/time.ts';
import type { Universe } from './universe.ts';

/**
 * When a partition can normally be there, ms UTC: of a source the end of its period and the publication lag; of an asset the end
 * of its period, and not before everything it reads is normally there; of several alternatives the earliest. Infinity where it
 * is never to come, -Infinity where there is no time to wait for.
 */
export type DueOf = (asset: string, series: string, time: number) => number;

export function dueIn(graph: AssetGraph, universeOf: (asset: string) => Universe | undefined): DueOf {
  const values = reader();
  const upstreamSeries = seriesFinder(universeOf, values);
  /** By asset and time: series go by the keys they have, which costs a tenth of making others. */
  const known = new Map<string, Map<number, Map<string, number>>>();

  const due: DueOf = (asset, series, t) => {
    const byTime = known.get(asset) ?? new Map<number, Map<string, number>>();
    const bySeries = byTime.get(t) ?? new Map<string, number>();
    const found = bySeries.get(series) ?? compute(asset, series, t);
    known.set(asset, byTime.set(t, bySeries.set(series, found)));
    return found;
  };
  const compute: DueOf = (asset, series, t) => {
    const { space, definition, inputs } = graph.node(asset);
    if (!space.time) return Number.NEGATIVE_INFINITY;
    const { grain, lag, end = Number.POSITIVE_INFINITY } = space.time;
    if (t >= end) return Number.POSITIVE_INFINITY;
    if (definition.source) return endOf(grain, t) + definition.source.publicationLagMs;
    const reads = inputs.filter(({ alternatives }) => !alternatives.some(({ mapping }) => mapping.self));
    const dues = (need: 'required' | 'ifPresent') =>
      reads
        .filter((input) => input.need === need)
        .map(({ alternatives }) => alternatives.flatMap((one) => ofAlternative(one, series, t) ?? []))
        .map((some) => (some.length > 0 ? Math.min(...some) : Number.NEGATIVE_INFINITY));
    const required = dues('required');
    // What only has inputs that it can do without is there with the first of them.
    const inputsDue = required.length > 0 ? Math.max(...required) : Math.min(...dues('ifPresent'));
    const own = endOf(grain, t + Math.max(lag, 0));
    return reads.length === 0 ? own : Math.max(own, inputsDue);
  };
  /** Undefined where there is nothing that it could be read from. */
  const ofAlternative = (alternative: ResolvedAlternative, series: string, t: number): number | undefined => {
    const up = upstreamSeries(alternative, series);
    if (up === undefined) return undefined;
    const [lo, hi] = alternative.mapping.upstream(values(series), t);
    // Who reads all times asks for none in particular.
    return hi <= lo || hi === ALWAYS[1] ? Number.NEGATIVE_INFINITY : due(alternative.asset, up, hi - 1);
  };
  return due;
}

/** Reads each series key once. */
function reader(): (series: string) => SeriesValues {
  const known = new Map<string, SeriesValues>();
  return (series) => {
    const found = known.get(series) ?? readSeriesKey(series);
    known.set(series, found);
    return found;
  };
}

/** One of the upstream series that a series reads; those that are read together are published together. */
function seriesFinder(
  universeOf: (asset: string) => Universe | undefined,
  values: (series: string) => SeriesValues,
): (alternative: ResolvedAlternative, series: string) => string | undefined {
  const joins = new Map<ResolvedAlternative, ReadonlyMap<string | undefined, string>>();
  return (alternative, series) => {
    const { asset, mapping } = alternative;
    let byJoin = joins.get(alternative);
    if (!byJoin) {
      const keys = [...(universeOf(asset)?.all.bySeries.keys() ?? [])];
      byJoin = new Map(keys.map((key) => [mapping.joinUp(values(key)), key]));
      joins.set(alternative, byJoin);
    }
    const join = mapping.joinDown(values(series)).find((one) => byJoin.has(one));
    return join === undefined ? undefined : byJoin.get(join);
  };
}

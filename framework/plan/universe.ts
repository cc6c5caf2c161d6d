import type { AssetGraph, AssetNode, ResolvedInput } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import type { PartitionSet } from '../partition/set.ts';
import { acceptsSeries, existingTimes, readSeriesKey, type SeriesValues, seriesKey } from '../partition/space.ts';
import { coverRange, endOf } from '../partition/time.ts';
import { type AssetView, type LakeView, PRESENT } from './view.ts';

/**
 * Which partitions of an asset there are to speak of. Three disjoint sets: `ready` (what it is made of exists), `awaiting` (its source has not
 * published yet) and `unavailable` (its source never will). Existence flows down the graph from what was observed at the sources.
 */
export interface Universe {
  readonly ready: PartitionSet;
  readonly awaiting: PartitionSet;
  readonly unavailable: PartitionSet;
  /** All three. */
  readonly all: PartitionSet;
}

const NONE: Universe = { ready: sets.EMPTY_SET, awaiting: sets.EMPTY_SET, unavailable: sets.EMPTY_SET, all: sets.EMPTY_SET };

function universe(ready: PartitionSet, awaiting: PartitionSet, unavailable: PartitionSet): Universe {
  return { ready, awaiting, unavailable, all: sets.unionAll([ready, awaiting, unavailable]) };
}

/** The universe of every asset, by key. `now` is in milliseconds, UTC. */
export function universes(graph: AssetGraph, view: LakeView, now: number): Map<string, Universe> {
  const out = new Map<string, Universe>();
  for (const key of graph.order) {
    const node = graph.node(key);
    const state = view.asset(key);
    out.set(key, node.definition.kind === 'source' ? ofSource(node, state, now) : ofAsset(node, state, out, now));
  }
  return out;
}

/** Times that are present in the index, by series, as far as the filters want them. */
export function presentSet(node: AssetNode, state: AssetView | undefined): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, series] of state?.series ?? []) {
    if (!acceptsSeries(node.space, series.values)) continue;
    const pairs: [number, number][] = [];
    let start = -1;
    for (let i = 0; i <= series.length; i++) {
      const present = i < series.length && ((series.flags[i] as number) & PRESENT) !== 0;
      if (present && start < 0) start = i;
      else if (!present && start >= 0) {
        pairs.push([series.base + start, series.base + i]);
        start = -1;
      }
    }
    entries.push([key, ranges.fromRanges(pairs)]);
  }
  return sets.fromSeries(entries);
}

/**
 * A source's series spans from its first to its last observed time; one that had something new within `liveForMs` is alive and goes on to
 * now. A hole is awaited until the publication lag has passed, and unavailable afterwards.
 */
function ofSource(node: AssetNode, state: AssetView | undefined, now: number): Universe {
  const { time } = node.space;
  const source = node.definition.source;
  const times = existingTimes(node.space, now);
  const observed = presentSet(node, state);
  if (!time || !source) return universe(observed, sets.EMPTY_SET, sets.EMPTY_SET);
  const ready: [string, RangeSet][] = [];
  const awaiting: [string, RangeSet][] = [];
  const unavailable: [string, RangeSet][] = [];
  for (const [key, seen] of observed.bySeries) {
    const inside = ranges.intersect(seen, times);
    ready.push([key, inside]);
    const first = ranges.first(inside);
    const last = ranges.last(inside);
    if (first === undefined || last === undefined) continue;
    const alive = endOf(time.grain, last) + source.liveForMs >= now;
    const span = ranges.intersect(times, ranges.range(first, alive ? (ranges.last(times) ?? last) + 1 : last + 1));
    const holes = ranges.subtract(span, inside);
    // Holes end at `now`, so those still within the lag are the newest: find the first index whose lag has not passed.
    let settled = ranges.last(span) ?? last;
    while (settled >= first && endOf(time.grain, settled) + source.publicationLagMs > now) settled--;
    unavailable.push([key, ranges.intersect(holes, ranges.range(first, settled + 1))]);
    awaiting.push([key, ranges.subtract(holes, ranges.range(first, settled + 1))]);
  }
  return universe(sets.fromSeries(ready), sets.fromSeries(awaiting), sets.fromSeries(unavailable));
}

function ofAsset(node: AssetNode, state: AssetView | undefined, upstream: ReadonlyMap<string, Universe>, now: number): Universe {
  const times = existingTimes(node.space, now);
  const telling = node.inputs.filter((input) => input.alternatives.some((a) => a.mapping.impliesExistence));
  const required = telling.filter((input) => input.need === 'required');
  const deciding = required.length > 0 ? required : telling;
  let result: Universe | undefined;
  for (const input of deciding) {
    const implied = (part: keyof Universe) => impliedBy(node, input, upstream, part, times);
    const all = implied('all');
    const ready = implied('ready');
    const awaiting = sets.subtract(implied('awaiting'), ready);
    const one = { all, ready, awaiting, unavailable: sets.subtract(all, sets.union(ready, awaiting)) };
    // Several required inputs: ready where all are, unavailable where any is; optional ones only: where any is.
    if (!result) result = one;
    else if (required.length > 0) {
      const both = sets.intersect(result.all, all);
      const bothReady = sets.intersect(result.ready, ready);
      const lost = sets.intersect(both, sets.union(result.unavailable, one.unavailable));
      result = { all: both, ready: bothReady, unavailable: lost, awaiting: sets.subtract(both, sets.union(bothReady, lost)) };
    } else result = universe(sets.union(result.ready, ready), sets.subtract(sets.union(result.awaiting, awaiting), sets.union(result.ready, ready)), sets.EMPTY_SET);
  }
  if (!result) result = node.inputs.length > 0 && node.space.listed.some((d) => d.type === 'dynamic') ? NONE : fullSpace(node, times);
  if (!node.definition.keepWithdrawn) return result;
  const kept = sets.mapSeries(presentSet(node, state), (own) => ranges.intersect(own, times));
  const ready = sets.union(result.ready, kept);
  return universe(ready, sets.subtract(result.awaiting, ready), sets.subtract(result.unavailable, ready));
}

/** Every combination of static values at every time: an asset that nothing upstream tells anything about. */
function fullSpace(node: AssetNode, times: RangeSet): Universe {
  let product: Record<string, string>[] = [{}];
  for (const dimension of node.space.listed) {
    const values = dimension.type === 'static' ? (dimension.values ?? []) : [];
    product = product.flatMap((row) => values.map((value) => ({ ...row, [dimension.name]: value })));
  }
  const entries = product.filter((values) => acceptsSeries(node.space, values)).map((values): [string, RangeSet] => [seriesKey(node.space, values), times]);
  return universe(sets.fromSeries(entries), sets.EMPTY_SET, sets.EMPTY_SET);
}

/** The downstream partitions that some upstream partitions bring into being, over all alternatives of an input. */
function impliedBy(node: AssetNode, input: ResolvedInput, upstream: ReadonlyMap<string, Universe>, part: keyof Universe, times: RangeSet): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [i, alternative] of input.alternatives.entries()) {
    if (!alternative.mapping.impliesExistence) continue;
    const spec = node.definition.inputs.find((d) => d.name === input.name)?.alternatives[i]?.mapping;
    const upGrain = alternative.space.time?.grain;
    const downGrain = node.space.time?.grain;
    const cache = new Map<string, Record<string, string>[]>();
    for (const [key, upTimes] of (upstream.get(alternative.asset) ?? NONE)[part].bySeries) {
      const up = readSeriesKey(key);
      const signature = JSON.stringify(up);
      let series = cache.get(signature);
      if (!series) {
        series = downstreamSeries(node, up, spec?.listed ?? {}).filter((values) => alternative.mapping.joinDown(values).includes(alternative.mapping.joinUp(up) ?? '\0'));
        cache.set(signature, series);
      }
      const own = !downGrain ? ranges.range(0, 1) : !upGrain ? times : upGrain === downGrain ? upTimes : ranges.fromRanges([...ranges.pairs(upTimes)].map(([lo, hi]) => coverRange(upGrain, lo, hi, downGrain)));
      const existing = downGrain ? ranges.intersect(own, times) : own;
      for (const values of series) entries.push([seriesKey(node.space, values), existing]);
    }
  }
  return sets.fromSeries(entries);
}

/** Series of the downstream that an upstream series may belong to: shared values from it, the rest from static lists. */
function downstreamSeries(node: AssetNode, up: SeriesValues, rules: Readonly<Record<string, { readonly rule: string; readonly dimension?: string }>>): Record<string, string>[] {
  let product: Record<string, string>[] = [{}];
  for (const dimension of node.space.listed) {
    const renamed = Object.entries(rules).find(([, rule]) => rule.rule === 'from' && rule.dimension === dimension.name)?.[0];
    const from = renamed ?? (rules[dimension.name] === undefined || rules[dimension.name]?.rule === 'same' ? dimension.name : undefined);
    const value = from === undefined ? undefined : up[from];
    const values = value !== undefined ? [value] : (dimension.values ?? []);
    product = product.flatMap((row) => values.map((v) => ({ ...row, [dimension.name]: v })));
  }
  return product.filter((values) => acceptsSeries(node.space, values));
}

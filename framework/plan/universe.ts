import { Scratch } from '../common/scratch.ts';
import { atOnce, type Steps } from '../common/steps.ts';
import type { InputAlternative } from '../define/model.ts';
import type { AssetGraph, AssetNode, ResolvedAlternative } from '../graph/graph.ts';
import { downstreamTimes } from '../partition/mapping.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { acceptsSeries, existingTimes, readSeriesKey, type SeriesValues, seriesKey } from '../partition/space.ts';
import { coverRange, type Grain, indexAt, startOf } from '../partition/time.ts';
import { rangesOf } from './chain.ts';
import { type AssetView, type LakeView, PRESENT, type SeriesView } from './view.ts';

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

const NONE: Universe = {
  ready: sets.EMPTY_SET,
  awaiting: sets.EMPTY_SET,
  unavailable: sets.EMPTY_SET,
  all: sets.EMPTY_SET,
};

function universe(ready: PartitionSet, awaiting: PartitionSet, unavailable: PartitionSet): Universe {
  return { ready, awaiting, unavailable, all: sets.unionAll([ready, awaiting, unavailable]) };
}

/** The universe of every asset, by key. `now` is in milliseconds, UTC. */
export function universes(graph: AssetGraph, view: LakeView, now: number): Map<string, Universe> {
  return atOnce(universesInSteps(graph, view, now));
}

/** The same, asset by asset. */
export function* universesInSteps(graph: AssetGraph, view: LakeView, now: number): Steps<Map<string, Universe>> {
  const out = new Map<string, Universe>();
  for (const key of graph.order) {
    yield;
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
    entries.push([key, presentTimes(series)]);
  }
  return sets.fromSeries(entries);
}

const scratch = new Scratch();
const presentTimesOf = new WeakMap<SeriesView, RangeSet>();

/** The times at which a series is present. Series of a view never alter, so it is looked up once for each. */
function presentTimes(series: SeriesView): RangeSet {
  const known = presentTimesOf.get(series);
  if (known) return known;
  const times = scratch.during(() => {
    const { flags } = series.columns(scratch);
    const present = scratch.u8(series.length);
    for (let i = 0; i < present.length; i++) present[i] = (flags[i] as number) & PRESENT ? 1 : 0;
    return rangesOf(present, series.base);
  });
  presentTimesOf.set(series, times);
  return times;
}

/**
 * Whether the universes of an earlier view, as of the same clock, are those of this one: only what is present at sources, and of assets
 * that keep what was withdrawn, can alter them.
 */
export function sameUniverses(graph: AssetGraph, before: LakeView, view: LakeView): boolean {
  return graph.order.every((key) => {
    const { definition, keeps } = graph.node(key);
    if (definition.kind !== 'source' && !keeps) return true;
    const [a, b] = [before.asset(key), view.asset(key)];
    if (a === b) return true;
    if (a?.series.size !== b?.series.size) return false;
    return [...(b?.series ?? [])].every(([name, series]) => {
      const earlier = a?.series.get(name);
      if (earlier === series) return true;
      return earlier !== undefined && ranges.equals(presentTimes(earlier), presentTimes(series));
    });
  });
}

/**
 * A source has what was observed; holes in the lives of its series are awaited until the publication lag has passed, and unavailable
 * afterwards. One that is not wanted has nothing: what was made of it is all that is there.
 */
function ofSource(node: AssetNode, state: AssetView | undefined, now: number): Universe {
  const { time } = node.space;
  const source = node.definition.source;
  if (!node.wanted) return NONE;
  const times = existingTimes(node.space, now);
  const observed = presentSet(node, state);
  if (!time || !source) return universe(observed, sets.EMPTY_SET, sets.EMPTY_SET);
  // Periods before this one ended longer than the publication lag ago.
  const settled = ranges.range(Number.MIN_SAFE_INTEGER, indexAt(time.grain, now - source.publicationLagMs));
  const ready = sets.mapSeries(observed, (seen) => ranges.intersect(seen, times));
  const holes = sets.mapSeries(ready, (seen) => {
    const life = lives(seen, time.grain, source.liveForMs, now);
    return ranges.subtract(ranges.intersect(life, times), seen);
  });
  const awaiting = sets.mapSeries(holes, (own) => ranges.subtract(own, settled));
  return universe(ready, awaiting, sets.subtract(holes, awaiting));
}

/**
 * The life spans of a series that was seen at these times: it is over when nothing new came for longer than `liveForMs`, and may
 * begin again later. What lies between two lives does not exist. One that is not over is open-ended.
 */
function lives(seen: RangeSet, grain: Grain, liveForMs: number, now: number): RangeSet {
  const spans: [number, number][] = [];
  for (const [lo, hi] of ranges.pairs(seen)) {
    const span = spans.at(-1);
    if (span && startOf(grain, lo) - startOf(grain, span[1]) <= liveForMs) span[1] = hi;
    else spans.push([lo, hi]);
  }
  const newest = spans.at(-1);
  if (newest && now - startOf(grain, newest[1]) <= liveForMs) newest[1] = Number.MAX_SAFE_INTEGER;
  return ranges.fromRanges(spans);
}

/** One alternative of an input with its declaration. */
interface Teller {
  readonly alternative: ResolvedAlternative;
  readonly declared: InputAlternative;
}

function ofAsset(
  node: AssetNode,
  state: AssetView | undefined,
  upstream: ReadonlyMap<string, Universe>,
  now: number,
): Universe {
  const times = existingTimes(node.space, now);
  const inputs = node.inputs.map((input, i) => ({
    need: input.need,
    tellers: input.alternatives.flatMap((alternative, a): Teller[] => {
      const declared = node.definition.inputs[i]?.alternatives[a];
      return declared && !alternative.mapping.self ? [{ alternative, declared }] : [];
    }),
  }));
  const telling = (tells: (teller: Teller) => boolean) => {
    const some = inputs
      .map(({ need, tellers }) => ({ need, tellers: tellers.filter(tells) }))
      .filter(({ tellers }) => tellers.length > 0);
    const required = some.filter(({ need }) => need === 'required');
    return required.length > 0 ? required : some;
  };
  let deciding = telling(({ alternative }) => alternative.mapping.impliesExistence);
  // Series have to come from somewhere: from what is read at all times, if need be.
  const dynamic = node.space.listed.some((d) => d.type === 'dynamic');
  if (deciding.length === 0 && dynamic) deciding = telling((teller) => namesSeries(node, teller));
  let result: Universe | undefined;
  for (const { need, tellers } of deciding) {
    const one = impliedBy(node, tellers, upstream, times);
    if (!result) result = one;
    else result = need === 'required' ? both(result, one) : either(result, one);
  }
  if (!result) result = dynamic ? NONE : fullSpace(node, times);
  if (!node.keeps) return result;
  const kept = sets.mapSeries(presentSet(node, state), (own) => ranges.intersect(own, times));
  return either(result, universe(kept, sets.EMPTY_SET, sets.EMPTY_SET));
}

/** Of two required inputs: exists where both do, ready where both are, unavailable where any is. */
function both(a: Universe, b: Universe): Universe {
  const all = sets.intersect(a.all, b.all);
  const ready = sets.intersect(a.ready, b.ready);
  const unavailable = sets.intersect(all, sets.union(a.unavailable, b.unavailable));
  return { all, ready, unavailable, awaiting: sets.subtract(all, sets.union(ready, unavailable)) };
}

/** Of two that do for each other: ready where any is, awaiting where any is at best. */
function either(a: Universe, b: Universe): Universe {
  const all = sets.union(a.all, b.all);
  const ready = sets.union(a.ready, b.ready);
  const awaiting = sets.subtract(sets.union(a.awaiting, b.awaiting), ready);
  return { all, ready, awaiting, unavailable: sets.subtract(all, sets.union(ready, awaiting)) };
}

/** Every combination of static values at every time: an asset that nothing upstream tells anything about. */
function fullSpace(node: AssetNode, times: RangeSet): Universe {
  const entries = seriesOf(node, () => undefined).map((values): [string, RangeSet] => [
    seriesKey(node.space, values),
    times,
  ]);
  return universe(sets.fromSeries(entries), sets.EMPTY_SET, sets.EMPTY_SET);
}

/** The downstream partitions that upstream partitions bring into being, over some alternatives of an input. */
function impliedBy(
  node: AssetNode,
  tellers: readonly Teller[],
  upstream: ReadonlyMap<string, Universe>,
  times: RangeSet,
): Universe {
  let result = NONE;
  for (const { alternative, declared } of tellers) {
    const { mapping } = alternative;
    const from = upstream.get(alternative.asset) ?? NONE;
    const names = [...from.all.bySeries.keys()].map((key) => {
      const up = readSeriesKey(key);
      const join = mapping.joinUp(up);
      const own = seriesOf(node, (dimension) => up[sourceOf(declared, dimension) ?? '']);
      return { key, own: join === undefined ? [] : own.filter((values) => mapping.joinDown(values).includes(join)) };
    });
    const implied = (part: PartitionSet) =>
      sets.fromSeries(
        names.flatMap(({ key, own }) => {
          const upTimes = sets.rangesOf(part, key);
          if (ranges.isEmpty(upTimes)) return [];
          return own.map((values): [string, RangeSet] => [
            seriesKey(node.space, values),
            impliedTimes(node, alternative, values, upTimes, times),
          ]);
        }),
      );
    result = either(result, universe(implied(from.ready), implied(from.awaiting), implied(from.unavailable)));
  }
  return result;
}

/** The times of a downstream series that exist because its upstream does at some times. */
function impliedTimes(
  node: AssetNode,
  { mapping, space }: ResolvedAlternative,
  values: SeriesValues,
  upTimes: RangeSet,
  times: RangeSet,
): RangeSet {
  const [up, down] = [space.time?.grain, node.space.time?.grain];
  if (!mapping.impliesExistence || !mapping.monotone) {
    const candidates = ranges.intersect(downstreamTimes(mapping, values, upTimes), times);
    if (mapping.monotone) return candidates;
    const reads = (t: number) =>
      !ranges.isEmpty(ranges.intersect(upTimes, ranges.range(...mapping.upstream(values, t))));
    return ranges.fromSorted([...ranges.iterate(candidates)].filter(reads));
  }
  if (!down || !up) return times;
  if (up === down) return ranges.intersect(upTimes, times);
  const covered = [...ranges.pairs(upTimes)].map(([lo, hi]) => coverRange(up, lo, hi, down));
  return ranges.intersect(ranges.fromRanges(covered), times);
}

/** The upstream dimension that a downstream one takes its value from, by name; it may not have it. */
function sourceOf({ mapping }: InputAlternative, dimension: string): string | undefined {
  for (const [name, rule] of Object.entries(mapping.listed)) {
    if (rule.rule === 'from' && rule.dimension === dimension) return name;
  }
  const rule = mapping.listed[dimension];
  return rule === undefined || rule.rule === 'same' ? dimension : undefined;
}

/** Whether every dynamic dimension has its values from this upstream. */
function namesSeries(node: AssetNode, { alternative, declared }: Teller): boolean {
  return node.space.listed.every(({ type, name }) => {
    const source = sourceOf(declared, name);
    return type === 'static' || alternative.space.listed.some((d) => d.name === source);
  });
}

/** Series of the asset with the values that are known, and all static ones where they are not. */
function seriesOf(node: AssetNode, known: (dimension: string) => string | undefined): Record<string, string>[] {
  let product: Record<string, string>[] = [{}];
  for (const { name, values = [] } of node.space.listed) {
    const own = known(name);
    const some = own === undefined ? values : [own];
    product = product.flatMap((row) => some.map((value) => ({ ...row, [name]: value })));
  }
  return product.filter((values) => acceptsSeries(node.space, values));
}

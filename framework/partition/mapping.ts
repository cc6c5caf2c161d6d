import type { Issue } from '../common/errors.ts';
import { describeMapping } from './mapping-describe.ts';
import { resolveListed } from './mapping-listed.ts';
import type { IndexRange, MappingHelpers, MappingSpec } from './mapping-spec.ts';
import { ALWAYS, resolveTime } from './mapping-time.ts';
import type { RangeSet } from './ranges.ts';
import * as ranges from './ranges.ts';
import type { PartitionSet } from './set.ts';
import * as sets from './set.ts';
import { type PartitionSpace, parseSeriesKey, readSeriesKey, type SeriesValues } from './space.ts';

export type {
  IndexRange,
  ListedRule,
  MappingHelpers,
  MappingSpec,
  TimeContext,
  TimeRule,
  WindowBound,
} from './mapping-spec.ts';

/**
 * A mapping between two given partition spaces, ready for arithmetic: (which upstream series) × (which upstream time range as a
 * function of the downstream time). Ranges are half-open, clipped to nothing: intersect them with what exists. Windows in bars
 * throw `LakehouseError('no-bar-length')` for a series whose bar length is not known.
 */
export interface ResolvedMapping {
  /** In words, read after "reads": `the 400 bars up to it, all symbols`. */
  readonly description: string;
  /** Every partition reads the partition of the same series key and time index, and nothing else. */
  readonly identity: boolean;
  readonly self: boolean;
  /** A downstream series reads the upstream series whose `joinUp` is among these texts; usually there is one. */
  joinDown(values: SeriesValues): readonly string[];
  /** Undefined: no partition ever reads this upstream series. */
  joinUp(values: SeriesValues): string | undefined;
  /** Upstream indices that partition `t` of a downstream series reads. */
  upstream(down: SeriesValues, t: number): IndexRange;
  /** All `t` of a downstream series whose upstream range meets `[lo, hi)`; a superset for custom mappings. */
  downstream(down: SeriesValues, lo: number, hi: number): IndexRange;
  /** The part of the upstream range whose existence makes `t` exist; empty where nothing follows from it. */
  core(down: SeriesValues, t: number): IndexRange;
  /**
   * Whether existing upstream partitions tell which downstream ones exist: `core` is not empty, and every dynamic dimension of the
   * downstream takes its value from the upstream.
   */
  readonly impliesExistence: boolean;
  /** Both ends of `upstream` never decrease with `t`, and ranges of successive `t` leave no gap. All but custom mappings. */
  readonly monotone: boolean;
}

/** Checks a mapping against both spaces. Issue paths are `['time']` or `['listed', dimension]`; the caller says whose they are. */
export function resolveMapping(
  spec: MappingSpec,
  down: PartitionSpace,
  up: PartitionSpace,
  helpers: MappingHelpers,
): { mapping: ResolvedMapping } | { issues: Issue[] } {
  const time = resolveTime(spec, down.time, up.time, helpers);
  const listed = resolveListed(spec, down, up);
  if ('code' in time || Array.isArray(listed)) {
    return { issues: ['code' in time ? [time] : [], Array.isArray(listed) ? listed : []].flat() };
  }
  const self = spec.self === true;
  return {
    mapping: {
      // Only named times are needed for the description, and those do not depend on the partition.
      description: describeMapping(spec, down, up, spec.time.rule === 'only' ? time.upstream({}, 0) : ALWAYS),
      identity: time.identity && listed.identity,
      self,
      joinDown: listed.joinDown,
      joinUp: listed.joinUp,
      upstream: time.upstream,
      downstream: time.downstream,
      core: time.core,
      impliesExistence: time.impliesExistence && listed.determinesSeries && !self,
      monotone: time.monotone,
    },
  };
}

/** Every upstream time that some of these downstream times read, existing or not. */
export function upstreamTimes(mapping: ResolvedMapping, down: SeriesValues, times: RangeSet): RangeSet {
  const source = mapping.monotone
    ? [...ranges.pairs(times)]
    : [...ranges.iterate(times)].map((t) => [t, t + 1] as const);
  return ranges.fromRanges(
    source.map(([lo, hi]) => [mapping.upstream(down, lo)[0], mapping.upstream(down, hi - 1)[1]] as const),
  );
}

/** Every downstream time that reads some of these upstream times, existing or not. */
export function downstreamTimes(mapping: ResolvedMapping, down: SeriesValues, upTimes: RangeSet): RangeSet {
  return ranges.fromRanges([...ranges.pairs(upTimes)].map(([lo, hi]) => mapping.downstream(down, lo, hi)));
}

/**
 * What a set of partitions reads of those that exist upstream. `nonexistent` counts the mapped times that no upstream series of
 * their group has (once per group of series that are read together: with `all('symbol')`, times at which there is no symbol at
 * all). Reading all times asks for none in particular and counts nothing.
 */
export function upstreamSet(
  mapping: ResolvedMapping,
  set: PartitionSet,
  down: PartitionSpace,
  upstreamUniverse: PartitionSet,
): { read: PartitionSet; nonexistent: number } {
  if (mapping.identity) {
    const read = sets.intersect(set, upstreamUniverse);
    return { read, nonexistent: sets.countOf(set) - sets.countOf(read) };
  }
  const wanted = new Map<string, RangeSet[]>();
  for (const [key, times] of set.bySeries) {
    const values = parseSeriesKey(down, key);
    const mapped = upstreamTimes(mapping, values, times);
    for (const join of mapping.joinDown(values)) append(wanted, join, mapped);
  }
  const existing = new Map<string, [key: string, times: RangeSet][]>();
  for (const [key, times] of upstreamUniverse.bySeries) {
    const join = mapping.joinUp(readSeriesKey(key));
    if (join !== undefined && wanted.has(join)) append(existing, join, [key, times]);
  }
  const read: [key: string, times: RangeSet][] = [];
  let nonexistent = 0;
  for (const [join, list] of wanted) {
    const mapped = ranges.unionAll(list);
    const group = existing.get(join) ?? [];
    for (const [key, times] of group) read.push([key, ranges.intersect(times, mapped)]);
    if (ranges.first(mapped) === ALWAYS[0]) continue;
    nonexistent += ranges.count(ranges.subtract(mapped, ranges.unionAll(group.map(([, times]) => times))));
  }
  return { read: sets.fromSeries(read), nonexistent };
}

/** Which of the existing downstream partitions read any of these upstream partitions (which need not exist any more). */
export function downstreamSet(mapping: ResolvedMapping, upSet: PartitionSet, downUniverse: PartitionSet): PartitionSet {
  if (mapping.identity) return sets.intersect(downUniverse, upSet);
  const touched = new Map<string, RangeSet[]>();
  for (const [key, times] of upSet.bySeries) {
    const join = mapping.joinUp(readSeriesKey(key));
    if (join !== undefined) append(touched, join, times);
  }
  const united = new Map([...touched].map(([join, list]) => [join, ranges.unionAll(list)]));
  return sets.mapSeries(downUniverse, (times, key) => {
    const values = readSeriesKey(key);
    const upTimes = ranges.unionAll(mapping.joinDown(values).flatMap((join) => united.get(join) ?? []));
    return ranges.isEmpty(upTimes) ? upTimes : ranges.intersect(times, downstreamTimes(mapping, values, upTimes));
  });
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

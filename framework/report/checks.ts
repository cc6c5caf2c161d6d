import * as sets from '../partition/set.ts';
import { CHECK_FAILED, PRESENT } from '../plan/view.ts';
import { type CheckOutcome, checkFailuresOf, departuresOf, outcomesOf, type PackedSet } from '../state/events.ts';
import type { StateReader } from '../state/store.ts';

/** Results of checks that were made of a partition, the newest of each. */
export type CheckFailures = ReadonlyMap<string, CheckOutcome>;

/** Failures of one partition since its event: those it was computed with, less what was checked anew. */
export function failuresOf(
  state: StateReader,
  asset: string,
  series: string,
  time: number,
  computedAt: number,
): CheckFailures {
  const failures = new Map<string, CheckOutcome>();
  const note = (outcomes: readonly CheckOutcome[]) => {
    for (const one of outcomes)
      if (one.series === series && one.time === time && one.failedRows > 0) failures.set(one.check, one);
  };
  const [computed] = state.events({ after: computedAt - 1, limit: 1 });
  if (computed?.revision === computedAt) note(checkFailuresOf(computed.event));
  for (const { event } of state.events({ asset, kind: 'checked', after: computedAt })) {
    if (event.kind !== 'checked' || !holds(event.set, series, time)) continue;
    for (const name of event.checks) failures.delete(name);
    note(event.failures);
  }
  return failures;
}

/**
 * Partitions of an asset of which some check (one of those wanted) did not pass when it was last made. Of what was checked by
 * events that are pruned only those are known that hold up others.
 */
export function failingSet(
  state: StateReader,
  asset: string,
  wanted: (check: string) => boolean = () => true,
): sets.PartitionSet {
  const failing = new Map<string, Map<number, Set<string>>>();
  const clear = (series: string, made: (time: number) => boolean, checks?: ReadonlySet<string>) => {
    for (const [time, names] of failing.get(series) ?? []) {
      if (!made(time)) continue;
      const left = new Set(checks ? [...names].filter((name) => !checks.has(name)) : []);
      if (left.size > 0) failing.get(series)?.set(time, left);
      else failing.get(series)?.delete(time);
    }
  };
  const held = state.index().asset(asset)?.series ?? new Map();
  for (const { event } of state.events({ asset })) {
    for (const { series, times } of outcomesOf(event)) if (failing.has(series)) clear(series, among(times));
    for (const { series, ranges } of departuresOf(event)) clear(series, (time) => inRanges(ranges, time));
    if (event.kind === 'checked') {
      const checks = new Set(event.checks);
      for (const { series, ranges } of event.set) clear(series, (time) => inRanges(ranges, time), checks);
    }
    for (const { series, time, check, failedRows } of checkFailuresOf(event)) {
      if (failedRows === 0 || !wanted(check)) continue;
      const own = failing.get(series) ?? new Map<number, Set<string>>();
      failing.set(series, own);
      own.set(time, (own.get(time) ?? new Set()).add(check));
    }
  }
  const points: [string, number][] = [...failing].flatMap(([series, times]) =>
    Array.from(times.keys(), (time): [string, number] => [series, time]),
  );
  for (const [key, { base, flags }] of held)
    for (let i = 0; i < flags.length; i++)
      if (((flags[i] as number) & (PRESENT | CHECK_FAILED)) === (PRESENT | CHECK_FAILED)) points.push([key, base + i]);
  return sets.fromPoints(points);
}

/** Times are ascending. */
function among(times: Int32Array): (time: number) => boolean {
  return (time) => {
    let [lo, hi] = [0, times.length];
    while (lo < hi) {
      const middle = (lo + hi) >> 1;
      if ((times[middle] as number) < time) lo = middle + 1;
      else hi = middle;
    }
    return times[lo] === time;
  };
}

const inRanges = (ranges: readonly number[], time: number): boolean =>
  ranges.some((lo, r) => r % 2 === 0 && time >= lo && time < (ranges[r + 1] as number));

const holds = (set: PackedSet, series: string, time: number): boolean =>
  set.some((part) => part.series === series && inRanges(part.ranges, time));

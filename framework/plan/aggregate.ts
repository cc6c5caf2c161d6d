import type { Scratch } from '../common/scratch.ts';
import type { ResolvedAlternative } from '../graph/graph.ts';
import type { SeriesValues } from '../partition/space.ts';

/**
 * What downstream partitions need to know of one upstream point, as bits. They are OR-ed over everything a partition reads,
 * which is why every bit says that *some* point read is so.
 */
export const READABLE = 1; // has content that can be read now
export const DIRTY = 2; // has content, but will be computed again
export const TODO = 4; // has none yet, can be computed
export const RETRY = 8; // failed (or waits for one that did), will be tried again
export const BLOCKED = 16; // failed for its data or a blocking check, or waits for one that did
export const AWAITING = 32; // not published yet
export const AVAILABLE = 64; // exists or can be made
export const GONE = 128; // tombstone, or about to leave
export const BAD = 256; // its content failed a blocking check
const BITS = 9;

/** One series of an evaluated asset, over its window `[base, base + length)`. */
export interface PointClasses {
  readonly key: string;
  readonly values: SeriesValues;
  readonly base: number;
  readonly length: number;
  /** The columns for a moment: where they are not at hand, they are made in scratch memory. */
  classes(scratch: Scratch): Classes;
}

export interface Classes {
  /** Revision of the last change of content, with departures that are about to happen. */
  readonly changed: Uint32Array;
  readonly bits: Uint16Array;
}

/**
 * Per downstream point: the newest change among what it reads, as twice its revision, plus one if it is a departure (so the
 * largest number is the newest change; revisions stay below 2^31), and the OR of the bits.
 */
export interface Aggregate {
  readonly newest: Uint32Array;
  readonly bits: Uint16Array;
}

export const newAggregate = (length: number, scratch: Scratch): Aggregate => ({
  newest: scratch.u32(length),
  bits: scratch.u16(length),
});

/** A change as a number that is larger for newer ones; see {@link Aggregate}. */
export const changeOf = (changed: number, bits: number): number => 2 * changed + (bits & GONE ? 1 : 0);
export const revisionOf = (change: number): number => change >>> 1;
export const isDeparture = (change: number): boolean => (change & 1) === 1;

/** Folds one aggregate into another of the same length, if there is one already. */
export function merge(into: Aggregate | undefined, from: Aggregate): Aggregate {
  if (!into) return from;
  for (let i = 0; i < into.bits.length; i++) {
    if ((from.newest[i] as number) > (into.newest[i] as number)) into.newest[i] = from.newest[i] as number;
    into.bits[i] = (into.bits[i] as number) | (from.bits[i] as number);
  }
  return into;
}

/** Upstream series grouped by what joins them to downstream series. */
export type JoinIndex<T extends PointClasses = PointClasses> = ReadonlyMap<string, readonly T[]>;

export function joinIndex<T extends PointClasses>(alternative: ResolvedAlternative, series: Iterable<T>): JoinIndex<T> {
  const index = new Map<string, T[]>();
  for (const one of series) {
    const join = alternative.mapping.joinUp(one.values);
    if (join === undefined) continue;
    const list = index.get(join);
    if (list) list.push(one);
    else index.set(join, [one]);
  }
  return index;
}

/** Folds into `into` what the partitions `[base, base + length)` of a downstream series read through one alternative of an input. */
export function aggregate(
  into: Aggregate,
  alternative: ResolvedAlternative,
  values: SeriesValues,
  base: number,
  index: JoinIndex,
  scratch: Scratch,
): void {
  for (const join of alternative.mapping.joinDown(values)) {
    for (const series of index.get(join) ?? []) {
      scratch.during(() => {
        if (alternative.sameTime) sameTime(into, base, series, scratch);
        else if (alternative.mapping.monotone) sliding(into, alternative, values, base, series, scratch);
        else scanning(into, alternative, values, base, series, scratch);
      });
    }
  }
}

function take(into: Aggregate, d: number, up: Classes, u: number): void {
  const bits = up.bits[u] as number;
  const change = changeOf(up.changed[u] as number, bits);
  if (change > (into.newest[d] as number)) into.newest[d] = change;
  into.bits[d] = (into.bits[d] as number) | bits;
}

function sameTime(into: Aggregate, base: number, up: PointClasses, scratch: Scratch): void {
  const from = Math.max(base, up.base);
  const to = Math.min(base + into.bits.length, up.base + up.length);
  const columns = up.classes(scratch);
  for (let t = from; t < to; t++) take(into, t - base, columns, t - up.base);
}

/**
 * Both ends of the range read only move forward with time, so bits are counted in and out, and the newest change is the head of
 * a queue kept in falling order: linear in time however wide the window.
 */
function sliding(
  into: Aggregate,
  alternative: ResolvedAlternative,
  values: SeriesValues,
  base: number,
  up: PointClasses,
  scratch: Scratch,
): void {
  const { mapping } = alternative;
  const counts = scratch.i32(BITS);
  const queue = scratch.i32(up.length);
  const { bits: upBits, changed } = up.classes(scratch);
  const change = (u: number) => changeOf(changed[u] as number, upBits[u] as number);
  let head = 0;
  let tail = 0;
  let lo = 0;
  let hi = 0;
  let current = 0;
  const [first, end] = mapping.downstream(values, up.base, up.base + up.length);
  for (let d = Math.max(first - base, 0); d < Math.min(end - base, into.bits.length); d++) {
    const [from, to] = mapping.upstream(values, base + d);
    const newLo = Math.min(Math.max(from - up.base, 0), up.length);
    const newHi = Math.min(Math.max(to - up.base, newLo), up.length);
    for (; hi < newHi; hi++) {
      const bits = upBits[hi] as number;
      // From the highest bit that is set to the lowest: most points have two of them.
      for (let rest = bits; rest !== 0; ) {
        const b = 31 - Math.clz32(rest);
        counts[b] = (counts[b] as number) + 1;
        rest &= ~(1 << b);
      }
      current |= bits;
      while (tail > head && change(queue[tail - 1] as number) <= change(hi)) tail--;
      queue[tail++] = hi;
    }
    for (; lo < newLo; lo++) {
      // A point that the window jumped over was counted in above, so it is counted out here.
      for (let rest = upBits[lo] as number; rest !== 0; ) {
        const b = 31 - Math.clz32(rest);
        counts[b] = (counts[b] as number) - 1;
        if (counts[b] === 0) current &= ~(1 << b);
        rest &= ~(1 << b);
      }
      if (head < tail && queue[head] === lo) head++;
    }
    if (newHi <= newLo) continue;
    into.bits[d] = (into.bits[d] as number) | current;
    const newest = head < tail ? change(queue[head] as number) : 0;
    if (newest > (into.newest[d] as number)) into.newest[d] = newest;
  }
}

function scanning(
  into: Aggregate,
  { mapping }: ResolvedAlternative,
  values: SeriesValues,
  base: number,
  up: PointClasses,
  scratch: Scratch,
): void {
  const columns = up.classes(scratch);
  for (let d = 0; d < into.bits.length; d++) {
    const [from, to] = mapping.upstream(values, base + d);
    const end = Math.min(to - up.base, up.length);
    for (let u = Math.max(from - up.base, 0); u < end; u++) take(into, d, columns, u);
  }
}

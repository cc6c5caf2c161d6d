import { LakehouseError } from '../common/errors.ts';

/**
 * A set of integers as immutable, sorted, disjoint, non-touching half-open ranges, flat: `[lo, hi, lo, hi, …]`. Equal sets have
 * equal bounds. The only representation of "which times" in this project.
 */
export interface RangeSet {
  readonly bounds: readonly number[];
}

export const EMPTY: RangeSet = { bounds: [] };

/** `[lo, hi)`; empty when `hi <= lo`. */
export function range(lo: number, hi: number): RangeSet {
  return hi > lo ? { bounds: [lo, hi] } : EMPTY;
}

/** Adds `[lo, hi)` at the end; `lo` must not be before the last range's start. */
function push(bounds: number[], lo: number, hi: number): void {
  if (hi <= lo) return;
  const end = bounds.length - 1;
  const last = bounds[end];
  if (last === undefined || lo > last) bounds.push(lo, hi);
  else if (hi > last) bounds[end] = hi;
}

function wrap(bounds: number[]): RangeSet {
  return bounds.length === 0 ? EMPTY : { bounds };
}

/** From ascending indices; repeats are allowed. Throws `LakehouseError('unsorted-indices')` when they descend. */
export function fromSorted(indices: Iterable<number>): RangeSet {
  const bounds: number[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const index of indices) {
    if (index < previous) {
      throw new LakehouseError('unsorted-indices', `Index ${index} follows ${previous}`, { kind: 'internal' });
    }
    previous = index;
    push(bounds, index, index + 1);
  }
  return wrap(bounds);
}

/** From half-open pairs in any order, overlapping or not; empty ones are ignored. */
export function fromRanges(pairs: Iterable<readonly [lo: number, hi: number]>): RangeSet {
  const bounds: number[] = [];
  for (const [lo, hi] of [...pairs].sort((a, b) => a[0] - b[0])) push(bounds, lo, hi);
  return wrap(bounds);
}

/** The bound at a position, or +∞ past the end, which every merge below relies on to finish. */
function at(bounds: readonly number[], i: number): number {
  return bounds[i] ?? Number.POSITIVE_INFINITY;
}

export function union(a: RangeSet, b: RangeSet): RangeSet {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const bounds: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.bounds.length || j < b.bounds.length) {
    if (at(a.bounds, i) <= at(b.bounds, j)) {
      push(bounds, at(a.bounds, i), at(a.bounds, i + 1));
      i += 2;
    } else {
      push(bounds, at(b.bounds, j), at(b.bounds, j + 1));
      j += 2;
    }
  }
  return wrap(bounds);
}

export function unionAll(list: Iterable<RangeSet>): RangeSet {
  const all = [...list].filter((set) => !isEmpty(set));
  if (all.length <= 1) return all[0] ?? EMPTY;
  return fromRanges(all.flatMap((set) => [...pairs(set)]));
}

export function intersect(a: RangeSet, b: RangeSet): RangeSet {
  const bounds: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.bounds.length && j < b.bounds.length) {
    const aHi = at(a.bounds, i + 1);
    const bHi = at(b.bounds, j + 1);
    push(bounds, Math.max(at(a.bounds, i), at(b.bounds, j)), Math.min(aHi, bHi));
    if (aHi <= bHi) i += 2;
    else j += 2;
  }
  return wrap(bounds);
}

/** What is in `a` and not in `b`. */
export function subtract(a: RangeSet, b: RangeSet): RangeSet {
  if (isEmpty(b)) return a;
  const bounds: number[] = [];
  let j = 0;
  for (let i = 0; i < a.bounds.length; i += 2) {
    let lo = at(a.bounds, i);
    const hi = at(a.bounds, i + 1);
    while (at(b.bounds, j + 1) <= lo) j += 2;
    // A range of `b` may reach into the next range of `a`, so `j` only advances past what ends inside this one.
    while (at(b.bounds, j) < hi) {
      push(bounds, lo, at(b.bounds, j));
      lo = at(b.bounds, j + 1);
      if (lo >= hi) break;
      j += 2;
    }
    push(bounds, lo, hi);
  }
  return wrap(bounds);
}

/** How many integers are in the set. */
export function count(a: RangeSet): number {
  let total = 0;
  for (let i = 0; i < a.bounds.length; i += 2) total += at(a.bounds, i + 1) - at(a.bounds, i);
  return total;
}

/** Membership, by binary search. */
export function has(a: RangeSet, index: number): boolean {
  let lo = 0;
  let hi = a.bounds.length;
  while (lo < hi) {
    const middle = (lo + hi) >>> 1;
    if (at(a.bounds, middle) <= index) lo = middle + 1;
    else hi = middle;
  }
  return lo % 2 === 1;
}

export function isEmpty(a: RangeSet): boolean {
  return a.bounds.length === 0;
}

export function equals(a: RangeSet, b: RangeSet): boolean {
  return a === b || (a.bounds.length === b.bounds.length && a.bounds.every((bound, i) => bound === b.bounds[i]));
}

/** The smallest member; undefined for the empty set. */
export function first(a: RangeSet): number | undefined {
  return a.bounds[0];
}

/** The largest member (not the bound after it); undefined for the empty set. */
export function last(a: RangeSet): number | undefined {
  const bound = a.bounds.at(-1);
  return bound === undefined ? undefined : bound - 1;
}

/** The half-open ranges, ascending. */
export function* pairs(a: RangeSet): Generator<readonly [lo: number, hi: number]> {
  for (let i = 0; i < a.bounds.length; i += 2) yield [at(a.bounds, i), at(a.bounds, i + 1)];
}

/** Every member, ascending. */
export function* iterate(a: RangeSet): Generator<number> {
  for (const [lo, hi] of pairs(a)) for (let i = lo; i < hi; i++) yield i;
}

/** The set with `n` added to every member. */
export function shift(a: RangeSet, n: number): RangeSet {
  return n === 0 || isEmpty(a) ? a : { bounds: a.bounds.map((bound) => bound + n) };
}

import type { Scratch } from '../common/scratch.ts';
import type { ResolvedInput } from '../graph/graph.ts';
import type { ResolvedMapping } from '../partition/mapping.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { SeriesValues } from '../partition/space.ts';
import { changeOf, DIRTY, RETRY, TODO } from './aggregate.ts';

/** The mapping by which an asset reads itself, if it does. */
export function selfMapping(inputs: readonly ResolvedInput[]): ResolvedMapping | undefined {
  for (const { alternatives } of inputs) for (const { mapping } of alternatives) if (mapping.self) return mapping;
  return undefined;
}

/** What a link of a chain finds in the earlier links it reads. */
export interface SelfRead {
  /** The newest change, as in `Aggregate`. */
  readonly newest: number;
  /** Some are not fresh, and may change when they are computed. */
  readonly moving: boolean;
  /** Some are computed in this very run. */
  readonly running: boolean;
}

const NOTHING: SelfRead = { newest: 0, moving: false, running: false };

/**
 * Reads the links of a chain that come before link `i`, whose columns must be settled by then. To be asked in the order of time;
 * the cost per link is constant however far back it reads.
 */
export function selfReader(
  mapping: ResolvedMapping,
  values: SeriesValues,
  base: number,
  { bits, changed, run, runs }: { bits: Uint16Array; changed: Uint32Array; run: Uint8Array; runs: number },
  scratch: Scratch,
): (i: number) => SelfRead {
  const moving = scratch.i32(bits.length + 1);
  const running = scratch.i32(bits.length + 1);
  const change = (u: number) => changeOf(changed[u] as number, bits[u] as number);
  // Indices in falling order of their changes: the newest of what is read is at the head once older ones are dropped.
  const queue = scratch.i32(bits.length);
  let head = 0;
  let tail = 0;
  let settled = 0;
  return (i) => {
    for (; settled < i; settled++) {
      const moves = run[settled] !== 0 || ((bits[settled] as number) & (DIRTY | TODO | RETRY)) !== 0;
      moving[settled + 1] = (moving[settled] as number) + (moves ? 1 : 0);
      running[settled + 1] = (running[settled] as number) + (run[settled] === runs ? 1 : 0);
    }
    const [from, to] = mapping.upstream(values, base + i);
    const lo = Math.max(from - base, 0);
    const hi = Math.min(to - base, i);
    if (hi <= lo) return NOTHING;
    let newest = 0;
    if (!mapping.monotone) for (let u = lo; u < hi; u++) newest = Math.max(newest, change(u));
    else {
      for (let u = queueEnd(queue, head, tail); u < hi; u++) {
        while (tail > head && change(queue[tail - 1] as number) <= change(u)) tail--;
        queue[tail++] = u;
      }
      while ((queue[head] as number) < lo) head++;
      newest = change(queue[head] as number);
    }
    const some = (counts: Int32Array) => (counts[hi] as number) > (counts[lo] as number);
    return { newest, moving: some(moving), running: some(running) };
  };
}

/** The index after the last one that was queued; the newest is always the last in the queue. */
const queueEnd = (queue: Int32Array, head: number, tail: number): number =>
  tail > head ? (queue[tail - 1] as number) + 1 : 0;

/** Links with all the earlier ones they are made of, directly or not, among those that exist. */
export function chainUpstream(
  mapping: ResolvedMapping,
  values: SeriesValues,
  links: RangeSet,
  existing: RangeSet,
): RangeSet {
  if (ranges.isEmpty(ranges.subtract(existing, links))) return links;
  const end = (ranges.last(links) ?? 0) + 1;
  const base = ranges.first(existing) ?? end;
  const wanted = new Uint8Array(Math.max(end - base, 0));
  for (const [lo, hi] of ranges.pairs(links)) wanted.fill(1, Math.max(lo - base, 0), Math.max(hi - base, 0));
  const exists = new Uint8Array(wanted.length);
  for (const [lo, hi] of ranges.pairs(existing)) exists.fill(1, lo - base, Math.max(hi - base, 0));
  // What was marked down to `marked` need not be marked again, so that every link is marked once.
  let marked = wanted.length;
  for (let i = wanted.length - 1; i >= 0; i--) {
    if (!wanted[i] || !exists[i]) continue;
    const [from, to] = mapping.upstream(values, base + i);
    const hi = Math.min(to - base, i);
    const lo = Math.max(from - base, 0);
    for (let u = (mapping.monotone ? Math.min(hi, marked) : hi) - 1; u >= lo; u--) wanted[u] = exists[u] as number;
    if (mapping.monotone) marked = Math.min(marked, lo);
  }
  return ranges.union(links, rangesOf(wanted, base));
}

/** Of links that may be computed, those that are reached from links that are, through links that may. */
export function chainDownstream(
  mapping: ResolvedMapping,
  values: SeriesValues,
  moved: RangeSet,
  may: RangeSet,
): RangeSet {
  const all = ranges.union(moved, may);
  const base = ranges.first(all) ?? 0;
  const length = (ranges.last(all) ?? base - 1) + 1 - base;
  const counts = new Int32Array(length + 1);
  const reached = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const t = base + i;
    if (ranges.has(moved, t)) reached[i] = 1;
    else if (ranges.has(may, t)) {
      const [from, to] = mapping.upstream(values, t);
      const lo = Math.max(from - base, 0);
      const hi = Math.min(to - base, i);
      reached[i] = hi > lo && (counts[hi] as number) > (counts[lo] as number) ? 1 : 0;
    }
    counts[i + 1] = (counts[i] as number) + (reached[i] as number);
  }
  return rangesOf(reached, base);
}

/** Where a column has a value, as times. */
export function rangesOf(column: Uint8Array, base: number, value = 1): RangeSet {
  const pairs: [number, number][] = [];
  // indexOf passes over a thousand entries in the time that a loop takes for ten.
  for (let i = column.indexOf(value), end = i; i >= 0; i = column.indexOf(value, end)) {
    for (end = i + 1; column[end] === value; ) end++;
    pairs.push([base + i, base + end]);
  }
  return ranges.fromRanges(pairs);
}

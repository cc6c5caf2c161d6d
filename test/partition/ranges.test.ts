import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ranges from '../../framework/partition/ranges.ts';

/** Runs of members and gaps of lengths 1 to 6 from a start on, so that ranges of two sets overlap in every way. */
const rangeSets = fc
  .tuple(fc.integer({ min: -10, max: 10 }), fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 16, size: 'max' }))
  .map(([start, lengths]) => {
    let end = start;
    const runs = lengths.map((length, i) => {
      end += length;
      return i % 2 === 0 ? ranges.range(end - length, end) : ranges.EMPTY;
    });
    return ranges.fromSorted(runs.flatMap((run) => [...ranges.iterate(run)]));
  });
const asSet = (a: ranges.RangeSet) => new Set(ranges.iterate(a));
const ofSet = (set: Set<number>) => ranges.fromSorted([...set].sort((a, b) => a - b));

function isCanonical({ bounds }: ranges.RangeSet): boolean {
  return bounds.length % 2 === 0 && bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? bound));
}

describe('range sets', () => {
  it('agree with sets of integers in every operation, and stay canonical', () => {
    fc.assert(
      fc.property(rangeSets, rangeSets, fc.integer({ min: -15, max: 70 }), (a, b, n) => {
        const results = [ranges.union(a, b), ranges.intersect(a, b), ranges.subtract(a, b), ranges.shift(a, n)];
        const [x, y] = [asSet(a), asSet(b)];
        expect(results).toEqual([
          ofSet(new Set([...x, ...y])),
          ofSet(new Set([...x].filter((i) => y.has(i)))),
          ofSet(new Set([...x].filter((i) => !y.has(i)))),
          ofSet(new Set([...x].map((i) => i + n))),
        ]);
        expect(results.every(isCanonical)).toBe(true);
        expect(ranges.count(a)).toBe(x.size);
        expect(ranges.has(a, n)).toBe(x.has(n));
        expect(ranges.isEmpty(a)).toBe(x.size === 0);
        expect(ranges.first(a)).toBe(x.size === 0 ? undefined : Math.min(...x));
        expect(ranges.last(a)).toBe(x.size === 0 ? undefined : Math.max(...x));
        expect(ranges.equals(a, b)).toBe(x.size === y.size && [...x].every((i) => y.has(i)));
      }),
      { numRuns: 1000 },
    );
  });

  it('obey the laws of set algebra', () => {
    fc.assert(
      fc.property(rangeSets, rangeSets, rangeSets, (a, b, c) => {
        const { union, intersect, subtract, EMPTY } = ranges;
        expect(union(a, b)).toEqual(union(b, a));
        expect(union(a, union(b, c))).toEqual(union(union(a, b), c));
        expect(intersect(a, union(b, c))).toEqual(union(intersect(a, b), intersect(a, c)));
        expect(subtract(a, union(b, c))).toEqual(subtract(subtract(a, b), c));
        expect(union(subtract(a, b), intersect(a, b))).toEqual(a);
        expect(intersect(subtract(a, b), b)).toEqual(EMPTY);
        expect(ranges.unionAll([a, b, c])).toEqual(union(a, union(b, c)));
      }),
    );
  });

  it('are built from pairs in any order, overlapping, touching or empty', () => {
    const pair = fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -5, max: 12 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 12, size: 'max' }), (list) => {
        const pairs = list.map(([lo, length]) => [lo, lo + length] as const);
        const expected = new Set(pairs.flatMap(([lo, hi]) => [...ranges.iterate(ranges.range(lo, hi))]));
        expect(ranges.fromRanges(pairs)).toEqual(ofSet(expected));
        expect(ranges.fromRanges(ranges.pairs(ofSet(expected)))).toEqual(ofSet(expected));
      }),
    );
  });

  it('hold a million contiguous times in two numbers', () => {
    const million = ranges.range(0, 1_000_000);
    expect(million.bounds).toEqual([0, 1_000_000]);
    expect(ranges.subtract(million, ranges.range(500, 501)).bounds).toEqual([0, 500, 501, 1_000_000]);
    expect(ranges.fromSorted(ranges.iterate(million))).toEqual(million);
  });

  it('refuse indices that descend, and ignore repeats', () => {
    expect(ranges.fromSorted([1, 1, 2]).bounds).toEqual([1, 3]);
    expect(() => ranges.fromSorted([1, 3, 2])).toThrowErrorMatchingInlineSnapshot(
      `[LakehouseError: Index 2 follows 3]`,
    );
  });
});

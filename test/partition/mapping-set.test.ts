import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../framework/common/errors.ts';
import {
  downstreamSet,
  type ListedRule,
  type MappingSpec,
  type ResolvedMapping,
  resolveMapping,
  type TimeRule,
  upstreamSet,
} from '../../framework/partition/mapping.ts';
import * as ranges from '../../framework/partition/ranges.ts';
import * as sets from '../../framework/partition/set.ts';
import { type PartitionSpace, partitionSpace, readSeriesKey, seriesKey } from '../../framework/partition/space.ts';
import { type Grain, indexAt } from '../../framework/partition/time.ts';
import { date, interval, symbol, timeOf } from './support.ts';

const helpers = { barMs: () => 3_600_000 };
const down = (grain: Grain) => partitionSpace([symbol, interval, timeOf(grain)]);

function resolve(spec: MappingSpec, downSpace: PartitionSpace, up: PartitionSpace): ResolvedMapping {
  const result = resolveMapping(spec, downSpace, up, helpers);
  if ('issues' in result) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.mapping;
}

/** Whether one partition reads another, by the two halves of the mapping: the definition the set functions must agree with. */
function reads(
  mapping: ResolvedMapping,
  [key, t]: readonly [string, number],
  [upKey, u]: readonly [string, number],
): boolean {
  const join = mapping.joinUp(readSeriesKey(upKey));
  const values = readSeriesKey(key);
  const [lo, hi] = mapping.upstream(values, t);
  return join !== undefined && mapping.joinDown(values).includes(join) && lo <= u && u < hi;
}

const EPOCH = Date.UTC(2024, 0, 1);
const points = (grain: Grain, length: number) =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom('A', 'B', 'C'),
        fc.constantFrom('1m', '1h'),
        fc.integer({ min: 0, max: length }).map((i) => indexAt(grain, EPOCH) + i),
      ),
      { maxLength: 25, size: 'max' },
    )
    .map((list) => sets.fromPoints(list.map(([s, i, t]) => [seriesKey(down(grain), { symbol: s, interval: i }), t])));

const timeRules = fc.constantFrom<TimeRule>(
  { rule: 'overlapping' },
  { rule: 'window', from: { days: -3 }, to: { days: 1 } },
  { rule: 'window', from: { bars: -30 } },
  { rule: 'window', from: { index: -2 }, to: { index: -1 } },
  { rule: 'all' },
  { rule: 'only', text: ['2024-01'] },
  {
    rule: 'custom',
    id: 'scattered',
    upstream: ({ lo }) => (lo % 2 === 0 ? [lo - 1, lo] : [lo + 1, lo + 2]),
    downstream: ({ lo, hi }) => [lo - 1, hi + 1],
  },
);
const symbolRules = fc.constantFrom<ListedRule>(
  { rule: 'same' },
  { rule: 'all' },
  { rule: 'only', values: ['A', 'C'] },
  { rule: 'custom', id: 'next', upstream: (value) => (value === 'A' ? ['B', 'C'] : []) },
);
const cases = fc
  .tuple(fc.constantFrom<Grain>('day', 'week', 'month'), fc.constantFrom<Grain>('day', 'week', 'month'))
  .chain(([grain, upGrain]) =>
    fc.record({
      grain: fc.constant(grain),
      time: timeRules,
      listed: symbolRules,
      downSet: points(grain, 20),
      upSet: points(upGrain, 20),
      upGrain: fc.constant(upGrain),
    }),
  );

describe('mappings of sets', () => {
  it('agree with the mapping of every pair of points, in both directions', () => {
    fc.assert(
      fc.property(cases, ({ grain, upGrain, time, listed, downSet, upSet }) => {
        const mapping = resolve({ time, listed: { symbol: listed } }, down(grain), down(upGrain));
        const { read } = upstreamSet(mapping, downSet, down(grain), upSet);
        const [downPoints, upPoints] = [[...sets.points(downSet)], [...sets.points(upSet)]];
        expect(read).toEqual(sets.fromPoints(upPoints.filter((u) => downPoints.some((d) => reads(mapping, d, u)))));
        const readers = sets.fromPoints(downPoints.filter((d) => upPoints.some((u) => reads(mapping, d, u))));
        const answered = downstreamSet(mapping, upSet, downSet);
        if (mapping.monotone) expect(answered).toEqual(readers);
        else expect(sets.subtract(readers, answered)).toEqual(sets.EMPTY_SET);
      }),
      { numRuns: 500 },
    );
  });

  it('lead from what is read back to at least those who read it', () => {
    fc.assert(
      fc.property(cases, ({ grain, upGrain, time, listed, downSet, upSet }) => {
        const mapping = resolve({ time, listed: { symbol: listed } }, down(grain), down(upGrain));
        const readers = downstreamSet(mapping, upSet, downSet);
        const { read } = upstreamSet(mapping, readers, down(grain), upSet);
        const back = downstreamSet(mapping, read, downSet);
        if (mapping.monotone) expect(back).toEqual(readers);
        else expect(sets.subtract(back, readers)).toEqual(sets.EMPTY_SET);
      }),
    );
  });

  it('take the fast path of identical spaces to the same answer', () => {
    fc.assert(
      fc.property(points('day', 20), points('day', 20), (downSet, upSet) => {
        const space = down('day');
        const mapping = resolve({ time: { rule: 'same' }, listed: {} }, space, space);
        const slow: ResolvedMapping = { ...mapping, identity: false };
        expect(mapping.identity).toBe(true);
        expect(upstreamSet(mapping, downSet, space, upSet)).toEqual(upstreamSet(slow, downSet, space, upSet));
        expect(downstreamSet(mapping, upSet, downSet)).toEqual(downstreamSet(slow, upSet, downSet));
      }),
    );
  });
});

describe('nonexistent upstream partitions', () => {
  const daily = partitionSpace([symbol, date]);
  const overview = partitionSpace([date]);
  const set = (entries: Record<string, [number, number]>) =>
    sets.fromSeries(Object.entries(entries).map(([key, [lo, hi]]) => [key, ranges.range(lo, hi)]));
  const week: TimeRule = { rule: 'window', from: { days: -7 } };

  it('are counted, and told apart from those that are read', () => {
    const mapping = resolve({ time: week, listed: {} }, daily, daily);
    // A is listed on day 100, so its first day asks for seven days that are not there; B is not there at all.
    const answer = upstreamSet(
      mapping,
      set({ 'symbol=A': [100, 103], 'symbol=B': [100, 101] }),
      daily,
      set({ 'symbol=A': [100, 200] }),
    );
    expect(answer).toEqual({ read: set({ 'symbol=A': [100, 103] }), nonexistent: 7 + 8 });
  });

  it('are times without any series, where all series are read', () => {
    const mapping = resolve({ time: week, listed: { symbol: { rule: 'all' } } }, overview, daily);
    const universe = set({ 'symbol=A': [90, 98], 'symbol=B': [97, 200] });
    expect(upstreamSet(mapping, set({ '': [96, 97] }), overview, universe)).toEqual({
      read: set({ 'symbol=A': [90, 97] }),
      nonexistent: 1,
    });
  });

  it('are none in particular where all times are read', () => {
    const mapping = resolve({ time: { rule: 'all' }, listed: {} }, daily, daily);
    expect(upstreamSet(mapping, set({ 'symbol=A': [5, 6] }), daily, set({ 'symbol=A': [1, 9] }))).toEqual({
      read: set({ 'symbol=A': [1, 9] }),
      nonexistent: 0,
    });
  });

  it('follow a departed series to those who read it', () => {
    const mapping = resolve({ time: { rule: 'same' }, listed: { symbol: { rule: 'all' } } }, overview, daily);
    expect(downstreamSet(mapping, set({ 'symbol=GONE': [10, 12] }), set({ '': [0, 100] }))).toEqual(
      set({ '': [10, 12] }),
    );
  });
});

describe('a million partitions', () => {
  it('are mapped as ranges, through a window over a thousand series', () => {
    const space = partitionSpace([symbol, date]);
    const million = sets.fromSeries(
      Array.from({ length: 1000 }, (_, i) => [`symbol=S${i}`, ranges.range(1000, 2000)] as const),
    );
    const mapping = resolve({ time: { rule: 'window', from: { days: -30 } }, listed: {} }, space, space);
    const { read, nonexistent } = upstreamSet(mapping, million, space, million);
    expect([sets.countOf(read), nonexistent]).toEqual([1_000_000, 30_000]);
    expect([...read.bySeries.values()].reduce((sum, times) => sum + times.bounds.length, 0)).toBe(2000);
    expect(sets.equals(downstreamSet(mapping, million, million), million)).toBe(true);
  });
});

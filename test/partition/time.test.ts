import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coverRange,
  endOf,
  formatIndex,
  GRAINS,
  type Grain,
  indexAt,
  parseIndex,
  parseInstantRange,
  parseInstantSpan,
  startOf,
} from '../../framework/partition/time.ts';

const FIRST = Date.UTC(-100, 0, 1);
const LAST = Date.UTC(9999, 11, 31, 23);
const grains = fc.constantFrom(...GRAINS);
const instants = fc.integer({ min: FIRST, max: LAST });
const printable = fc.integer({ min: Date.parse('0000-01-03T00:00Z'), max: LAST });

/** The start of a period by the platform's calendar, independent of the code under test. */
function startByDate(grain: Grain, ms: number): number {
  const date = new Date(ms);
  if (grain === 'hour') return date.setUTCMinutes(0, 0, 0);
  date.setUTCHours(0, 0, 0, 0);
  if (grain === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  if (grain === 'month' || grain === 'year') date.setUTCDate(1);
  if (grain === 'year') date.setUTCMonth(0);
  return date.getTime();
}

describe('indices', () => {
  it('starts and ends periods where the calendar does', () => {
    fc.assert(
      fc.property(grains, instants, (grain, ms) => {
        const index = indexAt(grain, ms);
        expect(startOf(grain, index)).toBe(startByDate(grain, ms));
        expect(startByDate(grain, endOf(grain, index))).toBe(endOf(grain, index));
        expect(startOf(grain, index)).toBeLessThanOrEqual(ms);
        expect(endOf(grain, index)).toBeGreaterThan(ms);
        expect(indexAt(grain, endOf(grain, index) - 1)).toBe(index);
        expect(indexAt(grain, endOf(grain, index))).toBe(index + 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('has index 0 contain the epoch', () => {
    expect(GRAINS.map((grain) => [indexAt(grain, 0), formatIndex(grain, 0)])).toEqual([
      [0, '1970-01-01T00'],
      [0, '1970-01-01'],
      [0, '1969-12-29'],
      [0, '1970-01'],
      [0, '1970'],
    ]);
  });

  it('knows the leap days of 1900, 2000 and 2024', () => {
    const days = (text: string) => {
      const range = parseInstantRange(text);
      return range && (range.toMs - range.fromMs) / 86_400_000;
    };
    expect(['1900-02', '2000-02', '2023-02', '2024-02', '2024'].map(days)).toEqual([28, 29, 28, 29, 366]);
  });
});

describe('text', () => {
  it('parses what it prints, at the printed instant', () => {
    fc.assert(
      fc.property(grains, printable, (grain, ms) => {
        const index = indexAt(grain, ms);
        const text = formatIndex(grain, index);
        expect(parseIndex(grain, text)).toBe(index);
        const iso = new Date(startOf(grain, index)).toISOString();
        expect(iso.startsWith(text)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[Grain, string]>([
    ['day', '2024-02-30'],
    ['day', '2023-02-29'],
    ['day', '2024-13-01'],
    ['day', '2024-00-10'],
    ['day', '2024-01-00'],
    ['day', '2024-1-1'],
    ['day', '2024-01'],
    ['day', '2024-01-01T00'],
    ['day', ' 2024-01-01'],
    ['day', '20240101'],
    ['hour', '2024-01-01T24'],
    ['hour', '2024-01-01'],
    ['hour', '2024-01-01T05:00'],
    ['week', '2024-01-02'],
    ['week', '2024-W01'],
    ['month', '2024-13'],
    ['month', '2024-01-01'],
    ['year', '24'],
    ['year', ''],
  ])('refuses %s %s', (grain, text) => {
    expect(parseIndex(grain, text)).toBeUndefined();
  });

  it('reads periods of any precision as instants', () => {
    const iso = (text: string) => {
      const range = parseInstantRange(text);
      return range && [new Date(range.fromMs).toISOString(), new Date(range.toMs).toISOString()];
    };
    expect(iso('2024')).toEqual(['2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z']);
    expect(iso('2024-12')).toEqual(['2024-12-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z']);
    expect(iso('2024-02-29')).toEqual(['2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z']);
    expect(iso('2024-12-31T23')).toEqual(['2024-12-31T23:00:00.000Z', '2025-01-01T00:00:00.000Z']);
    expect(iso('2024-02-30')).toBeUndefined();
  });

  it('reads spans with both ends included, and open ones', () => {
    const year = parseInstantRange('2024');
    expect(parseInstantSpan('2024-01..2024-12')).toEqual(year);
    expect(parseInstantSpan('2024-01-01..2024')).toEqual(year);
    expect(parseInstantSpan('2024..')).toEqual({ fromMs: year?.fromMs, toMs: Number.POSITIVE_INFINITY });
    expect(parseInstantSpan('..2024')).toEqual({ fromMs: Number.NEGATIVE_INFINITY, toMs: year?.toMs });
    expect(['..', '2024..x', 'x..2024', '2024...2025', ''].map(parseInstantSpan)).toEqual(Array(5).fill(undefined));
  });
});

describe('coverRange', () => {
  it('gives exactly the periods that overlap, across all grains', () => {
    const days = fc.integer({ min: indexAt('day', FIRST), max: indexAt('day', LAST) });
    fc.assert(
      fc.property(grains, grains, days, fc.integer({ min: 1, max: 40 }), (from, to, day, length) => {
        const lo = indexAt(from, day * 86_400_000);
        const [first, end] = coverRange(from, lo, lo + length, to);
        const [startMs, endMs] = [startOf(from, lo), startOf(from, lo + length)];
        expect([endOf(to, first - 1) <= startMs, endOf(to, first) > startMs]).toEqual([true, true]);
        expect([startOf(to, end - 1) < endMs, startOf(to, end) >= endMs]).toEqual([true, true]);
        const [emptyLo, emptyHi] = coverRange(from, lo, lo, to);
        expect(emptyHi).toBe(emptyLo);
      }),
    );
  });

  it('takes a month to its days and a day to its month', () => {
    const month = parseIndex('month', '2024-02') ?? Number.NaN;
    const [lo, hi] = coverRange('month', month, month + 1, 'day');
    expect([formatIndex('day', lo), formatIndex('day', hi)]).toEqual(['2024-02-01', '2024-03-01']);
    expect(coverRange('day', lo, hi, 'month')).toEqual([month, month + 1]);
    expect(coverRange('week', 0, 1, 'month')).toEqual([-1, 1]);
  });
});

import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SHOWN_STATUSES, type ShownStatus } from '../../../framework/tui/model/data.ts';
import {
  allot,
  freshnessBar,
  freshShare,
  legend,
  notFresh,
  progressBar,
  sparkline,
} from '../../../framework/tui/view/bars.ts';
import { width } from '../../../framework/tui/view/text.ts';
import { ASCII, amounts, PLAIN, themes } from './fitting.ts';
import { counts } from './samples.ts';

const anyCounts = fc.record(
  Object.fromEntries(SHOWN_STATUSES.map((status) => [status, amounts])) as Record<ShownStatus, typeof amounts>,
);

describe('cells in proportion', () => {
  test.each([
    ['halves', [50, 50], 10, [5, 5]],
    ['one at least', [999_999, 1, 0], 10, [9, 1, 0]],
    ['nothing at all', [0, 0], 10, [0, 0]],
    ['too few cells: the first in the order', [5, 5, 5], 2, [1, 1, 0]],
    ['no cells', [5], 0, [0]],
    ['all the same small share', [1, 1, 1], 10, [4, 3, 3]],
  ])('%s', (_, values, cells, shared) => {
    expect(
      allot(
        values,
        cells,
        values.map((_, i) => i),
      ),
    ).toEqual(shared);
  });

  test('all cells are given, none to a zero, and as many as can be to what is not', () => {
    fc.assert(
      fc.property(fc.array(amounts, { minLength: 1, maxLength: 10 }), fc.nat(80), (values, cells) => {
        const shared = allot(
          values,
          cells,
          values.map((_, i) => i),
        );
        const some = values.filter((value) => value > 0).length;
        expect(shared.reduce((sum, one) => sum + one, 0)).toBe(some === 0 ? 0 : cells);
        expect(shared.filter((one, i) => one > 0 && values[i] === 0)).toEqual([]);
        expect(shared.filter((one) => one > 0).length).toBe(
          Math.min(
            some,
            shared.reduce((sum, one) => sum + one, 0),
            cells,
          ),
        );
      }),
    );
  });

  test('what is more never has fewer cells', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(10_000), { minLength: 2, maxLength: 10 }),
        fc.integer({ min: 10, max: 80 }),
        (values, cells) => {
          const sorted = values.toSorted((a, b) => b - a);
          const shared = allot(
            sorted,
            cells,
            sorted.map((_, i) => i),
          );
          expect(shared).toEqual(shared.toSorted((a, b) => b - a));
        },
      ),
    );
  });
});

describe('freshness', () => {
  const mixed = counts({ fresh: 1000, stale: 20, missing: 1, failed: 1 });

  test('a shape per status', () => {
    expect(freshnessBar(PLAIN, mixed, 12)).toBe('■■■■■■■■■◪□✗');
    expect(freshnessBar(ASCII, mixed, 12)).toBe('#########%oX');
    expect(freshnessBar(PLAIN, counts({ fresh: 3 }), 4)).toBe('■■■■');
  });

  test('unknown and nothing are a dotted line', () => {
    expect(freshnessBar(PLAIN, undefined, 4)).toBe('┈┈┈┈');
    expect(freshnessBar(ASCII, counts({}), 4)).toBe('....');
  });

  test('with too few cells, what needs attention is left', () => {
    expect(freshnessBar(PLAIN, mixed, 2)).toBe('◪✗');
  });

  test('always as wide as asked', () => {
    fc.assert(
      fc.property(fc.option(anyCounts, { nil: undefined }), fc.nat(80), themes, (some, columns, theme) => {
        expect(width(freshnessBar(theme, some, columns))).toBe(columns);
      }),
    );
  });

  test('shares: what is awaited or cannot be had does not count', () => {
    expect(freshShare(counts({ fresh: 10, awaiting: 5, unavailable: 5, unneeded: 1, leaving: 1 }))).toBe('100%');
    expect(freshShare(counts({ fresh: 1, missing: 1 }))).toBe('50%');
    expect(freshShare(counts({ awaiting: 4 }))).toBe('');
  });

  test('what is not fresh, most urgent first, and that there is more', () => {
    expect(notFresh(PLAIN, mixed, 20)).toEqual({ text: '✗1 ◪20 □1', cells: 9 });
    expect(notFresh(PLAIN, mixed, 7)).toEqual({ text: '✗1 ◪20…', cells: 7 });
    expect(notFresh(PLAIN, mixed, 6)).toEqual({ text: '✗1 ◪20', cells: 6 });
    expect(notFresh(PLAIN, counts({ fresh: 7 }), 20)).toEqual({ text: '', cells: 0 });
  });

  test('the legend names what there is', () => {
    expect(legend(PLAIN, mixed, 80)).toBe('■ 1,000 fresh  ◪ 20 stale  □ 1 missing  ✗ 1 failed');
    expect(legend(PLAIN, mixed, 30)).toBe('■ 1,000 fresh  ◪ 20 stale');
  });

  test('neither is wider than asked', () => {
    fc.assert(
      fc.property(anyCounts, fc.nat(100), themes, (some, columns, theme) => {
        const { text, cells } = notFresh(theme, some, columns);
        expect(width(text)).toBe(cells);
        expect(cells).toBeLessThanOrEqual(columns);
        expect(width(legend(theme, some, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('sparklines', () => {
  test.each([
    ['from nothing to most', [0, 1, 2, 3, 4, 5, 6, 7, 8], 9, ' ▁▂▃▄▅▆▇▇'],
    ['newest at the right', [1, 2], 4, '  ▄▇'],
    ['the newest that fit', [8, 8, 1, 8], 2, '▁▇'],
    ['only zeros', [0, 0], 3, '   '],
    ['none', [], 3, '   '],
    ['huge', [1e21, 5e20], 2, '▇▄'],
  ])('%s', (_, values, columns, line) => {
    expect(stripVTControlCharacters(sparkline(PLAIN, values, columns))).toBe(line);
  });

  test('in ASCII', () => expect(sparkline(ASCII, [0, 1, 4, 8], 4)).toBe(' .=#'));
});

describe('progress', () => {
  test.each([
    ['nothing yet', { done: 0, failed: 0, total: 8 }, '────────'],
    ['a little shows', { done: 1, failed: 0, total: 1000 }, '━───────'],
    ['not full before the end', { done: 999, failed: 0, total: 1000 }, '━━━━━━━─'],
    ['all', { done: 8, failed: 0, total: 8 }, '━━━━━━━━'],
    ['failures have another shape', { done: 6, failed: 2, total: 8 }, '━━━━━━╍╍'],
    ['of nothing', { done: 0, failed: 0, total: 0 }, '────────'],
  ])('%s', (_, done, bar) => expect(progressBar(PLAIN, done, 8)).toBe(bar));

  test('always as wide as asked', () => {
    fc.assert(
      fc.property(
        fc.record({ done: amounts, failed: amounts, total: amounts }),
        fc.nat(80),
        themes,
        (done, columns, theme) => {
          expect(width(progressBar(theme, done, columns))).toBe(columns);
        },
      ),
    );
  });
});

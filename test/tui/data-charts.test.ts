import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../framework/tui/model/data.ts';
import { candleChart, lineChart } from '../../framework/tui/view/braille.ts';
import { ASCII, COLOURED, expectAscii, expectFilled, PLAIN, seen, sizes, themes } from './view/fitting.ts';

const wave = (length: number) => Array.from({ length }, (_, i) => 10 * Math.sin((i / length) * 2 * Math.PI));
/** What is right of the axis. */
const plot = (lines: readonly string[]) =>
  lines.map((line) => stripVTControlCharacters(line).replace(/^.*?[│┤|+]/, ''));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 });
const candle = (
  at: number,
  open: number,
  close: number,
  high = Math.max(open, close),
  low = Math.min(open, close),
): Candle => ({ at, open, high, low, close });
const MINUTE = 60_000;

describe('a line', () => {
  test('in braille', () => expect(seen(lineChart(wave(200), { columns: 60, rows: 9 }, PLAIN))).toMatchSnapshot());
  test('in ASCII', () => expect(seen(lineChart(wave(200), { columns: 60, rows: 9 }, ASCII))).toMatchSnapshot());
  test('through few values', () =>
    expect(seen(lineChart([1, 3, 2], { columns: 30, rows: 5 }, PLAIN))).toMatchSnapshot());
  test('of one value lies in the middle', () => {
    const lines = plot(lineChart([5, 5, 5], { columns: 30, rows: 5 }, PLAIN));
    expect(lines.map((line) => line.trim() === '')).toEqual([true, true, false, true, true]);
  });
  test('has gaps where there is no value', () => {
    const values = [1, 2, 3, Number.NaN, Number.NaN, Number.NaN, 3, 2, 1];
    const lines = plot(lineChart(values, { columns: 40, rows: 4 }, PLAIN));
    const used = Array.from({ length: 30 }, (_, c) => lines.some((line) => (line[c] ?? ' ') !== ' '));
    expect(
      used
        .map((one) => (one ? '#' : ' '))
        .join('')
        .trim(),
    ).toMatch(/^#+ +#+$/);
    expect(lineChart([Number.NaN], { columns: 40, rows: 4 }, PLAIN)).toEqual(['', '', '', '']);
  });

  test('has a dot in every column, and reaches top and bottom', () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 40, max: 90 }),
        fc.integer({ min: 2, max: 20 }),
        themes,
        (values, columns, rows, theme) => {
          const lines = plot(lineChart(values, { columns, rows }, theme));
          const room = Math.max(...lines.map((line) => line.length));
          for (let c = 0; c < room; c++) expect(lines.some((line) => (line[c] ?? ' ') !== ' ')).toBe(true);
          // Every value has a place of its own if there are more places than values.
          const places = values.length > 1 && (room * (theme.unicode ? 2 : 1) - 1) % (values.length - 1) === 0;
          if (!places || Math.max(...values) === Math.min(...values)) return;
          expect(lines[0]?.trim()).not.toBe('');
          expect(lines.at(-1)?.trim()).not.toBe('');
        },
      ),
    );
  });
  test('fills any place exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 400 }), sizes, themes, (values, size, theme) => {
        const lines = lineChart(values, size, theme);
        expectFilled(lines, size);
      }),
    );
  });
});

describe('candles', () => {
  const four = [
    candle(0, 10, 20, 25, 5),
    candle(MINUTE, 20, 12, 22, 10),
    candle(2 * MINUTE, 12, 12, 14, 8),
    candle(3 * MINUTE, 12, 30),
  ];
  test('rise thin and fall filled', () =>
    expect(seen(candleChart(four, { columns: 30, rows: 14 }, PLAIN))).toMatchSnapshot());
  test('in ASCII', () => expect(seen(candleChart(four, { columns: 30, rows: 14 }, ASCII))).toMatchSnapshot());
  test('are coloured by direction', () => {
    const lines = candleChart(four, { columns: 30, rows: 14 }, COLOURED);
    expect(lines[2]).toContain(COLOURED.good('╷     ┃ '));
    expect(lines.join('')).toContain(COLOURED.bad('█   '));
    expect(seen(lines)).toBe(seen(candleChart(four, { columns: 30, rows: 14 }, PLAIN)));
  });
  test.each([
    [10 * MINUTE, '00:00', '09:00'],
    [24 * 60 * MINUTE, '01-01', '02-24'],
    [30 * 24 * 60 * MINUTE, '1970-01', '1974-06'],
  ])('say when, as exactly as needed: one every %d ms', (step, first, last) => {
    const candles = Array.from({ length: 55 }, (_, i) => candle(i * step, 1, 2));
    const line = candleChart(candles, { columns: 80, rows: 5 }, PLAIN).at(-1) ?? '';
    expect(line.trim().split(/ +/).at(0)).toBe(first);
    expect(line.trim().split(/ +/).at(-1)).toBe(last);
  });
  test('one alone, and none', () => {
    expect(
      plot(candleChart([candle(0, 5, 5)], { columns: 30, rows: 6 }, PLAIN))
        .join('')
        .trim(),
    ).toMatch(/[┃╻╹]/);
    expect(candleChart([], { columns: 30, rows: 3 }, PLAIN)).toEqual(['', '', '']);
  });

  const walks = fc
    .array(
      fc.tuple(
        finite,
        finite,
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
      ),
      { minLength: 1, maxLength: 400 },
    )
    .map((all) =>
      all.map(([open, close, above, below], i) =>
        candle(i * MINUTE, open, close, Math.max(open, close) + above, Math.min(open, close) - below),
      ),
    );
  test('have one column each or are put together, and the extremes stay in sight', () => {
    fc.assert(
      fc.property(
        walks,
        fc.integer({ min: 40, max: 240 }),
        fc.integer({ min: 4, max: 40 }),
        themes,
        (candles, columns, rows, theme) => {
          const lines = candleChart(candles, { columns, rows }, theme);
          expectFilled(lines, { columns, rows });
          const drawn = plot(lines.slice(0, -1));
          const room = columns - (stripVTControlCharacters(lines[1] ?? '').search(/[│┤|+]/) + 1);
          const used = Array.from({ length: room }, (_, c) => drawn.some((line) => (line[c] ?? ' ') !== ' ')).filter(
            Boolean,
          ).length;
          expect(used).toBe(Math.min(candles.length, room));
          expect(drawn[0]?.trim()).not.toBe('');
          expect(drawn.at(-1)?.trim()).not.toBe('');
        },
      ),
      { numRuns: 60 },
    );
  });
  test('draw with ASCII alone where they must, in any place', () => {
    fc.assert(
      fc.property(walks, sizes, (candles, size) => {
        const lines = candleChart(candles, size, ASCII);
        expectFilled(lines, size);
        expectAscii(lines);
      }),
      { numRuns: 40 },
    );
  });
});

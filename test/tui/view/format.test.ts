import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { age, ago, clock, compact, percent, rate, until, when } from '../../../framework/tui/view/format.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('numbers and times as the screens print them', () => {
  test.each([
    [-5, '0s'],
    [0, '0s'],
    [59_999, '59s'],
    [MINUTE, '1m'],
    [HOUR - 1, '59m'],
    [23 * HOUR, '23h'],
    [2 * DAY - 1, '47h'],
    [2 * DAY, '2d'],
    [59 * DAY, '59d'],
    [60 * DAY, '2mo'],
    [729 * DAY, '24mo'],
    [730 * DAY, '2y'],
    [2000 * 365 * DAY, '2,000y'],
  ])('age of %d ms is %s', (ms, text) => expect(age(ms)).toBe(text));

  test('ago, until and when', () => {
    expect([ago(0, 4999), ago(0, 5000), ago(0, 5 * MINUTE), ago(HOUR, 0)]).toEqual(['now', '5s ago', '5m ago', 'now']);
    expect([until(0, 0), until(-DAY, 0), until(3 * HOUR, 0)]).toEqual(['due', 'due', 'in 3h']);
    expect([when(-DAY, 0), when(0, 0), when(DAY, 0)]).toEqual(['24h ago', 'now', 'in 24h']);
  });

  test.each([
    [0, '0'],
    [9999, '9,999'],
    [10_000, '10.0k'],
    [12_345, '12.3k'],
    [99_949, '99.9k'],
    [99_950, '100k'],
    [999_499, '999k'],
    [999_500, '1.0M'],
    [20_000_000, '20.0M'],
    [1_733_000_000, '1.7G'],
    [2 ** 53, '9.0P'],
  ])('%d is %s', (value, text) => expect(compact(value)).toBe(text));

  test.each([
    [0, 0, '0%'],
    [0, 10, '0%'],
    [1, 1_000_000, '<1%'],
    [1, 3, '33%'],
    [999_999, 1_000_000, '>99%'],
    [10, 10, '100%'],
    [11, 10, '100%'],
  ])('%d of %d is %s', (part, whole, text) => expect(percent(part, whole)).toBe(text));

  test('rates and the time of day', () => {
    expect([rate(0.04), rate(12.34), rate(1234.5), rate(123_456)]).toEqual(['0.0/s', '12.3/s', '1,235/s', '123k/s']);
    expect(clock(Date.UTC(2026, 4, 8, 5, 7, 9))).toBe('05:07:09');
  });

  test('compact numbers keep their column', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e21, noNaN: true }), (value) => {
        expect(compact(value).length).toBeLessThanOrEqual(7);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachRun, packRuns, unpackRuns } from '../../framework/common/runs.ts';

const number = fc.oneof(
  fc.nat(3),
  fc.nat(300),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff),
);
const column = fc
  .array(fc.tuple(number, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 700 }))), { maxLength: 60 })
  .map((runs) => Uint32Array.from(runs.flatMap(([value, length]) => new Array<number>(length).fill(value))));

describe('packed runs', () => {
  test('unpack to what was packed, wherever they are put', () => {
    fc.assert(
      fc.property(column, fc.nat(40), fc.nat(40), (numbers, before, after) => {
        const [from, to] = [Math.min(before, numbers.length), Math.max(numbers.length - after, 0)];
        const packed = packRuns(numbers, from, Math.max(from, to));
        const into = new Uint32Array(numbers.length + 9).fill(7);
        unpackRuns(packed, into, 4);
        const part = numbers.subarray(from, Math.max(from, to));
        const expected = new Uint32Array(into.length).fill(7);
        expected.set(part, 4);
        expect(into).toEqual(expected);
      }),
    );
  });

  test('tell the runs, which are as long as can be', () => {
    fc.assert(
      fc.property(column, (numbers) => {
        const told: [number, number, number][] = [];
        eachRun(packRuns(numbers), (value, from, to) => told.push([value, from, to]));
        let end = 0;
        let previous: number | undefined;
        for (const [value, from, to] of told) {
          expect(from).toBe(end);
          expect(value).not.toBe(previous);
          expect(numbers.subarray(from, to).every((one) => one === value)).toBe(true);
          [end, previous] = [to, value];
        }
        expect(end).toBe(numbers.length);
      }),
    );
  });

  test.each([
    ['what is all the same', Uint32Array.from({ length: 5_000 }, () => 77), 4],
    [
      'what was written in batches',
      Uint32Array.from({ length: 5_000 }, (_, i) => 1_000 + 50 * Math.floor(i / 100)),
      150,
    ],
    ['what was written day by day', Uint32Array.from({ length: 5_000 }, (_, i) => 1_000 + 270 * i), 10_001],
    [
      'the smallest and the largest in turn',
      Uint32Array.from({ length: 1_000 }, (_, i) => (i % 2) * 0xffffffff),
      5_000,
    ],
  ])('are short: %s', (_, numbers, bytes) => {
    expect(packRuns(numbers).length).toBeLessThanOrEqual(bytes);
  });
});

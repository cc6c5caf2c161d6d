import { bigint, boolean, columns, date, decimal, double, integer, text, timestamp } from 'crypto-lakehouse';
import { describe, expect, expectTypeOf, test } from 'vitest';

const all = columns({
  t: timestamp(),
  d: date(),
  x: decimal(18, 8),
  y: double().nullable(),
  n: bigint(),
  i: integer(),
  s: text(),
  b: boolean(),
});
const row = { t: new Date(0), d: '2024-01-31', x: '-1.5', y: Number.NaN, n: 1n, i: 1, s: 'a', b: true };

describe('columns as a zod schema of one row', () => {
  test('accepts what a compute function may return', () => {
    const parsed = all.row().parse(row);
    expect(parsed).toEqual(row);
    expectTypeOf(parsed.y).toEqualTypeOf<number | null>();
    expect(all.row().parse({ ...row, y: null })).toEqual({ ...row, y: null });
  });

  test.each([
    ['a missing column', { ...row, s: undefined }],
    ['a column too many', { ...row, z: 1 }],
    ['NULL where it is not allowed', { ...row, x: null }],
    ['a number for a decimal', { ...row, x: 1.5 }],
    ['a decimal in scientific notation', { ...row, x: '1E3' }],
    ['a date that does not exist', { ...row, d: '2024-02-30' }],
    ['an integer beyond 32 bits', { ...row, i: 2 ** 31 }],
    ['a bigint beyond 64 bits', { ...row, n: 2n ** 63n }],
    ['an invalid Date', { ...row, t: new Date(Number.NaN) }],
  ])('refuses %s', (_, bad) => {
    expect(all.row().safeParse(bad).success).toBe(false);
  });
});

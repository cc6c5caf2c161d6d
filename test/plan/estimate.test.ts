import { expect, test } from 'vitest';
import { type BatchTime, estimateMs } from '../../framework/plan/estimate.ts';

const batch = (partitions: number, ms: number, endedAt = 0, run = `at ${endedAt}`): BatchTime => ({
  run,
  partitions,
  ms,
  endedAt,
});

test('nothing is said of what was never computed', () => {
  expect(estimateMs([], [10])).toBeUndefined();
  expect(estimateMs([batch(0, 50)], [10])).toBeUndefined();
  expect(estimateMs([batch(4, 100)], [])).toBe(0);
});

test('the median counts partitions, not batches: small ones and outliers say little', () => {
  expect(estimateMs([batch(10, 1000)], [25])).toBe(2500);
  const mixed = [batch(400, 2000, 1), batch(1, 300, 2), batch(1, 310, 3), batch(2, 90_000, 4)];
  expect(estimateMs(mixed, [400, 400, 200])).toBe(5000);
});

test('no batch is faster than the fastest', () => {
  const earlier = [batch(400, 2000, 1), batch(1, 300, 2), batch(1, 310, 3)];
  expect(estimateMs(earlier, [1])).toBe(300);
  expect(estimateMs(earlier, [1, 1, 100])).toBe(300 + 300 + 500);
});

test('batches that ran at the same time share it, as far as there are several', () => {
  // Two at a time for ten seconds.
  const two = [5000, 5000, 10_000, 10_000].map((endedAt) => batch(10, 5000, endedAt, 'a'));
  expect(estimateMs(two, [10, 10, 10, 10])).toBe(10_000);
  expect(estimateMs(two, [10])).toBe(5000);
  // One after the other, with a pause, is one at a time.
  expect(estimateMs([batch(10, 5000, 5000, 'b'), batch(10, 5000, 60_000, 'b')], [20, 20])).toBe(20_000);
  // A run with one batch says nothing of how many there can be.
  expect(estimateMs([...two, batch(10, 5000, 90_000, 'c')], [20, 20])).toBe(10_000);
});

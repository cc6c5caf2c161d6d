import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import type { AssetEvaluation } from './evaluate.ts';
import { causesOf, statusOf } from './evaluated.ts';
import { CAUSES, type Cause, STATUSES, type Status, statusCode } from './status.ts';

/** How many partitions of a set, or of all, are which point. */
function pointCounts(evaluation: AssetEvaluation, within?: PartitionSet): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (point: number, n: number) => counts.set(point, (counts.get(point) ?? 0) + n);
  for (const [key, series] of evaluation.series) {
    if (!within) {
      series.eachRun((point, from, to) => add(point, to - from));
      continue;
    }
    const { bounds } = sets.rangesOf(within, key);
    let b = 0;
    series.eachRun((point, from, to) => {
      const [lo, hi] = [series.base + from, series.base + to];
      let n = 0;
      for (; b < bounds.length; b += 2) {
        n += Math.max(Math.min(bounds[b + 1] as number, hi) - Math.max(bounds[b] as number, lo), 0);
        if ((bounds[b + 1] as number) > hi) break;
      }
      if (n > 0) add(point, n);
    });
  }
  return counts;
}

/** Partitions of a set by the first of their causes, so that the counts add up: `forced` are those nothing else asked for. */
export function causeCounts(evaluation: AssetEvaluation, set: PartitionSet): Partial<Record<Cause, number>> {
  const byBits = new Float64Array(1 << CAUSES.length);
  for (const [point, n] of pointCounts(evaluation, set)) {
    byBits[causesOf(point)] = (byBits[causesOf(point)] as number) + n;
  }
  const counts: Partial<Record<Cause, number>> = {};
  CAUSES.forEach((cause, b) => {
    const first = 1 << b;
    const count = byBits.reduce((sum, n, bits) => ((bits & -bits) === first ? sum + n : sum), 0);
    if (count > 0) counts[cause] = count;
  });
  return counts;
}

/** Counts of partitions by status, `none` left out. */
export function statusCounts(
  evaluation: AssetEvaluation,
  within?: PartitionSet,
): Record<Exclude<Status, 'none'>, number> {
  const totals = new Float64Array(STATUSES.length);
  for (const [point, n] of pointCounts(evaluation, within)) {
    totals[statusOf(point)] = (totals[statusOf(point)] as number) + n;
  }
  const counts = STATUSES.flatMap((status) => (status === 'none' ? [] : [[status, totals[statusCode(status)]]]));
  return Object.fromEntries(counts) as Record<Exclude<Status, 'none'>, number>;
}

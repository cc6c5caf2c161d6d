import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import {
  type AssetEvaluation,
  CAUSES,
  type Cause,
  type SeriesEvaluation,
  STATUSES,
  type Status,
  statusCode,
} from './evaluate.ts';

/** Calls back for each range of a set, as indices into the columns of the evaluated series. */
function eachRange(
  evaluation: AssetEvaluation,
  within: PartitionSet | undefined,
  visit: (series: SeriesEvaluation, from: number, to: number) => void,
): void {
  for (const [key, series] of evaluation.series) {
    if (!within) visit(series, 0, series.length);
    else {
      for (const [lo, hi] of ranges.pairs(sets.rangesOf(within, key))) {
        visit(series, Math.max(lo - series.base, 0), Math.min(hi - series.base, series.length));
      }
    }
  }
}

/** Partitions of a set by the first of their causes, so that the counts add up: `forced` are those nothing else asked for. */
export function causeCounts(evaluation: AssetEvaluation, set: PartitionSet): Partial<Record<Cause, number>> {
  const byBits = new Float64Array(1 << CAUSES.length);
  eachRange(evaluation, set, ({ causes }, from, to) => {
    for (let i = from; i < to; i++) byBits[causes[i] as number] = (byBits[causes[i] as number] as number) + 1;
  });
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
  eachRange(evaluation, within, ({ status }, from, to) => {
    for (let i = from; i < to; i++) totals[status[i] as number] = (totals[status[i] as number] as number) + 1;
  });
  const counts = STATUSES.flatMap((status) => (status === 'none' ? [] : [[status, totals[statusCode(status)]]]));
  return Object.fromEntries(counts) as Record<Exclude<Status, 'none'>, number>;
}

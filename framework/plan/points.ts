import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { rangesOf } from './chain.ts';
import { causesOf, runOf, type SeriesEvaluation, statusOf } from './evaluated.ts';
import type { AssetEvaluation } from './evaluation.ts';
import { type Status, statusCode } from './status.ts';

/** The partitions of an evaluation for which `test` holds, by index into its columns. */
export function pointsWhere(
  evaluation: AssetEvaluation,
  test: (series: SeriesEvaluation, i: number) => boolean,
): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, series] of evaluation.series) {
    const hits = new Uint8Array(series.length);
    for (let i = 0; i < series.length; i++) if (test(series, i)) hits[i] = 1;
    entries.push([key, rangesOf(hits, series.base)]);
  }
  return sets.fromSeries(entries);
}

const PART_OF_POINT = { status: statusOf, causes: causesOf, run: runOf };

/** The partitions that have a value in one of the columns of bytes. Much cheaper than `pointsWhere`. */
export function pointsWith(
  evaluation: AssetEvaluation,
  column: 'status' | 'causes' | 'run',
  value: number,
): PartitionSet {
  const part = PART_OF_POINT[column];
  return pointsLike(evaluation, (point) => part(point) === value);
}

/** The partitions whose points, as `statusOf` and the like read them, pass a test. */
export function pointsLike(evaluation: AssetEvaluation, test: (point: number) => boolean): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, series] of evaluation.series) {
    const pairs: [number, number][] = [];
    series.eachRun((point, from, to) => {
      if (test(point)) pairs.push([series.base + from, series.base + to]);
    });
    if (pairs.length > 0) entries.push([key, ranges.fromRanges(pairs)]);
  }
  return sets.fromSeries(entries);
}

/** The partitions of an evaluation that have one of these statuses. */
export function withStatus(evaluation: AssetEvaluation, ...statuses: Status[]): PartitionSet {
  return sets.unionAll(statuses.map((status) => pointsWith(evaluation, 'status', statusCode(status))));
}

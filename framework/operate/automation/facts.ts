import type { RangeSet } from '../../partition/ranges.ts';
import * as ranges from '../../partition/ranges.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import { BAD, READABLE } from '../../plan/aggregate.ts';
import {
  type AssetEvaluation,
  CODE_CAUSE,
  pointsLike,
  type Status,
  statusCode,
  withStatus,
} from '../../plan/evaluate.ts';
import { bitsOf, causesOf, statusOf } from '../../plan/evaluated.ts';

/** What is so of an asset's partitions now. Each set is made when it is first asked for. */
export interface AssetFacts {
  /** Every partition that the lake speaks of. */
  readonly all: () => PartitionSet;
  readonly missing: () => PartitionSet;
  readonly stale: () => PartitionSet;
  readonly failed: () => PartitionSet;
  readonly codeChanged: () => PartitionSet;
  readonly checkFailed: () => PartitionSet;
  readonly latest: (count: number) => PartitionSet;
  /** What has content that changed after a revision. */
  readonly changedAfter: (revision: number) => PartitionSet;
}

/** Statuses of what has no content, though what it is made of is there. */
const MISSING: readonly Status[] = ['missing', 'failed', 'blocked', 'unneeded'];
const MISSING_CODES = MISSING.map(statusCode);

const known = new WeakMap<AssetEvaluation, AssetFacts>();

/** Of an evaluation that is still the same, the facts are too. */
export function factsOf(evaluation: AssetEvaluation): AssetFacts {
  const found = known.get(evaluation) ?? makeFacts(evaluation);
  known.set(evaluation, found);
  return found;
}

function makeFacts(evaluation: AssetEvaluation): AssetFacts {
  const { all, ready } = evaluation.universe;
  const readable = (point: number) => (bitsOf(point) & READABLE) !== 0;
  return {
    all: () => all,
    missing: once(() => pointsLike(evaluation, (point) => !readable(point) && MISSING_CODES.includes(statusOf(point)))),
    stale: once(() => pointsLike(evaluation, (point) => readable(point) && causesOf(point) !== 0)),
    failed: once(() => withStatus(evaluation, 'failed')),
    codeChanged: once(() => pointsLike(evaluation, (point) => (causesOf(point) & CODE_CAUSE) !== 0)),
    checkFailed: once(() => pointsLike(evaluation, (point) => (bitsOf(point) & BAD) !== 0)),
    latest: (count) => {
      if (!evaluation.node.space.time) return all;
      let newest = Number.NEGATIVE_INFINITY;
      for (const times of ready.bySeries.values()) newest = Math.max(newest, ranges.last(times) ?? newest);
      if (newest === Number.NEGATIVE_INFINITY) return sets.EMPTY_SET;
      const window = ranges.range(newest + 1 - count, Number.MAX_SAFE_INTEGER);
      return sets.mapSeries(all, (times) => ranges.intersect(times, window));
    },
    changedAfter: (revision) => changedAfter(evaluation, revision),
  };
}

function changedAfter(evaluation: AssetEvaluation, revision: number): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, { base, changed, bits }] of evaluation.series) {
    const times: number[] = [];
    for (let i = 0; i < changed.length; i++)
      if ((changed[i] as number) > revision && (bits[i] as number) & READABLE) times.push(base + i);
    entries.push([key, ranges.fromSorted(times)]);
  }
  return sets.fromSeries(entries);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

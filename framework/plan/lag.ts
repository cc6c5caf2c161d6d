import type { FreshnessBasis, FreshnessPolicy } from '../define/freshness.ts';
import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { existingTimes, printKey, type SeriesValues } from '../partition/space.ts';
import { endOf, startOf } from '../partition/time.ts';
import { BAD, READABLE } from './aggregate.ts';
import type { DueOf } from './due.ts';
import type { AssetEvaluation } from './evaluate.ts';
import { bitsOf, type SeriesEvaluation, statusOf } from './evaluated.ts';
import { type Status, statusCode } from './status.ts';
import { type LakeView, PRESENT } from './view.ts';

/** From best to worst. `unknown` is never reported as on time. */
export const FRESHNESS = ['on-time', 'unknown', 'warn', 'overdue'] as const;
export type FreshnessStatus = (typeof FRESHNESS)[number];

/**
 * Why it cannot be told: a source upstream was never observed; there is no content; nothing has come of any series of the kind for so
 * long that all of them count as ended, or their source stopped; the log has forgotten when the content came.
 */
export type UnknownReason = 'never-observed' | 'never-computed' | 'silent' | 'forgotten';

/** What one policy says of one series. All instants are ms UTC. */
export interface SeriesFreshness {
  readonly series: string;
  readonly status: FreshnessStatus;
  readonly basis: FreshnessBasis;
  /** How late it is, 0 where nothing is late; undefined when unknown. */
  readonly lagMs: number | undefined;
  readonly limitMs: number;
  /** After this instant it is (or was) overdue if nothing comes; undefined when unknown, and where nothing more is to come. */
  readonly deadline: number | undefined;
  /** Since when it has had its status, of `warn` and `overdue`; of a silent one, since when nothing has come. */
  readonly since: number | undefined;
  /** Printed key of the newest partition with content; without a time dimension of the only one. */
  readonly newest: string | undefined;
  readonly why: UnknownReason | undefined;
}

export interface FreshnessContext {
  readonly graph: AssetGraph;
  readonly view: LakeView;
  /** Of the whole graph, after `markUnneeded`. */
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** The instant of the evaluations, ms UTC. */
  readonly now: number;
  /** When a revision was appended, ms UTC; undefined where the log has forgotten it. Asked for materialization time only. */
  readonly instantOf: (revision: number) => number | undefined;
  /** Whether the settings want a source. Default: all. */
  readonly wanted?: (source: string) => boolean;
}

/** What is known when the series of an asset are looked at. */
export interface Measured {
  readonly context: FreshnessContext;
  readonly evaluation: AssetEvaluation;
  readonly due: DueOf;
  readonly looked: Looked;
  readonly kindOf: (values: SeriesValues) => SeriesKind;
}

/** Of the series with the same values of static dimensions, which come and go together. */
export interface SeriesKind {
  /** The newest time that the sources have for any of them. */
  readonly front: number;
  /** The newest time of any of them, had or not: of one that goes on, the newest there is. */
  readonly last: number;
}

/** How old what is known of the sources of an asset is. */
export interface Looked {
  /** One of them was never observed. */
  readonly never: boolean;
  /** When the one that was observed longest ago was; undefined where there is no source. */
  readonly at: number | undefined;
  /** After what silence all of them count a series as ended. */
  readonly liveForMs: number;
}

/** What the worse of the policies says of a series; undefined where nothing of it can be had, or nothing needs it. */
export function ofSeries(
  measured: Measured,
  series: SeriesEvaluation,
  policies: readonly FreshnessPolicy[],
): SeriesFreshness | undefined {
  const points = survey(series);
  if (points.newest === undefined && nextReady(measured, series, points) === undefined) return undefined;
  return policies
    .map((policy) => (policy.basis === 'data' ? byData : byMaterialization)(measured, series, points, policy))
    .reduce(worse);
}

/** The worse of two: of the same status the one that is further beyond its limit. */
export function worse(a: SeriesFreshness, b: SeriesFreshness): SeriesFreshness {
  const rank = FRESHNESS.indexOf(b.status) - FRESHNESS.indexOf(a.status);
  const beyond = ({ lagMs = 0, limitMs }: SeriesFreshness) => lagMs - limitMs;
  return rank > 0 || (rank === 0 && beyond(b) > beyond(a)) ? b : a;
}

/** What the points of a series say. */
interface Survey {
  /** The newest time with content that can be read and did not fail a blocking check. */
  readonly newest: number | undefined;
  readonly unneeded: RangeSet;
  /** Nothing of it is to be computed, or cannot be though it should. */
  readonly settled: boolean;
}

const UNNEEDED = statusCode('unneeded');
const UNSETTLED: ReadonlySet<number> = new Set(
  (['stale', 'pending', 'missing', 'blocked', 'failed', 'leaving'] satisfies Status[]).map(statusCode),
);

function survey(series: SeriesEvaluation): Survey {
  const unneeded: [number, number][] = [];
  let newest: number | undefined;
  let settled = true;
  series.eachRun((point, from, to) => {
    if ((bitsOf(point) & (READABLE | BAD)) === READABLE) newest = series.base + to - 1;
    if (statusOf(point) === UNNEEDED) unneeded.push([series.base + from, series.base + to]);
    if (UNSETTLED.has(statusOf(point))) settled = false;
  });
  return { newest, unneeded: ranges.fromRanges(unneeded), settled };
}

const from = (t: number): RangeSet => ranges.range(t, Number.MAX_SAFE_INTEGER);

/** The first time after the newest content that the sources have and something needs. */
function nextReady(
  { evaluation }: Measured,
  { key }: SeriesEvaluation,
  { newest, unneeded }: Survey,
): number | undefined {
  const ready = ranges.subtract(sets.rangesOf(evaluation.universe.ready, key), unneeded);
  return ranges.first(newest === undefined ? ready : ranges.intersect(ready, from(newest + 1)));
}

function byData(
  measured: Measured,
  series: SeriesEvaluation,
  points: Survey,
  policy: FreshnessPolicy,
): SeriesFreshness {
  const { context, evaluation, due } = measured;
  const { newest } = points;
  const told = (start: number | undefined) => verdict(evaluation.node, series, newest, policy, start, context.now);
  if (newest === undefined) return unknown(told(undefined), 'never-computed');
  const ready = nextReady(measured, series, points);
  const { time, silent, since } = nextUnpublished(measured, series, newest);
  const dueAt = (t: number | undefined) =>
    t === undefined ? Number.POSITIVE_INFINITY : due(evaluation.key, series.key, t);
  const unpublished = dueAt(time);
  if (silent && ready === undefined && unpublished < Number.POSITIVE_INFINITY)
    return { ...unknown(told(undefined), 'silent'), since };
  const start = Math.min(dueAt(ready), silent ? Number.POSITIVE_INFINITY : unpublished);
  return told(Number.isFinite(start) ? start : undefined);
}

/**
 * The first time after the newest content that no series of the kind has, over or not; undefined where none is to come, because the
 * series ended. `silent`: all of the kind did, whose newest content `since` is the end of, ms UTC.
 */
function nextUnpublished(
  { context, evaluation, looked, kindOf }: Measured,
  series: SeriesEvaluation,
  newest: number,
): { readonly time: number | undefined; readonly silent: boolean; readonly since?: number } {
  const { space } = evaluation.node;
  if (!space.time) return { time: undefined, silent: false };
  const all = sets.rangesOf(evaluation.universe.all, series.key);
  const kind = kindOf(series.values);
  const time = Math.max(newest, kind.front) + 1;
  const known = ranges.first(ranges.intersect(all, from(time)));
  if (known !== undefined) return { time: known, silent: false };
  const today = ranges.last(existingTimes(space, context.now)) ?? Number.NEGATIVE_INFINITY;
  const { grain } = space.time;
  // Whether it ended or nobody has looked since is not for the clock to say.
  const ended = (last: number) =>
    last < today && (looked.at === undefined || looked.at - endOf(grain, last) > looked.liveForMs);
  const silent = ended(kind.last);
  const isNext = silent || !ended(ranges.last(all) as number);
  return { time: isNext ? time : undefined, silent, since: startOf(grain, time) };
}

function byMaterialization(
  { context, evaluation, looked }: Measured,
  series: SeriesEvaluation,
  { newest, settled }: Survey,
  policy: FreshnessPolicy,
): SeriesFreshness {
  const { node } = evaluation;
  const isSource = node.definition.kind === 'source';
  const told = (start: number | undefined) => verdict(node, series, newest, policy, start, context.now);
  if (newest === undefined) return unknown(told(undefined), 'never-computed');
  const found = isSource || settled ? looked.at : undefined;
  // When it was computed is asked of every partition: only where the answer may matter.
  const enough = isSource || (found !== undefined && context.now - found <= (policy.warnMs ?? policy.limitMs));
  const computed = enough ? undefined : computedAt(context, series);
  const instants = [computed, found].filter((at) => at !== undefined);
  return instants.length === 0 ? unknown(told(undefined), 'forgotten') : told(Math.max(...instants));
}

/** When something of a series was last computed: not before the head of the log that it had seen. */
function computedAt({ instantOf }: FreshnessContext, { state }: SeriesEvaluation): number | undefined {
  if (!state) return undefined;
  const { verified, flags, length } = state;
  let newest: number | undefined;
  for (let i = 0; i < length; i++) {
    if ((flags[i] as number) & PRESENT) newest = Math.max(newest ?? 0, verified[i] as number);
  }
  return newest === undefined ? undefined : instantOf(Math.max(newest, 1));
}

/** `start`: the instant the lag is counted from; undefined where nothing can be late. */
function verdict(
  { space }: AssetNode,
  { key, values }: SeriesEvaluation,
  newest: number | undefined,
  { basis, limitMs, warnMs }: FreshnessPolicy,
  start: number | undefined,
  now: number,
): SeriesFreshness {
  const lagMs = start === undefined ? 0 : Math.max(now - start, 0);
  const status = lagMs > limitMs ? 'overdue' : warnMs !== undefined && lagMs > warnMs ? 'warn' : 'on-time';
  const allowed = { overdue: limitMs, warn: warnMs, 'on-time': undefined }[status];
  return {
    series: key,
    status,
    basis,
    lagMs,
    limitMs,
    deadline: start === undefined ? undefined : start + limitMs,
    since: start === undefined || allowed === undefined ? undefined : start + allowed,
    newest: newest === undefined ? undefined : printKey(space, { values, time: newest }),
    why: undefined,
  };
}

const unknown = (found: SeriesFreshness, why: UnknownReason): SeriesFreshness => ({
  ...found,
  status: 'unknown',
  lagMs: undefined,
  why,
});

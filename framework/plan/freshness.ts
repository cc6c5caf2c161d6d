import type { FreshnessPolicy } from '../define/freshness.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import { type DueOf, dueIn } from './due.ts';
import type { AssetEvaluation } from './evaluate.ts';
import {
  type FreshnessContext,
  type FreshnessStatus,
  type Looked,
  type Measured,
  ofSeries,
  type SeriesFreshness,
  type SeriesKind,
  type UnknownReason,
  worse,
} from './lag.ts';

export type { FreshnessContext, FreshnessStatus, SeriesFreshness, UnknownReason } from './lag.ts';

export interface AssetFreshness {
  readonly asset: string;
  readonly policies: readonly FreshnessPolicy[];
  /** The worst of its series. */
  readonly status: FreshnessStatus;
  /** The series it is taken from: of the worst, the one furthest beyond its limit. */
  readonly worst: SeriesFreshness | undefined;
  readonly why: UnknownReason | undefined;
  readonly counts: Readonly<Record<FreshnessStatus, number>>;
  /** Per series what the worse of its policies says. */
  readonly series: ReadonlyMap<string, SeriesFreshness>;
}

/**
 * How far behind assets are that have a policy, per series; not of those that are made of unwanted sources only.
 *
 * **By data time.** Content counts when it can be read and did not fail a blocking check, whatever its status. What should come after the newest
 * content is *due* when it is normally there ({@link DueOf}: the end of its period and the publication lag upstream); the lag is how
 * long that has been so. What should come is the first that
 * - its sources have, and that is not `unneeded`; or
 * - no series has that differs only in values of dynamic dimensions (symbols): then it is the source that stopped, or that nobody looks at.
 *
 * A hole that only this series has (`unavailable`, or late) is its own and no lag; nor is one behind the newest content, which
 * `status` counts. A series that ended (`liveForDays`, as of the last look at the sources) while others like it go on has no lag; when
 * all have, it cannot be told whether they ended or their source did.
 *
 * **By materialization time.** The lag is the time since the sources were last observed where nothing of the series is to be
 * computed, so that it was found up to date then; else, or where that would be late, since something of it was computed, if that
 * is shorter. When it was computed is known as the instant of the head of the log just before: never later than it was. A source
 * counts as computed when it is observed.
 *
 * Costs time per run of like partitions of a series; by materialization time, of series that are not up to date, per partition.
 */
export function freshnessOf(context: FreshnessContext, keys = context.graph.order): Map<string, AssetFreshness> {
  const { graph, evaluations } = context;
  const due = dueIn(graph, (key) => evaluations.get(key)?.universe);
  const out = new Map<string, AssetFreshness>();
  for (const key of keys) {
    const evaluation = evaluations.get(key);
    if (!evaluation || evaluation.node.definition.freshness.length === 0) continue;
    const looked = lookedAt(context, key);
    if (looked) out.set(key, ofAsset(context, evaluation, due, looked));
  }
  return out;
}

function ofAsset(context: FreshnessContext, evaluation: AssetEvaluation, due: DueOf, looked: Looked): AssetFreshness {
  const { key, node, universe } = evaluation;
  const { freshness } = node.definition;
  if (looked.never) return summarize(key, freshness, [], 'never-observed');
  const asset: Measured = { context, evaluation, due, looked, kindOf: kinds(evaluation) };
  const found: SeriesFreshness[] = [];
  for (const [name, series] of evaluation.series) {
    if (ranges.isEmpty(sets.rangesOf(universe.all, name))) continue;
    const verdict = ofSeries(asset, series, freshness);
    if (verdict) found.push(verdict);
  }
  return summarize(key, freshness, found);
}

/** The asset as some of its series show it, e.g. those that were asked for. */
export function summarize(
  asset: string,
  policies: readonly FreshnessPolicy[],
  list: Iterable<SeriesFreshness>,
  why: UnknownReason = 'never-computed',
): AssetFreshness {
  const series = new Map<string, SeriesFreshness>();
  const counts = { 'on-time': 0, unknown: 0, warn: 0, overdue: 0 };
  let worst: SeriesFreshness | undefined;
  for (const one of list) {
    series.set(one.series, one);
    counts[one.status]++;
    worst = worst ? worse(worst, one) : one;
  }
  const status = worst?.status ?? 'unknown';
  return { asset, policies, status, worst, why: worst ? worst.why : why, counts, series };
}

/** Undefined where the settings want none of the sources: nothing is expected then. */
function lookedAt({ graph, view, wanted = () => true }: FreshnessContext, key: string): Looked | undefined {
  const reached = new Set([key]);
  for (const one of reached) for (const up of graph.upstreamOf(one)) reached.add(up);
  let [never, at, liveForMs]: [boolean, number | undefined, number] = [false, undefined, 0];
  const sources = [...reached].filter((one) => graph.node(one).definition.source);
  const used = sources.filter(wanted);
  if (used.length === 0 && sources.length > 0) return undefined;
  for (const one of used) {
    const { source } = graph.node(one).definition;
    if (!source) continue;
    const observed = view.asset(one)?.lastObservedAt;
    if (observed === undefined) never = true;
    else at = Math.min(at ?? observed, observed);
    liveForMs = Math.max(liveForMs, source.liveForMs);
  }
  return { never, at, liveForMs };
}

/** What is known of all series with the same values of static dimensions. */
function kinds({ node, universe }: AssetEvaluation): (values: SeriesValues) => SeriesKind {
  const names = node.space.listed.flatMap(({ type, name }) => (type === 'static' ? [name] : []));
  const kind = (values: SeriesValues) => names.map((name) => values[name]).join('\n');
  const found = new Map<string, SeriesKind>();
  for (const [key, times] of universe.all.bySeries) {
    const name = kind(readSeriesKey(key));
    const { front, last } = found.get(name) ?? NONE;
    const ready = ranges.last(sets.rangesOf(universe.ready, key)) ?? NONE.front;
    found.set(name, { front: Math.max(front, ready), last: Math.max(last, ranges.last(times) ?? NONE.last) });
  }
  return (values) => found.get(kind(values)) ?? NONE;
}

const NONE: SeriesKind = { front: Number.NEGATIVE_INFINITY, last: Number.NEGATIVE_INFINITY };

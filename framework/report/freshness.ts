import type { FreshnessPolicy } from '../define/freshness.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { readSeriesKey } from '../partition/space.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import { type AssetFreshness, freshnessOf, type SeriesFreshness, type UnknownReason } from '../plan/freshness.ts';
import type { LakeView } from '../plan/view.ts';
import type { StateReader } from '../state/store.ts';
import { instant, number } from './format.ts';

/** An evaluated lake: the snapshot of the UI is one. */
export interface EvaluatedAt {
  readonly view: LakeView;
  /** After `markUnneeded`. */
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  /** ms UTC. */
  readonly at: number;
}

/** How far behind the assets are that have a policy, by key. */
export function freshnessNow(
  lake: Pick<OpenedLake, 'graph' | 'state' | 'resources'>,
  { view, evaluations, at }: EvaluatedAt,
  keys?: readonly string[],
): Map<string, AssetFreshness> {
  const { graph, state } = lake;
  const wanted = (source: string) => graph.node(source).wanted;
  return freshnessOf({ graph, view, evaluations, now: at, instantOf: instantsOf(state), wanted }, keys);
}

/** When a revision was appended; where its event was pruned, when the run that was going on then had begun. */
export function instantsOf(state: StateReader): (revision: number) => number | undefined {
  const known = new Map<number, number | undefined>();
  const find = (revision: number): number | undefined => {
    const [event] = state.events({ after: revision - 1, limit: 1 });
    if (event?.revision === revision) return event.at;
    return state.runs(1000).find(({ startedRevision }) => startedRevision <= revision)?.startedAt;
  };
  return (revision) => {
    if (!known.has(revision)) known.set(revision, find(revision));
    return known.get(revision);
  };
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** At most two units, cut off: `35m`, `30h`, `30h 15m`, `2d`, `9d 4h`; hours below two days. */
export function span(ms: number): string {
  const from = ms >= 2 * 86_400_000 ? 0 : ms >= 3_600_000 ? 1 : 2;
  const parts: string[] = [];
  let rest = Math.max(ms, 0);
  for (const [unit, size] of UNITS.slice(from, from + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || (parts.length === 0 && unit === 'm')) parts.push(`${count}${unit}`);
  }
  return parts.join(' ');
}

const WHY: Readonly<Record<UnknownReason, string>> = {
  'never-observed': 'its sources were never all observed',
  'never-computed': 'never computed',
  silent: 'nothing has come for so long that all its series count as ended',
  forgotten: 'the log no longer says when it was computed',
};

/** In a word or two why a lag cannot be told: `never computed`, `silent since 2024-02-20`. */
function shortly(why: UnknownReason | undefined, since: number | undefined): string {
  if (why === 'silent' && since !== undefined) return `silent since ${instant(since).slice(0, 10)}`;
  return why === 'never-computed' ? 'never computed' : why === 'never-observed' ? 'never observed' : 'unknown';
}

/**
 * `on time`, `2h late (limit 30h)`, `warn, 27h late (limit 30h)`, `overdue, 31h since computed (limit 24h)`; where it cannot be told,
 * why: `silent since 2024-02-20`, `never computed`, `never observed`, `unknown`.
 */
export function lagText({ status, worst, why }: Pick<AssetFreshness, 'status' | 'worst' | 'why'>): string {
  if (status === 'unknown') return shortly(why, worst?.since);
  return worst ? seriesLag(worst) : status;
}

function seriesLag({ status, basis, lagMs, limitMs }: SeriesFreshness): string {
  if (lagMs === undefined) return status;
  if (status === 'on-time' && (basis === 'materialization' || lagMs < 60_000)) return 'on time';
  const lag = `${span(lagMs)} ${basis === 'data' ? 'late' : 'since computed'} (limit ${span(limitMs)})`;
  return status === 'on-time' ? lag : `${status}, ${lag}`;
}

/** A policy in words, without a full stop. */
export function policyText({ basis, limitMs, warnMs }: FreshnessPolicy): string {
  const warning = warnMs === undefined ? '' : `, warned of after ${span(warnMs)}`;
  return basis === 'data'
    ? `what is published is there within ${span(limitMs)} of when it normally is${warning}`
    : `computed, or found up to date, within the last ${span(limitMs)}${warning}`;
}

function unknownText(why: UnknownReason | undefined, since: number | undefined): string {
  const from = since === undefined ? '' : `, since ${instant(since)}`;
  return why === undefined ? 'unknown' : `unknown: ${WHY[why]}${from}`;
}

/** How late an asset is, in lines: all of it, and the series that is worst. */
export function freshnessLines(freshness: AssetFreshness): string[] {
  const { status, worst, why, counts, series } = freshness;
  const lines = [status === 'unknown' ? unknownText(why, worst?.since) : lagText(freshness)];
  if (worst && series.size > 1 && status !== 'on-time')
    lines.push(`${number(counts[status])} of ${number(series.size)} series; the worst is ${seriesName(worst)}`);
  if (worst) lines.push(...seriesLines(worst));
  return lines;
}

/** Of one series: its newest content, and when it becomes or became overdue. */
export function seriesLines({ newest, deadline, status, since }: SeriesFreshness): string[] {
  const when =
    deadline === undefined
      ? undefined
      : status === 'overdue'
        ? `overdue since ${instant(deadline)}`
        : `${status === 'warn' && since !== undefined ? `warned of since ${instant(since)}, ` : ''}overdue after ${instant(deadline)}`;
  return [newest === undefined || newest === '' ? [] : [`newest content ${newest}`], when ?? []].flat();
}

/** One line about a series: `overdue, 31h late (limit 30h), since …`. */
export function seriesText(series: SeriesFreshness): string {
  const lag = series.status === 'unknown' ? unknownText(series.why, series.since) : seriesLag(series);
  return [lag, ...seriesLines(series)].join(', ');
}

const seriesName = ({ series }: SeriesFreshness): string =>
  Object.values(readSeriesKey(series)).join(' ') || 'the whole asset';

/** Series that are named in JSON; the counts are of all. */
const NAMED = 20;

/** What `--json` says: instants in ISO 8601, lengths in ms; the worst series that are not on time first, some of them. */
export function freshnessJson({ status, worst, why, counts, series, policies }: AssetFreshness) {
  const late = [...series.values()].filter((one) => one.status !== 'on-time');
  late.sort((a, b) => (b.lagMs ?? -1) - b.limitMs - ((a.lagMs ?? -1) - a.limitMs));
  return {
    status,
    ...(worst ? seriesJson(worst) : { why }),
    policies,
    counts,
    late: late.slice(0, NAMED).map(seriesJson),
  };
}

export function seriesJson({ deadline, since, ...rest }: SeriesFreshness) {
  const text = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  return { ...rest, deadline: text(deadline), since: text(since) };
}

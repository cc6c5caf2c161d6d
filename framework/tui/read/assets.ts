import type { OpenedLake } from '../../materialize/open.ts';
import { endOf } from '../../partition/time.ts';
import { type AssetEvaluation, statusCode } from '../../plan/evaluate.ts';
import { statusOf } from '../../plan/evaluated.ts';
import type { AssetFreshness } from '../../plan/freshness.ts';
import { statusCounts } from '../../plan/plan.ts';
import { PRESENT } from '../../plan/view.ts';
import { freshnessLines, policyText } from '../../report/freshness.ts';
import { lastRunOf, notKnown, notWanted } from '../../report/latest.ts';
import type { AssetRow } from '../model/data.ts';
import type { Snapshot } from './snapshot.ts';

/** What is worked out of an asset's details, apart from its status: rows and bytes, which are read from disk. */
export interface Volume {
  readonly rows: number;
  readonly bytes: number;
  /** Per period of the newest ones, oldest first. */
  readonly periods: readonly number[];
}

/** How many periods a sparkline shows. */
const PERIODS = 60;
/** An asset of more series is not summed up: reading their details would take seconds. */
const MOST_SERIES = 500;

/** What else is known of assets, by key. */
export interface Times {
  /** Of those with a policy. */
  readonly freshness?: ReadonlyMap<string, AssetFreshness>;
  /** The next tick that computes it, ms UTC. */
  readonly next?: ReadonlyMap<string, number>;
  /** Those that runs are computing. */
  readonly busy?: ReadonlySet<string>;
}

/** Rows for all assets, in topological order. Without a snapshot only what the definitions say. */
export function assetRows(
  lake: OpenedLake,
  snapshot: Snapshot | undefined,
  volumes: ReadonlyMap<string, Volume>,
  { freshness, next, busy }: Times = {},
): AssetRow[] {
  const runs = lake.state.runs(1000);
  const untold = snapshot ? notKnown(lake, snapshot.view) : new Set<string>();
  const unwanted = notWanted(lake);
  return lake.graph.order.map((key): AssetRow => {
    const { definition } = lake.graph.node(key);
    const evaluation = snapshot?.evaluations.get(key);
    const state = snapshot?.view.asset(key);
    const isSource = definition.kind === 'source';
    const last = isSource || !snapshot ? undefined : lastRunOf(key, snapshot.view, runs);
    const volume = volumes.get(key);
    const counts = evaluation && statusCounts(evaluation, isSource ? evaluation.universe.all : undefined);
    return {
      key,
      ...(unwanted.has(key) && Object.values(counts ?? {}).every((count) => count === 0) && { idle: true }),
      kind: isSource ? 'source' : 'asset',
      zone: key.split('/')[0] ?? key,
      group: definition.group ?? '',
      kinds: definition.kinds,
      description: definition.description,
      owners: definition.owners,
      tags: definition.tags,
      dimensions: definition.space.dimensions.map(({ name }) => name),
      counts,
      known: !untold.has(key),
      lastAt: isSource ? state?.lastObservedAt : (last?.finishedAt ?? last?.startedAt),
      lastRun: last?.run,
      nextAt: next?.get(key),
      lag:
        definition.freshness.length > 0
          ? judged(freshness?.get(key))
          : evaluation && snapshot && unjudged(evaluation, snapshot.at),
      volume: volume?.periods ?? [],
      volumeUnit: definition.storage.type === 'table' ? 'rows' : 'bytes',
      rows: volume?.rows ?? 0,
      bytes: volume?.bytes ?? 0,
      busy: busy?.has(key) ?? false,
      running: undefined,
    };
  });
}

function judged(found: AssetFreshness | undefined): AssetRow['lag'] {
  if (!found) return undefined;
  const { status, worst, policies } = found;
  return { ms: worst?.lagMs, verdict: status, told: freshnessLines(found), policies: policies.map(policyText) };
}

function unjudged(evaluation: AssetEvaluation, at: number): AssetRow['lag'] {
  const newest = newestEnd(evaluation);
  if (newest === undefined) return undefined;
  return { ms: Math.max(at - newest, 0), verdict: 'no-policy', told: [], policies: [] };
}

const CONTENT = new Set([statusCode('fresh'), statusCode('stale'), statusCode('pending')]);

/** The end of the newest period that has content, ms UTC. */
function newestEnd({ node, series }: AssetEvaluation): number | undefined {
  const { time } = node.space;
  if (!time) return undefined;
  let newest = Number.NEGATIVE_INFINITY;
  for (const one of series.values()) {
    one.eachRun((point, _, to) => {
      if (CONTENT.has(statusOf(point))) newest = Math.max(newest, one.base + to - 1);
    });
  }
  return newest === Number.NEGATIVE_INFINITY ? undefined : endOf(time.grain, newest);
}

/** Sums an asset's rows and bytes; undefined where that would be too much work. */
export function volumeOf(lake: OpenedLake, key: string): Volume | undefined {
  const series = lake.state.index().asset(key)?.series;
  if (!series || series.size > MOST_SERIES) return undefined;
  const raw = lake.graph.node(key).definition.storage.type === 'raw';
  const byTime = new Map<number, number>();
  let [rows, bytes] = [0, 0];
  for (const [name, { flags, base, length }] of series) {
    const details = lake.state.details(key, name);
    if (!details) continue;
    for (let i = 0; i < length; i++) {
      if (((flags[i] as number) & PRESENT) === 0) continue;
      const at = base + i - details.base;
      const [ownRows, ownBytes] = [details.rows[at] ?? 0, details.bytes[at] ?? 0];
      rows += ownRows;
      bytes += ownBytes;
      byTime.set(base + i, (byTime.get(base + i) ?? 0) + (raw ? ownBytes : ownRows));
    }
  }
  let newest = Number.NEGATIVE_INFINITY;
  for (const time of byTime.keys()) newest = Math.max(newest, time);
  const periods =
    byTime.size === 0 ? [] : Array.from({ length: PERIODS }, (_, i) => byTime.get(newest - PERIODS + 1 + i) ?? 0);
  const first = periods.findIndex((value) => value > 0);
  return { rows, bytes, periods: first < 0 ? [] : periods.slice(first) };
}

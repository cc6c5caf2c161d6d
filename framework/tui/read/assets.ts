import type { OpenedLake } from '../../materialize/open.ts';
import { endOf } from '../../partition/time.ts';
import { type AssetEvaluation, statusCode } from '../../plan/evaluate.ts';
import { statusCounts } from '../../plan/plan.ts';
import { PRESENT } from '../../plan/view.ts';
import type { RunRecord } from '../../state/store.ts';
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

/** Rows for all assets, in topological order. Without a snapshot only what the definitions say. */
export function assetRows(
  lake: OpenedLake,
  snapshot: Snapshot | undefined,
  volumes: ReadonlyMap<string, Volume>,
): AssetRow[] {
  const runs = lake.state.runs(1000);
  const untold = snapshot ? unobserved(lake, snapshot) : new Set<string>();
  return lake.graph.order.map((key): AssetRow => {
    const { definition } = lake.graph.node(key);
    const evaluation = snapshot?.evaluations.get(key);
    const state = snapshot?.view.asset(key);
    const isSource = definition.kind === 'source';
    const last = isSource ? undefined : runAt(runs, newestRevision(state?.series.values() ?? []));
    const volume = volumes.get(key);
    const newest = evaluation && snapshot && newestEnd(evaluation);
    return {
      key,
      kind: isSource ? 'source' : 'asset',
      zone: key.split('/')[0] ?? key,
      group: definition.group ?? '',
      kinds: definition.kinds,
      description: definition.description,
      owners: definition.owners,
      tags: definition.tags,
      dimensions: definition.space.dimensions.map(({ name }) => name),
      counts: evaluation && statusCounts(evaluation, isSource ? evaluation.universe.all : undefined),
      known: !untold.has(key),
      lastAt: isSource ? state?.lastObservedAt : (last?.finishedAt ?? last?.startedAt),
      lastRun: last?.run,
      nextAt: undefined,
      lag:
        newest === undefined || snapshot === undefined
          ? undefined
          : { ms: Math.max(snapshot.at - newest, 0), verdict: 'no-policy' },
      volume: volume?.periods ?? [],
      volumeUnit: definition.storage.type === 'table' ? 'rows' : 'bytes',
      rows: volume?.rows ?? 0,
      bytes: volume?.bytes ?? 0,
      running: undefined,
    };
  });
}

/** Sources that were never looked at, and everything below them. */
function unobserved({ graph }: OpenedLake, { view }: Snapshot): Set<string> {
  const untold = new Set<string>();
  for (const key of graph.order) {
    const never = graph.node(key).definition.kind === 'source' && view.asset(key)?.lastObservedAt === undefined;
    if (never || graph.upstreamOf(key).some((up) => untold.has(up))) untold.add(key);
  }
  return untold;
}

/** The log position up to which the most recently computed partition had seen its inputs. */
function newestRevision(series: Iterable<{ readonly verified: Uint32Array; readonly flags: Uint8Array }>): number {
  let newest = 0;
  for (const { verified, flags } of series) {
    for (let i = 0; i < verified.length; i++)
      if ((flags[i] as number) & PRESENT && (verified[i] as number) > newest) newest = verified[i] as number;
  }
  return newest;
}

/** The run that was going on at a revision. Runs come latest first. */
function runAt(runs: readonly RunRecord[], revision: number): RunRecord | undefined {
  return revision === 0 ? undefined : runs.find(({ startedRevision }) => startedRevision <= revision);
}

const CONTENT = new Set([statusCode('fresh'), statusCode('stale'), statusCode('pending')]);

/** The end of the newest period that has content, ms UTC. */
function newestEnd({ node, series }: AssetEvaluation): number | undefined {
  const { time } = node.space;
  if (!time) return undefined;
  let newest = Number.NEGATIVE_INFINITY;
  for (const { status, base, length } of series.values()) {
    for (let i = length - 1; i >= 0 && base + i > newest; i--) if (CONTENT.has(status[i] as number)) newest = base + i;
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

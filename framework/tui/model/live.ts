import type { RunEvent } from '../../materialize/events.ts';
import type { AssetProgress, AssetRow, RunDetail, RunLine } from './data.ts';

/** Lines of a live log that are kept. */
const MOST_LINES = 5_000;

export function newRun(command: string, selection: string, at: number): RunDetail {
  const row = {
    run: '',
    command,
    selection,
    startedAt: at,
    finishedAt: undefined,
    outcome: 'running' as const,
    counts: {},
    error: undefined,
  };
  return { row, assets: [], lines: [] };
}

/** A run of this process after one more of its events. */
export function afterEvent(detail: RunDetail, event: RunEvent, at: number): RunDetail {
  const line = lineOf(event, at);
  const lines = line ? [...detail.lines.slice(-MOST_LINES + 1), line] : detail.lines;
  const next = { ...detail, lines };
  switch (event.type) {
    case 'run-started':
      return { ...next, row: { ...detail.row, run: event.run, startedAt: event.at, tags: event.tags } };
    case 'observing':
      return withAsset(next, event.asset, at, (asset) => ({ ...asset, phase: 'observing' }));
    case 'observed':
      return withAsset(next, event.asset, at, (asset) => ({
        ...asset,
        phase: 'done',
        done: event.seen,
        total: event.seen,
        changed: event.changed,
        finishedAt: at,
      }));
    case 'asset-started':
      return withAsset(next, event.asset, at, (asset) => ({
        ...asset,
        phase: 'computing',
        total: event.partitions,
        startedAt: at,
      }));
    case 'batch-finished':
      return withAsset(next, event.asset, at, (asset) => ({
        ...asset,
        done: asset.done + event.partitions,
        changed: asset.changed + event.changed,
        rows: asset.rows + event.rows,
        bytes: asset.bytes + event.bytes,
      }));
    case 'partition-failed':
      return withAsset(next, event.asset, at, (asset) => ({ ...asset, failed: asset.failed + 1 }));
    case 'asset-finished':
      return withAsset(next, event.asset, at, (asset) => ({
        ...asset,
        phase: event.failed > 0 ? 'failed' : 'done',
        finishedAt: at,
      }));
    case 'run-finished':
      return {
        ...next,
        row: { ...detail.row, outcome: event.outcome, counts: { ...event.counts }, finishedAt: at },
      };
    default:
      return next;
  }
}

/** Assets with what a run is doing to them right now. */
export function withProgress(rows: readonly AssetRow[], run: RunDetail | undefined): readonly AssetRow[] {
  const progress = new Map(run?.assets.map((one) => [one.asset, one]));
  return rows.map((row) => {
    const own = progress.get(row.key);
    const active = own?.phase === 'computing' || own?.phase === 'observing';
    return { ...row, running: active ? { done: own.done, total: own.total } : undefined };
  });
}

function withAsset(
  detail: RunDetail,
  key: string,
  at: number,
  change: (asset: AssetProgress) => AssetProgress,
): RunDetail {
  const index = detail.assets.findIndex(({ asset }) => asset === key);
  const before: AssetProgress = detail.assets[index] ?? {
    asset: key,
    phase: 'waiting',
    total: 0,
    done: 0,
    failed: 0,
    changed: 0,
    rows: 0,
    bytes: 0,
    startedAt: at,
    finishedAt: undefined,
  };
  const assets = index < 0 ? [...detail.assets, change(before)] : detail.assets.with(index, change(before));
  return { ...detail, assets };
}

function lineOf(event: RunEvent, at: number): RunLine | undefined {
  const line = (level: RunLine['level'], text: string): RunLine => ({
    at,
    level,
    asset: 'asset' in event && event.asset !== '' ? event.asset : undefined,
    text,
  });
  switch (event.type) {
    case 'run-started':
      return line('info', `run ${event.run} started`);
    case 'observing':
      return line('info', 'looking at the source');
    case 'observed':
      return line('info', `observed ${event.seen}, ${event.changed} new or changed`);
    case 'planned':
      return line('info', `${event.will} to compute, perhaps ${event.may} more`);
    case 'departed':
      return line('warn', `${event.partitions} left the lake`);
    case 'asset-started':
      return line('info', `computing ${event.partitions} partitions`);
    case 'batch-finished':
      return line(
        'good',
        `${event.partitions} computed, ${event.changed} changed, ${event.rows} rows in ${event.ms} ms`,
      );
    case 'partition-failed':
      return line('bad', `${event.partition}: ${event.error.message}`);
    case 'check-failed':
      return line(
        event.severity === 'error' ? 'bad' : 'warn',
        `check ${event.check}: ${event.failedRows} rows in ${event.partition}`,
      );
    case 'retry':
      return line('warn', `attempt ${event.attempt} failed, again in ${event.delayMs} ms: ${event.error.message}`);
    case 'waiting':
      return line('info', `${event.partitions} are being computed by ${event.heldBy}`);
    case 'held':
      return line('warn', `${event.partitions} cannot be computed now: ${event.reason}`);
    case 'warning':
      return line('warn', event.message);
    case 'asset-finished':
      return line(event.failed > 0 ? 'bad' : 'good', `done: ${event.done} computed, ${event.failed} failed`);
    case 'run-finished':
      return line(event.outcome === 'succeeded' ? 'good' : event.outcome === 'failed' ? 'bad' : 'warn', event.outcome);
  }
}

import type { OpenedLake } from '../../materialize/open.ts';
import { printKey, readSeriesKey } from '../../partition/space.ts';
import { withoutPlace } from '../../report/errors.ts';
import { checkFailuresOf, outcomesOf, packedCount, type StoredEvent } from '../../state/events.ts';
import type { RunRecord } from '../../state/store.ts';
import type { AssetProgress, RunDetail, RunLine, RunRow } from '../model/data.ts';

/** A run that has not finished and has logged nothing for this long is taken to be dead. The log cannot tell for sure. */
const SILENT_MS = 15 * 60_000;

/** Latest first. @param live ids of the runs of this very process. */
export function runRows(lake: OpenedLake, limit: number, live: ReadonlySet<string>): RunRow[] {
  const now = lake.now();
  const [newest] = lake.state.events({ after: lake.state.index().head - 1, limit: 1 });
  return lake.state.runs(limit).map((record): RunRow => rowOf(record, live, now, newest?.at ?? 0));
}

function rowOf(record: RunRecord, live: ReadonlySet<string>, now: number, newestAt: number): RunRow {
  const { run, command, selection, tags, startedAt, finishedAt, outcome, counts = {}, error } = record;
  const alive = live.has(run) || now - Math.max(startedAt, newestAt) < SILENT_MS;
  return {
    run,
    command,
    selection,
    tags,
    startedAt,
    finishedAt,
    outcome: outcome ?? (alive ? 'running' : 'lost'),
    counts,
    error: error?.message,
  };
}

/** A run as the log tells it: what its events say, asset by asset and line by line. */
export function runDetail(lake: OpenedLake, id: string, live: ReadonlySet<string>): RunDetail | undefined {
  const found = lake.state.run(id);
  if (!found) return undefined;
  const { record, events } = found;
  const assets = new Map<string, AssetProgress>();
  const lines: RunLine[] = [];
  for (const stored of events) {
    progress(assets, stored, record);
    lines.push(...linesOf(lake, stored));
  }
  return { row: rowOf(record, live, lake.now(), events.at(-1)?.at ?? 0), assets: [...assets.values()], lines };
}

function progress(assets: Map<string, AssetProgress>, { event, at, changed }: StoredEvent, record: RunRecord): void {
  if (event.kind !== 'materialized' && event.kind !== 'failed' && event.kind !== 'observed') return;
  const before = assets.get(event.asset) ?? {
    asset: event.asset,
    phase: 'computing',
    total: 0,
    done: 0,
    failed: 0,
    changed: 0,
    rows: 0,
    bytes: 0,
    startedAt: undefined,
    finishedAt: undefined,
  };
  const outcomes = outcomesOf(event);
  // The log knows when a batch was committed, and how long it took; of looking at a source only the former.
  const ms = event.kind === 'materialized' ? event.stats?.ms : undefined;
  const points = outcomes.reduce((sum, { times }) => sum + times.length, 0);
  const failed = event.kind === 'failed' ? event.failures.length : 0;
  assets.set(event.asset, {
    ...before,
    phase: record.finishedAt === undefined ? 'computing' : before.failed + failed > 0 ? 'failed' : 'done',
    total: before.total + points + failed,
    done: before.done + points,
    failed: before.failed + failed,
    changed: before.changed + changed.reduce((sum, mask) => sum + mask.reduce((n, bit) => n + bit, 0), 0),
    rows: before.rows + (event.kind === 'materialized' ? sum(outcomes.map(({ rows }) => sum(rows))) : 0),
    bytes: before.bytes + sum(outcomes.map(({ bytes }) => sum(bytes))),
    startedAt: ms === undefined ? before.startedAt : Math.min(before.startedAt ?? at, at - ms),
    finishedAt: ms === undefined ? before.finishedAt : at,
  });
}

function linesOf({ graph }: OpenedLake, { event, at }: StoredEvent): RunLine[] {
  const line = (level: RunLine['level'], text: string, asset?: string): RunLine => ({ at, level, asset, text });
  const keyOf = (asset: string, series: string, time: number): string => {
    const node = graph.find(asset);
    return node ? printKey(node.space, { values: readSeriesKey(series), time }) : `${series} #${time}`;
  };
  switch (event.kind) {
    case 'run-started':
      return [line('info', `started: ${event.command}`)];
    case 'run-finished': {
      const level = event.outcome === 'succeeded' ? 'good' : event.outcome === 'failed' ? 'bad' : 'warn';
      return [line(level, `${event.outcome}${event.error ? `: ${event.error.message}` : ''}`)];
    }
    case 'observed': {
      const points = outcomesOf(event).reduce((n, { times }) => n + times.length, 0);
      return [line('info', `observed, ${points} new or changed`, event.asset)];
    }
    case 'materialized':
    case 'checked': {
      const computed = event.kind === 'materialized';
      const points = computed
        ? outcomesOf(event).reduce((n, { times }) => n + times.length, 0)
        : packedCount(event.set);
      const bad = checkFailuresOf(event).filter(({ failedRows }) => failedRows > 0);
      return [
        line('good', `${points} ${computed ? 'computed' : 'checked'}`, event.asset),
        ...bad.map(({ check, severity, failedRows, series, time }) =>
          line(
            severity === 'error' ? 'bad' : 'warn',
            `check ${check}: ${failedRows} rows in ${keyOf(event.asset, series, time)}`,
            event.asset,
          ),
        ),
      ];
    }
    case 'failed':
      return event.failures.map(({ series, time, error }) =>
        line('bad', failureText(keyOf(event.asset, series, time), event.asset, error.message), event.asset),
      );
    case 'departed':
      return [line('warn', `partitions left the lake (${event.reason})`, event.asset)];
    case 'accepted':
      return [line('info', `code ${event.from} accepted as ${event.to}`, event.asset)];
    case 'compacted':
      return [line('info', `${event.supersedes.length} files compacted into ${event.files.length}`, event.asset)];
    default:
      return [];
  }
}

/** Messages often begin with the place, which has been said. */
function failureText(key: string, asset: string, message: string): string {
  return `${key}: ${withoutPlace(message, asset).replace(`${key}: `, '')}`;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

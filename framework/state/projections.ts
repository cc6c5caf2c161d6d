import type { DatabaseSync } from 'node:sqlite';
import type { SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import * as ranges from '../partition/ranges.ts';
import { filesOf, type NewEvent } from './events.ts';
import { prepare, type Row } from './sql.ts';
import type { FileRecord, RunRecord } from './store.ts';

/** Tables that follow the log inside each append: files and runs. They outlive the events they came from. */

export function fileRecord(row: Row): FileRecord {
  return {
    id: Number(row.id),
    path: String(row.path),
    asset: String(row.asset),
    series: String(row.series),
    bytes: Number(row.bytes),
    ...(row.sha256 !== null && { sha256: String(row.sha256) }),
    createdRevision: Number(row.created),
    live: Number(row.live),
    // Whoever only reads does not add the column.
    ...(typeof row.written === 'number' && { written: row.written }),
    ...(row.superseded !== null && {
      supersededRevision: Number(row.superseded),
      // Negative for a kept file, see kept.ts.
      supersededAt: Math.abs(Number(row.superseded_at)),
    }),
  };
}

export function runRecord(row: Row): RunRecord {
  return {
    run: String(row.run),
    command: String(row.command),
    selection: String(row.selection),
    // Before there were tags, there was no such column; whoever only reads does not add it.
    ...(typeof row.tags === 'string' && { tags: JSON.parse(row.tags) as Tags }),
    startedAt: Number(row.started_at),
    startedRevision: Number(row.started),
    ...(row.finished !== null && {
      finishedAt: Number(row.finished_at),
      finishedRevision: Number(row.finished),
      outcome: String(row.outcome) as 'succeeded' | 'failed' | 'cancelled',
      counts: JSON.parse(String(row.counts)) as Record<string, number>,
      ...(row.error !== null && { error: JSON.parse(String(row.error)) as SerializedError }),
    }),
  };
}

/** Enters the event's files and gives their ids out, from the returned one upwards; 0 where it has none. */
export function addFiles(
  db: DatabaseSync,
  event: NewEvent,
  revision: number,
  filled: readonly { series: string; live: number }[],
): number {
  const files = filesOf(event);
  if (files.length === 0 || !('asset' in event)) return 0;
  const first = Number(
    prepare(db, 'UPDATE counters SET next_file = next_file + ?1 RETURNING next_file - ?1 AS first').get(files.length)
      ?.first,
  );
  const insert = prepare(db, 'INSERT INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL, ?8)');
  files.forEach((file, ordinal) => {
    const { series, live } = filled[ordinal] as { series: string; live: number };
    insert.run(first + ordinal, file.path, event.asset, series, file.bytes, file.sha256 ?? null, revision, live);
  });
  return first;
}

/** As ranges. Given in any order. */
const timesText = (times: readonly number[]): string =>
  JSON.stringify(ranges.fromSorted([...times].sort((a, b) => a - b)).bounds);

/** Takes partitions out of the files they lived in, and remembers that they did; a file that none is left in is superseded. */
export function vacateFiles(
  db: DatabaseSync,
  left: ReadonlyMap<number, readonly number[]>,
  revision: number,
  at: number,
): void {
  const vacate = prepare(
    db,
    `UPDATE files SET live = live - ?2,
       superseded = CASE WHEN live = ?2 THEN ?3 END, superseded_at = CASE WHEN live = ?2 THEN ?4 END WHERE id = ?1`,
  );
  const remember = prepare(db, 'INSERT INTO departures VALUES (?, ?, ?)');
  for (const [id, times] of left) {
    remember.run(id, revision, timesText(times));
    vacate.run(id, times.length, revision, at);
  }
}

export function projectRun(db: DatabaseSync, event: NewEvent, revision: number, at: number): void {
  if (event.kind === 'run-started') {
    prepare(db, 'INSERT INTO runs (run, command, selection, started, started_at, tags) VALUES (?, ?, ?, ?, ?, ?)').run(
      event.run,
      event.command,
      event.selection,
      revision,
      at,
      event.tags === undefined ? null : JSON.stringify(event.tags),
    );
  } else if (event.kind === 'run-finished') {
    prepare(db, 'UPDATE runs SET finished = ?, finished_at = ?, outcome = ?, counts = ?, error = ? WHERE run = ?').run(
      revision,
      at,
      event.outcome,
      JSON.stringify(event.counts),
      event.error === undefined ? null : JSON.stringify(event.error),
      event.run,
    );
  }
}

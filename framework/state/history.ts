import type { DatabaseSync } from 'node:sqlite';
import * as ranges from '../partition/ranges.ts';
import { countersOf } from './mirror.ts';
import { fileRecord } from './projections.ts';
import { prepare } from './sql.ts';
import type { FilesThen, FileThen } from './store.ts';

// A file gets its partitions with the event that brings it, and none later. So what lived in it at a revision is what lives in it now
// and what has left it since: only departures are remembered, for as long as the file is.

export function filesAt(db: DatabaseSync, asset: string, revision: number): FilesThen | undefined {
  if (!keepsHistory(db)) return undefined;
  const since = Number(
    prepare(db, "SELECT max(since) AS since FROM history WHERE asset IN ('', ?)").get(asset)?.since ?? 0,
  );
  if (revision < since) return { since, files: [] };
  const current = prepare(
    db,
    "SELECT *, '[]' AS times FROM files WHERE superseded IS NULL AND asset = ?1 AND created <= ?2",
  );
  const left = prepare(
    db,
    `SELECT files.*, times FROM departures JOIN files ON files.id = file
     WHERE revision > ?2 AND asset = ?1 AND created <= ?2`,
  );
  const files = new Map<number, FileThen>();
  for (const row of [...current.all(asset, revision), ...left.all(asset, revision)]) {
    const bounds = JSON.parse(String(row.times)) as number[];
    const id = Number(row.id);
    const before = files.get(id)?.left ?? [];
    files.set(id, { ...fileRecord(row), left: ranges.union({ bounds: before }, { bounds }).bounds });
  }
  return { since, files: [...files.values()] };
}

/** The last revision appended at or before an instant. Where a clock went back, that is the last of those that say so. */
export function revisionAt(db: DatabaseSync, at: number): number | undefined {
  const found = prepare(db, 'SELECT max(revision) AS revision FROM events WHERE at <= ?').get(at)?.revision;
  if (typeof found === 'number') return found;
  const { pruned } = countersOf(db);
  if (pruned === 0) return 0;
  const { pruned_at: prunedAt } = prepare(db, 'SELECT * FROM counters').get() ?? {};
  return typeof prunedAt === 'number' && prunedAt <= at ? pruned : undefined;
}

/** Whoever only reads does not bring the tables. */
export const keepsHistory = (db: DatabaseSync): boolean =>
  prepare(db, "SELECT 1 FROM sqlite_schema WHERE name = 'departures'").get() !== undefined;

/** Nothing is told any more of the revisions at which something lived in these files. */
export function endHistory(db: DatabaseSync, ids: readonly number[]): void {
  const end = prepare(
    db,
    `INSERT INTO history (asset, since)
       SELECT asset, ifnull((SELECT max(revision) FROM departures WHERE file = id), superseded)
       FROM files WHERE id = ? AND superseded IS NOT NULL
     ON CONFLICT DO UPDATE SET since = max(since, excluded.since)`,
  );
  for (const id of ids) end.run(id);
}

/** Ends their history as well: the log itself sees to that, whoever forgets them. */
export function forgetFiles(db: DatabaseSync, ids: readonly number[]): void {
  const forget = prepare(db, 'DELETE FROM files WHERE id = ? AND superseded IS NOT NULL');
  for (const id of ids) forget.run(id);
}

/** Milliseconds by asset, as last declared; of those that were declared to keep anything. */
export function keptMs(db: DatabaseSync): Map<string, number> {
  if (!keepsHistory(db)) return new Map();
  const rows = prepare(db, 'SELECT asset, keep_ms FROM history WHERE keep_ms > 0').all();
  return new Map(rows.map((row) => [String(row.asset), Number(row.keep_ms)]));
}

export function setKeptMs(db: DatabaseSync, declared: ReadonlyMap<string, number>): void {
  const set = prepare(
    db,
    'INSERT INTO history (asset, keep_ms) VALUES (?, ?) ON CONFLICT DO UPDATE SET keep_ms = excluded.keep_ms',
  );
  for (const [asset, ms] of declared) set.run(asset, ms);
}

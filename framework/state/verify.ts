import type { DatabaseSync } from 'node:sqlite';
import { isLakehouseError } from '../common/errors.ts';
import { checkpointRevisions, verifyCheckpoint } from './checkpoint-store.ts';
import { keepsHistory } from './history.ts';
import { PRESENT } from './index.ts';
import { type Mirror, packedEvents } from './mirror.ts';
import { prepare } from './sql.ts';

/** Reads everything of a caught-up state, inside a transaction. Returns what is wrong. */
export function verifyState(db: DatabaseSync, mirror: Mirror): string[] {
  const problems: string[] = [];
  const attempt = (body: () => void): void => {
    try {
      body();
    } catch (error) {
      if (!isLakehouseError(error)) throw error;
      problems.push(error.message);
    }
  };
  for (const row of db.prepare('PRAGMA integrity_check').all()) {
    if (row.integrity_check !== 'ok') problems.push(`SQLite: ${row.integrity_check}`);
  }
  for (const revision of checkpointRevisions(db)) attempt(() => verifyCheckpoint(db, revision));
  attempt(() => {
    let last: number | undefined;
    for (const { revision } of packedEvents(db, mirror.names, 'revision > 0')) {
      if (last !== undefined && revision !== last + 1)
        problems.push(`Events ${last + 1} to ${revision - 1} are missing from the log`);
      last = revision;
    }
  });
  attempt(() => problems.push(...verifyFiles(db, mirror)));
  return problems;
}

/** The files must hold exactly the partitions that say they live in them. */
function verifyFiles(db: DatabaseSync, mirror: Mirror): string[] {
  const live = new Map<number, number>();
  for (const [asset, { series }] of mirror.index.assets) {
    for (const state of series.values()) {
      mirror.trim(db);
      const details = mirror.detailsOf(db, asset, state.key);
      for (let at = 0; at < state.length; at++) {
        const file = ((state.flags[at] as number) & PRESENT) === 0 ? -1 : details.fileAt(at + state.base);
        if (file >= 0) live.set(file, (live.get(file) ?? 0) + 1);
      }
    }
  }
  const problems: string[] = [];
  for (const row of prepare(db, 'SELECT id, path, live, superseded FROM files').all()) {
    const counted = live.get(Number(row.id)) ?? 0;
    live.delete(Number(row.id));
    if (counted !== Number(row.live) || (counted === 0) !== (row.superseded !== null)) {
      problems.push(`The file ${row.path} holds ${counted} partitions, its record says ${row.live}`);
    }
  }
  for (const [id, count] of live) problems.push(`${count} partitions live in file ${id}, which is not known`);
  return [...problems, ...(keepsHistory(db) ? verifyHistory(db) : [])];
}

/** Nothing is lost from the history of a file: what it was written with lives in it, or has left it at a known revision. */
function verifyHistory(db: DatabaseSync): string[] {
  const lost = prepare(
    db,
    `SELECT path FROM files WHERE written - live <> (SELECT ifnull(sum(until.value - since.value), 0)
       FROM departures, json_each(times) since, json_each(times) until
       WHERE file = files.id AND since.key % 2 = 0 AND until.key = since.key + 1)`,
  ).all();
  return lost.map(({ path }) => `The history of the file ${path} is not complete`);
}

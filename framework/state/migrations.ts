import type { DatabaseSync } from 'node:sqlite';
import { LakehouseError } from '../common/errors.ts';
import { corrupt, transaction } from './sql.ts';

/** Marks the file as ours: 'LKHS'. */
const APPLICATION_ID = 0x4c4b4853;

interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Numbered from 1 by position. Released ones are never edited; a change is a new one at the end. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: 'initial',
    sql: `
      CREATE TABLE counters (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        head INTEGER NOT NULL,       -- last revision that was given out
        next_file INTEGER NOT NULL,
        next_claim INTEGER NOT NULL,
        pruned INTEGER NOT NULL      -- events up to this revision were deleted on purpose
      ) STRICT;
      INSERT INTO counters VALUES (1, 0, 1, 1, 0);

      -- Names of series, so that events can say numbers. Append-only.
      CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        series TEXT NOT NULL,
        series_values TEXT NOT NULL
      ) STRICT;

      CREATE TABLE events (
        revision INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        asset TEXT,
        run TEXT,
        format INTEGER NOT NULL,
        header TEXT NOT NULL,
        body BLOB,
        crc INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX events_of_asset ON events (asset, revision) WHERE asset IS NOT NULL;
      CREATE INDEX events_of_run ON events (run, revision) WHERE run IS NOT NULL;

      CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        asset TEXT NOT NULL,
        series TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        sha256 TEXT,
        created INTEGER NOT NULL,
        live INTEGER NOT NULL,       -- partitions that live in it
        superseded INTEGER,          -- revision after which none did
        superseded_at INTEGER
      ) STRICT;
      CREATE INDEX files_current ON files (asset) WHERE superseded IS NULL;
      CREATE INDEX files_superseded ON files (superseded_at) WHERE superseded IS NOT NULL;

      CREATE TABLE runs (
        run TEXT PRIMARY KEY,
        command TEXT NOT NULL,
        selection TEXT NOT NULL,
        started INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        finished INTEGER,
        finished_at INTEGER,
        outcome TEXT,
        counts TEXT,
        error TEXT
      ) STRICT;
      CREATE INDEX runs_started ON runs (started);

      CREATE TABLE claims (
        asset TEXT NOT NULL,
        pack TEXT NOT NULL,
        token INTEGER NOT NULL,
        run TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        acquired INTEGER NOT NULL,
        heartbeat INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (asset, pack)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX claims_of_token ON claims (token);

      CREATE TABLE checkpoints (
        revision INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        format INTEGER NOT NULL,
        header TEXT NOT NULL,
        crc INTEGER NOT NULL
      ) STRICT;
      -- A checkpoint is, for each chunk, the newest row at or below its revision.
      CREATE TABLE hot (
        id INTEGER PRIMARY KEY,
        asset TEXT NOT NULL,
        series TEXT NOT NULL,
        chunk INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        series_values TEXT NOT NULL,
        crc INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (asset, series, chunk, revision)
      ) STRICT;
      CREATE TABLE cold (
        id INTEGER PRIMARY KEY,
        asset TEXT NOT NULL,
        series TEXT NOT NULL,
        chunk INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (asset, series, chunk, revision)
      ) STRICT;`,
  },
  { name: 'tags of runs', sql: 'ALTER TABLE runs ADD COLUMN tags TEXT' },
  {
    name: 'history',
    sql: `
      ALTER TABLE files ADD COLUMN written INTEGER;  -- partitions it was written with; NULL for files of before this was known

      -- Partitions that left a file, for as long as the file is known.
      CREATE TABLE departures (
        file INTEGER NOT NULL,
        revision INTEGER NOT NULL,   -- after which they lived in it no more
        times TEXT NOT NULL,         -- flat half-open ranges, JSON
        PRIMARY KEY (file, revision)
      ) STRICT, WITHOUT ROWID;

      -- Of an asset; of all of them where it is ''.
      CREATE TABLE history (
        asset TEXT PRIMARY KEY,
        since INTEGER NOT NULL DEFAULT 0,  -- earliest revision of which all files are still known
        keep_ms INTEGER                    -- how long its superseded files stay, as declared last
      ) STRICT, WITHOUT ROWID;
      INSERT INTO history (asset, since) SELECT '', head FROM counters;
      CREATE INDEX files_spare ON files (asset, superseded_at) WHERE superseded IS NOT NULL;
      ALTER TABLE counters ADD COLUMN pruned_at INTEGER;  -- latest instant of a pruned event, ms UTC

      -- A program of an earlier version that had the file open goes on, and knows nothing of history: the log itself sees to it.
      CREATE TRIGGER files_vacated BEFORE UPDATE OF live ON files
        WHEN new.live < old.live
          AND NOT EXISTS (SELECT 1 FROM departures WHERE file = new.id AND revision = (SELECT head FROM counters))
      BEGIN
        SELECT RAISE(ABORT, 'a later version keeps this log by now, start this program again');
      END;
      CREATE TRIGGER files_forgotten AFTER DELETE ON files
      BEGIN
        INSERT INTO history (asset, since)
          VALUES (old.asset, ifnull((SELECT max(revision) FROM departures WHERE file = old.id), old.superseded))
          ON CONFLICT DO UPDATE SET since = max(since, excluded.since);
        DELETE FROM departures WHERE file = old.id;
      END;
      CREATE TRIGGER counters_pruned AFTER UPDATE OF pruned ON counters
      BEGIN
        UPDATE counters SET pruned_at =
          ifnull(max(ifnull(pruned_at, 0), (SELECT max(at) FROM events WHERE revision <= new.pruned)), pruned_at);
      END;`,
  },
];

export const SCHEMA_VERSION = MIGRATIONS.length;

function metaOf(db: DatabaseSync, key: string): string | undefined {
  const row = db.prepare('SELECT value FROM meta WHERE key = ?').get(key);
  return row === undefined ? undefined : String(row.value);
}

function setMeta(db: DatabaseSync, key: string, value: string): void {
  db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run(key, value);
}

/** The schema in an empty database. */
export function createSchema(db: DatabaseSync, writer: string): void {
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec('CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  apply(db, 0, writer);
}

function apply(db: DatabaseSync, from: number, writer: string): void {
  for (const migration of MIGRATIONS.slice(from)) db.exec(migration.sql);
  setMeta(db, 'schema', String(SCHEMA_VERSION));
  setMeta(db, 'writer', writer);
}

/**
 * Refuses what this version cannot read, before anything is written.
 * @throws LakehouseError `state-too-new`, `state-corrupt`.
 */
export function checkSchema(db: DatabaseSync, path: string): number {
  const id = Number(db.prepare('PRAGMA application_id').get()?.application_id);
  if (id !== APPLICATION_ID) throw corrupt(`${path} is an SQLite database, but not the state of a lakehouse`);
  const version = Number(metaOf(db, 'schema'));
  if (!Number.isInteger(version) || version < 1)
    throw corrupt(`The state file ${path} does not say its schema version`);
  if (version > SCHEMA_VERSION) {
    const writer = metaOf(db, 'writer') ?? 'a later version';
    throw new LakehouseError(
      'state-too-new',
      `The state ${path} was written by ${writer} (schema ${version}); this version knows schemas up to ${SCHEMA_VERSION}`,
      {
        kind: 'usage',
        hint: `Upgrade to ${writer} or later. Nothing was changed.`,
        details: { writer, schema: version },
      },
    );
  }
  return version;
}

/** Brings an older schema up to date, in one transaction; whoever comes second finds nothing to do. */
export function migrate(db: DatabaseSync, path: string, writer: string): void {
  if (checkSchema(db, path) === SCHEMA_VERSION) return;
  transaction(db, 'immediate', () => apply(db, checkSchema(db, path), writer));
}

const LAKE = 'lake.';

/** A fact about the lake as a whole. */
export function lakeFact(db: DatabaseSync, key: string): string | undefined {
  return metaOf(db, LAKE + key);
}

/** Sets a fact unless it is set; returns the one in force. */
export function setLakeFact(db: DatabaseSync, key: string, value: string): string {
  db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING').run(LAKE + key, value);
  return lakeFact(db, key) ?? value;
}

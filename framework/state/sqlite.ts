import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { LakehouseError } from '../common/errors.ts';
import { hasTags, type Tags } from '../common/tags.ts';
import { checkpointRevisions, verifyCheckpoint } from './checkpoint-store.ts';
import { type IsAlive, releaseClaim, renewClaim, requireClaim, takeClaim } from './claims.ts';
import { decodeEvent, type EncodedEvent, encodeEvent } from './codec.ts';
import { type Connection, openForReading, openForWriting } from './connection.ts';
import { type Decision, decide } from './decide.ts';
import type { SeriesDetails } from './details.ts';
import type { NewEvent, StoredEvent } from './events.ts';
import { endHistory, filesAt, forgetFiles, keptMs, revisionAt, setKeptMs } from './history.ts';
import type { LakeIndex } from './index.ts';
import { keepExcluded, releaseKept } from './kept.ts';
import { lakeFact, setLakeFact } from './migrations.ts';
import { Mirror } from './mirror.ts';
import { type PackedEvent, packEvent, unpackEvent } from './packed.ts';
import { addFiles, fileRecord, projectRun, runRecord, vacateFiles } from './projections.ts';
import { saveCheckpoint } from './save.ts';
import { prepare, type Row, readOnlyError, transaction, translate } from './sql.ts';
import type {
  Appended,
  AppendGuard,
  ClaimOwner,
  ClaimRefused,
  ClaimToken,
  EventFilter,
  FileRecord,
  FileState,
  FilesTaken,
  FilesThen,
  PruneOptions,
  RunRecord,
  StateWriter,
} from './store.ts';
import { verifyState } from './verify.ts';

export interface OpenStateOptions {
  /** Neither makes nor alters a file; a missing state reads as an empty one, and everything that writes throws `read-only`. */
  readonly readOnly?: boolean;
  /** Clock, ms UTC. */
  readonly now: () => number;
  /** Whether a process of this host is running; claims of dead ones are taken over at once. By default they expire. */
  readonly isAlive?: IsAlive;
  /** Name and version of this program, for whoever finds the file too new. */
  readonly writer?: string;
}

/**
 * Opens the state of a lake, for any number of processes at once. The directory must exist; the file is made when missing.
 * @throws LakehouseError `state-corrupt`, `state-too-new`, `read-only`, `disk-full`, `no-directory`, `state-busy`.
 */
export function openState(path: string, options: OpenStateOptions): StateWriter {
  return new SqliteState(path, options);
}

const EVENTS_PER_PAGE = 200;
const FILES_PER_PAGE = 2_000;
const KEPT_RUNS = 1_000;

class SqliteState implements StateWriter {
  readonly #path: string;
  readonly #options: OpenStateOptions;
  readonly #mirror: Mirror;
  #connection: Connection;
  #snapshot: LakeIndex | undefined;
  #atOnce = false;

  constructor(path: string, options: OpenStateOptions) {
    this.#path = path;
    this.#options = options;
    this.#mirror = new Mirror(path, options.readOnly === true ? 'reading' : 'writing');
    this.#connection = this.#open();
    try {
      this.#read(() => undefined);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(): Connection {
    const { readOnly, writer } = this.#options;
    try {
      return readOnly === true ? openForReading(this.#path) : openForWriting(this.#path, writer ?? 'crypto-lakehouse');
    } catch (error) {
      throw translate(error, this.#path);
    }
  }

  /** Runs `body` on the caught-up state. A file that was read as quiet and is written meanwhile is read again. */
  #read<T>(body: (db: DatabaseSync) => T): T {
    if (this.#atOnce) {
      this.#mirror.trim(this.#connection.db);
      return body(this.#connection.db);
    }
    for (let attempt = 1; ; attempt++) {
      if (this.#connection.outdated()) {
        // Where it cannot be opened now, it may be next time.
        const next = this.#open();
        this.#connection.db.close();
        this.#connection = next;
      }
      const { db, outdated } = this.#connection;
      try {
        const result = transaction(db, 'deferred', () => {
          this.#mirror.trim(db);
          this.#mirror.catchUp(db);
          return body(db);
        });
        if (!outdated() || attempt > 5) return result;
      } catch (error) {
        if (!outdated() || attempt > 5) throw translate(error, this.#path);
      }
      this.#mirror.reset();
    }
  }

  atOnce<T>(read: () => T): T {
    return this.#read(() => {
      const within = this.#atOnce;
      this.#atOnce = true;
      try {
        return read();
      } finally {
        this.#atOnce = within;
      }
    });
  }

  #write<T>(body: (db: DatabaseSync) => T): T {
    if (this.#options.readOnly === true) throw readOnlyError(this.#path);
    const { db } = this.#connection;
    try {
      return transaction(db, 'immediate', () => body(db));
    } catch (error) {
      throw translate(error, this.#path);
    }
  }

  index(): LakeIndex {
    if (!this.#mirror.loaded) this.#read(() => undefined);
    if (this.#snapshot?.head !== this.#mirror.index.head) this.#snapshot = this.#mirror.index.snapshot();
    return this.#snapshot as LakeIndex;
  }

  refresh(): LakeIndex {
    this.#read(() => undefined);
    return this.index();
  }

  details(asset: string, series: string): SeriesDetails | undefined {
    return this.#read((db) => this.#mirror.share(db, asset, series));
  }

  #all(sql: string, ...parameters: (string | number)[]): Row[] {
    return this.#read((db) => prepare(db, sql).all(...parameters));
  }

  *files(asset?: string): Generator<FileRecord> {
    const filter = asset === undefined ? '' : 'AND asset = ?';
    const sql = `SELECT * FROM files WHERE superseded IS NULL ${filter} AND id > ? ORDER BY id LIMIT ${FILES_PER_PAGE}`;
    for (let after = 0, rows: Row[] = []; after === 0 || rows.length === FILES_PER_PAGE; ) {
      rows = this.#all(sql, ...(asset === undefined ? [] : [asset]), after);
      for (const row of rows) yield fileRecord(row);
      after = Number(rows.at(-1)?.id ?? -1);
    }
  }

  supersededFiles(atOrBefore: number | ((asset: string) => number)): FileRecord[] {
    const spare = 'FROM files WHERE superseded IS NOT NULL AND superseded_at';
    if (typeof atOrBefore === 'number')
      return this.#all(`SELECT * ${spare} BETWEEN 0 AND ? ORDER BY superseded_at, id`, atOrBefore).map(fileRecord);
    return this.#all(`SELECT DISTINCT asset ${spare} >= 0 ORDER BY asset`).flatMap(({ asset }) =>
      this.#all(
        `SELECT * ${spare} BETWEEN 0 AND ? AND asset = ? ORDER BY superseded_at, id`,
        atOrBefore(String(asset)),
        String(asset),
      ).map(fileRecord),
    );
  }

  filesTaken(): FilesTaken[] {
    const sql = `SELECT asset, CASE WHEN superseded IS NULL THEN 'current' WHEN superseded_at < 0 THEN 'kept' ELSE 'superseded' END AS state,
      count(*) AS files, sum(bytes) AS bytes FROM files GROUP BY state, asset ORDER BY state, asset`;
    return this.#all(sql).map(({ asset, state, files, bytes }) => ({
      asset: String(asset),
      state: state as FileState,
      files: Number(files),
      bytes: Number(bytes),
    }));
  }

  keptFiles(): FileRecord[] {
    return this.#all('SELECT * FROM files WHERE superseded IS NOT NULL AND superseded_at < 0 ORDER BY id').map(
      fileRecord,
    );
  }

  file(idOrPath: number | string): FileRecord | undefined {
    return this.#read((db) => findFile(db, idOrPath));
  }

  fileOf(asset: string, series: string, time: number): FileRecord | undefined {
    return this.#read((db) => {
      const id = this.#mirror.detailsOf(db, asset, series).fileAt(time);
      return id < 0 ? undefined : findFile(db, id);
    });
  }

  filesAt(asset: string, revision: number): FilesThen | undefined {
    return this.#read((db) => filesAt(db, asset, revision));
  }

  revisionAt(at: number): number | undefined {
    return this.#read((db) => revisionAt(db, at));
  }

  runs(limit: number, tags?: Tags): RunRecord[] {
    const newest = 'SELECT * FROM runs ORDER BY started DESC';
    if (tags === undefined) return this.#all(`${newest} LIMIT ?`, limit).map(runRecord);
    // Only so many are kept.
    const all = this.#all(newest).map(runRecord);
    return all.filter((record) => hasTags(record.tags, tags)).slice(0, limit);
  }

  claimed(nowMs: number): ReadonlySet<string> {
    return new Set(
      this.#all('SELECT DISTINCT asset FROM claims WHERE expires > ?', nowMs).map(({ asset }) => String(asset)),
    );
  }

  run(id: string): { record: RunRecord; events: StoredEvent[] } | undefined {
    const [row] = this.#all('SELECT * FROM runs WHERE run = ?', id);
    return row && { record: runRecord(row), events: [...this.events({ run: id })] };
  }

  *events(filter: EventFilter = {}): Generator<StoredEvent> {
    const terms = [
      'revision > ?',
      ...(filter.asset === undefined ? [] : ['asset = ?']),
      ...(filter.run === undefined ? [] : ['run = ?']),
      ...(filter.kind === undefined ? [] : ['kind = ?']),
    ];
    const rest = [filter.asset, filter.run, filter.kind].filter((value) => value !== undefined);
    const sql = `SELECT * FROM events WHERE ${terms.join(' AND ')} ORDER BY revision LIMIT ?`;
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    for (let after = filter.after ?? 0; left > 0; ) {
      const wanted = Math.min(EVENTS_PER_PAGE, left);
      const rows = this.#all(sql, after, ...rest, wanted);
      for (const row of rows) yield unpackEvent(decodeEvent(row as unknown as EncodedEvent, this.#mirror.names));
      if (rows.length < wanted) return;
      left -= rows.length;
      after = Number(rows.at(-1)?.revision);
    }
  }

  meta(key: string): string | undefined {
    return this.#read((db) => lakeFact(db, key));
  }

  setMetaOnce(key: string, value: string): string {
    return this.#write((db) => setLakeFact(db, key, value));
  }

  eventsSinceCheckpoint(): number {
    return this.#read((db) => this.#mirror.index.head - (checkpointRevisions(db)[0] ?? 0));
  }

  damage(): string[] {
    return [...this.#mirror.damaged.values()];
  }

  append(event: NewEvent, guard: AppendGuard = {}): Appended {
    let folding = false;
    try {
      return this.#write((db) => {
        this.#mirror.trim(db);
        this.#mirror.catchUp(db);
        if (guard.claim !== undefined) requireClaim(db, guard.claim);
        if (guard.code !== undefined) requireCode(this.#mirror.index.definitions, guard.code);
        const decision = this.#decide(db, this.#settled(db, event, guard.upstream));
        folding = true;
        const packed = this.#insert(db, decision);
        releaseKept(db, event, packed);
        // Before the commit, so that nothing is ever logged that cannot be folded.
        this.#mirror.fold(packed);
        keepExcluded(db, packed);
        return { revision: packed.revision, at: packed.at, changed: decision.points };
      });
    } catch (error) {
      if (folding) this.#mirror.reset();
      throw error;
    }
  }

  /** An ordered event is taken to be as of its own revision, which is true only if nothing that it read came in between. */
  #settled(db: DatabaseSync, event: NewEvent, upstream: readonly string[] | undefined): NewEvent {
    if (upstream === undefined || event.kind !== 'materialized' || event.ordered !== true) return event;
    const { ordered: _, ...plain } = event;
    const { verified, outcomes } = plain;
    const asset = this.#mirror.index.asset(event.asset);
    const later = prepare(
      db,
      "SELECT 1 FROM events WHERE asset = ? AND revision > ? AND kind IN ('materialized', 'observed', 'departed') LIMIT 1",
    );
    const moved =
      upstream.some((key) => later.get(key, verified) !== undefined) ||
      outcomes.some(({ series }) => asset?.series.get(series)?.changed.some((revision) => revision > verified));
    return moved ? plain : event;
  }

  #decide(db: DatabaseSync, event: NewEvent): Decision {
    const { index } = this.#mirror;
    requirePast(event, index.head);
    return decide(event, {
      index,
      details: (asset, series) => this.#mirror.detailsOf(db, asset, series),
      file: (path) => findFile(db, path),
    });
  }

  #insert(db: DatabaseSync, { event, changed, newFiles, left }: Decision): PackedEvent {
    const at = this.#options.now();
    const revision = Number(prepare(db, 'UPDATE counters SET head = head + 1 RETURNING head').get()?.head);
    const firstFile = addFiles(db, event, revision, newFiles);
    vacateFiles(db, left, revision, at);
    projectRun(db, event, revision, at);
    const packed = packEvent({ revision, at, event, changed, firstFile });
    const { kind, asset, run, format, header, body, crc } = encodeEvent(packed, this.#mirror.names);
    const insert = prepare(db, 'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    insert.run(revision, at, kind, asset, run, format, header, body, crc);
    return packed;
  }

  claim(
    asset: string,
    packs: readonly string[],
    owner: ClaimOwner,
    ttlMs: number,
    nowMs: number,
  ): ClaimToken | ClaimRefused {
    const isAlive = this.#options.isAlive ?? (() => true);
    return this.#write((db) => takeClaim(db, asset, packs, owner, ttlMs, nowMs, isAlive));
  }

  renew(token: ClaimToken, nowMs: number): boolean {
    return this.#write((db) => renewClaim(db, token, nowMs));
  }

  release(token: ClaimToken): void {
    this.#write((db) => releaseClaim(db, token));
  }

  checkpoint(): void {
    saveCheckpoint(this.#mirror, (body) => this.#write(body), this.#options.now);
  }

  prune({ keepEventsAfterMs, keepRuns = KEPT_RUNS }: PruneOptions): { events: number; runs: number } {
    // The events are what a damaged checkpoint is restored from: make sure that none is before letting any go.
    const [, previous = 0] = this.#read((db) => {
      const revisions = checkpointRevisions(db);
      for (const revision of revisions) verifyCheckpoint(db, revision);
      return revisions;
    });
    return this.#write((db) => {
      const kept = prepare(db, 'SELECT min(revision) AS revision FROM events WHERE at >= ?').get(
        keepEventsAfterMs,
      )?.revision;
      const last = Math.min(previous, kept === null || kept === undefined ? previous : Number(kept) - 1);
      prepare(db, 'UPDATE counters SET pruned = max(pruned, ?)').run(last);
      prepare(db, 'DELETE FROM claims WHERE expires < ?').run(keepEventsAfterMs);
      const events = prepare(db, 'DELETE FROM events WHERE revision <= ?').run(last).changes;
      const runs = prepare(
        db,
        'DELETE FROM runs WHERE run NOT IN (SELECT run FROM runs ORDER BY started DESC LIMIT ?)',
      ).run(keepRuns);
      return { events: Number(events), runs: Number(runs.changes) };
    });
  }

  keptMs(): ReadonlyMap<string, number> {
    return this.#read(keptMs);
  }

  setKeptMs(declared: ReadonlyMap<string, number>): void {
    this.#write((db) => setKeptMs(db, declared));
  }

  endHistory(ids: Iterable<number>): void {
    this.#write((db) => endHistory(db, [...ids]));
  }

  forgetFiles(ids: Iterable<number>): void {
    this.#write((db) => forgetFiles(db, [...ids]));
  }

  integrityCheck(): string[] {
    return this.#read((db) => verifyState(db, this.#mirror));
  }

  close(): void {
    if (this.#connection.db.isOpen) this.#connection.db.close();
  }
}

function findFile(db: DatabaseSync, idOrPath: number | string): FileRecord | undefined {
  const column = typeof idOrPath === 'number' ? 'id' : 'path';
  const row: Record<string, SQLOutputValue> | undefined = prepare(db, `SELECT * FROM files WHERE ${column} = ?`).get(
    idOrPath,
  );
  return row && fileRecord(row);
}

function requireCode(
  definitions: Readonly<Record<string, string>>,
  { asset, version }: { asset: string; version: string },
): void {
  const newest = definitions[asset];
  if (newest === undefined || newest === version) return;
  throw new LakehouseError('stale-definitions', `Newer definitions of ${asset} were loaded by another process`, {
    kind: 'conflict',
    hint: 'Reload the definitions (restart this process), so that the two do not recompute each other’s work in turn.',
    details: { asset, ours: version, newest },
  });
}

function requirePast(event: NewEvent, head: number): void {
  const seen = event.kind === 'materialized' ? event.verified : 'head' in event ? event.head : 0;
  if (seen <= head) return;
  throw new LakehouseError('bad-event', `The event says it saw revision ${seen}, but the head is ${head}`, {
    kind: 'internal',
  });
}

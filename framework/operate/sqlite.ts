import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LakehouseError } from '../common/errors.ts';
import { BUSY_TIMEOUT_MS, prepare, type Row, readOnlyError, transaction, translate } from '../state/sql.ts';
import type {
  Lease,
  LeaseOwner,
  NewTick,
  OperateStore,
  TickEnd,
  TickFilter,
  TickKind,
  TickOutcome,
  TickRecord,
} from './store.ts';

/** Marks the file as ours: 'LKHO'. */
const APPLICATION_ID = 0x4c4b484f;

/** Numbered from 1 by position. Released ones are never edited; a change is a new one at the end. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE ticks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    decision TEXT NOT NULL,
    ticks INTEGER NOT NULL,
    by_hand INTEGER NOT NULL,
    finished INTEGER,
    run TEXT,
    error TEXT
  ) STRICT;
  CREATE INDEX ticks_of_name ON ticks (kind, name, id);
  CREATE INDEX ticks_running ON ticks (outcome) WHERE outcome = 'running';
  CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    acquired INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE ticks ADD COLUMN begun INTEGER;
  CREATE INDEX ticks_queued ON ticks (outcome) WHERE outcome = 'queued';
  `,
];

export interface OpenOperateOptions {
  /** Makes and alters nothing; a file that is missing reads as an empty one, and everything that writes throws `read-only`. */
  readonly readOnly?: boolean;
  /** Whether a process of this host is running: the lease of a dead one is taken over at once. By default it expires. */
  readonly isAlive?: (pid: number) => boolean;
  readonly host: string;
}

/**
 * Opens what the daemon remembers, `operate.sqlite` beside the event log, for any number of processes at once.
 * @throws LakehouseError `state-corrupt`, `operate-too-new`, `read-only`, `disk-full`, `state-busy`.
 */
export function openOperate(path: string, options: OpenOperateOptions): OperateStore {
  const { readOnly = false } = options;
  const missing = readOnly && !existsSync(path);
  if (readOnly) rollBack(path);
  try {
    const db = missing ? new DatabaseSync(':memory:') : new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS });
    try {
      // With a rollback journal, readers need to write nothing beside the file.
      if (!readOnly) db.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL');
      db.exec('PRAGMA trusted_schema = OFF');
      migrate(db, path, readOnly && !missing);
    } catch (error) {
      db.close();
      throw error;
    }
    return new SqliteOperate(db, path, options, undefined);
  } catch (error) {
    throw translate(error, path);
  }
}

/** A process that was killed while it wrote leaves a journal, which only somebody who may write can undo. */
function rollBack(path: string): void {
  if ((statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  try {
    const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      db.close();
    }
  } catch {
    // It may not be written; reading it says why.
  }
}

function migrate(db: DatabaseSync, path: string, readOnly: boolean): void {
  const versionOf = () => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  const found = versionOf();
  if (found > MIGRATIONS.length) {
    throw new LakehouseError('operate-too-new', `${path} was written by a newer version of this program`, {
      hint: 'Use that version, or a later one.',
    });
  }
  if (found === MIGRATIONS.length || (readOnly && found > 0)) return;
  if (readOnly) throw new LakehouseError('state-corrupt', `${path} is empty; it was cut off`, { kind: 'data' });
  transaction(db, 'immediate', () => {
    for (const sql of MIGRATIONS.slice(versionOf())) db.exec(sql);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

class SqliteOperate implements OperateStore {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #options: OpenOperateOptions;
  readonly #lease: Lease | undefined;

  constructor(db: DatabaseSync, path: string, options: OpenOperateOptions, lease: Lease | undefined) {
    this.#db = db;
    this.#path = path;
    this.#options = options;
    this.#lease = lease;
  }

  #read<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw translate(error, this.#path);
    }
  }

  #write<T>(body: () => T): T {
    if (this.#options.readOnly) throw readOnlyError(this.#path);
    return this.#read(() =>
      transaction(this.#db, 'immediate', () => {
        if (this.#lease && this.lease()?.epoch !== this.#lease.epoch) throw lost();
        return body();
      }),
    );
  }

  recall(key: string): unknown {
    const row = this.#read(() => prepare(this.#db, 'SELECT value FROM facts WHERE key = ?').get(key));
    return row && JSON.parse(String(row.value));
  }

  recallAll(prefix: string): Map<string, unknown> {
    // The first text that does not begin with the prefix and is greater than all that do.
    const end = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
    const rows = this.#read(() =>
      prepare(this.#db, 'SELECT key, value FROM facts WHERE key >= ? AND key < ? ORDER BY key').all(prefix, end),
    );
    return new Map(rows.map((row) => [String(row.key).slice(prefix.length), JSON.parse(String(row.value))]));
  }

  ticks({ kind, name, outcome, decided = false, limit }: TickFilter): TickRecord[] {
    const wanted = Object.entries({ kind, name, outcome }).filter(([, value]) => value !== undefined);
    const terms = [
      ...wanted.map(([column]) => `${column} = ?`),
      ...(decided ? ["outcome <> 'skipped' AND by_hand = 0"] : []),
    ];
    const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`;
    const rows = this.#read(() =>
      prepare(this.#db, `SELECT * FROM ticks ${where} ORDER BY id DESC LIMIT ?`).all(
        ...wanted.map(([, value]) => String(value)),
        limit,
      ),
    );
    return rows.map(tickOf);
  }

  lease(): Lease | undefined {
    const row = this.#read(() => prepare(this.#db, 'SELECT * FROM lease').get());
    return (
      row && {
        epoch: Number(row.epoch),
        owner: JSON.parse(String(row.owner)) as LeaseOwner,
        acquiredAt: Number(row.acquired),
        heartbeatAt: Number(row.heartbeat),
        expiresAt: Number(row.expires),
      }
    );
  }

  version(): number {
    return Number(this.#read(() => prepare(this.#db, 'PRAGMA data_version').get())?.data_version);
  }

  remember(facts: Readonly<Record<string, unknown>>): void {
    this.#write(() => this.#set(facts));
  }

  #set(facts: Readonly<Record<string, unknown>> = {}): void {
    for (const [key, value] of Object.entries(facts)) {
      if (value === undefined) prepare(this.#db, 'DELETE FROM facts WHERE key = ?').run(key);
      else prepare(this.#db, 'INSERT OR REPLACE INTO facts VALUES (?, ?)').run(key, JSON.stringify(value));
    }
  }

  addTick(tick: NewTick, facts?: Readonly<Record<string, unknown>>): number {
    const { kind, name, due, at, outcome, decision, ticks = 1, byHand = false } = tick;
    return this.#write(() => {
      this.#set(facts);
      const before = prepare(
        this.#db,
        'SELECT max(attempt) AS n FROM ticks WHERE kind = ? AND name = ? AND due = ? AND by_hand = ?',
      ).get(kind, name, due, Number(byHand));
      const { lastInsertRowid } = prepare(
        this.#db,
        'INSERT INTO ticks (kind, name, due, attempt, at, outcome, decision, ticks, by_hand, begun, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(
        kind,
        name,
        due,
        Number(before?.n ?? 0) + 1,
        at,
        outcome,
        decision,
        ticks,
        Number(byHand),
        outcome === 'running' ? at : null,
        outcome === 'queued' || outcome === 'running' ? null : at,
      );
      return Number(lastInsertRowid);
    });
  }

  beginTick(id: number, at: number): void {
    this.#write(() => prepare(this.#db, "UPDATE ticks SET outcome = 'running', begun = ? WHERE id = ?").run(at, id));
  }

  endTick(id: number, { outcome, decision, at, run, error }: TickEnd, facts?: Readonly<Record<string, unknown>>): void {
    this.#write(() => {
      this.#set(facts);
      prepare(
        this.#db,
        'UPDATE ticks SET outcome = ?, decision = ?, finished = ?, run = ?, error = ? WHERE id = ?',
      ).run(outcome, decision, at, run ?? null, error === undefined ? null : JSON.stringify(error), id);
    });
  }

  prune(keep: number): number {
    return this.#write(() => {
      const { changes } = prepare(
        this.#db,
        `DELETE FROM ticks WHERE outcome NOT IN ('queued', 'running') AND id IN (
          SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY kind, name ORDER BY id DESC) AS nth FROM ticks) WHERE nth > ?)`,
      ).run(keep);
      return Number(changes);
    });
  }

  acquire(owner: LeaseOwner, ttlMs: number, now: number): { lease: Lease } | { heldBy: Lease } {
    return this.#write(() => {
      const held = this.lease();
      if (held && held.expiresAt > now && !this.#isGone(held.owner, owner)) return { heldBy: held };
      const lease = {
        epoch: (held?.epoch ?? 0) + 1,
        owner,
        acquiredAt: now,
        heartbeatAt: now,
        expiresAt: now + ttlMs,
      };
      prepare(this.#db, 'INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?, ?, ?)').run(
        lease.epoch,
        JSON.stringify(owner),
        now,
        now,
        lease.expiresAt,
      );
      return { lease };
    });
  }

  #isGone({ host, pid, started }: LeaseOwner, asking: LeaseOwner): boolean {
    // In containers every process may have the same pid.
    if (host === asking.host && pid === asking.pid) return started !== asking.started;
    return host === this.#options.host && this.#options.isAlive?.(pid) === false;
  }

  renew({ epoch }: Lease, ttlMs: number, now: number): boolean {
    return this.#write(() => {
      const { changes } = prepare(this.#db, 'UPDATE lease SET heartbeat = ?, expires = ? WHERE epoch = ?').run(
        now,
        now + ttlMs,
        epoch,
      );
      return Number(changes) === 1;
    });
  }

  release({ epoch }: Lease): void {
    this.#write(() => prepare(this.#db, 'UPDATE lease SET expires = 0 WHERE epoch = ?').run(epoch));
  }

  fenced(lease: Lease): OperateStore {
    return new SqliteOperate(this.#db, this.#path, this.#options, lease);
  }

  close(): void {
    this.#db.close();
  }
}

function lost(): LakehouseError {
  return new LakehouseError('lease-lost', 'Another daemon has taken over', {
    kind: 'conflict',
    hint: 'This process was stopped, or too slow to say that it lives. It stands by.',
  });
}

function tickOf(row: Row): TickRecord {
  const text = (value: unknown) => (value === null ? undefined : String(value));
  // An earlier version's file, which nobody has written to since, lacks a column.
  const number = (value: unknown) => (value === null || value === undefined ? undefined : Number(value));
  return {
    id: Number(row.id),
    kind: String(row.kind) as TickKind,
    name: String(row.name),
    due: Number(row.due),
    attempt: Number(row.attempt),
    at: Number(row.at),
    outcome: String(row.outcome) as TickOutcome,
    decision: String(row.decision),
    ticks: Number(row.ticks),
    byHand: row.by_hand === 1,
    begunAt: number(row.begun),
    finishedAt: number(row.finished),
    run: text(row.run),
    error: row.error === null ? undefined : JSON.parse(String(row.error)),
  };
}

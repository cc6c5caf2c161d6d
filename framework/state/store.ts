import type { SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { SeriesDetails } from './details.ts';
import type { NewEvent, StoredEvent } from './events.ts';
import type { LakeIndex } from './index.ts';

/** A file of the lake as the log knows it. */
export interface FileRecord {
  readonly id: number;
  /** Key in the object store. */
  readonly path: string;
  readonly asset: string;
  readonly series: string;
  readonly bytes: number;
  readonly sha256?: string;
  readonly createdRevision: number;
  /** Partitions that live in it; 0 for a superseded file. */
  readonly live: number;
  /** Partitions it was written with; absent for files of an older program. */
  readonly written?: number;
  /** The event after which no partition lived in it any more; of a file that was kept and then let go, the event that did that. */
  readonly supersededRevision?: number;
  /** ms UTC. */
  readonly supersededAt?: number;
}

export interface RunRecord {
  readonly run: string;
  readonly command: string;
  readonly selection: string;
  /** What a person wants to find it by. */
  readonly tags?: Tags;
  readonly startedAt: number;
  readonly startedRevision: number;
  /** Absent while it runs, and for ever where it died. */
  readonly finishedAt?: number;
  readonly finishedRevision?: number;
  readonly outcome?: 'succeeded' | 'failed' | 'cancelled';
  readonly counts?: Readonly<Record<string, number>>;
  readonly error?: SerializedError;
}

/** What files are kept for: `current` ones hold partitions, `superseded` ones wait to be removed, `kept` ones were excluded. */
export type FileState = 'current' | 'superseded' | 'kept';

/** What the files of an asset take. */
export interface FilesTaken {
  readonly asset: string;
  readonly state: FileState;
  readonly files: number;
  readonly bytes: number;
}

/** A file that partitions lived in at an earlier revision. */
export interface FileThen extends FileRecord {
  /** Times of those that have left it since, as flat half-open ranges. Those that live in it now did so then. */
  readonly left: readonly number[];
}

/** The files of an asset as of an earlier revision. */
export interface FilesThen {
  /** The earliest revision of which all files are known; of an earlier one `files` is empty. */
  readonly since: number;
  readonly files: readonly FileThen[];
}

export interface EventFilter {
  readonly asset?: string;
  readonly run?: string;
  readonly kind?: NewEvent['kind'];
  /** Only later revisions. */
  readonly after?: number;
  readonly limit?: number;
}

/** What planning and reports may do. Everything is synchronous. */
export interface StateReader {
  /** The index as of the last refresh (or append). A snapshot: it never alters. */
  index(): LakeIndex;
  /** Folds what others have appended since, and returns the new snapshot. */
  refresh(): LakeIndex;
  /** Details of a series, read from disk when first asked for. As of now, which may be later than a snapshot that is still held. Never altered afterwards. */
  details(asset: string, series: string): SeriesDetails | undefined;
  /** What `read` finds, all of it as of one revision whatever is appended meanwhile. It only reads, and may be called again. */
  atOnce<T>(read: () => T): T;
  /** Current files. */
  files(asset?: string): Iterable<FileRecord>;
  /**
   * Files that no partition lives in any more, superseded at or before an instant (ms UTC), for each asset its own, and not yet
   * forgotten; without the kept ones.
   */
  supersededFiles(atOrBefore: number | ((asset: string) => number)): Iterable<FileRecord>;
  /** Files that an exclusion superseded, of series that nothing else is in the lake of: a changed setting must not cost anybody originals. */
  keptFiles(): Iterable<FileRecord>;
  /** Of every asset that has such files, by state and asset. */
  filesTaken(): FilesTaken[];
  /** A file by id or path, current or superseded. */
  file(idOrPath: number | string): FileRecord | undefined;
  /** The file a partition lives in. */
  fileOf(asset: string, series: string, time: number): FileRecord | undefined;
  /** Undefined where the log keeps no history: an older program wrote it last, and nothing has been written since. */
  filesAt(asset: string, revision: number): FilesThen | undefined;
  /**
   * The last revision that was appended at or before an instant (ms UTC), 0 before the first; undefined where the events that would
   * tell are pruned.
   */
  revisionAt(at: number): number | undefined;
  /** How long superseded files of assets stay, in milliseconds, as last remembered; of assets that keep any. */
  keptMs(): ReadonlyMap<string, number>;
  /** Latest first; with `tags` those that have all of these. */
  runs(limit: number, tags?: Tags): RunRecord[];
  /** Assets that runs are computing as of an instant (ms UTC), of whatever process: of one that was killed until its claims expire. */
  claimed(nowMs: number): ReadonlySet<string>;
  /** A run with those of its events that are still kept. */
  run(id: string): { record: RunRecord; events: StoredEvent[] } | undefined;
  /** In the order of revisions. Pruned events are gone. */
  events(filter?: EventFilter): Iterable<StoredEvent>;
  /** A fact about the lake as a whole, e.g. `origin`. */
  meta(key: string): string | undefined;
  /** Damaged checkpoints that were met; the state was restored without them, and the next checkpoint is written in full. */
  damage(): string[];
  /** Events that opening must fold: when there are thousands, `checkpoint()` is due. */
  eventsSinceCheckpoint(): number;
  close(): void;
}

export interface ClaimOwner {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
}

/** Proof of a claim on packs of one asset. */
export interface ClaimToken {
  readonly token: number;
  readonly asset: string;
  readonly packs: readonly string[];
  readonly ttlMs: number;
}

export interface ClaimRefused {
  /** Who holds the first of `packs`. */
  readonly heldBy: ClaimOwner & { readonly expires: number };
  /** The packs that somebody else holds. */
  readonly packs: readonly string[];
}

export interface AppendGuard {
  /** Refuse with `claim-lost` unless every pack of the claim is still ours. An expired claim that nobody took is still ours. */
  readonly claim?: ClaimToken;
  /** Refuse with `stale-definitions` when newer definitions that give the asset another code version were logged. */
  readonly code?: { readonly asset: string; readonly version: string };
  /** Assets that an `ordered` event read: if one of them, or its own series, changed after `verified`, it is appended as not ordered. */
  readonly upstream?: readonly string[];
}

export interface Appended {
  readonly revision: number;
  /** ms UTC. */
  readonly at: number;
  /** Points whose content changed, entered or left. */
  readonly changed: number;
}

export interface PruneOptions {
  /** Events appended at or after this instant (ms UTC) are kept. */
  readonly keepEventsAfterMs: number;
  /** This many latest runs stay listed; default 1,000. */
  readonly keepRuns?: number;
}

/** What execution may do. Each call is one short transaction; other processes wait for each other, none is turned away. */
export interface StateWriter extends StateReader {
  /**
   * Appends one event, or nothing. The guards are decided on the state the event is appended to.
   * @throws LakehouseError of kind `conflict`: `claim-lost`, `stale-definitions`, `pack-conflict`; `disk-full`; `read-only`;
   * `bad-event` (internal) for an event that contradicts itself.
   */
  append(event: NewEvent, guard?: AppendGuard): Appended;
  /** All of the packs or none. Taken over are claims that have expired and those whose process on this host is gone. */
  claim(
    asset: string,
    packs: readonly string[],
    owner: ClaimOwner,
    ttlMs: number,
    nowMs: number,
  ): ClaimToken | ClaimRefused;
  /** Heartbeat. False when the claim was taken over. */
  renew(token: ClaimToken, nowMs: number): boolean;
  release(token: ClaimToken): void;
  /** Writes the index and details as of now, so that opening need not fold what came before. The previous checkpoint is kept. */
  checkpoint(): void;
  /** Deletes old events, only below the previous checkpoint, and old runs. */
  prune(options: PruneOptions): { events: number; runs: number };
  /** Remembers for assets how long their superseded files are to stay, in milliseconds: for those who do not have their definitions. */
  setKeptMs(declared: ReadonlyMap<string, number>): void;
  /**
   * From here on nobody is told that partitions lived in these superseded files: their objects are about to be removed. What was
   * in them can be told of revisions no more.
   */
  endHistory(ids: Iterable<number>): void;
  /** Forgets superseded files whose objects have been removed, which ends their history too. Current files stay. */
  forgetFiles(ids: Iterable<number>): void;
  /** Sets a fact once. Returns the value in force, which is the earlier one where it had been set. */
  setMetaOnce(key: string, value: string): string;
  /** Reads everything: pages, events, chunks. Returns what is wrong, one sentence each; empty for a sound file. */
  integrityCheck(): string[];
}

import type { Readable } from 'node:stream';

/** One stored object. */
export interface ObjectInfo {
  /** `/`-separated path below the store's root; see {@link assertKey}. */
  readonly key: string;
  readonly bytes: number;
  /** When its content was last written or it got its name, whichever is later; whole milliseconds since 1970 UTC, by the clock of whoever stores it. */
  readonly modifiedMs: number;
}

/**
 * A new object that nobody sees yet. It ends once: by `commit`, by being part of a `commitAll`, or by `discard`.
 * `await using staged = …` discards it unless it was committed.
 */
export interface Staged extends AsyncDisposable {
  readonly key: string;
  /** Absolute path of a local file to create and write to (by DuckDB `COPY`, `writeFile`, …). Close it before `commit`. */
  readonly path: string;
  /** Writes the whole file, durably already: then a commit of many has no disk to wait for. */
  write(bytes: Uint8Array): Promise<void>;
  /** {@link ObjectStore.commitAll} of this one alone. */
  commit(): Promise<ObjectInfo>;
  /** Removes what was written. Does nothing when already committed or discarded; never throws. */
  discard(): Promise<void>;
}

/** What the log knows of an object's bytes. */
export interface KnownObject {
  readonly key: string;
  /** SHA-256, hex. */
  readonly sha256?: string | undefined;
}

/**
 * Objects as local files, for one piece of work. What a store fetches stays until the reading is closed, also when the object is
 * deleted meanwhile; where objects are files anyway they are read in place, and go when they are deleted. Close it whatever happens:
 * `await using reading = store.reading()`.
 */
export interface Reading extends AsyncDisposable {
  /**
   * Absolute path of a file with the object's bytes, only to be read. The same object always has the same path. Bytes that are at
   * hand by their SHA-256 are given also when the object is gone.
   * @throws `object-missing` as `read` does; `object-corrupt` (data) when the bytes are not those that the log knows.
   */
  path(object: KnownObject): Promise<string>;
  /** Does nothing when already closed; never throws. */
  close(): Promise<void>;
}

/**
 * Write-once objects under `/`-separated relative keys. An object is either absent or whole, never overwritten (but by `overwrite`),
 * and durable once its commit has returned. What is in the store means nothing by itself: the log says which objects are current.
 *
 * Every method throws `LakehouseError`: `bad-key` (usage) for a key that {@link assertKey} refuses, and what
 * {@link storageError} makes of the operating system's answers, or {@link s3Error} of those of S3.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3';
  /** Where the objects are, for people to read. */
  readonly root: string;

  /** A place to write the object `key`. Whether the key is free is decided by the commit. */
  stage(key: string): Promise<Staged>;

  /**
   * Makes the staged files durable and gives them their names; each distinct directory is synced once.
   * When it throws, none of the objects is left behind, and all stages are discarded: stage again to try again. A process
   * that dies within may leave some, which nothing refers to.
   * @throws `object-exists` (conflict) when a key is taken; `stage-missing` (transient) when a staged file was never written or
   * was swept; `stage-ended` (internal) when a stage was already committed or discarded, or is another store's.
   */
  commitAll(staged: readonly Staged[]): Promise<ObjectInfo[]>;

  /** Stages, writes and commits `bytes`, with the same guarantees and errors. */
  put(key: string, bytes: Uint8Array): Promise<ObjectInfo>;

  /**
   * Puts an object in the place of whatever is there, at once and durably: readers see the old or the new one, whole. Only for what
   * others look for under a fixed name (the catalogue); everything else is written once.
   */
  overwrite(key: string, bytes: Uint8Array): Promise<ObjectInfo>;

  /** @throws `object-missing` (conflict: whoever named it should look again at what is current). */
  read(key: string): Promise<Uint8Array>;

  /** The stream of an object that exists. @throws `object-missing` as `read` does. */
  createReadStream(key: string): Promise<Readable>;

  /** For those who read files: engines, hashes. */
  reading(): Reading;

  /** undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;

  /**
   * The objects whose key starts with `prefix` (any string prefix of keys; '' means all), by the UTF-8 bytes of their keys.
   * Objects that come or go meanwhile may be listed or not.
   */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /** Whether there was such an object. */
  delete(key: string): Promise<boolean>;

  /**
   * Removes stages whose files nobody has written to for `olderThanMs` before `nowMs` and whose process is not known to run: a
   * statement may be silent for hours before it writes. Only the age tells of a process of another host, so allow more than its
   * longest silence; one that loses its stage fails with `stage-missing`, and is tried again. Returns how many were removed.
   */
  sweepStaging(olderThanMs: number, nowMs: number): Promise<number>;
}

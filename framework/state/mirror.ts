import type { DatabaseSync } from 'node:sqlite';
import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { checkpointRevisions, loadDetails, loadIndex } from './checkpoint-store.ts';
import { decodeEvent, type EncodedEvent } from './codec.ts';
import { applyDetail, type DetailEntry, detailEntries, MutableDetails, type SeriesDetails } from './details.ts';
import { SeriesDictionary, type SeriesNumbers } from './dictionary.ts';
import { applyEvent } from './fold.ts';
import { IndexBuilder } from './index.ts';
import type { PackedEvent } from './packed.ts';
import type { IndexUse } from './series.ts';
import { corrupt, prepare, translate } from './sql.ts';

/** Points of details that are kept in memory, 36 bytes each: those who write need the same ones again. */
const MOST_CACHED_POINTS = { reading: 250_000, writing: 4_000_000 };

/** Rows of `events` as events. */
export function* packedEvents(
  db: DatabaseSync,
  numbers: SeriesNumbers,
  where: string,
  ...parameters: (string | number)[]
): Generator<PackedEvent> {
  for (const row of db.prepare(`SELECT * FROM events WHERE ${where} ORDER BY revision`).iterate(...parameters)) {
    yield decodeEvent(row as unknown as EncodedEvent, numbers);
  }
}

export function countersOf(db: DatabaseSync): { head: number; pruned: number } {
  const row = prepare(db, 'SELECT head, pruned FROM counters').get();
  return { head: Number(row?.head), pruned: Number(row?.pruned) };
}

/**
 * What this process holds in memory of a state file: the index, and details of the series that were asked for. Both are folds of
 * a checkpoint and the events since. Every method that takes a database must be called inside a transaction on it.
 */
export class Mirror {
  #index: IndexBuilder | undefined;
  #names: { readonly db: DatabaseSync; readonly dictionary: SeriesDictionary } | undefined;
  readonly #path: string;
  readonly #use: IndexUse;
  /** Per asset what its events after revision `from` say about details. */
  readonly #tails = new Map<string, { from: number; entries: Map<string, DetailEntry[]> }>();
  readonly #details = new Map<string, Map<string, { details: MutableDetails; shared: boolean }>>();
  #cachedPoints = 0;
  #covered = 0;
  /** Checkpoints that were found damaged, and how. */
  readonly damaged = new Map<number, string>();

  constructor(path: string, use: IndexUse) {
    this.#path = path;
    this.#use = use;
  }

  /** The index as of the last catch-up. */
  get index(): IndexBuilder {
    if (this.#index === undefined)
      throw new LakehouseError('state-closed', 'The state was not loaded', { kind: 'internal' });
    return this.#index;
  }

  /** Forgets everything; the next catch-up loads anew. */
  reset(): void {
    this.#index = undefined;
    this.#names = undefined;
    this.#tails.clear();
    this.#covered = 0;
    this.forgetDetails();
  }

  forgetDetails(): void {
    this.#details.clear();
    this.#cachedPoints = 0;
  }

  /** Keeps memory bounded; to be called where nobody holds details that are still to be folded. */
  trim(db: DatabaseSync): void {
    this.covered(Math.min(checkpointRevisions(db)[0] ?? 0, this.#index?.head ?? 0));
    if (this.#cachedPoints > MOST_CACHED_POINTS[this.#use]) this.forgetDetails();
  }

  /** A checkpoint was made at `revision`: what it covers need not be remembered. */
  covered(revision: number): void {
    if (revision <= this.#covered || this.damaged.has(revision)) return;
    this.#covered = revision;
    for (const tail of this.#tails.values()) {
      if (revision <= tail.from) continue;
      tail.from = revision;
      for (const [series, entries] of tail.entries) {
        const rest = entries.filter((entry) => entry.revision > revision);
        if (rest.length > 0) tail.entries.set(series, rest);
        else tail.entries.delete(series);
      }
    }
  }

  /** As of the last catch-up. */
  get names(): SeriesDictionary {
    if (this.#names === undefined)
      throw new LakehouseError('state-closed', 'The state was not loaded', { kind: 'internal' });
    return this.#names.dictionary;
  }

  get loaded(): boolean {
    return this.#index !== undefined;
  }

  /** Revisions from which the state can be folded, best first: sound checkpoints, and 0 while no event was pruned. */
  bases(db: DatabaseSync): number[] {
    const { pruned } = countersOf(db);
    return [...checkpointRevisions(db), 0].filter((revision) => revision >= pruned && !this.damaged.has(revision));
  }

  /** Tries one base after another; a damaged one is remembered and not tried again. */
  #from<T>(db: DatabaseSync, what: string, attempt: (base: number) => T): T {
    for (const base of this.bases(db)) {
      try {
        return attempt(base);
      } catch (thrown) {
        const error = translate(thrown, this.#path);
        if (base === 0 || !isLakehouseError(error) || error.code !== 'state-corrupt') throw error;
        this.damaged.set(base, error.message);
      }
    }
    const reasons = [...this.damaged.values()].join('; ');
    throw corrupt(
      `${what} cannot be repacked: no checkpoint is sound and the events before them were pruned (${reasons})`,
    );
  }

  /** Folds what was appended since. @throws LakehouseError `state-corrupt`, `state-too-new`, `state-replaced`. */
  catchUp(db: DatabaseSync): void {
    const { head, pruned } = countersOf(db);
    const known = this.#index?.head ?? 0;
    if (known > head) {
      throw new LakehouseError(
        'state-replaced',
        `The state ${this.#path} went back from revision ${known} to ${head}`,
        {
          kind: 'conflict',
          hint: 'It was repacked or replaced while this process ran. Start again.',
        },
      );
    }
    if (this.#index === undefined || known < pruned) {
      this.reset();
      this.#index = this.#from(db, `The state ${this.#path}`, (base) =>
        base === 0 ? new IndexBuilder(this.#use) : loadIndex(db, base, this.#use),
      );
    }
    const index = this.#index;
    // A read-only state may have been opened anew.
    if (this.#names?.db !== db) this.#names = { db, dictionary: new SeriesDictionary(db) };
    this.names.catchUp();
    for (const packed of packedEvents(db, this.names, 'revision > ?', index.head)) {
      if (packed.revision !== index.head + 1) {
        throw corrupt(`Events ${index.head + 1} to ${packed.revision - 1} are missing from the log ${this.#path}`);
      }
      this.fold(packed);
    }
    if (index.head !== head) {
      throw corrupt(
        `The log ${this.#path} ends at event ${index.head}, but ${head} had been appended: the end was cut off`,
      );
    }
  }

  /** Folds the next event. */
  fold(packed: PackedEvent): void {
    applyEvent(this.index, packed);
    if (!('asset' in packed.header)) return;
    const tail = this.#tails.get(packed.header.asset);
    if (tail === undefined) return;
    const cached = this.#details.get(packed.header.asset);
    for (const entry of detailEntries(packed)) {
      const entries = tail.entries.get(entry.series);
      if (entries === undefined) tail.entries.set(entry.series, [entry]);
      else entries.push(entry);
      const found = cached?.get(entry.series);
      if (found === undefined) continue;
      if (found.shared) {
        found.details = found.details.clone();
        found.shared = false;
      }
      this.#cachedPoints -= found.details.length;
      applyDetail(found.details, entry);
      this.#cachedPoints += found.details.length;
    }
  }

  /** What the events of an asset after a revision say about details, per series. */
  tailOf(db: DatabaseSync, asset: string, from: number): ReadonlyMap<string, readonly DetailEntry[]> {
    const known = this.#tails.get(asset);
    if (known !== undefined && known.from <= from) return known.entries;
    const entries = new Map<string, DetailEntry[]>();
    for (const packed of packedEvents(
      db,
      this.names,
      'asset = ? AND revision > ? AND revision <= ?',
      asset,
      from,
      this.index.head,
    )) {
      for (const entry of detailEntries(packed)) {
        const list = entries.get(entry.series);
        if (list === undefined) entries.set(entry.series, [entry]);
        else list.push(entry);
      }
    }
    this.#tails.set(asset, { from, entries });
    return entries;
  }

  /** Details of a series as of the index's head, to be folded further. */
  detailsOf(db: DatabaseSync, asset: string, series: string): MutableDetails {
    return this.#cached(db, asset, series).details;
  }

  /** Details to hand out: what is folded later leaves them alone. */
  share(db: DatabaseSync, asset: string, series: string): SeriesDetails | undefined {
    if (this.index.asset(asset)?.series.has(series) !== true) return undefined;
    const cached = this.#cached(db, asset, series);
    cached.shared = true;
    return cached.details;
  }

  #cached(db: DatabaseSync, asset: string, series: string): { details: MutableDetails; shared: boolean } {
    let ofAsset = this.#details.get(asset);
    if (ofAsset === undefined) {
      ofAsset = new Map();
      this.#details.set(asset, ofAsset);
    }
    let found = ofAsset.get(series);
    if (found === undefined) {
      found = { details: this.#load(db, asset, series), shared: false };
      ofAsset.set(series, found);
      this.#cachedPoints += found.details.length;
    }
    return found;
  }

  #load(db: DatabaseSync, asset: string, series: string): MutableDetails {
    return this.#from(db, `Details of ${asset} ${series}`, (base) => {
      const entries = this.tailOf(db, asset, base).get(series) ?? [];
      const known = this.index.asset(asset)?.series.has(series) === true;
      const details = base === 0 || !known ? new MutableDetails() : loadDetails(db, base, asset, series);
      for (const entry of entries) if (entry.revision > base) applyDetail(details, entry);
      return details;
    });
  }
}

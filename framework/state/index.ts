import { LakehouseError } from '../common/errors.ts';
import type { SeriesValues } from '../partition/space.ts';

export { CHECK_FAILED, FAILED, LEFT, PRESENT, TRANSIENT } from '../plan/view.ts';

/** A remembered failure. */
export interface Failure {
  /** Head revision at the attempt. */
  readonly head: number;
  /** Index into `LakeIndex.codes`. */
  readonly code: number;
  readonly transient: boolean;
  /** Of the event that reported it. */
  readonly revision: number;
  /** Failures in a row, this one included. */
  readonly attempts: number;
}

/**
 * One series in memory, only what planning needs. The columns cover the window `[base, base + length)` of time indices;
 * a point whose flags are 0 was never seen. Read only.
 */
export interface SeriesState {
  readonly key: string;
  readonly values: SeriesValues;
  /** Time index of the first entry of the columns. */
  readonly base: number;
  /** Entries of each column. */
  readonly length: number;
  /** Revision at which the content last changed, entering and leaving included. */
  readonly changed: Uint32Array;
  /** Revision up to which the inputs had been seen when it was computed. */
  readonly verified: Uint32Array;
  /** Index into `LakeIndex.codes`; 0 is none. */
  readonly code: Uint16Array;
  /** Index into `LakeIndex.choices`; 0 is none. */
  readonly choice: Uint16Array;
  readonly flags: Uint8Array;
}

export interface AssetState {
  /** By series key. */
  readonly series: ReadonlyMap<string, SeriesState>;
  failure(seriesKey: string, time: number): Failure | undefined;
  /** When the source was last looked at, ms UTC; undefined where it never was. */
  readonly lastObservedAt: number | undefined;
  readonly lastObservedRevision: number | undefined;
}

/** What the log says as of revision `head`. A snapshot: later events do not alter it. */
export interface LakeIndex {
  readonly head: number;
  /** Code versions, append-only; entry 0 is the empty string. */
  readonly codes: readonly string[];
  /** Choices of alternative inputs, append-only; entry 0 is the empty string. */
  readonly choices: readonly string[];
  asset(key: string): AssetState | undefined;
  /** Sorted. */
  assetKeys(): string[];
  /** The code version of each asset in the newest definitions that were logged. */
  readonly definitions: Readonly<Record<string, string>>;
  /** Per asset the sets of code versions that were declared to give the same; a version is in one set at most. */
  readonly accepted: Readonly<Record<string, readonly (readonly string[])[]>>;
}

/** Time indices per checkpoint chunk of the index. */
export const HOT_WINDOW = 4096;
/** A window this wide is a mistake in the data (hours of two thousand years), not a series. */
const WIDEST = 1 << 24;

/** The columns' window must grow from `[base, base+length)` to hold `[lo, hi)`: the new base and length, with room to spare. */
export function grownWindow(
  base: number,
  length: number,
  lo: number,
  hi: number,
): readonly [base: number, length: number] {
  const from = length === 0 ? lo : Math.min(base, lo);
  const to = length === 0 ? hi : Math.max(base + length, hi);
  const spare = length === 0 ? 0 : length >> 1;
  const newBase = Math.floor((length > 0 && lo < base ? from - spare : from) / 16) * 16;
  const newEnd = Math.ceil((length > 0 && hi > base + length ? to + spare : to) / 16) * 16;
  if (newEnd - newBase > WIDEST) {
    throw new LakehouseError('time-window-too-wide', `A series cannot span the time indices ${from} to ${to}`, {
      kind: 'data',
      hint: 'A partition far from all others was probably parsed from a wrong date.',
    });
  }
  return [newBase, newEnd - newBase];
}

/** Columns of a window copied into a wider one. */
export function widen<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  column: T,
  into: T,
  shift: number,
): T {
  // An empty column has no place in time yet, and its shift no meaning.
  if (column.length > 0) into.set(column, shift);
  return into;
}

/** A series that is being folded. Snapshots share it until it is written again (`epoch`). */
export class MutableSeries implements SeriesState {
  readonly key: string;
  readonly values: SeriesValues;
  readonly epoch: number;
  base = 0;
  length = 0;
  changed = new Uint32Array(0);
  verified = new Uint32Array(0);
  code = new Uint16Array(0);
  choice = new Uint16Array(0);
  flags = new Uint8Array(0);
  failures: Map<number, Failure> | undefined;
  /** For the next checkpoint: chunk number → revision that last wrote into it. Not part of the snapshot. */
  readonly written: Map<number, number>;

  constructor(key: string, values: SeriesValues, epoch: number, written = new Map<number, number>()) {
    this.key = key;
    this.values = values;
    this.epoch = epoch;
    this.written = written;
  }

  clone(epoch: number): MutableSeries {
    const copy = new MutableSeries(this.key, this.values, epoch, this.written);
    copy.base = this.base;
    copy.length = this.length;
    copy.changed = this.changed.slice();
    copy.verified = this.verified.slice();
    copy.code = this.code.slice();
    copy.choice = this.choice.slice();
    copy.flags = this.flags.slice();
    copy.failures = this.failures && new Map(this.failures);
    return copy;
  }

  /** Makes the window hold `[lo, hi)`. */
  ensure(lo: number, hi: number): void {
    if (lo >= this.base && hi <= this.base + this.length) return;
    const [base, length] = grownWindow(this.base, this.length, lo, hi);
    const shift = this.base - base;
    this.changed = widen(this.changed, new Uint32Array(length), shift);
    this.verified = widen(this.verified, new Uint32Array(length), shift);
    this.code = widen(this.code, new Uint16Array(length), shift);
    this.choice = widen(this.choice, new Uint16Array(length), shift);
    this.flags = widen(this.flags, new Uint8Array(length), shift);
    this.base = base;
    this.length = length;
  }

  /** Records that `[lo, hi)` was written at a revision. */
  touch(lo: number, hi: number, revision: number): void {
    const last = Math.floor((hi - 1) / HOT_WINDOW);
    for (let chunk = Math.floor(lo / HOT_WINDOW); chunk <= last; chunk++) this.written.set(chunk, revision);
  }
}

export class MutableAsset implements AssetState {
  readonly epoch: number;
  readonly series: Map<string, MutableSeries>;
  lastObservedAt: number | undefined;
  lastObservedRevision: number | undefined;

  constructor(epoch: number, from?: MutableAsset) {
    this.epoch = epoch;
    this.series = new Map(from?.series);
    this.lastObservedAt = from?.lastObservedAt;
    this.lastObservedRevision = from?.lastObservedRevision;
  }

  failure(seriesKey: string, time: number): Failure | undefined {
    return this.series.get(seriesKey)?.failures?.get(time);
  }

  /** The series, ready to be written; made when it is new. */
  write(key: string, values: SeriesValues): MutableSeries {
    const found = this.series.get(key);
    if (found?.epoch === this.epoch) return found;
    const own = found?.clone(this.epoch) ?? new MutableSeries(key, values, this.epoch);
    this.series.set(key, own);
    return own;
  }
}

/**
 * The index under construction. `snapshot()` costs nothing: it hands out what is there and starts a new epoch, in which
 * whatever is written is copied first.
 */
export class IndexBuilder {
  head = 0;
  readonly codes: string[] = [''];
  readonly choices: string[] = [''];
  definitions: Readonly<Record<string, string>> = {};
  accepted: LakeIndex['accepted'] = {};
  #epoch = 1;
  #assets = new Map<string, MutableAsset>();
  readonly #numbers = { codes: new Map([['', 0]]), choices: new Map([['', 0]]) };

  asset(key: string): MutableAsset | undefined {
    return this.#assets.get(key);
  }

  get assets(): ReadonlyMap<string, MutableAsset> {
    return this.#assets;
  }

  /** The asset, ready to be written. */
  write(key: string): MutableAsset {
    const found = this.#assets.get(key);
    if (found?.epoch === this.#epoch) return found;
    const own = new MutableAsset(this.#epoch, found);
    this.#assets.set(key, own);
    return own;
  }

  /** The number of a text in one of the tables, which it enters when it is new. */
  number(table: 'codes' | 'choices', text: string): number {
    const known = this.#numbers[table].get(text);
    if (known !== undefined) return known;
    const next = this[table].length;
    if (next > 0xffff) {
      throw new LakehouseError('state-full', `The log has named more than 65,535 different ${table}`, {
        kind: 'internal',
      });
    }
    this[table].push(text);
    this.#numbers[table].set(text, next);
    return next;
  }

  snapshot(): LakeIndex {
    this.#epoch++;
    const assets = this.#assets;
    this.#assets = new Map(assets);
    return {
      head: this.head,
      codes: this.codes,
      choices: this.choices,
      definitions: this.definitions,
      accepted: this.accepted,
      asset: (key) => assets.get(key),
      assetKeys: () => [...assets.keys()].sort(),
    };
  }
}

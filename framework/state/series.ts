import type { Scratch } from '../common/scratch.ts';
import { Unpacked } from '../common/unpacked.ts';
import type { SeriesValues } from '../partition/space.ts';
import type { SeriesColumns, SeriesView } from '../plan/view.ts';
import {
  BYTES_PER_POINT,
  chunkExtent,
  decodeChanged,
  decodeHot,
  encodeHot,
  type Failure,
  HOT_WINDOW,
  hotFailures,
  newColumns,
} from './hot.ts';
import { grownWindow, widen } from './window.ts';

/**
 * One series in memory, only what planning needs. The columns cover the window `[base, base + length)` of time indices;
 * a point whose flags are 0 was never seen. Read only. The columns are made from packed ones when they are asked for and let go
 * afterwards: whoever reads many points takes hold of a column first.
 */
export interface SeriesState extends SeriesView {
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
  /** Of attempts that failed and were not followed by one that did not, by time index. */
  readonly failures: ReadonlyMap<number, Failure> | undefined;
}

/** What the index is there for: those who write need the same series again and again. */
export type IndexUse = 'reading' | 'writing';
/** Bytes of columns that are unpacked at a time. */
const MOST_UNPACKED = { reading: 8 * 2 ** 20, writing: 128 * 2 ** 20 };
export const unpackedSeries = (use: IndexUse): Unpacked => new Unpacked(MOST_UNPACKED[use]);

/** A series that is being folded. Snapshots share it until it is written again (`epoch`). */
export class MutableSeries implements SeriesState {
  readonly key: string;
  readonly values: SeriesValues;
  readonly epoch: number;
  base = 0;
  length = 0;
  failures: Map<number, Failure> | undefined;
  /** For the next checkpoint: chunk number → revision that last wrote into it. Not part of the snapshot. */
  readonly written: Map<number, number>;
  readonly #unpacked: Unpacked;
  /** By number of the chunk. What is in `#unsaved` is not as the columns have it. */
  #chunks = new Map<number, Uint8Array>();
  #columns: SeriesColumns | undefined;
  readonly #unsaved = new Set<number>();

  constructor(
    key: string,
    values: SeriesValues,
    epoch: number,
    unpacked: Unpacked,
    written = new Map<number, number>(),
  ) {
    this.key = key;
    this.values = values;
    this.epoch = epoch;
    this.written = written;
    this.#unpacked = unpacked;
  }

  get changed(): Uint32Array {
    return this.#read().changed;
  }
  get verified(): Uint32Array {
    return this.#read().verified;
  }
  get code(): Uint16Array {
    return this.#read().code;
  }
  get choice(): Uint16Array {
    return this.#read().choice;
  }
  get flags(): Uint8Array {
    return this.#read().flags;
  }

  #read(): SeriesColumns {
    if (this.#columns !== undefined) return this.#columns;
    const columns = newColumns(this.length);
    for (const body of this.#chunks.values()) decodeHot(columns, this.base, body);
    return this.#hold(columns);
  }

  columns(scratch: Scratch): SeriesColumns {
    if (this.#columns !== undefined) return this.#columns;
    const { length } = this;
    const columns = {
      changed: scratch.u32(length),
      verified: scratch.u32(length),
      code: scratch.u16(length),
      choice: scratch.u16(length),
      flags: scratch.u8(length),
    };
    for (const body of this.#chunks.values()) decodeHot(columns, this.base, body);
    return columns;
  }

  copyChanged(into: Uint32Array, at: number): void {
    if (this.#columns !== undefined) into.set(this.#columns.changed, at);
    else for (const body of this.#chunks.values()) decodeChanged(into, this.base - at, body);
  }

  #hold(columns: SeriesColumns): SeriesColumns {
    this.#columns = columns;
    this.#unpacked.hold(this, BYTES_PER_POINT * this.length);
    return columns;
  }

  /** As a checkpoint has it. For a new series. */
  restore(chunks: readonly Uint8Array[]): void {
    const [lo, hi] = chunkExtent(chunks);
    if (lo === hi) return;
    [this.base, this.length] = grownWindow(0, 0, lo, hi);
    for (const body of chunks) {
      const [first, end] = chunkExtent([body]);
      if (first === end) continue;
      this.#chunks.set(Math.floor(first / HOT_WINDOW), body);
      for (const [time, failure] of hotFailures(body)) {
        this.failures ??= new Map();
        this.failures.set(time, failure);
      }
    }
  }

  clone(epoch: number, unpacked = this.#unpacked): MutableSeries {
    const copy = new MutableSeries(this.key, this.values, epoch, unpacked, this.written);
    copy.base = this.base;
    copy.length = this.length;
    copy.failures = this.failures && new Map(this.failures);
    copy.#chunks = new Map(this.#chunks);
    for (const chunk of this.#unsaved) copy.#unsaved.add(chunk);
    if (this.#columns !== undefined) copy.#hold(copied(this.#columns, this.length, 0));
    return copy;
  }

  /**
   * The columns with `[lo, hi)` in their window, which is going to be written at a revision. To be written at once: the next series
   * that is unpacked may have this one packed.
   */
  edit(lo: number, hi: number, revision: number): SeriesColumns {
    let columns = this.#read();
    if (lo < this.base || hi > this.base + this.length) {
      const [base, length] = grownWindow(this.base, this.length, lo, hi);
      columns = copied(columns, length, this.base - base);
      this.base = base;
      this.length = length;
      this.#hold(columns);
    }
    const last = Math.floor((hi - 1) / HOT_WINDOW);
    for (let chunk = Math.floor(lo / HOT_WINDOW); chunk <= last; chunk++) {
      this.written.set(chunk, revision);
      this.#unsaved.add(chunk);
    }
    return columns;
  }

  pack(): void {
    this.#save();
    this.#columns = undefined;
  }

  #save(): void {
    if (this.#columns === undefined) return;
    for (const chunk of this.#unsaved) {
      this.#chunks.set(chunk, encodeHot(this.#columns, this.base, this.failures, chunk));
    }
    this.#unsaved.clear();
  }

  /** A chunk as a checkpoint writes it. */
  chunk(number: number): Uint8Array {
    this.#save();
    const known = this.#chunks.get(number);
    return known ?? encodeHot(newColumns(0), this.base, undefined, number);
  }
}

/** Columns in a wider window. */
function copied(from: SeriesColumns, length: number, shift: number): SeriesColumns {
  const to = newColumns(length);
  widen(from.changed, to.changed, shift);
  widen(from.verified, to.verified, shift);
  widen(from.code, to.code, shift);
  widen(from.choice, to.choice, shift);
  widen(from.flags, to.flags, shift);
  return to;
}

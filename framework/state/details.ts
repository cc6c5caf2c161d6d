import type { SeriesValues } from '../partition/space.ts';
import { departuresOf, movedOf, outcomesOf, type StoredEvent } from './events.ts';
import { grownWindow, widen } from './index.ts';

/**
 * What is known of one series beyond planning. Columns cover `[base, base + length)`; whether a point is present is said by
 * the index, a point that has left has zeros and file -1. Read only.
 */
export interface SeriesDetails {
  readonly base: number;
  readonly length: number;
  /** 16 bytes per point. */
  readonly version: Uint8Array;
  readonly rows: Uint32Array;
  readonly bytes: Float64Array;
  /** `FileRecord.id`, or -1. */
  readonly file: Int32Array;
  /** The event that materialized or observed it; 0 for none. */
  readonly revision: Uint32Array;
}

/** Time indices per checkpoint chunk of details: small, because each point costs 36 bytes and a day touches every series. */
export const COLD_WINDOW = 512;

export class MutableDetails implements SeriesDetails {
  base = 0;
  length = 0;
  version = new Uint8Array(0);
  rows = new Uint32Array(0);
  bytes = new Float64Array(0);
  file = new Int32Array(0);
  revision = new Uint32Array(0);

  clone(): MutableDetails {
    const copy = new MutableDetails();
    copy.ensure(this.base, this.base + this.length);
    copy.version.set(this.version, 16 * (this.base - copy.base));
    copy.rows.set(this.rows, this.base - copy.base);
    copy.bytes.set(this.bytes, this.base - copy.base);
    copy.file.set(this.file, this.base - copy.base);
    copy.revision.set(this.revision, this.base - copy.base);
    return copy;
  }

  /** Makes the window hold `[lo, hi)`. */
  ensure(lo: number, hi: number): void {
    if (hi <= lo || (lo >= this.base && hi <= this.base + this.length)) return;
    const [base, length] = grownWindow(this.base, this.length, lo, hi);
    const shift = this.base - base;
    this.version = widen(this.version, new Uint8Array(16 * length), 16 * shift);
    this.rows = widen(this.rows, new Uint32Array(length), shift);
    this.bytes = widen(this.bytes, new Float64Array(length), shift);
    this.file = widen(this.file, new Int32Array(length).fill(-1), shift);
    this.revision = widen(this.revision, new Uint32Array(length), shift);
    this.base = base;
    this.length = length;
  }

  /** The file a point lives in, or -1. */
  fileAt(time: number): number {
    return this.file[time - this.base] ?? -1;
  }
}

/** What one event says about the details of one series. */
export interface DetailEntry {
  readonly series: string;
  readonly values: SeriesValues;
  readonly revision: number;
  /** Id of the event's first file. */
  readonly firstFile: number;
  /** New content at `times`. */
  readonly outcome?: {
    readonly times: Int32Array;
    readonly version: Uint8Array;
    readonly rows: Uint32Array;
    readonly bytes: ArrayLike<number>;
    readonly file: Int32Array;
  };
  /** The same content in another file. */
  readonly moved?: { readonly times: Int32Array; readonly file: Int32Array };
  /** Flat half-open ranges that have left. */
  readonly left?: readonly number[];
}

/** The details are the fold of these, series by series. */
export function detailEntries(stored: StoredEvent): DetailEntry[] {
  const { event, revision, firstFile } = stored;
  const name = (of: { series: string; values: SeriesValues }) => ({
    series: of.series,
    values: of.values,
    revision,
    firstFile,
  });
  return [
    ...outcomesOf(event).map((outcome) => ({ ...name(outcome), outcome })),
    ...movedOf(event).map((moved) => ({ ...name(moved), moved })),
    ...departuresOf(event).map((gone) => ({ ...name(gone), left: gone.ranges })),
  ];
}

/** Folds one entry into the details of its series. */
export function applyDetail(details: MutableDetails, entry: DetailEntry): void {
  const { outcome, moved, left, revision, firstFile } = entry;
  if (outcome !== undefined && outcome.times.length > 0) {
    const { times } = outcome;
    details.ensure(times[0] as number, (times[times.length - 1] as number) + 1);
    for (let i = 0; i < times.length; i++) {
      const at = (times[i] as number) - details.base;
      const file = outcome.file[i] as number;
      details.rows[at] = outcome.rows[i] as number;
      details.bytes[at] = outcome.bytes[i] as number;
      details.file[at] = file < 0 ? -1 : firstFile + file;
      details.revision[at] = revision;
      for (let b = 0; b < 16; b++) details.version[16 * at + b] = outcome.version[16 * i + b] as number;
    }
  }
  if (moved !== undefined) {
    for (let i = 0; i < moved.times.length; i++) {
      details.file[(moved.times[i] as number) - details.base] = firstFile + (moved.file[i] as number);
    }
  }
  for (let i = 0; left !== undefined && i < left.length; i += 2) {
    const lo = Math.max(left[i] as number, details.base) - details.base;
    const hi = Math.min(left[i + 1] as number, details.base + details.length) - details.base;
    if (lo >= hi) continue;
    details.version.fill(0, 16 * lo, 16 * hi);
    details.rows.fill(0, lo, hi);
    details.bytes.fill(0, lo, hi);
    details.file.fill(-1, lo, hi);
    details.revision.fill(0, lo, hi);
  }
}

/** The chunks (by number) that an entry writes into. */
export function chunksOf(entry: DetailEntry): number[] {
  const times = entry.outcome?.times ?? entry.moved?.times;
  const ranges =
    times !== undefined && times.length > 0
      ? [times[0] as number, (times[times.length - 1] as number) + 1]
      : (entry.left ?? []);
  const chunks: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const last = Math.floor(((ranges[i + 1] as number) - 1) / COLD_WINDOW);
    for (let chunk = Math.floor((ranges[i] as number) / COLD_WINDOW); chunk <= last; chunk++) chunks.push(chunk);
  }
  return chunks;
}

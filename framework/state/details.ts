import { departuresOf } from './events.ts';
import type { PackedEvent, PackedMoves, PackedOutcomes } from './packed.ts';
import { grownWindow, widen } from './window.ts';

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

/** What one event says about the details of one series: entries `[from, to)` of its columns, or ranges that have left. */
export interface DetailEntry {
  readonly series: string;
  readonly revision: number;
  /** Id of the event's first file. */
  readonly firstFile: number;
  readonly from: number;
  readonly to: number;
  /** New content. */
  readonly outcomes?: PackedOutcomes;
  /** The same content in another file. */
  readonly moved?: PackedMoves;
  /** Flat half-open ranges. */
  readonly left?: readonly number[];
}

/** The details are the fold of these, series by series. */
export function detailEntries({ revision, firstFile, header, outcomes, moved }: PackedEvent): DetailEntry[] {
  const entries: DetailEntry[] = [];
  for (let k = 0, from = 0; outcomes !== undefined && k < outcomes.names.length; k++) {
    const to = outcomes.ends[k] as number;
    entries.push({ series: outcomes.names[k]?.series as string, revision, firstFile, from, to, outcomes });
    from = to;
  }
  for (let k = 0, from = 0; moved !== undefined && k < moved.names.length; k++) {
    const to = moved.ends[k] as number;
    entries.push({ series: moved.names[k]?.series as string, revision, firstFile, from, to, moved });
    from = to;
  }
  for (const { series, ranges } of departuresOf(header))
    entries.push({ series, revision, firstFile, from: 0, to: 0, left: ranges });
  return entries;
}

/** Folds one entry into the details of its series. */
export function applyDetail(
  details: MutableDetails,
  { outcomes, moved, left, revision, firstFile, from, to }: DetailEntry,
): void {
  if (outcomes !== undefined && from < to) {
    const { times, rows, bytes, file, version } = outcomes;
    details.ensure(times[from] as number, (times[to - 1] as number) + 1);
    for (let i = from; i < to; i++) {
      const at = (times[i] as number) - details.base;
      const ordinal = file?.[i] ?? -1;
      details.rows[at] = rows?.[i] ?? 0;
      details.bytes[at] = bytes[i] as number;
      details.file[at] = ordinal < 0 ? -1 : firstFile + ordinal;
      details.revision[at] = revision;
      for (let b = 0; b < 16; b++) details.version[16 * at + b] = version[16 * i + b] as number;
    }
  }
  for (let i = from; moved !== undefined && i < to; i++) {
    details.file[(moved.times[i] as number) - details.base] = firstFile + (moved.file[i] as number);
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
export function chunksOf({ outcomes, moved, left, from, to }: DetailEntry): number[] {
  const times = (outcomes ?? moved)?.times;
  const ranges =
    times !== undefined && from < to ? [times[from] as number, (times[to - 1] as number) + 1] : (left ?? []);
  const chunks: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const last = Math.floor(((ranges[i + 1] as number) - 1) / COLD_WINDOW);
    for (let chunk = Math.floor((ranges[i] as number) / COLD_WINDOW); chunk <= last; chunk++) chunks.push(chunk);
  }
  return chunks;
}

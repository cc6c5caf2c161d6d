import { packRuns, unpackRuns } from '../common/runs.ts';
import type { SeriesColumns } from '../plan/view.ts';
import { type Column, ColumnReader, packColumns } from './columns.ts';

/** Time indices per chunk of the index of a series: what a checkpoint writes, and what stays packed in memory. */
export const HOT_WINDOW = 4096;

export const BYTES_PER_POINT = 13;

/** In one piece of memory: many series are unpacked for a moment each. */
export function newColumns(length: number): SeriesColumns {
  const buffer = new ArrayBuffer(BYTES_PER_POINT * length);
  return {
    changed: new Uint32Array(buffer, 0, length),
    verified: new Uint32Array(buffer, 4 * length, length),
    code: new Uint16Array(buffer, 8 * length, length),
    choice: new Uint16Array(buffer, 10 * length, length),
    flags: new Uint8Array(buffer, 12 * length, length),
  };
}

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

/** First and last entry of a chunk's part of a window that hold anything. */
export function extent(
  used: Uint8Array | Uint32Array,
  base: number,
  chunk: number,
  window: number,
): readonly [from: number, to: number] {
  let from = Math.max(0, chunk * window - base);
  let to = Math.min(used.length, (chunk + 1) * window - base);
  while (from < to && used[from] === 0) from++;
  while (to > from && used[to - 1] === 0) to--;
  return from < to ? [from, to] : [0, 0];
}

/** The range of time indices that chunks of either sort cover; empty where they hold nothing. */
export function chunkExtent(chunks: readonly Uint8Array[]): readonly [lo: number, hi: number] {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const chunk of chunks) {
    const [base = 0, n = 0] = new ColumnReader(chunk).i32(2);
    if (n === 0) continue;
    lo = Math.min(lo, base);
    hi = Math.max(hi, base + n);
  }
  return lo < hi ? [lo, hi] : [0, 0];
}

/**
 * The chunk of a series that covers `HOT_WINDOW` time indices from `chunk * HOT_WINDOW`, packed. Begins with eight numbers: the first
 * time index, points, failures, and of each column the bytes of its runs, negative. (Format 1 had the count of pairs of value and
 * length there, or 0 for a plain column.) What was verified is written as its distance from the last change, which varies less.
 */
export function encodeHot(
  { changed, verified, code, choice, flags }: SeriesColumns,
  base: number,
  failures: ReadonlyMap<number, Failure> | undefined,
  chunk: number,
): Uint8Array {
  const [from, to] = extent(flags, base, chunk, HOT_WINDOW);
  const distance = new Uint32Array(to - from);
  for (let i = from; i < to; i++) {
    const ahead = (changed[i] as number) - (verified[i] as number);
    distance[i - from] = ahead < 0 ? -2 * ahead - 1 : 2 * ahead;
  }
  const packed = [
    packRuns(changed, from, to),
    packRuns(distance),
    packRuns(code, from, to),
    packRuns(choice, from, to),
    packRuns(flags, from, to),
  ];
  const failed = [...(failures ?? [])]
    .filter(([time]) => Math.floor(time / HOT_WINDOW) === chunk)
    .sort((a, b) => a[0] - b[0]);
  return packColumns([
    Int32Array.of(base + from, to - from, failed.length, ...packed.map((bytes) => -bytes.length)),
    ...packed,
    Int32Array.from(failed, ([time]) => time),
    Uint32Array.from(failed, ([, failure]) => failure.head),
    Uint32Array.from(failed, ([, failure]) => failure.revision),
    Uint32Array.from(failed, ([, failure]) => failure.attempts),
    Uint16Array.from(failed, ([, failure]) => failure.code),
    Uint8Array.from(failed, ([, failure]) => Number(failure.transient)),
  ]);
}

/** Puts a chunk into columns whose window begins at `base` and holds it. */
export function decodeHot(columns: SeriesColumns, base: number, body: Uint8Array): void {
  const reader = new ColumnReader(body);
  const [first = 0, n = 0, , ...counts] = reader.i32(8);
  if (n === 0) return;
  const { changed, verified, code, choice, flags } = columns;
  const start = first - base;
  for (const [k, column] of [changed, verified, code, choice, flags].entries()) {
    const count = counts[k] as number;
    if (count < 0) unpackRuns(reader.u8(-count), column, start);
    else decodeOld(reader, column, start, count, n);
  }
  if ((counts[1] as number) >= 0) return;
  for (let i = start; i < start + n; i++) {
    const distance = verified[i] as number;
    verified[i] = (changed[i] as number) + (distance % 2 === 1 ? (distance + 1) / 2 : -distance / 2);
  }
}

/** The same of the first column alone, into one whose window begins at `base`. */
export function decodeChanged(into: Uint32Array, base: number, body: Uint8Array): void {
  const reader = new ColumnReader(body);
  const [first = 0, n = 0, , count = 0] = reader.i32(8);
  if (n === 0) return;
  if (count < 0) unpackRuns(reader.u8(-count), into, first - base);
  else decodeOld(reader, into, first - base, count, n);
}

/** A column as format 1 wrote it. */
function decodeOld(
  reader: ColumnReader,
  column: SeriesColumns[keyof SeriesColumns],
  start: number,
  count: number,
  n: number,
): void {
  const values = readColumn(reader, column, count || n);
  if (count === 0) {
    column.set(values, start);
    return;
  }
  const lengths = reader.u32(count);
  let at = start;
  for (let i = 0; i < count; i++) {
    column.fill(values[i] as number, at, at + (lengths[i] as number));
    at += lengths[i] as number;
  }
}

function readColumn(reader: ColumnReader, like: Column, length: number): Column {
  if (like instanceof Uint32Array) return reader.u32(length);
  return like instanceof Uint16Array ? reader.u16(length) : reader.u8(length);
}

/** The failures of a chunk, by time. */
export function hotFailures(body: Uint8Array): [time: number, failure: Failure][] {
  const reader = new ColumnReader(body);
  const [, n = 0, failed = 0, ...counts] = reader.i32(8);
  if (n === 0 || failed === 0) return [];
  for (const [k, width] of [4, 4, 2, 2, 1].entries()) {
    const count = counts[k] as number;
    if (count < 0) reader.u8(-count);
    else reader.u8((count || n) * width);
    if (count > 0) reader.u32(count);
  }
  const times = reader.i32(failed);
  const heads = reader.u32(failed);
  const revisions = reader.u32(failed);
  const attempts = reader.u32(failed);
  const codes = reader.u16(failed);
  const transient = reader.u8(failed);
  return Array.from(times, (time, i) => [
    time,
    {
      head: heads[i] as number,
      code: codes[i] as number,
      transient: transient[i] === 1,
      revision: revisions[i] as number,
      attempts: attempts[i] as number,
    },
  ]);
}

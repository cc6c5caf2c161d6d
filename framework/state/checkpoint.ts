import { crc32 } from 'node:zlib';
import { type Column, ColumnReader, packColumns } from './columns.ts';
import { COLD_WINDOW, type MutableDetails } from './details.ts';
import { type Failure, HOT_WINDOW, type LakeIndex, type MutableSeries } from './index.ts';

/** Version of how checkpoints are written. Older ones stay readable; a newer one is refused. */
export const CHECKPOINT_FORMAT = 1;

/** What a checkpoint says beside its chunks. */
export interface CheckpointHeader {
  readonly codes: readonly string[];
  readonly choices: readonly string[];
  readonly definitions: Readonly<Record<string, string>>;
  /** Absent in checkpoints of before there was any. */
  readonly accepted?: LakeIndex['accepted'];
  /** Asset → when it was last observed and the revision of that, nulls where it never was. */
  readonly assets: Readonly<Record<string, readonly [at: number | null, revision: number | null]>>;
}

/** Checksum of a chunk, which includes where it belongs. */
export function chunkChecksum(
  asset: string,
  series: string,
  chunk: number,
  revision: number,
  body: Uint8Array,
): number {
  return crc32(body, crc32(`${asset}\n${series}\n${chunk}\n${revision}`));
}

/** Values and lengths of the runs of a column, or nothing where writing it plainly is shorter. */
function runsOf(column: Uint8Array | Uint16Array | Uint32Array): { values: number[]; lengths: number[] } | undefined {
  const most = (column.byteLength - 1) / (4 + column.BYTES_PER_ELEMENT);
  const values: number[] = [];
  const lengths: number[] = [];
  for (let from = 0; from < column.length; ) {
    let to = from + 1;
    while (to < column.length && column[to] === column[from]) to++;
    if (values.length >= most) return undefined;
    values.push(column[from] as number);
    lengths.push(to - from);
    from = to;
  }
  return { values, lengths };
}

/** First and last entry of a chunk's part of a window that hold anything. */
function extent(
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

/** One chunk of the index of a series: `HOT_WINDOW` time indices from `chunk * HOT_WINDOW`. */
export function encodeHot(series: MutableSeries, chunk: number): Uint8Array {
  const [from, to] = extent(series.flags, series.base, chunk, HOT_WINDOW);
  const counts: number[] = [];
  const columns: Column[] = [];
  for (const column of [series.changed, series.verified, series.code, series.choice, series.flags]) {
    const part = column.subarray(from, to);
    const runs = runsOf(part);
    counts.push(runs?.values.length ?? 0);
    if (runs === undefined) columns.push(part);
    else if (part instanceof Uint32Array) columns.push(Uint32Array.from(runs.values), Uint32Array.from(runs.lengths));
    else if (part instanceof Uint16Array) columns.push(Uint16Array.from(runs.values), Uint32Array.from(runs.lengths));
    else columns.push(Uint8Array.from(runs.values), Uint32Array.from(runs.lengths));
  }
  const failures = [...(series.failures ?? [])]
    .filter(([time]) => Math.floor(time / HOT_WINDOW) === chunk)
    .sort((a, b) => a[0] - b[0]);
  columns.push(
    Int32Array.from(failures, ([time]) => time),
    Uint32Array.from(failures, ([, failure]) => failure.head),
    Uint32Array.from(failures, ([, failure]) => failure.revision),
    Uint32Array.from(failures, ([, failure]) => failure.attempts),
    Uint16Array.from(failures, ([, failure]) => failure.code),
    Uint8Array.from(failures, ([, failure]) => Number(failure.transient)),
  );
  return packColumns([Int32Array.of(series.base + from, to - from, failures.length, ...counts), ...columns]);
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

/** Puts a chunk back. The series' window must hold it. */
export function decodeHot(series: MutableSeries, body: Uint8Array): void {
  const reader = new ColumnReader(body);
  const [base = 0, n = 0, failed = 0, ...counts] = reader.i32(8);
  if (n === 0) return;
  const start = base - series.base;
  const fill = (target: Column, count: number, values: Column): void => {
    if (count === 0) {
      target.set(values, start);
      return;
    }
    const lengths = reader.u32(count);
    let at = start;
    for (let i = 0; i < count; i++) {
      target.fill(values[i] as number, at, at + (lengths[i] as number));
      at += lengths[i] as number;
    }
  };
  const [changed = 0, verified = 0, code = 0, choice = 0, flags = 0] = counts;
  fill(series.changed, changed, reader.u32(changed || n));
  fill(series.verified, verified, reader.u32(verified || n));
  fill(series.code, code, reader.u16(code || n));
  fill(series.choice, choice, reader.u16(choice || n));
  fill(series.flags, flags, reader.u8(flags || n));
  if (failed === 0) return;
  const times = reader.i32(failed);
  const heads = reader.u32(failed);
  const revisions = reader.u32(failed);
  const attempts = reader.u32(failed);
  const codes = reader.u16(failed);
  const transient = reader.u8(failed);
  series.failures ??= new Map<number, Failure>();
  for (let i = 0; i < failed; i++) {
    series.failures.set(times[i] as number, {
      head: heads[i] as number,
      code: codes[i] as number,
      transient: transient[i] === 1,
      revision: revisions[i] as number,
      attempts: attempts[i] as number,
    });
  }
}

/** One chunk of the details of a series: `COLD_WINDOW` time indices from `chunk * COLD_WINDOW`. */
export function encodeCold(details: MutableDetails, chunk: number): Uint8Array {
  const [from, to] = extent(details.revision, details.base, chunk, COLD_WINDOW);
  return packColumns([
    Int32Array.of(details.base + from, to - from),
    details.bytes.subarray(from, to),
    details.version.subarray(16 * from, 16 * to),
    details.rows.subarray(from, to),
    details.file.subarray(from, to),
    details.revision.subarray(from, to),
  ]);
}

/** Puts a chunk back. The window must hold it. */
export function decodeCold(details: MutableDetails, body: Uint8Array): void {
  const reader = new ColumnReader(body);
  const [base = 0, n = 0] = reader.i32(2);
  if (n === 0) return;
  const at = base - details.base;
  details.bytes.set(reader.f64(n), at);
  details.version.set(reader.u8(16 * n), 16 * at);
  details.rows.set(reader.u32(n), at);
  details.file.set(reader.i32(n), at);
  details.revision.set(reader.u32(n), at);
}

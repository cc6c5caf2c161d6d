import { crc32 } from 'node:zlib';
import { ColumnReader, packColumns } from './columns.ts';
import { COLD_WINDOW, type MutableDetails } from './details.ts';
import { extent } from './hot.ts';
import type { LakeIndex } from './index.ts';

/** Version of how checkpoints are written. Older ones stay readable, and so do chunks that were written in them; a newer one is refused. */
export const CHECKPOINT_FORMAT = 2;

/** What a checkpoint says beside its chunks. */
export interface CheckpointHeader {
  readonly codes: readonly string[];
  readonly choices: readonly string[];
  readonly definitions: Readonly<Record<string, string>>;
  /** Absent in checkpoints of before there was any. */
  readonly accepted?: LakeIndex['accepted'];
  /** Asset → when it was last observed and the revision of that, nulls where it never was. */
  readonly assets: Readonly<
    Record<
      string,
      readonly [at: number | null, revision: number | null, audited?: number | null, auditOf?: string | null]
    >
  >;
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

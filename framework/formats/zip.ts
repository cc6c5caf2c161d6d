import { constants, crc32, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { LakehouseError } from '../common/errors.ts';

// Read and written by hand, because a library gives only the inflated bytes (yauzl 5 times slower than this), while the
// engine wants the raw deflate stream: re-framed as gzip it is inflated by DuckDB itself, in parallel.

/** The one member of a zip. Nothing is inflated or verified yet: `inflateMember` does both. */
export interface ZipMember {
  /** What the zip is called in error messages, e.g. its key. */
  readonly label: string;
  /** File name inside the zip, as written there: never use it as a path. */
  readonly name: string;
  readonly method: 'stored' | 'deflate';
  /** The member's bytes as they lie in the zip: a view, not a copy. */
  readonly compressed: Uint8Array;
  /** Inflated length in bytes, as the zip claims. */
  readonly size: number;
  /** CRC-32 of the inflated bytes, as the zip claims, unsigned. */
  readonly crc32: number;
  /** The member's wall-clock time (2 s steps, of no known zone), given as if it were UTC. */
  readonly modified: Date;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const ENCRYPTED = 1;
const DATA_DESCRIPTOR = 8;
const UTF8_NAME = 0x800;
/** No deflate stream can expand more than this: bounds what a lying header can make us allocate. */
const MAX_RATIO = 1032;

/**
 * Finds the single member of a zip.
 * @throws LakehouseError of kind `data`: `zip-not-a-zip`, `zip-truncated`, `zip-empty`, `zip-several-members`, `zip-encrypted`,
 * `zip-unsupported-method`, `zip-zip64`, `zip-split`, `zip-sizes-do-not-fit`.
 */
export function readSingleMember(bytes: Uint8Array, label: string): ZipMember {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view, label);
  const members = view.getUint16(end + 10, true);
  const centralBytes = view.getUint32(end + 12, true);
  const central = view.getUint32(end + 16, true);
  if (members === 0xffff || centralBytes === 0xffffffff || central === 0xffffffff) throw zip64(label);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== members) {
    throw bad('zip-split', label, 'is one part of a zip that was split over several files');
  }
  if (members === 0) throw bad('zip-empty', label, 'is a zip without any member');
  if (members > 1) {
    throw bad('zip-several-members', label, `is a zip with ${members} members; exactly one was expected`);
  }
  if (central + centralBytes !== end || centralBytes < CENTRAL_BYTES || view.getUint32(central, true) !== CENTRAL) {
    throw unfit(label, 'its directory is not where its end record says');
  }

  const flags = view.getUint16(central + 8, true);
  const method = view.getUint16(central + 10, true);
  const crc = view.getUint32(central + 16, true);
  const compressedSize = view.getUint32(central + 20, true);
  const size = view.getUint32(central + 24, true);
  const nameBytes = view.getUint16(central + 28, true);
  const local = view.getUint32(central + 42, true);
  const entryBytes =
    CENTRAL_BYTES + nameBytes + view.getUint16(central + 30, true) + view.getUint16(central + 32, true);
  if (compressedSize === 0xffffffff || size === 0xffffffff || local === 0xffffffff) throw zip64(label);
  if (entryBytes !== centralBytes) throw unfit(label, 'its directory is longer or shorter than its one entry');
  if (flags & ENCRYPTED) throw bad('zip-encrypted', label, 'is an encrypted zip');
  if (method !== 0 && method !== 8) {
    throw bad(
      'zip-unsupported-method',
      label,
      `is compressed with method ${method}; only 0 (stored) and 8 (deflate) are read`,
    );
  }

  if (local + LOCAL_BYTES > central || view.getUint32(local, true) !== LOCAL) {
    throw unfit(label, 'its member does not begin where its directory says');
  }
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + compressedSize > central) throw unfit(label, 'its member is longer than the room before its directory');
  // With a data descriptor the local header holds zeros, so only the directory is asked then.
  const localAgrees =
    (flags & DATA_DESCRIPTOR) !== 0 ||
    (view.getUint32(local + 14, true) === crc &&
      view.getUint32(local + 18, true) === compressedSize &&
      view.getUint32(local + 22, true) === size);
  if (!localAgrees || view.getUint16(local + 8, true) !== method) {
    throw unfit(label, 'its directory and its member header disagree');
  }
  if (method === 0 ? size !== compressedSize : size > compressedSize * MAX_RATIO) {
    throw unfit(label, `${compressedSize} bytes cannot hold the ${size} bytes it claims`);
  }
  return {
    label,
    name: new TextDecoder().decode(bytes.subarray(central + CENTRAL_BYTES, central + CENTRAL_BYTES + nameBytes)),
    method: method === 0 ? 'stored' : 'deflate',
    compressed: bytes.subarray(start, start + compressedSize),
    size,
    crc32: crc,
    modified: fromDosTime(view.getUint16(central + 14, true), view.getUint16(central + 12, true)),
  };
}

/**
 * The member's bytes, with length and CRC-32 verified.
 * @throws LakehouseError of kind `data`: `zip-corrupt-stream`, `zip-size-mismatch`, `zip-crc-mismatch`.
 */
export function inflateMember(member: ZipMember): Uint8Array {
  const bytes = member.method === 'stored' ? member.compressed : inflateWhole(member);
  checkCrc(member, crc32(bytes));
  return bytes;
}

/**
 * The member as a gzip file: the same deflate stream in another frame, nothing is inflated. DuckDB does not check a gzip's CRC:
 * call `inflateMember` first where the bytes were not verified otherwise.
 */
export function asGzip(member: ZipMember): Uint8Array {
  const stream = member.method === 'deflate' ? member.compressed : deflateRawSync(member.compressed);
  const gzip = new Uint8Array(10 + stream.length + 8);
  gzip.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  gzip.set(stream, 10);
  const view = new DataView(gzip.buffer);
  view.setUint32(gzip.length - 8, member.crc32, true);
  view.setUint32(gzip.length - 4, member.size, true);
  return gzip;
}

/**
 * The first byte of the inflated member, undefined when it is empty; inflates a few hundred bytes only and verifies nothing.
 * @throws LakehouseError of kind `data`: `zip-corrupt-stream`.
 */
export function firstByte(member: ZipMember): number | undefined {
  if (member.method === 'stored') return member.compressed[0];
  // The Huffman tables that precede the first byte take up to about 300 bytes, several times over in odd streams.
  for (let length = 512; ; length *= 4) {
    const head = member.compressed.subarray(0, length);
    const bytes = inflate(member, head, { finishFlush: constants.Z_SYNC_FLUSH }).buffer;
    if (bytes.length > 0 || head.length === member.compressed.length) return bytes[0];
  }
}

/**
 * A zip with one member. Deterministic: the same arguments give the same bytes (under one version of zlib).
 * @param options.modified written as UTC wall-clock time, in steps of 2 s, 1980..2107.
 * @param options.level zlib's compression level, 6 when not given.
 */
export function writeZip(
  name: string,
  bytes: Uint8Array,
  options: { readonly modified: Date; readonly level?: number },
): Uint8Array {
  const stream = deflateRawSync(bytes, { level: options.level ?? 6 });
  const nameBytes = new TextEncoder().encode(name);
  const { date, time } = toDosTime(options.modified);
  const crc = crc32(bytes);
  const central = LOCAL_BYTES + nameBytes.length + stream.length;
  const zip = new Uint8Array(central + CENTRAL_BYTES + nameBytes.length + END_BYTES);
  const view = new DataView(zip.buffer);
  const common = (at: number): void => {
    view.setUint16(at, 20, true);
    view.setUint16(at + 2, nameBytes.length === name.length ? 0 : UTF8_NAME, true);
    view.setUint16(at + 4, 8, true);
    view.setUint16(at + 6, time, true);
    view.setUint16(at + 8, date, true);
    view.setUint32(at + 10, crc, true);
    view.setUint32(at + 14, stream.length, true);
    view.setUint32(at + 18, bytes.length, true);
    view.setUint16(at + 22, nameBytes.length, true);
  };
  view.setUint32(0, LOCAL, true);
  common(4);
  zip.set(nameBytes, LOCAL_BYTES);
  zip.set(stream, LOCAL_BYTES + nameBytes.length);

  view.setUint32(central, CENTRAL, true);
  view.setUint16(central + 4, (3 << 8) | 20, true); // made on Unix, so that the mode below counts
  common(central + 6);
  view.setUint32(central + 38, 0o100644 * 0x10000, true);
  zip.set(nameBytes, central + CENTRAL_BYTES);

  const end = zip.length - END_BYTES;
  view.setUint32(end, END, true);
  view.setUint16(end + 8, 1, true);
  view.setUint16(end + 10, 1, true);
  view.setUint32(end + 12, end - central, true);
  view.setUint32(end + 16, central, true);
  return zip;
}

const REDOWNLOAD = 'Fetch the file again; if it stays so, the publisher has to repair it.';

function inflateWhole(member: ZipMember): Uint8Array {
  const { compressed, size } = member;
  // One output buffer of the right size: without it zlib joins 16 KB pieces, 1.6 times slower.
  const options = { chunkSize: Math.max(64, size + 1), maxOutputLength: size + 1 };
  const { buffer, consumed } = inflate(member, compressed, options);
  checkLength(member, buffer.length, consumed);
  return buffer;
}

/** @param length how much it inflates to. @param consumed how much of the compressed bytes that took. */
export function checkLength({ label, compressed, size }: ZipMember, length: number, consumed: number): void {
  const wrong = (code: string, what: string) => bad(code, label, what, REDOWNLOAD);
  if (length > size) throw wrong('zip-size-mismatch', `inflates to more than the ${size} bytes its directory says`);
  if (length < size) {
    throw wrong('zip-size-mismatch', `inflates to ${length} bytes where its directory says ${size}`);
  }
  const left = compressed.length - consumed;
  if (left !== 0) throw wrong('zip-corrupt-stream', `has ${left} bytes after the end of its data`);
}

export function checkCrc({ label, crc32: said }: ZipMember, crc: number): void {
  if (crc === said) return;
  const what = `has CRC-32 ${hex(crc)} after inflating, but its directory says ${hex(said)}`;
  throw bad('zip-crc-mismatch', label, what, REDOWNLOAD);
}

/** The error of a stream that zlib refuses. */
export function notInflatable({ label }: ZipMember, cause: unknown): LakehouseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return bad('zip-corrupt-stream', label, `cannot be inflated (${reason})`, REDOWNLOAD, cause);
}

function inflate(member: ZipMember, bytes: Uint8Array, options: ZlibOptions): { buffer: Uint8Array; consumed: number } {
  try {
    // Node's types leave out what `info` changes: the result then says how much of the input the stream used.
    const result = inflateRawSync(bytes, { ...options, info: true }) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    return { buffer: result.buffer, consumed: result.engine.bytesWritten };
  } catch (cause) {
    if (cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      checkLength(member, Number.POSITIVE_INFINITY, 0);
    }
    throw notInflatable(member, cause);
  }
}

/** Offset of the end record. It must reach exactly to the end of the file, so no signature inside the data can pass for it. */
function findEnd(view: DataView, label: string): number {
  const size = view.byteLength;
  for (let at = size - END_BYTES; at >= Math.max(0, size - END_BYTES - 0xffff); at--) {
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === size) return at;
  }
  const begins = size >= 4 && [LOCAL, END].includes(view.getUint32(0, true));
  if (begins) {
    throw bad('zip-truncated', label, `begins like a zip but has no directory at its end (${size} bytes)`, REDOWNLOAD);
  }
  throw bad('zip-not-a-zip', label, size === 0 ? 'is empty, not a zip' : `is not a zip (${size} bytes)`, REDOWNLOAD);
}

function fromDosTime(date: number, time: number): Date {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  return new Date(Date.UTC(year, month - 1, day, time >> 11, (time >> 5) & 63, (time & 31) * 2));
}

function toDosTime(when: Date): { date: number; time: number } {
  const year = when.getUTCFullYear();
  if (!(year >= 1980 && year <= 2107)) {
    throw new LakehouseError('zip-time', `A zip cannot hold the time ${when.getTime()}: its year must be 1980 to 2107`);
  }
  return {
    date: ((year - 1980) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
  };
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');

function unfit(label: string, why: string): LakehouseError {
  return bad('zip-sizes-do-not-fit', label, `is a damaged zip: ${why}`, REDOWNLOAD);
}

function zip64(label: string): LakehouseError {
  return bad('zip-zip64', label, 'is a zip64 archive; only zips below 4 GB are read');
}

function bad(code: string, label: string, sentence: string, hint?: string, cause?: unknown): LakehouseError {
  return new LakehouseError(code, `${label} ${sentence}`, { kind: 'data', hint, cause });
}

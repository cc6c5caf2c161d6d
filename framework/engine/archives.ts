import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import type { RawFormat } from '../define/model.ts';
import { jsonToCsv } from '../formats/json.ts';
import { inflateMember, readSingleMember } from '../formats/zip.ts';
import { fileError } from './errors.ts';
import type { BoundPart } from './port.ts';

/** A CSV that DuckDB can read, and whether its first line names the columns. */
export interface ReadyCsv {
  /** Ordinal of the part. */
  readonly part: number;
  readonly path: string;
  readonly header: boolean;
  /** How many columns it has; as many as the format when absent. */
  readonly fields?: number;
}

/** A raw file's bytes, which must be the ones of its data version. Throws `file-corrupt`, `file-missing`. */
export async function readOriginal(part: BoundPart): Promise<Uint8Array> {
  const bytes = await readFile(part.path).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'ENOENT' ? 'file-missing' : 'file-unreadable';
    throw new LakehouseError(
      code,
      `${part.path}: the file of ${part.key} cannot be read (${cause.code ?? cause.message})`,
      {
        kind: 'transient',
        hint: 'Another run may have replaced the file: try again. If it stays so, run `lakehouse verify`.',
        cause,
      },
    );
  });
  const { version } = part;
  if (version === undefined) return bytes;
  const digest = createHash('sha256').update(bytes).digest();
  if (!digest.subarray(0, version.length).equals(version)) {
    throw new LakehouseError(
      'file-corrupt',
      `${part.path}: the file of ${part.key} is not what was stored (its SHA-256 differs)`,
      {
        kind: 'data',
        hint: 'Run `lakehouse verify`; wiping the partition fetches it again.',
      },
    );
  }
  return bytes;
}

/** How many files are read at once: enough to keep a disk busy. */
const READERS = 8;

/**
 * Verifies original files and puts their rows into `directory` as CSVs. Files without rows are left out. In the order of the parts.
 */
export async function unpackCsvs(
  parts: readonly BoundPart[],
  format: RawFormat,
  directory: string,
  prefix: string,
  signal: AbortSignal,
): Promise<ReadyCsv[]> {
  const ready: (ReadyCsv | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < parts.length; i = next++) {
      signal.throwIfAborted();
      const part = parts[i];
      if (part !== undefined) ready[i] = await unpackCsv(part, format, i, join(directory, `${prefix}-${i}.csv`));
    }
  };
  const workers = Array.from({ length: Math.min(READERS, parts.length) }, () =>
    work().catch((error: unknown) => {
      next = parts.length;
      throw error;
    }),
  );
  // All of them end before the directory may be removed.
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return ready.filter((csv) => csv !== undefined);
}

async function unpackCsv(
  part: BoundPart,
  format: RawFormat,
  ordinal: number,
  path: string,
): Promise<ReadyCsv | undefined> {
  const original = await readOriginal(part);
  // Inflated here, once: DuckDB could inflate the same stream as gzip, but takes no notice of a wrong CRC.
  const bytes =
    format.type === 'json'
      ? jsonToCsv(original, format, part.path)
      : inflateMember(readSingleMember(original, part.path));
  const [first] = bytes;
  if (first === undefined) return undefined;
  await writeFile(path, bytes).catch((cause: unknown) => {
    throw fileError(cause, path);
  });
  if (format.type === 'json') return { part: ordinal, path, header: false };
  const header = first < 0x30 || first > 0x39;
  if (format.optional === undefined) return { part: ordinal, path, header };
  return { part: ordinal, path, header, fields: fieldsOf(bytes, format, part.path) };
}

/** How many columns a file has, told by its first line, which quotes nothing. Throws `csv-columns`. */
function fieldsOf(bytes: Uint8Array, { columns, optional = [] }: RawFormat, path: string): number {
  const end = bytes.indexOf(0x0a);
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  const fields = line.reduce((commas, byte) => (byte === 0x2c ? commas + 1 : commas), 1);
  const least = columns.length - optional.length;
  if (fields >= least && fields <= columns.length) return fields;
  throw new LakehouseError(
    'csv-columns',
    `${path}: the first line has ${fields} columns, expected ${least} to ${columns.length}`,
    { kind: 'data', hint: `They are ${columns.join(', ')}.` },
  );
}

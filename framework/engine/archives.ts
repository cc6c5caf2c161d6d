import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import { inflateMember, readSingleMember } from '../formats/zip.ts';
import { fileError } from './errors.ts';
import type { BoundPart } from './port.ts';

/** A CSV that DuckDB can read, and whether its first line names the columns. */
export interface ReadyCsv {
  /** Ordinal of the part. */
  readonly part: number;
  readonly path: string;
  readonly header: boolean;
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
 * Verifies zipped CSVs and puts their members into `directory`. Members without bytes are left out: they have no rows. In the
 * order of the parts.
 */
export async function unpackCsvs(
  parts: readonly BoundPart[],
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
      if (part !== undefined) ready[i] = await unpackCsv(part, i, join(directory, `${prefix}-${i}.csv`));
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

async function unpackCsv(part: BoundPart, ordinal: number, path: string): Promise<ReadyCsv | undefined> {
  // Inflated here, once: DuckDB could inflate the same stream as gzip, but takes no notice of a wrong CRC.
  const bytes = inflateMember(readSingleMember(await readOriginal(part), part.path));
  const [first] = bytes;
  if (first === undefined) return undefined;
  await writeFile(path, bytes).catch((cause: unknown) => {
    throw fileError(cause, path);
  });
  return { part: ordinal, path, header: first < 0x30 || first > 0x39 };
}

import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from './errors.ts';
import type { EngineSettings } from './port.ts';

/** Less room than this, and inputs are unpacked on the disk. */
const ENOUGH_BYTES = 512 * 1024 * 1024;

/** A new directory for one piece of work. */
export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

/** In `scratchDirectory` where that has room, otherwise in `tempDirectory`. Throws `disk-full`, `file-unwritable` (transient). */
export async function makeScratch(
  settings: Pick<EngineSettings, 'tempDirectory' | 'scratchDirectory'>,
): Promise<Scratch> {
  const { tempDirectory, scratchDirectory } = settings;
  const room = scratchDirectory === undefined ? 0 : await freeBytes(scratchDirectory);
  const root = scratchDirectory !== undefined && room >= ENOUGH_BYTES ? scratchDirectory : tempDirectory;
  try {
    await mkdir(root, { recursive: true });
    const path = await mkdtemp(join(root, 'lakehouse-'));
    return { path, remove: () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    throw fileError(cause, root);
  }
}

function freeBytes(path: string): Promise<number> {
  return statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
}

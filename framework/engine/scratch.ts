import { mkdir, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from './errors.ts';
import type { BoundInput, EngineSettings } from './port.ts';

/** A file system in memory, where there is one: unpacked inputs live for seconds. */
const MEMORY = '/dev/shm';
/** How far a zip of text may expand, generously, and what others may need meanwhile. */
const EXPANSION = 12;
const SPARE_BYTES = 256 * 1024 * 1024;

/** A new directory for one piece of work. */
export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * In `scratchDirectory` (a file system in memory, when absent) where that has room for the unpacked inputs, otherwise in
 * `tempDirectory`, otherwise in `fallbackDirectory`. Throws `disk-full`, `file-unwritable` (transient).
 */
export async function makeScratch(settings: EngineSettings, inputs: readonly BoundInput[]): Promise<Scratch> {
  const { tempDirectory, fallbackDirectory, scratchDirectory = MEMORY } = settings;
  const zipped = await zippedBytes(inputs);
  const room = zipped === 0 ? 0 : await freeBytes(scratchDirectory);
  if (room > zipped * EXPANSION + SPARE_BYTES) {
    const path = await mkdtemp(join(scratchDirectory, 'lakehouse-')).catch(() => undefined);
    if (path !== undefined) return scratch(path);
  }
  if (fallbackDirectory !== undefined) {
    const path = await mkdtemp(join(tempDirectory, 'lakehouse-')).catch(() => undefined);
    if (path !== undefined) return scratch(path);
  }
  const directory = fallbackDirectory ?? tempDirectory;
  try {
    await mkdir(directory, { recursive: true });
    return scratch(await mkdtemp(join(directory, 'lakehouse-')));
  } catch (cause) {
    throw fileError(cause, directory);
  }
}

const scratch = (path: string): Scratch => ({ path, remove: () => rm(path, { recursive: true, force: true }) });

async function zippedBytes(inputs: readonly BoundInput[]): Promise<number> {
  const paths = inputs.flatMap(({ definition, parts }) =>
    definition.storage.type === 'raw' ? parts.map(({ path }) => path) : [],
  );
  // A missing file is reported by whoever reads it.
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function freeBytes(path: string): Promise<number> {
  return statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
}

import { tmpdir, totalmem } from 'node:os';
import type { Settings } from '../config/schema.ts';
import type { Engine } from '../engine/port.ts';
import { makeDirectory } from '../storage/directories.ts';
import { storageError } from '../storage/errors.ts';

/**
 * DuckDB as the settings say. To `read`, nothing is made in the lake's own directories, which may be read-only: where there is no
 * temporary directory to be used, one of the system's serves.
 */
export async function startEngine({ engine }: Settings, mode: 'read' | 'write'): Promise<Engine> {
  const { openEngine } = await import('../engine/engine.ts');
  const { tempDirectory, memoryLimit, threads } = engine;
  if (mode === 'write')
    await makeDirectory(tempDirectory).catch((error: unknown) => {
      throw storageError(error, 'write', tempDirectory);
    });
  return openEngine({
    memoryLimit: sizeOf(memoryLimit),
    ...(threads > 0 && { threads }),
    tempDirectory,
    ...(mode === 'read' && { fallbackDirectory: tmpdir() }),
  });
}

/** DuckDB wants a size; a share is of the memory this process may have (a container's limit counts). */
function sizeOf(setting: string): string {
  if (!setting.endsWith('%')) return setting;
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return `${Math.max(Math.floor((total * Number(setting.slice(0, -1))) / 100 / 2 ** 20), 64)}MiB`;
}

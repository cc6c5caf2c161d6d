import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SimulatedArchive } from './archive.ts';

/**
 * Writes a simulated archive as a directory that `directoryArchive` reads: the same objects without a server.
 * @returns how many objects were written.
 */
export async function writeMirror(archive: SimulatedArchive, directory: string, prefix = ''): Promise<number> {
  const keys = archive.keys().filter((key) => key.startsWith(prefix));
  for (const folder of new Set(keys.map((key) => dirname(join(directory, key)))))
    await mkdir(folder, { recursive: true });
  for (const key of keys) {
    const head = archive.head(key);
    const body = archive.body(key);
    if (head === undefined || body === undefined) continue;
    const path = join(directory, key);
    await writeFile(path, body);
    await utimes(path, head.modifiedMs / 1000, head.modifiedMs / 1000);
  }
  return keys.length;
}

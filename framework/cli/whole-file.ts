import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { LakehouseError } from '../common/errors.ts';

/** What the system refuses is no bug of this program; other errors stay what they are. */
export function cannotWrite(shown: string, error: unknown): unknown {
  if (error instanceof LakehouseError || (error as NodeJS.ErrnoException).code === undefined) return error;
  return new LakehouseError('cannot-write', `Cannot write ${shown}: ${(error as Error).message}`, {
    kind: 'transient',
    cause: error,
  });
}

/**
 * A file that is there whole or not at all. A link to it goes on being one; what is no file (a device, a pipe) is not replaced by one.
 * @param write fills a file beside it, empty at first and of this writer alone: none renames what another has begun.
 * @throws LakehouseError `cannot-write` (transient, usage), and what `write` throws.
 */
export async function wholeFile<T>(
  path: string,
  random: (bytes: number) => Uint8Array,
  write: (partial: string) => Promise<T>,
): Promise<T> {
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  if (there && !there.isFile())
    throw new LakehouseError('cannot-write', `Cannot write ${path}: what is there is no file`, { kind: 'usage' });
  const partial = `${target}.${Buffer.from(random(4)).toString('hex')}.partial`;
  try {
    // Whoever writes it may not say as well why it cannot be.
    await writeFile(partial, '');
    const written = await write(partial);
    await rename(partial, target);
    return written;
  } catch (error) {
    // Where nothing could be made there is nothing to remove.
    await rm(partial, { force: true }).catch(() => {});
    throw cannotWrite(path, error);
  }
}

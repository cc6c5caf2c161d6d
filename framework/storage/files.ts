import { lstat, open, readdir } from 'node:fs/promises';
import { errnoOf, type StorageAction, storageError } from './errors.ts';
import type { ObjectInfo } from './store.ts';

/** What the work throws, as {@link storageError} says it. */
export async function attempt<T>(action: StorageAction, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, action, path);
  }
}

/** For `catch`: the value where there is no such file, the error as it is otherwise. */
export function ifAbsent<T>(value: T): (error: unknown) => T {
  return (error) => {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return value;
    throw error;
  };
}

/** For `catch`: what cannot be helped. */
export function ignore(): void {}

/** Creates the file or replaces what is in it, on disk when this returns. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** undefined for whatever is not a plain file. Modified is also what only just got its name: its bytes may have been staged for hours. */
export async function infoOf(key: string, path: string): Promise<ObjectInfo | undefined> {
  const stats = await lstat(path).catch(ifAbsent(undefined));
  return stats?.isFile()
    ? { key, bytes: stats.size, modifiedMs: Math.trunc(Math.max(stats.mtimeMs, stats.ctimeMs)) }
    : undefined;
}

/** Files, and directories with a `/` behind them, which is how their keys sort; nothing else. */
export async function namesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ifAbsent([]));
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : entry.isDirectory() ? [`${entry.name}/`] : []));
}

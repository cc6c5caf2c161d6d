import { appendFile, readFile, writeFile } from 'node:fs/promises';

/** So many statements can be called back. */
export const REMEMBERED = 1000;

/** Statements of earlier sessions and of this one. */
export interface History {
  /** Latest first, each on one line. */
  readonly entries: readonly string[];
  /** Never throws: why it could not be kept is told once. */
  add(entry: string): Promise<void>;
}

/** A file that only its owner reads, one statement per line; shells beside each other append to it. Without a file nothing is kept. */
export async function openHistory(path: string | undefined, warn: (text: string) => void): Promise<History> {
  let file = path;
  const entries: string[] = [];
  const guard = async (work: (file: string) => Promise<void>) => {
    if (file === undefined) return;
    try {
      await work(file);
    } catch (error) {
      warn(`The history is not kept: ${error instanceof Error ? error.message : String(error)}`);
      file = undefined;
    }
  };
  const remember = (entry: string) => {
    const at = entries.indexOf(entry);
    if (at >= 0) entries.splice(at, 1);
    entries.unshift(entry);
    entries.splice(REMEMBERED);
  };
  await guard(async (from) => {
    const text = await readFile(from, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.split('\n').filter((line) => line !== '');
    for (const line of lines) remember(line);
    if (lines.length > 2 * REMEMBERED) await writeFile(from, `${entries.toReversed().join('\n')}\n`, { mode: 0o600 });
  });
  return {
    entries,
    add: async (entry) => {
      if (entry === entries[0]) return;
      remember(entry);
      await guard((to) => appendFile(to, `${entry}\n`, { mode: 0o600 }));
    },
  };
}

import { lstatSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { cannotWrite } from '../whole-file.ts';

/** What may be in a directory that counts as empty. */
const IGNORED: readonly string[] = ['.git'];

export interface Written {
  /** Paths relative to the directory. */
  readonly written: readonly string[];
  /** Those that were there already, and were left as they are. */
  readonly kept: readonly string[];
}

/**
 * Makes a directory of these files, all of them or none; nothing is overwritten. They are written beside it first (within it, if it is
 * there), then moved.
 * @param files text by relative path, with `/`.
 * @param options.shown the directory as the user would write it, for messages.
 * @param options.add whether it may have something in it already.
 * @param options.suffix makes the name of the place for unfinished files unique.
 * @throws LakehouseError (usage) `not-a-directory`, `directory-not-empty`; `cannot-write` (transient).
 */
export async function writeProject(
  directory: string,
  files: ReadonlyMap<string, string>,
  { shown, add, suffix }: { readonly shown: string; readonly add: boolean; readonly suffix: string },
): Promise<Written> {
  const found = await entriesOf(directory, shown);
  const inTheWay = (found ?? []).filter((name) => !IGNORED.includes(name)).sort();
  if (inTheWay.length > 0 && !add) {
    const more = inTheWay.length > 5 ? ` and ${inTheWay.length - 5} more` : '';
    throw new LakehouseError(
      'directory-not-empty',
      `${shown} is not empty: ${inTheWay.slice(0, 5).join(', ')}${more}`,
      {
        hint: 'Name a directory that is not there yet, or add what is missing with --force; nothing is overwritten.',
      },
    );
  }
  const stage = found === undefined ? `${directory}.${suffix}` : join(directory, `.init-${suffix}`);
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(stage, path)), { recursive: true });
      await writeFile(join(stage, path), text);
    }
    if (found === undefined) {
      await rename(stage, directory);
      return { written: [...files.keys()].sort(), kept: [] };
    }
    return await moveInto(directory, stage, [...files.keys()].sort());
  } catch (error) {
    throw cannotWrite(shown, error);
  } finally {
    // Where nothing could be made there is nothing to remove.
    await rm(stage, { recursive: true, force: true }).catch(() => {});
  }
}

/** Undefined where there is nothing. */
async function entriesOf(directory: string, shown: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') throw new LakehouseError('not-a-directory', `${shown} is there and is not a directory`);
    throw cannotWrite(shown, error);
  }
}

/** Whether something is there: a link to nowhere is. What cannot be looked at cannot be written either, and that says why. */
export function isTaken(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function moveInto(directory: string, stage: string, paths: readonly string[]): Promise<Written> {
  const kept = paths.filter((path) => isTaken(join(directory, path)));
  const written: string[] = [];
  const made: string[] = [];
  try {
    for (const path of paths.filter((one) => !kept.includes(one))) {
      const first = await mkdir(dirname(join(directory, path)), { recursive: true });
      if (first !== undefined) made.push(first);
      await rename(join(stage, path), join(directory, path));
      written.push(path);
    }
    return { written, kept };
  } catch (error) {
    for (const path of [...written.map((one) => join(directory, one)), ...made])
      await rm(path, { recursive: true, force: true });
    throw error;
  }
}

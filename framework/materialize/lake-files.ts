import type { FileRecord, StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';

/** A file as the log knows it, or its path there. */
export type LoggedFile = string | Pick<FileRecord, 'path' | 'sha256'>;

/**
 * The files that one piece of work reads: a batch, a query, a preview. What has to be fetched is fetched once, and stays until they are
 * closed. Close them whatever happens: `await using files = openFiles(lake)`.
 */
export interface LakeFiles extends AsyncDisposable {
  /**
   * What the engine opens to read the rows of a file: an absolute path, or an URL where it reads the bucket by itself. It stands for
   * the file as long as these files are open.
   * @throws LakehouseError `object-missing` (conflict) when it is gone: whoever looked it up should do so again; `object-corrupt` (data).
   * Where an URL is read, the engine finds that out, and says so in its own words.
   */
  readonly table: (file: LoggedFile) => Promise<string>;
  /** Absolute path of a file with all its bytes, for whoever else reads it. Throws as `table` does. */
  readonly original: (file: LoggedFile) => Promise<string>;
  /** What was asked for, as the log calls it. */
  opened(): ReadonlySet<string>;
  /** Does nothing when already closed; never throws. */
  close(): Promise<void>;
}

export function openFiles(lake: Pick<Lake<StateReader>, 'store' | 'state' | 'engine'>): LakeFiles {
  const { store, state } = lake;
  const reading = store.reading();
  const opened = new Set<string>();
  const original = async (file: LoggedFile): Promise<string> => {
    const path = typeof file === 'string' ? file : file.path;
    opened.add(path);
    // Files that are read in place need no looking up.
    const known = store.kind === 'local' || typeof file !== 'string' ? file : state.file(path);
    return reading.path({ key: path, sha256: typeof known === 'object' ? known.sha256 : undefined });
  };
  return {
    table: async (file) => {
      if (store.kind === 'local') return original(file);
      const { scope } = await (await lake.engine()).remote();
      const path = typeof file === 'string' ? file : file.path;
      const address = addressOf(lake, path);
      // An engine may serve longer than the settings that it was started with.
      if (scope === undefined || !address.startsWith(scope)) return original(file);
      opened.add(path);
      return address;
    },
    original,
    opened: () => opened,
    close: () => reading.close(),
    [Symbol.asyncDispose]: () => reading.close(),
  };
}

/** Where an object is, for whoever has a use for it outside of the lake. */
export const addressOf = ({ store }: Pick<Lake, 'store'>, path: string): string => `${store.root}/${path}`;

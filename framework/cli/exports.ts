import type { LakeView } from '../engine/port.ts';
import { addressOf, type LakeFiles, type LoggedFile } from '../materialize/lake-files.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { lakeViews } from '../materialize/views.ts';
import { type LakeTable, lakeTables } from '../report/tables.ts';

// What exports have in common: all tables of a lake at one revision of its log.

export interface Exported {
  readonly revision: number;
  /** Tables, and views over them. */
  readonly views: readonly Exclude<LakeView, { readonly partitions: unknown }>[];
  /** What is said of them, in the same order. */
  readonly tables: readonly LakeTable[];
  /** Keys of assets that are lists of original files, which no table has. */
  readonly leftOut: readonly string[];
}

/** So often the files are looked up in the hope that nothing is appended meanwhile. */
const ATTEMPTS = 3;

/**
 * All tables at one revision.
 * @throws LakehouseError `object-missing` (conflict), `history-gone` when a run removes files faster than they are looked up.
 */
export async function tablesAtOnce(lake: OpenedLake, files: LakeFiles): Promise<Exported> {
  const all = lakeTables(lake);
  const isTable = ({ key }: { readonly key: string }) => lake.graph.find(key)?.definition.storage.type !== 'raw';
  for (let attempt = 1; ; attempt++) {
    const revision = lake.state.refresh().head;
    const asOf = attempt > ATTEMPTS ? { revision, asked: `revision ${revision}` } : undefined;
    const found = new Map((await lakeViews(lake, files, isTable, asOf)).map((view) => [view.definition.key, view]));
    if (asOf === undefined && lake.state.refresh().head !== revision) continue;
    const tables = all.filter(isTable);
    const views = tables.flatMap(({ key }) => {
      const view = found.get(key);
      return view === undefined || 'partitions' in view ? [] : [view];
    });
    return { revision, views, tables, leftOut: all.filter((table) => !isTable(table)).map(({ key }) => key) };
  }
}

export const leftOutText = (leftOut: readonly string[]): readonly string[] =>
  leftOut.length === 0 ? [] : [`Left out are original files: ${leftOut.join(', ')}.`];

/** Where the files of a lake are for other programs: absolute paths, or URLs of its bucket. Opens and fetches nothing. */
export function addressesOf(lake: OpenedLake): LakeFiles {
  const opened = new Set<string>();
  const address = async (file: LoggedFile): Promise<string> => {
    const path = typeof file === 'string' ? file : file.path;
    opened.add(path);
    return addressOf(lake, path);
  };
  return {
    table: address,
    original: address,
    opened: () => opened,
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

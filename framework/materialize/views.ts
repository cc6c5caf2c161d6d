import type { LakeView } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import { LEFT, PRESENT } from '../plan/view.ts';
import type { SeriesState } from '../state/index.ts';
import type { FileRecord, StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';
import { isConflict } from './retry.ts';

const ATTEMPTS = 8;

/**
 * Every asset as a view over its current files, resolved through the log, and the views over assets. A query over them sees each pack as it was then or, if
 * one was replaced and removed meanwhile, fails: resolve and run it again. Assets that are not wanted are there too, but empty: finding
 * the files of a large one takes its time.
 */
export async function lakeViews(
  lake: Lake<StateReader>,
  wanted: (definition: { readonly key: string }) => boolean = () => true,
): Promise<LakeView[]> {
  const { views: queries } = lake.definition;
  const read = new Set(queries.filter(wanted).flatMap(({ inputs }) => Object.values(inputs).map(({ key }) => key)));
  for (let attempt = 1; ; attempt++) {
    try {
      const views: LakeView[] = queries.map((definition) => ({ definition, template: definition.template }));
      for (const key of lake.graph.order) {
        const node = lake.graph.node(key);
        if (node.definition.kind === 'source') continue;
        const { definition } = node;
        const raw = definition.storage.type === 'raw';
        if (!wanted(definition) && !read.has(key))
          views.push({ definition, ...(raw ? { partitions: [] } : { files: [] }) });
        else views.push(raw ? await rawView(lake, node) : await tableView(lake, node));
      }
      return views;
    } catch (error) {
      // A file was replaced and removed since it was looked up.
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Current files of one revision: they are listed in pages, and between two pages another process may replace some. */
function currentFiles(lake: Lake<StateReader>, asset: string): FileRecord[] {
  for (;;) {
    const { head } = lake.state.refresh();
    const files = [...lake.state.files(asset)];
    if (lake.state.refresh().head === head) return files;
  }
}

async function tableView(lake: Lake<StateReader>, node: AssetNode): Promise<LakeView> {
  const files = currentFiles(lake, node.key).sort((a, b) => (a.path < b.path ? -1 : 1));
  const partly = new Map(partlyLive(lake, node, files).map(({ file, times }) => [file, times]));
  const paths = await Promise.all(files.map(async (file) => ({ file, path: await lake.store.localPath(file.path) })));
  return {
    definition: node.definition,
    files: paths.map(({ path }) => path),
    ...(partly.size > 0 && {
      partly: paths.flatMap(({ file, path }) => {
        const times = partly.get(file);
        return times ? [{ path, times }] : [];
      }),
    }),
  };
}

/**
 * Files that hold rows of partitions which live elsewhere now or have left: those that could not be carried out of a pack of other
 * columns, and those of a process that died between a departure and the rewriting of its packs. Only series that have lost
 * partitions, have content of several code versions, or two files of one pack can have such files.
 */
function partlyLive(
  lake: Lake<StateReader>,
  node: AssetNode,
  files: readonly FileRecord[],
): { readonly file: FileRecord; readonly times: readonly number[] }[] {
  const { series } = lake.state.index().asset(node.key) ?? {};
  const bySeries = Map.groupBy(files, (file) => file.series);
  return [...bySeries].flatMap(([key, own]) => {
    const state = series?.get(key);
    if (!state || !(mayBePartly(state) || shareAPack(own))) return [];
    const details = lake.state.details(node.key, key);
    const live = new Map<number, number[]>(own.map((file) => [file.id, []]));
    for (let i = 0; details && i < state.length; i++) {
      const time = state.base + i;
      if ((state.flags[i] as number) & PRESENT) live.get(details.file[time - details.base] as number)?.push(time);
    }
    return own
      .map((file) => ({ file, times: live.get(file.id) ?? [] }))
      .filter(({ file, times }) => writtenWith(lake, file) !== times.length);
  });
}

/** Two current files of one pack: one of them could not be carried into the other. Their code may have been accepted as the same since. */
function shareAPack(files: readonly FileRecord[]): boolean {
  // The name of a pack's file is its own, and a generation.
  return new Set(files.map(({ path }) => path.replace(/\.[^./]+\.[^./]+$/, ''))).size < files.length;
}

function mayBePartly({ flags, code, length }: SeriesState): boolean {
  let codes = 0;
  for (let i = 0; i < length; i++) {
    const flag = flags[i] as number;
    if (flag & LEFT) return true;
    if (!(flag & PRESENT)) continue;
    if (codes !== 0 && code[i] !== codes) return true;
    codes = code[i] as number;
  }
  return false;
}

/** How many partitions a file was written with; undefined when its event is pruned. */
function writtenWith(lake: Lake<StateReader>, { createdRevision, path }: FileRecord): number | undefined {
  const [stored] = lake.state.events({ after: createdRevision - 1, limit: 1 });
  const event = stored?.revision === createdRevision ? stored.event : undefined;
  if (event?.kind !== 'materialized' && event?.kind !== 'compacted') return undefined;
  const ordinal = event.files.findIndex((file) => file.path === path);
  const columns = [...(event.kind === 'materialized' ? event.outcomes : []), ...(event.moved ?? [])];
  return columns.reduce((sum, { file }) => sum + file.filter((one) => one === ordinal).length, 0);
}

/** Original files cannot be read as one table: the view lists them. */
async function rawView(lake: Lake<StateReader>, node: AssetNode): Promise<LakeView> {
  const files = new Map(currentFiles(lake, node.key).map((file) => [file.id, file]));
  const partitions = [];
  for (const [key, series] of lake.state.index().asset(node.key)?.series ?? []) {
    const details = lake.state.details(node.key, key);
    for (let i = 0; details && i < series.length; i++) {
      if (((series.flags[i] as number) & PRESENT) === 0) continue;
      const time = series.base + i;
      const file = files.get(details.file[time - details.base] as number);
      if (file)
        partitions.push({
          values: series.values,
          time,
          path: await lake.store.localPath(file.path),
          bytes: file.bytes,
        });
    }
  }
  return { definition: node.definition, partitions };
}

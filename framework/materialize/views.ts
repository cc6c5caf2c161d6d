import type { AssetDefinition } from '../define/model.ts';
import type { LakeView } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import { PRESENT } from '../plan/view.ts';
import type { FileRecord, StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';
import { isConflict } from './retry.ts';

const ATTEMPTS = 8;

/**
 * Every asset as a view over its current files, resolved through the log. A query over them sees each pack as it was then or, if
 * one was replaced and removed meanwhile, fails: resolve and run it again. Assets that are not wanted are there too, but empty: finding
 * the files of a large one takes its time.
 */
export async function lakeViews(
  lake: Lake<StateReader>,
  wanted: (definition: AssetDefinition) => boolean = () => true,
): Promise<LakeView[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const views: LakeView[] = [];
      for (const key of lake.graph.order) {
        const node = lake.graph.node(key);
        if (node.definition.kind === 'source') continue;
        const { definition } = node;
        const raw = definition.storage.type === 'raw';
        if (!wanted(definition)) views.push({ definition, ...(raw ? { partitions: [] } : { files: [] }) });
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
  const files = currentFiles(lake, node.key)
    .map(({ path }) => path)
    .sort();
  return { definition: node.definition, files: await Promise.all(files.map((path) => lake.store.localPath(path))) };
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

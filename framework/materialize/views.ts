import type { LakeView } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import { PRESENT } from '../plan/view.ts';
import type { StateReader } from '../state/store.ts';
import type { Lake } from './lake.ts';

/** Every asset as a view over its current files, resolved through the log. */
export async function lakeViews(lake: Lake<StateReader>): Promise<LakeView[]> {
  const views: LakeView[] = [];
  lake.state.refresh();
  for (const key of lake.graph.order) {
    const node = lake.graph.node(key);
    if (node.definition.kind === 'source') continue;
    views.push(node.definition.storage.type === 'raw' ? await rawView(lake, node) : await tableView(lake, node));
  }
  return views;
}

async function tableView(lake: Lake<StateReader>, node: AssetNode): Promise<LakeView> {
  const files = [...lake.state.files(node.key)].map((file) => file.path).sort();
  return { definition: node.definition, files: await Promise.all(files.map((path) => lake.store.localPath(path))) };
}

/** Original files cannot be read as one table: the view lists them. */
async function rawView(lake: Lake<StateReader>, node: AssetNode): Promise<LakeView> {
  const partitions = [];
  for (const [key, series] of lake.state.index().asset(node.key)?.series ?? []) {
    const details = lake.state.details(node.key, key);
    for (let i = 0; details && i < series.length; i++) {
      if (((series.flags[i] as number) & PRESENT) === 0) continue;
      const time = series.base + i;
      const file = lake.state.file(details.file[time - details.base] as number);
      if (file) partitions.push({ values: series.values, time, path: await lake.store.localPath(file.path), bytes: file.bytes });
    }
  }
  return { definition: node.definition, partitions };
}

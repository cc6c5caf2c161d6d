import { isLakehouseError } from '../common/errors.ts';
import type { AssetNode } from '../graph/graph.ts';
import { fileKey, sha256File } from '../materialize/files.ts';
import type { Lake } from '../materialize/lake.ts';
import { readSeriesKey } from '../partition/space.ts';
import { PRESENT } from '../plan/view.ts';
import type { FileRecord } from '../state/store.ts';
import type { Staged } from '../storage/store.ts';

/**
 * Rewrites the packs of some series that still hold rows of partitions which have left, without those rows. Until then a query
 * over the whole file would see them. Where another process replaces a pack first, its rows are gone already.
 */
export async function dropLeftRows(
  lake: Lake,
  node: AssetNode,
  run: string,
  seriesKeys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (node.definition.kind === 'source' || node.definition.storage.type === 'raw') return;
  for (const series of seriesKeys) {
    for (const [file, times] of partlyLeft(lake, node, series))
      await rewrite(lake, node, run, series, file, times, signal);
  }
}

/** Files of a series that were written with more partitions than live in them, with those that do. */
function partlyLeft({ state }: Lake, node: AssetNode, series: string): [FileRecord, number[]][] {
  const found = state.refresh().asset(node.key)?.series.get(series);
  const details = state.details(node.key, series);
  const live = new Map<number, number[]>();
  for (let i = 0; found && details && i < found.length; i++) {
    const file = details.file[found.base + i - details.base] ?? -1;
    if (((found.flags[i] as number) & PRESENT) === 0 || file < 0) continue;
    live.set(file, [...(live.get(file) ?? []), found.base + i]);
  }
  return [...live].flatMap(([id, times]): [FileRecord, number[]][] => {
    const file = state.file(id);
    return file && written(state, file) > times.length ? [[file, times]] : [];
  });
}

/** How many partitions a file was written with. */
function written(state: Lake['state'], { createdRevision, path }: FileRecord): number {
  const [stored] = state.events({ after: createdRevision - 1, limit: 1 });
  if (stored?.revision !== createdRevision) return Number.POSITIVE_INFINITY;
  const { event } = stored;
  if (event.kind !== 'materialized' && event.kind !== 'compacted') return 0;
  const ordinal = event.files.findIndex((file) => file.path === path);
  const columns = [...(event.kind === 'materialized' ? event.outcomes : []), ...(event.moved ?? [])];
  return columns.reduce((sum, { file }) => sum + file.reduce((n, one) => n + (one === ordinal ? 1 : 0), 0), 0);
}

async function rewrite(
  lake: Lake,
  node: AssetNode,
  run: string,
  series: string,
  file: FileRecord,
  times: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const values = readSeriesKey(series);
  const engine = await lake.engine();
  const path = await lake.store.localPath(file.path);
  // Made by other code, with other columns: all of it is stale and is rewritten when it is computed again.
  const [sameColumns] = await engine.carriable(node.definition, [path], signal);
  if (!sameColumns) return;
  const name = /([^/.]+)\.[^/]*$/.exec(file.path)?.[1] ?? 'all';
  const staged: Staged = await lake.store.stage(fileKey(lake, node, values, name, '.parquet'));
  try {
    const carry = [{ path, keep: times.map((time) => ({ values, time })) }];
    await engine.rewrite({ definition: node.definition, packs: [{ path: staged.path, carry }], signal });
    const sha256 = await sha256File(staged.path);
    const { key, bytes } = await staged.commit();
    try {
      lake.state.append({
        kind: 'compacted',
        asset: node.key,
        run,
        files: [{ path: key, bytes, sha256 }],
        moved: [{ series, values, times: Int32Array.from(times), file: new Int32Array(times.length) }],
        supersedes: [file.path],
      });
    } catch (error) {
      await lake.store.delete(key);
      if (!isLakehouseError(error) || error.kind !== 'conflict') throw error;
    }
  } finally {
    await staged.discard();
  }
}

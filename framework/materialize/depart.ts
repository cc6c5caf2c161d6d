import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import { readSeriesKey } from '../partition/space.ts';
import { packName } from '../plan/packs.ts';
import type { PackPlan } from '../plan/plan.ts';
import type { DepartedEvent, PackedSet } from '../state/events.ts';
import type { Staged } from '../storage/store.ts';
import { movedBy, withFiles } from './commit.ts';
import { fileKey, packWrite, planCarriable, replacedMeanwhile } from './files.ts';
import type { Lake } from './lake.ts';
import { openFiles } from './lake-files.ts';
import { isConflict } from './retry.ts';
import { movedError } from './table.ts';

const CONFLICTS = 8;

export interface Departure {
  readonly run: string;
  readonly reason: DepartedEvent['reason'];
  readonly set: PartitionSet;
  /** Which pack a partition belongs to depends on it; ms UTC. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * Takes partitions out of the lake: an event says so, then the packs that they shared with others are written anew without their
 * rows. Files that held nothing else are superseded, and removed with the other superseded ones.
 * @returns how many partitions left.
 * @throws LakehouseError `stale-definitions` (conflict).
 */
export async function depart(
  lake: Lake,
  node: AssetNode,
  { run, reason, set, now, signal }: Departure,
): Promise<number> {
  const packs = node.definition.storage.type === 'table' ? sharedPacks(lake, node, set, now) : [];
  const { changed } = lake.state.append(
    { kind: 'departed', asset: node.key, run, reason, set: packed(set) },
    { code: { asset: node.key, version: node.code } },
  );
  if (packs.length > 0) await rewritePacks(lake, node, run, packs, now, signal);
  return changed;
}

/**
 * Takes an asset that is no longer defined out of the lake, whole: what its partitions are is not known any more, nor how to write its
 * packs anew. Files that the settings had excluded before go as well.
 * @returns how many partitions left.
 * @throws LakehouseError `stale-definitions` (conflict) when another process has logged definitions of it since the lake was opened.
 */
export function departRemoved(lake: Lake, asset: string, run: string): number {
  const series = [...(lake.state.refresh().asset(asset)?.series.values() ?? [])];
  const set = series.map(({ key, values, base, length }) => ({ series: key, values, ranges: [base, base + length] }));
  const version = lake.newest.definitions[asset] ?? '';
  return lake.state.append({ kind: 'departed', asset, run, reason: 'wiped', set }, { code: { asset, version } })
    .changed;
}

function packed(set: PartitionSet): PackedSet {
  return [...set.bySeries].map(([series, times]) => ({
    series,
    values: readSeriesKey(series),
    ranges: [...times.bounds],
  }));
}

/** Packs of files that hold partitions of a set, and others. */
function sharedPacks(lake: Lake, node: AssetNode, set: PartitionSet, now: number): PackPlan[] {
  return [...set.bySeries].flatMap(([seriesKey, times]) => {
    const details = lake.state.details(node.key, seriesKey);
    const leaving = new Map<number, number>();
    const names = new Map<number, string>();
    for (const time of ranges.iterate(times)) {
      const file = details?.file[time - details.base] ?? -1;
      if (file < 0) continue;
      leaving.set(file, (leaving.get(file) ?? 0) + 1);
      names.set(file, packName(node.definition, time, now));
    }
    const shared = [...leaving].filter(([file, count]) => (lake.state.file(file)?.live ?? 0) > count);
    const wanted = new Set(shared.map(([file]) => names.get(file) ?? ''));
    return [...wanted].map(
      (name): PackPlan => ({ seriesKey, values: readSeriesKey(seriesKey), name, times: ranges.EMPTY }),
    );
  });
}

/** Writes packs anew out of the partitions that live in them. Where others do so at the same time, theirs is as good. */
export async function rewritePacks(
  lake: Lake,
  node: AssetNode,
  run: string,
  packs: readonly PackPlan[],
  now: number,
  signal: AbortSignal,
): Promise<void> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await rewriteOnce(lake, node, run, packs, now, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isConflict(error) || conflicts >= CONFLICTS) throw error;
    }
  }
}

async function rewriteOnce(
  lake: Lake,
  node: AssetNode,
  run: string,
  packs: readonly PackPlan[],
  now: number,
  signal: AbortSignal,
): Promise<void> {
  await using files = openFiles(lake);
  const planning = await planCarriable(lake, files, node, packs, lake.state.refresh(), now, signal);
  if (planning.packs.length === 0) return;
  const staged: Staged[] = [];
  try {
    const writes = [];
    for (const pack of planning.packs) {
      const stage = await lake.store.stage(fileKey(lake, node, pack.values, pack.name, '.parquet'));
      staged.push(stage);
      writes.push(await packWrite(files, pack, stage.path, () => 0));
    }
    await (await lake.engine()).rewrite({ definition: node.definition, packs: writes, signal });
    await withFiles(lake, staged, signal, (written) =>
      lake.state.append({
        kind: 'compacted',
        asset: node.key,
        run,
        files: written,
        moved: movedBy(planning),
        supersedes: planning.supersedes.map(({ path }) => path),
      }),
    );
  } catch (error) {
    if (!signal.aborted && replacedMeanwhile(lake, planning)) throw movedError(node, error);
    throw error;
  } finally {
    await Promise.all(staged.map((s) => s.discard()));
  }
}

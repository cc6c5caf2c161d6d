import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { LakehouseError } from '../common/errors.ts';
import type { PackWrite } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { SeriesValues } from '../partition/space.ts';
import { packName } from '../plan/packs.ts';
import type { PackPlan } from '../plan/plan.ts';
import { PRESENT } from '../plan/view.ts';
import type { SeriesDetails } from '../state/details.ts';
import type { LakeIndex, SeriesState } from '../state/index.ts';
import type { FileRecord } from '../state/store.ts';
import { hivePath } from '../storage/layout.ts';
import type { Lake } from './lake.ts';
import type { LakeFiles } from './lake-files.ts';

/** A pack as it will be written: what is computed into it, and what is carried over from the files it replaces. */
export interface PackRewrite {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  readonly name: string;
  /** Times of the partitions computed now. */
  readonly times: readonly number[];
  readonly carry: readonly Carried[];
}

/** Partitions that are copied unchanged out of a file, with the data versions they must still have. */
export interface Carried {
  readonly file: FileRecord;
  readonly times: readonly number[];
  readonly versions: readonly Uint8Array[];
}

export interface PackPlanning {
  readonly packs: readonly PackRewrite[];
  /** Current files that hold nothing any more once these packs are. */
  readonly supersedes: readonly FileRecord[];
}

/** Every present partition of a series that lives in a file, by file id. */
function partitionsByFile(series: SeriesState | undefined, details: SeriesDetails | undefined): Map<number, number[]> {
  const out = new Map<number, number[]>();
  if (!series || !details) return out;
  for (let i = 0; i < series.length; i++) {
    if (((series.flags[i] as number) & PRESENT) === 0) continue;
    const time = series.base + i;
    const file = details.file[time - details.base];
    if (file === undefined || file < 0) continue;
    const list = out.get(file);
    if (list) list.push(time);
    else out.set(file, [time]);
  }
  return out;
}

/**
 * Which files the packs of a batch replace. A file that would keep only part of its partitions is taken apart whole: what stays
 * moves to the pack it belongs to now. So a file holds no rows that the log does not point at, with one exception: `sealed`
 * files, out of which nothing can be carried, stay current for what is not computed now. Packs without times are rewritten as
 * they are.
 */
export function planPacks(
  lake: Lake,
  node: AssetNode,
  packs: readonly PackPlan[],
  index: LakeIndex,
  now: number,
  sealed: ReadonlySet<number> = new Set(),
): PackPlanning {
  const rewrites: { -readonly [K in keyof PackRewrite]: PackRewrite[K] }[] = [];
  const supersedes: FileRecord[] = [];
  const bySeries = new Map<string, { values: SeriesValues; packs: Map<string, number[]> }>();
  for (const pack of packs) {
    let series = bySeries.get(pack.seriesKey);
    if (!series) {
      series = { values: pack.values, packs: new Map() };
      bySeries.set(pack.seriesKey, series);
    }
    series.packs.set(pack.name, [...(series.packs.get(pack.name) ?? []), ...ranges.iterate(pack.times)]);
  }
  for (const [seriesKey, { values, packs: own }] of bySeries) {
    const computed = new Set([...own.values()].flat());
    const details = lake.state.details(node.key, seriesKey);
    const files = partitionsByFile(index.asset(node.key)?.series.get(seriesKey), details);
    const known = new Map<number, string>();
    const nameOf = (time: number): string => {
      const name = known.get(time) ?? packName(node.definition, time, now);
      known.set(time, name);
      return name;
    };
    const names = new Set(own.keys());
    const taken = new Map<number, readonly number[]>();
    // Taking a file apart may bring in another pack, whose files are then replaced as well.
    for (let grew = true; grew; ) {
      grew = false;
      for (const [file, times] of files) {
        if (taken.has(file) || sealed.has(file) || !times.some((t) => computed.has(t) || names.has(nameOf(t))))
          continue;
        taken.set(file, times);
        grew = true;
        for (const t of times) if (!computed.has(t)) names.add(nameOf(t));
      }
    }
    const records = new Map([...taken.keys()].map((file) => [file, currentFile(lake, file)]));
    supersedes.push(...records.values());
    for (const name of [...names].sort()) {
      const carry = [...taken].flatMap(([file, times]) => {
        const kept = times.filter((t) => !computed.has(t) && nameOf(t) === name);
        const record = records.get(file);
        if (kept.length === 0 || !record || !details) return [];
        const versions = kept.map((t) => details.version.slice(16 * (t - details.base), 16 * (t - details.base) + 16));
        return [{ file: record, times: kept, versions }];
      });
      const times = (own.get(name) ?? []).sort((a, b) => a - b);
      if (times.length > 0 || carry.length > 0) rewrites.push({ seriesKey, values, name, times, carry });
    }
  }
  return { packs: rewrites, supersedes };
}

/** The same without carrying from files that the definition has outgrown: their partitions stay where they are until they are computed. */
export async function planCarriable(
  lake: Lake,
  reading: LakeFiles,
  node: AssetNode,
  packs: readonly PackPlan[],
  index: LakeIndex,
  now: number,
  signal: AbortSignal,
): Promise<PackPlanning> {
  const sealed = new Set<number>();
  for (;;) {
    const planning = planPacks(lake, node, packs, index, now, sealed);
    const files = [
      ...new Map(planning.packs.flatMap((pack) => pack.carry.map(({ file }) => [file.id, file]))).values(),
    ];
    if (files.length === 0) return planning;
    const paths = await Promise.all(files.map((file) => reading.table(file)));
    const fits = await (await lake.engine()).carriable(node.definition, paths, signal);
    const outgrown = files.filter((_, i) => fits[i] === false);
    if (outgrown.length === 0) return planning;
    for (const { id } of outgrown) sealed.add(id);
  }
}

/** Whether another process has replaced a file since its replacement was planned here. */
export function replacedMeanwhile(lake: Lake, planning: PackPlanning): boolean {
  return planning.supersedes.some(({ path }) => {
    const now = lake.state.file(path);
    return now === undefined || now.supersededRevision !== undefined;
  });
}

function currentFile(lake: Lake, id: number): FileRecord {
  const record = lake.state.file(id);
  if (record) return record;
  throw new LakehouseError('pack-conflict', `File ${id}, which was to be replaced, is already gone`, {
    kind: 'conflict',
  });
}

/** A fresh name for a file: series path, period, generation. Names are never used twice, so readers of an old file are safe. */
export function fileKey(lake: Lake, node: AssetNode, values: SeriesValues, stem: string, extension: string): string {
  const listed = node.space.listed.map(({ name }) => ({ name, value: values[name] ?? '' }));
  return hivePath(node.key, listed, `${stem}.${lake.id()}${extension}`);
}

/** The part of a pack rewrite that the engine needs. `ordinalOf` tells a computed time's place among the batch's targets. */
export async function packWrite(
  reading: LakeFiles,
  rewrite: PackRewrite,
  path: string,
  ordinalOf: (time: number) => number,
): Promise<PackWrite> {
  const carry = await Promise.all(
    rewrite.carry.map(async ({ file, times, versions }) => ({
      path: await reading.table(file),
      keep: times.map((time, i) => ({ values: rewrite.values, time, version: versions[i] })),
    })),
  );
  return { path, targets: rewrite.times.map(ordinalOf), carry };
}

/** SHA-256 of a local file, hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

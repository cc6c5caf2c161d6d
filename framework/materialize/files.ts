import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { PackWrite } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { SeriesValues } from '../partition/space.ts';
import { packName } from '../plan/packs.ts';
import type { PackPlan } from '../plan/plan.ts';
import { PRESENT } from '../plan/view.ts';
import type { LakeIndex } from '../state/index.ts';
import type { FileRecord } from '../state/store.ts';
import { hivePath } from '../storage/layout.ts';
import type { Lake } from './lake.ts';

/** A pack as it will be written: what is computed into it, and what is carried over from the files it replaces. */
export interface PackRewrite {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  readonly name: string;
  /** Times of the partitions computed now. */
  readonly times: readonly number[];
  readonly carry: readonly { readonly file: FileRecord; readonly times: readonly number[] }[];
}

export interface PackPlanning {
  readonly packs: readonly PackRewrite[];
  /** Current files that hold nothing any more once these packs are. */
  readonly supersedes: readonly FileRecord[];
}

/** Every present partition of a series that lives in a file, by file id. */
function partitionsByFile(lake: Lake, asset: string, seriesKey: string, index: LakeIndex): Map<number, number[]> {
  const out = new Map<number, number[]>();
  const series = index.asset(asset)?.series.get(seriesKey);
  const details = lake.state.details(asset, seriesKey);
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
 * moves to the pack it belongs to now. So a file never holds rows that the log does not point at.
 */
export function planPacks(lake: Lake, node: AssetNode, packs: readonly Pick<PackPlan, 'seriesKey' | 'values' | 'name' | 'times'>[], index: LakeIndex, now: number): PackPlanning {
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
    const files = partitionsByFile(lake, node.key, seriesKey, index);
    const names = new Set(own.keys());
    const taken = new Map<number, readonly number[]>();
    // Taking a file apart may bring in another pack, whose files are then replaced as well.
    for (let grew = true; grew; ) {
      grew = false;
      for (const [file, times] of files) {
        if (taken.has(file) || !times.some((t) => computed.has(t) || names.has(packName(node.definition, t, now)))) continue;
        taken.set(file, times);
        grew = true;
        for (const t of times) if (!computed.has(t)) names.add(packName(node.definition, t, now));
      }
    }
    for (const file of taken.keys()) {
      const record = lake.state.file(file);
      if (record) supersedes.push(record);
    }
    for (const name of [...names].sort()) {
      const carry = [...taken].flatMap(([file, times]) => {
        const kept = times.filter((t) => !computed.has(t) && packName(node.definition, t, now) === name);
        const record = lake.state.file(file);
        return kept.length > 0 && record ? [{ file: record, times: kept }] : [];
      });
      rewrites.push({ seriesKey, values, name, times: (own.get(name) ?? []).sort((a, b) => a - b), carry });
    }
  }
  return { packs: rewrites, supersedes };
}

/** A fresh name for a file: series path, period, generation. Names are never used twice, so readers of an old file are safe. */
export function fileKey(lake: Lake, node: AssetNode, values: SeriesValues, stem: string, extension: string): string {
  const listed = node.space.listed.map(({ name }) => ({ name, value: values[name] ?? '' }));
  return hivePath(node.key, listed, `${stem}.${lake.id()}${extension}`);
}

/** The part of a pack rewrite that the engine needs. `ordinalOf` tells a computed time's place among the batch's targets. */
export async function packWrite(lake: Lake, rewrite: PackRewrite, path: string, ordinalOf: (time: number) => number): Promise<PackWrite> {
  const carry = [];
  for (const { file, times } of rewrite.carry) {
    carry.push({ path: await lake.store.localPath(file.path), keep: times.map((time) => ({ values: rewrite.values, time })) });
  }
  return { path, targets: rewrite.times.map(ordinalOf), carry };
}

/** SHA-256 of a local file, hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

import type { AssetNode } from '../graph/graph.ts';
import { readSeriesKey } from '../partition/space.ts';
import { formatIndex } from '../partition/time.ts';
import { PRESENT } from '../plan/view.ts';
import { versionHex } from '../state/events.ts';
import type { FileRecord, StateReader } from '../state/store.ts';
import type { CatalogueFile, CatalogueSeries, Statistics } from './document.ts';

/** Files that hold rows of partitions which live elsewhere or have left. */
export type Partly = (node: AssetNode, files: readonly FileRecord[]) => ReadonlySet<FileRecord>;

/**
 * What is in the files of one series, from the log.
 * @param files its current ones, all of them.
 * @param each whether every partition is listed.
 */
export function describeSeries(
  state: StateReader,
  node: AssetNode,
  key: string,
  files: readonly FileRecord[],
  partly: Partly,
  each: boolean,
): CatalogueSeries {
  const grain = node.definition.space.time?.grain;
  const index = state.index();
  const series = index.asset(node.key)?.series.get(key);
  const details = state.details(node.key, key);
  const found = new Map(files.map((file) => [file.id, { times: [] as number[], rows: 0 }]));
  const codes = new Set<string>();
  const partitions: NonNullable<CatalogueSeries['partitions']> = [];
  if (series && details) {
    const { flags, code, base, length } = series;
    for (let i = 0; i < length; i++) {
      if (((flags[i] as number) & PRESENT) === 0) continue;
      const time = base + i;
      const at = time - details.base;
      const file = found.get(details.file[at] ?? -1);
      if (file === undefined) continue;
      const rows = details.rows[at] ?? 0;
      file.times.push(time);
      file.rows += rows;
      codes.add(index.codes[code[i] as number] ?? '');
      if (each)
        partitions.push({
          ...(grain && { time: formatIndex(grain, time) }),
          rows,
          bytes: details.bytes[at] ?? 0,
          version: versionHex(details.version, at),
        });
    }
  }
  const mixed = partly(node, files);
  return {
    series: key,
    values: readSeriesKey(key),
    code: [...codes].sort(),
    files: files
      .map((file): CatalogueFile => {
        const { times = [], rows = 0 } = found.get(file.id) ?? {};
        return {
          path: file.path,
          bytes: file.bytes,
          rows,
          ...(file.sha256 !== undefined && { sha256: file.sha256 }),
          partitions: times.length,
          ...(grain && { times: runs(times).map(([a, b]) => between(formatIndex(grain, a), formatIndex(grain, b))) }),
          ...(mixed.has(file) && { partly: true as const }),
        };
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    ...(each && { partitions }),
  };
}

/**
 * Whether a series is in the same files as when it was described, with as many partitions in each. Files are written once and
 * partitions only leave them, so then they are the same partitions.
 */
export function isUnchanged({ files }: CatalogueSeries, current: readonly FileRecord[]): boolean {
  if (files.length !== current.length) return false;
  const live = new Map(current.map((file) => [file.path, file.live]));
  return files.every((file) => live.get(file.path) === file.partitions);
}

/** Ascending times as the first and last of each run without gaps. */
function runs(times: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const time of times) {
    const last = found.at(-1);
    if (last && last[1] === time - 1) last[1] = time;
    else found.push([time, time]);
  }
  return found;
}

const between = (first: string, last: string): string => (first === last ? first : `${first}..${last}`);

/** The sums over the series of one asset. */
export function statisticsOf(all: readonly CatalogueSeries[]): Statistics {
  const total = { series: all.length, files: 0, partitions: 0, rows: 0, bytes: 0 };
  let first: string | undefined;
  let last: string | undefined;
  for (const { files } of all) {
    total.files += files.length;
    for (const { partitions, rows, bytes, times = [] } of files) {
      total.partitions += partitions;
      total.rows += rows;
      total.bytes += bytes;
      // Printed times are ordered as text.
      const from = times[0]?.split('..')[0];
      const to = times.at(-1)?.split('..').at(-1);
      if (from !== undefined && (first === undefined || from < first)) first = from;
      if (to !== undefined && (last === undefined || to > last)) last = to;
    }
  }
  return { ...total, ...(first !== undefined && { first }), ...(last !== undefined && { last }) };
}

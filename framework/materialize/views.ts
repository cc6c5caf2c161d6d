import type { LakeView, Needed } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import { readSeriesKey } from '../partition/space.ts';
import { LEFT, PRESENT } from '../plan/view.ts';
import type { SeriesState } from '../state/index.ts';
import type { FileRecord, StateReader } from '../state/store.ts';
import { type AsOf, filesOf, type Held, timesIn } from './history.ts';
import type { Lake } from './lake.ts';
import { addressOf, type LakeFiles } from './lake-files.ts';
import { isConflict } from './retry.ts';

const ATTEMPTS = 8;
/** How a code version begins that was not computed. */
const DECLARED = 'v:';

/**
 * Every asset as a view over its current files, resolved through the log, and the views over assets. A query over them sees each pack as it was then or, if
 * one was replaced and removed meanwhile, fails: resolve and run it again. They can be read as long as `files` are open. Assets that are not wanted are there too, but empty: finding
 * the files of a large one takes its time.
 * @param wanted what is needed of an asset, or of a view, of which then all is. Only files of which it says yes are opened or fetched.
 * @param asOf an earlier revision, and the files as of then. Only what is needed is asked whether it still has them.
 * @throws LakehouseError `history-gone` (usage).
 */
export async function lakeViews(
  lake: Lake<StateReader>,
  files: LakeFiles,
  wanted: (definition: { readonly key: string }) => Needed = () => true,
  asOf?: AsOf,
): Promise<LakeView[]> {
  const { views: queries } = lake.definition;
  const viaViews = queries.filter((one) => wanted(one) !== false);
  const read = new Set(viaViews.flatMap(({ inputs }) => Object.values(inputs).map(({ key }) => key)));
  for (let attempt = 1; ; attempt++) {
    try {
      const views: LakeView[] = queries.map((definition) => ({ definition, template: definition.template }));
      for (const key of lake.graph.order) {
        const node = lake.graph.node(key);
        if (node.definition.kind === 'source') continue;
        const { definition } = node;
        const raw = definition.storage.type === 'raw';
        const need = read.has(key) || wanted(definition);
        if (need === false) views.push({ definition, ...(raw ? { partitions: [] } : { files: [] }) });
        else if (raw) views.push(lake.state.atOnce(() => rawView(lake, node, asOf)));
        else views.push(await tableView(lake, files, node, need, asOf));
      }
      return views;
    } catch (error) {
      // A file was replaced and removed since it was looked up.
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function tableView(
  lake: Lake<StateReader>,
  reading: LakeFiles,
  node: AssetNode,
  need: Exclude<Needed, false>,
  asOf: AsOf | undefined,
): Promise<LakeView> {
  const { all, files, partly, alike } = lake.state.atOnce(() => {
    const all = filesOf(lake, node.key, asOf);
    const files = neededFiles(lake, node, all, need).sort((a, b) => (a.path < b.path ? -1 : 1));
    const partly = new Map(partlyLive(lake, node, files, asOf).map(({ file, times }) => [file, times]));
    // Which code was current once is not known.
    return { all, files, partly, alike: asOf === undefined && ofOneCode(lake, node, files) };
  });
  const paths = await Promise.all(files.map(async (file) => ({ file, path: await reading.table(file) })));
  return {
    definition: node.definition,
    files: paths.map(({ path }) => path),
    alike,
    scan: { lake: all.length, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
    ...(partly.size > 0 && {
      partly: paths.flatMap(({ file, path }) => {
        const times = partly.get(file);
        return times ? [{ path, times }] : [];
      }),
    }),
  };
}

/** The files that may hold what is needed, told by the partitions that live in them. */
function neededFiles(
  lake: Lake<StateReader>,
  node: AssetNode,
  files: readonly Held[],
  need: Exclude<Needed, false>,
): Held[] {
  if (need === true) return [...files];
  return [...Map.groupBy(files, (file) => file.series)].flatMap(([key, own]) => {
    const values = readSeriesKey(key);
    // Most series are ruled out by their values alone, without looking at times.
    if (!need({ values, ...ALWAYS })) return [];
    const times = node.space.time ? timesIn(lake, node.key, key, own) : undefined;
    return own.filter(({ id }) => {
      const of = times?.get(id) ?? [];
      return need({ values, first: of[0] ?? ALWAYS.first, last: of.at(-1) ?? ALWAYS.last });
    });
  });
}

const ALWAYS = { first: Number.NEGATIVE_INFINITY, last: Number.POSITIVE_INFINITY };

/**
 * Whether all files are of one code version, and so of the same columns. A file that others were carried into has the columns of each.
 * A version that somebody declared says nothing about columns.
 */
function ofOneCode(lake: Lake<StateReader>, node: AssetNode, files: readonly FileRecord[]): boolean {
  const index = lake.state.index();
  const { series } = index.asset(node.key) ?? {};
  const codes = new Set<number>();
  for (const key of new Set(files.map((file) => file.series))) {
    const state = series?.get(key);
    if (!state) return false;
    const { flags, code } = state;
    for (let i = 0; i < state.length; i++) if ((flags[i] as number) & PRESENT) codes.add(code[i] as number);
    if (codes.size > 1) return false;
  }
  return [...codes].every((number) => !index.codes[number]?.startsWith(DECLARED));
}

/**
 * Files that hold rows of partitions which live elsewhere now or have left: those that could not be carried out of a pack of other
 * columns, and those of a process that died between a departure and the rewriting of its packs. Of files that do not say how much
 * they were written with, only series that have lost partitions, have content of several code versions, or two files of one pack can
 * have such.
 */
export function partlyLive(
  lake: Lake<StateReader>,
  node: AssetNode,
  files: readonly Held[],
  asOf?: AsOf,
): { readonly file: FileRecord; readonly times: readonly number[] }[] {
  const { series } = lake.state.index().asset(node.key) ?? {};
  const bySeries = Map.groupBy(files, (file) => file.series);
  return [...bySeries].flatMap(([key, own]) => {
    const state = series?.get(key);
    const known = own.every(({ written }) => written !== undefined);
    const whole = known
      ? own.every(({ written, live, left = [] }) => live + ranges.count({ bounds: left }) === written)
      : asOf === undefined && !(state && mayBePartly(state)) && !shareAPack(own);
    if (whole) return [];
    const times = timesIn(lake, node.key, key, own);
    return own
      .map((file) => ({ file, times: times.get(file.id) ?? [] }))
      .filter(({ file, times }) => (file.written ?? writtenWith(lake, file)) !== times.length);
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

/** Original files cannot be read as one table: the view lists them, without fetching any. */
function rawView(lake: Lake<StateReader>, node: AssetNode, asOf: AsOf | undefined): LakeView {
  const files = Map.groupBy(filesOf(lake, node.key, asOf), (file) => file.series);
  const partitions = [...files].flatMap(([series, own]) => {
    const values = readSeriesKey(series);
    const times = timesIn(lake, node.key, series, own);
    const found = own.flatMap((file) => {
      const path = addressOf(lake, file.path);
      return (times.get(file.id) ?? []).map((time) => ({ values, time, path, bytes: file.bytes }));
    });
    return found.sort((a, b) => a.time - b.time);
  });
  return { definition: node.definition, partitions };
}

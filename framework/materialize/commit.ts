import type { AssetNode } from '../graph/graph.ts';
import { PRESENT } from '../plan/view.ts';
import type { CheckOutcome, MaterializedEvent, MovedPartitions, NewFile, SeriesOutcome } from '../state/events.ts';
import type { AppendGuard, FileRecord, StateReader } from '../state/store.ts';
import { parallel } from '../storage/parallel.ts';
import type { Staged } from '../storage/store.ts';
import { othersRead, pointKey, type Target } from './bind.ts';
import { type PackPlanning, sha256File } from './files.ts';
import type { Lake } from './lake.ts';

/** What was computed for one target. */
export interface Outcome {
  readonly rows: number;
  readonly version: Uint8Array;
  readonly bytes: number;
  readonly choice: string;
}

export interface Commit {
  readonly node: AssetNode;
  readonly run: string;
  readonly verified: number;
  readonly ordered: boolean;
  readonly targets: readonly Target[];
  readonly outcomes: readonly Outcome[];
  readonly planning: PackPlanning;
  /** One per pack of the planning, written and not yet committed. */
  readonly staged: readonly Staged[];
  /** SHA-256 of each that is staged, hex, where that is known from writing it. */
  readonly hashes?: readonly string[] | undefined;
  readonly checks: readonly CheckOutcome[];
  readonly guard: AppendGuard;
  /** Aborted before the append: nothing commits. */
  readonly signal: AbortSignal;
  readonly ms: number;
}

/**
 * Files first, then the one event that points at them: the append is the commit. If it is refused, the files that were put
 * down are removed; if the process dies in between, nothing refers to them and recovery removes them.
 * @returns how many partitions changed.
 * @throws LakehouseError of kind `conflict` when another process came first; the signal's reason.
 */
export function commit(lake: Lake, c: Commit): Promise<number> {
  return withFiles(lake, c.staged, c.signal, (files) => append(lake, c, files), c.hashes);
}

/** Puts staged files down and calls `append`, which must be synchronous; takes them away again if it throws. */
export async function withFiles<T>(
  lake: Lake,
  staged: readonly Staged[],
  signal: AbortSignal,
  append: (files: readonly NewFile[]) => T,
  known?: readonly string[],
): Promise<T> {
  const hashes = known ?? (await Promise.all(staged.map((s) => sha256File(s.path))));
  signal.throwIfAborted();
  const infos = await lake.store.commitAll(staged);
  const files = infos.map((info, i): NewFile => ({ path: info.key, bytes: info.bytes, sha256: hashes[i] as string }));
  try {
    signal.throwIfAborted();
    return append(files);
  } catch (error) {
    await removeUnknown(lake, files);
    throw error;
  }
}

/**
 * Removes files after an append that failed. A disk can report a failure of what it has written nonetheless, so the log is asked
 * first; what cannot be asked or removed stays as an unreferenced file, which harms nobody.
 */
async function removeUnknown(lake: Lake, files: readonly NewFile[]): Promise<void> {
  await Promise.allSettled(
    files.map(async ({ path }) => lake.state.file(path) === undefined && lake.store.delete(path)),
  );
}

function append(lake: Lake, c: Commit, files: readonly NewFile[]): number {
  const fileOf = new Map<string, number>();
  c.planning.packs.forEach((pack, i) => {
    for (const time of pack.times) fileOf.set(pointKey(pack.seriesKey, time), i);
  });
  const choices = [...new Set(c.outcomes.map((o) => o.choice))].sort();
  const series = new Map<string, number[]>();
  c.targets.forEach((target, ordinal) => {
    const list = series.get(target.seriesKey);
    if (list) list.push(ordinal);
    else series.set(target.seriesKey, [ordinal]);
  });
  const outcomes = [...series].map(([key, ordinals]): SeriesOutcome => {
    const sorted = ordinals.sort((a, b) => (c.targets[a]?.time ?? 0) - (c.targets[b]?.time ?? 0));
    const version = new Uint8Array(16 * sorted.length);
    sorted.forEach((o, i) => {
      version.set(c.outcomes[o]?.version ?? [], 16 * i);
    });
    const of = <T>(read: (outcome: Outcome, target: Target) => T): T[] =>
      sorted.map((o) => read(c.outcomes[o] as Outcome, c.targets[o] as Target));
    return {
      series: key,
      values: c.targets[sorted[0] as number]?.values ?? {},
      times: Int32Array.from(of((_, t) => t.time)),
      version,
      rows: Uint32Array.from(of((o) => o.rows)),
      bytes: Float64Array.from(of((o) => o.bytes)),
      file: Int32Array.from(of((_, t) => fileOf.get(pointKey(t.seriesKey, t.time)) ?? -1)),
      choice: Uint8Array.from(of((o) => choices.indexOf(o.choice))),
    };
  });
  const event: MaterializedEvent = {
    kind: 'materialized',
    asset: c.node.key,
    run: c.run,
    code: c.node.code,
    verified: c.verified,
    ...(c.ordered && { ordered: true }),
    choices,
    outcomes,
    files,
    moved: movedBy(c.planning),
    supersedes: c.planning.supersedes.map((f) => f.path),
    ...(c.checks.length > 0 && { checks: c.checks }),
    stats: { ms: Math.round(c.ms) },
  };
  const code = { asset: c.node.key, version: c.node.code };
  return lake.state.append(event, { ...c.guard, code, upstream: othersRead(c.node) }).changed;
}

/** Partitions that are carried into new files: one entry per series, as the log wants it. */
export function movedBy({ packs }: PackPlanning): MovedPartitions[] {
  const carried = packs.flatMap((pack, file) =>
    pack.carry.flatMap(({ times }) => times.map((time) => ({ pack, file, time }))),
  );
  return [...Map.groupBy(carried, ({ pack }) => pack.seriesKey)].map(([series, points]) => {
    points.sort((a, b) => a.time - b.time);
    return {
      series,
      values: points[0]?.pack.values ?? {},
      times: Int32Array.from(points, (p) => p.time),
      file: Int32Array.from(points, (p) => p.file),
    };
  });
}

/**
 * Until when a file that others took the place of stays, ms UTC: for the grace of the store, in which queries that have it may still
 * open it, and for the history of its asset.
 * @param graceMs at least so long.
 */
export const staysUntil = (
  { keepMs }: Pick<Lake, 'keepMs'>,
  { asset, supersededAt = 0 }: FileRecord,
  graceMs = 0,
): number => supersededAt + Math.max(keepMs(asset), graceMs);

/** Superseded files that need not stay at an instant, ms UTC: see {@link staysUntil}. */
export function spareFiles(lake: Lake<StateReader>, now: number, graceMs = 0): FileRecord[] {
  return [...lake.state.supersededFiles((asset) => now - Math.max(lake.keepMs(asset), graceMs))];
}

export interface Removal {
  readonly graceMs?: number;
  readonly excluded?: boolean | undefined;
}

/**
 * Removes superseded objects that need not stay from the tree. First nobody is told of them any more, then they go, and only then
 * they are forgotten: a crash in between leaves them to the next sweep. Readers that have them open keep them; those that come too
 * late resolve their files again. What was only excluded by the configuration is kept, for a changed setting must not cost anybody
 * originals; `excluded` says to remove that as well.
 * @param now ms UTC.
 * @param through revision of the log: what later events superseded stays. Default: the last.
 * @returns how many were removed.
 */
export async function removeSuperseded(
  lake: Lake,
  now: number,
  { graceMs = 0, excluded = false, through = Number.POSITIVE_INFINITY }: Removal & { readonly through?: number } = {},
): Promise<number> {
  const isExcluded = exclusions(lake);
  const going = spareFiles(lake, now, graceMs)
    .filter(({ supersededRevision = 0 }) => supersededRevision <= through)
    .filter((file) => excluded || !isExcluded(file));
  await removeFiles(lake, going);
  return going.length;
}

/** A bucket takes its time for each. */
const REMOVED_AT_ONCE = 16;

/** Removes superseded files from the tree and the log. */
export async function removeFiles({ state, store }: Lake, files: readonly FileRecord[]): Promise<void> {
  if (files.length === 0) return;
  const ids = files.map(({ id }) => id);
  state.endHistory(ids);
  await parallel(REMOVED_AT_ONCE)(files, ({ path }) => store.delete(path));
  state.forgetFiles(ids);
}

/**
 * Whether a file is kept because a filter no longer wants what was in it: nothing of its series is in the lake any more. Once the
 * series is back, made anew, the file is superseded like any other. Those that the log keeps apart ({@link StateReader.keptFiles}) are
 * not asked about: this is of files of older programs, which did not. When its event is pruned such a file counts as excluded.
 */
export function exclusions(lake: Lake<StateReader>): (file: FileRecord) => boolean {
  // One event ends many files.
  const ended = new Map<number | undefined, boolean>();
  return (file) => {
    if (file.written !== undefined) return false;
    const revision = file.supersededRevision;
    if (!ended.has(revision)) ended.set(revision, endedByExclusion(lake, file));
    return ended.get(revision) === true && !isBack(lake, file);
  };
}

function endedByExclusion(lake: Lake<StateReader>, file: FileRecord): boolean {
  if (file.supersededRevision === undefined) return false;
  const [ended] = lake.state.events({ after: file.supersededRevision - 1, limit: 1 });
  if (ended?.revision !== file.supersededRevision) return true;
  return ended.event.kind === 'departed' && ended.event.reason === 'excluded';
}

function isBack(lake: Lake<StateReader>, file: FileRecord): boolean {
  const series = lake.state.index().asset(file.asset)?.series.get(file.series);
  return series?.flags.some((flags) => (flags & PRESENT) !== 0) ?? false;
}

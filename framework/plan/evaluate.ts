import type { AssetGraph, AssetNode } from '../graph/graph.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import {
  AVAILABLE,
  AWAITING,
  BAD,
  BLOCKED,
  DIRTY,
  GONE,
  isDeparture,
  joinIndex,
  type PointClasses,
  READABLE,
  RETRY,
  revisionOf,
  TODO,
} from './aggregate.ts';
import { rangesOf, selfMapping, selfReader } from './chain.ts';
import { choiceIds } from './choice.ts';
import { type Edge, readsOf } from './reads.ts';
import type { Universe } from './universe.ts';
import {
  type AssetView,
  CHECK_FAILED,
  FAILED,
  type LakeView,
  LEFT,
  PRESENT,
  type SeriesView,
  sameCodes,
} from './view.ts';

export { choiceLabel } from './choice.ts';

/** Status of a partition, by code in `SeriesEvaluation.status`. `none`: there is no such partition. */
export const STATUSES = [
  'none',
  'fresh',
  'stale',
  'pending',
  'missing',
  'blocked',
  'awaiting',
  'unavailable',
  'failed',
  'leaving',
  'unneeded',
] as const;
export type Status = (typeof STATUSES)[number];
export const statusCode = (status: Status): number => STATUSES.indexOf(status);
const FRESH = statusCode('fresh');
const STALE = statusCode('stale');
const PENDING = statusCode('pending');
const MISSING = statusCode('missing');
const IS_BLOCKED = statusCode('blocked');
const IS_AWAITING = statusCode('awaiting');
const UNAVAILABLE = statusCode('unavailable');
const HAS_FAILED = statusCode('failed');
const LEAVING = statusCode('leaving');

/**
 * Why a partition is to be computed: bits of `SeriesEvaluation.causes`. `departed`: the newest change of what it reads is that
 * something left; `data`: it is any other.
 */
export const CAUSES = ['missing', 'code', 'data', 'departed', 'choice', 'forced'] as const;
export type Cause = (typeof CAUSES)[number];
export const MISSING_CAUSE = 1;
export const CODE_CAUSE = 2;
export const DATA_CAUSE = 4;
export const DEPARTED_CAUSE = 8;
export const CHOICE_CAUSE = 16;
export const FORCED_CAUSE = 32;

/** Whether a partition would be computed: not, surely, or only if an upstream's content really changes. */
export const RUN_NOT = 0;
export const RUN_WILL = 1;
export const RUN_MAY = 2;

export interface SeriesEvaluation extends PointClasses {
  readonly status: Uint8Array;
  readonly causes: Uint8Array;
  readonly run: Uint8Array;
  /** Per input with alternatives: which was chosen per point; 255 where none can be. */
  readonly chosen: ReadonlyMap<string, Uint8Array>;
  readonly state: SeriesView | undefined;
}

export interface AssetEvaluation {
  readonly key: string;
  readonly node: AssetNode;
  readonly universe: Universe;
  readonly series: ReadonlyMap<string, SeriesEvaluation>;
}

export interface EvaluateOptions {
  /** Partitions to compute though nothing says so. */
  readonly force?: PartitionSet;
  /** Also those that failed, for their data or a blocking check, and have not changed since. */
  readonly retryFailed?: PartitionSet;
  /**
   * `plan`: upstreams that can be computed are taken as going to be. `execute`: everything upstream has had its turn, so what is
   * not readable now stops a partition, and what is still stale upstream does not.
   */
  readonly mode: 'plan' | 'execute';
}

/** What evaluating one asset needs for each of its series. */
interface Context {
  readonly node: AssetNode;
  readonly universe: Universe;
  readonly view: LakeView;
  readonly state: AssetView | undefined;
  /** Of the current code among those in the log; -1, which no partition has, if it was never logged. */
  readonly codeId: number;
  /** By id of a code in the log: 1 where what it made is what the current code gives. */
  readonly current: Uint8Array;
  readonly edges: readonly Edge[];
  readonly options: EvaluateOptions;
}

/**
 * Staleness of every partition of one asset, exact at any fan-in (red-green over revisions): a partition is to be computed if
 * it is missing, its code is not current, what it reads changed after it had read it, or other alternatives are chosen now.
 * Linear in the number of partitions plus what they read in series; no keys, no dates.
 */
export function evaluateAsset(
  node: AssetNode,
  universe: Universe,
  view: LakeView,
  upstream: (key: string) => AssetEvaluation,
  options: EvaluateOptions,
): AssetEvaluation {
  const state = view.asset(node.key);
  const edges = node.inputs
    .filter((input) => !input.alternatives.some((a) => a.mapping.self))
    .map((input) => ({
      input,
      indexes: input.alternatives.map((a) => joinIndex(a, upstream(a.asset).series.values())),
    }));
  const same = new Set(sameCodes(view, node.key, node.code));
  const context: Context = {
    node,
    universe,
    view,
    state,
    codeId: view.codes.indexOf(node.code),
    current: Uint8Array.from(view.codes, (code) => (same.has(code) ? 1 : 0)),
    edges,
    options,
  };
  const series = new Map<string, SeriesEvaluation>();
  for (const key of new Set([...universe.all.bySeries.keys(), ...(state?.series.keys() ?? [])])) {
    const evaluated = evaluateSeries(key, state?.series.get(key)?.values ?? readSeriesKey(key), context);
    if (evaluated) series.set(key, evaluated);
  }
  return { key: node.key, node, universe, series };
}

function window(all: RangeSet, state: SeriesView | undefined): readonly [number, number] {
  const known = state !== undefined && state.length > 0;
  const lo = Math.min(ranges.first(all) ?? Number.POSITIVE_INFINITY, known ? state.base : Number.POSITIVE_INFINITY);
  const hi = Math.max(
    (ranges.last(all) ?? Number.NEGATIVE_INFINITY) + 1,
    known ? state.base + state.length : Number.NEGATIVE_INFINITY,
  );
  return hi > lo ? [lo, hi] : [0, 0];
}

function mark(times: RangeSet, base: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (const [lo, hi] of ranges.pairs(times)) {
    out.fill(1, Math.max(lo - base, 0), Math.min(Math.max(hi - base, 0), length));
  }
  return out;
}

function evaluateSeries(key: string, values: SeriesValues, context: Context): SeriesEvaluation | undefined {
  const { node, universe, view, current, options } = context;
  const state = context.state?.series.get(key);
  const all = sets.rangesOf(universe.all, key);
  const [base, end] = window(all, state);
  const length = end - base;
  if (length === 0) return undefined;

  const exists = mark(all, base, length);
  const ready = mark(sets.rangesOf(universe.ready, key), base, length);
  const unavailable = mark(sets.rangesOf(universe.unavailable, key), base, length);
  const forced = options.force && mark(sets.rangesOf(options.force, key), base, length);
  const retried = options.retryFailed && mark(sets.rangesOf(options.retryFailed, key), base, length);
  const isSource = node.definition.kind === 'source';
  const planning = options.mode === 'plan';
  const { required, optional, lacking, left, chosen } = readsOf(context.edges, values, base, length);
  const wantedChoice = choiceIds(node.inputs, view, chosen, length);

  const status = new Uint8Array(length);
  const causes = new Uint8Array(length);
  const run = new Uint8Array(length);
  const bits = new Uint16Array(length);
  const changed = new Uint32Array(length);
  const mapping = selfMapping(node.inputs);
  const self = mapping && selfReader(mapping, values, base, { bits, changed, run, runs: RUN_WILL });

  for (let i = 0; i < length; i++) {
    const s = state ? i + base - state.base : -1;
    const known = state !== undefined && s >= 0 && s < state.length;
    const flags = known ? (state.flags[s] as number) : 0;
    const present = (flags & PRESENT) !== 0;
    const gone = flags & LEFT ? GONE : 0;
    changed[i] = known ? (state.changed[s] as number) : 0;

    // What it was made of is no longer wanted, or gone for good, so it goes as well.
    if (present && (!exists[i] || (unavailable[i] && !isSource))) {
      status[i] = LEAVING;
      bits[i] = GONE;
      changed[i] = view.head + 1;
      continue;
    }
    if (!exists[i]) {
      bits[i] = gone;
      continue;
    }
    if (isSource && present) {
      status[i] = FRESH;
      bits[i] = READABLE | AVAILABLE;
      continue;
    }
    if (isSource || unavailable[i]) {
      status[i] = unavailable[i] ? UNAVAILABLE : IS_AWAITING;
      bits[i] = (unavailable[i] ? 0 : AWAITING) | gone;
      continue;
    }
    const bad = present && flags & CHECK_FAILED ? BAD : 0;
    const content = present ? READABLE | AVAILABLE | bad : ready[i] ? AVAILABLE : 0;
    if (node.definition.keepWithdrawn && present && lacking[i]) {
      // An original whose source withdrew it: it cannot be fetched again and stays as it is.
      status[i] = bad ? HAS_FAILED : FRESH;
      bits[i] = content | (bad ? BLOCKED : 0);
      continue;
    }

    const read = self?.(i);
    const need = required.bits[i] as number;
    const want = optional.bits[i] as number;
    const newest = Math.max(required.newest[i] as number, optional.newest[i] as number, read?.newest ?? 0);
    let cause = 0;
    if (!present) cause |= MISSING_CAUSE;
    else {
      if (current[state?.code[s] as number] !== 1) cause |= CODE_CAUSE;
      if (revisionOf(newest) > (state?.verified[s] as number))
        cause |= isDeparture(newest) ? DEPARTED_CAUSE : DATA_CAUSE;
      if (wantedChoice && wantedChoice[i] !== state?.choice[s]) cause |= CHOICE_CAUSE;
    }
    // A check fails again only for the data it was asked of, so asking to try again means to compute them again.
    if (forced?.[i] || (bad && retried?.[i])) cause |= FORCED_CAUSE;
    causes[i] = cause;

    // What stops it: optional inputs never do, unless what they have must not be read.
    let stop = 0;
    if (need & BLOCKED || (want & BAD && !(want & RETRY))) stop = BLOCKED;
    else if (need & AWAITING || lacking[i] || !ready[i]) stop = AWAITING;
    else if (need & RETRY || want & BAD) stop = RETRY;
    // Whether something that it reads is not fresh, and may change it when computed. A chain is computed in one go: its links
    // cannot wait for what becomes of those before them.
    const reads = ((need | want) & (DIRTY | TODO | RETRY)) !== 0 || read?.moving === true;
    const moving = reads && stop !== BLOCKED && stop !== AWAITING;
    const along = read?.running === true && stop === 0;
    const may = planning ? (moving ? RUN_MAY : RUN_NOT) : along ? RUN_WILL : RUN_NOT;

    let code: number;
    let own: number;
    const stands =
      cause === 0
        ? bad !== 0
        : flags & FAILED &&
          !(cause & FORCED_CAUSE) &&
          !retried?.[i] &&
          remembered(context, key, base + i, revisionOf(Math.max(newest, left[i] as number)));
    if (stands) {
      // It is tried again only after something that it reads has changed.
      code = HAS_FAILED;
      own = moving ? RETRY : BLOCKED;
      run[i] = may;
    } else if (stop !== 0) {
      code = stop === AWAITING ? IS_AWAITING : IS_BLOCKED;
      own = stop;
      if (stop === RETRY) run[i] = may;
    } else if (cause === 0) {
      code = moving ? PENDING : FRESH;
      own = moving ? DIRTY : 0;
      run[i] = may;
    } else {
      const failedBefore = (flags & FAILED) !== 0 || bad !== 0;
      code = failedBefore ? HAS_FAILED : present ? STALE : MISSING;
      own = failedBefore ? RETRY : present ? DIRTY : TODO;
      if (planning || !(need & TODO)) run[i] = RUN_WILL;
      else if (!failedBefore) code = IS_BLOCKED;
    }
    status[i] = code;
    bits[i] = own | content | gone;
  }
  return { key, values, base, length, changed, bits, status, causes, run, chosen, state };
}

/**
 * Whether a failure still stands: nothing it read has changed since, the code is the very same, and it was not a passing trouble. Code
 * that was accepted for what it made may have been mended for what failed.
 */
function remembered({ state, codeId }: Context, key: string, time: number, newest: number): boolean {
  const failure = state?.failure(key, time);
  return failure !== undefined && !failure.transient && failure.code === codeId && newest <= failure.head;
}

/** The whole graph evaluated in topological order. */
export function evaluateLake(
  graph: AssetGraph,
  view: LakeView,
  universes: ReadonlyMap<string, Universe>,
  options: (key: string) => EvaluateOptions,
): Map<string, AssetEvaluation> {
  const out = new Map<string, AssetEvaluation>();
  const upstream = (key: string) => out.get(key) as AssetEvaluation;
  for (const key of graph.order) {
    out.set(key, evaluateAsset(graph.node(key), universes.get(key) as Universe, view, upstream, options(key)));
  }
  return out;
}

/** The partitions of an evaluation for which `test` holds, by index into its columns. */
export function pointsWhere(
  evaluation: AssetEvaluation,
  test: (series: SeriesEvaluation, i: number) => boolean,
): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, series] of evaluation.series) {
    const hits = new Uint8Array(series.length);
    for (let i = 0; i < series.length; i++) if (test(series, i)) hits[i] = 1;
    entries.push([key, rangesOf(hits, series.base)]);
  }
  return sets.fromSeries(entries);
}

/** The partitions that have a value in one of the columns of bytes. Much cheaper than `pointsWhere` where they are few. */
export function pointsWith(
  evaluation: AssetEvaluation,
  column: 'status' | 'causes' | 'run',
  value: number,
): PartitionSet {
  return sets.fromSeries(
    Array.from(evaluation.series, ([key, series]) => [key, rangesOf(series[column], series.base, value)] as const),
  );
}

/** The partitions of an evaluation that have one of these statuses. */
export function withStatus(evaluation: AssetEvaluation, ...statuses: Status[]): PartitionSet {
  return sets.unionAll(statuses.map((status) => pointsWith(evaluation, 'status', statusCode(status))));
}

import { Scratch } from '../common/scratch.ts';
import { atOnce, type Steps } from '../common/steps.ts';
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
  READABLE,
  RETRY,
  revisionOf,
  TODO,
} from './aggregate.ts';
import { selfMapping, selfReader } from './chain.ts';
import { choiceIds } from './choice.ts';
import { SeriesEvaluation } from './evaluated.ts';
import { type AssetEvaluation, type Basis, nothingNew, sameUniverse, stillHolds, unlessSame } from './evaluation.ts';
import { readsOf } from './reads.ts';
import {
  CHOICE_CAUSE,
  CODE_CAUSE,
  DATA_CAUSE,
  DEPARTED_CAUSE,
  FORCED_CAUSE,
  MISSING_CAUSE,
  RUN_MAY,
  RUN_NOT,
  RUN_WILL,
  statusCode,
} from './status.ts';
import type { Universe } from './universe.ts';
import { CHECK_FAILED, FAILED, type LakeView, LEFT, PRESENT, type SeriesView, sameCodes } from './view.ts';

export { choiceLabel } from './choice.ts';
export { SeriesEvaluation } from './evaluated.ts';
export type { AssetEvaluation } from './evaluation.ts';
export { pointsLike, pointsWhere, pointsWith, withStatus } from './points.ts';
export {
  CAUSES,
  type Cause,
  CHOICE_CAUSE,
  CODE_CAUSE,
  DATA_CAUSE,
  DEPARTED_CAUSE,
  FORCED_CAUSE,
  MISSING_CAUSE,
  RUN_MAY,
  RUN_NOT,
  RUN_WILL,
  STATUSES,
  type Status,
  statusCode,
} from './status.ts';

const FRESH = statusCode('fresh');
const STALE = statusCode('stale');
const PENDING = statusCode('pending');
const MISSING = statusCode('missing');
const IS_BLOCKED = statusCode('blocked');
const IS_AWAITING = statusCode('awaiting');
const UNAVAILABLE = statusCode('unavailable');
const HAS_FAILED = statusCode('failed');
const LEAVING = statusCode('leaving');

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
interface Context extends Basis {
  readonly node: AssetNode;
  /** Of the current code among those in the log; -1, which no partition has, if it was never logged. */
  readonly codeId: number;
  /** By id of a code in the log: 1 where what it made is what the current code gives. */
  readonly current: Uint8Array;
  /** {@link AssetNode.keeps}, asked once. */
  readonly keeps: boolean;
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
  return atOnce(evaluateAssetInSteps(node, universe, view, upstream, options));
}

/** For one series at a time; nothing in it outlives its evaluation. */
const scratch = new Scratch();
/** Partitions between two steps. */
const STEP = 20_000;

/**
 * The same, some series at a time.
 * @param before an earlier evaluation, as of an earlier view of the same log: series for which nothing has changed since are taken
 * from it, and all of it where that is so for each of them.
 */
export function* evaluateAssetInSteps(
  node: AssetNode,
  universe: Universe,
  view: LakeView,
  upstream: (key: string) => AssetEvaluation,
  options: EvaluateOptions,
  before?: AssetEvaluation,
): Steps<AssetEvaluation> {
  const state = view.asset(node.key);
  const plain = options.mode === 'plan' && !options.force && !options.retryFailed;
  const same = sameCodes(view, node.key, node.code);
  const earlier =
    before?.made?.plain && plain && before.node === node && before.made.same.join() === same.join()
      ? before
      : undefined;
  const inputs = node.inputs.filter((input) => !input.alternatives.some((a) => a.mapping.self));
  const read = inputs.flatMap(({ alternatives }) => alternatives.map((a) => upstream(a.asset)));
  if (earlier && nothingNew(earlier, universe, view, state, read)) return earlier;
  const edges = inputs.map((input, n) => ({
    input,
    indexes: input.alternatives.map((a, m) =>
      unlessSame(earlier?.made?.edges[n]?.indexes[m], joinIndex(a, upstream(a.asset).series.values())),
    ),
  }));
  const current = new Set(same);
  const context: Context = {
    node,
    universe,
    view,
    state,
    codeId: view.codes.indexOf(node.code),
    current: Uint8Array.from(view.codes, (code) => (current.has(code) ? 1 : 0)),
    edges,
    keeps: node.keeps,
    options,
  };
  const series = new Map<string, SeriesEvaluation>();
  let kept = 0;
  let points = 0;
  for (const key of new Set([...universe.all.bySeries.keys(), ...(state?.series.keys() ?? [])])) {
    const known = earlier?.series.get(key);
    if (known && earlier && stillHolds(known, key, earlier, context)) {
      series.set(key, known);
      kept++;
      continue;
    }
    const values = known?.values ?? state?.series.get(key)?.values ?? readSeriesKey(key);
    const evaluated = scratch.during(() => evaluateSeries(key, values, context, known));
    if (!evaluated) continue;
    series.set(key, evaluated);
    points += evaluated.length;
    if (points < STEP) continue;
    yield;
    points = 0;
  }
  if (earlier && kept === series.size && kept === earlier.series.size && sameUniverse(earlier.universe, universe))
    return earlier;
  return {
    key: node.key,
    node,
    universe,
    series,
    made: { head: view.head, state, upstream: read, same, edges, plain },
  };
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
  const out = scratch.u8(length);
  for (const [lo, hi] of ranges.pairs(times)) {
    out.fill(1, Math.max(lo - base, 0), Math.min(Math.max(hi - base, 0), length));
  }
  return out;
}

function evaluateSeries(
  key: string,
  values: SeriesValues,
  context: Context,
  before: SeriesEvaluation | undefined,
): SeriesEvaluation | undefined {
  const { node, universe, view, current, keeps, options } = context;
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
  const { required, optional, lacking, any, left, chosen } = readsOf(context.edges, values, base, length, scratch);
  const wantedChoice = choiceIds(node.inputs, view, chosen, length, scratch);

  const status = scratch.u8(length);
  const causes = scratch.u8(length);
  const run = scratch.u8(length);
  const bits = scratch.u16(length);
  const changed = scratch.u32(length);
  const log = state?.columns(scratch);
  const mapping = selfMapping(node.inputs);
  const self = mapping && selfReader(mapping, values, base, { bits, changed, run, runs: RUN_WILL }, scratch);

  for (let i = 0; i < length; i++) {
    const s = state ? i + base - state.base : -1;
    const known = state !== undefined && log !== undefined && s >= 0 && s < state.length;
    const flags = known ? (log.flags[s] as number) : 0;
    const present = (flags & PRESENT) !== 0;
    const gone = flags & LEFT ? GONE : 0;
    changed[i] = known ? (log.changed[s] as number) : 0;

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
    const need = required.bits[i] as number;
    const want = optional.bits[i] as number;
    if (keeps && present && (lacking[i] || (any && !(want & AVAILABLE)))) {
      // Its source withdrew it, or is not wanted any more: it cannot be fetched again and stays as it is.
      status[i] = bad ? HAS_FAILED : FRESH;
      bits[i] = content | (bad ? BLOCKED : 0);
      continue;
    }

    const read = self?.(i);
    const newest = Math.max(required.newest[i] as number, optional.newest[i] as number, read?.newest ?? 0);
    let cause = 0;
    if (!present) cause |= MISSING_CAUSE;
    else {
      if (current[log?.code[s] as number] !== 1) cause |= CODE_CAUSE;
      if (revisionOf(newest) > (log?.verified[s] as number)) cause |= isDeparture(newest) ? DEPARTED_CAUSE : DATA_CAUSE;
      if (wantedChoice && wantedChoice[i] !== log?.choice[s]) cause |= CHOICE_CAUSE;
    }
    // A check fails again only for the data it was asked of, so asking to try again means to compute them again.
    if (forced?.[i] || (bad && retried?.[i])) cause |= FORCED_CAUSE;
    causes[i] = cause;

    // What stops it: optional inputs do not, unless what they have must not be read, or there is nothing else to read.
    let stop = 0;
    if (need & BLOCKED || (want & BAD && !(want & RETRY))) stop = BLOCKED;
    else if (need & AWAITING || lacking[i] || !ready[i]) stop = AWAITING;
    else if (need & RETRY || want & BAD) stop = RETRY;
    else if (any) stop = stopOfNone(want, planning);
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
  const place = { key, values, base, length, state, next: view.head + 1 };
  return SeriesEvaluation.of(place, { status, causes, run, bits }, chosen, scratch, before);
}

/**
 * What stops a partition whose inputs are all optional and have nothing to read yet: computed now it would say that there is nothing. What
 * no input is to have stops nothing.
 */
function stopOfNone(bits: number, planning: boolean): number {
  if (bits & READABLE || (planning && bits & TODO)) return 0;
  if (bits & (RETRY | TODO)) return RETRY;
  return bits & BLOCKED ? BLOCKED : bits & AWAITING;
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
export function evaluateLake(...asked: Parameters<typeof evaluateInSteps>): Map<string, AssetEvaluation> {
  return atOnce(evaluateInSteps(...asked));
}

/** The same, asset by asset. */
export function* evaluateInSteps(
  graph: AssetGraph,
  view: LakeView,
  universes: ReadonlyMap<string, Universe>,
  options: (key: string) => EvaluateOptions,
): Steps<Map<string, AssetEvaluation>> {
  const out = new Map<string, AssetEvaluation>();
  const upstream = (key: string) => out.get(key) as AssetEvaluation;
  for (const key of graph.order) {
    yield;
    const universe = universes.get(key) as Universe;
    out.set(key, yield* evaluateAssetInSteps(graph.node(key), universe, view, upstream, options(key)));
  }
  return out;
}

import type { AssetGraph, AssetNode, ResolvedInput } from '../graph/graph.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import * as sets from '../partition/set.ts';
import { readSeriesKey, type SeriesValues } from '../partition/space.ts';
import {
  AVAILABLE,
  AWAITING,
  type Aggregate,
  aggregate,
  BLOCKED,
  DIRTY,
  GONE,
  type JoinIndex,
  joinIndex,
  newAggregate,
  type PointClasses,
  READABLE,
  RETRY,
  TODO,
} from './aggregate.ts';
import type { Universe } from './universe.ts';
import { type AssetView, CHECK_FAILED, FAILED, type LakeView, LEFT, PRESENT, type SeriesView, TRANSIENT } from './view.ts';

/** Status of a partition, by code in `SeriesEvaluation.status`. `none`: there is no such partition. */
export const STATUSES = ['none', 'fresh', 'stale', 'pending', 'missing', 'blocked', 'awaiting', 'unavailable', 'failed', 'leaving', 'unneeded'] as const;
export type Status = (typeof STATUSES)[number];
export const statusCode = (status: Status): number => STATUSES.indexOf(status);
const NONE = 0;
const FRESH = 1;
const STALE = 2;
const PENDING = 3;
const MISSING = 4;
const BLOCKED_STATUS = 5;
const AWAITING_STATUS = 6;
const UNAVAILABLE = 7;
const FAILED_STATUS = 8;
const LEAVING = 9;

/** Why a partition is to be computed: bits of `SeriesEvaluation.causes`. */
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
  /** Also those that failed for their data and have not changed since. */
  readonly retryFailed?: PartitionSet;
  /**
   * `plan`: upstreams that can be computed are taken as going to be. `execute`: everything upstream has had its turn, so what is
   * not readable now stops a partition, and what is still stale upstream does not.
   */
  readonly mode: 'plan' | 'execute';
}

/** Labels of the chosen alternatives as recorded in the log: `raw=bronze/klines_daily`, several joined by commas; empty where there is nothing to choose. */
export function choiceLabel(inputs: readonly ResolvedInput[], chosen: (input: string) => number): string {
  return inputs
    .filter((input) => input.alternatives.length > 1)
    .map((input) => `${input.name}=${input.alternatives[chosen(input.name)]?.asset ?? ''}`)
    .join(',');
}

interface Edge {
  readonly input: ResolvedInput;
  readonly indexes: readonly JoinIndex[];
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
    .map((input): Edge => ({ input, indexes: input.alternatives.map((a) => joinIndex(a, upstream(a.asset).series.values())) }));
  const selfInput = node.inputs.find((input) => input.alternatives.some((a) => a.mapping.self));
  const series = new Map<string, SeriesEvaluation>();
  for (const key of new Set([...universe.all.bySeries.keys(), ...(state?.series.keys() ?? [])])) {
    const values = state?.series.get(key)?.values ?? readSeriesKey(key);
    const evaluated = evaluateSeries(key, values, node, universe, view, state, edges, selfInput, options);
    if (evaluated) series.set(key, evaluated);
  }
  return { key: node.key, node, universe, series };
}

function window(all: RangeSet, state: SeriesView | undefined): readonly [number, number] {
  const lo = Math.min(ranges.first(all) ?? Number.POSITIVE_INFINITY, state && state.length > 0 ? state.base : Number.POSITIVE_INFINITY);
  const hi = Math.max((ranges.last(all) ?? Number.NEGATIVE_INFINITY) + 1, state && state.length > 0 ? state.base + state.length : Number.NEGATIVE_INFINITY);
  return hi > lo ? [lo, hi] : [0, 0];
}

function mark(times: RangeSet, base: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (const [lo, hi] of ranges.pairs(times)) out.fill(1, Math.max(lo - base, 0), Math.min(Math.max(hi - base, 0), length));
  return out;
}

function evaluateSeries(
  key: string,
  values: SeriesValues,
  node: AssetNode,
  universe: Universe,
  view: LakeView,
  assetState: AssetView | undefined,
  edges: readonly Edge[],
  selfInput: ResolvedInput | undefined,
  options: EvaluateOptions,
): SeriesEvaluation | undefined {
  const state = assetState?.series.get(key);
  const all = sets.rangesOf(universe.all, key);
  const [base, end] = window(all, state);
  const length = end - base;
  if (length === 0) return undefined;

  const exists = mark(all, base, length);
  const ready = mark(sets.rangesOf(universe.ready, key), base, length);
  const unavailable = mark(sets.rangesOf(universe.unavailable, key), base, length);
  const forced = options.force ? mark(sets.rangesOf(options.force, key), base, length) : undefined;
  const retried = options.retryFailed ? mark(sets.rangesOf(options.retryFailed, key), base, length) : undefined;
  const isSource = node.definition.kind === 'source';

  const required = newAggregate(length);
  const optional = newAggregate(length);
  const chosen = new Map<string, Uint8Array>();
  for (const edge of edges) {
    const into = edge.input.need === 'required' ? required : optional;
    if (edge.input.alternatives.length === 1) aggregate(into, edge.input.alternatives[0] as never, values, base, edge.indexes[0] as JoinIndex);
    else chosen.set(edge.input.name, choose(into, edge, values, base));
  }
  const codeId = view.codes.indexOf(node.code);
  const wantedChoice = choiceIds(node, view, chosen, length);

  const status = new Uint8Array(length);
  const causes = new Uint8Array(length);
  const run = new Uint8Array(length);
  const bits = new Uint8Array(length);
  const changed = new Uint32Array(length);
  const self = selfInput && selfReader(selfInput, values, base, bits, changed, run);

  for (let i = 0; i < length; i++) {
    const s = state ? i + base - state.base : -1;
    const known = state !== undefined && s >= 0 && s < state.length;
    const flags = known ? (state.flags[s] as number) : 0;
    const present = (flags & PRESENT) !== 0;
    changed[i] = known ? (state.changed[s] as number) : 0;

    if (!exists[i]) {
      if (present) {
        status[i] = LEAVING;
        bits[i] = GONE;
        changed[i] = view.head + 1;
      } else if (flags & LEFT) bits[i] = GONE;
      continue;
    }
    if (isSource) {
      status[i] = present ? FRESH : unavailable[i] ? UNAVAILABLE : AWAITING_STATUS;
      bits[i] = present ? READABLE | AVAILABLE : (unavailable[i] ? 0 : AWAITING) | (flags & LEFT ? GONE : 0);
      continue;
    }
    if (unavailable[i]) {
      // What it was made of is gone for good, so it goes as well.
      status[i] = present ? LEAVING : UNAVAILABLE;
      if (present) changed[i] = view.head + 1;
      if (present || flags & LEFT) bits[i] = GONE;
      continue;
    }
    if (node.definition.keepWithdrawn && present && ((required.bits[i] as number) & (AVAILABLE | AWAITING)) === 0) {
      // An original whose source withdrew it: it cannot be fetched again and stays as it is.
      status[i] = FRESH;
      bits[i] = READABLE | AVAILABLE;
      continue;
    }

    // The code id is looked up among those in the log, so a code that was never logged matches nothing.
    const read = self ? self(i, required, optional) : undefined;
    const newest = Math.max(required.changed[i] as number, optional.changed[i] as number, read?.changed ?? 0);
    const need = required.bits[i] as number;
    let cause = 0;
    if (!present) cause |= MISSING_CAUSE;
    else {
      if (state?.code[s] !== codeId) cause |= CODE_CAUSE;
      if (newest > (state?.verified[s] as number)) cause |= (need | (optional.bits[i] as number)) & GONE ? DATA_CAUSE | DEPARTED_CAUSE : DATA_CAUSE;
      if (wantedChoice && wantedChoice[i] !== state?.choice[s]) cause |= CHOICE_CAUSE;
    }
    if (forced?.[i]) cause |= FORCED_CAUSE;
    causes[i] = cause;
    const readable = present ? READABLE | AVAILABLE : ready[i] ? AVAILABLE : 0;

    let code: number;
    let own: number;
    const gone = flags & LEFT ? GONE : 0;
    if (cause === 0) {
      if (flags & CHECK_FAILED) [code, own] = [FAILED_STATUS, BLOCKED];
      else if (need & BLOCKED) [code, own] = [BLOCKED_STATUS, BLOCKED];
      else if (need & RETRY) [code, own] = [BLOCKED_STATUS, RETRY];
      else if (need & (DIRTY | TODO) || (optional.bits[i] as number) & DIRTY || read?.dirty) {
        [code, own] = [PENDING, DIRTY];
        run[i] = read?.dirty && options.mode === 'execute' ? RUN_WILL : options.mode === 'plan' ? RUN_MAY : RUN_NOT;
      } else if (need & AWAITING) [code, own] = [AWAITING_STATUS, AWAITING];
      else [code, own] = [FRESH, 0];
    } else if (flags & FAILED && !(cause & FORCED_CAUSE) && !retried?.[i] && remembered(assetState, key, base + i, codeId, newest)) {
      [code, own] = [FAILED_STATUS, BLOCKED];
    } else if (need & BLOCKED) [code, own] = [BLOCKED_STATUS, BLOCKED];
    else if (!present && !ready[i]) [code, own] = [AWAITING_STATUS, AWAITING];
    else if (need & AWAITING) [code, own] = [AWAITING_STATUS, AWAITING];
    else if (need & RETRY) {
      [code, own] = [BLOCKED_STATUS, RETRY];
      run[i] = options.mode === 'plan' ? RUN_MAY : RUN_NOT;
    } else {
      const failedBefore = (flags & FAILED) !== 0;
      code = failedBefore ? FAILED_STATUS : present ? STALE : MISSING;
      own = failedBefore ? RETRY : present ? DIRTY : TODO;
      if (options.mode === 'plan' || !(need & TODO)) run[i] = RUN_WILL;
      else if (!failedBefore) code = BLOCKED_STATUS;
    }
    status[i] = code;
    bits[i] = own | readable | gone;
  }
  return { key, values, base, length, changed, bits, status, causes, run, chosen, state };
}

/** Whether a failure still stands: nothing it read has changed since, the code is the same, and it was not a passing trouble. */
function remembered(state: AssetView | undefined, key: string, time: number, codeId: number, newest: number): boolean {
  const failure = state?.failure(key, time);
  return failure !== undefined && !failure.transient && failure.code === codeId && newest <= failure.head;
}

/**
 * Per point the first alternative that can be had: something it reads exists and nothing of it failed; else the first that
 * exists at all, else the first that is awaited.
 */
function choose(into: Aggregate, edge: Edge, values: SeriesValues, base: number): Uint8Array {
  const length = into.bits.length;
  const parts = edge.input.alternatives.map((alternative, a) => {
    const part = newAggregate(length);
    aggregate(part, alternative, values, base, edge.indexes[a] as JoinIndex);
    return part;
  });
  const chosen = new Uint8Array(length).fill(255);
  for (let i = 0; i < length; i++) {
    const first = (test: (bits: number) => boolean): number => parts.findIndex((part) => test(part.bits[i] as number));
    let best = first((bits) => (bits & AVAILABLE) !== 0 && (bits & (BLOCKED | RETRY)) === 0);
    if (best < 0) best = first((bits) => (bits & AVAILABLE) !== 0);
    if (best < 0) best = first((bits) => (bits & AWAITING) !== 0);
    if (best < 0) continue;
    chosen[i] = best;
    const part = parts[best] as Aggregate;
    into.changed[i] = Math.max(into.changed[i] as number, part.changed[i] as number);
    into.bits[i] = (into.bits[i] as number) | (part.bits[i] as number);
  }
  return chosen;
}

/** The id in the log of the choice each point makes now; -1 where that choice was never recorded. */
function choiceIds(node: AssetNode, view: LakeView, chosen: ReadonlyMap<string, Uint8Array>, length: number): Int32Array | undefined {
  if (chosen.size === 0) return undefined;
  const ids = new Map<string, number>();
  const out = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const signature = [...chosen.values()].map((c) => c[i]).join();
    let id = ids.get(signature);
    if (id === undefined) {
      id = view.choices.indexOf(choiceLabel(node.inputs, (input) => chosen.get(input)?.[i] ?? 255));
      ids.set(signature, id);
    }
    out[i] = id;
  }
  return out;
}

/** What a point of a chain reads of its own series, earlier in this same evaluation. Counts are kept as running sums, so any reach costs the same. */
function selfReader(input: ResolvedInput, values: SeriesValues, base: number, bits: Uint8Array, changed: Uint32Array, run: Uint8Array) {
  const mapping = input.alternatives.find((a) => a.mapping.self)?.mapping;
  const dirtyBefore = new Int32Array(bits.length + 1);
  let filled = 0;
  return (i: number, _required: Aggregate, _optional: Aggregate): { changed: number; dirty: boolean } => {
    for (; filled < i; filled++) {
      const dirty = run[filled] !== RUN_NOT || ((bits[filled] as number) & (DIRTY | RETRY)) !== 0;
      dirtyBefore[filled + 1] = (dirtyBefore[filled] as number) + (dirty ? 1 : 0);
    }
    if (!mapping) return { changed: 0, dirty: false };
    const [from, to] = mapping.upstream(values, base + i);
    const lo = Math.max(from - base, 0);
    const hi = Math.min(to - base, i);
    if (hi <= lo) return { changed: 0, dirty: false };
    let newest = 0;
    for (let u = lo; u < hi; u++) if ((changed[u] as number) > newest) newest = changed[u] as number;
    return { changed: newest, dirty: (dirtyBefore[hi] as number) > (dirtyBefore[lo] as number) };
  };
}

/** The whole graph evaluated in topological order. */
export function evaluateLake(graph: AssetGraph, view: LakeView, universes: ReadonlyMap<string, Universe>, options: (key: string) => EvaluateOptions): Map<string, AssetEvaluation> {
  const out = new Map<string, AssetEvaluation>();
  for (const key of graph.order) {
    out.set(
      key,
      evaluateAsset(graph.node(key), universes.get(key) as Universe, view, (k) => out.get(k) as AssetEvaluation, options(key)),
    );
  }
  return out;
}

/** The partitions of an evaluation for which `test` holds, by index into its columns. */
export function pointsWhere(evaluation: AssetEvaluation, test: (series: SeriesEvaluation, i: number) => boolean): PartitionSet {
  const entries: [string, RangeSet][] = [];
  for (const [key, series] of evaluation.series) {
    const pairs: [number, number][] = [];
    let start = -1;
    for (let i = 0; i <= series.length; i++) {
      const hit = i < series.length && test(series, i);
      if (hit && start < 0) start = i;
      else if (!hit && start >= 0) {
        pairs.push([series.base + start, series.base + i]);
        start = -1;
      }
    }
    if (pairs.length > 0) entries.push([key, ranges.fromRanges(pairs)]);
  }
  return sets.fromSeries(entries);
}

export const withStatus = (evaluation: AssetEvaluation, ...statuses: Status[]): PartitionSet => {
  const codes = statuses.map(statusCode);
  return pointsWhere(evaluation, (series, i) => codes.includes(series.status[i] as number));
};

export { NONE as NO_STATUS, TRANSIENT };

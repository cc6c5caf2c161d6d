import { eachRun, packRuns, unpackRuns } from '../common/runs.ts';
import { Scratch } from '../common/scratch.ts';
import { type Packable, Unpacked } from '../common/unpacked.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import type { SeriesValues } from '../partition/space.ts';
import type { Classes, PointClasses } from './aggregate.ts';
import { statusCode } from './status.ts';
import type { SeriesView } from './view.ts';

/** What evaluation finds out about each point of a window. */
export interface EvaluatedColumns {
  readonly status: Uint8Array;
  readonly causes: Uint8Array;
  readonly run: Uint8Array;
  readonly bits: Uint16Array;
}

/** A point of an evaluated series in one number. */
const pointOf = ({ status, causes, run, bits }: EvaluatedColumns, i: number): number =>
  (status[i] as number) | ((causes[i] as number) << 4) | ((run[i] as number) << 10) | ((bits[i] as number) << 12);
export const statusOf = (point: number): number => point & 15;
export const causesOf = (point: number): number => (point >> 4) & 63;
export const runOf = (point: number): number => (point >> 10) & 3;
export const bitsOf = (point: number): number => point >>> 12;

const LEAVING = statusCode('leaving');
const BYTES_PER_POINT = 9;
/** Bytes of columns that are unpacked at a time, of all evaluations. */
const unpacked = new Unpacked(8 * 2 ** 20);

const NOTHING_CHOSEN: ReadonlyMap<string, Uint8Array> = new Map();

const mapped = (chosen: ReadonlyMap<string, Uint8Array>, change: (column: Uint8Array) => Uint8Array) =>
  chosen.size === 0
    ? NOTHING_CHOSEN
    : new Map(Array.from(chosen, ([input, column]) => [input, change(column)] as const));

function fill(column: Uint8Array | Uint16Array | Uint32Array, value: number, from: number, to: number): void {
  // What is there already costs nothing, and only long runs are worth a call.
  if (value === 0) return;
  if (to - from > 32) column.fill(value, from, to);
  else for (let i = from; i < to; i++) column[i] = value;
}

const same = (a: Uint16Array | Uint32Array, b: Uint16Array | Uint32Array): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

interface AllColumns extends EvaluatedColumns {
  readonly changed: Uint32Array;
  readonly chosen: ReadonlyMap<string, Uint8Array>;
}

/** Where a series is, and what of it does not depend on points. */
export interface EvaluatedPlace {
  readonly key: string;
  readonly values: SeriesValues;
  readonly base: number;
  readonly length: number;
  /** What the log has of it. */
  readonly state: SeriesView | undefined;
  /** The revision at which what is about to leave will have changed. */
  readonly next: number;
}

/**
 * One series of an evaluated asset, over its window `[base, base + length)`. Most points are like the ones before them, so they are
 * kept packed as runs; the columns are made when they are asked for and let go afterwards. Whoever reads many points takes hold of a
 * column first, or asks for the runs.
 */
export class SeriesEvaluation implements PointClasses, Packable {
  readonly key: string;
  readonly values: SeriesValues;
  readonly base: number;
  readonly length: number;
  readonly state: SeriesView | undefined;
  /** The same object in another evaluation: what reads this series would find nothing else. */
  readonly content: object;
  /** Something is about to leave, which is said to change at the next revision. */
  readonly leaving: boolean;
  readonly #next: number;
  readonly #points: Uint8Array;
  readonly #chosen: ReadonlyMap<string, Uint8Array>;
  #columns: AllColumns | undefined;

  private constructor(
    place: EvaluatedPlace,
    points: Uint8Array,
    chosen: ReadonlyMap<string, Uint8Array>,
    before: SeriesEvaluation | undefined,
    scratch: Scratch,
  ) {
    this.key = place.key;
    this.values = place.values;
    this.base = place.base;
    this.length = place.length;
    this.state = place.state;
    this.#next = place.next;
    this.#points = points;
    this.#chosen = chosen;
    let leaving = false;
    eachRun(points, (point) => {
      leaving ||= statusOf(point) === LEAVING;
    });
    this.leaving = leaving;
    this.content = before !== undefined && scratch.during(() => this.#readsLike(before, scratch)) ? before.content : {};
  }

  /**
   * @param chosen per input with alternatives: which was chosen per point; 255 where none can be.
   * @param before an earlier evaluation of the same series.
   */
  static of(
    place: EvaluatedPlace,
    columns: EvaluatedColumns,
    chosen: ReadonlyMap<string, Uint8Array> = NOTHING_CHOSEN,
    scratch = new Scratch(),
    before?: SeriesEvaluation,
  ): SeriesEvaluation {
    const points = scratch.u32(place.length);
    for (let i = 0; i < points.length; i++) points[i] = pointOf(columns, i);
    const packed = mapped(chosen, (column) => packRuns(column));
    return new SeriesEvaluation(place, packRuns(points), packed, before, scratch);
  }

  #readsLike(other: SeriesEvaluation, scratch: Scratch): boolean {
    if (this.base !== other.base || this.length !== other.length) return false;
    const [own, theirs] = [this.classes(scratch), other.classes(scratch)];
    return same(own.bits, theirs.bits) && same(own.changed, theirs.changed);
  }

  get status(): Uint8Array {
    return this.#read().status;
  }
  get causes(): Uint8Array {
    return this.#read().causes;
  }
  get run(): Uint8Array {
    return this.#read().run;
  }
  get bits(): Uint16Array {
    return this.#read().bits;
  }
  get changed(): Uint32Array {
    return this.#read().changed;
  }
  /** Per input with alternatives: which was chosen per point; 255 where none can be. */
  get chosen(): ReadonlyMap<string, Uint8Array> {
    return this.#read().chosen;
  }

  /** Calls back for each run of equal points, in order; `statusOf` and the like tell what they are. */
  eachRun(visit: (point: number, from: number, to: number) => void): void {
    eachRun(this.#points, visit);
  }

  /** The column, to be kept. */
  copyStatus(): Uint8Array {
    const status = new Uint8Array(this.length);
    this.eachRun((point, from, to) => fill(status, statusOf(point), from, to));
    return status;
  }

  /** The same with another status at some times. */
  marked(times: RangeSet, status: number): SeriesEvaluation {
    const points = new Uint32Array(this.length);
    unpackRuns(this.#points, points);
    for (const [lo, hi] of ranges.pairs(times)) {
      const end = Math.min(hi - this.base, this.length);
      for (let i = Math.max(lo - this.base, 0); i < end; i++) points[i] = ((points[i] as number) & ~15) | status;
    }
    const { key, values, base, length, state } = this;
    const place = { key, values, base, length, state, next: this.#next };
    return new SeriesEvaluation(place, packRuns(points), this.#chosen, this, new Scratch());
  }

  classes(scratch: Scratch): Classes {
    if (this.#columns !== undefined) return this.#columns;
    const changed = scratch.u32(this.length);
    const bits = scratch.u16(this.length);
    this.state?.copyChanged(changed, this.state.base - this.base);
    this.eachRun((point, from, to) => {
      fill(bits, bitsOf(point), from, to);
      if (statusOf(point) === LEAVING) fill(changed, this.#next, from, to);
    });
    return { changed, bits };
  }

  #read(): AllColumns {
    if (this.#columns !== undefined) return this.#columns;
    const { length, state } = this;
    // In one piece of memory: many series are unpacked for a moment each.
    const buffer = new ArrayBuffer(BYTES_PER_POINT * length);
    const changed = new Uint32Array(buffer, 0, length);
    const bits = new Uint16Array(buffer, 4 * length, length);
    const status = new Uint8Array(buffer, 6 * length, length);
    const causes = new Uint8Array(buffer, 7 * length, length);
    const run = new Uint8Array(buffer, 8 * length, length);
    state?.copyChanged(changed, state.base - this.base);
    this.eachRun((point, from, to) => {
      fill(bits, bitsOf(point), from, to);
      fill(status, statusOf(point), from, to);
      fill(causes, causesOf(point), from, to);
      fill(run, runOf(point), from, to);
      if (statusOf(point) === LEAVING) fill(changed, this.#next, from, to);
    });
    const chosen = mapped(this.#chosen, (packed) => {
      const column = new Uint8Array(length);
      unpackRuns(packed, column);
      return column;
    });
    this.#columns = { status, causes, run, bits, changed, chosen };
    unpacked.hold(this, (BYTES_PER_POINT + chosen.size) * length);
    return this.#columns;
  }

  /** Lets the columns go. */
  pack(): void {
    this.#columns = undefined;
  }
}

import type { SeriesValues } from '../partition/space.ts';

/**
 * What planning reads of the log: the index as of one revision. The state room's index has this shape; nothing here knows how
 * it is stored. Columns cover time indices `[base, base + length)`.
 */
export interface LakeView {
  /** Revision the view was folded to. */
  readonly head: number;
  /** Code versions by id; entry 0 is empty. */
  readonly codes: readonly string[];
  /** Recorded choices of alternative inputs by id; entry 0 is empty. */
  readonly choices: readonly string[];
  asset(key: string): AssetView | undefined;
}

export interface AssetView {
  readonly series: ReadonlyMap<string, SeriesView>;
  failure(seriesKey: string, time: number): FailureView | undefined;
  /** When a source was last observed, ms UTC. */
  readonly lastObservedAt?: number | undefined;
}

export interface SeriesView {
  readonly key: string;
  readonly values: SeriesValues;
  readonly base: number;
  readonly length: number;
  readonly changed: Uint32Array;
  readonly verified: Uint32Array;
  readonly code: Uint16Array;
  readonly choice: Uint16Array;
  readonly flags: Uint8Array;
}

export interface FailureView {
  readonly head: number;
  readonly code: number;
  readonly transient: boolean;
}

/** Bits of `SeriesView.flags`. */
export const PRESENT = 1;
export const LEFT = 2;
export const FAILED = 4;
export const TRANSIENT = 8;
export const CHECK_FAILED = 16;

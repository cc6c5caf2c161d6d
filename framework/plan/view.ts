import type { Scratch } from '../common/scratch.ts';
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
  /** Per asset the sets of code versions that were declared to give the same. */
  readonly accepted: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Recorded choices of alternative inputs by id; entry 0 is empty. */
  readonly choices: readonly string[];
  asset(key: string): AssetView | undefined;
}

/** The code versions that count as this one: itself, and those that were declared to give the same. */
export function sameCodes({ accepted }: Pick<LakeView, 'accepted'>, asset: string, code: string): readonly string[] {
  return accepted[asset]?.find((codes) => codes.includes(code)) ?? [code];
}

export interface AssetView {
  readonly series: ReadonlyMap<string, SeriesView>;
  failure(seriesKey: string, time: number): FailureView | undefined;
  /** When a source was last observed, ms UTC. */
  readonly lastObservedAt?: number | undefined;
  /** When all of it was last listed, not only what is new, ms UTC. */
  readonly lastAuditedAt?: number | undefined;
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
  /** All columns for a moment: where they are not at hand, they are made in scratch memory. */
  columns(scratch: Scratch): SeriesColumns;
  /** Puts `changed` into a column, from an entry on. */
  copyChanged(into: Uint32Array, at: number): void;
}

export type SeriesColumns = Pick<SeriesView, 'changed' | 'verified' | 'code' | 'choice' | 'flags'>;

export interface FailureView {
  readonly head: number;
  readonly code: number;
  readonly transient: boolean;
}

// Bits of `SeriesView.flags`.
/** The point has content now. */
export const PRESENT = 1;
/** Tombstone: the point had content and has left. Kept for ever. */
export const LEFT = 2;
/** The last attempt failed. Content of an earlier success stays. */
export const FAILED = 4;
/** The failure may pass by itself. */
export const TRANSIENT = 8;
/** A blocking check of severity error failed on the present content. */
export const CHECK_FAILED = 16;

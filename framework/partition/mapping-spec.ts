import type { SeriesValues } from './space.ts';
import type { Grain } from './time.ts';

/**
 * A whole number of something, negative for the past. `index` counts upstream partitions; `bars` are turned into time by the
 * length of one bar, which depends on the partition (`helpers.barMs`). Times are rounded outwards to whole upstream partitions.
 */
export type WindowBound =
  | { readonly index: number }
  | { readonly days: number }
  | { readonly hours: number }
  | { readonly bars: number };

/** What a custom time mapping is asked about. */
export interface TimeContext {
  /** The listed values of the downstream series. */
  readonly values: SeriesValues;
  /** Half-open index range asked about; one partition (`hi = lo + 1`) when asked for its upstream. */
  readonly lo: number;
  readonly hi: number;
  /** Grain of `lo` and `hi`; undefined without a time dimension. */
  readonly from: Grain | undefined;
  /** Grain the answer is in; undefined without a time dimension. */
  readonly to: Grain | undefined;
}

/** Which upstream times a partition reads. Data, so that it is part of the code version. */
export type TimeRule =
  /** The same time; both sides have the same grain (or the upstream has no time). */
  | { readonly rule: 'same' }
  /**
   * Relative to the partition: from the start of it plus `from` to the end of it plus `to` (default: no offset, so the partition's
   * own time is included). `{ index }` counts from the upstream partitions that overlap it.
   */
  | { readonly rule: 'window'; readonly from: WindowBound; readonly to?: WindowBound }
  /** Upstream partitions, of any grain, whose time overlaps. */
  | { readonly rule: 'overlapping' }
  | { readonly rule: 'all' }
  /** Named times: printed indices, coarser periods or `a..b`, in one unbroken range. */
  | { readonly rule: 'only'; readonly text: readonly string[] }
  /** Self edges: from `by` (positive) before the partition's start up to the partition before it. */
  | { readonly rule: 'earlier'; readonly by: WindowBound }
  /** Both directions as half-open index ranges. `downstream` must return at least every time whose upstream range meets the one given. */
  | {
      readonly rule: 'custom';
      readonly id: string;
      readonly upstream: (t: TimeContext) => readonly [lo: number, hi: number];
      readonly downstream: (u: TimeContext) => readonly [lo: number, hi: number];
    };

/** Which values of one upstream dimension a partition reads. */
export type ListedRule =
  | { readonly rule: 'same' }
  | { readonly rule: 'all' }
  | { readonly rule: 'only'; readonly values: readonly string[] }
  /** The value of a downstream dimension that has another name. */
  | { readonly rule: 'from'; readonly dimension: string }
  /** `value` is the downstream value of the same name, or `''` if there is no such dimension. */
  | {
      readonly rule: 'custom';
      readonly id: string;
      readonly upstream: (value: string, values: SeriesValues) => readonly string[];
    };

export interface MappingSpec {
  readonly time: TimeRule;
  /** By upstream dimension; one left out must be the same on both sides. */
  readonly listed: Readonly<Record<string, ListedRule>>;
  /** The upstream is the asset itself. */
  readonly self?: boolean;
}

export interface MappingHelpers {
  /** Milliseconds of one bar of a downstream series; undefined if it has none. */
  barMs(values: SeriesValues): number | undefined;
}

/** Half-open index range. */
export type IndexRange = readonly [lo: number, hi: number];

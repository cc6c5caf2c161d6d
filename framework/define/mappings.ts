import type { ListedRule, TimeRule } from '../partition/mapping.ts';

/**
 * How one dimension of an upstream asset relates to the partition computed. Given per upstream dimension in
 * `from(upstream, { symbol: all(), date: window({ days: 30 }) })`; a dimension left out must be the same on both sides.
 */
export interface TimeMapping {
  readonly time: TimeRule;
  /** For the compiler only: time is mapped in another way to another asset than to the asset itself. */
  readonly '~to'?: 'another asset' | undefined;
}
/** For `self()`: earlier times of the asset itself. */
export interface SelfMapping {
  readonly time: TimeRule;
  readonly '~to'?: 'itself' | undefined;
}
/** Which values of a listed dimension are read. `TValue`, for the compiler only, are those it names. */
export interface ListedMapping<TValue extends string = never> {
  readonly listed: ListedRule;
  readonly '~value'?: TValue | undefined;
}
/** Every value, or every time. Makes nothing exist by itself. */
export interface AllMapping {
  readonly time: { readonly rule: 'all' };
  readonly listed: { readonly rule: 'all' };
  readonly '~to'?: 'another asset' | undefined;
}

export interface WindowOptions {
  /** Lookback before the start of the partition, in bars: the length comes from the asset's `bar` option and the partition's values. */
  readonly bars?: number;
  readonly hours?: number;
  readonly days?: number;
  /** Lookback in upstream partitions. */
  readonly partitions?: number;
  /** Lookahead past the end of the partition. */
  readonly ahead?: { readonly hours?: number; readonly days?: number; readonly partitions?: number };
}

/** The partition itself and what came before it: `window({ bars: 400 })`, `window({ days: 30 })`. Signs do not matter: lookback is always back. */
export function window(options: WindowOptions): TimeMapping {
  const { ahead } = options;
  const back =
    options.bars !== undefined
      ? { bars: -Math.abs(options.bars) }
      : options.days !== undefined
        ? { days: -Math.abs(options.days) }
        : options.hours !== undefined
          ? { hours: -Math.abs(options.hours) }
          : { index: -Math.abs(options.partitions ?? 0) };
  const to =
    ahead?.days !== undefined
      ? { days: ahead.days }
      : ahead?.hours !== undefined
        ? { hours: ahead.hours }
        : { index: ahead?.partitions ?? 0 };
  return { time: { rule: 'window', from: back, to } };
}

/** Upstream partitions of another grain whose time overlaps mine: the days of a month, the month of a day. */
export const overlapping = (): TimeMapping => ({ time: { rule: 'overlapping' } });

/** The same value of a listed dimension that is defined with other values here; a value the upstream has not reads nothing. */
export const same = (): ListedMapping => ({ listed: { rule: 'same' } });

/** Every value of a listed dimension, or every time of a time dimension. */
export const all = (): AllMapping => ({ time: { rule: 'all' }, listed: { rule: 'all' } });

/** Named values of a listed dimension only. */
export const only = <const TValue extends string>(...values: TValue[]): ListedMapping<TValue> => ({
  listed: { rule: 'only', values },
});

/** Named times only, e.g. `at('2024-01-01')`. */
export const at = (...times: string[]): TimeMapping => ({ time: { rule: 'only', text: times } });

/** The value of a dimension that has another name here: `from(prices, { quote: dimension('symbol') })`. */
export const dimension = (name: string): ListedMapping => ({ listed: { rule: 'from', dimension: name } });

/** Values computed from mine: which upstream values a partition with this value reads. `id` stands for the function in the code version. */
export const valuesBy = <const TValue extends string>(
  id: string,
  upstream: (value: string, values: Readonly<Record<string, string>>) => readonly TValue[],
): ListedMapping<TValue> => ({ listed: { rule: 'custom', id, upstream } });

/** Times computed from mine, in both directions. `id` stands for the functions in the code version. Half-open index ranges. */
export const timesBy = (
  id: string,
  functions: Pick<Extract<TimeRule, { rule: 'custom' }>, 'upstream' | 'downstream'>,
): { readonly time: TimeRule } => ({ time: { rule: 'custom', id, ...functions } });

/** For `self()`: this asset at earlier times, `earlier({ days: 1 })`. */
export function earlier(by: {
  readonly partitions?: number;
  readonly days?: number;
  readonly hours?: number;
}): SelfMapping {
  const bound =
    by.days !== undefined
      ? { days: by.days }
      : by.hours !== undefined
        ? { hours: by.hours }
        : { index: by.partitions ?? 1 };
  return { time: { rule: 'earlier', by: bound } };
}

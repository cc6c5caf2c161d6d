import type { Grain } from '../partition/time.ts';

/** One axis of a partition space, not yet named: the name is its key in `partitions: { … }`. */
export interface StaticDimension<TValue extends string = string> {
  readonly type: 'static';
  readonly values: readonly TValue[];
}
export interface DynamicDimension {
  readonly type: 'dynamic';
  /** A description of the values, for docs and errors, e.g. `a symbol in upper case`. */
  readonly of: string | undefined;
}
export interface TimeDimensionSpec<TGrain extends Grain = Grain> {
  readonly type: 'time';
  readonly grain: TGrain;
  /** First partition, in the grain's print form (`2017-01-01`, `2017-01`, `2017-01-01T00`). Moving it moves nothing else. */
  readonly start: string;
  /** Last partition, inclusive. */
  readonly end: string | undefined;
  /** Partitions to wait after the period's end before it is expected; -1 includes the running period. */
  readonly lag: number;
}
export type DimensionSpec = StaticDimension | DynamicDimension | TimeDimensionSpec;
export type DimensionShape = Readonly<Record<string, DimensionSpec>>;

/** A dimension with a fixed list of values: `staticDimension(['spot', 'um', 'cm'])`. */
export const staticDimension = <const TValue extends string>(values: readonly TValue[]): StaticDimension<TValue> => ({
  type: 'static',
  values,
});

/**
 * A dimension whose values are discovered: each series has a life span, the ranges of time over which its sources were seen
 * (listed, delisted, relisted). Symbols, for instance.
 */
export const dynamicDimension = (of?: string): DynamicDimension => ({ type: 'dynamic', of });

export interface TimeOptions {
  readonly start: string;
  readonly end?: string;
  readonly lag?: number;
}
const time =
  <TGrain extends Grain>(grain: TGrain) =>
  (options: TimeOptions): TimeDimensionSpec<TGrain> => ({
    type: 'time',
    grain,
    start: options.start,
    end: options.end,
    lag: options.lag ?? 0,
  });

/** Partitions of one UTC hour, keyed `2024-01-31T05`. */
export const hourly = time('hour');
/** Partitions of one UTC day, keyed `2024-01-31`. */
export const daily = time('day');
/** Partitions of one week from Monday 00:00 UTC, keyed by the Monday's date. */
export const weekly = time('week');
/** Partitions of one UTC month, keyed `2024-01`. */
export const monthly = time('month');
/** Partitions of one UTC year, keyed `2024`. */
export const yearly = time('year');

type Digits = `${number}`;
/** How a time of each grain is written in a key. */
interface TimeText {
  readonly hour: `${Digits}-${Digits}-${Digits}T${Digits}`;
  readonly day: `${Digits}-${Digits}-${Digits}`;
  readonly week: `${Digits}-${Digits}-${Digits}`;
  readonly month: `${Digits}-${Digits}`;
  readonly year: Digits;
}
/** The value a person writes for a dimension in a partition key. */
export type DimensionValue<TDimension extends DimensionSpec> =
  TDimension extends StaticDimension<infer TValue>
    ? TValue
    : TDimension extends TimeDimensionSpec<infer TGrain>
      ? TimeText[TGrain]
      : string;

/** A typed partition key: `{ market: 'spot', symbol: 'BTCUSDT', date: '2024-01-01' }`. */
export type PartitionKey<TDims extends DimensionShape> = { readonly [K in keyof TDims]: DimensionValue<TDims[K]> };

type IsUnion<T, TAll = T> = T extends unknown ? ([TAll] extends [T] ? false : true) : never;
type OneValue<TDimension> =
  TDimension extends StaticDimension<infer TValue>
    ? string extends TValue
      ? false
      : IsUnion<TValue> extends false
        ? true
        : false
    : false;
type Flat<T> = { [K in keyof T]: T[K] };
/** A partition key as it may be written: a dimension with only one value may be left out. */
export type WrittenKey<TDims extends DimensionShape> = Flat<
  { readonly [K in keyof TDims as OneValue<TDims[K]> extends true ? never : K]: DimensionValue<TDims[K]> } & {
    readonly [K in keyof TDims as OneValue<TDims[K]> extends true ? K : never]?: DimensionValue<TDims[K]>;
  }
>;

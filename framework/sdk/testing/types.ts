import type { ColumnShape, ValueOf } from '../../define/columns.ts';
import type { DimensionShape, WrittenKey } from '../../define/dimensions.ts';
import type { AssetTypes } from '../../define/types.ts';
import type { Clock } from './clock.ts';

type Flat<T> = { [K in keyof T]: T[K] };
type NullableNames<TShape extends ColumnShape> = {
  [K in keyof TShape]: null extends ValueOf<TShape[K]> ? K : never;
}[keyof TShape];
/** A row that a test writes down: a column that may be NULL may be left out. */
export type LiteralRow<TShape extends ColumnShape> = Flat<
  { readonly [K in Exclude<keyof TShape, NullableNames<TShape>>]: ValueOf<TShape[K]> } & {
    readonly [K in NullableNames<TShape>]?: ValueOf<TShape[K]>;
  }
>;

/** Original bytes; a text is UTF-8. */
export type LiteralBytes = Uint8Array | string;
/** What an input has of one of its partitions: rows of a table, or the bytes of an original or a source. */
export type LiteralPartition<TDims extends DimensionShape, TShape extends ColumnShape> = {
  readonly partition: WrittenKey<TDims>;
} & (
  | { readonly bytes: LiteralBytes; readonly rows?: never }
  | ([keyof TShape] extends [never] ? never : { readonly rows: readonly LiteralRow<TShape>[]; readonly bytes?: never })
);
/**
 * What an input reads. Rows or bytes alone are of the one partition that is read; where several are, rows of a table with a `timeColumn`
 * are told apart by it. Otherwise each partition is named.
 */
export type Literal<TDims extends DimensionShape, TShape extends ColumnShape> =
  | readonly LiteralPartition<TDims, TShape>[]
  | LiteralBytes
  | ([keyof TShape] extends [never] ? never : readonly LiteralRow<TShape>[]);

interface AnyRead {
  readonly dims: DimensionShape;
  readonly shape: ColumnShape;
}
/** Inputs by the names that the asset gives them. One that is left out has nothing. */
export type LiteralInputs<TReads> = {
  readonly [K in keyof TReads]?: TReads[K] extends infer TRead extends AnyRead
    ? Literal<TRead['dims'], TRead['shape']>
    : never;
};

export interface TestOptions {
  /** Default: when the partitions are over. */
  readonly now?: string | Date | Clock;
  /** What the asset finds in `context.resources`. */
  readonly resources?: Readonly<Record<string, unknown>>;
}

export interface RunAssetOptions<TTypes extends AssetTypes, TReads> extends TestOptions {
  readonly inputs?: LiteralInputs<TReads>;
  /** Which partition is computed; a dimension with one value may be left out. */
  readonly partition: WrittenKey<TTypes['dims']>;
}

/** How a check of the asset went. */
export interface CheckResult {
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly passed: boolean;
  readonly failedRows: number;
  /** Some of the bad rows. */
  readonly sample: readonly unknown[];
}

export interface AssetRun<TShape extends ColumnShape> {
  /** The rows of the partition, without its partition columns, in the asset's order. */
  readonly rows: { -readonly [K in keyof TShape]: ValueOf<TShape[K]> }[];
  /** Of an asset that keeps originals. */
  readonly bytes: Uint8Array | undefined;
  /** All checks but those that compare with other assets. */
  readonly checks: readonly CheckResult[];
}

export interface PartitionwiseOptions<TTypes extends AssetTypes, TReads> extends TestOptions {
  readonly inputs: LiteralInputs<TReads>;
  /** Default: all that the inputs give. */
  readonly partitions?: readonly WrittenKey<TTypes['dims']>[];
}

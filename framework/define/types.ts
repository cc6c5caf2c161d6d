import type { ColumnShape, Columns, RowOf, ValueOf } from './columns.ts';
import type { DimensionShape, DimensionSpec, PartitionKey } from './dimensions.ts';
import type { AllMapping, ListedMapping, TimeMapping } from './mappings.ts';
import type {
  AssetDefinition,
  CheckDefinition,
  InputReader,
  PartitionContext,
  RawFormat,
  RuntimeContext,
} from './model.ts';
import type { ColumnReference, SqlReference, SqlTemplate } from './sql.ts';

/** The phantom types of a declaration; `'~types'` exists for the compiler only. */
export interface AssetTypes {
  readonly key: string;
  readonly dims: DimensionShape;
  readonly shape: ColumnShape;
}
/** A declared asset or source with its types, and those of what its inputs read, for who tests it. */
export interface Asset<TTypes extends AssetTypes = AssetTypes, TReads = unknown> extends AssetDefinition {
  readonly '~types'?: TTypes;
  readonly '~reads'?: TReads;
}
export type TypesOf<TAsset> = TAsset extends Asset<infer TTypes> ? TTypes : never;

/** What a person may say about each upstream dimension. */
export type MappingFor<TDimension extends DimensionSpec> = TDimension extends { readonly type: 'time' }
  ? TimeMapping | AllMapping
  : TDimension extends { readonly type: 'static'; readonly values: readonly (infer TValue extends string)[] }
    ? ListedMapping<TValue> | AllMapping
    : ListedMapping<string> | AllMapping;

/** One upstream of an input as the compiler knows it: `TMapped` are the dimensions whose mapping was said, undefined without `from`. */
export interface Read<TTypes extends AssetTypes, TMapped extends string | undefined> {
  readonly types: TTypes;
  readonly mapped: TMapped;
}
/** The asset itself. */
export interface ReadSelf<TMapped extends string> {
  readonly self: TMapped;
}
type AnyRead = Read<AssetTypes, string | undefined> | ReadSelf<string>;

/** An input with an explicit mapping, need, or alternatives (then `TRead` is a union). */
export interface InputSpec<TRead extends AnyRead = AnyRead> {
  readonly '~input': 1;
  readonly need: 'required' | 'ifPresent';
  /** False: see `InputDefinition`. */
  readonly asks?: false;
  readonly alternatives: readonly {
    readonly asset: AssetDefinition | undefined;
    readonly mappings: Readonly<Record<string, Partial<TimeMapping & ListedMapping>>> | undefined;
    /** `ifPresent()` or `self()` inside `firstAvailable()`, which is reported. */
    readonly optional?: boolean;
  }[];
  readonly '~read'?: TRead;
}
export type InputsShape = Readonly<Record<string, Asset | InputSpec>>;
export type ReadOf<TInput> =
  TInput extends InputSpec<infer TRead> ? TRead : TInput extends Asset<infer TTypes> ? Read<TTypes, undefined> : never;

/** What one input of an asset reads; of the asset itself nothing. */
export type InputReads<TInput> =
  ReadOf<TInput> extends Read<infer TTypes, string | undefined>
    ? { readonly dims: TTypes['dims']; readonly shape: TTypes['shape'] }
    : never;

// --- compile-time checks: a problem is a sentence in the type, so that the compiler prints it -----------------------------

type Names<T> = keyof T & string;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type TimeName<TDims extends DimensionShape> = {
  [K in Names<TDims>]: TDims[K] extends { readonly type: 'time' } ? K : never;
}[Names<TDims>];

/** What is wrong with an upstream dimension that is not mapped; never if it is the same here. */
type DimensionProblem<
  TKey extends string,
  TUp extends DimensionShape,
  TDown extends DimensionShape,
  K extends Names<TUp>,
> =
  K extends Names<TDown>
    ? Same<TUp[K], TDown[K]> extends true
      ? never
      : [TUp[K], TDown[K]] extends [
            { readonly grain: infer TUpGrain extends string },
            { readonly grain: infer TDownGrain extends string },
          ]
        ? `'${K}' is one ${TUpGrain} in ${TKey} and one ${TDownGrain} here: write from(…, { ${K}: overlapping() })`
        : `'${K}' is not the same in ${TKey} as here: write from(…, { ${K}: same() }), all() or only(…)`
    : TUp[K] extends { readonly type: 'time' }
      ? [TimeName<TDown>] extends [never]
        ? `${TKey} has the dimension '${K}', this asset has no time: write from(…, { ${K}: all() }) or at(…)`
        : `${TKey} has the time dimension '${K}', this asset has '${TimeName<TDown>}': write from(…, { ${K}: overlapping() })`
      : `${TKey} has the dimension '${K}', this asset has not: write from(…, { ${K}: all() }), only(…) or dimension(…)`;

type MissingProblem<TTypes extends AssetTypes, TDown extends DimensionShape, K extends Names<TDown>> =
  K extends Names<TTypes['dims']>
    ? never
    : K extends TimeName<TDown>
      ? [TimeName<TTypes['dims']>] extends [never]
        ? `${TTypes['key']} has no dimension '${K}': write from(…, {}) to read the same partition at every ${K}`
        : never
      : `${TTypes['key']} has no dimension '${K}': write from(…, {}) to read the same partition for every ${K}`;

type ReadProblem<TRead, TDown extends DimensionShape> =
  TRead extends ReadSelf<infer TMapped>
    ? Exclude<TMapped, TimeName<TDown>> extends never
      ? never
      : `self() maps the time dimension, and '${Exclude<TMapped, TimeName<TDown>>}' is not it`
    : TRead extends Read<infer TTypes, infer TMapped>
      ? string extends Names<TTypes['dims']>
        ? never
        :
            | DimensionProblem<TTypes['key'], TTypes['dims'], TDown, Exclude<Names<TTypes['dims']>, TMapped>>
            | (TMapped extends undefined ? MissingProblem<TTypes, TDown, Names<TDown>> : never)
      : never;

/** A sentence per problem with the inputs of an asset with these dimensions; never if there is none. */
export type InputProblem<TInputs extends InputsShape, TDown extends DimensionShape> = {
  [K in Names<TInputs>]: `input '${K}': ${ReadProblem<ReadOf<TInputs[K]>, TDown>}`;
}[Names<TInputs>];

/** What a column holds in TypeScript, in a word. */
type Word<TValue> = [TValue] extends [null]
  ? 'null'
  : [null] extends [TValue]
    ? `${Base<Exclude<TValue, null>>} or null`
    : Base<TValue>;
type Base<TValue> = [TValue] extends [string]
  ? 'string'
  : [TValue] extends [number]
    ? 'number'
    : [TValue] extends [bigint]
      ? 'bigint'
      : [TValue] extends [boolean]
        ? 'boolean'
        : [TValue] extends [Date]
          ? 'Date'
          : 'something else';
type IsAny<T> = 0 extends 1 & T ? true : false;
type RowProblem<TRow, TShape extends ColumnShape> =
  IsAny<TRow> extends true
    ? never
    : TRow extends RowOf<TShape>
      ? `'${Exclude<Names<TRow>, Names<TShape>>}' of the rows is not a column`
      : {
          [K in Names<TShape>]: K extends keyof TRow
            ? TRow[K] extends ValueOf<TShape[K]>
              ? never
              : `column '${K}' is ${Word<ValueOf<TShape[K]>>}, the rows have ${Word<TRow[K]>}`
            : `the rows have no column '${K}'`;
        }[Names<TShape>];
/** What is wrong with what a compute function returns, in a sentence; never if nothing is. */
export type ComputeProblem<TResult, TShape extends ColumnShape, TFormat> =
  true extends IsAny<TResult>
    ? never
    : [TResult] extends [never]
      ? never
      : TFormat extends RawFormat
        ? [TResult] extends [Uint8Array]
          ? never
          : 'compute: an asset with a format returns its bytes, a Uint8Array'
        : [TResult] extends [readonly (infer TRow)[]]
          ? `compute: ${RowProblem<TRow, TShape>}`
          : 'compute: an asset with columns returns an array of rows';

// --- what user code sees ---------------------------------------------------------------------------------------------------

/** Columns of what an input reads; `TSelf` are those of the asset itself. */
export type ReadShape<TRead, TSelf extends ColumnShape> =
  TRead extends Read<infer TTypes, string | undefined> ? TTypes['shape'] : TSelf;
export type ReadDims<TRead, TSelf extends DimensionShape> =
  TRead extends Read<infer TTypes, string | undefined> ? TTypes['dims'] : TSelf;

/** An input inside a query: stands for its rows, and has a reference per column (data and partition columns). */
export type Relation<TNames extends string> = SqlReference & { readonly [K in TNames]: ColumnReference };
/** The values of the partition computed, as SQL: dimensions by name, and `start` / `end` as TIMESTAMP. */
export type PartitionReferences<TNames extends string> = { readonly [K in TNames | 'start' | 'end']: SqlReference };
export interface QueryContext<TDims extends DimensionShape> {
  readonly partition: PartitionReferences<keyof TDims & string>;
}

export type TypedPartition<TDims extends DimensionShape> = Omit<PartitionContext, 'values'> & {
  readonly values: PartitionKey<TDims>;
};
export interface TypedComputeContext<
  TInputs extends InputsShape,
  TDims extends DimensionShape,
  TShape extends ColumnShape,
> extends RuntimeContext {
  readonly partition: TypedPartition<TDims>;
  readonly inputs: { readonly [K in keyof TInputs]: InputReader<RowOf<ReadShape<ReadOf<TInputs[K]>, TShape>>> };
}

/** The values of a check's partition. The names are looked at when the definitions are loaded, for a check is not tied to an asset. */
export type CheckPartition = PartitionReferences<string>;
/** An input as a check's query sees it. */
export type CheckRelation<TInput> = Relation<
  (keyof ReadShape<ReadOf<TInput>, Record<never, never>> | keyof ReadDims<ReadOf<TInput>, Record<never, never>>) &
    string
>;
export interface CheckContext<TColumn extends string, TInputs extends InputsShape = InputsShape> {
  /** The rows of one partition. */
  readonly rows: Relation<TColumn>;
  readonly partition: CheckPartition;
  /** What belongs to the partition of each input: of the check's own, where it has any, else of the asset's. */
  readonly inputs: { readonly [K in keyof TInputs]: CheckRelation<TInputs[K]> };
  /** The order of the asset's rows. */
  readonly sortBy: readonly string[];
}
/** A check on columns that must exist: `unique('open_time')` on an asset without `open_time` does not compile. */
export interface CheckSpec<TColumn extends string = string> {
  readonly name: string;
  readonly description: string | undefined;
  readonly severity: 'warn' | 'error';
  readonly blocking: boolean;
  readonly columns: readonly TColumn[];
  /**
   * What a comparison reads besides the partition, given the name of the asset's time dimension. These are no inputs of the asset:
   * they make nothing stale, and the check is never part of a batch.
   */
  readonly inputs?: ((time: string | undefined) => InputsShape) | undefined;
  /** Inputs of which only this is read: aggregates, one row per partition. */
  readonly summaries?: Readonly<Record<string, SqlTemplate>> | undefined;
  readonly build: (context: CheckContext<string>) => CheckDefinition['test'];
}

/** Columns of an asset: declared, or text columns of its raw format. */
export type ShapeOf<TColumns, TFormat> =
  TColumns extends Columns<infer TShape>
    ? TShape
    : TFormat extends { readonly '~shape'?: infer TShape extends ColumnShape }
      ? TShape
      : Record<never, never>;

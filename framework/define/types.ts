import type { ColumnShape, Columns, RowOf } from './columns.ts';
import type { DimensionShape, DimensionSpec, PartitionKey } from './dimensions.ts';
import type { AllMapping, ListedMapping, TimeMapping } from './mappings.ts';
import type { AssetDefinition, InputReader, RawFormat, RuntimeContext } from './model.ts';
import type { ColumnReference, SqlReference, SqlTemplate } from './sql.ts';

/** The phantom types of a declaration; `'~types'` exists for the compiler only. */
export interface AssetTypes {
  readonly key: string;
  readonly dims: DimensionShape;
  readonly shape: ColumnShape;
}
/** A declared asset or source with its types. */
export interface Asset<TTypes extends AssetTypes = AssetTypes> extends AssetDefinition {
  readonly '~types'?: TTypes;
}
export type TypesOf<TAsset> = TAsset extends Asset<infer TTypes> ? TTypes : never;

/** What a person may say about each upstream dimension. */
export type MappingFor<TDimension extends DimensionSpec> = TDimension extends { readonly type: 'time' }
  ? TimeMapping | AllMapping
  : TDimension extends { readonly type: 'static'; readonly values: readonly (infer TValue extends string)[] }
    ? ListedMapping<TValue> | AllMapping
    : ListedMapping | AllMapping;
export type MappingsFor<TDims extends DimensionShape> = { readonly [K in keyof TDims]?: MappingFor<TDims[K]> };

/** An input with an explicit mapping, need, or alternatives. */
export interface InputSpec<TAsset extends Asset = Asset, TMapped extends string = string> {
  readonly '~input': 1;
  readonly need: 'required' | 'ifPresent';
  readonly alternatives: readonly { readonly asset: Asset | undefined; readonly mappings: Readonly<Record<string, Partial<TimeMapping & ListedMapping>>> | undefined }[];
  readonly '~asset'?: TAsset;
  /** Upstream dimensions whose mapping was said; `'*'` when nothing needs to be (self edges). */
  readonly '~mapped'?: TMapped;
}
export type InputsShape = Readonly<Record<string, Asset | InputSpec>>;

// --- compile-time checks: a problem is a sentence in the type, so that the compiler prints it -----------------------------

type Problem<TText extends string> = { readonly 'definition error': TText };
type SameDimension<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Names<T> = keyof T & string;

/** Upstream dimensions that are neither mapped nor the same here. */
type Unmapped<TUp extends DimensionShape, TDown extends DimensionShape, TMapped extends string> = {
  [K in Names<TUp>]: K extends TMapped ? never : K extends Names<TDown> ? (SameDimension<TUp[K], TDown[K]> extends true ? never : K) : K;
}[Names<TUp>];

type CheckMapped<TTypes extends AssetTypes, TDown extends DimensionShape, TMapped extends string> = string extends Names<TTypes['dims']>
  ? unknown
  : [Unmapped<TTypes['dims'], TDown, TMapped>] extends [never]
    ? unknown
    : Problem<`'${TTypes['key']}' has the dimension '${Unmapped<TTypes['dims'], TDown, TMapped>}', which this asset has not (or defines differently): say how it maps, e.g. from(asset, { ${Unmapped<TTypes['dims'], TDown, TMapped>}: all() })`>;

type CheckBare<TTypes extends AssetTypes, TDown extends DimensionShape> = [Exclude<Names<TDown>, Names<TTypes['dims']>>] extends [never]
  ? CheckMapped<TTypes, TDown, never>
  : Problem<`'${TTypes['key']}' has no dimension '${Exclude<Names<TDown>, Names<TTypes['dims']>>}': write from(asset, {}) to read the same partition for each of its values`>;

export type CheckInput<TInput, TDown extends DimensionShape> = TInput extends InputSpec<infer TAsset, infer TMapped>
  ? '*' extends TMapped
    ? unknown
    : CheckMapped<TypesOf<TAsset>, TDown, TMapped>
  : TInput extends Asset<infer TTypes>
    ? CheckBare<TTypes, TDown>
    : unknown;

// --- what user code sees ---------------------------------------------------------------------------------------------------

/** The asset an input reads (a union for `firstAvailable`). `TSelf` stands for a self edge. */
type InputAsset<TInput> = TInput extends InputSpec<infer TAsset, string> ? TAsset : TInput extends Asset ? TInput : never;
type InputShape<TInput> = TypesOf<InputAsset<TInput>>['shape'];
type InputDims<TInput> = TypesOf<InputAsset<TInput>>['dims'];

/** An input inside a query: stands for its rows, and has a reference per column (data and partition columns). */
export type Relation<TNames extends string> = SqlReference & { readonly [K in TNames]: ColumnReference };
export type RelationOf<TInput> = Relation<Names<InputShape<TInput>> | Names<InputDims<TInput>>>;

export type PartitionReferences<TDims extends DimensionShape> = { readonly [K in keyof TDims | 'start' | 'end']: SqlReference };
export interface QueryContext<TDims extends DimensionShape> {
  /** The partition's values as SQL: dimensions by name, and `start` / `end` as TIMESTAMP. */
  readonly partition: PartitionReferences<TDims>;
}

export interface TypedComputeContext<TInputs extends InputsShape, TDims extends DimensionShape> extends RuntimeContext {
  readonly partition: { readonly key: string; readonly values: PartitionKey<TDims>; readonly start: Date | undefined; readonly end: Date | undefined };
  readonly inputs: { readonly [K in keyof TInputs]: InputReader<RowOf<InputShape<TInputs[K]>>> };
}

export type ComputeResult<TShape extends ColumnShape, TFormat> = TFormat extends RawFormat ? Uint8Array : readonly RowOf<TShape>[];

/** A check on columns that must exist: `unique('open_time')` on an asset without `open_time` does not compile. */
export interface CheckSpec<TColumn extends string = string> {
  readonly name: string;
  readonly description?: string;
  readonly severity: 'warn' | 'error';
  readonly blocking: boolean;
  readonly columns: readonly TColumn[];
  readonly build: (
    context: { readonly rows: Relation<string>; readonly partition: PartitionReferences<DimensionShape> },
  ) => { readonly type: 'rows'; readonly bad: SqlTemplate } | { readonly type: 'query'; readonly select: SqlTemplate };
}

/** Columns of an asset: declared, or text columns of its raw format. */
export type ShapeOf<TColumns, TFormat> = TColumns extends Columns<infer TShape>
  ? TShape
  : TFormat extends { readonly '~shape'?: infer TShape extends ColumnShape }
    ? TShape
    : Record<never, never>;

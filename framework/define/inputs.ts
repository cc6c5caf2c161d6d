import type { ColumnShape } from './columns.ts';
import type { DimensionShape } from './dimensions.ts';
import { isDefinition } from './model.ts';
import type { Asset, AssetTypes, InputSpec, MappingsFor, TypesOf } from './types.ts';

type Mapped<TMappings> = keyof TMappings & string;
type AnyMappings = NonNullable<InputSpec['alternatives'][number]['mappings']>;

/**
 * An input whose dimensions differ, or of which more than the same partition is read:
 * `from(silverKlines, { date: window({ bars: 400 }) })`, `from(silverKlines, { symbol: all() })`.
 * Upstream dimensions left out are the same here; dimensions only this asset has are broadcast.
 */
export function from<TTypes extends AssetTypes, const TMappings extends MappingsFor<TTypes['dims']>>(
  upstream: Asset<TTypes>,
  mappings: TMappings,
): InputSpec<Asset<TTypes>, Mapped<TMappings>> {
  return { '~input': 1, need: 'required', alternatives: [{ asset: upstream as unknown as Asset, mappings: mappings as unknown as AnyMappings }] };
}

/** An input that is read where it exists and does not hold this asset up where it does not. */
export function ifPresent<TAsset extends Asset, TMapped extends string>(input: InputSpec<TAsset, TMapped>): InputSpec<TAsset, TMapped>;
export function ifPresent<TTypes extends AssetTypes>(upstream: Asset<TTypes>): InputSpec<Asset<TTypes>, never>;
export function ifPresent(input: Asset | InputSpec): InputSpec {
  if (isDefinition(input)) return { '~input': 1, need: 'ifPresent', alternatives: [{ asset: input as Asset, mappings: undefined }] };
  return { ...(input as InputSpec), need: 'ifPresent' };
}

type AssetIn<TInput> = TInput extends InputSpec<infer TAsset, string> ? TAsset : TInput;
type MappedIn<TInput> = TInput extends InputSpec<Asset, infer TMapped> ? TMapped : never;

/**
 * Several assets with the same columns, best first. The planner chooses per partition the first that is materialized or can
 * be; the choice is recorded, and a better one appearing later makes the partition stale.
 */
export function firstAvailable<const TInputs extends readonly [Asset | InputSpec, ...(Asset | InputSpec)[]]>(
  ...inputs: TInputs
): InputSpec<AssetIn<TInputs[number]> & Asset, MappedIn<TInputs[number]> & string> {
  return {
    '~input': 1,
    need: 'required',
    alternatives: inputs.flatMap((input) =>
      isDefinition(input) ? [{ asset: input as Asset, mappings: undefined }] : (input as InputSpec).alternatives,
    ),
  };
}

type Self = Asset<{ key: 'self'; dims: Record<string, never> & DimensionShape; shape: ColumnShape }>;

/** The asset itself at earlier times: `self({ date: earlier({ days: 1 }) })`. Always read if present: a chain has a first link. */
export function self<const TMappings extends MappingsFor<DimensionShape>>(mappings: TMappings): InputSpec<Self, '*'> {
  return { '~input': 1, need: 'ifPresent', alternatives: [{ asset: undefined, mappings: mappings as unknown as AnyMappings }] };
}

export type { TypesOf };

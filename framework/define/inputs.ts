import type { DimensionShape } from './dimensions.ts';
import type { ListedMapping, SelfMapping, TimeMapping } from './mappings.ts';
import { isDefinition } from './model.ts';
import type { Asset, AssetTypes, InputSpec, MappingFor, Read, ReadOf, ReadSelf } from './types.ts';

type AnyMappings = Readonly<Record<string, Partial<TimeMapping & ListedMapping>>>;
type Names<T> = keyof T & string;

/** The mapping of each named dimension; a name the upstream has not is answered by a sentence. */
type Mappings<TKey extends string, TDims extends DimensionShape, TName extends string> = {
  readonly [K in TName]: K extends Names<TDims> ? MappingFor<TDims[K]> : `${TKey} has no dimension '${K}'`;
};

/**
 * An input whose dimensions differ, or of which more than the same partition is read:
 * `from(silverKlines, { date: window({ bars: 400 }) })`, `from(silverKlines, { symbol: all() })`.
 * Upstream dimensions left out are the same here; dimensions only this asset has are broadcast.
 */
export function from<TTypes extends AssetTypes, const TName extends string = never>(
  upstream: Asset<TTypes>,
  mappings: Mappings<TTypes['key'], TTypes['dims'], TName>,
): InputSpec<Read<TTypes, TName>> {
  return {
    '~input': 1,
    need: 'required',
    alternatives: [{ asset: upstream, mappings: mappings as unknown as AnyMappings }],
  };
}

/**
 * An input that is read where it exists and does not hold this asset up where it does not. Where all inputs are such and there is nothing to
 * read yet, what failed or is still to come does: an asset is not made of nothing while there may be something.
 * @param options.ask false: read what is there already, and let nothing be computed or fetched for its sake. What comes later, because
 * something else asks for it, makes this asset stale.
 */
export function ifPresent<TInput extends Asset | InputSpec>(
  input: TInput,
  { ask = true }: { readonly ask?: boolean } = {},
): InputSpec<ReadOf<TInput>> {
  return { '~input': 1, need: 'ifPresent', ...(!ask && { asks: false }), alternatives: alternativesOf(input) };
}

/**
 * Several assets with the same columns, best first. The planner chooses per partition the first that is materialized or can
 * be; the choice is recorded, and a better one appearing later makes the partition stale.
 */
export function firstAvailable<const TInputs extends readonly [Asset | InputSpec, ...(Asset | InputSpec)[]]>(
  ...inputs: TInputs
): InputSpec<ReadOf<TInputs[number]>> {
  const alternatives = inputs.flatMap((input) => {
    const optional = !isDefinition(input) && input.need === 'ifPresent';
    return alternativesOf(input).map((alternative) => (optional ? { ...alternative, optional } : alternative));
  });
  return { '~input': 1, need: 'required', alternatives };
}

/** The asset itself at earlier times: `self({ date: earlier({ days: 1 }) })`. Always read if present: a chain has a first link. */
export function self<const TName extends string>(
  mappings: { readonly [K in TName]: SelfMapping },
): InputSpec<ReadSelf<TName>> {
  return {
    '~input': 1,
    need: 'ifPresent',
    alternatives: [{ asset: undefined, mappings: mappings as unknown as AnyMappings }],
  };
}

const alternativesOf = (input: Asset | InputSpec): InputSpec['alternatives'] =>
  isDefinition(input) ? [{ asset: input, mappings: undefined }] : input.alternatives;

import type { AssetDefinition } from '../../framework/define/model.ts';

/** Some assets of a lakehouse as if there were no others: inputs, and alternatives of inputs, that are not among them are left out. */
export function part(assets: readonly AssetDefinition[], keys: readonly string[]): AssetDefinition[] {
  const made = new Map<AssetDefinition, AssetDefinition>();
  const cut = (definition: AssetDefinition): AssetDefinition => {
    const known = made.get(definition);
    if (known) return known;
    const inputs = definition.inputs.flatMap((input) => {
      const alternatives = input.alternatives
        .filter(({ asset }) => asset === undefined || keys.includes(asset.key))
        .map(({ asset, ...rest }) => ({ ...rest, asset: asset && cut(asset) }));
      return alternatives.length > 0 ? [{ ...input, alternatives }] : [];
    });
    const one = { ...definition, inputs, checks: definition.checks.filter(({ reads }) => reads.length === 0) };
    made.set(definition, one);
    return one;
  };
  return assets.filter(({ key }) => keys.includes(key)).map(cut);
}

import { LakehouseError } from '../common/errors.ts';
import { exampleOf, printKey } from '../partition/space.ts';
import { parseIndex } from '../partition/time.ts';
import type { WrittenKey } from './dimensions.ts';
import type { Asset, AssetTypes } from './types.ts';

/**
 * The hive key of one partition, typed by the asset's dimensions; one that has a single value may be left out:
 * `partitionKey(silverKlines, { market: 'spot', symbol: 'BTCUSDT', interval: '1m', date: '2024-01-01' })`.
 * @throws LakehouseError `bad-partition-value` when the time is not one of its grain; `missing-dimension`.
 */
export function partitionKey<TTypes extends AssetTypes>(asset: Asset<TTypes>, key: WrittenKey<TTypes['dims']>): string {
  const { space } = asset;
  const written: Readonly<Record<string, string | undefined>> = key;
  const values: Record<string, string> = {};
  for (const { name, values: all } of space.listed) {
    const value = written[name] ?? (all?.length === 1 ? all[0] : undefined);
    if (value !== undefined) values[name] = value;
  }
  if (!space.time) return printKey(space, { values, time: 0 });
  const { name, grain } = space.time;
  const text = written[name];
  if (text === undefined) throw new LakehouseError('missing-dimension', `The key has no '${name}' (${asset.key})`);
  const time = parseIndex(grain, text);
  if (time === undefined) {
    const hint = `Write it like ${exampleOf(grain)}.`;
    throw new LakehouseError('bad-partition-value', `'${text}' is not a ${grain} for '${name}' (${asset.key})`, {
      hint,
    });
  }
  return printKey(space, { values, time });
}

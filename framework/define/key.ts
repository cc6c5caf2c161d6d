import { printKey } from '../partition/space.ts';
import { parseIndex } from '../partition/time.ts';
import type { PartitionKey } from './dimensions.ts';
import { LakehouseError } from '../common/errors.ts';
import type { Asset, AssetTypes } from './types.ts';

/**
 * The hive key of one partition, typed by the asset's dimensions:
 * `partitionKey(silverKlines, { exchange: 'binance', market: 'spot', …, date: '2024-01-01' })`.
 * @throws LakehouseError `bad-partition-value` when the time is not one of its grain.
 */
export function partitionKey<TTypes extends AssetTypes>(asset: Asset<TTypes>, key: PartitionKey<TTypes['dims']>): string {
  const { space } = asset;
  const values = key as Readonly<Record<string, string>>;
  const text = space.time ? values[space.time.name] : undefined;
  const time = space.time && text !== undefined ? parseIndex(space.time.grain, text) : 0;
  if (time === undefined) throw new LakehouseError('bad-partition-value', `'${text}' is not a ${space.time?.grain} (${asset.key})`);
  return printKey(space, { values, time });
}

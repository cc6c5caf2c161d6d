import { LakehouseError } from '../../common/errors.ts';
import type { AssetDefinition } from '../../define/model.ts';
import type { Asset, AssetTypes } from '../../define/types.ts';
import { type PartitionRef, printKey } from '../../partition/space.ts';
import { contentsOf, type Row, refOf } from './literal.ts';
import { computed, type GivenLake, givenLake, rowsOf } from './run-asset.ts';
import type { PartitionwiseOptions } from './types.ts';

/**
 * Asserts that each partition is the same, byte for byte, whether it is computed alone or together with others: that the asset's query
 * or function is one of its own partition. Give inputs of several partitions.
 * @throws LakehouseError `not-partitionwise` (data) that shows the first difference; those of `runAsset`; `too-few-partitions` (usage).
 */
export async function expectPartitionwise<TTypes extends AssetTypes, TReads>(
  asset: Asset<TTypes, TReads>,
  options: PartitionwiseOptions<TTypes, TReads>,
): Promise<void> {
  const { inputs, partitions, ...rest } = options;
  const named = partitions?.map((key) => refOf(asset, key as never));
  const contents = contentsOf(asset, inputs, undefined);
  await using together = await givenLake(asset, contents, named ?? [], rest);
  await together.lake.materialize(asset.key, { observe: false });
  const there = await together.lake.read<AssetTypes>(together.asset).partitions();
  const targets = named ?? there.map((key) => refOf(asset, key));
  if (there.length < 2)
    throw new LakehouseError(
      'too-few-partitions',
      `${asset.key}: these inputs give ${there.length} of its partitions`,
      {
        hint: 'What is the same alone and together shows with two or more.',
      },
    );
  await using alone = await givenLake(asset, contents, targets, rest);
  for (const target of targets) {
    const key = printKey(asset.space, target);
    // Says what is wrong, should it be missing.
    await computed(together, key);
    await computed(alone, key);
    if ((await versionOf(alone, key)) !== (await versionOf(together, key)))
      throw await difference(asset, key, there.length, target, alone, together);
  }
}

/** Tells contents apart, byte by byte. */
const versionOf = async ({ lake, asset }: GivenLake, key: string): Promise<string | undefined> =>
  (await lake.explain(asset.key, key)).facts.last?.version;

async function difference(
  asset: AssetDefinition,
  key: string,
  count: number,
  target: PartitionRef,
  alone: GivenLake,
  together: GivenLake,
): Promise<LakehouseError> {
  const [own, others] = [await rowsOf<Row>(alone, target), await rowsOf<Row>(together, target)];
  return new LakehouseError(
    'not-partitionwise',
    `${asset.key} ${key} is not the same alone and together with ${count - 1} others: ${firstDifference(own, others)}`,
    {
      kind: 'data',
      hint: 'A query or function is one of one partition: it must not depend on which others are computed with it.',
      details: { partition: key, alone: own.length, together: others.length },
    },
  );
}

function firstDifference(alone: readonly Row[], together: readonly Row[]): string {
  if (alone.length !== together.length) return `${alone.length} rows alone, ${together.length} together`;
  for (const [i, row] of alone.entries()) {
    const other = together[i] ?? {};
    const name = Object.keys(row).find((column) => shown(row[column]) !== shown(other[column]));
    if (name !== undefined)
      return `row ${i + 1}, '${name}' is ${shown(row[name])} alone, ${shown(other[name])} together`;
  }
  return 'its bytes differ';
}

function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined');
}

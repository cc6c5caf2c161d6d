import { LakehouseError, type SerializedError } from '../../common/errors.ts';
import type { AssetDefinition } from '../../define/model.ts';
import type { Asset, AssetTypes } from '../../define/types.ts';
import { type PartitionRef, type PartitionSpace, printKey } from '../../partition/space.ts';
import { endOf, formatIndex, indexAt } from '../../partition/time.ts';
import type { FailedPartition } from '../types.ts';
import { type Contents, contentsOf, refOf } from './literal.ts';
import { standingIn } from './stand-ins.ts';
import { type TemporaryLake, temporaryLake } from './temporary.ts';
import type { AssetRun, CheckResult, RunAssetOptions, TestOptions } from './types.ts';

/**
 * Computes one partition of an asset from rows that are written down in a test, by the engine that computes lakes:
 *
 *     const { rows, checks } = await runAsset(daily, {
 *       inputs: { klines: [{ open_time: new Date('2024-01-01T00:00Z'), close: '1.5' }] },
 *       partition: { symbol: 'BTCUSDT', date: '2024-01-01' },
 *     });
 *
 * What the asset reads of itself is computed from the inputs of earlier partitions. Of alternatives the first one is given.
 * @throws LakehouseError what the asset fails with; `no-such-partition`, `not-computed` and those of wrong inputs (usage).
 */
export async function runAsset<TTypes extends AssetTypes, TReads>(
  asset: Asset<TTypes, TReads>,
  options: RunAssetOptions<TTypes, TReads>,
): Promise<AssetRun<TTypes['shape']>> {
  const { inputs = {}, partition, ...rest } = options;
  const target = refOf(asset, partition as never);
  const contents = contentsOf(asset, inputs, target);
  await using given = await givenLake(asset, contents, [target], rest);
  const key = printKey(asset.space, target);
  await computed(given, key);
  return { rows: await rowsOf(given, target), bytes: await bytesOf(given, target), checks: await checksOf(given, key) };
}

/** A lake in which the asset can be computed. */
export interface GivenLake extends AsyncDisposable {
  readonly lake: TemporaryLake;
  readonly asset: AssetDefinition;
}

/** @throws LakehouseError what is wrong with the rows given. */
export async function givenLake(
  asset: AssetDefinition,
  contents: ReadonlyMap<string, Contents>,
  targets: readonly PartitionRef[],
  { now, resources }: TestOptions,
): Promise<GivenLake> {
  const made = standingIn(asset, contents);
  const lake = await temporaryLake({
    assets: [made.asset, ...made.standIns],
    now: now ?? new Date(after(asset, contents, targets)),
    ...(resources && { resources }),
    settings: { 'processing.batchSize': 100_000 },
  });
  try {
    if (made.standIns.length > 0) {
      const { failures } = await lake.materialize(`+(${made.standIns.map(({ key }) => key).join(' or ')})`);
      throwFirst(failures);
    }
    return { lake, asset: made.asset, [Symbol.asyncDispose]: () => lake.close() };
  } catch (error) {
    await lake.close();
    throw error;
  }
}

/** When everything is over that a test speaks of, ms UTC. */
function after(
  asset: AssetDefinition,
  contents: ReadonlyMap<string, Contents>,
  targets: readonly PartitionRef[],
): number {
  const over = ({ time }: PartitionSpace, ref: PartitionRef) =>
    time ? endOf(time.grain, ref.time + Math.max(time.lag, 0)) : 0;
  const ends = [
    ...targets.map((ref) => over(asset.space, ref)),
    ...[...contents.values()].flatMap(({ definition, parts }) => {
      // What follows from an input may end later than the input.
      const own = (ref: PartitionRef) => {
        const { time } = asset.space;
        const end = over(definition.space, ref);
        return time && definition.space.time
          ? Math.max(end, over(asset.space, { ...ref, time: indexAt(time.grain, end - 1) }))
          : end;
      };
      return [...parts.values()].map(({ ref }) => own(ref));
    }),
  ];
  return ends.reduce((latest, end) => Math.max(latest, end), Date.UTC(2024, 0, 1)) + 3_600_000;
}

/** Computes one partition and nothing else. */
export async function computed({ lake, asset }: GivenLake, partition: string): Promise<void> {
  const before = await lake.explain(asset.key, partition);
  if (before.status === 'none')
    throw new LakehouseError('no-such-partition', `${asset.key} has no partition ${partition} with these inputs`, {
      hint: 'It exists where its inputs have what it reads: give the input partitions that belong to it.',
    });
  const chain = asset.inputs.some(({ alternatives }) => alternatives.some((one) => one.asset === undefined));
  const { failures } = await lake.materialize(asset.key, {
    observe: false,
    // The links of a chain need those before them.
    ...(!chain && partition !== '' && { partitions: partition.replaceAll('/', ',') }),
  });
  throwFirst(failures.filter((one) => one.partition === partition));
  const { present, facts, meaning, reasons } = await lake.explain(asset.key, partition);
  // Checks that it did not pass are part of the result.
  if (present && !facts.failure) return;
  throw new LakehouseError(
    'not-computed',
    `${asset.key} ${partition} cannot be computed from these inputs: ${meaning}`,
    {
      hint: reasons.map(({ message }) => message).join('; '),
    },
  );
}

function throwFirst([first]: readonly FailedPartition[]): void {
  if (first) throw lakehouseError(first.error);
}

function lakehouseError({
  code = 'compute-failed',
  message,
  kind = 'data',
  hint,
  issues = [],
  details,
  cause,
}: SerializedError) {
  return new LakehouseError(code, message, { kind, hint, issues, details, cause: cause && new Error(cause.message) });
}

export const keyOf = ({ space: { dimensions } }: AssetDefinition, { values, time }: PartitionRef) =>
  Object.fromEntries(
    dimensions.map((one) => [one.name, one.type === 'time' ? formatIndex(one.grain, time) : (values[one.name] ?? '')]),
  );

/** Data columns only: a test says which partition it is about. */
export async function rowsOf<TRow>({ lake, asset }: GivenLake, ref: PartitionRef): Promise<TRow[]> {
  const { storage } = asset;
  const columns = storage.type === 'raw' ? storage.format.columns : asset.columns.map(({ name }) => name);
  if (columns.length === 0) return [];
  return (await lake.read<AssetTypes>(asset, keyOf(asset, ref), { columns }).rows()) as TRow[];
}

async function bytesOf({ lake, asset }: GivenLake, ref: PartitionRef): Promise<Uint8Array | undefined> {
  if (asset.storage.type !== 'raw') return undefined;
  for await (const { bytes } of lake.read<AssetTypes>(asset, keyOf(asset, ref)).originals()) return bytes;
  return undefined;
}

async function checksOf({ lake, asset }: GivenLake, partition: string): Promise<CheckResult[]> {
  const { facts } = await lake.explain(asset.key, partition);
  return asset.checks.map(({ name, severity }) => {
    const failed = facts.checks.find((one) => one.check === name);
    return {
      check: name,
      severity,
      passed: failed === undefined,
      failedRows: failed?.failedRows ?? 0,
      sample: failed?.sample ?? [],
    };
  });
}

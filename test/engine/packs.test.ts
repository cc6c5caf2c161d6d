import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns, timestamp } from '../../framework/define/columns.ts';
import {
  daily,
  dynamicDimension,
  hourly,
  monthly,
  staticDimension,
  weekly,
} from '../../framework/define/dimensions.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { formatIndex, indexAt, startOf } from '../../framework/partition/time.ts';
import { compute, hex, target, workshop } from './support.ts';

const shop = await workshop();
const signal = new AbortController().signal;
const symbol = dynamicDimension();
const table = (key: string, partitions: Parameters<typeof asset>[1]['partitions']): AssetDefinition =>
  asset(key as 'silver/x', {
    partitions: partitions ?? {},
    columns: columns({ ts: timestamp(), k: bigint() }),
    sortBy: ['ts'],
    compute: () => [],
  });
const days = table('silver/days', { date: daily({ start: '2024-01-01' }), market: staticDimension(['spot']), symbol });
const targets = [1, 2, 3].map((d) => target(days, { date: `2024-01-0${d}`, market: 'spot', symbol: 'A' }));
const rowsOf = (time: number, n = 3) =>
  Array.from({ length: n }, (_, m) => ({ ts: new Date(time * 86_400_000 + m), k: BigInt(m) }));
const first = await compute(shop, days, targets, [], { rows: targets.map(({ time }, i) => rowsOf(time, i + 1)) });
const [pack] = first.packs;
const keep = (ordinals: readonly number[]) =>
  ordinals
    .flatMap((i) => targets[i] ?? [])
    .map(({ values, time }, i) => ({ values, time, version: first.outcomes[ordinals[i] ?? 0]?.version }));

test('another Parquet reader finds the partition columns first, listed ones in order and then time, and zstd pages', async () => {
  const file = await asyncBufferFromFile(pack?.path ?? '');
  const metadata = await parquetMetadataAsync(file);
  expect(metadata.schema.slice(1).map(({ name, type, converted_type }) => [name, type, converted_type])).toEqual([
    ['market', 'BYTE_ARRAY', 'UTF8'],
    ['symbol', 'BYTE_ARRAY', 'UTF8'],
    ['date', 'INT32', 'DATE'],
    ['ts', 'INT64', 'TIMESTAMP_MICROS'],
    ['k', 'INT64', 'INT_64'],
  ]);
  expect(metadata.row_groups.flatMap(({ columns: chunks }) => chunks.map(({ meta_data }) => meta_data?.codec))).toEqual(
    ['ZSTD', 'ZSTD', 'ZSTD', 'ZSTD', 'ZSTD'],
  );
  expect(Number(metadata.num_rows)).toBe(6);
});

test.each([
  ['hourly', { time: hourly({ start: '2024-01-01T00' }) }, 'hour'],
  ['daily', { time: daily({ start: '2024-01-01' }) }, 'day'],
  ['weekly', { time: weekly({ start: '2024-01-01' }) }, 'week'],
  ['monthly', { time: monthly({ start: '2024-01' }) }, 'month'],
] as const)('%s partitions are told apart by their time column', async (name, partitions, grain) => {
  const definition = asset(`silver/${name}` as 'silver/x', {
    partitions,
    columns: columns({ ts: timestamp(), k: bigint() }),
    sortBy: ['ts'],
    timeColumn: 'ts',
    compute: () => [],
  });
  const now = indexAt(grain, Date.UTC(2024, 1, 29, 13));
  const some = [now - 1, now, now + 1].map((time) => target(definition, { time: formatIndex(grain, time) }));
  const edges = some.map(({ time }) => [
    { ts: new Date(startOf(grain, time)), k: 1n },
    { ts: new Date(startOf(grain, time + 1) - 1), k: 2n },
  ]);
  const result = await compute(shop, definition, some, [], { rows: edges });
  expect(await shop.engine.hashPack(definition, result.packs[0]?.path ?? '', signal)).toEqual(
    expect.arrayContaining(some.map(({ values, time }, i) => ({ values, time, ...result.outcomes[i] }))),
  );
  const late = compute(shop, definition, some, [], {
    rows: [[], [{ ts: new Date(startOf(grain, now + 1)), k: 1n }], []],
  });
  await expect(late).rejects.toMatchObject({ code: 'rows-outside-partition' });
});

test('an asset without dimensions is one partition', async () => {
  const single = table('gold/single', {});
  const only = [target(single, {})];
  const result = await compute(shop, single, only, [], { rows: [rowsOf(0)] });
  expect(await shop.engine.hashPack(single, result.packs[0]?.path ?? '', signal)).toEqual([
    { values: {}, time: 0, ...result.outcomes[0] },
  ]);
  expect((await compute(shop, single, only, [], { rows: [[]] })).outcomes[0]?.rows).toBe(0);
});

test('partitions are carried unchanged, also out of several packs', async () => {
  const other = target(days, { date: '2024-01-04', market: 'spot', symbol: 'A' });
  const second = await compute(shop, days, [other], [], { rows: [rowsOf(other.time)] });
  const carry = [
    { path: pack?.path ?? '', keep: keep([0, 2]) },
    { path: second.packs[0]?.path ?? '', keep: [{ values: other.values, time: other.time }] },
  ];
  const [, replaced] = targets;
  const path = shop.newPath();
  const result = await compute(shop, days, replaced ? [replaced] : [], [], {
    rows: [rowsOf(replaced?.time ?? 0, 9)],
    packs: [{ path, targets: [0], carry }],
  });
  expect(result.packs[0]?.rows).toBe(1 + 9 + 3 + 3);
  const hashes = new Map(
    (await shop.engine.hashPack(days, path, signal)).map(({ time, version }) => [time, hex(version)]),
  );
  expect([...hashes].sort(([a], [b]) => a - b).map(([, version]) => version)).toEqual(
    [first.outcomes[0], result.outcomes[0], first.outcomes[2], second.outcomes[0]].map((outcome) =>
      hex(outcome?.version),
    ),
  );
  // The same partitions, put together by compaction alone, are the same bytes.
  const [compacted] = await shop.engine.rewrite({
    definition: days,
    signal,
    packs: [
      {
        path: shop.newPath(),
        carry: [
          {
            path,
            keep: [
              ...keep([0, 2]),
              { values: other.values, time: other.time },
              { values: replaced?.values ?? {}, time: replaced?.time ?? 0 },
            ],
          },
        ],
      },
    ],
  });
  expect((await readFile(compacted?.path ?? '')).equals(await readFile(path))).toBe(true);
});

test('a partition whose version is of another DuckDB is carried as long as its rows are all there', async () => {
  const [one] = keep([0]);
  const version = Uint8Array.from(one?.version ?? []);
  version.fill(7, 4);
  const carried = (own: Uint8Array) =>
    shop.engine.rewrite({
      definition: days,
      signal,
      packs: [
        {
          path: shop.newPath(),
          carry: [
            { path: pack?.path ?? '', keep: [{ values: one?.values ?? {}, time: one?.time ?? 0, version: own }] },
          ],
        },
      ],
    });
  expect(await carried(version)).toHaveLength(1);
  version[0] = (version[0] ?? 0) + 1;
  await expect(carried(version)).rejects.toMatchObject({ code: 'file-corrupt' });
});

test('a pack that does not hold what it should is not carried on', async () => {
  const path = shop.newPath();
  const wrong = keep([0]).map((partition) => ({ ...partition, version: new Uint8Array(16) }));
  await expect(
    shop.engine.rewrite({
      definition: days,
      signal,
      packs: [{ path, carry: [{ path: pack?.path ?? '', keep: wrong }] }],
    }),
  ).rejects.toMatchObject({ code: 'file-corrupt', kind: 'data' });
  expect(existsSync(path)).toBe(false);
});

test('a damaged pack is a clear error', async () => {
  const bytes = await readFile(pack?.path ?? '');
  const cut = shop.newPath();
  await writeFile(cut, bytes.subarray(0, bytes.length - 20));
  await expect(shop.engine.hashPack(days, cut, signal)).rejects.toMatchObject({
    code: 'file-corrupt',
    kind: 'data',
    message: expect.stringContaining(cut),
  });
  await expect(shop.engine.hashPack(days, `${cut}.gone`, signal)).rejects.toMatchObject({ code: 'file-missing' });
});

test('packs of other columns are not carriable', async () => {
  const wider: AssetDefinition = {
    ...days,
    columns: [...days.columns, { name: 'more', type: 'DOUBLE', nullable: true }],
  };
  const other = await compute(shop, wider, targets.slice(0, 1), [], {
    rows: [[{ ...rowsOf(targets[0]?.time ?? 0, 1)[0], more: 1 }]],
  });
  const paths = [pack?.path ?? '', other.packs[0]?.path ?? ''];
  expect(await shop.engine.carriable(days, paths, signal)).toEqual([true, false]);
  expect(await shop.engine.carriable(wider, paths, signal)).toEqual([false, true]);
  const path = shop.newPath();
  const mixed = shop.engine.rewrite({
    definition: wider,
    signal,
    packs: [{ path, carry: [{ path: pack?.path ?? '', keep: keep([0]) }] }],
  });
  await expect(mixed).rejects.toMatchObject({ code: 'carry-schema', kind: 'data' });
  expect(existsSync(path)).toBe(false);
});

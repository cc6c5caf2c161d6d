import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unknownObjects } from '../../framework/cli/unknown.ts';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { query } from '../real/query.ts';
import { httpfs, needsHttpfs } from '../support/httpfs.ts';
import { describeS3, s3Proxy } from '../support/s3.ts';
import { onS3, stored } from './bucket.ts';
import { COMPUTED, ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { atEnd, packs, status, type Tiny, temporaryDirectory, tiny, versions, work } from './support.ts';

/** Two months of two symbols, of which a day is published anew after the first run. */
async function worked({ lake, archive }: Tiny): Promise<OpenedLake> {
  archive.days('A', '2020-02', 1, 9).days('B', '2020-02', 1, 4).days('A', '2020-03', 30, 31);
  archive.put('B', '2020-01', ticksOf('2020-01-31', 5, 3), 'months');
  expect((await run(lake)).outcome).toBe('succeeded');
  archive.put('A', '2020-02-05', ticksOf('2020-02-05', 9, 77));
  expect((await run(lake)).outcome).toBe('succeeded');
  return lake;
}

const QUERIES = [
  'SELECT symbol, date, count(*), CAST(sum(price) AS BIGINT) FROM silver.ticks GROUP BY ALL ORDER BY ALL',
  'SELECT * FROM gold.monthly ORDER BY ALL',
  'SELECT max(total), max(links), count(*) FROM gold.chain',
  'SELECT symbol, date, bytes FROM bronze.days ORDER BY ALL',
];
const answers = async (lake: OpenedLake): Promise<unknown[]> => {
  const out: unknown[] = [];
  for (const sql of QUERIES) out.push(await query(lake, sql));
  return out;
};

async function unknown(lake: OpenedLake): Promise<string[]> {
  const out: string[] = [];
  for await (const { key } of unknownObjects(lake)) out.push(key);
  return out;
}

describeS3('a lake on S3', (server) => {
  test('is byte for byte the one in a directory, and done with after a run', async () => {
    const local = await tiny();
    await worked(local);
    const far = await tiny({ sets: onS3(server(), 'same') });
    await worked(far);
    const { lake } = far;
    expect(packs(lake)).toEqual(packs(local.lake));
    expect(versions(lake)).toEqual(versions(local.lake));
    for (const asset of COMPUTED) expect([asset, status(lake, asset)]).toEqual([asset, status(local.lake, asset)]);
    expect(work((await run(lake)).events)).toEqual({});
    expect(await answers(lake)).toEqual(await answers(local.lake));

    const objects = await stored(server(), 'same');
    for (const { path, sha256 } of lake.state.files()) expect([path, objects.get(path)]).toEqual([path, sha256]);
    expect(await unknown(lake)).toEqual([]);
  });

  describe.skipIf(needsHttpfs !== '')(`read by DuckDB itself${needsHttpfs}`, () => {
    test('is the same, byte for byte', async () => {
      const local = await tiny();
      await worked(local);
      const direct = onS3(server(), 'direct', 's3.reads=httpfs', `s3.httpfs=${httpfs}`);
      const seen: (string | undefined)[] = [];
      const far = await tiny({ sets: direct, onRows: (_, paths) => void seen.push(...paths) });
      await worked(far);
      expect(packs(far.lake)).toEqual(packs(local.lake));
      expect(versions(far.lake)).toEqual(versions(local.lake));
      expect(await answers(far.lake)).toEqual(await answers(local.lake));
      // A function may open what it is told of.
      expect(seen.filter((path) => path?.startsWith('/') !== true)).toEqual([]);
      expect(seen.length).toBeGreaterThan(0);
      // auto takes it where it can be loaded.
      const auto = await far.open({ sets: onS3(server(), 'direct', 's3.reads=auto', `s3.httpfs=${httpfs}`) });
      await using files = openFiles(auto);
      const [file] = [...auto.state.files('silver/ticks')];
      expect(await files.table(file?.path ?? '')).toBe(`s3://${server().bucket}/direct/${file?.path}`);
    });

    test('is read to the end, as it was, as long as replaced objects stay (case 18)', async () => {
      const far = await tiny({ sets: onS3(server(), 'stays', 's3.reads=httpfs', `s3.httpfs=${httpfs}`) });
      const { expected, seen, replaced } = await readAcross(far);
      const there = await stored(server(), 'stays');
      expect(replaced.filter((path) => !there.has(path))).toEqual([]);
      expect(seen).toEqual(expected);
    });
  });

  test('is read again without a request, and fetched once where the cache is empty', async () => {
    await using proxy = await s3Proxy(server().endpoint);
    const near = (...more: string[]) => onS3(server(), 'warm', `s3.endpoint=${proxy.endpoint}`, ...more);
    const { lake, archive, open } = await tiny({ sets: near() });
    archive.days('A', '2020-02', 1, 9).days('B', '2020-02', 1, 4);
    await run(lake);
    const [sql = ''] = QUERIES;
    proxy.clear();
    const warm = await query(lake, sql);
    await run(lake, { selection: 'gold/window', filter: parseFilter('date=2020-02-02'), force: true });
    // What was computed here was read from what was written here.
    expect(proxy.requests.filter(({ url }) => /\.(parquet|zip)\b/.test(url)).map(({ method }) => method)).not.toContain(
      'GET',
    );

    const elsewhere = await temporaryDirectory();
    const other = await open({ sets: near(`s3.cache.directory=${elsewhere}`) });
    proxy.clear();
    expect(await query(other, sql)).toEqual(warm);
    expect(proxy.counts()).toEqual({ GET: [...other.state.files()].filter(isTable(other)).length });
    proxy.clear();
    expect(await query(other, sql)).toEqual(warm);
    expect(proxy.counts()).toEqual({});
  });

  test('is read to the end, as it was, by whoever began before it was replaced and removed (case 18)', async () => {
    const far = await tiny({ sets: onS3(server(), 'held', 's3.graceMinutes=0') });
    const { expected, seen, replaced } = await readAcross(far);
    const there = await stored(server(), 'held');
    expect(replaced.filter((path) => there.has(path))).toEqual([]);
    expect(seen).toEqual(expected);
  });
});

/** What a query tells that began before all its files were replaced, and is read to its end afterwards. The cache is emptied between. */
async function readAcross({ lake, archive, open, directory }: Tiny) {
  const publish = (count: number) => {
    for (const symbol of 'ABCDEFGHIJ') archive.days(symbol, '2020-02', 1, 9, count);
  };
  publish(60);
  await run(lake, { selection: '+silver/ticks' });
  const reader = await open();
  const sql = 'SELECT symbol, date, open_time, price FROM silver.ticks';
  const expected = (await query(reader, sql)).map((row) => row.join()).sort();
  const replaced = [...reader.state.files('silver/ticks')].map(({ path }) => path);
  const files = openFiles(reader);
  atEnd(() => files.close());
  const views = await lakeViews(reader, files);
  const result = await (await reader.engine()).query(sql, views, new AbortController().signal);

  publish(30);
  await run(lake, { selection: '+silver/ticks' });
  await rm(join(directory, '.lakehouse', 'cache', 'objects'), { recursive: true, force: true });
  const seen: string[] = [];
  for await (const batch of result.batches) for (const row of batch) seen.push(row.join());
  await result.close();
  expect(await query(reader, `SELECT count(*) FROM (${sql})`)).toEqual([[BigInt(10 * 9 * 30)]]);
  return { expected, seen: seen.sort(), replaced };
}

const isTable =
  (lake: OpenedLake) =>
  ({ asset }: { readonly asset: string }): boolean =>
    lake.graph.node(asset).definition.storage.type === 'table';

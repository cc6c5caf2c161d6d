import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import {
  type AssetCatalogue,
  assetCatalogueSchema,
  type Catalogue,
  type CatalogueFile,
  catalogueSchema,
} from '../../framework/catalogue/document.ts';
import { behindTheLog, publish, publishThenRemove } from '../../framework/materialize/catalogue.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { wipePartitions } from '../../framework/materialize/recorded.ts';
import { keepHouse } from '../../framework/operate/housekeeping.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { indexAt } from '../../framework/partition/time.ts';
import { presentSet } from '../../framework/plan/universe.ts';
import { ticksOf } from '../materialize/fixture.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { startChild } from '../materialize/processes.ts';
import { atEnd, problems, type Tiny, temporaryDirectory, tiny } from '../materialize/support.ts';
import { query } from '../real/query.ts';
import { kindsLake, NOON } from './kinds.ts';

const json = async (directory: string, key: string): Promise<unknown> =>
  JSON.parse(await readFile(join(directory, key), 'utf8'));

/** As somebody else reads it: by the documents alone. */
const rootOf = async (directory: string): Promise<Catalogue> =>
  catalogueSchema.strict().parse(await json(directory, '_catalog.json'));
async function catalogueOf(directory: string, asset: string): Promise<AssetCatalogue> {
  const { catalog = '' } = (await rootOf(directory)).assets[asset] ?? {};
  return assetCatalogueSchema.strict().parse(await json(directory, catalog));
}
const filesOf = ({ series }: AssetCatalogue): CatalogueFile[] => series.flatMap(({ files }) => files);

const unzstd = (input: Uint8Array) => zstdDecompressSync(input);

/** Rows of an asset, read by the catalogue with a reader that is not ours. */
async function rowsOf(directory: string, asset: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  const catalogue = await catalogueOf(directory, asset);
  const time = catalogue.partitionedBy.time?.column;
  for (const { path, partly, times = [] } of filesOf(catalogue)) {
    const file = await asyncBufferFromFile(join(directory, path));
    for (const row of await parquetReadObjects({ file, compressors: { ZSTD: unzstd } })) {
      const day = time === undefined ? '' : (row[time] as Date).toISOString().slice(0, 10);
      const counts = times.map((one) => one.split('..')).some(([a = '', b = a]) => a <= day && day <= b);
      if (!partly || counts) rows.push(row);
    }
  }
  return rows;
}

async function kinds(sets: string[] = [], now = () => NOON): Promise<{ lake: OpenedLake; directory: string }> {
  const directory = await temporaryDirectory();
  const lake = await openTestLake(kindsLake(), directory, { sets: ['engine.threads=1', ...sets], now });
  atEnd(() => lake.close());
  return { lake, directory };
}

describe('what is in the lake', () => {
  test('is said whole: declaration, files, partitions and counts', async () => {
    const { lake, directory } = await kinds(['catalogue.partitions=true']);
    await run(lake);
    const { assets, ...root } = await rootOf(directory);
    expect(root).toEqual({
      format: 1,
      lake: lake.state.meta('id'),
      revision: expect.any(Number),
      generatedAt: '2020-02-03T12:00:00.000Z',
      retired: [],
    });
    expect(Object.keys(assets)).toEqual(['gold/months_2', 'gold/single', 'silver/hours', 'silver/kinds']);
    expect(assets['silver/kinds']?.statistics).toMatchObject({
      series: 3,
      files: 9,
      partitions: 12,
      rows: 36,
      first: '2020-01-30',
      last: '2020-02-02',
    });
    const { columns, series, ...head } = await catalogueOf(directory, 'silver/kinds');
    expect(head).toEqual({
      format: 1,
      lake: lake.state.meta('id'),
      asset: 'silver/kinds',
      revision: expect.any(Number),
      description: 'One row per minute of all types',
      storage: 'parquet',
      code: 'v:1',
      partitionedBy: { series: ['name'], time: { column: 'date', grain: 'day' } },
      sortBy: ['ts'],
      statistics: assets['silver/kinds']?.statistics,
    });
    expect(columns[2]).toEqual({
      name: 'ts',
      type: 'TIMESTAMP',
      parquet: 'INT64 TIMESTAMP(MICROS)',
      arrow: 'timestamp[us]',
      nullable: false,
      description: 'When it was.',
    });
    const [, , plain] = series;
    expect(series.map(({ values }) => values)).toEqual([{ name: 'ü/=% x' }, { name: 'NULL' }, { name: 'plain' }]);
    const logged = [...lake.state.files('silver/kinds')].filter((file) => file.series === 'name=plain');
    expect(plain?.files).toEqual(
      logged.map(({ path, bytes, sha256, live }) => ({
        path,
        bytes,
        sha256,
        rows: 3 * live,
        partitions: live,
        times: [live === 2 ? '2020-01-30..2020-01-31' : path.includes('/2020-02-01') ? '2020-02-01' : '2020-02-02'],
      })),
    );
    expect(plain?.partitions?.map(({ time, rows }) => [time, rows])).toEqual([
      ['2020-01-30', 3],
      ['2020-01-31', 3],
      ['2020-02-01', 3],
      ['2020-02-02', 3],
    ]);
    expect(plain?.partitions?.[0]?.version).toMatch(/^[0-9a-f]{32}$/);
    const single = await catalogueOf(directory, 'gold/single');
    expect([single.partitionedBy, single.series[0]?.series, single.series[0]?.files[0]?.times]).toEqual([
      { series: [] },
      '',
      undefined,
    ]);
    expect((await catalogueOf(directory, 'silver/hours')).series[0]?.files[0]?.times).toEqual(['2020-02-03T08']);
  });

  test('has the columns as they are in the files', async () => {
    const { lake, directory } = await kinds();
    await run(lake);
    for (const asset of ['silver/kinds', 'silver/hours', 'gold/months_2', 'gold/single']) {
      const catalogue = await catalogueOf(directory, asset);
      for (const { path } of filesOf(catalogue)) {
        const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(join(directory, path)));
        const found = schema.slice(1).map(({ name, type, logical_type: logical, converted_type: converted }) => {
          if (logical?.type === 'DECIMAL') return [name, `${type} DECIMAL(${logical.precision},${logical.scale})`];
          if (logical?.type === 'TIMESTAMP') return [name, `${type} TIMESTAMP(${logical.unit})`];
          const meaning = { UTF8: ' STRING', DATE: ' DATE' }[String(converted)] ?? '';
          return [name, `${type}${meaning}`];
        });
        expect(found, path).toEqual(catalogue.columns.map(({ name, parquet }) => [name, parquet]));
      }
    }
  });

  test('is the same for a reader that has only the catalogue as for a query', async () => {
    const { lake, archive, directory } = await tiny();
    archive.days('A', '2020-01', 1, 20).days('B', '2020-04', 1, 3).days('A', '2020-04', 8, 9);
    await run(lake);
    const sum = `SELECT symbol, CAST(date AS VARCHAR), CAST(sum(price) AS DOUBLE), count(*) FROM silver.ticks GROUP BY ALL ORDER BY ALL`;
    const groups = Map.groupBy(
      await rowsOf(directory, 'silver/ticks'),
      (row) => `${row.symbol} ${(row.date as Date).toISOString().slice(0, 10)}`,
    );
    const read = [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, rows]) => [
        ...key.split(' '),
        rows.reduce((total, { price }) => total + Number(price), 0),
        rows.length,
      ]);
    expect(read).toEqual((await query(lake, sum)).map(([a, b, c, n]) => [a, b, c, Number(n)]));
    expect(read).toHaveLength(25);
  });

  test('is found by a glob over the hive directories too while no run is on', async () => {
    const { lake, directory } = await kinds();
    await run(lake);
    const columns = 'name, date, ts, n, price, huge, note';
    const mine = await query(lake, `SELECT ${columns} FROM silver.kinds ORDER BY name, ts`);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create()).connect();
    const sql = `SELECT ${columns} FROM read_parquet('${directory}/silver/kinds/**/*.parquet', hive_partitioning = true) ORDER BY name, ts`;
    const theirs = await connection.runAndReadAll(sql);
    connection.closeSync();
    expect(theirs.getRowsJson().map((row) => row.map(String))).toEqual(mine.map((row) => row.map(String)));
    expect(mine).toHaveLength(36);
  });
});

describe('what changes', () => {
  test('is written at the end of a run: documents of what it touched, then the root', async () => {
    const { lake, archive, directory } = await tiny();
    archive.days('A', '2020-04', 1, 3).days('B', '2020-04', 1, 3);
    await run(lake, { selection: '+silver/ticks' });
    const first = await rootOf(directory);
    archive.put('A', '2020-04-02', ticksOf('2020-04-02', 9, 77));
    await run(lake, { selection: '+silver/ticks' });
    const second = await rootOf(directory);
    expect(second.revision).toBeGreaterThan(first.revision);
    const changed = Object.keys(second.assets).filter((a) => second.assets[a]?.catalog !== first.assets[a]?.catalog);
    expect(changed).toEqual(['silver/ticks']);
    expect(second.retired).toEqual([{ catalog: first.assets['silver/ticks']?.catalog, at: lake.now() }]);
    expect(filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path)).toEqual(
      [...lake.state.files('silver/ticks')].map(({ path }) => path).sort(),
    );
    expect(second.assets['silver/ticks']?.statistics.rows).toBe(39);
    // Nothing has changed, nothing is written.
    await run(lake, { selection: '+silver/ticks' });
    expect(await rootOf(directory)).toEqual(second);
    expect(await problems(lake)).toEqual([]);
  });

  test('documents that were replaced stay a while for those who read an older root', async () => {
    let now = Date.parse('2020-04-10T12:00:00Z');
    const { lake, archive, directory } = await tiny({ now: () => now });
    const change = async (seed: number) => {
      archive.put('A', '2020-04-02', ticksOf('2020-04-02', 9, seed));
      await run(lake, { selection: '+silver/ticks' });
      return (await rootOf(directory)).assets['silver/ticks']?.catalog ?? '';
    };
    const there = async () =>
      (await readdir(join(directory, '_catalog/silver'))).sort().map((name) => `_catalog/silver/${name}`);
    const [a, b] = [await change(1), await change(2)];
    expect(await there()).toEqual([a, b].sort());
    now += 600_000;
    const c = await change(3);
    expect(await there()).toEqual([b, c].sort());
  });

  test('a wipe is in it, and an asset that is wiped whole after its definition went is not any more', async () => {
    const { lake, archive, directory } = await tiny();
    archive.days('A', '2020-04', 1, 3);
    await run(lake);
    const node = lake.graph.node('gold/window');
    const set = presentSet(node, lake.state.refresh().asset('gold/window'));
    await wipePartitions(lake, 'gold/window', set, 'test', new AbortController().signal);
    expect(await behindTheLog(lake)).toEqual(['gold/window']);
    expect((await publish(lake)).written).toEqual(['gold/window']);
    expect((await catalogueOf(directory, 'gold/window')).statistics).toEqual({
      series: 0,
      files: 0,
      partitions: 0,
      rows: 0,
      bytes: 0,
    });
  });

  test('rows of partitions that live elsewhere or have left are marked as such', async () => {
    const { lake, archive, directory, open } = await tiny();
    archive.days('A', '2020-02', 1, 9);
    await run(lake);
    const wide = await open({ wide: true, codes: { 'gold/window': '2' } });
    await run(wide, { selection: 'gold/window', filter: parseFilter('date=2020-02-02..2020-02-03') });
    const files = filesOf(await catalogueOf(directory, 'gold/window'));
    expect(files.map(({ partitions, times, partly }) => ({ partitions, times, partly }))).toEqual(
      expect.arrayContaining([
        { partitions: 2, times: ['2020-02-02..2020-02-03'], partly: undefined },
        { partitions: 7, times: ['2020-02-01', '2020-02-04..2020-02-09'], partly: true },
      ]),
    );
    const read = await rowsOf(directory, 'gold/window');
    expect([[BigInt(read.length)]]).toEqual(await query(wide, 'SELECT count(*) FROM gold.window'));
    // What a process leaves behind that dies between the event and the rewriting of the pack.
    const third = indexAt('day', Date.parse('2020-02-03'));
    wide.state.append({
      kind: 'departed',
      asset: 'silver/ticks',
      run: 'died',
      reason: 'wiped',
      set: [{ series: 'symbol=A', values: { symbol: 'A' }, ranges: [third, third + 1] }],
    });
    await publish(wide);
    expect(filesOf(await catalogueOf(directory, 'silver/ticks'))).toMatchObject([
      { partitions: 8, times: ['2020-02-01..2020-02-02', '2020-02-04..2020-02-09'], partly: true },
    ]);
    expect([[BigInt((await rowsOf(directory, 'silver/ticks')).length)]]).toEqual(
      await query(wide, 'SELECT count(*) FROM silver.ticks'),
    );
  });

  test('a declaration that says something else is written without any run of its asset', async () => {
    const { lake, directory } = await kinds();
    await run(lake);
    const other = await openTestLake(kindsLake(), directory, { sets: ['catalogue.partitions=true'], now: () => NOON });
    atEnd(() => other.close());
    expect((await publish(other)).written).toHaveLength(4);
    expect((await catalogueOf(directory, 'gold/single')).series[0]?.partitions).toHaveLength(1);
    expect((await publish(other)).written).toEqual([]);
  });

  test('code that is accepted as the same is the code of what is there', async () => {
    const { lake, archive, directory, open } = await tiny();
    archive.days('A', '2020-04', 1, 2);
    await run(lake);
    const from = lake.graph.node('gold/window').code;
    const later = await open({ codes: { 'gold/window': '2' } });
    // Another asset's run says what is declared now, and that what is there is of older code.
    await publish(later);
    expect((await catalogueOf(directory, 'gold/window')).series.map(({ code }) => code)).toEqual([[from]]);
    await run(later, { selection: 'gold/window', acceptCode: [{ asset: 'gold/window', from }] });
    const { code, series } = await catalogueOf(directory, 'gold/window');
    expect(series.map((one) => one.code)).toEqual([[code]]);
    expect(code).not.toBe(from);
  });

  test('originals are listed where the settings say so', async () => {
    const { lake, archive, directory } = await tiny({ sets: ['catalogue.originals=true'] });
    archive.days('A', '2020-04', 1, 2);
    await run(lake, { selection: '+silver/ticks' });
    const bronze = await catalogueOf(directory, 'bronze/days');
    expect([bronze.storage, bronze.columns, filesOf(bronze).map(({ path }) => path)]).toEqual([
      'zip-csv',
      [],
      [...lake.state.files('bronze/days')].map(({ path }) => path).sort(),
    ]);
  });
});

describe('what goes wrong', () => {
  const one = async () => {
    const made = await tiny();
    made.archive.days('A', '2020-04', 1, 2);
    await run(made.lake, { selection: '+silver/ticks' });
    return made;
  };

  test.each([
    ['is missing', async (path: string) => rm(path)],
    ['is damaged', async (path: string) => writeFile(path, '{"format":')],
    ['is of another format', async (path: string) => writeFile(path, '{"format":2}')],
    [
      "is another lake's",
      async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replace(/"lake": ".*"/, '"lake": "x"')),
    ],
  ])('a root that %s is made anew by the next run', async (_, spoil) => {
    const { lake, directory } = await one();
    const before = await rootOf(directory);
    await spoil(join(directory, '_catalog.json'));
    const { events } = await run(lake, { selection: 'silver/ticks', observe: false });
    expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
    const { assets } = await rootOf(directory);
    expect(Object.values(assets).map(({ statistics }) => statistics)).toEqual(
      Object.values(before.assets).map(({ statistics }) => statistics),
    );
  });

  test('a catalogue that cannot be written fails no run, and no file goes that it names', async () => {
    const { lake, archive, directory } = await one();
    const [file] = filesOf(await catalogueOf(directory, 'silver/ticks'));
    archive.put('A', '2020-04-01', ticksOf('2020-04-01', 9, 77));
    const full = { ...lake.store, overwrite: () => Promise.reject(new Error('the disk is full')) };
    const { outcome, events } = await run({ ...lake, store: full }, { selection: '+silver/ticks' });
    expect(outcome).toBe('succeeded');
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      { message: 'Everything was committed, but tidying up failed: the disk is full' },
    ]);
    expect([...lake.state.supersededFiles(Number.MAX_SAFE_INTEGER)].map(({ path }) => path)).toContain(file?.path);
    await expect(readFile(join(directory, file?.path ?? ''))).resolves.toBeDefined();
    // The next run has nothing to compute, and puts it right.
    await run(lake, { selection: '+silver/ticks' });
    expect(await behindTheLog(lake)).toEqual([]);
    expect(filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path)).not.toContain(file?.path);
    await expect(readFile(join(directory, file?.path ?? ''))).rejects.toThrow('ENOENT');
  });

  test('a document that is lost is written again by the next run', async () => {
    const { lake, directory } = await one();
    const { catalog = '' } = (await rootOf(directory)).assets['silver/ticks'] ?? {};
    const before = await catalogueOf(directory, 'silver/ticks');
    await rm(join(directory, catalog));
    expect(await behindTheLog(lake)).toEqual(['silver/ticks']);
    await run(lake, { selection: 'silver/ticks', observe: false });
    expect(await catalogueOf(directory, 'silver/ticks')).toEqual({ ...before, revision: expect.any(Number) });
    expect(await behindTheLog(lake)).toEqual([]);
  });

  /** Another process takes everything out of an asset, and has not come to tell the catalogue. */
  const wiped = async (open: Tiny['open']) => {
    const other = await open();
    const node = other.graph.node('silver/ticks');
    const set = presentSet(node, other.state.refresh().asset('silver/ticks'));
    await wipePartitions(other, 'silver/ticks', set, 'test', new AbortController().signal);
  };
  const namedAndThere = async (directory: string) => {
    const paths = filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path);
    for (const path of paths) await expect(readFile(join(directory, path))).resolves.toBeDefined();
    return paths.length;
  };

  test('what others supersede while the catalogue is written stays until it says so', async () => {
    const { lake, directory, open } = await one();
    const glue = async () => {
      await wiped(open);
      throw new Error('no Glue here');
    };
    await run({ ...lake, publishing: { ...lake.publishing, glue } }, { selection: 'silver/ticks', observe: false });
    expect(await behindTheLog(lake)).toEqual(['silver/ticks']);
    expect(await namedAndThere(directory)).toBe(2);
    await publishThenRemove(lake, lake.now(), () => undefined);
    expect([...lake.state.supersededFiles(Number.MAX_SAFE_INTEGER)]).toEqual([]);
  });

  test('housekeeping removes nothing that it names either', async () => {
    const { lake, directory, open } = await one();
    await wiped(open);
    const full = { ...lake.store, overwrite: () => Promise.reject(new Error('the disk is full')) };
    await expect(keepHouse({ ...lake, store: full }, lake.now(), 30)).rejects.toThrow('the disk is full');
    expect(await namedAndThere(directory)).toBe(2);
    expect(await keepHouse(lake, lake.now(), 30)).toMatchObject({ files: 2 });
    expect([await namedAndThere(directory), await behindTheLog(lake)]).toEqual([0, []]);
  });

  test('switched off, there is no root that anybody could go by', async () => {
    const { directory, open } = await one();
    const off = await open({ sets: ['catalogue.enabled=false'] });
    await run(off, { selection: 'silver/ticks', observe: false });
    await expect(rootOf(directory)).rejects.toThrow('ENOENT');
  });

  test('documents of writers that died go with a rebuild, when they are old', async () => {
    const { lake, directory } = await one();
    const key = '_catalog/silver/ticks.dead.json';
    await writeFile(join(directory, key), '{}');
    const before = await rootOf(directory);
    await publish({ ...lake, now: () => Date.now() + 3_599_000 }, { rebuild: true });
    expect(await readdir(join(directory, '_catalog/silver'))).toContain('ticks.dead.json');
    expect((await rootOf(directory)).assets['silver/ticks']?.catalog).not.toBe(before.assets['silver/ticks']?.catalog);
    await publish({ ...lake, now: () => Date.now() + 3_700_000 }, { rebuild: true });
    expect(await readdir(join(directory, dirname(key)))).not.toContain('ticks.dead.json');
  });
});

describe('several writers', () => {
  test('one that is late does not leave what is older than the log', async () => {
    const { lake, archive, directory, open } = await tiny();
    archive.days('A', '2020-04', 1, 3);
    await run(lake, { selection: '+silver/ticks' });
    const other = await open();
    archive.put('A', '2020-04-01', ticksOf('2020-04-01', 9, 1));
    let overtaken = 0;
    const late = {
      ...lake.store,
      // Has looked at the log, and is about to write what it saw. Then comes another process.
      overwrite: async (key: string, bytes: Uint8Array) => {
        if (overtaken++ === 0) {
          archive.put('A', '2020-04-03', ticksOf('2020-04-03', 9, 2));
          await run(other, { selection: '+silver/ticks' });
          expect(filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path)).toEqual(
            [...other.state.files('silver/ticks')].map(({ path }) => path).sort(),
          );
        }
        return lake.store.overwrite(key, bytes);
      },
    };
    await run({ ...lake, store: late }, { selection: '+silver/ticks' });
    expect(overtaken).toBe(2);
    lake.state.refresh();
    expect(filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path)).toEqual(
      [...lake.state.files('silver/ticks')].map(({ path }) => path).sort(),
    );
  });

  test('one that died after it had replaced a newer root is put right by the next', async () => {
    const { lake, archive, directory } = await tiny();
    archive.days('A', '2020-04', 1, 3);
    await run(lake, { selection: '+silver/ticks' });
    const old = await readFile(join(directory, '_catalog.json'));
    archive.put('A', '2020-04-01', ticksOf('2020-04-01', 9, 1));
    await run(lake, { selection: '+silver/ticks' });
    await writeFile(join(directory, '_catalog.json'), old);
    expect(await behindTheLog(lake)).toEqual(['silver/ticks']);
    await run(lake, { selection: 'silver/ticks', observe: false });
    expect(filesOf(await catalogueOf(directory, 'silver/ticks')).map(({ path }) => path)).toEqual(
      [...lake.state.files('silver/ticks')].map(({ path }) => path).sort(),
    );
  });

  test('processes that run at the same time leave what the log says, and readers in between see one state of all', async () => {
    const { archive, directory, lake } = await tiny({ now: Date.now });
    archive.days('A', '2020-02', 1, 4).days('B', '2020-02', 1, 4).days('C', '2020-02', 1, 4);
    await run(lake, { selection: '+silver/ticks' });
    const sets = [`tiny.directory=${archive.directory}`, 'engine.threads=1'];
    for (const [i, symbol] of ['A', 'B', 'C'].entries())
      archive.put(symbol, '2020-02-03', ticksOf('2020-02-03', 7 + i, 100 + i));
    const children = ['gold/window', 'gold/overview'].map((selection) =>
      startChild({ directory, sets, selection: `+${selection}` }),
    );
    let running = true;
    const all = Promise.all(children.map(({ ended }) => ended)).finally(() => {
      running = false;
    });
    let looks = 0;
    while (running) {
      // Every document that a root names is there, is of that lake, and as new as the root says.
      const root = await rootOf(directory);
      for (const [asset, entry] of Object.entries(root.assets)) {
        const document = assetCatalogueSchema.parse(await json(directory, entry.catalog));
        expect([document.asset, document.statistics]).toEqual([asset, entry.statistics]);
      }
      looks++;
    }
    for (const lines of await all) expect(lines.at(-1)).toMatchObject({ outcome: 'succeeded' });
    expect(looks).toBeGreaterThan(0);
    expect(await behindTheLog(lake)).toEqual([]);
    lake.state.refresh();
    for (const asset of Object.keys((await rootOf(directory)).assets))
      expect(filesOf(await catalogueOf(directory, asset)).map(({ path }) => path)).toEqual(
        [...lake.state.files(asset)].map(({ path }) => path).sort(),
      );
    expect(await problems(lake)).toEqual([]);
  });
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns, decimal, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import type { LakeView } from '../../framework/engine/port.ts';
import { compute, target, workshop } from './support.ts';

const shop = await workshop();
const signal = new AbortController().signal;
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const table = (key: `${string}/${string}`): AssetDefinition =>
  asset(key, {
    partitions,
    columns: columns({ ts: timestamp(), price: decimal(18, 8), n: bigint() }),
    sortBy: ['ts'],
    compute: () => [],
  });
const [ticks, silverDaily, goldDaily] = [table('silver/ticks'), table('silver/daily'), table('gold/daily')];
const targets = ['2024-01-01', '2024-01-02'].map((date) => target(ticks, { symbol: 'A', date }));
const stored = await compute(shop, ticks, targets, [], {
  rows: targets.map(({ time }) =>
    Array.from({ length: 3 }, (_, m) => ({ ts: new Date(time * 86_400_000 + m), price: `${m}.5`, n: BigInt(m) })),
  ),
});
const files = stored.packs.map(({ path }) => path);
const views: LakeView[] = [
  { definition: ticks, files },
  { definition: silverDaily, files: [] },
  { definition: goldDaily, files },
];

async function ask(sql: string): Promise<unknown[][]> {
  const result = await shop.engine.query(sql, views, signal);
  const rows: unknown[][] = [];
  for await (const batch of result.batches) rows.push(...batch.map((row) => [...row]));
  return rows;
}

const columnsOfTicks = [
  ['symbol', 'VARCHAR', 'YES', null, null, null],
  ['date', 'DATE', 'YES', null, null, null],
  ['ts', 'TIMESTAMP', 'YES', null, null, null],
  ['price', 'DECIMAL(18,8)', 'YES', null, null, null],
  ['n', 'BIGINT', 'YES', null, null, null],
];

test.each<[string, unknown[][]]>([
  ['SHOW TABLES', [['gold.daily'], ['silver.daily'], ['silver.ticks']]],
  ['show /* all */ tables;', [['gold.daily'], ['silver.daily'], ['silver.ticks']]],
  ['SHOW TABLES FROM gold', [['daily']]],
  ['DESCRIBE silver.ticks', columnsOfTicks],
  ['DESCRIBE ticks', columnsOfTicks],
  ['DESCRIBE FROM silver.ticks SELECT n', [['n', 'BIGINT', 'YES', null, null, null]]],
  ['FROM silver.ticks SELECT n LIMIT 3;', [[0n], [1n], [2n]]],
  ['SELECT count(*) FROM ticks', [[6n]]],
  ['SELECT count(*) FROM "silver"."ticks" JOIN gold.daily USING (symbol, date, ts)', [[6n]]],
  ['TABLE gold.daily LIMIT 0', []],
  ['PIVOT ticks ON date USING sum(n) GROUP BY symbol', [['A', 3n, 3n]]],
  ["PIVOT silver.ticks ON date IN ('2024-01-02') USING sum(n) GROUP BY symbol", [['A', 3n]]],
  [
    'FROM (PIVOT silver.ticks ON n USING count(*) GROUP BY date) ORDER BY date',
    [
      ['2024-01-01', 1n, 1n, 1n],
      ['2024-01-02', 1n, 1n, 1n],
    ],
  ],
  [
    'WITH few AS (FROM ticks WHERE n < 1) UNPIVOT few ON price, n::DECIMAL(18,8) INTO NAME what VALUE v',
    expect.arrayContaining([expect.arrayContaining(['price', '0.50000000'])]) as never,
  ],
  [
    'SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL',
    [
      ['gold', 'daily'],
      ['silver', 'daily'],
      ['silver', 'ticks'],
    ],
  ],
  ["SELECT count(*) FROM information_schema.columns c JOIN gold.daily d ON c.table_name = 'ticks'", [[30n]]],
  [
    "PRAGMA table_info('silver.ticks')",
    expect.arrayContaining([[0, 'symbol', 'VARCHAR', false, null, false]]) as never,
  ],
])('%s', async (sql, expected) => {
  expect(await ask(sql)).toEqual(expected);
});

test('SHOW ALL TABLES names the zones, SUMMARIZE looks at every column', async () => {
  expect((await ask('SHOW ALL TABLES')).map(([, zone, name]) => `${zone}.${name}`)).toEqual([
    'gold.daily',
    'silver.daily',
    'silver.ticks',
  ]);
  for (const sql of ['SUMMARIZE silver.ticks', 'SUMMARIZE ticks', 'SUMMARIZE FROM silver.ticks']) {
    expect((await ask(sql)).map(([name, type, min, max]) => [name, type, min, max])).toEqual([
      ['symbol', 'VARCHAR', 'A', 'A'],
      ['date', 'DATE', '2024-01-01', '2024-01-02'],
      ['ts', 'TIMESTAMP', '2024-01-01 00:00:00', '2024-01-02 00:00:00.002'],
      ['price', 'DECIMAL(18,8)', '0.50000000', '2.50000000'],
      ['n', 'BIGINT', '0', '2'],
    ]);
  }
});

test.each([
  'SELECT * FROM daily',
  'DESCRIBE daily',
  'SUMMARIZE daily',
  'PIVOT Daily ON n',
  'SELECT 1 FROM gold.daily JOIN daily USING (n)',
  'WITH daily AS (SELECT * FROM daily) SELECT * FROM daily',
  'WITH one AS (WITH Daily AS (SELECT 1) FROM Daily) SELECT * FROM one, DAILY',
  'EXPLAIN SELECT * FROM daily',
  "FROM query_table('daily')",
  "FROM query_table('dai' || 'ly')",
  "FROM query('FROM daily')",
])('%s: a name that is in two zones is not guessed', async (sql) => {
  await expect(ask(sql)).rejects.toMatchObject({
    code: 'ambiguous-table',
    kind: 'usage',
    hint: "Write 'silver.daily' or 'gold.daily'.",
  });
});

test('a common table expression may be named like a table', async () => {
  expect(await ask('WITH daily AS (SELECT 7 AS seven) SELECT seven FROM daily')).toEqual([[7]]);
  expect(await ask('WITH Daily AS (SELECT count(*) AS n FROM gold.daily) SELECT n FROM daily')).toEqual([[6n]]);
  expect(await ask("PIVOT (SELECT n, 'daily' AS x FROM ticks) ON x USING sum(n) GROUP BY n ORDER BY n")).toHaveLength(
    3,
  );
});

test('EXPLAIN explains what may be run, and nothing else', async () => {
  for (const how of ['EXPLAIN', 'EXPLAIN ANALYZE', 'explain (analyze, format json)', '/* so */ EXPLAIN -- it\n']) {
    expect(await ask(`${how} SELECT sum(n) FROM silver.ticks`)).toHaveLength(1);
  }
  const [file = ''] = files;
  const before = await readFile(file);
  const other = join(shop.directory, 'other.parquet');
  await writeFile(other, 'mine');
  for (const how of [
    'EXPLAIN ANALYZE',
    'EXPLAIN (ANALYZE)',
    'EXPLAIN/**/ANALYSE',
    'EXPLAIN (ANALYZE, FORMAT json)',
    'EXPLAIN',
  ]) {
    for (const path of [file, other]) {
      const sql = `${how} COPY (SELECT 1 AS x) TO '${path}' (USE_TMP_FILE false)`;
      await expect(ask(sql), sql).rejects.toMatchObject({ kind: 'usage' });
    }
  }
  expect(Buffer.compare(await readFile(file), before)).toBe(0);
  expect((await stat(other)).size).toBe(4);
});

test('several statements are not one, whatever they look up', async () => {
  for (const sql of [
    'PIVOT silver.ticks ON date USING sum(n); SELECT 1',
    `PIVOT silver.ticks ON date USING sum(n); COPY silver.ticks TO '${files[0]}' (USE_TMP_FILE false)`,
    'SELECT 1; PIVOT silver.ticks ON date USING sum(n)',
    'CREATE TABLE x AS SELECT 1; SELECT * FROM x',
    'CREATE TABLE x AS SELECT 1; SELECT * FROM x /* pivot */',
    "CREATE TYPE mood AS ENUM ('pivot'); PIVOT silver.ticks ON date USING sum(n)",
    'EXPLAIN PIVOT silver.ticks ON date USING sum(n); CREATE TABLE x AS SELECT 1',
    'EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1',
  ]) {
    await expect(ask(sql), sql).rejects.toMatchObject({ code: 'query-not-select', kind: 'usage' });
  }
});

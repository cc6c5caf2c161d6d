import { copyFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns, decimal, text, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { bytes } from '../../framework/define/formats.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import type { LakeView } from '../../framework/engine/port.ts';
import { compute, target, workshop } from './support.ts';

const shop = await workshop();
const signal = new AbortController().signal;
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const ticks = asset('silver/ticks', {
  partitions,
  columns: columns({ ts: timestamp(), price: decimal(18, 8), n: bigint() }),
  sortBy: ['ts'],
  compute: () => [],
});
const unwritten = asset('gold/unwritten', {
  partitions,
  columns: columns({ ts: timestamp(), s: text() }),
  sortBy: ['ts'],
  compute: () => [],
});
const blobs = asset('bronze/blobs', {
  partitions,
  format: bytes({ extension: '.zip' }),
  compute: () => new Uint8Array(),
});
const targets = ['A', '001'].map((symbol) => target(ticks, { symbol, date: '2024-01-01' }));
const stored = await compute(shop, ticks, targets, [], {
  rows: targets.map(({ time }) =>
    Array.from({ length: 3000 }, (_, m) => ({ ts: new Date(time * 86_400_000 + m), price: '1.5', n: BigInt(m) })),
  ),
});
const files = stored.packs.map(({ path }) => path);
const views: LakeView[] = [
  { definition: ticks, files },
  { definition: unwritten, files: [] },
  { definition: blobs, partitions: [{ values: { symbol: 'A' }, time: 19723, path: '/lake/a.zip', bytes: 5 }] },
];

async function ask(sql: string, known = views) {
  const result = await shop.engine.query(sql, known, signal);
  const rows: unknown[] = [];
  for await (const batch of result.batches) rows.push(...batch);
  return { columns: result.columns.map(({ name, type }) => `${name} ${type}`), rows };
}

test('assets are views, with types, exact values and without type guesses', async () => {
  expect(
    await ask(
      'SELECT symbol, count(*) AS n, sum(price) AS s, max(ts) AS t, min(date) AS d FROM silver.ticks GROUP BY 1 ORDER BY 1',
    ),
  ).toEqual({
    columns: ['symbol VARCHAR', 'n BIGINT', 's DECIMAL(38,8)', 't TIMESTAMP', 'd DATE'],
    rows: [
      ['001', 3000n, '4500.00000000', '2024-01-01 00:00:02.999', '2024-01-01'],
      ['A', 3000n, '4500.00000000', '2024-01-01 00:00:02.999', '2024-01-01'],
    ],
  });
});

test('an asset without files is an empty view; a raw asset lists its partitions', async () => {
  expect(await ask('SELECT * FROM gold.unwritten')).toEqual({
    columns: ['symbol VARCHAR', 'date DATE', 'ts TIMESTAMP', 's VARCHAR'],
    rows: [],
  });
  expect(await ask('SELECT * FROM bronze.blobs')).toEqual({
    columns: ['symbol VARCHAR', 'date DATE', 'path VARCHAR', 'bytes BIGINT'],
    rows: [['A', '2024-01-01', '/lake/a.zip', 5n]],
  });
  expect(await ask('SELECT count(*) FROM silver.ticks t JOIN bronze.blobs b USING (symbol, date)')).toMatchObject({
    rows: [[3000n]],
  });
});

test('results stream, and may be left early', async () => {
  const result = await shop.engine.query('SELECT i FROM range(100000000) t(i)', [], signal);
  for await (const batch of result.batches) {
    expect(batch[0]).toEqual([0n]);
    break;
  }
  await result.close();
  expect(await ask("SELECT [1, 2] AS l, {'a': 1.5} AS s, NULL AS n, 'nan'::DOUBLE AS x")).toMatchObject({
    rows: [[[1, 2], { a: '1.5' }, null, Number.NaN]],
  });
});

test('packs of older columns give NULL for what they lack', async () => {
  const wider: AssetDefinition = {
    ...ticks,
    columns: [...ticks.columns, { name: 'more', type: 'DOUBLE', nullable: true }],
  };
  const [one] = targets;
  const newer = await compute(shop, wider, one ? [one] : [], [], {
    rows: [[{ ts: new Date(0), price: '1', n: 1n, more: 0.5 }]],
  });
  const both = { definition: wider, files: [...files, newer.packs[0]?.path ?? ''] };
  expect(await ask('SELECT more, count(*) FROM silver.ticks GROUP BY 1 ORDER BY 1', [both])).toMatchObject({
    rows: [
      [0.5, 1n],
      [null, 6000n],
    ],
  });
  expect(await ask('SELECT count(more) FROM silver.ticks', [{ definition: wider, files }])).toMatchObject({
    rows: [[0n]],
  });
});

test('tables can be listed and described', async () => {
  expect((await ask('SHOW ALL TABLES')).rows).toHaveLength(3);
  expect((await ask('DESCRIBE silver.ticks')).rows).toHaveLength(5);
});

test('no other file can be read or written, and nothing changed', async () => {
  const secret = join(shop.directory, 'secret.csv');
  await writeFile(secret, 'a,b\n1,2\n');
  for (const sql of [
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM glob('${shop.directory}/*')`,
    `SELECT * FROM read_csv('https://example.org/x.csv')`,
  ]) {
    await expect(ask(sql), sql).rejects.toMatchObject({ kind: 'usage' });
  }
  for (const sql of [
    `COPY silver.ticks TO '${secret}'`,
    'CREATE TABLE x AS SELECT 1',
    'DROP VIEW silver.ticks',
    'SET enable_external_access = true',
    `ATTACH '${secret}' AS y`,
    'INSTALL httpfs',
    `FROM enable_logging(storage = 'file', storage_path = '${shop.directory}')`,
    `SELECT count(*) FROM "enable_profiling"(save_location = '${shop.directory}/x.json', format = 'json')`,
    'SELECT 1; SELECT 2',
    '',
    '-- nothing',
  ]) {
    await expect(ask(sql), sql).rejects.toMatchObject({
      code: expect.stringMatching(/^query-(not-select|invalid)$/),
      kind: 'usage',
    });
  }
});

test('a wrong name is met with the right one', async () => {
  await expect(ask('SELECT * FROM silver.tick')).rejects.toMatchObject({
    code: 'unknown-table',
    message: "There is no table 'silver.tick'",
    hint: "Did you mean 'silver.ticks'?",
  });
  const more = [...views, { definition: { ...ticks, key: 'bronze/tickers' }, files: [] }];
  for (const [name, hint] of [
    ['tick', "Did you mean 'silver.ticks' or 'bronze.tickers'?"],
    ['silver.tick', "Did you mean 'silver.ticks'?"],
    ['"Bronze".tick', "Did you mean 'bronze.tickers'?"],
    ['silber.ticks', "Did you mean 'silver.ticks'?"],
    ['gold.ticks', "Did you mean 'silver.ticks' or 'bronze.tickers'?"],
    ['nowhere.ticks', "Did you mean 'silver.ticks' or 'bronze.tickers'?"],
    ['x.y', 'Known: silver.ticks, gold.unwritten, bronze.blobs, bronze.tickers'],
  ] as const)
    await expect(ask(`SELECT 1\nFROM ${name}`, more), name).rejects.toMatchObject({
      message: `There is no table '${name.replaceAll('"', '')}'`,
      hint,
    });
  await expect(ask('SELECT pricee FROM silver.ticks')).rejects.toMatchObject({
    code: 'query-invalid',
    kind: 'usage',
    message: expect.stringContaining('Candidate bindings: "price"'),
  });
});

test('what is wrong with a statement is pointed at', async () => {
  for (const [sql, message] of [
    ['SELEC 1', 'query: Parser Error: syntax error at or near "SELEC"\nLINE 1: SELEC 1\n        ^'],
    ['SELECT 1,\n  nix(2);', 'LINE 2:   nix(2);\n          ^'],
    ['SELECT n,\n  pricee -- more\nFROM silver.ticks', 'LINE 2:   pricee -- more\n          ^'],
  ] as const)
    await expect(ask(sql), sql).rejects.toMatchObject({
      code: 'query-invalid',
      kind: 'usage',
      message: expect.stringContaining(message),
    });
});

test('a damaged file is not the user’s mistake', async () => {
  const path = join(shop.directory, 'damaged.parquet');
  await copyFile(files[0] as string, path);
  await truncate(path, 100);
  await expect(ask('FROM silver.ticks', [{ definition: ticks, files: [path] }])).rejects.toMatchObject({
    code: 'file-corrupt',
    kind: 'data',
  });
});

// Errors of these classes do not abort the transaction, and say nothing of themselves while the rows come.
const parserError = `json_deserialize_sql(('{"a":' || i || '}')::JSON)`;
test.each([
  ["SELECT CASE WHEN i = 900000 THEN error('oops') ELSE i END FROM range(1000000) t(i)", 'oops'],
  ["SELECT (CASE WHEN i = 900000 THEN 'x' ELSE '1' END)::INTEGER FROM range(1000000) t(i);", "convert string 'x'"],
  [`SELECT CASE WHEN i >= 200000 THEN ${parserError} ELSE 'x' END FROM range(300000) t(i)`, 'Parser Error'],
  [
    `SELECT i FROM range(300000) t(i) WHERE CASE WHEN i >= 200000 THEN ${parserError} ELSE 'x' END = 'x'`,
    'Parser Error',
  ],
  [
    `SELECT i FROM range(300000) t(i) WHERE CASE WHEN i >= 200000 THEN ${parserError} ELSE 'x' END = 'x'; -- ; so`,
    'Parser Error',
  ],
  [
    `WITH p AS (PIVOT (SELECT i, i % 2 AS k FROM range(300000) t(i)) ON k USING count(*) GROUP BY i)
     SELECT CASE WHEN i >= 200000 THEN ${parserError} END FROM p`,
    'Parser Error',
  ],
  [
    "SELECT TIMESTAMPTZ '2020-01-01' AT TIME ZONE (CASE WHEN i = 200000 THEN 'Foo/Bar' ELSE 'UTC' END) FROM range(300000) t(i)",
    'Foo/Bar',
  ],
])('rows that break off in the middle are an error, not an end: %s', async (sql, message) => {
  await expect(ask(sql)).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining(message) });
});

test('rows keep their order, names and types, and what marks their end does not show', async () => {
  const types = `SELECT 1 AS a, 2 AS a, NULL, [] AS l, [NULL, 1.5] AS m, {'q': 1} AS q, MAP {1: 2} AS map, [1, 2]::INT[2] AS arr,
    'a'::ENUM('a', 'b') AS e, '101'::BIT AS bits, '{}'::JSON AS j, '\\xAA'::BLOB AS b, 1::HUGEINT AS h, INTERVAL 1 DAY AS i,
    TIMESTAMPTZ '2020-01-01' AS z, union_value(x := 1) AS u, 'x' COLLATE NOCASE AS c`;
  expect(await ask(types)).toEqual({
    columns: [
      'a INTEGER',
      'a INTEGER',
      'NULL INTEGER',
      'l INTEGER[]',
      'm DECIMAL(2,1)[]',
      'q STRUCT("q" INTEGER)',
      'map MAP(INTEGER, INTEGER)',
      'arr INTEGER[2]',
      "e ENUM('a', 'b')",
      'bits BIT',
      'j VARCHAR',
      'b BLOB',
      'h HUGEINT',
      'i INTERVAL',
      'z TIMESTAMP WITH TIME ZONE',
      'u UNION("x" INTEGER)',
      'c VARCHAR',
    ],
    rows: [
      [
        1,
        2,
        null,
        [],
        [null, '1.5'],
        { q: 1 },
        [{ key: 1, value: 2 }],
        [1, 2],
        'a',
        '101',
        '{}',
        expect.anything(),
        1n,
        expect.anything(),
        expect.anything(),
        expect.anything(),
        'x',
      ],
    ],
  });
  for (const [order, at] of [
    ['', (n: number) => n],
    ['ORDER BY i DESC', (n: number) => 299999 - n],
    ['ORDER BY i % 2, i LIMIT 200000', (n: number) => (n < 150000 ? 2 * n : 2 * (n - 150000) + 1)],
  ] as const) {
    const { rows } = await ask(`SELECT i::INTEGER AS i FROM range(300000) t(i) ${order}`);
    expect(rows).toHaveLength(order.includes('LIMIT') ? 200000 : 300000);
    expect((rows as number[][]).findIndex(([i], n) => i !== at(n))).toBe(-1);
  }
  expect((await ask('SELECT 1 WHERE false')).rows).toEqual([]);
  expect((await ask('VALUES (1, true), (2, false)')).rows).toEqual([
    [1, true],
    [2, false],
  ]);
});

test('a file that is removed while a query reads is an error, or read to its end', async () => {
  const many = Array.from({ length: 8 }, (_, i) => join(shop.directory, `gone-${i}.parquet`));
  for (const path of many) await copyFile(files[0] as string, path);
  const lots = many.flatMap((path) => Array.from({ length: 40 }, () => path));
  const result = await shop.engine.query('SELECT * FROM silver.ticks', [{ definition: ticks, files: lots }], signal);
  let rows = 0;
  const reading = (async () => {
    for await (const batch of result.batches) {
      if (rows === 0) await Promise.all(many.map((path) => unlink(path)));
      rows += batch.length;
    }
  })();
  const outcome = await reading.then(
    () => rows,
    (error: { code: string }) => error.code,
  );
  expect([lots.length * 3000, 'file-missing', 'query-broke-off']).toContain(outcome);
});

test('a batch has rows: nobody who takes the first of each gets none', async () => {
  for (const rows of [0, 1, 2047, 2048, 2049]) {
    const result = await shop.engine.query(`SELECT * FROM range(${rows})`, [], signal);
    const sizes: number[] = [];
    for await (const batch of result.batches) sizes.push(batch.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rows);
    expect(sizes).not.toContain(0);
  }
});

test('values without names are refused: the driver tells them not apart', async () => {
  for (const value of ["(1, 'a')", 'list_zip([1], [2])', "{'x': row(1, 2)}"])
    await expect(ask(`SELECT 0 AS fine, ${value} AS pair`), value).rejects.toMatchObject({
      code: 'nameless-values',
      kind: 'usage',
      message: expect.stringMatching(/^Column 'pair' \(.*STRUCT/),
    });
  expect((await ask("SELECT (1, 'a')::STRUCT(n INTEGER, t VARCHAR), (1, 2) = (1, 2), row(1)")).rows).toEqual([
    [{ n: 1, t: 'a' }, true, { '': 1 }],
  ]);
});

test('days without end are told as such', async () => {
  const { rows } = await ask(
    "SELECT 'infinity'::DATE, '-infinity'::DATE, 'infinity'::TIMESTAMP, DATE '-5877641-06-25'",
  );
  expect(rows).toEqual([['infinity', '-infinity', 'infinity', expect.stringMatching(/\(BC\)$/)]]);
});

test('whole numbers wider than 64 bits are exact in Parquet, wherever they are in a value', async () => {
  const into = join(shop.directory, 'wide.parquet');
  const wide = '12345678901234567890123456789';
  const sql = `SELECT ${wide}::HUGEINT AS h, [${wide}::HUGEINT, NULL] AS l, {'HUGEINT': ${wide}::UHUGEINT, 'n': 1} AS s,
    MAP {'a': ${wide}::HUGEINT} AS m, 'x'::ENUM('HUGEINT', 'x') AS e, NULL::HUGEINT[] AS n;`;
  const result = await shop.engine.query(sql, [], signal, { into });
  await result.close();
  const read = await shop.engine.query(`FROM '${into}'`, [], signal, { allow: [into] });
  const rows: unknown[] = [];
  for await (const batch of read.batches) rows.push(...batch);
  expect(read.columns.map(({ type }) => type)).toEqual([
    'DECIMAL(38,0)',
    'DECIMAL(38,0)[]',
    'STRUCT("HUGEINT" DECIMAL(38,0), "n" INTEGER)',
    'MAP(VARCHAR, DECIMAL(38,0))',
    'VARCHAR',
    'DECIMAL(38,0)[]',
  ]);
  expect(rows).toEqual([[wide, [wide, null], { HUGEINT: wide, n: 1 }, [{ key: 'a', value: wide }], 'x', null]]);
});

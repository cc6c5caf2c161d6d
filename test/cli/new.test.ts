import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset, columns, integer, sql, text } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { type AssetRequest, planAsset } from '../../framework/cli/scaffold/asset-plan.ts';
import { testModule } from '../../framework/cli/scaffold/asset-test-text.ts';
import { assetModule, variableOf } from '../../framework/cli/scaffold/asset-text.ts';
import { withAsset } from '../../framework/cli/scaffold/edit-index.ts';
import type { Exported } from '../../framework/cli/scaffold/modules.ts';
import { isDefinition } from '../../framework/define/model.ts';
import * as lake from '../types/lake.ts';
import { Place } from './support.ts';

// What is written is compiled and run in test/packaging.
const dimensionNames: readonly string[] = ['exchange', 'market', 'symbol', 'date', 'month'];
const exported = Object.entries(lake).map(
  ([name, value]): Exported => ({
    name,
    value,
    from: { file: dimensionNames.includes(name) ? '/lake/assets/dimensions.ts' : `/lake/assets/${name}.ts` },
  }),
);
const assets = Object.values(lake).filter(isDefinition);

const plan = (request: Partial<AssetRequest>) =>
  planAsset({ key: 'gold/new', form: 'sql', from: undefined, partitions: undefined, ...request }, assets, exported);
const written = (request: Partial<AssetRequest>) => assetModule(plan(request), '/lake/assets/gold/new.ts');

describe('the module of a new asset', () => {
  test('has the dimensions and columns of what it reads', () => {
    expect(
      written({ from: 'silver/klines' }),
    ).toBe(`import { asset, bigint, columns, decimal, sql, timestamp } from 'crypto-lakehouse';
import { date, exchange, market, symbol } from '../dimensions.ts';
import { silver } from '../silver.ts';

export const goldNew = asset('gold/new', {
  description: 'What it is, in a sentence.',
  partitions: { exchange, market, symbol, date },
  inputs: { klines: silver },
  columns: columns({
    open_time: timestamp(),
    open: decimal(18, 8),
    close: decimal(18, 8),
    count: bigint().nullable(),
  }),
  // Unique within a partition; the order of its rows.
  sortBy: ['open_time'],
  query: ({ klines }) => sql\`
    SELECT
      \${klines.open_time} AS open_time,
      \${klines.open} AS open,
      \${klines.close} AS close,
      \${klines.count} AS count
    FROM \${klines}\`,
});
`);
  });

  test('maps what it does not have, and keeps series apart', () => {
    const text = written({ from: 'silver/klines', partitions: ['exchange', 'month'] });
    expect(text).toContain('partitions: { exchange, month },');
    expect(text).toContain('inputs: { klines: from(silver, { market: all(), symbol: all(), date: overlapping() }) },');
    // No column is said to be its time.
    expect(text).toContain("sortBy: ['market', 'symbol', 'date', 'open_time'],");
    expect(text).toContain('market: text(),\n    symbol: text(),\n    date: date(),');
    expect(text).toContain(
      `\${klines.market} AS market,\n      \${klines.symbol} AS symbol,\n      \${klines.date} AS date,`,
    );
  });

  test('has every type of column, each imported by a name that is free', () => {
    const text = written({ from: 'silver/everything', partitions: ['market', 'date'] });
    expect(text).toContain('inputs: { everything: from(everything, {}) },');
    expect(text).toContain(`    at: timestamp().describe('An instant.'),
    day: dateColumn(),
    price: decimal(18, 8),
    share: double().nullable(),
    trades: bigint(),
    bars: integer().nullable().describe('May be NULL.'),
    name: text(),
    live: boolean(),
`);
    expect(text).toContain('  date as dateColumn,\n');
  });

  test('computes by a function', () => {
    expect(written({ from: 'silver/klines', form: 'function' })).toContain(`  compute: async ({ inputs }) => {
    const rows = await inputs.klines.rows();
    return rows.map(({ open_time, open, close, count }) => ({ open_time, open, close, count }));
  },`);
    expect(written({ from: 'silver/klines', form: 'function', partitions: ['date'] })).toContain(
      '  compute: async ({ inputs }) => [{ rows: (await inputs.klines.rows()).length }],',
    );
  });

  test('has names of variables where those of the data are words of the language', () => {
    const odd = asset('silver/function', {
      partitions: {},
      columns: columns({ default: text(), order: integer() }),
      sortBy: ['default'],
      query: () => sql`SELECT 'x' AS default, 1 AS order`,
    });
    const textOf = (form: 'sql' | 'function') =>
      assetModule(
        planAsset(
          { key: 'gold/new', form, from: 'silver/function', partitions: undefined },
          [odd],
          [{ name: 'silverFunction', value: odd, from: { file: '/lake/assets/silver/function.ts' } }],
        ),
        '/lake/assets/gold/new.ts',
      );
    expect(textOf('sql')).toContain('inputs: { function_rows: silverFunction },');
    expect(textOf('sql')).toContain(`  query: ({ function_rows }) => sql\`
    SELECT
      \${function_rows.default} AS default,`);
    expect(textOf('function')).toContain('return rows.map((row) => ({ default: row.default, order: row.order }));');
  });

  test('keeps the bytes of a source', () => {
    const text = written({ from: 'binance/archive' });
    expect(text).toContain(
      "  format: bytes({ extension: '.bin' }),\n  compute: ({ inputs }) => inputs.archive.bytes(),\n});",
    );
  });

  test('imports from packages what they export', () => {
    const planned = planAsset(
      { key: 'gold/new', form: 'sql', from: 'silver/klines', partitions: undefined },
      assets,
      exported.map((one) => ({ ...one, from: { entry: 'crypto-lakehouse/assets' } })),
    );
    expect(assetModule(planned, '/lake/assets/gold/new.ts')).toContain(
      "\nimport { date, exchange, market, silver, symbol } from 'crypto-lakehouse/assets';\n",
    );
  });
});

describe('its test', () => {
  const testOf = (request: Partial<AssetRequest>, runner: 'node' | 'vitest' = 'node') =>
    testModule(plan(request), '/lake/test/gold/new.test.ts', '/lake/assets/gold/new.ts', runner);

  test('gives one row to one partition', () => {
    expect(testOf({ from: 'silver/klines' })).toBe(`import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAsset } from 'crypto-lakehouse/testing';
import { goldNew } from '../../assets/gold/new.ts';

test('gold/new: what comes of one row', async () => {
  const { rows } = await runAsset(goldNew, {
    partition: { exchange: 'binance', market: 'spot', symbol: 'X', date: '2020-01-01' },
    inputs: {
      klines: [{ open_time: new Date('2020-01-01T00:00:00Z'), open: '1.00000000', close: '1.00000000', count: 1n }],
    },
  });
  assert.equal(rows.length, 1);
});
`);
  });

  test('names the partition of what it reads, where that is another', () => {
    expect(testOf({ from: 'silver/everything', partitions: ['month'] })).toContain(`    partition: { month: '2020-01' },
    inputs: {
      everything: [
        {
          partition: { market: 'spot' },
          rows: [
            {
              at: new Date('2020-01-01T00:00:00Z'),
              day: '2020-01-01',
              price: '1.00000000',
              share: 1,
              trades: 1n,
              bars: 1,
              name: 'x',
              live: true,
            },
          ],
        },
      ],
    },
`);
  });

  test('is written for vitest where that is used, and gives bytes as the format has them', () => {
    const text = testOf({ from: 'bronze/klines' }, 'vitest');
    expect(text).toContain(
      "import { writeZip } from 'crypto-lakehouse';\nimport { runAsset } from 'crypto-lakehouse/testing';\nimport { expect, test } from 'vitest';\n",
    );
    expect(text).toContain("writeZip('1.csv', Buffer.from('1,1,1,1\\n'), { modified: new Date('2024-01-01') })");
    expect(text).toContain('  expect(rows.length).toBe(1);\n');
    expect(testOf({ from: 'binance/archive' })).toContain("inputs: { archive: 'what arrived' },");
  });
});

test('names of constants', () => {
  expect(['silver/trades', 'gold/klines_daily', 'a/b/c_2d'].map(variableOf)).toEqual([
    'silverTrades',
    'goldKlinesDaily',
    'aBC2d',
  ]);
});

describe('what cannot be', () => {
  test.each<[Partial<AssetRequest>, { code: string; message: string; hint?: string | undefined }]>([
    [
      { key: 'Gold/New' },
      {
        code: 'bad-key',
        message: "'Gold/New' is no key of an asset: zone/name in lower case letters, digits and _",
        hint: 'Write e.g. silver/trades.',
      },
    ],
    [{ key: 'silver/klines' }, { code: 'asset-exists', message: 'There is an asset silver/klines already' }],
    [
      { from: 'silver/kline' },
      {
        code: 'unknown-asset',
        message: "No asset is named 'silver/kline'",
        hint: "Did you mean 'silver/klines'?",
      },
    ],
    [
      { from: 'silver/klines', partitions: ['symbl'] },
      { code: 'unknown-dimension', message: "No dimension is named 'symbl'", hint: "Did you mean 'symbol'?" },
    ],
    [
      {},
      {
        code: 'no-dimensions',
        message: 'It is not said what gold/new is made of, or how it is partitioned',
        hint: 'Give --from with an asset that it reads, or --partitions with names of dimensions.',
      },
    ],
    [
      { partitions: ['symbol', 'date'] },
      {
        code: 'no-values',
        message: 'The values of symbol are found in data, and gold/new reads none',
        hint: 'Give --from with an asset that has this dimension.',
      },
    ],
    [
      { from: 'silver/klines', partitions: ['date', 'month'] },
      { code: 'two-time-dimensions', message: 'date, month: at most one dimension can be of time' },
    ],
    [
      { from: 'bronze/opaque', partitions: ['date'] },
      {
        code: 'several-files',
        message: 'bronze/opaque keeps files, and one partition would be made of several',
        hint: 'Keep its dimensions: --partitions market,date',
      },
    ],
  ])('%j', (request, error) => {
    expect(() => plan(request)).toThrow(expect.objectContaining({ kind: 'usage', hint: undefined, ...error }));
  });

  test('what no module exports', () => {
    const without = (names: readonly string[]) => exported.filter(({ name }) => !names.includes(name));
    const request = { key: 'gold/new', form: 'sql', from: 'silver/klines', partitions: undefined } as const;
    expect(() => planAsset(request, assets, without(['silver']))).toThrow(
      'No module that the definitions import exports silver/klines',
    );
    expect(() => planAsset(request, assets, without(['symbol']))).toThrow(
      'No module that the definitions import exports the dimension symbol',
    );
  });
});

describe('adding it to the definitions', () => {
  const add = (text: string) => withAsset('/lake/assets/index.ts', text, 'goldNew', './gold/new.ts');
  const head = "import { defineLakehouse } from 'crypto-lakehouse';\n";

  test('to a list on one line, on several, and to an empty one', async () => {
    const imported = `${head}import { goldNew } from './gold/new.ts';\n`;
    expect(await add(`${head}export const lakehouse = defineLakehouse({ assets: [a, b], views: [] });\n`)).toBe(
      `${imported}export const lakehouse = defineLakehouse({ assets: [a, b, goldNew], views: [] });\n`,
    );
    expect(
      await add(
        `${head}export const lakehouse = defineLakehouse({\n  assets: [\n    ...a, // all\n    b,\n  ],\n});\n`,
      ),
    ).toBe(
      `${imported}export const lakehouse = defineLakehouse({\n  assets: [\n    ...a, // all\n    b,\n    goldNew,\n  ],\n});\n`,
    );
    expect(await add(`${head}export const lakehouse = defineLakehouse({ assets: [] });`)).toBe(
      `${imported}export const lakehouse = defineLakehouse({ assets: [goldNew] });`,
    );
  });

  test.each([
    ['a list that is elsewhere', `${head}const assets = [a];\nexport const lakehouse = defineLakehouse({ assets });\n`],
    ['two of them', `${head}export const x = [defineLakehouse({ assets: [a] }), defineLakehouse({ assets: [b] })];\n`],
    ['none', 'export const x = 1;\n'],
    ['a name that is taken', `${head}const goldNew = 1;\nexport const lakehouse = defineLakehouse({ assets: [a] });\n`],
    ['a module that does not parse', `${head}export const = defineLakehouse({ assets: [a] });\n`],
  ])('is left to a person: %s', async (_, text) => {
    expect(await add(text)).toBeUndefined();
  });
});

describe('new asset', () => {
  /** A project with the given text in front of its one asset. */
  async function project(head = '', declared = 'export const silverDays ='): Promise<Place> {
    const here = new Place();
    await mkdir(join(here.cwd, 'assets/silver'), { recursive: true });
    await writeFile(join(here.cwd, 'package.json'), '{}');
    await writeFile(
      join(here.cwd, 'assets/silver/days.ts'),
      `${head}import { asset, columns, integer, sql } from 'crypto-lakehouse';
${declared} asset('silver/days', {
  partitions: {}, columns: columns({ n: integer() }), sortBy: ['n'], query: () => sql\`SELECT 1 AS n\`,
});
`,
    );
    const name = declared.includes('default') ? 'silverDays' : '{ silverDays }';
    await writeFile(
      join(here.cwd, 'assets/index.ts'),
      `import { defineLakehouse } from 'crypto-lakehouse';
import ${name} from './silver/days.ts';
export const lakehouse = defineLakehouse({ assets: [silverDays] });
`,
    );
    return here;
  }
  const make = (here: Place, ...words: string[]) =>
    here.run(['new', 'asset', ...words, '--from', 'silver/days'], {
      io: { importModule: (file) => import(file) },
    });

  test('loads no modules that are imported for their types alone', async () => {
    const here = await project("import type { Kind } from '../kinds.ts';\nexport type { Kind };\n");
    await writeFile(join(here.cwd, 'assets/kinds.ts'), "export type Kind = 1;\nthrow new Error('was loaded');\n");
    expect(await make(here, 'gold/days')).toMatchObject({ code: 0, err: '' });
  });

  test('wants a name to import what it reads by', async () => {
    const here = await project('', 'export default');
    expect(await make(here, 'gold/days')).toEqual({
      code: 2,
      out: '',
      err: `lakehouse: No module that the definitions import exports silver/days by name
  Declare it in a module of its own: export const x = asset(…).
`,
    });
  });

  test('refuses a key whose constant would be named as what it imports', async () => {
    const here = await project();
    for (const [key, name] of [
      ['silver/days_', 'silverDays'],
      ['run/asset', 'runAsset'],
    ] as const) {
      expect(await make(here, key)).toMatchObject({
        code: 2,
        err: `lakehouse: ${key} would be exported as ${name}, which it imports already\n  Name it otherwise.\n`,
      });
    }
  });

  test('leaves nothing half done when it fails', async () => {
    const here = await project();
    const index = await readFile(join(here.cwd, 'assets/index.ts'), 'utf8');
    await mkdir(join(here.cwd, 'test'));
    await writeFile(join(here.cwd, 'test/gold'), 'in the way');
    expect(await make(here, 'gold/days')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^lakehouse: Cannot write gold\/days: /),
    });
    expect(existsSync(join(here.cwd, 'assets/gold/days.ts'))).toBe(false);
    expect(await readdir(join(here.cwd, 'test'))).toEqual(['gold']);
    expect(await readFile(join(here.cwd, 'assets/index.ts'), 'utf8')).toBe(index);
  });
});

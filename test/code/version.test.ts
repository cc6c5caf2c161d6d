import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCodeHasher } from '../../framework/code/functions.ts';
import { type CodeVersion, codeVersion, DECLARERS } from '../../framework/code/version.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';

// Modules as a user writes them, loaded by Node itself.

const load = createRequire(import.meta.url);
const framework = join(import.meta.dirname, '../../framework/index.ts');
let root = '';
let modules = 0;
let base: Record<string, CodeVersion>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'version-'));
  base = await versions(LAKE);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const LAKE = `
import {
  all, asset, columns, daily, double, drift, dynamicDimension, earlier, firstAvailable, from, ifPresent, only, rowsWhere, self, sql,
  staticDimension, text, timesBy, timestamp, unique, valuesBy, window, within, zipCsv,
} from '${framework}';

const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension('a symbol');
const date = daily({ start: '2020-01-01', lag: 0 });
const LIMIT = 10;
const columnsOfAll = { open_time: timestamp().describe('Start.'), close: double().nullable() };

const first = asset('silver/first', {
  description: 'The first.',
  partitions: { market, symbol, date },
  columns: columns(columnsOfAll),
  sortBy: ['open_time'],
  query: () => sql\`SELECT 1\`,
});
const second = asset('silver/second', {
  partitions: { market, symbol, date },
  columns: columns(columnsOfAll),
  sortBy: ['open_time'],
  query: () => sql\`SELECT 2\`,
});

export const byQuery = asset('gold/by_query', {
  description: 'By a query.',
  tags: { slow: 'yes' },
  owners: ['me'],
  kinds: ['sql'],
  metadata: { a: 1 },
  group: 'mine',
  retry: { retries: 1 },
  pool: 'small',
  keepWithdrawn: false,
  freshness: within({ hours: 30 }),
  packs: ['partition', 'month'],
  partitions: { market, date },
  bar: ({ market }) => (market === 'spot' ? 60_000 : 1_000),
  inputs: {
    klines: from(first, { symbol: all(), date: window({ bars: 400 }) }),
    chosen: firstAvailable(from(first, { symbol: only('BTC') }), from(second, { symbol: only('BTC') })),
    before: self({ date: earlier({ days: 1 }) }),
  },
  columns: columns({ open_time: timestamp().describe('Start of the bar.'), close: double(), volume: double().nullable() }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  config: { scale: 2, list: [1, 2] },
  checks: [unique('open_time'), rowsWhere('positive', ['close'], ({ close }) => sql\`\${close} < 0\`)],
  query: ({ klines }, { partition }) => sql\`
    SELECT open_time, close * \${LIMIT} AS close, NULL AS volume -- a comment
    FROM \${klines} WHERE \${klines.symbol} <> 'x' AND open_time >= \${partition.start}\`,
});

function helper(x: number): number {
  return x + LIMIT;
}
export const byFunction = asset('gold/by_function', {
  description: 'By a function.',
  partitions: { market, date },
  bar: () => 1,
  inputs: {
    a: ifPresent(from(first, { symbol: valuesBy('btc', (value) => [value + 'BTC']) })),
    b: from(second, { symbol: all(), date: timesBy('same', { upstream: ({ lo, hi }) => [lo, hi], downstream: ({ lo, hi }) => [lo, hi] }) }),
  },
  columns: columns(columnsOfAll),
  sortBy: ['open_time'],
  compute: async ({ inputs }) => {
    // Adds ten.
    const rows = await inputs.a.rows();
    return rows.map((row) => ({ ...row, close: helper(row.close ?? 0) }));
  },
});
export const byBytes = asset('bronze/by_bytes', {
  partitions: { date },
  format: zipCsv({ columns: ['a', 'b'] }),
  compute: () => new Uint8Array(),
});
export const pinned = asset('gold/pinned', {
  codeVersion: '7',
  columns: columns(columnsOfAll),
  sortBy: ['open_time'],
  query: () => sql\`SELECT 3\`,
});
`;

async function versions(text: string): Promise<Record<string, CodeVersion>> {
  const file = join(root, `lake${modules++}.ts`);
  await writeFile(file, text);
  const hasher = await createCodeHasher({ declarers: DECLARERS });
  const { default: _, ...assets } = load(file) as Record<string, AssetDefinition>;
  return Object.fromEntries(
    Object.entries(assets).map(([name, definition]) => {
      expect(definition.issues).toEqual([]);
      expect(definition.module).toBe(pathToFileURL(file).href);
      return [name, codeVersion(definition, hasher)];
    }),
  );
}

/** The assets whose version is another after an edit. */
async function changed(from: string | RegExp, to: string): Promise<string[]> {
  const edited = LAKE.replace(from, to);
  expect(edited).not.toBe(LAKE);
  const after = await versions(edited);
  return Object.keys(base).filter((name) => base[name]?.version !== after[name]?.version);
}

test('a version is 16 hex digits, or what the asset says', () => {
  const { byQuery, byFunction, pinned } = base;
  expect(byQuery).toEqual({ version: expect.stringMatching(/^[0-9a-f]{16}$/), captures: [] });
  expect(byFunction?.captures).toEqual([]);
  expect(pinned).toEqual({ version: 'v:7', captures: [] });
});

describe('does not change with', () => {
  test.each<[string, string | RegExp, string]>([
    ['a description', "'By a query.'", "'With a query.'"],
    ['a description upstream', "'The first.'", "'1st'"],
    ["a column's description", "'Start of the bar.'", "'Begin'"],
    ['a tag', "slow: 'yes'", "slow: 'no', fast: ''"],
    ['an owner', "owners: ['me']", "owners: ['you']"],
    ['a kind', "kinds: ['sql']", 'kinds: []'],
    ['metadata', 'metadata: { a: 1 }', 'metadata: { a: 2 }'],
    ['the group', "group: 'mine'", "group: 'yours'"],
    ['retries', 'retries: 1', 'retries: 2'],
    ['the pool', "pool: 'small'", "pool: 'large'"],
    ['packs', "packs: ['partition', 'month']", "packs: ['partition']"],
    ['keepWithdrawn', 'keepWithdrawn: false', 'keepWithdrawn: true'],
    ['a history', 'keepWithdrawn: false', "keepWithdrawn: false, history: '30d'"],
    ['a freshness policy', 'hours: 30', 'hours: 20'],
    ['whether there is one', '  freshness: within({ hours: 30 }),\n', ''],
    ['a check', "unique('open_time'), ", ''],
    [
      'what a check compares with',
      "unique('open_time')",
      "drift({ measure: 'rows', window: { days: 3 }, max: { share: 1 } })",
    ],
    ['a comment in SQL', '-- a comment', '-- another one'],
    ['white space in SQL', 'SELECT open_time, close', 'SELECT\n  open_time,\n  close'],
    ['a comment in a function', '// Adds ten.', '// Adds\n// more.'],
    ['white space in a function', '({ ...row, close', '({\n      ...row,\n\n      close'],
    ['the values of a dimension', "['spot', 'um']", "['spot', 'um', 'cm']"],
    ['the start of time', "start: '2020-01-01', lag: 0", "start: '2019-01-01', lag: 1"],
    ['the order of config', '{ scale: 2, list: [1, 2] }', '{ list: [1, 2], scale: 2 }'],
    ['a bar length no window asks for', 'bar: () => 1,', 'bar: () => 2,'],
    ['what stands beside it', /$/, '\nconst unrelated = 1;\nvoid unrelated;\n'],
    ['the SQL of its upstream', 'SELECT 1', 'SELECT 10'],
  ])('%s', async (_, from, to) => {
    expect(await changed(from, to)).toEqual([]);
  });
});

describe('changes with', () => {
  test.each<[string, string | RegExp, string, string[]]>([
    ['the SQL', 'NULL AS volume', '1.0 AS volume', ['byQuery']],
    ['the case of a name in SQL', 'AS close,', 'AS Close,', ['byQuery']],
    ['a text in SQL', "<> 'x'", "<> 'X'", ['byQuery']],
    ['a value in SQL, and in a function', 'LIMIT = 10', 'LIMIT = 11', ['byFunction', 'byQuery']],
    ['a partition value in SQL', 'partition.start', 'partition.end', ['byQuery']],
    ['a column reference in SQL', 'klines.symbol', 'klines.market', ['byQuery']],
    ['the name of a column', /volume/g, 'amount', ['byQuery']],
    ['the type of a column', 'close: double(), volume', 'close: text(), volume', ['byQuery']],
    ['whether a column may be NULL', 'volume: double().nullable()', 'volume: double()', ['byQuery']],
    [
      'the order of columns',
      'close: double(), volume: double().nullable()',
      'volume: double().nullable(), close: double()',
      ['byQuery'],
    ],
    [
      'the order of rows',
      "sortBy: ['open_time'],\n  timeColumn",
      "sortBy: ['open_time', 'close'],\n  timeColumn",
      ['byQuery'],
    ],
    ['the time column', "  timeColumn: 'open_time',\n", '', ['byQuery']],
    ['config', 'scale: 2', 'scale: 3', ['byQuery']],
    ['the length of a window', 'bars: 400', 'bars: 401', ['byQuery']],
    ['the length of a bar', '60_000', '60_001', ['byQuery']],
    ['a mapping', "from(second, { symbol: only('BTC')", "from(second, { symbol: only('ETH')", ['byQuery']],
    [
      'the order of alternatives',
      /(from\(first, \{ symbol: only\('BTC'\) \}\)), (from\(second, \{ symbol: only\('BTC'\) \}\))/,
      '$2, $1',
      ['byQuery'],
    ],
    ['the way it reads itself', 'earlier({ days: 1 })', 'earlier({ days: 2 })', ['byQuery']],
    ['an input', '    before: self({ date: earlier({ days: 1 }) }),\n', '', ['byQuery']],
    [
      'a dimension',
      'partitions: { market, date },\n  bar: ({',
      "partitions: { market, date, q: staticDimension(['a']) },\n  bar: ({",
      ['byQuery'],
    ],
    ['the key of an upstream', "'silver/second'", "'silver/other'", ['byFunction', 'byQuery']],
    ['the function', 'row.close ?? 0', 'row.close ?? 1', ['byFunction']],
    ['a function it calls', 'x + LIMIT', 'x - LIMIT', ['byFunction']],
    [
      'the need of an input',
      'ifPresent(from(first, { symbol: valuesBy',
      '((x) => x)(from(first, { symbol: valuesBy',
      ['byFunction'],
    ],
    ['a custom mapping of values', "value + 'BTC'", "value + 'ETH'", ['byFunction']],
    ['the name of a custom mapping', "valuesBy('btc'", "valuesBy('BTC'", ['byFunction']],
    [
      'a custom mapping of time',
      'upstream: ({ lo, hi }) => [lo, hi]',
      'upstream: ({ lo, hi }) => [lo - 1, hi]',
      ['byFunction'],
    ],
    [
      'the other way of it',
      'downstream: ({ lo, hi }) => [lo, hi]',
      'downstream: ({ lo, hi }) => [lo, hi + 1]',
      ['byFunction'],
    ],
    ['the columns of a format', "['a', 'b']", "['a', 'c']", ['byBytes']],
    ['the code of bytes', 'new Uint8Array()', 'new Uint8Array(1)', ['byBytes']],
    ['a said version', "codeVersion: '7'", "codeVersion: '8'", ['pinned']],
  ])('%s', async (_, from, to, names) => {
    expect(await changed(from, to)).toEqual(names);
  });
});

test('says what it cannot see', async () => {
  const text = LAKE.replace(
    /$/,
    `
const make = (factor: number) =>
  asset('gold/made', { columns: columns(columnsOfAll), sortBy: ['open_time'], compute: () => [{ open_time: new Date(factor), close: factor }] });
export const made = make(2);
`,
  );
  expect((await versions(text)).made?.captures).toEqual(['factor']);
});

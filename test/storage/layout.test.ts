import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCollision, hivePath, parseHivePath } from '../../framework/storage/layout.ts';

const SERIES = [
  { name: 'exchange', value: 'binance' },
  { name: 'market', value: 'spot' },
  { name: 'symbol', value: 'BTCUSDT' },
  { name: 'interval', value: '1m' },
];

const AWKWARD: readonly (readonly [string, string])[] = [
  ['A/B', 'A%2FB'],
  ['A\\B', 'A%5CB'],
  ['A=B', 'A%3DB'],
  ['100%', '100%25'],
  ['%2F', '%252F'],
  ['a:b*c?d', 'a%3Ab%2Ac%3Fd'],
  ['"<a>|\'#^', '%22%3Ca%3E%7C%27%23%5E'],
  ['[x]{y}', '%5Bx%5D%7By%7D'],
  ['a\0b\n\u007f\u0085', 'a%00b%0A%7F%C2%85'],
  ['.hidden', '%2Ehidden'],
  ['.', '%2E'],
  ['..', '%2E%2E'],
  ['end.', 'end%2E'],
  ['end ', 'end%20'],
  ['a.b c', 'a.b c'],
  ['NULL', '%4EULL'],
  ['null', '%6Eull'],
  ['NULLUSDT', 'NULLUSDT'],
  ['__HIVE_DEFAULT_PARTITION__', '%5F_HIVE_DEFAULT_PARTITION__'],
  ['币安人生USDT', '币安人生USDT'],
  ['A+B&C,D;E@F~G!H$I(J)', 'A+B&C,D;E@F~G!H$I(J)'],
  ['\u{1F600}', '\u{1F600}'],
];

describe('hive layout', () => {
  it('writes an asset, its series and a file', () => {
    const path = hivePath('silver/klines', SERIES, '2020.g7.parquet');
    expect(path).toBe('silver/klines/exchange=binance/market=spot/symbol=BTCUSDT/interval=1m/2020.g7.parquet');
    expect(parseHivePath(path)).toEqual({ assetKey: 'silver/klines', values: SERIES, fileName: '2020.g7.parquet' });
    expect(hivePath('ref/symbols', [], 'all.parquet')).toBe('ref/symbols/all.parquet');
    expect(parseHivePath('ref/symbols/a=b')).toEqual({ assetKey: 'ref/symbols', values: [], fileName: 'a=b' });
  });

  it.each(AWKWARD)('encodes %j as %j', (value, encoded) => {
    const path = hivePath('a', [{ name: 'v', value }], 'f');
    expect(path).toBe(`a/v=${encoded}/f`);
    expect(parseHivePath(path).values).toEqual([{ name: 'v', value }]);
  });

  it('is reversible and injective for any value, with names any disk can hold (property)', () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
    const value = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...' ./\\=%:*?"<>|[]{}\'#^\0\nAa币2F'), minLength: 1, maxLength: 8 }),
    );
    const values = fc.uniqueArray(fc.record({ name, value }), { selector: (v) => v.name, maxLength: 5 });
    const unsafe = /[\\:*?"<>|\p{Cc}]|(?:^|\/)\.{1,2}(?:\/|$)|[. ](?:\/|$)/u;
    fc.assert(
      fc.property(values, (given) => {
        const path = hivePath('gold/x', given, 'f.parquet');
        expect(path.split('/').length).toBe(given.length + 3);
        expect(path).not.toMatch(unsafe);
        expect(parseHivePath(path)).toEqual({ assetKey: 'gold/x', values: given, fileName: 'f.parquet' });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['an empty value', () => hivePath('a', [{ name: 'v', value: '' }], 'f'), "the value of 'v' is empty"],
    ['a strange dimension', () => hivePath('a', [{ name: 'v/w', value: 'x' }], 'f'), "'v/w' is no identifier"],
    ['a dimension twice', () => hivePath('a', [...SERIES, ...SERIES], 'f'), "'exchange' comes twice"],
    ['an asset with =', () => hivePath('a=b', [], 'f'), "'a=b' contains '='"],
    ['an asset that climbs', () => hivePath('../a', [], 'f'), "the segment '..'"],
    ['no asset', () => hivePath('', [], 'f'), "starts with '/'"],
    ['no file', () => hivePath('a', [], ''), 'an empty segment'],
    ['a file in a directory', () => hivePath('a', [], 'd/f'), "'d/f' contains '/'"],
    ['half a character', () => hivePath('a', [{ name: 'v', value: '\ud800' }], 'f'), 'not well-formed'],
    ['an endless value', () => hivePath('a', [{ name: 'v', value: '/'.repeat(90) }], 'f'), 'longer than 255 bytes'],
    ['a directory without =', () => parseHivePath('a/v=1/b/f'), "'b' should be name=value"],
    ['a broken escape', () => parseHivePath('a/v=%E5/f'), "'%E5' is not percent-encoded"],
    ['a needless escape', () => parseHivePath('a/v=%41/f'), 'not percent-encoded as it should be'],
    ['a small escape', () => parseHivePath('a/v=%2f/f'), 'not percent-encoded as it should be'],
    ['a missing escape', () => parseHivePath('a/v=1=2/f'), 'not percent-encoded as it should be'],
    ['values without an asset', () => parseHivePath('v=1/f'), "starts with '/'"],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ name: 'LakehouseError', kind: 'usage' }));
    expect(call).toThrow(message);
  });

  it('finds values that one directory would hold on a disk that ignores case', () => {
    expect(caseCollision(['1m', '1h', '1mo', '1d', '1m'])).toBeUndefined();
    expect(caseCollision(['1m', '1h', '1M'])).toEqual(['1m', '1M']);
    expect(caseCollision(['caf\u00e9', 'cafe\u0301'])).toEqual(['caf\u00e9', 'cafe\u0301']);
    expect(caseCollision([])).toBeUndefined();
  });

  it('is decoded by DuckDB to exactly the value that was meant', async () => {
    const root = await mkdtemp(join(tmpdir(), 'lakehouse-hive-'));
    try {
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const values = AWKWARD.map(([value]) => value).filter((value) => !value.includes('\0'));
      for (const [i, value] of values.entries()) {
        const path = join(root, hivePath('a', [{ name: 'v', value }], 'f.parquet'));
        await mkdir(dirname(path), { recursive: true });
        await connection.run(`COPY (SELECT ${i} AS i) TO '${path}' (FORMAT parquet)`);
      }
      const scan = `read_parquet('${root}/a/*/f.parquet', hive_partitioning = true, hive_types = {v: VARCHAR})`;
      const reader = await connection.runAndReadAll(`SELECT v FROM ${scan} ORDER BY i`);
      expect(reader.getRows().flat()).toEqual(values);
      connection.closeSync();
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});

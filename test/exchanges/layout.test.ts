import { existsSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from '../../assets/exchanges/binance/archive.ts';
import {
  type ArchiveFile,
  type ArchiveType,
  type ArchiveTypeName,
  archiveKey,
  archivePrefix,
  archiveTypes,
  asInterval,
  checksumKey,
  checksummedKey,
  hasDailyFiles,
  intervalMs,
  intervals,
  isInterval,
  klinesKey,
  parseArchiveKey,
} from '../../assets/exchanges/binance/layout.ts';

const day = { market: 'spot', cadence: 'daily', symbol: 'BTCUSDT', interval: '1m', period: '2020-01-01' } as const;

test('keys are those of the archive', () => {
  expect(klinesKey(day)).toBe('data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip');
  expect(klinesKey({ ...day, market: 'um', cadence: 'monthly', interval: '1mo', period: '2020-01' })).toBe(
    'data/futures/um/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2020-01.zip',
  );
  expect(klinesKey({ ...day, market: 'cm', symbol: 'BTCUSD_PERP' })).toBe(
    'data/futures/cm/daily/klines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2020-01-01.zip',
  );
});

test('prefixes', () => {
  expect(archivePrefix({ type: 'klines', market: 'spot', cadence: 'daily' })).toBe('data/spot/daily/klines/');
  expect(archivePrefix({ type: 'klines', market: 'cm', cadence: 'monthly', symbol: 'X' })).toBe(
    'data/futures/cm/monthly/klines/X/',
  );
  expect(klinesKey(day).startsWith(archivePrefix({ type: 'klines', ...day }))).toBe(true);
});

const types = Object.keys(archiveTypes) as ArchiveTypeName[];

const files: fc.Arbitrary<ArchiveFile> = fc.constantFrom(...types).chain((type) => {
  const of: ArchiveType = archiveTypes[type];
  return fc
    .record({
      market: fc.constantFrom(...of.markets),
      cadence: fc.constantFrom(...of.cadences),
      symbol: fc.stringMatching(/^[0-9A-Z_\u4e00-\u9fff-]{1,12}$/),
      interval: of.byInterval ? fc.constantFrom(...intervals) : fc.constant(undefined),
      time: fc.date({ min: new Date('2017-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
    })
    .map(({ time, cadence, ...rest }) => ({
      ...rest,
      type,
      cadence,
      period: time.toISOString().slice(0, cadence === 'daily' ? 10 : 7),
    }))
    .filter(({ cadence, interval }) => cadence === 'monthly' || interval === undefined || hasDailyFiles(interval));
});

test('parse(print(x)) = x', () => {
  fc.assert(
    fc.property(files, (file) => {
      expect(parseArchiveKey(archiveKey(file))).toEqual(file);
    }),
  );
});

test('keys of other types', () => {
  const funding = {
    type: 'fundingRate',
    market: 'um',
    cadence: 'monthly',
    symbol: 'BTCUSDT',
    period: '2026-04',
  } as const;
  expect(archiveKey(funding)).toBe('data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2026-04.zip');
  const daily = { cadence: 'daily', period: '2023-06-25' } as const;
  expect(archiveKey({ ...daily, type: 'liquidationSnapshot', market: 'cm', symbol: 'BTCUSD_PERP' })).toBe(
    'data/futures/cm/daily/liquidationSnapshot/BTCUSD_PERP/BTCUSD_PERP-liquidationSnapshot-2023-06-25.zip',
  );
  expect(archiveKey({ ...daily, type: 'markPriceKlines', market: 'um', symbol: 'BTCUSDT', interval: '1h' })).toBe(
    'data/futures/um/daily/markPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2023-06-25.zip',
  );
  expect(() => archiveKey({ ...funding, cadence: 'daily', period: '2026-04-01' })).toThrow(
    /no daily files of fundingRate/,
  );
  expect(() => archiveKey({ ...funding, market: 'spot' })).toThrow(/for spot/);
  expect(() => archiveKey({ ...funding, interval: '1h' })).toThrow(/has no intervals/);
});

test('everything else is not the key of a zip', () => {
  const others = [
    '',
    'data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip.CHECKSUM',
    'data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01.zip',
    'data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip',
    'data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-02-30.zip',
    'data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1h-2020-01-01.zip',
    'data/spot/daily/klines/BTCUSDT/1m/ETHUSDT-1m-2020-01-01.zip',
    'data/spot/daily/klines/BTCUSDT/1M/BTCUSDT-1M-2020-01-01.zip',
    'data/spot/daily/klines/BTCUSDT/1w/BTCUSDT-1w-2020-01-01.zip',
    'data/spot/daily/klines/../1m/..-1m-2020-01-01.zip',
    'data/spot/daily/trades/BTCUSDT/1m/BTCUSDT-trades-2020-01-01.zip',
    'data/spot/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2020-01.zip',
    'data/spot/daily/constructor/BTCUSDT/BTCUSDT-constructor-2020-01-01.zip',
    'data/futures/xm/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip',
    'x/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip',
    'data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip\n',
  ];
  expect(others.filter((key) => parseArchiveKey(key) !== undefined)).toEqual([]);
});

test('what cannot be a key is refused with what to write', () => {
  expect(() => klinesKey({ ...day, period: '2020-13-01' })).toThrow(/'2020-13-01' is not the period of a daily file/);
  expect(() => klinesKey({ ...day, cadence: 'monthly' })).toThrow(/a month like 2020-01/);
  expect(() => klinesKey({ ...day, interval: '3d' })).toThrow(/no daily files of 3d candles/);
  for (const symbol of ['', '..', 'A/B', 'A\\B', 'A B', 'A\0']) {
    expect(() => klinesKey({ ...day, symbol })).toThrow(/cannot be a symbol/);
  }
});

test('intervals', () => {
  expect(intervals.map((i) => (i === '1mo' ? i : `${i}=${intervalMs(i) / 1000}`)).join(' ')).toBe(
    '1s=1 1m=60 3m=180 5m=300 15m=900 30m=1800 1h=3600 2h=7200 4h=14400 6h=21600 8h=28800 12h=43200 1d=86400 3d=259200 1w=604800 1mo',
  );
  expect(intervals.filter((i) => !hasDailyFiles(i))).toEqual(['3d', '1w', '1mo']);
  expect(['1m', '1mo', '1M', 'toString', ''].map(isInterval)).toEqual([true, true, false, false, false]);
  expect(asInterval('1h')).toBe('1h');
  expect(() => asInterval('60m')).toThrow(/Unknown interval '60m'/);
});

test('CHECKSUM keys', () => {
  expect(checksumKey('a.zip')).toBe('a.zip.CHECKSUM');
  expect(checksummedKey('a.zip.CHECKSUM')).toBe('a.zip');
  expect(checksummedKey('a.zip')).toBeUndefined();
});

test('keys are ordered by their UTF-8 bytes', () => {
  const points = fc.oneof(
    fc.constantFrom(...'a/é中\uffee😀'),
    fc.integer({ min: 0x10000, max: 0x10ffff }).map((p) => String.fromCodePoint(p)),
  );
  const strings = fc.array(points, { maxLength: 4 }).map((p) => p.join(''));
  fc.assert(
    fc.property(
      strings,
      strings,
      (a, b) => Math.sign(compareKeys(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b)),
    ),
  );
});

const real = '../shared/data/archive/data';
describe.skipIf(!existsSync(real))('real keys (skipped where ../shared/data is absent)', () => {
  test('every zip parses and prints back', () => {
    const keys = readdirSync(real, { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.zip'))
      .map((f) => `data/${f.replaceAll('\\', '/')}`);
    expect(keys.length).toBeGreaterThan(50);
    for (const key of keys) {
      const object = parseArchiveKey(key);
      expect(object && archiveKey(object)).toBe(key);
    }
  });
});

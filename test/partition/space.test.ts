import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ranges from '../../framework/partition/ranges.ts';
import {
  acceptsSeries,
  type Dimension,
  existingTimes,
  parseKey,
  parseSeriesKey,
  partitionSpace,
  printKey,
  readSeriesKey,
  seriesKey,
} from '../../framework/partition/space.ts';
import { at, date, exchange, interval, klines, shown, symbol, unpartitioned } from './support.ts';

const btc = { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', interval: '1m' };
const known = { valuesOf: (name: string) => (name === 'symbol' ? ['BTCUSDT', 'ETHUSDT'] : []) };

describe('keys', () => {
  it('are hive paths in declared order', () => {
    expect(seriesKey(klines, btc)).toBe('exchange=binance/market=spot/symbol=BTCUSDT/interval=1m');
    expect(printKey(klines, { values: btc, time: at('day', '2024-01-01') })).toBe(
      'exchange=binance/market=spot/symbol=BTCUSDT/interval=1m/date=2024-01-01',
    );
    const timeFirst = partitionSpace([date, symbol]);
    expect(printKey(timeFirst, { values: { symbol: 'A' }, time: 0 })).toBe('date=1970-01-01/symbol=A');
    expect([seriesKey(unpartitioned, {}), printKey(unpartitioned, { values: {}, time: 0 })]).toEqual(['', '']);
    expect(parseKey(unpartitioned, '')).toEqual({ values: {}, time: 0 });
  });

  it('encode whatever a value contains, and leave nothing a path, filter or glob could trip over', () => {
    const values = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    const space = partitionSpace([{ type: 'dynamic', name: 'a' }, { type: 'dynamic', name: 'b' }, date]);
    fc.assert(
      fc.property(values, values, fc.integer({ min: 0, max: 40_000 }), (a, b, time) => {
        const key = seriesKey(space, { a, b });
        expect(key).toMatch(/^a=[\w.%-]+\/b=[\w.%-]+$/);
        expect(parseSeriesKey(space, key)).toEqual({ a, b });
        expect(readSeriesKey(key)).toEqual({ a, b });
        const ref = { values: { a, b }, time };
        expect(parseKey(space, printKey(space, ref))).toEqual(ref);
      }),
      { numRuns: 1000 },
    );
    expect(seriesKey(space, { a: '../x', b: '币安 *|?' })).toBe('a=..%2Fx/b=%E5%B8%81%E5%AE%89%20%2A%7C%3F');
  });

  it('cannot be made of empty, missing or ill-formed values', () => {
    const space = partitionSpace([symbol]);
    expect(shown(() => seriesKey(space, { symbol: '' }))).toMatchInlineSnapshot(
      `"bad-partition-value: A partition value is empty"`,
    );
    expect(shown(() => seriesKey(space, {}))).toMatchInlineSnapshot(
      `"missing-dimension: A series lacks a value for 'symbol'"`,
    );
    expect(shown(() => seriesKey(space, { symbol: 'a\ud800' }))).toMatchInlineSnapshot(
      `"bad-partition-value: Partition value "a\\ud800" is not valid Unicode"`,
    );
  });

  it('of a series parse only in their own space', () => {
    expect(shown(() => parseSeriesKey(klines, 'exchange=binance/market=spot'))).toMatchInlineSnapshot(
      `"bad-series-key: 'exchange=binance/market=spot' is not a series of (exchange, market, symbol, interval)"`,
    );
    const reordered = 'market=spot/exchange=binance/symbol=BTCUSDT/interval=1m';
    expect(shown(() => parseSeriesKey(klines, reordered))).toMatchInlineSnapshot(
      `"bad-series-key: 'market=spot/exchange=binance/symbol=BTCUSDT/interval=1m' is not a series of (exchange, market, symbol, interval)"`,
    );
    expect(shown(() => parseSeriesKey(partitionSpace([symbol]), 'symbol'))).toMatchInlineSnapshot(
      `"bad-series-key: 'symbol' is not a series key"`,
    );
    expect(shown(() => readSeriesKey('symbol=%E0%A4%A'))).toMatchInlineSnapshot(
      `"bad-series-key: 'symbol=%E0%A4%A' is not a series key"`,
    );
  });
});

describe('parseKey', () => {
  it('takes any order, either separator, and fills in what has one value', () => {
    const ref = { values: btc, time: at('day', '2020-01-02') };
    expect(parseKey(klines, 'market=spot/symbol=BTCUSDT/interval=1m/date=2020-01-02')).toEqual(ref);
    expect(parseKey(klines, 'date=2020-01-02, interval=1m, symbol=BTCUSDT, market=spot, exchange=binance')).toEqual(
      ref,
    );
    const one = { valuesOf: () => ['BTCUSDT'] };
    expect(parseKey(klines, 'market=spot,interval=1m,date=2020-01-02', one)).toEqual(ref);
  });

  it('refuses what does not name one partition, saying where and what to write', () => {
    const cases = [
      ['a dimension misspelt', 'market=spot/symbl=BTCUSDT/interval=1m/date=2020-01-02'],
      ['a dimension left out', 'market=spot/symbol=BTCUSDT/date=2020-01-02'],
      ['a known dynamic dimension left out', 'market=spot/interval=1m/date=2020-01-02'],
      ['the time left out', 'market=spot/symbol=BTCUSDT/interval=1m'],
      ['a static value misspelt', 'market=sport/symbol=BTCUSDT/interval=1m/date=2020-01-02'],
      ['a dynamic value misspelt', 'market=spot/symbol=BTCUSD/interval=1m/date=2020-01-02'],
      ['a day that does not exist', 'market=spot/symbol=BTCUSDT/interval=1m/date=2020-02-30'],
      ['a coarser time', 'market=spot/symbol=BTCUSDT/interval=1m/date=2020-02'],
      ['a glob', 'market=spot/symbol=BTC*/interval=1m/date=2020-01-02'],
      ['no equals sign', 'spot/symbol=BTCUSDT'],
      ['an empty part', 'market=spot//symbol=BTCUSDT'],
      ['an empty value', 'market=/symbol=BTCUSDT'],
      ['no name', 'market=spot/=BTCUSDT'],
      ['a dimension twice', 'market=spot,market=um'],
      ['a broken percent sequence', 'market=spot/symbol=%zz/interval=1m/date=2020-01-02'],
    ] as const;
    const report = cases.map(([name, text]) => `# ${name}\n${shown(() => parseKey(klines, text, known))}`);
    expect(report.join('\n\n')).toMatchInlineSnapshot(`
      "# a dimension misspelt
      unknown-dimension: There is no dimension 'symbl' (column 13)
        market=spot/symbl=BTCUSDT/interval=1m/date=2020-01-02
                    ^
      => Did you mean 'symbol'?

      # a dimension left out
      missing-dimension: 'market=spot/symbol=BTCUSDT/date=2020-01-02' does not say which 'interval'
      => Add interval=1m|1h|1d.

      # a known dynamic dimension left out
      missing-dimension: 'market=spot/interval=1m/date=2020-01-02' does not say which 'symbol'
      => Add symbol=BTCUSDT|ETHUSDT.

      # the time left out
      missing-dimension: 'market=spot/symbol=BTCUSDT/interval=1m' does not say which 'date'
      => Add date=2024-01-01.

      # a static value misspelt
      bad-partition-value: 'market' has no value 'sport' (column 8)
        market=sport/symbol=BTCUSDT/interval=1m/date=2020-01-02
               ^
      => Did you mean 'spot'?

      # a dynamic value misspelt
      bad-partition-value: 'symbol' has no value 'BTCUSD' (column 20)
        market=spot/symbol=BTCUSD/interval=1m/date=2020-01-02
                           ^
      => Did you mean 'BTCUSDT'?

      # a day that does not exist
      bad-partition-value: '2020-02-30' is not a day for 'date' (column 45)
        market=spot/symbol=BTCUSDT/interval=1m/date=2020-02-30
                                                    ^
      => Write it like 2024-01-01.

      # a coarser time
      bad-partition-value: '2020-02' is not a day for 'date' (column 45)
        market=spot/symbol=BTCUSDT/interval=1m/date=2020-02
                                                    ^
      => Write it like 2024-01-01.

      # a glob
      bad-partition-value: 'BTC*' is not one value (column 20)
        market=spot/symbol=BTC*/interval=1m/date=2020-01-02
                           ^
      => Globs and alternatives belong in --partitions.

      # no equals sign
      bad-partition-key: Expected dimension=value, found 'spot' (column 1)
        spot/symbol=BTCUSDT
        ^

      # an empty part
      bad-partition-key: Expected dimension=value, found nothing (column 13)
        market=spot//symbol=BTCUSDT
                    ^

      # an empty value
      bad-partition-key: Expected a value for 'market' (column 8)
        market=/symbol=BTCUSDT
               ^

      # no name
      bad-partition-key: Expected the name of a dimension before = (column 13)
        market=spot/=BTCUSDT
                    ^

      # a dimension twice
      bad-partition-key: 'market' is given twice (column 13)
        market=spot,market=um
                    ^
      => Write alternatives as market=a|b.

      # a broken percent sequence
      bad-partition-value: '%zz' is not a percent-encoded value (column 20)
        market=spot/symbol=%zz/interval=1m/date=2020-01-02
                           ^
      => Write % itself as %25."
    `);
  });

  it('names the filter that excludes a value', () => {
    const text = 'market=spot/symbol=BTCBUSD/interval=1m/date=2020-01-02';
    expect(shown(() => parseKey(klines, text))).toMatchInlineSnapshot(`
      "bad-partition-value: 'BTCBUSD' is not a value of 'symbol': it is excluded by its filter, !*BUSD (column 20)
        market=spot/symbol=BTCBUSD/interval=1m/date=2020-01-02
                           ^"
    `);
  });

  it('says so when the asset is not partitioned', () => {
    expect(shown(() => parseKey(unpartitioned, 'date=2020-01-01'))).toMatchInlineSnapshot(`
      "unknown-dimension: There is no dimension 'date' (column 1)
        date=2020-01-01
        ^
      => It is not partitioned."
    `);
  });
});

describe('acceptsSeries', () => {
  it('checks static lists, dynamic filters and completeness', () => {
    const cases = [{}, { market: 'otc' }, { symbol: 'BTCBUSD' }, { symbol: '' }];
    expect(cases.map((change) => acceptsSeries(klines, { ...btc, ...change }))).toEqual([true, false, false, false]);
    expect(acceptsSeries(klines, { exchange: 'binance' })).toBe(false);
    expect(acceptsSeries(unpartitioned, {})).toBe(true);
  });
});

describe('existingTimes', () => {
  const day = (text: string) => at('day', text);
  const noon = Date.parse('2020-01-05T12:00Z');
  const spaceWith = (change: { lag?: number; end?: number }) => {
    const dimension: Dimension = {
      type: 'time',
      name: 'date',
      grain: 'day',
      start: day('2020-01-01'),
      lag: 0,
      ...change,
    };
    return partitionSpace([exchange, interval, dimension]);
  };

  it('are the closed periods, later by the lag', () => {
    const until = (change: { lag?: number; end?: number }, now = noon) =>
      ranges.last(existingTimes(spaceWith(change), now));
    expect(until({})).toBe(day('2020-01-04'));
    expect(until({ lag: -1 })).toBe(day('2020-01-05'));
    expect(until({ lag: 2 })).toBe(day('2020-01-02'));
    expect(until({ end: day('2020-01-03') })).toBe(day('2020-01-02'));
    expect(until({}, Date.parse('2020-01-05T00:00Z'))).toBe(day('2020-01-04'));
    expect(until({}, Date.parse('2020-01-05T00:00Z') - 1)).toBe(day('2020-01-03'));
    expect(ranges.first(existingTimes(spaceWith({}), noon))).toBe(day('2020-01-01'));
  });

  it('are none before the start, and one without a time dimension', () => {
    expect(existingTimes(spaceWith({}), Date.parse('2020-01-01T12:00Z'))).toEqual(ranges.EMPTY);
    expect(existingTimes(unpartitioned, 0)).toEqual({ bounds: [0, 1] });
  });
});

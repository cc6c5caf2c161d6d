import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ranges from '../../framework/partition/ranges.ts';
import * as sets from '../../framework/partition/set.ts';
import { partitionSpace, seriesKey } from '../../framework/partition/space.ts';
import { at, date, interval, klines, shown, symbol, unpartitioned } from './support.ts';

const space = partitionSpace([symbol, interval, date]);
const symbols = fc.constantFrom('BTCUSDT', 'ETHUSDT', '1INCH', 'a/b', '币安');
const keys = fc
  .tuple(symbols, fc.constantFrom('1m', '1h', '1d'))
  .map(([s, i]) => seriesKey(space, { symbol: s, interval: i }));
const pointLists = fc.array(fc.tuple(keys, fc.integer({ min: 18_000, max: 18_020 })), { maxLength: 80, size: 'max' });
const partitionSets = pointLists.map(sets.fromPoints);
const asSet = (set: sets.PartitionSet) => new Set([...sets.points(set)].map((point) => point.join('@')));
const day = (text: string) => at('day', text);

describe('partition sets', () => {
  it('agree with sets of points in every operation', () => {
    fc.assert(
      fc.property(partitionSets, partitionSets, keys, fc.integer({ min: 18_000, max: 18_020 }), (a, b, key, time) => {
        const [x, y] = [asSet(a), asSet(b)];
        expect(asSet(sets.union(a, b))).toEqual(new Set([...x, ...y]));
        expect(asSet(sets.intersect(a, b))).toEqual(new Set([...x].filter((i) => y.has(i))));
        expect(asSet(sets.subtract(a, b))).toEqual(new Set([...x].filter((i) => !y.has(i))));
        expect(sets.countOf(a)).toBe(x.size);
        expect(sets.isEmpty(a)).toBe(x.size === 0);
        expect(sets.has(a, key, time)).toBe(x.has(`${key}@${time}`));
        expect(sets.equals(a, b)).toBe(x.size === y.size && [...x].every((i) => y.has(i)));
      }),
    );
  });

  it('obey the laws of set algebra structurally, in key order and without empty entries', () => {
    fc.assert(
      fc.property(partitionSets, partitionSets, partitionSets, (a, b, c) => {
        const { union, intersect, subtract } = sets;
        expect([...union(a, b).bySeries]).toEqual([...union(b, a).bySeries]);
        expect(intersect(a, union(b, c))).toEqual(union(intersect(a, b), intersect(a, c)));
        expect(union(subtract(a, b), intersect(a, b))).toEqual(a);
        expect(intersect(subtract(a, b), b)).toEqual(sets.EMPTY_SET);
        expect(sets.unionAll([a, b, c])).toEqual(union(a, union(b, c)));
        expect(sets.fromPoints([...sets.points(a)].reverse())).toEqual(a);
        for (const set of [a, union(a, b), intersect(a, b), subtract(a, b)]) {
          const found = [...set.bySeries.keys()];
          expect(found).toEqual(found.toSorted());
          expect([...set.bySeries.values()].some(ranges.isEmpty)).toBe(false);
        }
      }),
    );
  });

  it('unite series that are given twice', () => {
    const [one, two] = [ranges.range(0, 3), ranges.range(2, 5)];
    expect(
      sets.fromSeries([
        ['b', one],
        ['a', one],
        ['b', two],
        ['c', ranges.EMPTY],
      ]),
    ).toEqual(
      sets.fromSeries([
        ['a', one],
        ['b', ranges.range(0, 5)],
      ]),
    );
    const text = 'symbol=A|A/interval=1m/date=2020-01-01..2020-01-02\nsymbol=A/interval=1m/date=2020-01-02..2020-01-04';
    expect(sets.printSet(space, sets.parseSet(space, text))).toBe('symbol=A/interval=1m/date=2020-01-01..2020-01-04');
  });

  it('hold a million partitions of one series in two numbers', () => {
    const million = sets.fromSeries([['symbol=BTCUSDT', ranges.range(0, 1_000_000)]]);
    expect(sets.countOf(million)).toBe(1_000_000);
    const half = sets.subtract(million, sets.fromSeries([['symbol=BTCUSDT', ranges.range(250_000, 750_000)]]));
    expect([...half.bySeries]).toEqual([['symbol=BTCUSDT', { bounds: [0, 250_000, 750_000, 1_000_000] }]]);
  });
});

describe('printSet and parseSet', () => {
  it('are inverses, for any set and separator', () => {
    fc.assert(
      fc.property(partitionSets, fc.constantFrom('\n' as const, '; ' as const), (set, separator) => {
        const text = sets.printSet(space, set, separator);
        expect([...sets.parseSet(space, text).bySeries]).toEqual([...set.bySeries]);
      }),
      { numRuns: 500 },
    );
  });

  it('join series of the same times, and print ranges with both ends included', () => {
    const key = (s: string, i: string) =>
      seriesKey(klines, { exchange: 'binance', market: 'spot', symbol: s, interval: i });
    const times = ranges.fromRanges([
      [day('2020-01-01'), day('2020-01-04')],
      [day('2020-01-05'), day('2020-01-06')],
    ]);
    const set = sets.fromSeries([
      [key('BTCUSDT', '1m'), times],
      [key('ETHUSDT', '1m'), times],
      [key('BTCUSDT', '1h'), times],
      [key('ETHUSDT', '1h'), times],
      [key('ADAUSDT', '1h'), ranges.range(day('2020-02-01'), day('2020-02-02'))],
    ]);
    expect(sets.printSet(klines, set)).toMatchInlineSnapshot(`
      "exchange=binance/market=spot/symbol=ADAUSDT/interval=1h/date=2020-02-01
      exchange=binance/market=spot/symbol=BTCUSDT|ETHUSDT/interval=1h|1m/date=2020-01-01..2020-01-03|2020-01-05"
    `);
    expect(sets.parseSet(klines, sets.printSet(klines, set))).toEqual(set);
  });

  it('print time where it is declared, and spaces without time or dimensions', () => {
    const timeFirst = partitionSpace([date, symbol]);
    const one = sets.fromPoints([['symbol=A', day('2020-01-01')]]);
    expect(sets.printSet(timeFirst, one)).toBe('date=2020-01-01/symbol=A');
    expect(sets.parseSet(timeFirst, 'symbol=A,date=2020-01-01')).toEqual(one);
    const timeless = sets.fromPoints([
      ['symbol=A', 0],
      ['symbol=B', 0],
    ]);
    expect(sets.printSet(partitionSpace([symbol]), timeless)).toBe('symbol=A|B');
    expect(sets.parseSet(partitionSpace([symbol]), 'symbol=A|B')).toEqual(timeless);
    const whole = sets.fromPoints([['', 0]]);
    expect([sets.printSet(unpartitioned, whole), sets.printSet(unpartitioned, sets.EMPTY_SET)]).toEqual(['*', '']);
    expect(sets.parseSet(unpartitioned, '*')).toEqual(whole);
    expect(sets.parseSet(unpartitioned, '')).toEqual(sets.EMPTY_SET);
    expect(sets.parseSet(space, '')).toEqual(sets.EMPTY_SET);
  });

  it('let dimensions with one value be left out', () => {
    const text = 'market=spot/symbol=BTCUSDT/interval=1m/date=2020-01-01..2020-01-03';
    expect(sets.printSet(klines, sets.parseSet(klines, text))).toBe(`exchange=binance/${text}`);
  });

  it('refuse what is not a set, saying where and what to write', () => {
    const cases = [
      ['a reversed range', 'symbol=A/interval=1m/date=2020-01-03..2020-01-01'],
      ['an open range', 'symbol=A/interval=1m/date=2020-01-03..'],
      ['a bad alternative', 'symbol=A/interval=1m|2m/date=2020-01-03'],
      ['a bad second time', 'symbol=A/interval=1m/date=2020-01-03|2020-02-31'],
      ['a missing dimension on a second line', 'symbol=A/interval=1m/date=2020-01-03\nsymbol=A/date=2020-01-03'],
      ['* for a partitioned asset', '*'],
    ] as const;
    const report = cases.map(([name, text]) => `# ${name}\n${shown(() => sets.parseSet(space, text))}`);
    expect(report.join('\n\n')).toMatchInlineSnapshot(`
      "# a reversed range
      bad-partition-value: '2020-01-03..2020-01-01' ends before it starts (column 27)
        symbol=A/interval=1m/date=2020-01-03..2020-01-01
                                  ^

      # an open range
      bad-partition-value: '' is not a day for 'date' (column 39)
        symbol=A/interval=1m/date=2020-01-03..
                                              ^
      => Write it like 2024-01-01.

      # a bad alternative
      bad-partition-value: 'interval' has no value '2m' (column 22)
        symbol=A/interval=1m|2m/date=2020-01-03
                             ^
      => Did you mean '1m'?

      # a bad second time
      bad-partition-value: '2020-02-31' is not a day for 'date' (column 38)
        symbol=A/interval=1m/date=2020-01-03|2020-02-31
                                             ^
      => Write it like 2024-01-01.

      # a missing dimension on a second line
      missing-dimension: 'symbol=A/date=2020-01-03' does not say which 'interval'
      => Add interval=1m|1h|1d.

      # * for a partitioned asset
      missing-dimension: '*' means an asset without partitions; this one has symbol, interval, date"
    `);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../framework/common/errors.ts';
import { applyFilter, checkFilter, parseFilter } from '../../framework/partition/filter.ts';
import * as ranges from '../../framework/partition/ranges.ts';
import * as sets from '../../framework/partition/set.ts';
import { partitionSpace, seriesKey } from '../../framework/partition/space.ts';
import { formatIndex, GRAINS } from '../../framework/partition/time.ts';
import { at, date, interval, klines, market, shown, symbol, timeOf, unpartitioned } from './support.ts';

const space = partitionSpace([symbol, interval, date]);
const january = ranges.range(at('day', '2020-01-01'), at('day', '2020-02-01'));
const all = sets.fromSeries(
  ['BTCUSDT', 'ETHUSDT', 'ETHBTC'].flatMap((s) =>
    ['1m', '1h'].map((i) => [seriesKey(space, { symbol: s, interval: i }), january] as const),
  ),
);
const filtered = (text: string) => sets.printSet(space, applyFilter(space, all, parseFilter(text)));

describe('applyFilter', () => {
  it.each([
    [
      'date=2020-01-01..2020-01-03,symbol=BTCUSDT|ETH*,interval=1m',
      'symbol=BTCUSDT|ETHBTC|ETHUSDT/interval=1m/date=2020-01-01..2020-01-03',
    ],
    ['symbol=ETH*/interval=1h/date=2020-01-05', 'symbol=ETHBTC|ETHUSDT/interval=1h/date=2020-01-05'],
    ['symbol=???BTC,interval=1?', 'symbol=ETHBTC/interval=1h|1m/date=2020-01-01..2020-01-31'],
    ['symbol=BTCUSDT, interval=1m, date=2020-01-30..', 'symbol=BTCUSDT/interval=1m/date=2020-01-30..2020-01-31'],
    ['symbol=BTCUSDT,interval=1m,date=..2020-01-02', 'symbol=BTCUSDT/interval=1m/date=2020-01-01..2020-01-02'],
    ['symbol=BTCUSDT,interval=1m,date=2020', 'symbol=BTCUSDT/interval=1m/date=2020-01-01..2020-01-31'],
    ['symbol=BTCUSDT,interval=1m,date=2019..2020-01-02', 'symbol=BTCUSDT/interval=1m/date=2020-01-01..2020-01-02'],
    ['symbol=BTCUSDT,interval=1m,date=2020-01-31T23', 'symbol=BTCUSDT/interval=1m/date=2020-01-31'],
    [
      'symbol=BTCUSDT,interval=1m,date=2020-01-02|2020-01-04..2020-01-05',
      'symbol=BTCUSDT/interval=1m/date=2020-01-02|2020-01-04..2020-01-05',
    ],
    ['symbol=BTC', ''],
    ['date=2021', ''],
  ])('%s', (text, expected) => {
    expect(filtered(text)).toBe(expected);
  });

  it('ignores dimensions the space lacks, and applies times whatever their name', () => {
    const months = partitionSpace([timeOf('month', 'month')]);
    const set = sets.fromSeries([['', ranges.range(at('month', '2020-01'), at('month', '2020-06'))]]);
    const apply = (text: string) => sets.printSet(months, applyFilter(months, set, parseFilter(text)));
    expect(apply('date=2020-01-31..2020-02-01,symbol=BTCUSDT')).toBe('month=2020-01..2020-02');
    expect(apply('symbol=BTCUSDT')).toBe('month=2020-01..2020-05');
    expect(apply('date=2020-01-31,month=2020-04')).toBe('month=2020-04');
    const whole = sets.fromPoints([['', 0]]);
    expect(applyFilter(unpartitioned, whole, parseFilter('date=1999,symbol=X'))).toBe(whole);
  });

  it('lets a listed dimension have values that look like times', () => {
    const futures = partitionSpace([{ type: 'dynamic', name: 'contract' }, date]);
    const set = sets.fromSeries(['2020', '2021', '2020-03'].map((c) => [seriesKey(futures, { contract: c }), january]));
    expect(sets.printSet(futures, applyFilter(futures, set, parseFilter('contract=2020,date=2020-01-01')))).toBe(
      'contract=2020/date=2020-01-01',
    );
  });

  it('matches encoded characters literally', () => {
    const odd = partitionSpace([symbol]);
    const set = sets.fromSeries(
      ['a*b', 'axb', 'a/b', '币安', '1.5', '1x5'].map((s) => [seriesKey(odd, { symbol: s }), ranges.range(0, 1)]),
    );
    const apply = (text: string) => sets.printSet(odd, applyFilter(odd, set, parseFilter(text)));
    expect(['symbol=a%2Ab', 'symbol=a?b', 'symbol=a%2fb', 'symbol=币*', 'symbol=1.5'].map(apply)).toEqual([
      'symbol=a%2Ab',
      'symbol=a%2Ab|a%2Fb|axb',
      'symbol=a%2Fb',
      'symbol=%E5%B8%81%E5%AE%89',
      'symbol=1.5',
    ]);
  });

  it('keeps exactly one partition for the text of that partition, in every grain', () => {
    const indices = fc.integer({ min: 0, max: 2000 });
    fc.assert(
      fc.property(fc.constantFrom(...GRAINS), indices, indices, (grain, a, b) => {
        const times = partitionSpace([timeOf(grain, 'at')]);
        const set = sets.fromSeries([['', ranges.range(0, 2001)]]);
        const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
        const filter = parseFilter(`at=${formatIndex(grain, lo)}..${formatIndex(grain, hi)}`);
        expect(applyFilter(times, set, filter)).toEqual(sets.fromSeries([['', ranges.range(lo, hi + 1)]]));
      }),
    );
  });

  it('refuses names for a time, and ranges of names', () => {
    expect(shown(() => applyFilter(space, all, parseFilter('date=BTCUSDT')))).toMatchInlineSnapshot(`
      "bad-partition-filter: 'BTCUSDT' is not a time, but 'date' is a dimension of time
      => Write it like 2024-01-01."
    `);
    expect(shown(() => applyFilter(space, all, parseFilter('symbol=2020-01-01..')))).toMatchInlineSnapshot(`
      "bad-partition-filter: 'symbol' is a dimension of names, '2020-01-01..' is a range of times
      => Write alternatives as symbol=a|b, or globs."
    `);
  });
});

describe('parseFilter', () => {
  it('is data', () => {
    expect(parseFilter('symbol=BTC*|ETHUSDT,date=2020-01-01..2020-01-02|2020-02')).toEqual({
      listed: new Map([['symbol', ['BTC*', 'ETHUSDT']]]),
      time: [
        { name: 'date', fromMs: Date.UTC(2020, 0, 1), toMs: Date.UTC(2020, 0, 3), text: '2020-01-01..2020-01-02' },
        { name: 'date', fromMs: Date.UTC(2020, 1, 1), toMs: Date.UTC(2020, 2, 1), text: '2020-02' },
      ],
      text: 'symbol=BTC*|ETHUSDT,date=2020-01-01..2020-01-02|2020-02',
    });
  });

  it('refuses what it cannot read, pointing at the column', () => {
    const cases = [
      '',
      'symbol',
      'symbol=',
      'symbol=A,,interval=1m',
      'symbol=A,symbol=B',
      'symbol=A||B',
      'symbol=A,date=2020-13-01',
      'date=2020-01-03..2020-01-01',
      'date=2020-01-01..yesterday',
      'date=..',
      'date=2020-01-01..2020-01-02|BTC',
      'date=2020-01..|BTC',
      'symbol=%zz',
    ];
    const report = cases.map((text) => `# ${JSON.stringify(text)}\n${shown(() => parseFilter(text))}`);
    expect(report.join('\n\n')).toMatchInlineSnapshot(`
      "# ""
      bad-partition-filter: Expected dimension=value, found nothing (column 1)
        
        ^

      # "symbol"
      bad-partition-filter: Expected dimension=value, found 'symbol' (column 1)
        symbol
        ^

      # "symbol="
      bad-partition-filter: Expected a value for 'symbol' (column 8)
        symbol=
               ^

      # "symbol=A,,interval=1m"
      bad-partition-filter: Expected dimension=value, found nothing (column 10)
        symbol=A,,interval=1m
                 ^

      # "symbol=A,symbol=B"
      bad-partition-filter: 'symbol' is given twice (column 10)
        symbol=A,symbol=B
                 ^
      => Write alternatives as symbol=a|b.

      # "symbol=A||B"
      bad-partition-filter: An alternative of 'symbol' is empty (column 10)
        symbol=A||B
                 ^

      # "symbol=A,date=2020-13-01"
      bad-partition-filter: '2020-13-01' is not a time (column 15)
        symbol=A,date=2020-13-01
                      ^
      => Write e.g. 2024-01-05, 2024-01, 2024-01..2024-03 or 2024-01-05..

      # "date=2020-01-03..2020-01-01"
      bad-partition-filter: '2020-01-03..2020-01-01' ends before it starts (column 6)
        date=2020-01-03..2020-01-01
             ^

      # "date=2020-01-01..yesterday"
      bad-partition-filter: '2020-01-01..yesterday' is not a time (column 6)
        date=2020-01-01..yesterday
             ^
      => Write e.g. 2024-01-05, 2024-01, 2024-01..2024-03 or 2024-01-05..

      # "date=.."
      bad-partition-filter: '..' is not a time (column 6)
        date=..
             ^
      => Write e.g. 2024-01-05, 2024-01, 2024-01..2024-03 or 2024-01-05..

      # "date=2020-01-01..2020-01-02|BTC"
      bad-partition-filter: '2020-01-01..2020-01-02|BTC' mixes times and names (column 6)
        date=2020-01-01..2020-01-02|BTC
             ^
      => Ranges are for times only.

      # "date=2020-01..|BTC"
      bad-partition-filter: '2020-01..|BTC' mixes times and names (column 6)
        date=2020-01..|BTC
             ^
      => Ranges are for times only.

      # "symbol=%zz"
      bad-partition-filter: '%zz' is not percent-encoded (column 8)
        symbol=%zz
               ^
      => Write % itself as %25."
    `);
  });
});

describe('checkFilter', () => {
  const spaces = [klines, partitionSpace([market, timeOf('month')]), unpartitioned];
  const issues = (text: string) =>
    checkFilter(parseFilter(text), spaces).map((issue) => `${issue.code}: ${formatIssue(issue)}`);

  it('accepts what any of the spaces has', () => {
    expect(issues('market=spot|u*,symbol=NEW,date=2020,month=2020-01')).toEqual([]);
  });

  it('reports unknown dimensions, unknown static values and the wrong kind, all at once', () => {
    expect(
      issues('symbl=BTCUSDT,year=2020,market=spto|um,interval=2*,date=BTC,exchange=2020..').join('\n'),
    ).toMatchInlineSnapshot(`
      "unknown-dimension: symbl: There is no dimension 'symbl' among the partitions filtered
          Did you mean 'symbol'?
      bad-partition-value: market: 'market' has no value 'spto'
          Did you mean 'spot'?
      bad-partition-filter: date: 'BTC' is not a time, but 'date' is a dimension of time
          Write it like 2024-01-01.
      unknown-dimension: year: There is no dimension 'year' among the partitions filtered
          Known: exchange, market, symbol, interval, date, month
      bad-partition-filter: exchange: 'exchange' is a dimension of names, '2020..' is a range of times
          Write alternatives as exchange=a|b, or globs."
    `);
  });
});

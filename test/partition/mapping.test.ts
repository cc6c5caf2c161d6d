import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../framework/common/errors.ts';
import {
  type IndexRange,
  type ListedRule,
  type MappingSpec,
  type ResolvedMapping,
  resolveMapping,
  type TimeRule,
  type WindowBound,
} from '../../framework/partition/mapping.ts';
import { type Dimension, type PartitionSpace, partitionSpace } from '../../framework/partition/space.ts';
import { endOf, GRAINS, type Grain, indexAt, startOf } from '../../framework/partition/time.ts';
import { at, date, exchange, interval, klines, market, shown, symbol, timeOf, unpartitioned } from './support.ts';

const BAR_MS: Record<string, number> = { '1m': 60_000, '1h': 3_600_000, '1d': 86_400_000 };
const helpers = { barMs: (values: Readonly<Record<string, string>>) => BAR_MS[values.interval ?? ''] };
const values = { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', interval: '1h' };

function resolve(spec: MappingSpec, down: PartitionSpace, up: PartitionSpace = down): ResolvedMapping {
  const result = resolveMapping(spec, down, up, helpers);
  if ('issues' in result) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.mapping;
}

function timed(time: TimeRule, down: Grain, up: Grain): ResolvedMapping {
  const self = time.rule === 'earlier';
  return resolve({ time, listed: {}, self }, partitionSpace([timeOf(down)]), partitionSpace([timeOf(up)]));
}

/** Milliseconds of a bound that is a length of time, for `values`. */
function milliseconds(bound: WindowBound): number | undefined {
  if ('index' in bound) return undefined;
  if ('days' in bound) return bound.days * 86_400_000;
  return 'hours' in bound ? bound.hours * 3_600_000 : bound.bars * 3_600_000;
}

const meets = (a: IndexRange, b: IndexRange) => a[0] < b[1] && b[0] < a[1] && a[0] < a[1] && b[0] < b[1];

const grains = fc.constantFrom(...GRAINS);
const instants = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2030, 0, 1) });
const unit = fc.constantFrom('index', 'days', 'hours', 'bars');
const bound = (name: string, n: number) => ({ [name]: n }) as unknown as WindowBound;
const size = fc.integer({ min: -800, max: 800 });
const windows: fc.Arbitrary<TimeRule> = fc.oneof(
  fc.tuple(unit, size, size).map(([name, a, b]) => ({
    rule: 'window' as const,
    from: bound(name, Math.min(a, b)),
    to: bound(name, Math.max(a, b)),
  })),
  fc.tuple(unit, unit, size, size).map(([one, other, a, b]) => ({
    rule: 'window' as const,
    from: bound(one, -Math.abs(a)),
    to: bound(other, Math.abs(b)),
  })),
  fc.tuple(unit, size).map(([name, a]) => ({ rule: 'window' as const, from: bound(name, -Math.abs(a)) })),
);
const earlier = fc
  .tuple(unit, size)
  .map(([name, n]) => ({ rule: 'earlier' as const, by: bound(name, Math.abs(n) + 1) }));
/** Rules that relate any two grains, and rules that need the same one. */
const regular = fc.oneof(
  fc.tuple(fc.oneof(windows, fc.constant<TimeRule>({ rule: 'overlapping' })), grains, grains),
  fc
    .tuple(fc.oneof(earlier, fc.constant<TimeRule>({ rule: 'same' })), grains)
    .map(([rule, grain]) => [rule, grain, grain] as const),
  fc.tuple(
    fc.constantFrom<TimeRule>(
      { rule: 'all' },
      { rule: 'only', text: ['2019'] },
      { rule: 'only', text: ['2019-02..2020'] },
    ),
    grains,
    grains,
  ),
);

describe('regular time mappings, over all pairs of grains', () => {
  it('read exactly the upstream partitions that overlap the instants of the window', () => {
    const timeWindows = windows.filter(
      (w) => w.rule === 'window' && !('index' in w.from) && !('index' in (w.to ?? { days: 0 })),
    );
    fc.assert(
      fc.property(timeWindows, grains, grains, instants, (rule, down, up, ms) => {
        if (rule.rule !== 'window') return;
        const t = indexAt(down, ms);
        const [lo, hi] = timed(rule, down, up).upstream(values, t);
        const start = startOf(down, t) + (milliseconds(rule.from) ?? 0);
        const end = endOf(down, t) + (milliseconds(rule.to ?? { days: 0 }) ?? 0);
        // Both ends: the first and last overlap the window, their outer neighbours do not.
        const overlaps = (u: number) => startOf(up, u) < end && endOf(up, u) > start;
        expect([lo - 1, lo, hi - 1, hi].map(overlaps)).toEqual([false, true, true, false]);
      }),
      { numRuns: 2000 },
    );
  });

  it('count index offsets from the upstream partitions that overlap', () => {
    fc.assert(
      fc.property(grains, grains, size, size, instants, (down, up, a, b, ms) => {
        const t = indexAt(down, ms);
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const [lo, hi] = timed({ rule: 'overlapping' }, down, up).upstream(values, t);
        const rule: TimeRule = { rule: 'window', from: { index: from }, to: { index: to } };
        expect(timed(rule, down, up).upstream(values, t)).toEqual([lo + from, hi + to]);
      }),
    );
  });

  it('answer downstream exactly: t is in it if and only if its upstream meets the range', () => {
    fc.assert(
      fc.property(
        regular,
        instants,
        instants,
        fc.integer({ min: 1, max: 500 }),
        ([rule, down, up], ms, other, length) => {
          const mapping = timed(rule, down, up);
          const lo = indexAt(up, ms);
          const range: IndexRange = [lo, lo + length];
          const [first, end] = mapping.downstream(values, ...range);
          for (const t of [
            first - 1,
            first,
            first + 1,
            end - 1,
            end,
            end + 1,
            indexAt(down, other),
            indexAt(down, ms),
          ]) {
            if (Math.abs(t) > 1e6) continue; // "every time" has no neighbours that are times
            expect(meets(mapping.upstream(values, t), range)).toBe(t >= first && t < end);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('give back every partition from its own upstream', () => {
    fc.assert(
      fc.property(regular, instants, ([rule, down, up], ms) => {
        const mapping = timed(rule, down, up);
        const t = indexAt(down, ms);
        const [first, end] = mapping.downstream(values, ...mapping.upstream(values, t));
        expect([first <= t, t < end]).toEqual([true, true]);
      }),
      { numRuns: 1000 },
    );
  });

  it('never go back and leave no gap as t grows; core is part of upstream; nothing maps to nothing', () => {
    fc.assert(
      fc.property(regular, instants, ([rule, down, up], ms) => {
        const mapping = timed(rule, down, up);
        const t = indexAt(down, ms);
        const [lo, hi] = mapping.upstream(values, t);
        const [nextLo, nextHi] = mapping.upstream(values, t + 1);
        expect([mapping.monotone, lo < hi, lo <= nextLo, hi <= nextHi, nextLo <= hi]).toEqual(Array(5).fill(true));
        const [coreLo, coreHi] = mapping.core(values, t);
        expect(coreHi > coreLo).toBe(mapping.impliesExistence);
        if (coreHi > coreLo) expect([lo <= coreLo, coreHi <= hi]).toEqual([true, true]);
        const [first, end] = mapping.downstream(values, lo, lo);
        expect(end).toBe(first);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('time mappings by example', () => {
  const daily = partitionSpace([interval, date]);
  const day = (text: string) => at('day', text);
  const bars = (n: number): TimeRule => ({ rule: 'window', from: { bars: n } });

  it('turn bars into days by the interval of the partition', () => {
    const mapping = resolve({ time: bars(-400), listed: {} }, daily);
    const days = (name: string) => {
      const [lo, hi] = mapping.upstream({ interval: name }, 1000);
      return [lo - 1000, hi - 1000];
    };
    expect(['1m', '1h', '1d', '1m'].map(days)).toEqual([
      [-1, 1],
      [-17, 1],
      [-400, 1],
      [-1, 1],
    ]);
    expect(mapping.downstream({ interval: '1h' }, 1000, 1001)).toEqual([1000, 1018]);
    expect(mapping.core({ interval: '1h' }, 1000)).toEqual([1000, 1001]);
  });

  it('fail for a series whose bars have no known length', () => {
    const mapping = resolve({ time: bars(-400), listed: {} }, daily);
    expect(shown(() => mapping.upstream({ interval: '1w' }, 1000))).toMatchInlineSnapshot(`
      "no-bar-length: The length of one bar is not known for interval=1w
      => Give the \`bar\` option of the asset, or write the window in days or hours."
    `);
  });

  it('read nothing of the window itself when it excludes the partition', () => {
    const mapping = resolve({ time: { rule: 'window', from: { days: -7 }, to: { days: -1 } }, listed: {} }, daily);
    expect(mapping.upstream(values, 1000)).toEqual([993, 1000]);
    expect(mapping.core(values, 1000)).toEqual([0, 0]);
    expect(mapping.impliesExistence).toBe(false);
  });

  it('take months to days and back, and a lookback in days across the grain', () => {
    const month = at('month', '2024-03');
    const refine = timed({ rule: 'overlapping' }, 'month', 'day');
    expect(refine.upstream(values, month)).toEqual([day('2024-03-01'), day('2024-04-01')]);
    expect(refine.core(values, month)).toEqual([day('2024-03-01'), day('2024-04-01')]);
    expect(refine.downstream(values, day('2024-02-29'), day('2024-03-02'))).toEqual([month - 1, month + 1]);
    const coarsen = timed({ rule: 'overlapping' }, 'day', 'month');
    expect(coarsen.upstream(values, day('2024-03-31'))).toEqual([month, month + 1]);
    expect(coarsen.downstream(values, month, month + 1)).toEqual([day('2024-03-01'), day('2024-04-01')]);
    const lookback = timed({ rule: 'window', from: { days: -31 } }, 'month', 'day');
    expect(lookback.upstream(values, month)).toEqual([day('2024-01-30'), day('2024-04-01')]);
  });

  it('let an asset read itself earlier, which implies nothing', () => {
    const spec: MappingSpec = { time: { rule: 'earlier', by: { index: 1 } }, listed: {}, self: true };
    const mapping = resolve(spec, klines);
    expect(mapping.upstream(values, 1000)).toEqual([999, 1000]);
    expect(mapping.downstream(values, 1000, 1001)).toEqual([1001, 1002]);
    expect([mapping.core(values, 1000), mapping.impliesExistence, mapping.self, mapping.identity]).toEqual([
      [0, 0],
      false,
      true,
      false,
    ]);
    expect(resolve({ ...spec, time: { rule: 'earlier', by: { days: 7 } } }, klines).upstream(values, 1000)).toEqual([
      993, 1000,
    ]);
    expect(resolve({ ...spec, time: { rule: 'earlier', by: { hours: 1 } } }, klines).upstream(values, 1000)).toEqual([
      999, 1000,
    ]);
  });

  it('read named times, in one range', () => {
    const named = (...text: string[]) => timed({ rule: 'only', text }, 'day', 'day');
    expect(named('2024-01-05').upstream(values, 0)).toEqual([day('2024-01-05'), day('2024-01-06')]);
    expect(named('2024-01', '2024-02-01..2024-02-03').upstream(values, 0)).toEqual([
      day('2024-01-01'),
      day('2024-02-04'),
    ]);
    expect(named('2024').downstream(values, day('2025-01-01'), day('2025-01-02'))).toEqual([0, 0]);
    expect(timed({ rule: 'only', text: ['2024-01-01'] }, 'day', 'week').upstream(values, 0)).toEqual([
      at('week', '2024-01-01'),
      at('week', '2024-01-08'),
    ]);
  });

  it('relate assets with and without time', () => {
    const plain = resolve({ time: { rule: 'same' }, listed: {} }, daily, partitionSpace([interval]));
    expect(plain.upstream(values, 1000)).toEqual([0, 1]);
    expect(plain.core(values, 1000)).toEqual([0, 1]);
    expect(plain.downstream(values, 0, 1)).toEqual([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    expect([plain.identity, plain.impliesExistence]).toEqual([false, true]);
    const summary = resolve({ time: { rule: 'all' }, listed: { interval: { rule: 'all' } } }, unpartitioned, daily);
    expect(summary.downstream(values, 1000, 1001)).toEqual([0, 1]);
    expect(summary.upstream({}, 0)).toEqual([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    expect([summary.core({}, 0), summary.impliesExistence]).toEqual([[0, 0], false]);
    expect(resolve({ time: { rule: 'all' }, listed: {} }, unpartitioned).identity).toBe(true);
  });

  it('ask custom functions in both directions, with grains', () => {
    const asked: unknown[] = [];
    const mapping = resolve(
      {
        time: {
          rule: 'custom',
          id: 'quarter',
          upstream: ({ lo, hi, from, to }) => {
            asked.push([from, to]);
            return [lo - 3, hi];
          },
          downstream: ({ lo, hi, from, to }) => {
            asked.push([from, to]);
            return [lo, hi + 3];
          },
        },
        listed: {},
      },
      partitionSpace([timeOf('month')]),
      partitionSpace([timeOf('day')]),
    );
    expect(mapping.upstream(values, 10)).toEqual([7, 11]);
    expect(mapping.downstream(values, 10, 12)).toEqual([10, 15]);
    expect(asked).toEqual([
      ['month', 'day'],
      ['day', 'month'],
    ]);
    expect(mapping.monotone).toBe(false);
  });
});

describe('series', () => {
  const same: TimeRule = { rule: 'same' };
  const join = (listed: Record<string, ListedRule>, down: PartitionSpace, up: PartitionSpace = klines) => {
    const mapping = resolve({ time: same, listed }, down, up);
    return { mapping, down: mapping.joinDown(values), up: mapping.joinUp(values) };
  };
  const without = (name: string) => partitionSpace(klines.dimensions.filter((d) => d.name !== name));

  it('are the same by default: the fast path', () => {
    const { mapping, down, up } = join({}, klines);
    expect(down).toEqual([up]);
    expect([mapping.identity, mapping.impliesExistence, mapping.description]).toEqual([
      true,
      true,
      'the same partition',
    ]);
    const reordered = partitionSpace([interval, market, exchange, symbol, date]);
    expect(join({}, reordered).mapping.identity).toBe(false);
    expect(join({}, reordered).down).toEqual([join({}, reordered).up]);
  });

  it('are joined on what they share when all values of a dimension are read', () => {
    const { mapping, down, up } = join({ symbol: { rule: 'all' } }, without('symbol'));
    expect([down, up]).toEqual([
      ['exchange=binance/market=spot/interval=1h'],
      'exchange=binance/market=spot/interval=1h',
    ]);
    expect(mapping.joinUp({ ...values, symbol: 'ETHUSDT' })).toBe(up);
    expect([mapping.identity, mapping.impliesExistence]).toEqual([false, true]);
  });

  it('are never read when not among the named ones', () => {
    const { mapping, up } = join({ symbol: { rule: 'only', values: ['BTCUSDT'] } }, klines);
    expect([up, mapping.joinUp({ ...values, symbol: 'ETHUSDT' })]).toEqual([
      'exchange=binance/market=spot/interval=1h',
      undefined,
    ]);
    // BTCUSDT existing says nothing about which other symbols do.
    expect(mapping.impliesExistence).toBe(false);
    expect(join({ symbol: { rule: 'only', values: ['BTCUSDT'] } }, without('symbol')).mapping.impliesExistence).toBe(
      true,
    );
  });

  it('are broadcast over dimensions the upstream lacks', () => {
    const { mapping, down } = join({}, klines, without('symbol'));
    expect(down).toEqual(['exchange=binance/market=spot/interval=1h']);
    expect(mapping.impliesExistence).toBe(false);
    expect(join({}, klines, without('interval')).mapping.impliesExistence).toBe(true);
  });

  it('take values from another dimension, or from a function', () => {
    const coin: Dimension = { type: 'dynamic', name: 'coin' };
    const byCoin = partitionSpace([coin, date]);
    const up = partitionSpace([symbol, date]);
    const from = resolve({ time: same, listed: { symbol: { rule: 'from', dimension: 'coin' } } }, byCoin, up);
    expect([from.joinDown({ coin: 'BTC' }), from.joinUp({ symbol: 'BTC' })]).toEqual([['symbol=BTC'], 'symbol=BTC']);
    expect(from.impliesExistence).toBe(true);
    const rule: ListedRule = {
      rule: 'custom',
      id: 'pairs',
      upstream: (_, { coin }) => [`${coin}USDT`, `${coin}USDC`, `${coin}USDT`],
    };
    const custom = resolve({ time: same, listed: { symbol: rule } }, byCoin, up);
    expect([custom.joinDown({ coin: 'BTC' }), custom.joinUp({ symbol: 'BTCUSDC' })]).toEqual([
      ['symbol=BTCUSDT', 'symbol=BTCUSDC'],
      'symbol=BTCUSDC',
    ]);
    expect(custom.impliesExistence).toBe(false);
  });

  it('may be the same on request although the definitions differ', () => {
    const fewer: Dimension = { type: 'static', name: 'interval', values: ['1h'] };
    const down = partitionSpace([fewer, date]);
    const up = partitionSpace([interval, date]);
    expect(resolve({ time: same, listed: { interval: { rule: 'same' } } }, down, up).joinDown(values)).toEqual([
      'interval=1h',
    ]);
    const shuffled: Dimension = { type: 'static', name: 'interval', values: ['1d', '1m', '1h'] };
    expect(resolve({ time: same, listed: {} }, partitionSpace([shuffled, date]), up).identity).toBe(true);
  });
});

describe('problems', () => {
  const month = partitionSpace([symbol, timeOf('month')]);
  const timeless = partitionSpace([symbol]);
  const up = partitionSpace([symbol, date]);
  const same: TimeRule = { rule: 'same' };
  const cases: [string, MappingSpec, PartitionSpace, PartitionSpace][] = [
    ['grains differ', { time: same, listed: {} }, month, up],
    ['upstream has time, this has not', { time: same, listed: {} }, timeless, up],
    ['a window without time', { time: { rule: 'window', from: { days: -1 } }, listed: {} }, timeless, up],
    [
      'a window over an upstream without time',
      { time: { rule: 'window', from: { days: -1 } }, listed: {} },
      up,
      timeless,
    ],
    ['a dimension only the upstream has', { time: same, listed: {} }, partitionSpace([interval, date]), up],
    [
      'a dimension defined differently',
      { time: same, listed: {} },
      partitionSpace([{ type: 'static', name: 'symbol', values: ['A'] }, date]),
      up,
    ],
    ['a rule for no dimension', { time: same, listed: { symbl: { rule: 'all' } } }, up, up],
    [
      'a value that does not exist',
      { time: same, listed: { interval: { rule: 'only', values: ['1m', '1min'] } } },
      klines,
      klines,
    ],
    ['no value', { time: same, listed: { interval: { rule: 'only', values: [] } } }, klines, klines],
    ['from no dimension', { time: same, listed: { symbol: { rule: 'from', dimension: 'simbol' } } }, up, up],
    ['reversed window', { time: { rule: 'window', from: { days: 1 }, to: { days: -1 } }, listed: {} }, up, up],
    ['mixed units', { time: { rule: 'window', from: { days: -7 }, to: { index: -1 } }, listed: {} }, up, up],
    ['fractions', { time: { rule: 'window', from: { days: -0.5 } }, listed: {} }, up, up],
    ['earlier of another asset', { time: { rule: 'earlier', by: { index: 1 } }, listed: {} }, up, up],
    ['earlier by nothing', { time: { rule: 'earlier', by: { days: 0 } }, listed: {}, self: true }, up, up],
    ['itself at the same time', { time: same, listed: {}, self: true }, up, up],
    ['times with gaps', { time: { rule: 'only', text: ['2024-01-01', '2024-01-03'] }, listed: {} }, up, up],
    ['a time that is none', { time: { rule: 'only', text: ['2024-02-30'] }, listed: {} }, up, up],
    ['an open time', { time: { rule: 'only', text: ['2024..'] }, listed: {} }, up, up],
    ['no time', { time: { rule: 'only', text: [] }, listed: {} }, up, up],
    ['two at once', { time: same, listed: { symbl: { rule: 'all' } } }, partitionSpace([timeOf('month')]), up],
  ];

  it('are told with what to write instead', () => {
    const report = cases.map(([name, spec, down, upstream]) => {
      const result = resolveMapping(spec, down, upstream, helpers);
      if (!('issues' in result)) throw new Error(`${name} was accepted`);
      return [`# ${name}`, ...result.issues.map((issue) => `${issue.code}: ${formatIssue(issue)}`)].join('\n');
    });
    expect(report.join('\n\n')).toMatchInlineSnapshot(`
      "# grains differ
      mapping-needed: time: This asset has one partition per month, the upstream one per day
          Write date: overlapping() for every day that overlaps the month.

      # upstream has time, this has not
      mapping-needed: time: The upstream is partitioned by 'date', this asset has no time
          Write date: all() for every day, or date: at('2024-01-01').

      # a window without time
      mapping-needed: time: The upstream is partitioned by 'date', this asset has no time
          Write date: all() for every day, or date: at('2024-01-01').

      # a window over an upstream without time
      no-time-dimension: time: The upstream has no time dimension, so 'window' does not apply
          Leave it out.

      # a dimension only the upstream has
      mapping-needed: listed.symbol: The upstream has a dimension 'symbol' that this asset does not have
          Write symbol: all() to read every value, symbol: only('…') for some, or symbol: dimension('interval') to take it from another dimension.

      # a dimension defined differently
      mapping-needed: listed.symbol: 'symbol' is defined differently in this asset and in the upstream
          Write symbol: all() to read every value, symbol: only('…') for some.

      # a rule for no dimension
      unknown-dimension: listed.symbl: The upstream has no listed dimension 'symbl'
          Did you mean 'symbol'?

      # a value that does not exist
      bad-partition-value: listed.interval: 'interval' has no value '1min'
          Known: 1m, 1h, 1d

      # no value
      bad-partition-value: listed.interval: only() names no value of 'interval'

      # from no dimension
      unknown-dimension: listed.symbol: This asset has no listed dimension 'simbol' to take 'symbol' from
          Did you mean 'symbol'?

      # reversed window
      bad-window: time: The window ends (-1) before it starts (1)
          Lookback is negative: from -30 to 0.

      # mixed units
      bad-window: time: A window from -7 days to -1 partitions may be empty
          Write both ends in the same unit, or let it include the partition itself.

      # fractions
      bad-window: time: A window from -0.5 to 0 is not in whole numbers
          Use a finer unit, e.g. hours for days.

      # earlier of another asset
      earlier-needs-self: time: earlier() relates an asset to itself
          For another asset write a window() instead.

      # earlier by nothing
      bad-window: time: earlier() cannot go back by 0
          Give a whole number of at least 1.

      # itself at the same time
      self-needs-earlier: time: An asset can read itself only at an earlier time
          Write earlier({ partitions: 1 }).

      # times with gaps
      times-not-adjacent: time: The times 2024-01-01, 2024-01-03 have gaps between them
          Declare one input for each.

      # a time that is none
      bad-partition-value: time: '2024-02-30' is not a time of 'date'
          Write it like 2024-01-01.

      # an open time
      bad-partition-value: time: '2024..' is not a time of 'date'
          Write it like 2024-01-01.

      # no time
      bad-partition-value: time: at() names no time

      # two at once
      mapping-needed: time: This asset has one partition per month, the upstream one per day
          Write date: overlapping() for every day that overlaps the month.
      unknown-dimension: listed.symbl: The upstream has no listed dimension 'symbl'
          Did you mean 'symbol'?
      mapping-needed: listed.symbol: The upstream has a dimension 'symbol' that this asset does not have
          Write symbol: all() to read every value, symbol: only('…') for some."
    `);
  });
});

describe('descriptions', () => {
  it('read as a sentence', () => {
    const day = partitionSpace([symbol, interval, date]);
    const month = partitionSpace([symbol, interval, timeOf('month')]);
    const week = partitionSpace([symbol, interval, timeOf('week')]);
    const all: ListedRule = { rule: 'all' };
    const cases: [TimeRule, Record<string, ListedRule>, PartitionSpace, PartitionSpace][] = [
      [{ rule: 'same' }, {}, day, day],
      [{ rule: 'same' }, { symbol: all }, day, day],
      [{ rule: 'window', from: { bars: -400 } }, { symbol: all }, day, day],
      [{ rule: 'window', from: { days: -7 }, to: { days: -1 } }, {}, day, day],
      [{ rule: 'window', from: { days: -1 }, to: { hours: 12 } }, {}, day, day],
      [{ rule: 'window', from: { index: 0 }, to: { index: 3 } }, {}, day, day],
      [{ rule: 'window', from: { index: -3 } }, {}, day, month],
      [{ rule: 'overlapping' }, {}, day, month],
      [{ rule: 'overlapping' }, { interval: { rule: 'only', values: ['1m', '1h'] } }, month, day],
      [{ rule: 'overlapping' }, {}, month, week],
      [{ rule: 'all' }, { symbol: { rule: 'from', dimension: 'interval' } }, day, day],
      [{ rule: 'only', text: ['2024-01', '2024-02-01'] }, {}, day, day],
      [{ rule: 'only', text: ['2024-01-01'] }, {}, day, day],
      [{ rule: 'earlier', by: { index: 1 } }, {}, day, day],
      [{ rule: 'earlier', by: { days: 7 } }, {}, day, day],
      [{ rule: 'custom', id: 'quarter', upstream: () => [0, 1], downstream: () => [0, 1] }, {}, day, day],
      [{ rule: 'same' }, { symbol: { rule: 'custom', id: 'pairs', upstream: () => [] } }, day, day],
      [{ rule: 'same' }, { symbol: all }, day, partitionSpace([symbol])],
    ];
    const lines = cases.map(([time, listed, down, up]) => {
      return resolve({ time, listed, self: time.rule === 'earlier' }, down, up).description;
    });
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "the same partition
      the same day, all symbols
      the 400 bars up to it, all symbols
      from 7 days before to 1 day before it
      from 1 day before to 12 hours after it
      it and the 3 days after it
      the 3 months up to it
      the month it is in
      the days in it, interval 1m|1h
      the weeks that overlap it
      all days, symbol as in interval
      only 2024-01-01..2024-02-01
      only 2024-01-01
      itself one day before
      itself in the 7 days before
      times by quarter
      the same day, symbols by pairs
      all symbols"
    `);
  });
});

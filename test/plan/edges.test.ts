import {
  all,
  asset,
  columns,
  daily,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  ifPresent,
  monthly,
  overlapping,
  self,
  source,
  sql,
  staticDimension,
  text,
  timesBy,
  window,
} from 'crypto-lakehouse';
import { afterEach, describe, expect, test } from 'vitest';
import * as sets from '../../framework/partition/set.ts';
import type { AssetEvaluation } from '../../framework/plan/evaluate.ts';
import { batchesOf } from '../../framework/plan/plan.ts';
import { Scenario } from './scenario.ts';

const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const month = monthly({ start: '2020-01' });
const shape = { columns: columns({ v: text() }), sortBy: ['v'] as const, query: () => sql`SELECT 1 AS v` };
async function* nothing(): AsyncGenerator<never> {}

/** Days of January 2020 of a symbol at a version. */
const days = (name: string, first: number, last = first, version = 'v1') =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, i) => [
      `symbol=${name}/date=2020-01-${String(first + i).padStart(2, '0')}`,
      version,
    ]),
  );

const archive = source('src/archive', { partitions: { symbol, date }, observe: nothing });
const months = source('src/months', { partitions: { symbol, month }, observe: nothing });
const bronze = asset('bronze/b', { partitions: { symbol, date }, inputs: { a: archive }, ...shape });
const bronzeMonths = asset('bronze/m', { partitions: { symbol, month }, inputs: { a: months }, ...shape });
const silver = asset('silver/s', { partitions: { symbol, date }, inputs: { b: bronze }, ...shape });
const either = asset('silver/e', {
  partitions: { symbol, date },
  inputs: { raw: firstAvailable(from(bronzeMonths, { month: overlapping() }), bronze) },
  ...shape,
});
const overview = asset('gold/o', { partitions: { date }, inputs: { s: from(silver, { symbol: all() }) }, ...shape });
const optional = asset('gold/p', {
  partitions: { symbol, date },
  inputs: { a: archive, s: ifPresent(silver) },
  ...shape,
});

const open: Scenario[] = [];
function scenario(assets: ConstructorParameters<typeof Scenario>[0], now = '2020-04-15T00:00:00Z'): Scenario {
  const made = new Scenario(assets, { now });
  open.push(made);
  return made;
}
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});
const failing =
  (...names: string[]) =>
  (key: string, partition: string, read: readonly string[]) =>
    names.includes(`${key} ${partition}`) ? undefined : read.join();
const departs = (lake: Scenario, request?: Parameters<Scenario['plan']>[0]) =>
  lake.plan(request).plan.steps.flatMap((s) => (s.type === 'depart' ? [s.asset] : []));
const holds = (lake: Scenario, request?: Parameters<Scenario['plan']>[0]) =>
  lake.plan(request).plan.steps.flatMap((s) => (s.type === 'hold' ? [`${s.asset} ${s.reason}`] : []));

describe('what leaves', () => {
  test('a fan-in over a source is stale once when a symbol is excluded, and not for ever', () => {
    const direct = asset('gold/d', { partitions: { date }, inputs: { a: from(archive, { symbol: all() }) }, ...shape });
    const lake = scenario([direct]);
    lake.observe('src/archive', { ...days('A', 1, 3), ...days('B', 2) });
    lake.run();
    lake.define([direct], {}, { symbol: ['A'] });
    expect(departs(lake)).toEqual(['src/archive']);
    expect(lake.steps()).toEqual({ 'gold/d': '1/0' });
    expect(lake.run()).toBe(1);
    expect(lake.run()).toBe(0);
    expect(lake.status('gold/d')).toEqual({ fresh: 3 });
  });

  test('departures that something selected has read are recorded even when their asset is not selected', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', { ...days('A', 1, 2), ...days('B', 1) });
    lake.run();
    lake.define([overview], {}, { symbol: ['A'] });
    expect(departs(lake, { selection: 'gold/o' })).toEqual(['silver/s']);
    expect(lake.run({ selection: 'gold/o' })).toBe(1);
    expect(lake.run({ selection: 'gold/o' })).toBe(0);
  });

  test('--partitions restricts departures to what matches and what was read by what is computed', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', { ...days('A', 1, 2), ...days('B', 1, 2) });
    lake.run();
    lake.define([overview], {}, { symbol: ['A'] });
    lake.run({ partitions: 'date=2020-01-01' });
    expect(lake.status('silver/s')).toEqual({ fresh: 2, leaving: 1 });
    expect(lake.status('gold/o')).toEqual({ fresh: 1, stale: 1 });
    expect(departs(lake, { selection: 'bronze/b', partitions: 'symbol=A' })).toEqual([]);
  });

  test('departed is the cause only where the newest change is a departure', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', { ...days('A', 1), ...days('B', 1) });
    lake.run();
    lake.define([overview], {}, { symbol: ['A'] });
    lake.run();
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    lake.run({ selection: 'bronze/b,silver/s' });
    const step = lake.plan().plan.steps.find((s) => s.type === 'materialize');
    expect(step?.causes).toEqual({ data: 1 });
    expect(lake.explain('gold/o', 'date=2020-01-01').reasons.map((r) => r.type)).toEqual(['data']);
  });

  test('an archive of originals keeps what one of two sources withdraws, also while that might still come back', () => {
    const second = source('src/second', { partitions: { symbol, date }, observe: nothing });
    const kept = asset('bronze/k', {
      partitions: { symbol, date },
      inputs: { a: archive, b: second },
      keepWithdrawn: true,
      ...shape,
    });
    const lake = scenario([kept], '2020-01-04T01:00:00Z');
    lake.observe('src/archive', days('A', 1, 3));
    lake.observe('src/second', days('A', 1, 3));
    lake.run();
    lake.observe('src/archive', days('A', 1), true);
    expect(lake.status('src/archive')).toEqual({ fresh: 1, awaiting: 2 });
    expect(lake.status('bronze/k')).toEqual({ fresh: 3 });
    lake.now += 5 * 86_400_000;
    expect(lake.status('bronze/k')).toMatchObject({ fresh: 3 });
    expect(lake.run()).toBe(0);
  });
});

describe('what exists', () => {
  test('the years between two lives of a series do not exist, a short pause is unavailable', () => {
    const lake = scenario([silver], '2020-03-05T12:00:00Z');
    lake.observe('src/archive', { ...days('A', 1, 2), ...days('A', 5, 6), 'symbol=A/date=2020-03-01': 'v1' });
    // The 3rd and 4th of January, and the 2nd of March; then the lag of two days.
    expect(lake.status('silver/s')).toEqual({ missing: 5, unavailable: 3, awaiting: 2 });
  });

  test('at the edge of the publication lag awaiting turns into unavailable', () => {
    const lake = scenario([silver], '2020-01-04T23:59:59Z');
    lake.observe('src/archive', days('A', 1));
    expect(lake.status('silver/s')).toEqual({ missing: 1, awaiting: 2 });
    lake.now += 1000;
    expect(lake.status('silver/s')).toEqual({ missing: 1, unavailable: 1, awaiting: 2 });
  });

  test('a source that was never observed makes nothing exist, and nothing fresh', () => {
    const total = asset('gold/t', {
      partitions: {},
      inputs: { s: from(silver, { symbol: all(), date: all() }) },
      ...shape,
    });
    const lake = scenario([overview, total]);
    expect(lake.status('silver/s')).toEqual({});
    expect(lake.status('gold/o')).toEqual({});
    // It exists whatever its inputs, but what it requires is not there: not computed of nothing.
    expect(lake.status('gold/t')).toEqual({ awaiting: 1 });
    expect(lake.explain('gold/t', '').reasons.at(-1)?.message).toBe('an input it requires has nothing yet');
    expect(lake.run()).toBe(0);
  });

  test('an asset per symbol that reads all days exists for every symbol there is', () => {
    const perSymbol = asset('gold/ps', {
      partitions: { symbol },
      inputs: { s: from(silver, { date: all() }) },
      ...shape,
    });
    const lake = scenario([perSymbol]);
    lake.observe('src/archive', { ...days('A', 1, 3), ...days('B', 2) });
    lake.run();
    expect(lake.status('gold/ps')).toEqual({ fresh: 2 });
  });

  test('two optional inputs: unavailable where both are', () => {
    const second = source('src/second', { partitions: { symbol, date }, observe: nothing });
    const two = asset('gold/two', {
      partitions: { symbol, date },
      inputs: { a: ifPresent(archive), b: ifPresent(second) },
      ...shape,
    });
    const lake = scenario([two]);
    lake.observe('src/archive', { ...days('A', 1), ...days('A', 4) });
    lake.observe('src/second', { ...days('A', 1, 2), ...days('A', 4) });
    expect(lake.status('gold/two')).toEqual({ missing: 3, unavailable: 1 });
  });

  test('an input that asks for nothing: read where it is there, stale when it comes, never waited for', () => {
    const compared = asset('silver/c', {
      partitions: { symbol, month },
      inputs: { m: ifPresent(bronzeMonths), d: ifPresent(from(bronze, { date: overlapping() }), { ask: false }) },
      ...shape,
    });
    const lake = scenario([either, compared]);
    lake.observe('src/archive', days('A', 1, 3));
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    expect(lake.steps()).toEqual({ 'bronze/m': '1/0', 'silver/c': '1/0', 'silver/e': '31/0' });
    lake.run();
    expect([lake.status('silver/c'), lake.status('bronze/b')]).toEqual([{ fresh: 1 }, { unneeded: 3 }]);
    expect(lake.steps()).toEqual({});
    expect(lake.steps({ selection: '+silver/c', force: true })).toEqual({ 'bronze/m': '1/0', 'silver/c': '1/0' });

    lake.content = failing('bronze/b symbol=A/date=2020-01-02');
    lake.run({ selection: '+bronze/b' });
    expect([lake.status('silver/c'), lake.status('bronze/b')]).toEqual([{ stale: 1 }, { fresh: 2, failed: 1 }]);
    lake.run();
    expect(lake.status('silver/c')).toEqual({ fresh: 1 });
    expect(lake.steps()).toEqual({});

    // What nothing else reads is there for its own sake.
    const noted = asset('gold/n', {
      partitions: { symbol, date },
      inputs: { e: either, s: ifPresent(silver, { ask: false }) },
      ...shape,
    });
    const other = scenario([noted]);
    other.observe('src/archive', days('A', 1, 3));
    expect(other.steps()).toEqual({ 'bronze/b': '3/0', 'silver/s': '3/0', 'silver/e': '3/0', 'gold/n': '3/0' });
    expect(other.steps({ selection: '+gold/n' })).toEqual({ 'bronze/b': '3/0', 'silver/e': '3/0', 'gold/n': '3/0' });
  });

  test('two required inputs: only where both exist, unavailable where either is', () => {
    const second = source('src/second', { partitions: { symbol, date }, observe: nothing });
    const two = asset('gold/two', { partitions: { symbol, date }, inputs: { a: archive, b: second }, ...shape });
    const lake = scenario([two]);
    lake.observe('src/archive', days('A', 1, 4));
    lake.observe('src/second', { ...days('A', 2), ...days('A', 4, 6) });
    expect(lake.status('gold/two')).toEqual({ missing: 2, unavailable: 1 });
    // What only the one has is read by nothing, and is computed for its own sake.
    const loose = asset('gold/l', { partitions: { symbol, date }, inputs: { b: silver, c: second }, ...shape });
    const other = scenario([loose]);
    other.observe('src/archive', days('A', 1, 4));
    other.observe('src/second', days('A', 2));
    expect(other.steps()).toEqual({ 'bronze/b': '4/0', 'silver/s': '4/0', 'gold/l': '1/0' });
    expect(other.steps({ selection: '+gold/l' })).toEqual({ 'bronze/b': '1/0', 'silver/s': '1/0', 'gold/l': '1/0' });
    expect(other.steps({ selection: 'bronze/b+' })).toEqual({ 'bronze/b': '4/0', 'silver/s': '4/0', 'gold/l': '1/0' });
  });

  test('a custom mapping makes exist what it reads, not what has the same time', () => {
    const shifted = timesBy('next day', {
      upstream: ({ lo, hi }) => [lo - 10, hi - 10],
      downstream: ({ lo, hi }) => [lo + 10, hi + 10],
    });
    const later = asset('gold/later', {
      partitions: { symbol, date },
      inputs: { s: from(silver, { date: shifted }) },
      ...shape,
    });
    const lake = scenario([later]);
    lake.observe('src/archive', days('A', 1, 2));
    lake.run();
    expect(lake.log.filter((l) => l.startsWith('gold'))).toEqual([
      'gold/later symbol=A/date=2020-01-11',
      'gold/later symbol=A/date=2020-01-12',
    ]);
  });

  test('static dimensions only, and none at all', () => {
    const flat = source('src/flat', { partitions: {}, observe: nothing });
    const side = staticDimension(['x', 'y']);
    const sides = asset('gold/sides', { partitions: { side }, inputs: { f: from(flat, {}) }, ...shape });
    const one = asset('gold/one', { partitions: {}, inputs: { s: from(sides, { side: all() }) }, ...shape });
    const lake = scenario([one]);
    expect(lake.status('gold/one')).toEqual({});
    lake.observe('src/flat', { '': 'v1' });
    expect(lake.steps()).toEqual({ 'gold/sides': '2/0', 'gold/one': '1/0' });
    lake.run();
    expect(lake.status('gold/one')).toEqual({ fresh: 1 });
    expect(lake.run()).toBe(0);
  });
});

describe('a source that is not wanted', () => {
  const second = source('src/second', { partitions: { symbol, date }, observe: nothing });

  test('what was made of it is all there is of it: that stays, and nothing else is missed', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', { ...days('A', 1, 5), ...days('B', 1, 5) });
    lake.mishap = (key, partition) =>
      key === 'bronze/b' && partition === 'symbol=B/date=2020-01-02' ? 'transient' : undefined;
    lake.run({ selection: '+silver/s', partitions: 'date=2020-01-01..2020-01-02' });
    expect(lake.status('bronze/b')).toEqual({ fresh: 3, failed: 1, missing: 6 });
    // Even what has changed there since is no reason to ask again.
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    lake.unwanted.add('src/archive');
    expect([lake.status('bronze/b'), lake.status('silver/s')]).toEqual([{ fresh: 3 }, { fresh: 3 }]);
    expect([lake.steps(), departs(lake), holds(lake)]).toEqual([{ 'gold/o': '2/0' }, [], []]);
    expect([lake.run(), lake.run()]).toEqual([2, 0]);
    expect(lake.steps({ force: true, selection: 'bronze/b' })).toEqual({});

    lake.define([overview], { 'bronze/b': 'code-2', 'silver/s': 'code-2' });
    expect([lake.status('bronze/b'), lake.status('silver/s')]).toEqual([{ fresh: 3 }, { stale: 3 }]);
    lake.define([overview]);
    lake.unwanted.clear();
    expect(lake.status('bronze/b')).toEqual({ fresh: 2, stale: 1, failed: 1, missing: 6 });
  });

  test('of two of which either will do, the one that is wanted serves where it can, and nothing is lost where it cannot', () => {
    const fromEither = asset('bronze/e', {
      partitions: { symbol, date },
      inputs: { raw: firstAvailable(archive, second) },
      ...shape,
    });
    const lake = scenario([fromEither]);
    lake.observe('src/archive', days('A', 1, 3));
    lake.observe('src/second', days('A', 2, 4));
    lake.run();
    lake.unwanted.add('src/archive');
    expect(lake.status('bronze/e')).toEqual({ fresh: 2, stale: 2 });
    expect([lake.run(), lake.run()]).toEqual([2, 0]);
    lake.unwanted.clear();
    expect(lake.run()).toBe(2);
  });

  test('what reads it only if present is made without it, and again when it is wanted again and seen', () => {
    const mixed = asset('gold/mixed', {
      partitions: { symbol, date },
      inputs: { b: bronze, s: ifPresent(second) },
      ...shape,
    });
    const lake = scenario([mixed]);
    lake.observe('src/archive', days('A', 1, 2));
    lake.observe('src/second', days('A', 1));
    lake.run();
    lake.unwanted.add('src/second');
    expect(lake.status('gold/mixed')).toEqual({ fresh: 1, stale: 1 });
    expect([lake.run(), lake.run()]).toEqual([1, 0]);
    lake.unwanted.clear();
    lake.observe('src/second', days('A', 1));
    expect([lake.run(), lake.run()]).toEqual([1, 0]);
  });

  test('what is made of such ones only, each if present, stays', () => {
    const loose = asset('gold/loose', {
      partitions: { symbol, date },
      inputs: { a: ifPresent(archive), b: ifPresent(second) },
      ...shape,
    });
    const lake = scenario([loose]);
    lake.observe('src/archive', days('A', 1, 2));
    lake.run();
    lake.unwanted.add('src/archive').add('src/second');
    lake.define([loose], { 'gold/loose': 'code-2' });
    expect(lake.status('gold/loose')).toEqual({ fresh: 2 });
  });
});

describe('what is read but not required', () => {
  test('an optional input that can be computed may change what is there already', () => {
    const lake = scenario([optional]);
    lake.observe('src/archive', days('A', 1));
    lake.run({ selection: 'gold/p' });
    expect(lake.status('gold/p')).toEqual({ pending: 1 });
    expect(lake.steps()).toEqual({ 'bronze/b': '1/0', 'silver/s': '1/0', 'gold/p': '0/1' });
    expect(lake.run()).toBe(3);
    expect(lake.run()).toBe(0);
  });

  test('an optional input that failed holds nothing up; one whose content failed a blocking check must not be read', () => {
    const lake = scenario([optional]);
    lake.observe('src/archive', days('A', 1, 2));
    lake.content = failing('silver/s symbol=A/date=2020-01-01');
    lake.mishap = (key, partition) => (key === 'silver/s' && partition.endsWith('02') ? 'check' : undefined);
    lake.run();
    expect(lake.status('gold/p')).toEqual({ fresh: 1, blocked: 1 });
    lake.mishap = () => undefined;
    lake.run({ retryFailed: true });
    expect(lake.status('gold/p')).toEqual({ fresh: 2 });
  });

  describe('where everything is optional', () => {
    const second = source('src/second', { partitions: { symbol, date }, observe: nothing });
    const copy = asset('bronze/c', { partitions: { symbol, date }, inputs: { a: second }, ...shape });
    const any = asset('gold/any', {
      partitions: { symbol, date },
      inputs: { b: ifPresent(bronze), c: ifPresent(copy) },
      ...shape,
    });
    const gold = (lake: Scenario) => lake.log.filter((line) => line.startsWith('gold'));

    test('nothing is computed from nothing because what there was to read failed', () => {
      const lake = scenario([any]);
      lake.observe('src/archive', days('A', 1, 3));
      lake.observe('src/second', days('A', 1, 2));
      lake.content = failing(
        ...['bronze/b symbol=A/date=2020-01-01', 'bronze/b symbol=A/date=2020-01-02'],
        ...['bronze/c symbol=A/date=2020-01-02', 'bronze/b symbol=A/date=2020-01-03'],
      );
      lake.run();
      // The first is made of the other one; the third has none.
      expect(gold(lake)).toEqual(['gold/any symbol=A/date=2020-01-01']);
      expect(lake.status('gold/any')).toEqual({ fresh: 1, blocked: 2 });
      expect(lake.explain('gold/any', 'symbol=A/date=2020-01-02').reasons).toMatchObject([
        { type: 'missing' },
        { type: 'blocked', count: 2 },
      ]);
      lake.content = (_key, _partition, read) => read.join();
      expect(lake.run({ retryFailed: true })).toBe(4 + 3);
      expect(lake.status('gold/any')).toEqual({ fresh: 3 });
    });

    test('what failed in passing is tried again, and then it is computed in the same run', () => {
      const lake = scenario([any]);
      lake.observe('src/archive', days('A', 1));
      lake.mishap = (key) => (key === 'bronze/b' ? 'transient' : undefined);
      lake.run();
      expect([gold(lake), lake.status('gold/any')]).toEqual([[], { blocked: 1 }]);
      lake.mishap = () => undefined;
      expect(lake.steps()).toEqual({ 'bronze/b': '1/0', 'gold/any': '0/1' });
      expect(lake.run()).toBe(2);
    });

    test('what one has failed to give while another is still to come is blocked; awaited where it is only to come', () => {
      const lake = scenario([any], '2020-01-06T06:00:00Z');
      lake.observe('src/archive', days('A', 1, 5));
      lake.observe('src/second', days('A', 1, 4));
      lake.content = failing('bronze/b symbol=A/date=2020-01-05');
      lake.run();
      expect(lake.status('gold/any')).toEqual({ fresh: 4, blocked: 1 });
      lake.wipe('src/archive', 'date=2020-01-05');
      expect(lake.status('gold/any')).toEqual({ fresh: 4, awaiting: 1 });
    });

    test('asked for without what it reads, it is held', () => {
      const lake = scenario([any]);
      lake.observe('src/archive', days('A', 1, 2));
      lake.observe('src/second', days('A', 1));
      lake.run({ selection: 'bronze/c' });
      expect(lake.steps({ selection: 'gold/any' })).toEqual({ 'gold/any': '1/0' });
      expect(holds(lake, { selection: 'gold/any' })).toEqual(['gold/any unmet']);
      expect(lake.run({ selection: 'gold/any' })).toBe(1);
    });
  });
});

describe('failures', () => {
  test('a failure whose input is stale may be tried again in the same run, and the plan says so', () => {
    const lake = scenario([overview]);
    lake.content = failing('silver/s symbol=A/date=2020-01-01');
    lake.observe('src/archive', days('A', 1));
    lake.run();
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    expect(lake.steps()).toEqual({ 'bronze/b': '1/0', 'silver/s': '0/1', 'gold/o': '0/1' });
    lake.content = (_key, _partition, read) => read.join();
    expect(lake.run()).toBe(3);
  });

  test('what waits for a passing failure may be computed when that is tried again', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', days('A', 1));
    lake.run();
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    lake.mishap = (key) => (key === 'silver/s' ? 'transient' : undefined);
    lake.run();
    expect(lake.status('gold/o')).toEqual({ blocked: 1 });
    expect(lake.steps()).toEqual({ 'silver/s': '1/0', 'gold/o': '0/1' });
    // Without what it waits for, it stays held.
    expect(holds(lake, { selection: 'gold/o' })).toEqual(['gold/o blocked']);
  });

  test('content that failed a blocking check is not read when its code changed and it is not selected', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', days('A', 1));
    lake.mishap = (key) => (key === 'silver/s' ? 'check' : undefined);
    lake.run();
    expect(lake.status('silver/s')).toEqual({ failed: 1 });
    expect(lake.status('gold/o')).toEqual({ blocked: 1 });
    lake.define([overview], { 'silver/s': 'code-2' });
    expect(lake.run({ selection: 'gold/o' })).toBe(0);
    lake.mishap = () => undefined;
    expect(lake.run()).toBe(2);
  });

  test('--retry-failed computes again what failed a blocking check, and a failed alternative that another one replaced', () => {
    const lake = scenario([overview]);
    lake.observe('src/archive', days('A', 1));
    lake.mishap = (key) => (key === 'silver/s' ? 'check' : undefined);
    lake.run();
    lake.mishap = () => undefined;
    expect(lake.run()).toBe(0);
    expect(lake.run({ retryFailed: true })).toBe(2);

    const two = scenario([either]);
    two.content = failing('bronze/m symbol=A/month=2020-01');
    two.observe('src/archive', days('A', 1, 31));
    two.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    two.run();
    expect(two.run()).toBe(62);
    two.content = (_key, _partition, read) => read.join();
    expect(two.run()).toBe(0);
    expect(two.run({ retryFailed: true })).toBe(32);
  });
});

describe('alternatives', () => {
  test('one that failed in passing is tried again; one that failed for its data is replaced', () => {
    const lake = scenario([either]);
    lake.observe('src/archive', days('A', 1, 31));
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    lake.mishap = (key) => (key === 'bronze/m' ? 'transient' : undefined);
    lake.run();
    expect(lake.steps()).toEqual({ 'bronze/m': '1/0', 'silver/e': '0/31' });
    lake.mishap = () => undefined;
    lake.content = failing('bronze/m symbol=A/month=2020-01');
    lake.run();
    expect(lake.steps()).toEqual({ 'bronze/b': '31/0', 'silver/e': '31/0' });
  });

  test('a failure stands while the other alternative changes, and not when the one it came from is gone', () => {
    const lake = scenario([either, bronze]);
    lake.observe('src/archive', days('A', 1));
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    lake.content = failing(...Object.keys(days('A', 1, 31)).map((key) => `silver/e ${key}`));
    lake.run();
    expect(lake.status('silver/e')).toEqual({ failed: 31 });
    lake.content = (_key, _partition, read) => read.join();
    lake.log.length = 0;
    lake.run({ selection: 'bronze/b,silver/e' });
    expect(lake.log).toEqual(['bronze/b symbol=A/date=2020-01-01']);
    lake.observe('src/months', {}, true);
    expect(lake.steps()).toEqual({ 'silver/e': '1/0' });
  });

  test('one of which a part is still awaited gives way to one that is all there', () => {
    const fast = source('src/fast', { partitions: { symbol, date }, observe: nothing });
    const bronzeFast = asset('bronze/f', { partitions: { symbol, date }, inputs: { a: fast }, ...shape });
    const reach = { date: window({ days: 1 }) };
    const two = asset('silver/two', {
      partitions: { symbol, date },
      inputs: { raw: firstAvailable(from(bronze, reach), from(bronzeFast, reach)) },
      ...shape,
    });
    const lake = scenario([two], '2020-01-05T01:00:00Z');
    lake.observe('src/archive', { ...days('A', 1, 2), ...days('A', 4) });
    lake.observe('src/fast', days('A', 1, 4));
    lake.run();
    expect(lake.status('silver/two')).toEqual({ fresh: 4 });
    expect(lake.explain('silver/two', 'symbol=A/date=2020-01-04').reasons).toEqual([]);
    lake.observe('src/archive', days('A', 3));
    expect(lake.explain('silver/two', 'symbol=A/date=2020-01-04').reasons[0]?.message).toBe(
      'it was made from raw=bronze/f, now raw=bronze/b is chosen',
    );
  });

  test('what is stale and replaced by another alternative is not work to be done', () => {
    const lake = scenario([either]);
    lake.observe('src/archive', days('A', 1, 31));
    lake.run();
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    lake.run();
    lake.observe('src/archive', days('A', 1, 2, 'v2'));
    expect(lake.status('bronze/b')).toEqual({ fresh: 29, unneeded: 2 });
    expect(lake.steps()).toEqual({});
    expect(lake.steps({ selection: 'bronze/b' })).toEqual({ 'bronze/b': '2/0' });
  });

  test("--force with '+' downloads no alternative that is not chosen", () => {
    const lake = scenario([either]);
    lake.observe('src/archive', days('A', 1, 31));
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1' });
    lake.run();
    expect(lake.steps({ selection: '+silver/e', force: true })).toEqual({ 'bronze/m': '1/0', 'silver/e': '31/0' });
  });
});

test('forcing and trying again what failed: the plan forces all that the run does', () => {
  const lake = scenario([either]);
  lake.content = failing('bronze/m symbol=A/month=2020-01');
  lake.observe('src/archive', days('A', 1, 31));
  lake.observe('src/months', { 'symbol=A/month=2020-01': 'v1', 'symbol=A/month=2020-02': 'v1' });
  lake.run();
  lake.run();
  // The failed month comes back, and with it January's days wait for what becomes of it.
  const request = { selection: '+silver/e', force: true, retryFailed: true };
  expect(lake.steps(request)).toEqual({ 'bronze/m': '2/0', 'silver/e': '29/31' });
  expect(lake.steps({ selection: 'bronze/*', retryFailed: true })).toEqual({ 'bronze/m': '1/0' });
});

test('counts by cause add up: each partition counts once, as forced only where nothing else asks for it', () => {
  const lake = scenario([silver]);
  lake.observe('src/archive', days('A', 1, 5));
  lake.run();
  lake.observe('src/archive', { ...days('A', 6, 7), ...days('A', 1, 2, 'v2') });
  const bronzeStep = lake
    .plan({ selection: 'bronze/b', force: true })
    .plan.steps.find((step) => step.type === 'materialize' && step.asset === 'bronze/b');
  expect(bronzeStep).toMatchObject({ causes: { missing: 2, data: 2, forced: 3 } });
});

describe('chains', () => {
  const chain = asset('gold/c', {
    partitions: { symbol, date },
    inputs: { s: silver, before: self({ date: earlier({ days: 2 }) }) },
    ...shape,
  });

  test('asking for one link asks for the earlier ones it is made of, and a second time for nothing', () => {
    const lake = scenario([chain]);
    lake.observe('src/archive', days('A', 1, 10));
    const request = { selection: '+gold/c', partitions: 'date=2020-01-05' };
    expect(lake.steps(request)).toEqual({ 'bronze/b': '5/0', 'silver/s': '5/0', 'gold/c': '5/0' });
    expect(lake.run(request)).toBe(15);
    expect(lake.run(request)).toBe(0);
    expect(lake.status('gold/c')).toEqual({ fresh: 5, missing: 5 });
  });

  test('a link that fails in the middle holds up no other, and does not have them computed again and again', () => {
    const lake = scenario([chain]);
    lake.observe('src/archive', days('A', 1, 6));
    lake.content = failing('silver/s symbol=A/date=2020-01-03');
    lake.run();
    expect(lake.status('gold/c')).toEqual({ fresh: 5, blocked: 1 });
    expect(lake.run()).toBe(0);
    lake.content = failing('gold/c symbol=A/date=2020-01-03');
    lake.observe('src/archive', days('A', 3, 3, 'v2'));
    lake.run();
    expect(lake.status('gold/c')).toEqual({ fresh: 5, failed: 1 });
    expect(lake.run()).toBe(0);
  });

  test('links that cannot be computed do not have the later ones computed in vain', () => {
    const lake = scenario([chain]);
    lake.observe('src/archive', days('A', 1, 6));
    lake.run();
    lake.wipe('silver/s', 'date=2020-01-02');
    lake.log.length = 0;
    lake.run({ selection: 'gold/c' });
    expect(lake.log).toEqual([]);
    expect(lake.steps({ selection: 'gold/c' })).toEqual({});
    // The later ones are up to date if the one that is to be computed comes out as before.
    expect(holds(lake, { selection: 'gold/c' })).toEqual(['gold/c pending', 'gold/c unmet']);
  });

  test('what reads something stale that is not selected is held as pending, and only that', () => {
    const lake = scenario([chain]);
    lake.observe('src/archive', days('A', 1, 3));
    lake.run();
    expect(holds(lake)).toEqual([]);
    lake.observe('src/archive', days('A', 3, 3, 'v2'));
    const { steps } = lake.plan({ selection: 'gold/c' }).plan;
    expect(steps.map((s) => (s.type === 'hold' ? [s.asset, s.reason, sets.countOf(s.set)] : s.type))).toEqual([
      ['gold/c', 'pending', 1],
    ]);
    expect(holds(lake, { selection: '+gold/c' })).toEqual([]);
  });

  test('a link whose data failed a check is tried again together with the earlier ones', () => {
    const lake = scenario([chain]);
    lake.observe('src/archive', days('A', 1, 3));
    lake.mishap = (key, partition) => (key === 'gold/c' && partition.endsWith('02') ? 'check' : undefined);
    lake.run();
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    lake.mishap = () => undefined;
    lake.run();
    expect(lake.status('gold/c')).toEqual({ fresh: 3 });
    expect(lake.run()).toBe(0);
  });
});

describe('months and days', () => {
  const monthlyGold = asset('gold/m', {
    partitions: { symbol, month },
    inputs: { s: from(silver, { date: overlapping() }) },
    ...shape,
  });

  test('a month waits while some of its days are awaited, and is made of what there is afterwards', () => {
    const lake = scenario([monthlyGold], '2020-02-01T12:00:00Z');
    lake.observe('src/archive', days('A', 1, 30));
    lake.run();
    expect(lake.status('gold/m')).toEqual({ awaiting: 1 });
    lake.now += 2 * 86_400_000;
    lake.run();
    expect(lake.status('gold/m')).toEqual({ fresh: 1 });
  });

  test('partitions are cut into packs by years and months that are over, wherever ranges begin and end', () => {
    const packed = asset('gold/packed', {
      partitions: { symbol, date: daily({ start: '1900-01-01' }) },
      inputs: { s: from(silver, { date: window({ days: 1 }) }) },
      ...shape,
    });
    const lake = scenario([packed], '2020-02-03T00:00:00Z');
    const { node } = lake.plan().evaluations.get('gold/packed') as AssetEvaluation;
    const set = { bySeries: new Map([['symbol=A', { bounds: [18_262 - 366, 18_262 + 33] }]]) };
    const batches = batchesOf(node, set, lake.now, { maxPartitions: 400, maxPacks: 32 });
    const names = batches.flatMap((b) => b.packs.map((p) => `${p.name} ${p.times.bounds}`));
    expect(names).toEqual([
      '2018 17896,17897',
      '2019 17897,18262',
      '2020-01 18262,18293',
      '2020-02-01 18293,18294',
      '2020-02-02 18294,18295',
    ]);
  });
});

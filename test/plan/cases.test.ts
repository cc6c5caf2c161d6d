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
  text,
  window,
} from 'crypto-lakehouse';
import { afterEach, describe, expect, test } from 'vitest';
import { Scenario } from './scenario.ts';

const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const month = monthly({ start: '2020-01' });
const shape = { columns: columns({ v: text() }), sortBy: ['v'] as const };
const query = () => sql`SELECT 1 AS v`;
async function* nothing(): AsyncGenerator<never> {}
const days = (symbolName: string, first: number, last: number, version = 'v1', monthText = '2020-01') =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, i) => [
      `symbol=${symbolName}/date=${monthText}-${String(first + i).padStart(2, '0')}`,
      version,
    ]),
  );

const archive = source('src/archive', { partitions: { symbol, date }, observe: nothing });
const bronze = asset('bronze/b', { partitions: { symbol, date }, inputs: { a: archive }, ...shape, query });
const silver = asset('silver/s', { partitions: { symbol, date }, inputs: { b: bronze }, ...shape, query });
const week = asset('gold/week', {
  partitions: { symbol, date },
  inputs: { s: from(silver, { date: window({ days: 2 }) }) },
  ...shape,
  query,
});
const overview = asset('gold/overview', {
  partitions: { date },
  inputs: { s: from(silver, { symbol: all() }) },
  ...shape,
  query,
});
const monthlyGold = asset('gold/monthly', {
  partitions: { symbol, month },
  inputs: { s: from(silver, { date: overlapping() }) },
  ...shape,
  query,
});
const house = [archive, bronze, silver, week, overview, monthlyGold];

const open: Scenario[] = [];
function scenario(
  ...[assets, options]: [ConstructorParameters<typeof Scenario>[0], Partial<ConstructorParameters<typeof Scenario>[1]>?]
): Scenario {
  const made = new Scenario(assets, { now: '2020-04-15T00:00:00Z', ...options });
  open.push(made);
  return made;
}
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});

describe('cases: staleness', () => {
  test('case 5: plan-time verified: a run makes everything fresh, and a second run right after does nothing', () => {
    const lake = scenario(house);
    lake.observe('src/archive', { ...days('A', 1, 5), ...days('B', 3, 5) });
    expect(lake.steps()).toEqual({
      'bronze/b': '8/0',
      'silver/s': '8/0',
      'gold/week': '8/0',
      'gold/overview': '5/0',
      'gold/monthly': '2/0',
    });
    expect(lake.run()).toBe(31);
    expect(lake.steps()).toEqual({});
    expect(lake.run()).toBe(0);
    expect(lake.status('gold/week')).toEqual({ fresh: 8 });
  });

  test('touching one source day makes exactly its cone stale, windows and months respected', () => {
    const lake = scenario(house);
    lake.observe('src/archive', days('A', 1, 31));
    lake.run();
    lake.observe('src/archive', { 'symbol=A/date=2020-01-10': 'v2' });
    expect(lake.status('bronze/b')).toEqual({ fresh: 30, stale: 1 });
    expect(lake.status('gold/week')).toEqual({ fresh: 28, pending: 3 });
    expect(lake.steps()).toEqual({
      'bronze/b': '1/0',
      'silver/s': '0/1',
      'gold/week': '0/3',
      'gold/overview': '0/1',
      'gold/monthly': '0/1',
    });
    expect(lake.run()).toBe(7);
    expect(lake.run()).toBe(0);
  });

  test('case 1: crash, then revert: work of other code that never was appended is not there', () => {
    const lake = scenario(house, { codes: { 'silver/s': 'A' } });
    lake.observe('src/archive', days('A', 1, 2));
    lake.run();
    lake.define(house, { 'silver/s': 'B' });
    expect(lake.status('silver/s')).toEqual({ stale: 2 });
    lake.define(house, { 'silver/s': 'A' });
    expect(lake.steps()).toEqual({});
  });

  test('case 2: disappearance: excluding a symbol makes what contained it stale', () => {
    const lake = scenario(house);
    lake.observe('src/archive', { ...days('A', 1, 3), ...days('B', 2, 3) });
    lake.run();
    lake.define(house, {}, { symbol: ['A'] });
    expect(lake.status('gold/overview')).toEqual({ fresh: 1, stale: 2 });
    expect(lake.explain('gold/overview', 'date=2020-01-02').reasons.map((r) => r.type)).toEqual(['departed']);
    expect(lake.run()).toBe(2);
    expect(lake.status('gold/overview')).toEqual({ fresh: 3 });
    expect(lake.run()).toBe(0);
    lake.define(house);
    // Back again: the departed partitions are made anew, and what maps over all symbols follows.
    lake.run();
    expect(lake.status('silver/s')).toEqual({ fresh: 5 });
    expect(lake.status('gold/overview')).toEqual({ fresh: 3 });
    expect(lake.run()).toBe(0);
  });

  test('case 3: return: wiped, downstream computed without it, returned as it was: downstream is stale', () => {
    const optional = asset('gold/optional', {
      partitions: { symbol, date },
      inputs: { b: bronze, s: ifPresent(silver) },
      ...shape,
      query,
    });
    const lake = scenario([archive, optional]);
    lake.observe('src/archive', days('A', 1, 1));
    lake.run();
    lake.wipe('silver/s');
    expect(lake.run({ selection: 'gold/optional' })).toBe(1);
    expect(lake.run({ selection: 'gold/optional' })).toBe(0);
    expect(lake.run({ selection: 'silver/s' })).toBe(1);
    expect(lake.status('gold/optional')).toEqual({ stale: 1 });
  });

  test('case 4: commit-time verified: an input that changes while it is read makes the result stale', () => {
    const lake = scenario(house);
    lake.observe('src/archive', days('A', 1, 1));
    // Silver is evaluated and has read bronze; before it commits, the source and bronze change.
    const index = lake.state.refresh();
    lake.run({ selection: 'bronze/b' });
    const verified = lake.state.refresh().head;
    lake.observe('src/archive', days('A', 1, 1, 'v2'));
    lake.run({ selection: 'bronze/b' });
    const done = lake.state.refresh().asset('bronze/b')?.series.get('symbol=A');
    lake.state.append({
      kind: 'materialized',
      asset: 'silver/s',
      run: 'r',
      code: 'code-1',
      verified,
      files: [],
      outcomes: [
        {
          series: 'symbol=A',
          values: { symbol: 'A' },
          times: Int32Array.of(18262),
          version: new Uint8Array(16),
          rows: Uint32Array.of(0),
          bytes: Float64Array.of(0),
          file: Int32Array.of(-1),
          choice: Uint8Array.of(0),
        },
      ],
      choices: [''],
    });
    expect(done).toBeDefined();
    expect(index.head).toBeLessThan(verified);
    expect(lake.status('silver/s')).toEqual({ stale: 1 });
  });

  test('case 6: self chain: 365 days in one batch are fresh afterwards; a change of day 100 takes along all later ones', () => {
    const chain = asset('gold/chain', {
      partitions: { symbol, date },
      inputs: { s: silver, before: self({ date: earlier({ days: 1 }) }) },
      ...shape,
      query,
    });
    const lake = scenario([chain], { now: '2021-03-01T00:00:00Z' });
    const year: Record<string, string> = {};
    for (let d = 0; d < 365; d++)
      year[`symbol=A/date=${new Date(Date.UTC(2020, 0, 1 + d)).toISOString().slice(0, 10)}`] = 'v1';
    lake.observe('src/archive', year);
    lake.run();
    expect(lake.status('gold/chain')).toEqual({ fresh: 365 });
    expect(lake.run()).toBe(0);
    lake.observe('src/archive', { 'symbol=A/date=2020-04-09': 'v2' });
    lake.run({ selection: 'silver/s,bronze/b' });
    expect(lake.status('gold/chain')).toEqual({ fresh: 99, stale: 1, pending: 265 });
    expect(lake.run()).toBe(266);
    expect(lake.run()).toBe(0);
  });

  test('case 8: transitive: a re-published source day is pending downstream until bronze lands unchanged, then nothing more runs', () => {
    const lake = scenario(house);
    lake.observe('src/archive', days('A', 1, 3));
    lake.run();
    lake.content = (key, _partition, read) => (key === 'bronze/b' ? 'the same rows' : read.join());
    lake.run({ force: true });
    lake.observe('src/archive', { 'symbol=A/date=2020-01-02': 'v2' });
    expect(lake.status('bronze/b')).toEqual({ fresh: 2, stale: 1 });
    expect(lake.status('silver/s')).toEqual({ fresh: 2, pending: 1 });
    expect(lake.status('gold/monthly')).toEqual({ pending: 1 });
    expect(lake.run()).toBe(1);
    expect(lake.status('gold/monthly')).toEqual({ fresh: 1 });
  });

  test('case 9: alternative inputs: a better one that appears changes the choice; a plan does not ask for what is not chosen', () => {
    const monthlyArchive = source('src/monthly', { partitions: { symbol, month }, observe: nothing });
    const bronzeMonthly = asset('bronze/m', {
      partitions: { symbol, month },
      inputs: { a: monthlyArchive },
      ...shape,
      query,
    });
    const either = asset('silver/either', {
      partitions: { symbol, date },
      inputs: { raw: firstAvailable(from(bronzeMonthly, { month: overlapping() }), bronze) },
      ...shape,
      query,
    });
    const gold = asset('gold/g', { partitions: { symbol, date }, inputs: { s: either }, ...shape, query });
    const lake = scenario([archive, monthlyArchive, gold]);
    lake.content = (key, partition, read) => (key === 'silver/either' ? 'equal rows' : read.join() + partition);
    lake.observe('src/archive', days('A', 1, 31));
    lake.run();
    expect(lake.status('silver/either')).toEqual({ fresh: 31 });
    lake.observe('src/monthly', { 'symbol=A/month=2020-01': 'm1' });
    expect(lake.explain('silver/either', 'symbol=A/date=2020-01-05').reasons[0]?.message).toBe(
      'it was made from raw=bronze/b, now raw=bronze/m is chosen',
    );
    expect(lake.steps({ selection: '+gold/g' })).toEqual({
      'bronze/m': '1/0',
      'silver/either': '31/0',
      'gold/g': '0/31',
    });
    // Equal rows stop there: gold is not computed.
    expect(lake.run()).toBe(32);
    expect(lake.status('gold/g')).toEqual({ fresh: 31 });
    expect(lake.run()).toBe(0);
    // A lake that has both from the start never asks for the daily ones.
    const fresh = scenario([archive, monthlyArchive, gold]);
    fresh.observe('src/archive', days('A', 1, 31));
    fresh.observe('src/monthly', { 'symbol=A/month=2020-01': 'm1' });
    expect(fresh.steps()).toEqual({ 'bronze/m': '1/0', 'silver/either': '31/0', 'gold/g': '31/0' });
    expect(fresh.status('bronze/b')).toEqual({ unneeded: 31 });
    expect(fresh.steps({ selection: 'bronze/b' })).toEqual({ 'bronze/b': '31/0' });
  });

  test('case 11: accept-code after A, B, C while some are still at A: only those at B are blessed', () => {
    const lake = scenario(house, { codes: { 'bronze/b': 'A' } });
    lake.observe('src/archive', days('A', 1, 4));
    lake.run({ selection: 'bronze/b' });
    lake.define(house, { 'bronze/b': 'B' });
    lake.run({ selection: 'bronze/b', partitions: 'date=2020-01-03..2020-01-04' });
    lake.define(house, { 'bronze/b': 'C' });
    lake.state.append({ kind: 'accepted', asset: 'bronze/b', run: 'r', from: 'B', to: 'C' });
    expect(lake.status('bronze/b')).toEqual({ fresh: 2, stale: 2 });
    expect(lake.explain('bronze/b', 'symbol=A/date=2020-01-01').reasons[0]?.message).toBe(
      'its code changed from A to C',
    );
  });

  test('code that was accepted is the same in both directions: going back makes nothing stale, except what other code made', () => {
    const lake = scenario(house, { codes: { 'bronze/b': 'A', 'silver/s': 'A' } });
    lake.observe('src/archive', days('A', 1, 4));
    lake.run();
    const accept = (from: string, to: string) =>
      lake.state.append({ kind: 'accepted', asset: 'bronze/b', run: 'r', from, to });
    const codes = (code: string) => lake.define(house, { 'bronze/b': code, 'silver/s': 'A' });
    codes('B');
    expect(lake.status('bronze/b')).toEqual({ stale: 4 });
    accept('A', 'B');
    expect(lake.status('bronze/b')).toEqual({ fresh: 4 });
    codes('A');
    expect(lake.status('bronze/b')).toEqual({ fresh: 4 });
    expect(lake.run()).toBe(0);
    // A new day is made by A; on to C, by way of B, and back.
    lake.observe('src/archive', days('A', 5, 5));
    lake.run();
    accept('B', 'C');
    for (const code of ['C', 'A', 'B']) {
      codes(code);
      expect(lake.status('bronze/b')).toEqual({ fresh: 5 });
    }
    codes('D');
    lake.run({ selection: 'bronze/b', partitions: 'date=2020-01-01..2020-01-02' });
    codes('A');
    expect(lake.status('bronze/b')).toEqual({ fresh: 3, stale: 2 });
    // It is of one asset: another with the same code versions knows nothing of it.
    lake.define(house, { 'bronze/b': 'A', 'silver/s': 'B' });
    expect(lake.status('silver/s').stale).toBe(5);
  });

  test('what failed is tried again with accepted code: it may have been mended', () => {
    const lake = scenario(house, { codes: { 'silver/s': 'A' } });
    lake.content = (key, partition, read) => (key === 'silver/s' && partition.endsWith('02') ? undefined : read.join());
    lake.observe('src/archive', days('A', 1, 3));
    lake.run();
    lake.content = (_key, _partition, read) => read.join();
    lake.define(house, { 'silver/s': 'B' });
    lake.state.append({ kind: 'accepted', asset: 'silver/s', run: 'r', from: 'A', to: 'B' });
    lake.log.length = 0;
    lake.run({ selection: 'silver/s' });
    expect(lake.log).toEqual(['silver/s symbol=A/date=2020-01-02']);
    expect(lake.status('silver/s')).toEqual({ fresh: 3 });
  });

  test('case 13: failure memory: bad data is not retried until an input, the code or a person says so', () => {
    const lake = scenario(house);
    lake.content = (key, partition, read) => (key === 'silver/s' && partition.endsWith('02') ? undefined : read.join());
    lake.observe('src/archive', days('A', 1, 3));
    lake.run();
    expect(lake.status('silver/s')).toEqual({ fresh: 2, failed: 1 });
    expect(lake.status('gold/week')).toEqual({ fresh: 1, blocked: 2 });
    lake.log.length = 0;
    expect(lake.run()).toBe(0);
    expect(lake.log).toEqual([]);
    lake.run({ retryFailed: true });
    expect(lake.log).toEqual(['silver/s symbol=A/date=2020-01-02']);
    lake.log.length = 0;
    lake.observe('src/archive', { 'symbol=A/date=2020-01-02': 'v2' });
    lake.run();
    expect(lake.log).toEqual(['bronze/b symbol=A/date=2020-01-02', 'silver/s symbol=A/date=2020-01-02']);
    lake.content = (_key, _partition, read) => read.join();
    lake.define(house, { 'silver/s': 'code-2' });
    lake.run();
    expect(lake.status('silver/s')).toEqual({ fresh: 3 });
    expect(lake.status('gold/week')).toEqual({ fresh: 3 });
  });

  test('case 14: start of a series: lookback beyond the first day; a start that moves one day earlier takes its cone and nothing else; relisted after a year', () => {
    const lake = scenario(house, { now: '2021-03-01T00:00:00Z' });
    lake.observe('src/archive', days('A', 10, 20));
    lake.run();
    expect(lake.status('gold/week')).toEqual({ fresh: 11 });
    lake.observe('src/archive', days('A', 9, 9));
    expect(lake.steps({ selection: '+gold/week' })).toEqual({
      'bronze/b': '1/0',
      'silver/s': '1/0',
      'gold/week': '1/2',
    });
    lake.run();
    lake.observe('src/archive', days('A', 5, 6, 'v1', '2021-01'));
    expect(lake.steps({ selection: '+gold/week' })).toEqual({
      'bronze/b': '2/0',
      'silver/s': '2/0',
      'gold/week': '2/0',
    });
    lake.run();
    // The year between is no partition's fault: the source never had it.
    expect(lake.status('silver/s')).toMatchObject({ fresh: 14 });
    expect(lake.run()).toBe(0);
  });

  test('case 15: new value: a new symbol makes nothing stale but what maps over all symbols', () => {
    const lake = scenario(house);
    lake.observe('src/archive', days('A', 1, 5));
    lake.run();
    lake.observe('src/archive', days('B', 4, 5));
    expect(lake.steps()).toEqual({
      'bronze/b': '2/0',
      'silver/s': '2/0',
      'gold/week': '2/0',
      'gold/monthly': '1/0',
      'gold/overview': '0/2',
    });
    expect(lake.status('silver/s')).toEqual({ fresh: 5, missing: 2 });
  });

  test('a partition with 1,000 upstream partitions of which one changed is stale, through three levels', () => {
    const wide = (name: string, upstream: typeof bronze) =>
      asset(name as 'l/one', {
        partitions: { date },
        inputs: { u: from(upstream, { symbol: all() }) },
        ...shape,
        query,
      });
    const one = wide('l/one', bronze);
    const two = asset('l/two', {
      partitions: { date },
      inputs: { u: from(one, { date: window({ days: 1 }) }) },
      ...shape,
      query,
    });
    const three = asset('l/three', {
      partitions: { month },
      inputs: { u: from(two, { date: overlapping() }) },
      ...shape,
      query,
    });
    const lake = scenario([three]);
    const seen: Record<string, string> = {};
    for (let s = 0; s < 1000; s++) for (const d of ['01', '02', '03']) seen[`symbol=S${s}/date=2020-01-${d}`] = 'v1';
    lake.observe('src/archive', seen);
    lake.run();
    expect(lake.steps()).toEqual({});
    lake.observe('src/archive', { 'symbol=S777/date=2020-01-02': 'v2' });
    expect(lake.steps()).toEqual({ 'bronze/b': '1/0', 'l/one': '0/1', 'l/two': '0/2', 'l/three': '0/1' });
    lake.run({ selection: 'bronze/b' });
    expect(lake.status('l/one')).toEqual({ fresh: 2, stale: 1 });
    expect(lake.status('l/three')).toEqual({ pending: 1 });
    expect(lake.run()).toBe(4);
  });

  test('awaiting, unavailable and withdrawn sources', () => {
    const lake = scenario(house, { now: '2020-01-08T01:00:00Z' });
    lake.observe('src/archive', { ...days('A', 1, 3), ...days('A', 5, 5) });
    // The 4th is a hole older than the publication lag; the 6th and 7th are not out yet.
    expect(lake.status('bronze/b')).toEqual({ missing: 4, unavailable: 1, awaiting: 2 });
    lake.run();
    expect(lake.status('bronze/b')).toEqual({ fresh: 4, unavailable: 1, awaiting: 2 });
    expect(lake.status('gold/week')).toEqual({ fresh: 4, unavailable: 1, awaiting: 2 });
    lake.observe('src/archive', days('A', 1, 3), true);
    expect(lake.status('bronze/b')).toEqual({ fresh: 3, leaving: 1, unavailable: 1, awaiting: 2 });
    expect(lake.run()).toBe(0);
    expect(lake.status('bronze/b')).toEqual({ fresh: 3, unavailable: 2, awaiting: 2 });
    expect(lake.status('gold/overview')).toEqual({ fresh: 3, unavailable: 2, awaiting: 2 });
    expect(lake.run()).toBe(0);
  });

  test('an archive of originals keeps what its source withdraws, and everything made of it stays fresh', () => {
    const kept = asset('bronze/kept', {
      partitions: { symbol, date },
      inputs: { a: archive },
      keepWithdrawn: true,
      ...shape,
      query,
    });
    const made = asset('silver/made', { partitions: { symbol, date }, inputs: { b: kept }, ...shape, query });
    const lake = scenario([made]);
    lake.observe('src/archive', days('A', 1, 3));
    lake.run();
    lake.observe('src/archive', days('A', 1, 2), true);
    expect(lake.status('bronze/kept')).toEqual({ fresh: 3 });
    expect(lake.status('silver/made')).toEqual({ fresh: 3 });
    expect(lake.run()).toBe(0);
    lake.define([made], { 'bronze/kept': 'code-2' });
    expect(lake.steps()).toEqual({ 'bronze/kept': '2/0', 'silver/made': '0/2' });
  });
});

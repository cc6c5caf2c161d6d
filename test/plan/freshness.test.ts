import {
  asset,
  columns,
  daily,
  dynamicDimension,
  firstAvailable,
  from,
  materializedWithin,
  monthly,
  overlapping,
  source,
  sql,
  staticDimension,
  text,
  window,
  within,
} from 'crypto-lakehouse';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { dueIn } from '../../framework/plan/due.ts';
import { type AssetFreshness, freshnessOf } from '../../framework/plan/freshness.ts';
import { universes } from '../../framework/plan/universe.ts';
import { Scenario } from './scenario.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const month = monthly({ start: '2020-01' });
const shape = { columns: columns({ v: text() }), sortBy: ['v'] as const, query: () => sql`SELECT 1 AS v` };
async function* nothing(): AsyncGenerator<never> {}

const policy = within({ hours: 30 }, { warn: { hours: 26 } });
const archive = source('src/archive', { partitions: { symbol, date }, observe: nothing, freshness: policy });
const bronze = asset('bronze/b', { partitions: { symbol, date }, inputs: { a: archive }, ...shape });
const silver = asset('silver/s', { partitions: { symbol, date }, inputs: { b: bronze }, ...shape, freshness: policy });
const house = [archive, bronze, silver];

/** January 2020, days from 1; day 32 is the first of February. */
const midnight = (day: number): number => Date.UTC(2020, 0, day);
const text2 = (day: number): string => new Date(midnight(day)).toISOString().slice(0, 10);
const days = (name: string, first: number, last = first, version = 'v1', more = '') =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, i) => [`${more}symbol=${name}/date=${text2(first + i)}`, version]),
  );
/** When day `n` is normally published: 48 hours after its end. */
const due = (day: number): number => midnight(day + 3);

const open: Scenario[] = [];
function scenario(assets: readonly AssetDefinition[], now: number): Scenario {
  const made = new Scenario(assets, { now: new Date(now).toISOString() });
  open.push(made);
  return made;
}
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});

function freshness(lake: Scenario, key: string): AssetFreshness {
  const { evaluations } = lake.plan();
  const instantOf = (revision: number) => [...lake.state.events({ after: revision - 1, limit: 1 })][0]?.at;
  const { graph, now } = lake;
  const found = freshnessOf({ graph, view: lake.state.index(), evaluations, now, instantOf }).get(key);
  if (!found) throw new Error(`${key} has no policy`);
  return found;
}

/** `A on-time 0h, B overdue 31h`; the asset's own status first. */
function told(lake: Scenario, key: string): string {
  const { status, series } = freshness(lake, key);
  const one = [...series.values()].map(
    (s) => `${s.series.replaceAll(/\w+=/g, '')} ${s.status}${s.lagMs === undefined ? '' : ` ${s.lagMs / HOUR}h`}`,
  );
  return `${status}: ${one.join(', ')}`;
}

/** A lake of one symbol that has everything up to a day. */
function upTo(day: number, now = due(day)): Scenario {
  const lake = scenario(house, now);
  lake.observe('src/archive', days('A', 1, day));
  lake.run();
  return lake;
}

describe('by data time', () => {
  test('is late from when the next day is normally published, and overdue after the limit', () => {
    const lake = upTo(10);
    const at = (ms: number) => {
      lake.now = due(11) + ms;
      return freshness(lake, 'silver/s').worst;
    };
    const newest = 'symbol=A/date=2020-01-10';
    const deadline = due(11) + 30 * HOUR;
    const base = { series: 'symbol=A', basis: 'data', limitMs: 30 * HOUR, deadline, newest };
    expect(at(-DAY)).toEqual({ ...base, status: 'on-time', lagMs: 0 });
    expect(at(0)).toEqual({ ...base, status: 'on-time', lagMs: 0 });
    expect(at(26 * HOUR)).toEqual({ ...base, status: 'on-time', lagMs: 26 * HOUR });
    const since = due(11) + 26 * HOUR;
    expect(at(26 * HOUR + 1)).toEqual({ ...base, status: 'warn', lagMs: 26 * HOUR + 1, since });
    expect(at(30 * HOUR)).toEqual({ ...base, status: 'warn', lagMs: 30 * HOUR, since });
    expect(at(30 * HOUR + 1)).toEqual({ ...base, status: 'overdue', lagMs: 30 * HOUR + 1, since: deadline });
  });

  test('what is published but not computed is late as well, and computing it clears that', () => {
    const lake = upTo(10);
    lake.now = due(11) + 40 * HOUR;
    lake.observe('src/archive', days('A', 11, 12));
    expect(told(lake, 'silver/s')).toBe('overdue: A overdue 40h');
    expect(told(lake, 'src/archive')).toBe('on-time: A on-time 0h');
    lake.run();
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 0h');
  });

  test('before its sources were observed nothing can be told, nor before anything was computed', () => {
    const lake = scenario(house, due(10));
    expect(freshness(lake, 'silver/s')).toEqual({
      asset: 'silver/s',
      policies: [policy],
      status: 'unknown',
      why: 'never-observed',
      counts: { 'on-time': 0, unknown: 0, warn: 0, overdue: 0 },
      series: new Map(),
    });
    lake.observe('src/archive', {});
    expect(freshness(lake, 'silver/s')).toMatchObject({ status: 'unknown', why: 'never-computed' });
    lake.observe('src/archive', { ...days('A', 1, 10), ...days('B', 1, 10) });
    expect(told(lake, 'silver/s')).toBe('unknown: A unknown, B unknown');
    lake.run({ partitions: 'symbol=A' });
    expect(told(lake, 'silver/s')).toBe('unknown: A on-time 0h, B unknown');
    expect(freshness(lake, 'silver/s')).toMatchObject({ why: 'never-computed', counts: { 'on-time': 1, unknown: 1 } });
    lake.now = due(11) + 31 * HOUR;
    expect(freshness(lake, 'silver/s')).toMatchObject({ status: 'overdue', worst: { series: 'symbol=A' } });
  });

  test('content counts when it can be read: stale and pending too, not where a blocking check failed', () => {
    const lake = upTo(10, due(12) + HOUR);
    lake.observe('src/archive', days('A', 10, 10, 'v2'));
    expect(lake.status('silver/s')).toEqual({ fresh: 9, pending: 1, awaiting: 2, unavailable: 2 });
    expect(told(lake, 'silver/s')).toBe(`on-time: A on-time 25h`);
    lake.define(house, { 'silver/s': 'other' });
    expect(lake.status('silver/s')).toEqual({ stale: 10, awaiting: 2, unavailable: 2 });
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 25h');
    lake.mishap = (key, partition) => (key === 'silver/s' && partition.endsWith('-10') ? 'check' : undefined);
    lake.run();
    expect(lake.status('silver/s')).toEqual({ fresh: 9, failed: 1, awaiting: 2, unavailable: 2 });
    expect(told(lake, 'silver/s')).toBe('overdue: A overdue 49h');
    expect(freshness(lake, 'silver/s').worst?.newest).toBe('symbol=A/date=2020-01-09');
  });

  test('an attempt that failed leaves the content that was there before', () => {
    const lake = upTo(10, due(11));
    lake.define(house, { 'silver/s': 'other' });
    lake.content = (_, partition, read) => (partition.endsWith('-10') ? undefined : read.join());
    lake.run();
    expect(lake.status('silver/s')).toEqual({ fresh: 9, failed: 1, awaiting: 2, unavailable: 1 });
    expect(freshness(lake, 'silver/s').worst?.newest).toBe('symbol=A/date=2020-01-10');
  });

  test('holes behind the newest content are no lag: never published, failed or not computed', () => {
    const lake = scenario(house, due(20));
    lake.observe('src/archive', { ...days('A', 1, 5), ...days('A', 8, 20) });
    lake.content = (_, partition, read) => (partition.endsWith('-10') ? undefined : read.join());
    lake.run({ partitions: 'date=2020-01-03..' });
    expect(lake.status('silver/s')).toEqual({ fresh: 15, missing: 2, blocked: 1, awaiting: 2, unavailable: 2 });
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 0h');
  });

  test('a day that only one symbol lacks is its own hole; one that none has is the source', () => {
    const lake = scenario(house, due(20));
    lake.observe('src/archive', { ...days('A', 1, 15), ...days('B', 1, 20) });
    lake.run();
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 0h, B on-time 0h');
    expect(freshness(lake, 'silver/s').series.get('symbol=A')?.newest).toBe('symbol=A/date=2020-01-15');
    lake.now = due(22);
    lake.observe('src/archive', {});
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 24h, B on-time 24h');
    lake.now = due(23);
    expect(told(lake, 'src/archive')).toBe('overdue: A overdue 48h, B overdue 48h');
    lake.observe('src/archive', days('B', 22, 23));
    lake.run();
    expect(told(lake, 'src/archive')).toBe('on-time: A on-time 0h, B on-time 0h');
  });

  test('values of a static dimension do not stand for each other', () => {
    const feed = source('src/feed', { partitions: { market, symbol, date }, observe: nothing, freshness: policy });
    const lake = scenario([feed], due(20));
    lake.observe('src/feed', { ...days('A', 1, 15, 'v', 'market=spot/'), ...days('A', 1, 20, 'v', 'market=um/') });
    expect(told(lake, 'src/feed')).toBe('overdue: spot/A overdue 96h, um/A on-time 0h');
  });

  test('a series that ended while others go on has no lag; whether it did is known from the last look', () => {
    const lake = scenario(house, due(12));
    lake.observe('src/archive', { ...days('A', 1, 10), ...days('B', 1, 12) });
    lake.run();
    lake.now = midnight(11) + 30 * DAY + 1;
    // By the clock it is over, but nobody has looked.
    expect(lake.status('silver/s')).toEqual({ fresh: 22, awaiting: 2, unavailable: 26 });
    expect(told(lake, 'silver/s')).toBe(`overdue: A overdue ${25 * 24 + 1 / HOUR}h, B overdue ${25 * 24 + 1 / HOUR}h`);
    lake.observe('src/archive', days('B', 13, 40));
    lake.run();
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 0h, B on-time 0h');
    const { series } = freshness(lake, 'silver/s');
    expect(series.get('symbol=A')).toMatchObject({ newest: 'symbol=A/date=2020-01-10' });
    expect(series.get('symbol=A')?.deadline).toBeUndefined();
    expect(series.get('symbol=B')?.deadline).toBe(due(41) + 30 * HOUR);
  });

  test('where all have ended it may be the source that did', () => {
    const lake = upTo(10);
    lake.now = midnight(11) + 30 * DAY;
    lake.observe('src/archive', {});
    expect(told(lake, 'silver/s')).toBe('overdue: A overdue 648h');
    lake.now += 1;
    lake.observe('src/archive', {});
    expect(freshness(lake, 'silver/s').worst).toMatchObject({ status: 'unknown', why: 'silent', since: midnight(11) });
    expect(freshness(lake, 'silver/s').worst?.newest).toBe('symbol=A/date=2020-01-10');
    // What there is and was not computed is late all the same.
    lake.wipe('silver/s', 'date=2020-01-10');
    expect(freshness(lake, 'silver/s').worst).toMatchObject({ status: 'overdue', lagMs: lake.now - due(10) });
  });

  test('nothing is due after the end of a dimension, here or upstream', () => {
    const ended = source('src/ended', {
      partitions: { symbol, date: daily({ start: '2020-01-01', end: '2020-01-10' }) },
      observe: nothing,
      freshness: policy,
    });
    const table = asset('gold/t', {
      partitions: { symbol, date },
      inputs: { a: from(ended, { date: window({ days: 0 }) }) },
      ...shape,
      freshness: policy,
    });
    const lake = scenario([ended, table], due(10));
    lake.observe('src/ended', days('A', 1, 10));
    lake.run();
    lake.now = due(20);
    expect(told(lake, 'src/ended')).toBe('on-time: A on-time 0h');
    expect(told(lake, 'gold/t')).toBe('on-time: A on-time 0h');
  });

  test('what nothing needs is not late', () => {
    const months = source('src/months', { partitions: { symbol, month }, observe: nothing, publicationLagHours: 480 });
    const daysOf = asset('bronze/d', {
      partitions: { symbol, date },
      inputs: { a: archive },
      ...shape,
      freshness: policy,
    });
    const either = asset('silver/e', {
      partitions: { symbol, date },
      inputs: { raw: firstAvailable(from(asMonths(months), { month: overlapping() }), daysOf) },
      ...shape,
      freshness: policy,
    });
    const lake = scenario([archive, months, daysOf, either], due(31));
    lake.observe('src/archive', days('A', 1, 31));
    lake.observe('src/months', { 'symbol=A/month=2020-01': 'v' });
    lake.run();
    expect(lake.status('bronze/d')).toEqual({ unneeded: 31, awaiting: 2 });
    expect(freshness(lake, 'bronze/d')).toMatchObject({ status: 'unknown', counts: { unknown: 0 } });
    expect(told(lake, 'silver/e')).toBe('on-time: A on-time 0h');
    // A day is there as soon as any of the two has it: after 48 hours, not after the month and 480.
    lake.now = due(32) + 27 * HOUR;
    expect(told(lake, 'silver/e')).toBe('warn: A warn 27h');
  });

  test('the same as counting day by day', () => {
    const day = fc.integer({ min: 1, max: 60 });
    const some = fc.uniqueArray(day, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(some, some, some, fc.integer({ min: 1, max: 120 }), (seenA, seenB, computed, today) => {
        using lake = new Scenario(house, { now: new Date(midnight(61)).toISOString() });
        const of = (name: string, list: number[]) => list.map((d) => [`symbol=${name}/date=${text2(d)}`, 'v']);
        lake.observe('src/archive', Object.fromEntries([...of('A', seenA), ...of('B', seenB)]));
        for (const d of computed) lake.run({ partitions: `symbol=A,date=${text2(d)}` });
        lake.now = Math.max(midnight(61), midnight(today));
        lake.observe('src/archive', {});

        const there = computed.filter((d) => seenA.includes(d));
        const newest = Math.max(...there);
        const waiting = seenA.filter((d) => d > newest);
        const front = Math.max(...seenA, ...seenB);
        // Its life goes on while the next day began at most thirty days ago.
        const goesOn = (seen: number[]) => lake.now - midnight(Math.max(...seen) + 1) <= 30 * DAY;
        const next = Math.min(...waiting, ...(goesOn(seenA) ? [Math.max(front, newest) + 1] : []));
        const silent = !goesOn(seenA) && !goesOn(seenB) && waiting.length === 0;
        const lag = Number.isFinite(next) ? Math.max(lake.now - due(next), 0) : 0;
        const found = freshness(lake, 'silver/s').series.get('symbol=A');
        expect(found?.lagMs).toBe(there.length === 0 || silent ? undefined : lag);
        expect(found?.newest).toBe(there.length === 0 ? undefined : `symbol=A/date=${text2(newest)}`);
      }),
      { numRuns: 60 },
    );
  });
});

function asMonths(months: typeof monthSource) {
  return asset('bronze/m', { partitions: { symbol, month }, inputs: { a: months }, ...shape });
}
const monthSource = source('src/months', { partitions: { symbol, month }, observe: nothing });

describe('when a partition is normally there', () => {
  const slow = source('src/slow', {
    partitions: { symbol, month },
    observe: nothing,
    publicationLagHours: 480,
  });
  const slowBronze = asset('bronze/slow', { partitions: { symbol, month }, inputs: { a: slow }, ...shape });

  function dues(definitions: readonly AssetDefinition[], key: string, seen = true): (day: number) => string {
    const lake = scenario(definitions, due(60));
    lake.observe('src/archive', days('A', 1, 40));
    if (seen && definitions.includes(slow)) lake.observe('src/slow', { 'symbol=A/month=2020-01': 'v' });
    const all = universes(lake.graph, lake.state.index(), lake.now);
    const at = dueIn(lake.graph, (asset) => all.get(asset));
    const { space } = lake.graph.node(key);
    return (day) => {
      const time = space.time?.grain === 'month' ? 600 : midnight(day) / DAY;
      return new Date(at(key, 'symbol=A', time)).toISOString();
    };
  }

  test('of a source: after its publication lag; of what it is made into: not before', () => {
    expect(dues(house, 'src/archive')(10)).toBe('2020-01-13T00:00:00.000Z');
    expect(dues(house, 'silver/s')(10)).toBe('2020-01-13T00:00:00.000Z');
  });

  test('with the last of all inputs', () => {
    const both = asset('gold/both', {
      partitions: { symbol, date },
      inputs: { s: silver, m: from(slowBronze, { month: overlapping() }) },
      ...shape,
    });
    expect(dues([...house, slow, slowBronze, both], 'gold/both')(10)).toBe('2020-02-21T00:00:00.000Z');
  });

  test('with the first of alternatives that there are', () => {
    const either = asset('gold/either', {
      partitions: { symbol, date },
      inputs: { raw: firstAvailable(from(slowBronze, { month: overlapping() }), silver) },
      ...shape,
    });
    const all = [...house, slow, slowBronze, either];
    expect(dues(all, 'gold/either')(10)).toBe('2020-01-13T00:00:00.000Z');
    expect(dues(all, 'gold/either', false)(10)).toBe('2020-01-13T00:00:00.000Z');
  });

  test('with the last of what a window reads, and of the days of a month', () => {
    const ahead = asset('gold/ahead', {
      partitions: { symbol, date },
      inputs: { s: from(silver, { date: window({ days: 3, ahead: { days: 2 } }) }) },
      ...shape,
    });
    expect(dues([...house, ahead], 'gold/ahead')(10)).toBe('2020-01-15T00:00:00.000Z');
    const whole = asset('gold/month', {
      partitions: { symbol, month },
      inputs: { s: from(silver, { date: overlapping() }) },
      ...shape,
    });
    expect(dues([...house, whole], 'gold/month')(10)).toBe('2020-02-03T00:00:00.000Z');
  });

  test('without sources: at the end of its period and of those it waits for', () => {
    const alone = asset('gold/alone', {
      partitions: { symbol: staticDimension(['A']), date: daily({ start: '2020-01-01', lag: 2 }) },
      ...shape,
    });
    expect(dues([...house, alone], 'gold/alone')(10)).toBe('2020-01-13T00:00:00.000Z');
  });
});

describe('by materialization time', () => {
  const daysOld = materializedWithin({ days: 1 }, { warn: { hours: 20 } });
  const feed = source('src/archive', { partitions: { symbol, date }, observe: nothing, freshness: daysOld });
  const raw = asset('bronze/b', { partitions: { symbol, date }, inputs: { a: feed }, ...shape });
  const table = asset('silver/s', { partitions: { symbol, date }, inputs: { b: raw }, ...shape, freshness: daysOld });

  test('counts from the computation, or from a look that found nothing to compute', () => {
    const lake = scenario([feed, raw, table], midnight(12));
    lake.observe('src/archive', { ...days('A', 1, 10), ...days('B', 1, 10) });
    expect(told(lake, 'silver/s')).toBe('unknown: A unknown, B unknown');
    lake.run();
    lake.now += 21 * HOUR;
    expect(told(lake, 'silver/s')).toBe('warn: A warn 21h, B warn 21h');
    expect(freshness(lake, 'silver/s').worst).toEqual({
      series: 'symbol=A',
      status: 'warn',
      basis: 'materialization',
      lagMs: 21 * HOUR,
      limitMs: DAY,
      deadline: midnight(13),
      since: midnight(12) + 20 * HOUR,
      newest: 'symbol=A/date=2020-01-10',
      why: undefined,
    });
    // Nothing new of A, a day of B that is not computed.
    lake.observe('src/archive', days('B', 11));
    lake.now += 4 * HOUR;
    expect(told(lake, 'src/archive')).toBe('on-time: A on-time 4h, B on-time 4h');
    expect(told(lake, 'silver/s')).toBe('overdue: A on-time 4h, B overdue 25h');
    lake.run();
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 4h, B on-time 4h');
    // Where the look would be too long ago, what was computed since counts.
    lake.now += 17 * HOUR;
    expect(told(lake, 'silver/s')).toBe('warn: A warn 21h, B on-time 17h');
    lake.define([feed, raw, table], { 'silver/s': 'other' });
    lake.state.append({ kind: 'run-started', run: 'r', command: '', selection: '' });
    lake.run({ selection: 'silver/s' });
    expect(told(lake, 'silver/s')).toBe('on-time: A on-time 0h, B on-time 0h');
  });

  test('needs no time dimension', () => {
    const whole = asset('gold/whole', { ...shape, freshness: daysOld });
    const lake = scenario([whole], midnight(12));
    expect(told(lake, 'gold/whole')).toBe('unknown:  unknown');
    lake.run();
    lake.now += 25 * HOUR;
    // It has no source that could be looked at.
    expect(freshness(lake, 'gold/whole')).toMatchObject({ status: 'overdue', worst: { series: '', newest: '' } });
  });

  test('what the log has forgotten is unknown', () => {
    const lake = scenario([feed, raw, table], midnight(12));
    lake.observe('src/archive', days('A', 1, 10));
    lake.run({ partitions: 'date=..2020-01-09' });
    const { evaluations } = lake.plan();
    const context = { graph: lake.graph, view: lake.state.index(), evaluations, now: lake.now };
    const found = freshnessOf({ ...context, instantOf: () => undefined }, ['silver/s']);
    expect(found.get('silver/s')).toMatchObject({ status: 'unknown', why: 'forgotten' });
  });

  test('together with data time the worse one is told', () => {
    const both = asset('silver/s', {
      partitions: { symbol, date },
      inputs: { b: raw },
      ...shape,
      freshness: [policy, daysOld],
    });
    const lake = scenario([feed, raw, both], due(10));
    lake.observe('src/archive', days('A', 1, 10));
    lake.run();
    lake.now = due(11) + HOUR;
    expect(freshness(lake, 'silver/s').worst).toMatchObject({ basis: 'materialization', status: 'overdue' });
    lake.observe('src/archive', {});
    expect(freshness(lake, 'silver/s').worst).toMatchObject({ basis: 'materialization', status: 'on-time' });
    lake.now = due(11) + 31 * HOUR;
    lake.observe('src/archive', {});
    expect(freshness(lake, 'silver/s').worst).toMatchObject({ basis: 'data', status: 'overdue', lagMs: 31 * HOUR });
  });
});

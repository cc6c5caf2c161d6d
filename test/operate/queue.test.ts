import {
  asset,
  columns,
  daily,
  defineLakehouse,
  eager,
  type ScheduleOptions,
  schedule,
  sensor,
  source,
  sql,
  text,
} from 'crypto-lakehouse';
import { expect, test, vi } from 'vitest';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { CONDITIONS, pauseKey } from '../../framework/operate/keys.ts';
import type { TickKind } from '../../framework/operate/store.ts';
import { openTestLake } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { at, stage } from './support.ts';

const START = '2020-04-10T12:30:00Z';
const ONE = '2020-04-10T13:00:00Z';
const TWO = '2020-04-10T14:00:00Z';
const PATIENCE = { timeout: 60_000, interval: 5 };
const hourly = (name: string, options: Partial<ScheduleOptions> = {}) =>
  schedule({ name, cron: '0 * * * *', ...options });

/** A lake of one small table, and a schedule `a` that keeps the daemon busy until it is let go. */
async function world() {
  const clock = { now: at(START) };
  const directory = await temporaryDirectory();
  const open = async (codeVersion: string) => {
    const one = asset('gold/one', {
      partitions: { date: daily({ start: '2020-04-09', end: '2020-04-09' }) },
      inputs: {},
      columns: columns({ said: text() }),
      sortBy: ['said'],
      codeVersion,
      automation: eager({ backlog: true }),
      query: () => sql`SELECT 'x' AS said`,
    });
    const lake = await openTestLake(defineLakehouse({ assets: [one] }), directory, { now: () => clock.now });
    atEnd(() => lake.close());
    return lake;
  };
  const lake = await open('1');
  const held = Promise.withResolvers<string>();
  const a = hourly('a', { action: () => held.promise });
  const staged = stage(lake, clock);
  const pause = (paused: boolean, name: string, kind: TickKind = 'schedule') =>
    staged.store.remember({ [pauseKey(name, kind)]: { paused, at: clock.now } });
  pause(true, CONDITIONS, 'automation');
  return { ...staged, lake, open, a, letGo: () => held.resolve('let go'), pause };
}

/** What can wait for its turn. */
const KINDS = ['schedule', 'sensor', 'automation'] as const satisfies readonly TickKind[];

/** A daemon in which something of this kind waits for `a`: what it waits with can be had again, as a reload would make it. */
async function waiting(kind: TickKind) {
  const made = await world();
  const { clock, start, a, pause } = made;
  const name = kind === 'automation' ? CONDITIONS : 'b';
  let news = false;
  const looks = sensor({
    name: 'b',
    every: { minutes: 5 },
    select: 'gold/one',
    poll: () => {
      const found = news;
      news = false;
      return found ? { cursor: 'new', request: { reason: 'news' } } : { skip: 'none' };
    },
  });
  const declared = (lake: OpenedLake) => ({
    lake,
    schedules: [
      a,
      hourly('c', { cron: '1 * * * *', priority: 5, select: 'gold/one' }),
      ...(kind === 'schedule' ? [hourly('b', { select: 'gold/one' })] : []),
    ],
    sensors: kind === 'sensor' ? [looks] : [],
  });
  const { schedules, sensors } = declared(made.lake);
  const begin = () => start(schedules, { sensors });
  const daemon = begin();
  daemon.turn();
  await vi.waitUntil(() => daemon.busy.length === 0, PATIENCE);
  clock.now = at(ONE);
  news = true;
  if (kind === 'automation') pause(false, name, kind);
  daemon.turn();
  await vi.waitUntil(() => daemon.busy.includes(`${kind} ${name}`), PATIENCE);
  return { ...made, name, daemon, declared, begin };
}

test.each(KINDS)('a %s that waits begins with what was loaded meanwhile', async (kind) => {
  const { clock, daemon, declared, open, letGo, ticks, name } = await waiting(kind);
  daemon.replace(declared(await open('2')));
  // This goes first, and writes down newer definitions than those of when the other began to wait.
  clock.now = at('2020-04-10T13:01:00Z');
  daemon.turn();
  letGo();
  await daemon.settled();
  const ofInterest = ticks().filter((line) => / [abc] | conditions /.test(line));
  expect(ofInterest.map((line) => line.replace(/^\S+ (\S+ \S+) .*; /, '$1 '))).toEqual([
    'a succeeded: let go',
    `${name} succeeded: nothing was stale`,
    'c succeeded: 1 partition computed: gold/one (missing 1)',
  ]);
});

test.each(KINDS)('a %s that is paused while it waits does not begin, and is not made up for', async (kind) => {
  const { clock, daemon, pause, name, letGo, ticks, advance, begin } = await waiting(kind);
  pause(true, name, kind);
  letGo();
  await daemon.settled();
  const own = () => ticks().filter((line) => line.includes(` ${name} `));
  const never = expect.stringMatching(/ interrupted: .*; it never began: it is paused, or not declared any more$/);
  expect(own()).toEqual([never]);
  clock.now += 30_000;
  pause(false, name, kind);
  const next = begin();
  expect(next.busy).toEqual([]);
  await advance(next, '2020-04-10T13:59:00Z');
  const later = {
    schedule: [],
    // Its cursor has moved on: nobody else would ask for it again.
    sensor: [
      expect.stringMatching(/:05 b succeeded: asked for before and not done: news: gold\/one; nothing was stale$/),
    ],
    // What is missing is missing.
    automation: [expect.stringMatching(/ conditions succeeded: requested: gold\/one 1; 1 partition computed: /)],
  };
  expect(own()).toEqual([never, ...later[kind]]);
});

test('a schedule that is not declared any more when its turn comes does not begin, and nobody waits for it', async () => {
  const { daemon, declared, open, letGo, ticks } = await waiting('schedule');
  const { lake, schedules, sensors } = declared(await open('2'));
  daemon.replace({ lake, schedules: schedules.filter(({ name }) => name !== 'b'), sensors });
  letGo();
  await daemon.settled();
  expect(ticks()).toEqual([
    '2020-04-10T13:00 a succeeded: it was due; let go',
    '2020-04-10T13:00 b interrupted: it was due; it never began: it is paused, or not declared any more',
  ]);
});

test('what waited under a daemon that died is written down as running when it begins, and given up when it kills every one', async () => {
  const { clock, start, store, ticks, a, letGo } = await world();
  const kills = hourly('b', { action: () => new Promise<string>(() => undefined) });
  const daemon = start([a, kills]);
  daemon.turn();
  clock.now = at(ONE);
  daemon.turn();
  const stopped = daemon.stop(60_000);
  letGo();
  await stopped;
  expect(ticks().at(-1)).toBe('2020-04-10T13:00 b queued: it was due');
  clock.now = at('2020-04-10T13:20:00Z');
  start([kills]);
  expect(store.ticks({ name: 'b', limit: 9 })).toMatchObject([{ outcome: 'running', begunAt: clock.now }]);
  for (let deaths = 0; deaths < 12; deaths++) start([kills]);
  const own = ticks().filter((line) => line.includes(' b '));
  expect([own.length, own.at(0), own.at(-1)]).toEqual([
    11,
    '2020-04-10T13:00 b interrupted: it was due; the daemon died',
    '2020-04-10T13:00 b #11 failed: given up: it was interrupted 10 times',
  ]);
});

test('what comes due while one waits is said to be so', async () => {
  const { clock, start, ticks, a, letGo } = await world();
  const daemon = start([a, hourly('b', { action: () => 'done' })]);
  for (const now of [START, ONE, TWO]) {
    clock.now = at(now);
    daemon.turn();
  }
  expect(ticks().slice(2)).toEqual([
    '2020-04-10T14:00 a skipped: skipped: the tick of 2020-04-10T13:00Z is still running',
    '2020-04-10T14:00 b skipped: skipped: the tick of 2020-04-10T13:00Z is still waiting for its turn',
  ]);
  letGo();
  await daemon.settled();
});

test.each([
  ['materialize-stale', 'told to stop'],
  ['observe', 'told to stop; looked at 1 source: 1 partition new, changed or withdrawn'],
] as const)(
  '%s that is stopped while it looks says what it has done, and not what it does not know',
  async (action, said) => {
    const clock = { now: at(START) };
    const looking = Promise.withResolvers<undefined>();
    const seen = Promise.withResolvers<undefined>();
    const one = source('in/files', {
      partitions: { date: daily({ start: '2020-04-09', end: '2020-04-09' }) },
      observe: async function* () {
        looking.resolve(undefined);
        await seen.promise;
        yield { partition: { date: '2020-04-09' }, version: '1' };
      },
      read: async () => ({ bytes: Buffer.from(''), version: '1' }),
    });
    const lake = await openTestLake(defineLakehouse({ assets: [one] }), await temporaryDirectory(), {
      now: () => clock.now,
    });
    atEnd(() => lake.close());
    const { start, ticks } = stage(lake, clock);
    const daemon = start([hourly('look', { action })]);
    daemon.turn();
    clock.now = at(ONE);
    daemon.turn();
    await looking.promise;
    const stopped = daemon.stop(60_000);
    seen.resolve(undefined);
    await stopped;
    expect(ticks()).toEqual([`2020-04-10T13:00 look interrupted: it was due; ${said}`]);
  },
);

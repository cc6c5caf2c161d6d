import { join } from 'node:path';
import { asset, columns, daily, defineLakehouse, eager, sensor, sql, text } from 'crypto-lakehouse';
import { expect, test, vi } from 'vitest';
import { type ScheduleOptions, schedule } from '../../framework/define/schedule.ts';
import { Pools, type Waiting } from '../../framework/materialize/pools.ts';
import { createShared } from '../../framework/materialize/shared.ts';
import { CONDITIONS, pauseKey } from '../../framework/operate/keys.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { Archive, tinyLake } from '../materialize/fixture.ts';
import { openTestLake, run, testSettings } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory, tiny, versions, work } from '../materialize/support.ts';
import { at, stage } from './support.ts';

const START = '2020-04-10T12:30:00Z';
const PATIENCE = { timeout: 60_000, interval: 5 };
const ONE = '2020-04-10T13:00:00Z';
const hourly = (options: Partial<ScheduleOptions> = {}) => schedule({ name: 'hourly', cron: '0 * * * *', ...options });

/** What holds whoever passes it by name, until it is opened. */
function gate(...held: readonly string[]) {
  const passed: string[] = [];
  const opened = Promise.withResolvers<undefined>();
  const reached = Promise.withResolvers<undefined>();
  return {
    passed,
    open: () => opened.resolve(undefined),
    /** Resolves when somebody is held. */
    reached: reached.promise,
    pass: async (name: string) => {
      passed.push(name);
      if (!held.includes(name)) return;
      reached.resolve(undefined);
      await opened.promise;
    },
  };
}

async function world(options: Parameters<typeof tiny>[0] = {}) {
  const clock = { now: at(START) };
  const opened = await tiny({ now: () => clock.now, ...options });
  return { ...stage(opened.lake, clock), ...opened };
}

test('what waits goes by priority, then in the order it came; conditions go after what says nothing', async () => {
  const clock = { now: at(START) };
  const one = asset('gold/one', {
    partitions: { date: daily({ start: '2020-04-09', end: '2020-04-09' }) },
    inputs: {},
    columns: columns({ said: text() }),
    sortBy: ['said'],
    automation: eager({ backlog: true }),
    query: () => sql`SELECT 'x' AS said`,
  });
  const directory = await temporaryDirectory();
  const lake = await openTestLake(defineLakehouse({ assets: [one] }), directory, { now: () => clock.now });
  atEnd(() => lake.close());
  const { start, store, log } = stage(lake, clock);
  const { pass, open, reached } = gate('a');
  const at1 = (name: string, priority?: number) =>
    hourly({ name, cron: '1 * * * *', ...(priority !== undefined && { priority }), action: () => 'done' });
  const a = hourly({ name: 'a', action: () => pass('a').then(() => 'done') });
  let news = false;
  const looked = sensor({
    name: 'looked',
    every: { seconds: 30 },
    priority: 3,
    action: 'check',
    poll: () => (news ? { request: { reason: 'news' } } : { skip: 'none' }),
  });
  const paused = (is: boolean) =>
    store.remember({ [pauseKey(CONDITIONS, 'automation')]: { paused: is, at: clock.now } });
  paused(true);
  const daemon = start([a, at1('b'), at1('c'), at1('low', -2), at1('urgent', 7)], { sensors: [looked] });
  daemon.turn();
  await daemon.settled();
  clock.now = at(ONE);
  daemon.turn();
  await reached;
  paused(false);
  news = true;
  await vi.waitUntil(() => !daemon.busy.includes('looked'), PATIENCE);
  clock.now = at('2020-04-10T13:01:00Z');
  daemon.turn();
  await vi.waitUntil(() => daemon.busy.includes('sensor looked'), PATIENCE);
  expect(daemon.load).toEqual({ running: 1, waiting: 6 });
  news = false;
  open();
  await daemon.settled();
  expect(log.flatMap((line) => /^info (.*tick started: .*)/.exec(line)?.[1] ?? [])).toEqual([
    'a: tick started: it was due',
    'urgent: tick started: it was due',
    ': tick started: news: *',
    'b: tick started: it was due',
    'c: tick started: it was due',
    ': tick started: requested: gold/one 1',
    'low: tick started: it was due',
  ]);
});

test('a tick that waits is queued, and running when its turn comes', async () => {
  const { clock, start, store } = await world();
  const { pass, open, reached } = gate('a', 'b');
  const one = (name: string) => hourly({ name, action: () => pass(name).then(() => 'done') });
  const daemon = start([one('a'), one('b')]);
  daemon.turn();
  clock.now = at(ONE);
  daemon.turn();
  await reached;
  const ticks = () =>
    store
      .ticks({ limit: 9 })
      .reverse()
      .map(({ name, outcome, begunAt }) => [name, outcome, begunAt]);
  expect(ticks()).toEqual([
    ['a', 'running', at(ONE)],
    ['b', 'queued', undefined],
  ]);
  clock.now += 60_000;
  open();
  await daemon.settled();
  expect(ticks()).toEqual([
    ['a', 'succeeded', at(ONE)],
    ['b', 'succeeded', at(ONE) + 60_000],
  ]);
});

test('what waited when its daemon was killed waits on under the next, as the same tick, however often that happens', async () => {
  const { clock, start, store, ticks } = await world();
  const { pass, passed } = gate('a');
  const one = (name: string) => hourly({ name, action: () => pass(name).then(() => 'done') });
  const all = ['a', 'b', 'c', 'd'].map(one);
  start(all).turn();
  clock.now = at(ONE);
  start(all).turn();
  // Ten daemons die at the first of them; then it is given up, and the others have their turn.
  for (let kill = 0; kill < 9; kill++) start(all);
  const others = () => ticks().filter((line) => !/:00 a /.test(line));
  expect(others()).toEqual(['b', 'c', 'd'].map((name) => `2020-04-10T13:00 ${name} queued: it was due`));
  store.remember({ [pauseKey('c')]: { paused: true, at: clock.now } });
  await start(all.slice(0, 3)).settled();
  expect(others()).toEqual([
    '2020-04-10T13:00 b succeeded: it was due; done',
    ...['c', 'd'].map(
      (name) =>
        `2020-04-10T13:00 ${name} interrupted: it was due; it never began: it is paused, or not declared any more`,
    ),
  ]);
  expect(ticks().at(-1)).toBe('2020-04-10T13:00 a #11 failed: given up: it was interrupted 10 times');
  expect(passed.filter((name) => name !== 'a')).toEqual(['b']);
});

test('a person has what was asked for while the daemon is busy with the same and has a queue', async () => {
  const { pass, passed, open: letGo, reached } = gate('AAA/2020-01-01');
  const { clock, start, open, archive, lake } = await world({ onRead: pass, sets: ['workflow.pools.default=1'] });
  for (const month of ['2020-01', '2020-03', '2020-04']) archive.days('AAA', month, 1, month === '2020-04' ? 8 : 31, 1);
  archive.days('AAA', '2020-02', 1, 29, 1);
  const daemon = start([
    hourly({ name: 'all', select: '+bronze/days' }),
    ...['b', 'c', 'd'].map((name) => hourly({ name, action: () => 'done' })),
  ]);
  daemon.turn();
  clock.now = at(ONE);
  daemon.turn();
  await reached;
  // As a process of its own. Of what the daemon computes, this is not in the two batches that it has in hand.
  const own = await open();
  const filter = parseFilter('symbol=AAA,date=2020-04-01..2020-04-08');
  const { outcome, events } = await run(own, { selection: '+silver/ticks', filter });
  expect([outcome, work(events)]).toEqual(['succeeded', { 'bronze/days': '8/8', 'silver/ticks': '8/8' }]);
  expect(daemon.load).toEqual({ running: 1, waiting: 3 });
  letGo();
  await daemon.settled();
  // Nothing was fetched twice.
  expect([passed.length, new Set(passed).size]).toEqual([99, 99]);
  expect(Object.keys(versions(lake)).filter((key) => key.startsWith('bronze/days'))).toHaveLength(99);
});

test('of two runs at once the one that goes before has the next slot of a pool', async () => {
  const { pass, passed, open, reached } = gate('AAA/2020-04-01');
  const directory = await temporaryDirectory();
  const archive = new Archive(join(directory, 'archive'));
  archive.days('AAA', '2020-04', 1, 4).days('BBB', '2020-04', 1, 1);
  const definition = tinyLake({ onRead: pass });
  const sets = [`tiny.directory=${archive.directory}`];
  const asked: (number | undefined)[] = [];
  class Noting extends Pools {
    override run<T>(pool: string, task: () => Promise<T>, waiting: Waiting): Promise<T> {
      asked.push(waiting.priority);
      return super.run(pool, task, waiting);
    }
  }
  const shared = createShared(testSettings(definition, directory, sets), 'write');
  atEnd(shared.close);
  const pools = new Noting({ slots: {}, defaultSlots: 1, rates: {} });
  const lake = await openTestLake(definition, directory, { sets, now: () => at(START), shared: { ...shared, pools } });
  atEnd(() => lake.close());
  const only = (symbol: string, priority: number) =>
    run(lake, { selection: '+bronze/days', filter: parseFilter(`symbol=${symbol}`), priority });
  const low = only('AAA', 0);
  await reached;
  const high = only('BBB', 1);
  await vi.waitUntil(() => asked.includes(1), PATIENCE);
  open();
  await Promise.all([low, high]);
  expect(asked).toEqual([0, 0, 0, 0, 1]);
  expect(passed).toEqual(['AAA/2020-04-01', 'BBB/2020-04-01', 'AAA/2020-04-02', 'AAA/2020-04-03', 'AAA/2020-04-04']);
});

test('however often definitions are read again, there is one engine with one limit of memory', async () => {
  const one = (name: string) =>
    asset(`gold/${name}`, {
      partitions: { date: daily({ start: '2020-04-09', end: '2020-04-09' }) },
      inputs: {},
      columns: columns({ said: text() }),
      sortBy: ['said'],
      query: () => sql`SELECT 'x' AS said`,
    });
  const definition = defineLakehouse({ assets: [one('one'), one('two'), one('three')] });
  const clock = { now: at(START) };
  const directory = await temporaryDirectory();
  const opened = (memory: string) =>
    openTestLake(definition, directory, { sets: [`engine.memoryLimit=${memory}`], now: () => clock.now, shared });
  const shared = createShared(testSettings(definition, directory, ['engine.memoryLimit=300MiB']), 'write');
  atEnd(shared.close);
  const first = await opened('300MiB');
  const { start, ticks } = stage(first, clock);
  const schedules = ['one', 'two'].map((name) => hourly({ name, select: `gold/${name}` }));
  const daemon = start(schedules, { maxRuns: 2 });
  daemon.turn();
  clock.now = at(ONE);
  daemon.turn();
  // While both run. The engine's settings are the process's: others count from its next start on.
  const second = await opened('700MiB');
  atEnd(() => second.close());
  daemon.replace({ lake: second, schedules: [hourly({ name: 'three', select: 'gold/three' })], sensors: [] });
  daemon.turn();
  await daemon.settled();
  clock.now = at('2020-04-10T14:00:00Z');
  daemon.turn();
  await daemon.settled();
  expect(ticks().map((line) => line.slice(11, 32).trim())).toEqual([
    '13:00 one succeeded:',
    '13:00 two succeeded:',
    '14:00 three succeeded',
  ]);
  const engine = await second.engine();
  expect(await first.engine()).toBe(engine);
  expect(await shared.engine()).toBe(engine);
  const result = await engine.query(`SELECT current_setting('memory_limit')`, [], new AbortController().signal);
  try {
    for await (const rows of result.batches) expect(rows).toEqual([['300.0 MiB']]);
  } finally {
    await result.close();
  }
});

test('runs bear the tags of what made them, whatever it does; others none', async () => {
  const { clock, start, archive, lake, store } = await world();
  archive.days('AAA', '2020-04', 1, 1);
  const tagged = (name: string, action: 'materialize-stale' | 'observe' | 'check', select: string) =>
    hourly({ name, action, select, tags: { by: name } });
  const looked = sensor({
    name: 'looked',
    every: { hours: 1 },
    select: '+silver/ticks',
    tags: { by: 'looked' },
    poll: () => ({ request: true }),
  });
  const daemon = start(
    [
      tagged('all', 'materialize-stale', '+silver/ticks'),
      tagged('look', 'observe', 'src/*'),
      tagged('proof', 'check', 'silver/ticks'),
      hourly({ name: 'plain', select: '+silver/ticks' }),
    ],
    { sensors: [looked] },
  );
  daemon.turn();
  await daemon.settled();
  clock.now = at(ONE);
  daemon.turn();
  await daemon.settled();
  expect(store.ticks({ limit: 9 }).filter(({ outcome }) => outcome !== 'succeeded')).toEqual([]);
  expect(lake.state.runs(9).map(({ command, tags }) => [command.replace('lakehouse daemon: ', ''), tags])).toEqual([
    ['schedule plain', undefined],
    ['schedule proof', { by: 'proof' }],
    ['schedule look', { by: 'look' }],
    ['schedule all', { by: 'all' }],
    ['sensor looked', { by: 'looked' }],
  ]);
});

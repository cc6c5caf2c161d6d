import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ScheduleOptions, schedule } from '../../framework/define/schedule.ts';
import { pauseKey } from '../../framework/operate/keys.ts';
import { tiny } from '../materialize/support.ts';
import { at, stage } from './support.ts';

const hourly = (options: Partial<ScheduleOptions> = {}) => schedule({ name: 'hourly', cron: '0 * * * *', ...options });
const START = '2020-04-10T12:30:00Z';

async function world(now = START) {
  const clock = { now: at(now) };
  const { lake, archive } = await tiny({ now: () => clock.now });
  return { ...stage(lake, clock), lake, archive };
}

test('a tick computes what is stale and says what and why; the next one has nothing to do', async () => {
  const { archive, start, advance, ticks, lake } = await world();
  archive.days('AAA', '2020-04', 1, 1);
  const daemon = start([hourly({ select: '+silver/ticks' })]);
  await advance(daemon, '2020-04-10T14:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; 2 partitions computed: bronze/days (missing 1), silver/ticks (missing 1); not now: 4 awaiting',
    '2020-04-10T14:00 hourly succeeded: it was due; nothing was stale; not now: 4 awaiting',
  ]);
  expect(lake.state.runs(9).map(({ command, selection, outcome }) => ({ command, selection, outcome }))).toEqual(
    Array.from({ length: 2 }, () => ({
      command: 'lakehouse daemon: schedule hourly',
      selection: '+silver/ticks',
      outcome: 'succeeded',
    })),
  );
});

test('a schedule looks at its own partitions, also of the instant it was due', async () => {
  const { archive, start, advance, ticks } = await world();
  archive.days('AAA', '2020-04', 1, 9);
  const yesterday = (due: Date) => `date=${new Date(due.getTime() - 86_400_000).toISOString().slice(0, 10)}`;
  const daemon = start([hourly({ select: '+silver/ticks', partitions: yesterday })]);
  await advance(daemon, '2020-04-10T13:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; 2 partitions computed: bronze/days (missing 1), silver/ticks (missing 1)',
  ]);
});

test('a schedule that only looks tells what is new', async () => {
  const { archive, start, advance, ticks } = await world();
  archive.days('AAA', '2020-04', 1, 1);
  const daemon = start([hourly({ select: 'src/*', action: 'observe' })]);
  await advance(daemon, '2020-04-10T14:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; looked at 2 sources: 1 partition new, changed or withdrawn',
    '2020-04-10T14:00 hourly succeeded: it was due; looked at 2 sources: nothing new',
  ]);
});

test('a schedule that checks makes checks again, and computes nothing', async () => {
  const { archive, start, advance, ticks } = await world();
  archive.days('AAA', '2020-04', 1, 2);
  const daemon = start([
    hourly({ name: 'a-first', select: '+silver/ticks', timezone: 'UTC', cron: '0 13 * * *' }),
    hourly({ name: 'b-checks', select: 'silver/ticks', action: 'check' }),
    hourly({ name: 'c-none', select: 'bronze/days', action: 'check' }),
  ]);
  await advance(daemon, '2020-04-10T13:10:00Z');
  expect(ticks().slice(1)).toEqual([
    '2020-04-10T13:00 b-checks succeeded: it was due; 1 check made again, all passed',
    '2020-04-10T13:00 c-none succeeded: it was due; nothing that is selected has checks',
  ]);
});

test('what goes wrong in a function of a schedule is its own: the others go on', async () => {
  const { start, advance, ticks, log } = await world();
  const due: string[] = [];
  const bad = () => {
    throw new Error('no such thing');
  };
  const daemon = start([
    hourly({ name: 'bad', action: bad }),
    hourly({ name: 'good', action: (context) => `seen ${due.push(context.due.toISOString())}` }),
  ]);
  await advance(daemon, '2020-04-10T13:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 bad failed: it was due; no such thing',
    '2020-04-10T13:00 good succeeded: it was due; seen 1',
  ]);
  expect(due).toEqual(['2020-04-10T13:00:00.000Z']);
  expect(log.filter((line) => line.startsWith('error'))).toEqual(['error bad: tick failed: no such thing']);
});

test('a tick that takes too long is stopped', async () => {
  const { start, advance, ticks } = await world();
  const daemon = start([
    hourly({
      timeoutMinutes: 0.001,
      action: async ({ signal }) => {
        await setTimeout(60_000, undefined, { signal });
        return 'done';
      },
    }),
  ]);
  await advance(daemon, '2020-04-10T13:10:00Z');
  expect(ticks()).toEqual(['2020-04-10T13:00 hourly failed: it was due; It was stopped after 60 ms']);
});

/** A function that runs until it is let go. */
function gate() {
  const begun: string[] = [];
  let open: () => void = () => undefined;
  return {
    begun,
    release: () => open(),
    action: ({ due }: { readonly due: Date }) => {
      begun.push(due.toISOString().slice(11, 16));
      return new Promise<string>((resolve) => {
        open = () => resolve('let go');
      });
    },
  };
}

test('overlap skip: what comes due meanwhile is left out, and written down', async () => {
  const { clock, start, ticks } = await world();
  const { action, begun, release } = gate();
  const daemon = start([hourly({ action })]);
  for (const now of [START, '2020-04-10T13:00Z', '2020-04-10T14:00Z', '2020-04-10T15:00Z']) {
    clock.now = at(now);
    daemon.turn();
  }
  release();
  await daemon.settled();
  clock.now = at('2020-04-10T16:00Z');
  daemon.turn();
  release();
  await daemon.settled();
  expect(begun).toEqual(['13:00', '16:00']);
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; let go',
    '2020-04-10T14:00 hourly skipped: skipped: the tick of 2020-04-10T13:00Z is still running',
    '2020-04-10T15:00 hourly skipped: skipped: the tick of 2020-04-10T13:00Z is still running',
    '2020-04-10T16:00 hourly succeeded: it was due; let go',
  ]);
});

test('overlap queue: one tick stands for those that waited', async () => {
  const { clock, start, ticks } = await world();
  const { action, begun, release } = gate();
  const daemon = start([hourly({ action, overlap: 'queue' })]);
  for (const now of [START, '2020-04-10T13:00Z', '2020-04-10T14:00Z', '2020-04-10T15:20Z']) {
    clock.now = at(now);
    daemon.turn();
  }
  release();
  await daemon.settled();
  daemon.turn();
  release();
  await daemon.settled();
  expect(begun).toEqual(['13:00', '15:00']);
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; let go',
    '2020-04-10T14:00 hourly skipped: skipped: the tick of 2020-04-10T15:00Z stands for it',
    '2020-04-10T15:00 hourly succeeded: it was due; let go',
  ]);
});

test('catchUp all: each in turn, though one comes due while another runs', async () => {
  const { clock, start, advance, ticks } = await world();
  const options = {
    catchUp: 'all' as const,
    action: ({ due }: { readonly due: Date }) => due.toISOString().slice(11, 16),
  };
  await advance(start([hourly(options)]), '2020-04-10T13:10:00Z');
  clock.now = at('2020-04-10T16:30:00Z');
  const daemon = start([hourly(options)]);
  for (let turns = 0; turns < 8; turns++) {
    // The daemon looks also while a tick is running.
    daemon.turn();
    daemon.turn();
    await daemon.settled();
  }
  expect(ticks().map((line) => line.slice(11).replace(/hourly succeeded: .*; /, ''))).toEqual([
    '13:00 13:00',
    '14:00 14:00',
    '15:00 15:00',
    '16:00 16:00',
  ]);
});

test('an interrupted tick does not make those vanish that came due when nobody was there', async () => {
  const { clock, start, advance, ticks } = await world();
  const { action } = gate();
  const dead = start([hourly({ action })]);
  dead.turn();
  clock.now = at('2020-04-10T13:00:00Z');
  dead.turn();
  clock.now = at('2020-04-10T15:20:00Z');
  await advance(start([hourly({ action: () => 'done' })]), '2020-04-10T15:40:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly interrupted: it was due; the daemon died',
    '2020-04-10T13:00 hourly #2 succeeded: begun again, it was interrupted (attempt 2); done',
    '2020-04-10T14:00 hourly skipped: skipped: the tick of 2020-04-10T15:00Z stands for it',
    '2020-04-10T15:00 hourly succeeded: it was due when nobody was there (catchUp: last); done',
  ]);
});

test('what is called to begin again twice begins once, and what kills its process every time is given up', async () => {
  const { clock, start, ticks } = await world();
  const first = gate();
  const schedules = [hourly({ action: first.action })];
  start(schedules).turn();
  clock.now = at('2020-04-10T13:00:00Z');
  start(schedules).turn();
  const daemon = start(schedules);
  daemon.recover();
  expect(ticks().filter((line) => line.includes('running'))).toHaveLength(1);
  for (let deaths = 0; deaths < 12; deaths++) start(schedules);
  expect(ticks().at(-1)).toBe('2020-04-10T13:00 hourly #11 failed: given up: it was interrupted 10 times');
});

test('a function that does not heed its signal is left to itself', async () => {
  const { clock, start, ticks } = await world();
  const daemon = start([hourly({ action: () => new Promise<string>(() => undefined) })]);
  daemon.turn();
  clock.now = at('2020-04-10T13:00:00Z');
  daemon.turn();
  await daemon.stop(10);
  expect(ticks()).toEqual(['2020-04-10T13:00 hourly interrupted: it was due; told to stop']);
});

test('no more runs at once than it may', async () => {
  const { clock, start } = await world();
  let running = 0;
  let most = 0;
  const action = async () => {
    most = Math.max(most, ++running);
    await setTimeout(20);
    running--;
    return undefined;
  };
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const maxRuns of [1, 2]) {
    most = 0;
    const daemon = start(
      names.map((name) => hourly({ name: `${name}${maxRuns}`, action })),
      { maxRuns },
    );
    daemon.turn();
    clock.now += 3_600_000;
    daemon.turn();
    await daemon.settled();
    expect(most).toBe(maxRuns);
  }
});

test('after a time without a daemon the last tick is made up for', async () => {
  const { clock, start, advance, ticks } = await world();
  const action = () => 'done';
  await advance(start([hourly({ action })]), '2020-04-10T13:10:00Z');
  clock.now = at('2020-04-10T20:30:00Z');
  await advance(start([hourly({ action })]), '2020-04-10T21:00:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; done',
    '2020-04-10T19:00 hourly skipped ×6: skipped: the tick of 2020-04-10T20:00Z stands for it',
    '2020-04-10T20:00 hourly succeeded: it was due when nobody was there (catchUp: last); done',
    '2020-04-10T21:00 hourly succeeded: it was due; done',
  ]);
});

test('what another process pauses rests, and goes on when it is resumed', async () => {
  const { clock, store, start, advance, ticks } = await world();
  const daemon = start([hourly({ action: () => 'done' })]);
  await advance(daemon, '2020-04-10T13:10:00Z');
  store.remember({ [pauseKey('hourly')]: { paused: true, at: clock.now } });
  await advance(daemon, '2020-04-10T16:10:00Z');
  store.remember({ [pauseKey('hourly')]: { paused: false, at: clock.now } });
  await advance(daemon, '2020-04-10T17:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; done',
    '2020-04-10T17:00 hourly succeeded: it was due; done',
  ]);
});

test('a tick whose daemon died is begun again by the next one, once', async () => {
  const { clock, start, advance, ticks } = await world();
  const { action } = gate();
  const dead = start([hourly({ action })]);
  dead.turn();
  clock.now = at('2020-04-10T13:00:00Z');
  dead.turn();
  // It never comes to an end: what it still writes is refused, for another has the lease.
  clock.now = at('2020-04-10T13:20:00Z');
  const next = start([hourly({ action: () => 'done' })]);
  await advance(next, '2020-04-10T13:40:00Z');
  await advance(start([hourly({ action: () => 'done' })]), '2020-04-10T13:50:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly interrupted: it was due; the daemon died',
    '2020-04-10T13:00 hourly #2 succeeded: begun again, it was interrupted (attempt 2); done',
  ]);
});

test('a tick that was interrupted after others had been skipped for it is begun again too', async () => {
  const { clock, start, advance, ticks } = await world();
  const { action } = gate();
  const dead = start([hourly({ action })]);
  for (const now of [START, '2020-04-10T13:00Z', '2020-04-10T14:00Z']) {
    clock.now = at(now);
    dead.turn();
  }
  clock.now = at('2020-04-10T14:20:00Z');
  await advance(start([hourly({ action: () => 'done' })]), '2020-04-10T14:40:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly interrupted: it was due; the daemon died',
    '2020-04-10T14:00 hourly skipped: skipped: the tick of 2020-04-10T13:00Z is still running',
    '2020-04-10T13:00 hourly #2 succeeded: begun again, it was interrupted (attempt 2); done',
  ]);
});

test('told to stop, it lets what is running finish, and what waits goes on waiting', async () => {
  const { clock, start, advance, ticks } = await world();
  const first = gate();
  const second = gate();
  const daemon = start([hourly({ name: 'a', action: first.action }), hourly({ name: 'b', action: second.action })]);
  daemon.turn();
  clock.now = at('2020-04-10T13:00:00Z');
  daemon.turn();
  const stopped = daemon.stop(60_000);
  first.release();
  await stopped;
  expect(second.begun).toEqual([]);
  expect(ticks().at(-1)).toBe('2020-04-10T13:00 b queued: it was due');
  const done = () => 'done';
  await advance(
    start([hourly({ name: 'a', action: done }), hourly({ name: 'b', action: done })]),
    '2020-04-10T13:10:00Z',
  );
  expect(ticks()).toEqual([
    '2020-04-10T13:00 a succeeded: it was due; let go',
    '2020-04-10T13:00 b succeeded: it was due; done',
  ]);
});

test('what does not finish in time is stopped', async () => {
  const { clock, start, ticks } = await world();
  const daemon = start([
    hourly({
      action: async ({ signal }) => {
        await setTimeout(60_000, undefined, { signal });
        return 'done';
      },
    }),
  ]);
  daemon.turn();
  clock.now = at('2020-04-10T13:00:00Z');
  daemon.turn();
  await daemon.stop(10);
  expect(ticks()).toEqual(['2020-04-10T13:00 hourly interrupted: it was due; told to stop']);
});

test('a clock that is put back begins anew from there', async () => {
  const { clock, start, advance, ticks, log } = await world();
  const daemon = start([hourly({ action: () => 'done' })]);
  await advance(daemon, '2020-04-10T14:10:00Z');
  clock.now = at('2020-04-10T12:50:00Z');
  await advance(daemon, '2020-04-10T13:10:00Z');
  expect(ticks()).toEqual([
    '2020-04-10T13:00 hourly succeeded: it was due; done',
    '2020-04-10T14:00 hourly succeeded: it was due; done',
    '2020-04-10T13:00 hourly #2 succeeded: it was due; done',
  ]);
  expect(log).toContain('warn hourly: the clock has been put back');
});

test('once a day what grows with time is cut back', async () => {
  const { clock, start, advance, lake, archive, log } = await world();
  archive.days('AAA', '2020-04', 1, 1);
  const daemon = start([hourly({ select: '+silver/ticks' })]);
  await advance(daemon, '2020-04-12T00:30:00Z');
  expect(log.filter((line) => line.includes('tidied up'))).toHaveLength(2);
  clock.now = at('2020-06-20T00:30:00Z');
  await advance(daemon, '2020-06-22T00:30:00Z');
  const [oldest] = lake.state.events({ limit: 1 });
  expect(oldest?.at).toBeGreaterThan(at('2020-06-20T00:00:00Z'));
});

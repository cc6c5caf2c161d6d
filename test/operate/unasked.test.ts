import {
  type AutomationCondition,
  asset,
  bytes,
  daily,
  defineLakehouse,
  eager,
  LakehouseError,
  sensor,
  source,
} from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { schedule } from '../../framework/define/schedule.ts';
import { CONDITIONS, pauseKey } from '../../framework/operate/keys.ts';
import { openTestLake } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { at, type Clock, stage } from './support.ts';

/** Files of days, kept as they are and copied, both unasked. */
async function world(automation: AutomationCondition = eager()) {
  const clock: Clock = { now: at('2024-01-05T00:30:00Z') };
  const files = new Map<string, string>();
  const broken = new Set<string>();
  const fetched: string[] = [];
  const date = daily({ start: '2024-01-01' });
  const listed = source('in/files', {
    partitions: { date },
    publicationLagHours: 1,
    observe: async function* () {
      for (const [day, version] of files) yield { partition: { date: day }, version };
    },
    read: async ({ partition: { values } }) => ({
      bytes: Buffer.from(files.get(values.date) ?? ''),
      version: files.get(values.date) ?? '',
    }),
  });
  const format = bytes({ extension: '.txt' });
  const raw = asset('raw/files', {
    partitions: { date },
    inputs: { listed },
    format,
    codeVersion: '1',
    automation,
    retry: { retries: 0 },
    compute: async ({ inputs, partition: { values } }) => {
      fetched.push(values.date);
      if (broken.has(values.date)) throw new LakehouseError('no-answer', 'no answer', { kind: 'transient' });
      return inputs.listed.bytes();
    },
  });
  const copy = asset('gold/copy', {
    partitions: { date },
    inputs: { raw },
    format,
    codeVersion: '1',
    automation,
    compute: async ({ inputs }) => inputs.raw.bytes(),
  });
  const lake = await openTestLake(defineLakehouse({ assets: [listed, raw, copy] }), await temporaryDirectory(), {
    now: () => clock.now,
  });
  atEnd(() => lake.close());
  const looks = schedule({ name: 'look', cron: '0 * * * *', action: 'observe', select: 'in/*' });
  const world = stage(lake, clock);
  const unasked = () => world.ticks().filter((line) => !line.includes(' look '));
  return { ...world, lake, files, broken, fetched, looks, unasked };
}

test('conditions are kept: what is new is computed, once, through all that reads it', async () => {
  const { start, advance, files, looks, unasked, fetched } = await world();
  const daemon = start([looks]);
  files.set('2024-01-04', 'a');
  await advance(daemon, '2024-01-05T01:50:00Z');
  files.set('2024-01-03', 'b');
  await advance(daemon, '2024-01-05T02:50:00Z');
  files.set('2024-01-04', 'c');
  await advance(daemon, '2024-01-05T05:50:00Z');
  expect(unasked()).toEqual([
    '2024-01-05T01:00 conditions succeeded: requested: raw/files 1, gold/copy 1; 2 partitions computed: raw/files (missing 1), gold/copy (missing 1)',
    '2024-01-05T02:00 conditions succeeded: requested: raw/files 1, gold/copy 1; 2 partitions computed: raw/files (missing 1), gold/copy (missing 1)',
    '2024-01-05T03:00 conditions succeeded: requested: raw/files 1, gold/copy 1; 2 partitions computed: raw/files (data 1), gold/copy (data 1)',
  ]);
  expect(fetched).toEqual(['2024-01-04', '2024-01-03', '2024-01-04']);
});

test('what fails in passing is tried again later, and later each time', async () => {
  const { start, advance, files, broken, looks, unasked, fetched } = await world();
  const daemon = start([looks]);
  files.set('2024-01-04', 'a');
  broken.add('2024-01-04');
  await advance(daemon, '2024-01-05T05:00:00Z');
  const tries = fetched.length;
  // After one, two, four … minutes, an hour at most; looked at every ten minutes here.
  expect(tries).toBeGreaterThan(4);
  expect(tries).toBeLessThan(12);
  broken.clear();
  await advance(daemon, '2024-01-05T07:00:00Z');
  expect(unasked().at(0)).toBe(
    '2024-01-05T01:00 conditions failed: requested: raw/files 1, gold/copy 1; 1 partition failed: raw/files (date=2024-01-04); not now: 1 blocked',
  );
  expect(unasked().at(-1)).toContain('succeeded: requested: raw/files 1, gold/copy 1; 2 partitions computed');
  expect(unasked()).toHaveLength(fetched.length);
});

test('what was requested and did not come to an end is requested again', async () => {
  const { start, advance, files, looks, unasked, clock, lake } = await world();
  files.set('2024-01-04', 'a');
  const dead = start([looks]);
  await advance(dead, '2024-01-05T00:59:00Z');
  clock.now = at('2024-01-05T01:00:00Z');
  dead.turn();
  await dead.settled();
  clock.now = at('2024-01-05T01:10:00Z');
  // It dies in the moment it has decided.
  dead.turn();
  expect(dead.busy).toEqual([`automation ${CONDITIONS}`]);
  const stopped = dead.abandon(new Error('killed'));
  const next = start([looks]);
  await stopped;
  await advance(next, '2024-01-05T01:20:00Z');
  expect(unasked().at(-1)).toMatch(/conditions #2 succeeded: begun again, it was interrupted \(attempt 2\); /);
  expect(lake.state.refresh().asset('gold/copy')?.series.size).toBe(1);
});

test('a sensor asks for what it found, remembers where it was, and fails alone', async () => {
  const { start, advance, files, unasked, clock, log } = await world();
  let fails = false;
  const seen: (string | undefined)[] = [];
  const arrivals = sensor({
    name: 'arrivals',
    every: { minutes: 10 },
    select: '+gold/copy',
    poll: ({ cursor }) => {
      seen.push(cursor);
      if (fails) throw new Error('the server is gone');
      const newest = [...files.keys()].sort().at(-1);
      if (newest === undefined || newest === cursor) return { skip: 'no file' };
      return { cursor: newest, request: { partitions: `date=${newest}`, reason: `${newest} arrived` } };
    },
  });
  const daemon = start([], { sensors: [arrivals] });
  await advance(daemon, '2024-01-05T00:45:00Z');
  files.set('2024-01-04', 'a');
  await advance(daemon, '2024-01-05T01:05:00Z');
  fails = true;
  await advance(daemon, '2024-01-05T01:15:00Z');
  fails = false;
  const again = start([], { sensors: [arrivals] });
  await advance(again, '2024-01-05T01:35:00Z');
  expect(unasked().filter((line) => line.includes('arrivals'))).toEqual([
    '2024-01-05T00:50 arrivals succeeded: 2024-01-04 arrived: +gold/copy date=2024-01-04; 2 partitions computed: raw/files (missing 1), gold/copy (missing 1)',
    '2024-01-05T01:10 arrivals failed: Sensor arrivals: the server is gone',
    '2024-01-05T01:20 arrivals succeeded: it works again: no file',
  ]);
  expect(seen).toEqual([undefined, undefined, undefined, '2024-01-04', '2024-01-04', '2024-01-04', '2024-01-04']);
  expect(log).toContain('error : Sensor arrivals: the server is gone');
  expect(clock.now).toBe(at('2024-01-05T01:35:00Z'));
});

test('what a sensor asked for and did not come to an end is done by the next daemon, paused sensors rest', async () => {
  const { start, advance, files, unasked, store, clock } = await world();
  files.set('2024-01-04', 'a');
  let looked = 0;
  const once = sensor({
    name: 'once',
    every: { minutes: 10 },
    poll: () => (looked++ === 0 ? { cursor: 'x', request: true } : { skip: 'nothing' }),
  });
  const dead = start([], { sensors: [once] });
  dead.turn();
  while (!dead.busy.includes('sensor once')) await new Promise((resolve) => setTimeout(resolve, 1));
  await dead.abandon(new Error('killed'));
  const next = start([], { sensors: [once] });
  await advance(next, '2024-01-05T00:35:00Z');
  expect(unasked().filter((line) => line.includes('once'))).toEqual([
    expect.stringContaining('once interrupted: *; told to stop'),
    expect.stringContaining('once #2 succeeded: begun again, it was interrupted (attempt 2); 2 partitions computed'),
  ]);
  store.remember({ [pauseKey('once', 'sensor')]: { paused: true, at: clock.now } });
  const before = looked;
  await advance(next, '2024-01-05T02:00:00Z');
  expect(looked).toBe(before);
});

test('paused conditions request nothing; when they go on, what has come meanwhile is requested', async () => {
  const { start, advance, files, looks, unasked, store, clock } = await world();
  const paused = (is: boolean) =>
    store.remember({ [pauseKey(CONDITIONS, 'automation')]: { paused: is, at: clock.now } });
  const daemon = start([looks]);
  await advance(daemon, '2024-01-05T00:50:00Z');
  paused(true);
  files.set('2024-01-04', 'a');
  await advance(daemon, '2024-01-05T03:50:00Z');
  expect(unasked()).toEqual([]);
  paused(false);
  await advance(daemon, '2024-01-05T04:30:00Z');
  expect(unasked()).toEqual([
    expect.stringContaining('conditions succeeded: requested: raw/files 1, gold/copy 1; 2 partitions computed'),
  ]);
});

test('what is paused is not begun again by the next daemon', async () => {
  const { start, advance, files, looks, unasked, store, clock } = await world();
  files.set('2024-01-04', 'a');
  const dead = start([looks]);
  await advance(dead, '2024-01-05T00:59:00Z');
  clock.now = at('2024-01-05T01:00:00Z');
  dead.turn();
  await dead.settled();
  clock.now = at('2024-01-05T01:10:00Z');
  dead.turn();
  const stopped = dead.abandon(new Error('killed'));
  store.remember({ [pauseKey(CONDITIONS, 'automation')]: { paused: true, at: clock.now } });
  const next = start([]);
  expect(next.busy).toEqual([]);
  await stopped;
  await advance(next, '2024-01-05T01:30:00Z');
  expect(unasked().at(-1)).toMatch(/conditions interrupted: /);
});

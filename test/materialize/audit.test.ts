import { asset, bytes, daily, defineLakehouse, dynamicDimension, type ObserveContext, source } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { observeSources, wipePartitions } from '../../framework/materialize/recorded.ts';
import { presentSet } from '../../framework/plan/universe.ts';
import { openTestLake, run } from './lake.ts';
import { atEnd, statuses, temporaryDirectory } from './support.ts';

const HOUR = 3_600_000;
const never = new AbortController().signal;

/** A source of days of one symbol that lists only the newest day when it is asked for what is new. */
async function lakeOf(days: Map<string, string>, wanted: () => boolean = () => true, auditOf: () => string = () => '') {
  const asked: ObserveContext['mode'][] = [];
  const clock = { now: Date.parse('2024-01-10T06:00:00Z') };
  const dimensions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
  const archive = source('archive/days', {
    partitions: dimensions,
    wanted,
    auditOf,
    async *observe({ mode, known, listsFrom, request }) {
      asked.push(mode);
      request();
      const newest = mode === 'head' ? known({ symbol: 'A' })?.newest : undefined;
      if (newest !== undefined) listsFrom({ symbol: 'A' }, newest);
      for (const [date, version] of days)
        if (newest === undefined || date >= newest) yield { partition: { symbol: 'A', date }, version };
    },
    read: async ({ partition: { values } }) => ({
      bytes: Buffer.from(days.get(values.date ?? '') ?? ''),
      version: days.get(values.date ?? '') ?? '',
    }),
  });
  const copy = asset('raw/days', {
    partitions: dimensions,
    inputs: { archive },
    format: bytes({ extension: '.txt' }),
    compute: ({ inputs }) => inputs.archive.bytes(),
  });
  const definition = defineLakehouse({ assets: [archive, copy] });
  const lake = await openTestLake(definition, await temporaryDirectory(), { now: () => clock.now });
  atEnd(() => lake.close());
  const look = async (audit?: boolean) => {
    const request = { command: 'test', selection: '*', audit };
    return observeSources(lake, ['archive/days'], request, { signal: never, stopping: never, emit: () => undefined });
  };
  return { lake, look, clock, asked };
}

test('between audits only what is listed can change: what is older is neither changed nor withdrawn', async () => {
  const days = new Map(['01', '02', '03'].map((day) => [`2024-01-${day}`, 'a']));
  const { lake, look, clock, asked } = await lakeOf(days);
  expect(await look()).toEqual([
    { asset: 'archive/days', seen: 3, changed: 3, withdrawn: 0, audit: true, requests: 1 },
  ]);
  await run(lake);

  days.delete('2024-01-01');
  days.set('2024-01-02', 'b');
  days.set('2024-01-03', 'b');
  days.set('2024-01-04', 'a');
  clock.now += HOUR;
  expect(await look()).toMatchObject([{ seen: 2, changed: 2, withdrawn: 0, audit: false }]);
  expect(statuses(lake, 'raw/days')).toMatchObject({
    'symbol=A/date=2024-01-01': 'fresh',
    'symbol=A/date=2024-01-02': 'fresh',
    'symbol=A/date=2024-01-03': 'stale',
    'symbol=A/date=2024-01-04': 'missing',
  });

  clock.now += 24 * HOUR;
  expect(await look()).toMatchObject([{ seen: 3, changed: 1, withdrawn: 1, audit: true }]);
  expect(asked).toEqual(['audit', 'head', 'head', 'audit']);
  expect(lake.state.refresh().asset('archive/days')?.lastAuditedAt).toBe(clock.now);
});

test('the newest day is withdrawn also between audits, and an audit can be asked for', async () => {
  const days = new Map([
    ['2024-01-01', 'a'],
    ['2024-01-02', 'a'],
  ]);
  const { look, clock, asked } = await lakeOf(days);
  await look();
  days.set('2024-01-01', 'b');
  clock.now += HOUR;
  expect(await look()).toMatchObject([{ changed: 0 }]);
  expect(await look(true)).toMatchObject([{ changed: 1, audit: true }]);
  expect(asked).toEqual(['audit', 'head', 'audit']);
});

test('a source that lists nothing because nothing is new is not empty; one whose newest was taken back is not either', async () => {
  const days = new Map([
    ['2024-01-01', 'a'],
    ['2024-01-02', 'a'],
  ]);
  const { look, clock } = await lakeOf(days);
  await look();
  days.delete('2024-01-02');
  clock.now += HOUR;
  expect(await look()).toMatchObject([{ seen: 0, withdrawn: 1, audit: false }]);
  days.clear();
  await expect(look(true)).rejects.toThrow('lists nothing, but 1 partitions were seen there before');
});

test('what is listed no longer when all of it had ended stays, and stops nothing', async () => {
  const days = new Map(['01', '02'].map((day) => [`2024-01-${day}`, 'a']));
  const { lake, look, clock, asked } = await lakeOf(days);
  await run(lake);
  const kept = new Map(days);
  days.clear();
  clock.now = Date.parse('2024-02-02T00:00:00Z');
  // The last day ended 30 days ago, not longer.
  await expect(look(true)).rejects.toMatchObject({ code: 'source-empty' });
  clock.now += HOUR;
  expect(await look()).toEqual([
    { asset: 'archive/days', seen: 0, changed: 0, withdrawn: 0, audit: false, requests: 1 },
  ]);
  const { events, outcome, counts } = await run(lake);
  expect([outcome, counts.computed, counts.departed]).toEqual(['succeeded', 0, 0]);
  expect(events).toContainEqual({
    type: 'warning',
    asset: 'archive/days',
    message: 'archive/days lists nothing, but 2 partitions were seen there before; all of it ended long ago, and stays',
    hint: expect.stringContaining('lakehouse wipe archive/days'),
  });
  expect(Object.values(statuses(lake, 'raw/days'))).toEqual(['fresh', 'fresh']);

  // It is looked at in full until something is listed again.
  for (const [date, version] of kept) days.set(date, version);
  expect(await look()).toMatchObject([{ seen: 2, changed: 0, audit: true }]);
  expect(asked.slice(1)).toEqual(['audit', 'audit', 'audit', 'audit']);
});

test('what was wiped, and what another setting decides, is listed in full at the next look', async () => {
  let start = '2024-01-02';
  const days = new Map(['01', '02', '03'].map((day) => [`2024-01-${day}`, 'a']));
  const { lake, look, clock, asked } = await lakeOf(days, undefined, () => start);
  await look();
  clock.now += HOUR;
  start = '2024-01-01';
  expect(await look()).toMatchObject([{ seen: 3, audit: true }]);
  const node = lake.graph.node('archive/days');
  const all = presentSet(node, lake.state.refresh().asset('archive/days'));
  await wipePartitions(lake, 'archive/days', all, 'wipe', never);
  clock.now += HOUR;
  expect(await look()).toMatchObject([{ seen: 3, changed: 3, audit: true }]);
  expect(asked).toEqual(['audit', 'audit', 'audit']);
});

test('a clock that has gone back does not put the audit off', async () => {
  const { look, clock, asked } = await lakeOf(new Map([['2024-01-01', 'a']]));
  await look();
  clock.now -= HOUR;
  await look();
  expect(asked).toEqual(['audit', 'audit']);
});

test('a source that is no longer wanted is not looked at, and what is known of it stays', async () => {
  let wanted = true;
  const { lake, look, asked } = await lakeOf(new Map([['2024-01-01', 'a']]), () => wanted);
  await run(lake);
  wanted = false;
  expect(await look()).toEqual([]);
  expect((await run(lake)).counts).toMatchObject({ computed: 0, failed: 0 });
  expect(asked).toHaveLength(1);
  expect(statuses(lake, 'raw/days')).toMatchObject({ 'symbol=A/date=2024-01-01': 'fresh' });
});

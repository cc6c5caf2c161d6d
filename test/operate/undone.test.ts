import { asset, bytes, daily, defineLakehouse, LakehouseError, sensor, source } from 'crypto-lakehouse';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tickFacts } from '../../framework/operate/alerts/gather.ts';
import { requestKey } from '../../framework/operate/keys.ts';
import { together } from '../../framework/operate/requests.ts';
import type { ResolvedRequest } from '../../framework/operate/sensors.ts';
import { openTestLake } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { Watch } from './alerts/support.ts';
import { at, stage } from './support.ts';

// What a sensor asked for and was not done: its cursor has moved on, so that its looks do not find it again.

async function world() {
  const clock = { now: at('2024-01-05T00:30:00Z') };
  const broken = new Set<string>();
  const date = daily({ start: '2024-01-01' });
  const files = source('in/files', {
    partitions: { date },
    observe: async function* () {
      for (const day of ['2024-01-02', '2024-01-03']) yield { partition: { date: day }, version: '1' };
    },
    read: async ({ partition: { values } }) => {
      if (broken.has(values.date)) throw new LakehouseError('no-answer', 'no answer', { kind: 'transient' });
      return { bytes: Buffer.from('a'), version: '1' };
    },
  });
  const kept = (key: 'raw/files' | 'raw/others') =>
    asset(key, {
      partitions: { date },
      inputs: { files },
      format: bytes({ extension: '.txt' }),
      codeVersion: '1',
      retry: { retries: 0 },
      compute: async ({ inputs }) => inputs.files.bytes(),
    });
  const directory = await temporaryDirectory();
  const open = async (...keys: ('raw/files' | 'raw/others')[]) => {
    const lake = await openTestLake(defineLakehouse({ assets: [files, ...keys.map(kept)] }), directory, {
      now: () => clock.now,
    });
    atEnd(() => lake.close());
    return lake;
  };
  const lake = await open('raw/files', 'raw/others');
  const asks = new Map<string, string>();
  const arrivals = sensor({
    name: 'arrivals',
    every: { minutes: 1 },
    select: '+raw/files',
    poll: () => {
      const now = new Date(clock.now).toISOString().slice(11, 16);
      const day = asks.get(now);
      return day === undefined
        ? { skip: 'no file' }
        : { request: { partitions: `date=${day}`, reason: `${day} arrived` } };
    },
  });
  const staged = stage(lake, clock);
  const watch = new Watch();
  return {
    ...staged,
    open,
    broken,
    asks,
    arrivals,
    own: () => staged.ticks().map((line) => line.slice(11).replace('arrivals ', '')),
    told: () =>
      watch.look(clock.now, { ticks: tickFacts(staged.store, [{ kind: 'sensor', name: 'arrivals' }]) }).told.splice(0),
  };
}

const FAILED = '1 partition failed: raw/files (date=2024-01-02)';
const BEFORE = 'asked for before and not done: 2024-01-02 arrived: +raw/files date=2024-01-02';

describe('what failed of it', () => {
  test('is done by a later look, ever later, and then nobody thinks any more that the sensor fails', async () => {
    const { start, advance, asks, arrivals, broken, own, told } = await world();
    asks.set('00:31', '2024-01-02');
    broken.add('2024-01-02');
    const daemon = start([], { sensors: [arrivals] });
    await advance(daemon, '2024-01-05T00:39:00Z');
    expect(own()).toEqual([
      `00:31 failed: 2024-01-02 arrived: +raw/files date=2024-01-02; ${FAILED}`,
      `00:32 failed: ${BEFORE}; ${FAILED}`,
      `00:34 failed: ${BEFORE}; ${FAILED}`,
      `00:38 failed: ${BEFORE}; ${FAILED}`,
    ]);
    expect(told().map((line) => line.slice(6))).toEqual([
      'raised error sensor arrivals fails',
      'raised error sensor arrivals fails again and again',
    ]);
    broken.clear();
    // The next daemon knows of it.
    await advance(start([], { sensors: [arrivals] }), '2024-01-05T01:20:00Z');
    expect(own().slice(4)).toEqual([`00:46 succeeded: ${BEFORE}; 1 partition computed: raw/files (missing 1)`]);
    expect(told().map((line) => line.slice(6))).toEqual([
      'cleared error sensor arrivals fails',
      'cleared error sensor arrivals fails again and again',
    ]);
  });

  test('goes with what is new, which does not wait', async () => {
    const { start, advance, asks, arrivals, broken, own } = await world();
    asks.set('00:31', '2024-01-02').set('00:33', '2024-01-03');
    broken.add('2024-01-02');
    await advance(start([], { sensors: [arrivals] }), '2024-01-05T00:36:00Z');
    // The third failure in a row: four minutes from then. Of what was asked for together, only what failed.
    expect(own().slice(2)).toEqual([
      `00:33 failed: 2024-01-03 arrived: +raw/files date=2024-01-03; ${BEFORE}; ${FAILED}; 1 partition computed: raw/files (missing 1)`,
    ]);
    broken.clear();
    const daemon = start([], { sensors: [arrivals] });
    await advance(daemon, '2024-01-05T00:40:00Z');
    expect(own().slice(3)).toEqual([`00:37 succeeded: ${BEFORE}; 1 partition computed: raw/files (missing 1)`]);
  });

  test('is forgotten where it is not declared any more, and so is that it failed', async () => {
    const { start, advance, asks, arrivals, broken, own, told, open } = await world();
    asks.set('00:31', '2024-01-02');
    broken.add('2024-01-02');
    const daemon = start([], { sensors: [arrivals] });
    await advance(daemon, '2024-01-05T00:31:00Z');
    expect(told()).toHaveLength(1);
    const others = sensor({ name: 'arrivals', every: { minutes: 1 }, select: '+raw/others', poll: arrivals.poll });
    daemon.replace({ lake: await open('raw/others'), schedules: [], sensors: [others] });
    await advance(daemon, '2024-01-05T00:45:00Z');
    expect(own().slice(1)).toEqual(['00:32 succeeded: it works again: no file']);
    expect(told().map((line) => line.slice(6))).toEqual(['cleared error sensor arrivals fails']);
  });
});

test('what killed every process that did it is not asked for again', async () => {
  const { start, advance, arrivals, own, store, clock } = await world();
  const request = [{ select: '+raw/files', partitions: undefined, reason: 'poison' }];
  store.remember({ [requestKey('sensor', 'arrivals')]: request });
  for (let deaths = 0; deaths < 10; deaths++) {
    const due = clock.now;
    const tick = { kind: 'sensor', name: 'arrivals', due, at: due, outcome: 'queued', decision: 'poison' } as const;
    const id = store.addTick(tick);
    store.beginTick(id, due);
    store.endTick(id, { outcome: 'interrupted', decision: 'poison; the daemon died', at: due });
  }
  await advance(start([], { sensors: [arrivals] }), '2024-01-05T01:00:00Z');
  expect(own().slice(10)).toEqual(['#11 failed: given up: it was interrupted 10 times'].map((line) => `00:30 ${line}`));
});

describe('together', () => {
  const requests = fc.array(
    fc.record({
      select: fc.constantFrom('a', 'b'),
      partitions: fc.constantFrom(undefined, 'x=1', 'x=2'),
      reason: fc.constantFrom(undefined, 'one', 'two'),
    }),
  );
  const what = ({ select, partitions }: ResolvedRequest) => `${select} ${partitions}`;

  test('leaves nothing out, puts what is new last, and repeats nothing that was asked for before', () => {
    fc.assert(
      fc.property(requests, requests, (left, fresh) => {
        const all = together(left, fresh);
        expect(new Set(all.map(what))).toEqual(new Set([...left, ...fresh].map(what)));
        expect(all.slice(all.length - fresh.length)).toEqual(fresh);
        const before = all.slice(0, all.length - fresh.length).map(what);
        expect(before.filter((one) => fresh.map(what).includes(one))).toEqual([]);
      }),
    );
  });

  test('keeps the latest where there is too much', () => {
    const many = Array.from({ length: 1500 }, (_, i) => ({ select: 'a', partitions: `x=${i}`, reason: undefined }));
    const kept = together(many.slice(0, 1400), many.slice(1400));
    expect([kept.length, kept.at(0)?.partitions, kept.at(-1)?.partitions]).toEqual([1000, 'x=500', 'x=1499']);
  });
});

import {
  asset,
  bytes,
  columns,
  daily,
  defineLakehouse,
  integer,
  LakehouseError,
  rowsWhere,
  source,
  sql,
  within,
} from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { wipePartitions } from '../../../framework/materialize/recorded.ts';
import { lakeFacts } from '../../../framework/operate/alerts/gather.ts';
import * as sets from '../../../framework/partition/set.ts';
import { evaluateNow } from '../../../framework/report/evaluated.ts';
import { openTestLake, run } from '../../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../../materialize/support.ts';
import { Watch } from './support.ts';

const START = Date.parse('2020-01-04T06:00:00Z');
const DAY = 86_400_000;
const never = new AbortController().signal;

/** One file a day, of which some cannot be read, and a table of what it says that must not be negative. */
async function world() {
  const clock = { now: START };
  const files = new Map<string, string>();
  const down = new Set<string>();
  const date = daily({ start: '2020-01-01' });
  const days = source('src/days', {
    partitions: { date },
    publicationLagHours: 2,
    liveForDays: 30,
    observe: async function* () {
      for (const [day, content] of files) yield { partition: { date: day }, version: content };
    },
    read: async ({ partition: { values } }) => {
      if (down.has(values.date)) throw new LakehouseError('down', 'the exchange is down', { kind: 'transient' });
      const content = files.get(values.date) ?? '';
      return { bytes: Buffer.from(content), version: content };
    },
  });
  const raw = asset('raw/days', {
    partitions: { date },
    inputs: { days },
    format: bytes({ extension: '.txt' }),
    codeVersion: '1',
    freshness: within({ hours: 30 }),
    compute: ({ inputs }) => inputs.days.bytes(),
  });
  const parsed = asset('silver/days', {
    partitions: { date },
    inputs: { raw },
    columns: columns({ value: integer() }),
    sortBy: ['value'],
    codeVersion: '1',
    checks: [rowsWhere('positive', ['value'], ({ value }) => sql`${value} < 0`, { severity: 'warn' })],
    compute: async ({ inputs }) => [{ value: Number(Buffer.from(await inputs.raw.bytes()).toString()) }],
  });
  const lake = await openTestLake(defineLakehouse({ assets: [days, raw, parsed] }), await temporaryDirectory(), {
    sets: ['workflow.retryAttempts=0', 'engine.threads=2'],
    now: () => clock.now,
  });
  atEnd(() => lake.close());
  const watch = new Watch({ repeatedFailures: 2, storageQuota: 10e9 });
  return {
    clock,
    files,
    down,
    lake,
    watch,
    look: () => {
      const evaluated = { ...evaluateNow(lake), at: clock.now };
      const { checkedTo } = watch.memory;
      watch.told.length = 0;
      watch.look(clock.now - START, { lake: lakeFacts(lake, evaluated, { checkedTo, storage: true }) });
      return watch.told.map((line) => line.slice(6));
    },
  };
}

test('a lake from its first day: late, failing, checked, wiped', async () => {
  const { clock, files, down, lake, watch, look } = await world();
  for (const day of ['2020-01-01', '2020-01-02', '2020-01-03']) files.set(day, '5');
  await run(lake);
  expect(look()).toEqual([]);

  // Nobody publishes for two days.
  clock.now += 2.1 * DAY;
  expect(look()).toEqual(['raised error raw/days is late']);
  expect(look()).toEqual([]);

  // It does, but cannot be read: twice.
  files.set('2020-01-04', '-4').set('2020-01-05', '5');
  down.add('2020-01-05');
  await run(lake);
  expect(look()).toEqual([
    'raised error partitions of raw/days fail',
    'raised warn check positive of silver/days fails',
    'cleared error raw/days is late',
  ]);
  const failed = watch.memory.active['failures/raw/days']?.alert;
  expect(failed).toMatchObject({
    text: expect.stringContaining('1 partition; date=2020-01-05: '),
    since: clock.now,
    fields: { partitions: 1, partition: 'date=2020-01-05', code: 'down' },
  });
  expect(failed?.text).toContain('the exchange is down');
  await run(lake);
  expect(look()).toEqual(['raised error a partition of raw/days fails again and again']);

  down.clear();
  await run(lake);
  expect(look()).toEqual([
    'cleared error partitions of raw/days fail',
    'cleared error a partition of raw/days fails again and again',
  ]);
  await wipePartitions(lake, 'silver/days', sets.fromSeries([['', { bounds: [18265, 18266] }]]), 'test', never);
  expect(look()).toEqual(['cleared warn check positive of silver/days fails']);
  expect(watch.active).toEqual([]);
});

test('what was told before a restart is not told again, and what the log had before the first look is', async () => {
  const { files, lake, watch, look } = await world();
  files.set('2020-01-01', '-1');
  await run(lake);
  expect(look()).toEqual(['raised warn check positive of silver/days fails']);
  const { memory } = watch;
  watch.memory = JSON.parse(JSON.stringify(memory));
  expect(look()).toEqual([]);
  files.set('2020-01-01', '1');
  await run(lake);
  expect(look()).toEqual(['cleared warn check positive of silver/days fails']);
});

test('storage is what all files take', async () => {
  const { files, lake, clock } = await world();
  files.set('2020-01-01', '1');
  await run(lake);
  const evaluated = { ...evaluateNow(lake), at: clock.now };
  const { storageBytes } = lakeFacts(lake, evaluated, { checkedTo: 0, storage: true });
  const sum = [...lake.state.files()].reduce((total, { bytes }) => total + bytes, 0);
  expect(sum).toBeGreaterThan(0);
  expect(storageBytes).toBe(sum);
  expect(lakeFacts(lake, evaluated, { checkedTo: 0, storage: false }).storageBytes).toBeUndefined();
});

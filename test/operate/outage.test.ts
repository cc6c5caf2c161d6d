import { asset, bytes, daily, defineLakehouse, LakehouseError, source } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { schedule } from '../../framework/define/schedule.ts';
import { createBreaker } from '../../framework/materialize/breaker.ts';
import { openTestLake } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { at, stage } from './support.ts';

/** Two exchanges with a day each; either may be out of order. */
function exchanges() {
  const down = new Set<string>();
  const asked: string[] = [];
  const date = daily({ start: '2024-01-01', end: '2024-01-02' });
  const fails = (name: string) => {
    if (down.has(name)) throw new LakehouseError('no-answer', `${name} does not answer`, { kind: 'transient' });
  };
  const assets = ['first', 'second'].flatMap((name) => {
    const files = source(`${name}/files`, {
      partitions: { date },
      retry: { retries: 0 },
      observe: async function* () {
        asked.push(name);
        fails(name);
        for (const day of ['2024-01-01', '2024-01-02']) yield { partition: { date: day }, version: 'v1' };
      },
      read: async ({ partition }) => ({ bytes: Buffer.from(`${name} ${partition.key}`), version: 'v1' }),
    });
    const raw = asset(`raw/${name}`, {
      partitions: { date },
      inputs: { files },
      format: bytes({ extension: '.txt' }),
      codeVersion: '1',
      compute: ({ inputs }) => inputs.files.bytes(),
    });
    return [files, raw];
  });
  return { down, asked, definition: defineLakehouse({ assets }) };
}

test('an exchange that is down for a day stops nothing else, is left alone for a while, and caught up with', async () => {
  const clock = { now: at('2024-02-01T00:30:00Z') };
  const { down, asked, definition } = exchanges();
  const lake = await openTestLake(definition, await temporaryDirectory(), { now: () => clock.now });
  atEnd(() => lake.close());
  const { start, advance, ticks, log } = stage(lake, clock);
  const daemon = start([schedule({ name: 'all', cron: '*/20 * * * *' })]);
  down.add('second');
  await advance(daemon, '2024-02-01T02:50:00Z');
  expect(asked.filter((name) => name === 'first')).toHaveLength(7);
  // At 0:40, 1:00 and 1:20, then after five minutes at 1:40, ten at 2:00, twenty at 2:20, forty: not yet at 2:40.
  expect(asked.filter((name) => name === 'second')).toHaveLength(6);
  expect([...daemon.sources]).toEqual([
    ['first/files', false],
    ['second/files', true],
  ]);
  down.delete('second');
  await advance(daemon, '2024-02-01T03:10:00Z');
  expect([...daemon.sources.values()]).toEqual([false, false]);
  expect(ticks()).toEqual([
    '2024-02-01T00:40 all failed: it was due; 2 partitions computed: raw/first (missing 2); without second/files',
    ...['01:00', '01:20', '01:40', '02:00', '02:20', '02:40'].map(
      (time) => `2024-02-01T${time} all failed: it was due; nothing was stale; without second/files`,
    ),
    '2024-02-01T03:00 all succeeded: it was due; 2 partitions computed: raw/second (missing 2)',
  ]);
  expect(log.filter((line) => line.includes('source'))).toEqual([
    ...Array.from({ length: 6 }, () => 'error : a source could not be looked at'),
    'info : a source answers again',
  ]);
  expect(log).toContain('warn all: Could not list second/files: second does not answer');
  expect(log).toContain('warn all: raw/second is left for later: second/files cannot be looked at');
});

test('a schedule that only looks goes on to the other sources, and leaves the silent one alone too', async () => {
  const clock = { now: at('2024-02-01T00:30:00Z') };
  const { down, asked, definition } = exchanges();
  const lake = await openTestLake(definition, await temporaryDirectory(), { now: () => clock.now });
  atEnd(() => lake.close());
  const { start, advance, ticks } = stage(lake, clock);
  const daemon = start([schedule({ name: 'look', cron: '*/10 * * * *', action: 'observe' })]);
  down.add('first');
  await advance(daemon, '2024-02-01T01:30:00Z');
  expect(asked.filter((name) => name === 'second')).toHaveLength(6);
  expect(asked.filter((name) => name === 'first').length).toBeLessThan(6);
  expect(ticks().at(0)).toBe(
    '2024-02-01T00:40 look failed: it was due; looked at 1 source: 2 partitions new, changed or withdrawn; without first/files',
  );
});

test('a run asks no more for files after ten failures in a row', async () => {
  const breaker = createBreaker('raw/days');
  let asked = 0;
  const outcomes: string[] = [];
  const ask = async (error: Error | undefined) => {
    asked++;
    if (error) throw error;
    return 'bytes';
  };
  const transient = new LakehouseError('no-answer', 'no answer', { kind: 'transient' });
  const wrong = new LakehouseError('bad', 'bad zip', { kind: 'data' });
  const errors = [
    ...Array.from({ length: 9 }, () => transient),
    undefined,
    ...Array.from({ length: 9 }, () => transient),
    wrong,
    ...Array.from({ length: 12 }, () => transient),
  ];
  for (const error of errors) {
    await breaker
      .run(() => ask(error))
      .then(
        (bytes) => outcomes.push(bytes),
        (thrown: LakehouseError) => outcomes.push(`${thrown.code} ${thrown.kind}`),
      );
  }
  expect(asked).toBe(30);
  expect(outcomes.slice(-3)).toEqual(['no-answer transient', 'source-down transient', 'source-down transient']);
});

test('nor after ten that were refused: what is forbidden to one is forbidden to all', async () => {
  const breaker = createBreaker('raw/days');
  let asked = 0;
  const ask = async () => {
    asked++;
    throw new LakehouseError('forbidden', 'HTTP 403');
  };
  const thrown: unknown[] = [];
  for (let i = 0; i < 12; i++) await breaker.run(ask).catch((error: LakehouseError) => thrown.push(error.code));
  expect([asked, thrown.slice(9)]).toEqual([10, ['forbidden', 'source-down', 'source-down']]);
});

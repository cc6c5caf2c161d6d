import { setImmediate } from 'node:timers/promises';
import { asset, columns, daily, defineLakehouse, LakehouseError, sql, text } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../framework/materialize/events.ts';
import { materialize, type RunResult } from '../../framework/materialize/run.ts';
import { createShared } from '../../framework/materialize/shared.ts';
import { openTestLake, run, testSettings } from './lake.ts';
import { atEnd, problems, status, temporaryDirectory, tiny, work } from './support.ts';

const HOURLY = 'workflow.rates.default={ starts: 3, perSeconds: 3600 }';
const reason = new LakehouseError('interrupted', 'It was interrupted', { kind: 'transient' });

/** A run of downloads with three starts an hour that is told something when the third has been read. */
async function told(what: 'stop' | 'abort') {
  const controllers = { stop: new AbortController(), abort: new AbortController() };
  const events: RunEvent[] = [];
  let reads = 0;
  const opened = await tiny({
    onRead: () => {
      if (++reads === 3) void setImmediate().then(() => controllers[what].abort(reason));
    },
    sets: [HOURLY],
  });
  opened.archive.days('A', '2020-04', 1, 5);
  const result: RunResult | unknown = await materialize(
    opened.lake,
    { command: 'test', selection: '+bronze/days' },
    { stopping: controllers.stop.signal, signal: controllers.abort.signal, emit: (event) => events.push(event) },
  ).catch((error: unknown) => error);
  return { ...opened, result, events, reads: () => reads };
}

test('no more begins than the rate says; told to stop meanwhile, what has been fetched is committed and nothing failed', async () => {
  const { lake, open, result, events, reads } = await told('stop');
  expect(result).toMatchObject({ outcome: 'cancelled' });
  expect([reads(), work(events)]).toEqual([3, { 'bronze/days': '3/3' }]);
  expect(status(lake, 'bronze/days')).toMatchObject({ fresh: 3, missing: 2 });
  expect(await problems(lake)).toEqual([]);
  // Another process has a rate of its own.
  expect(work((await run(await open(), { selection: '+bronze/days' })).events)).toEqual({ 'bronze/days': '2/2' });
});

test('what waits for its rate ends with the run', async () => {
  const { lake, result, events, reads } = await told('abort');
  expect(result).toBe(reason);
  expect([reads(), work(events)]).toEqual([3, {}]);
  expect(status(lake, 'bronze/days')).toMatchObject({ missing: 5 });
  expect(await problems(lake)).toEqual([]);
});

test('an attempt is a start, also one that is made again', async () => {
  const begun: number[] = [];
  const { lake, archive } = await tiny({
    retry: { retries: 1, delayMs: 1, maxDelayMs: 1 },
    onRead: () => {
      if (begun.push(performance.now()) === 1)
        throw new LakehouseError('no-answer', 'no answer', { kind: 'transient' });
    },
    sets: ['workflow.rates.default={ starts: 3, perSeconds: 1 }', 'workflow.pools.default=1'],
  });
  archive.days('A', '2020-04', 1, 3);
  const { outcome } = await run(lake, { selection: '+bronze/days' });
  expect([outcome, begun.length]).toEqual(['succeeded', 4]);
  const [first = 0, , , last = 0] = begun;
  // A second after the first was begun, which was a moment before it was read.
  expect(last - first).toBeGreaterThan(500);
});

test('statements count, and the rate is one for all runs that share it', async () => {
  const definition = defineLakehouse({
    assets: [
      asset('gold/one', {
        partitions: { date: daily({ start: '2020-01-01', end: '2020-01-01' }) },
        inputs: {},
        columns: columns({ said: text() }),
        sortBy: ['said'],
        query: () => sql`SELECT 'x' AS said`,
      }),
    ],
  });
  const directory = await temporaryDirectory();
  const sets = ['workflow.rates.default={ starts: 1, perSeconds: 3600 }'];
  const shared = createShared(testSettings(definition, directory, sets), 'write');
  atEnd(shared.close);
  const first = await openTestLake(definition, directory, { sets, shared });
  expect(work((await run(first, { selection: 'gold/one' })).events)).toEqual({ 'gold/one': '1/1' });
  await first.close();
  const second = await openTestLake(definition, directory, { sets, shared });
  atEnd(() => second.close());
  const stop = new AbortController();
  const next = second.pools.begin('default', { signal: stop.signal }).then(
    () => 'it may begin',
    (error: unknown) => error,
  );
  expect(await Promise.race([next, setImmediate('it waits')])).toBe('it waits');
  stop.abort(reason);
  expect(await next).toBe(reason);
});

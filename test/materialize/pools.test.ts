import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pools } from '../../framework/materialize/pools.ts';

const NEVER = new AbortController().signal;
const made = (slots: Record<string, number>, rates: Record<string, { starts: number; perSeconds: number }> = {}) =>
  new Pools({ slots, defaultSlots: 1, rates });
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'it came',
    (error: unknown) => error,
  );

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A task that ends when it is told to. */
function task(name: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    end: () => resolve(name),
    work: () => {
      begun.push(name);
      return promise;
    },
  };
}
const settle = () => vi.advanceTimersByTimeAsync(0);

test('a slot is given to the greater priority first, else in the order of asking', async () => {
  const pools = made({ net: 1 });
  const begun: string[] = [];
  const tasks = ['running', 'first', 'second', 'low', 'high'].map((name) => task(name, begun));
  const priorities = [0, 0, 0, -1, 5];
  const all = tasks.map(({ work }, i) => pools.run('net', work, { signal: NEVER, priority: priorities[i] }));
  for (const { end } of tasks) end();
  expect(await Promise.all(all)).toEqual(['running', 'first', 'second', 'low', 'high']);
  expect(begun).toEqual(['running', 'high', 'first', 'second', 'low']);
});

test('pools do not wait for each other, and one that is not named has the default size', async () => {
  const pools = made({ net: 2 });
  const begun: string[] = [];
  const names = ['net', 'net', 'net', 'other', 'other'];
  const tasks = names.map((name, i) => task(`${name}${i}`, begun));
  const all = tasks.map(({ work }, i) => pools.run(names[i] ?? '', work, { signal: NEVER }));
  await settle();
  expect(begun).toEqual(['net0', 'net1', 'other3']);
  pools.configure({ slots: { net: 3 }, defaultSlots: 2, rates: {} });
  await settle();
  expect(begun).toEqual(['net0', 'net1', 'other3', 'net2', 'other4']);
  for (const { end } of tasks) end();
  await Promise.all(all);
});

test('who waits for a slot can give up; who has one is waited for', async () => {
  const pools = made({ net: 1 });
  const begun: string[] = [];
  const [running, waiting, next] = [task('running', begun), task('waiting', begun), task('next', begun)];
  const controller = new AbortController();
  const { signal } = controller;
  const first = pools.run('net', running.work, { signal });
  const second = reasonOf(pools.run('net', waiting.work, { signal }));
  const third = pools.run('net', next.work, { signal: NEVER });
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await second).toBe(reason);
  expect(await reasonOf(pools.run('net', waiting.work, { signal }))).toBe(reason);
  running.end();
  expect(await first).toBe('running');
  next.end();
  await third;
  expect(begun).toEqual(['running', 'next']);
});

test('never more starts in any window than the rate says, and never later than need be', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 8_000 }), { minLength: 1, maxLength: 20 }),
      async (starts, perSeconds, pauses) => {
        const pools = made({}, { net: { starts, perSeconds } });
        const asked: number[] = [];
        const began: number[] = [];
        for (const pause of pauses) {
          await vi.advanceTimersByTimeAsync(pause);
          asked.push(performance.now());
          void pools.begin('net', { signal: NEVER }).then(() => began.push(performance.now()));
        }
        await vi.runAllTimersAsync();
        const window = perSeconds * 1000;
        const expected: number[] = [];
        for (const [i, at] of asked.entries())
          expected.push(
            Math.max(at, expected[i - 1] ?? 0, (expected[i - starts] ?? Number.NEGATIVE_INFINITY) + window),
          );
        expect(began.map(Math.round)).toEqual(expected.map(Math.round));
      },
    ),
    { numRuns: 60 },
  ));

test('a rate that waits can be given up, and then counts nothing; clocks that jump alter nothing', async () => {
  const pools = made({}, { net: { starts: 1, perSeconds: 60 } });
  await pools.begin('net', { signal: NEVER });
  await pools.begin('free', { signal: NEVER });
  const controller = new AbortController();
  const head = reasonOf(pools.begin('net', { signal: controller.signal }));
  const behind = reasonOf(pools.begin('net', { signal: controller.signal }));
  const order: string[] = [];
  const low = pools.begin('net', { signal: NEVER, priority: -1 }).then(() => order.push('low'));
  const high = pools.begin('net', { signal: NEVER, priority: 1 }).then(() => order.push('high'));
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await Promise.all([head, behind])).toEqual([reason, reason]);
  vi.setSystemTime(Date.now() - 86_400_000);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(order).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(order).toEqual(['high']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(order).toEqual(['high', 'low']);
  await Promise.all([low, high]);
  expect(vi.getTimerCount()).toBe(0);
});

test('another rate counts from the next start on', async () => {
  const rates = { net: { starts: 1, perSeconds: 60 } };
  const pools = made({}, rates);
  await pools.begin('net', { signal: NEVER });
  pools.configure({ slots: {}, defaultSlots: 1, rates: { net: { starts: 3, perSeconds: 60 } } });
  await pools.begin('net', { signal: NEVER });
  await pools.begin('net', { signal: NEVER });
  const fourth = pools.begin('net', { signal: NEVER }).then(() => performance.now());
  const asked = performance.now();
  await vi.runAllTimersAsync();
  expect(Math.round((await fourth) - asked)).toBe(60_000);
});

test('what had to wait is part of what asked for it, not of what has ended', async () => {
  const pools = new Pools({ slots: { one: 1 }, defaultSlots: 1, rates: {} });
  const { signal } = new AbortController();
  const asking = new AsyncLocalStorage<string>();
  const seen = await Promise.all(
    ['a', 'b', 'c'].map((name) => asking.run(name, () => pools.run('one', async () => asking.getStore(), { signal }))),
  );
  expect(seen).toEqual(['a', 'b', 'c']);
});

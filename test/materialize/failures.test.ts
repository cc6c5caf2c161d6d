import { LakehouseError } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { observe } from '../../framework/materialize/observe.ts';
import { materialize } from '../../framework/materialize/run.ts';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { NOW, problems, status, statuses, tiny, work } from './support.ts';

const day = (n: number) => `2020-02-${String(n).padStart(2, '0')}`;
const broken = (n: number) => ticksOf(day(n), 6).replace(/,[^,]*,/, ',abc,');
const silver = { selection: '+silver/ticks' };

describe('failures of single partitions', () => {
  test('of a batch of 29 one bad day fails alone, and says where and why', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29).put('A', day(17), broken(17));
    const first = await run(lake, silver);
    expect(first.outcome).toBe('failed');
    expect(first.counts).toMatchObject({ computed: 29 + 28, failed: 1 });
    expect(statuses(lake, 'silver/ticks')).toMatchObject({
      [`symbol=A/date=${day(16)}`]: 'fresh',
      [`symbol=A/date=${day(17)}`]: 'failed',
      [`symbol=A/date=${day(18)}`]: 'fresh',
    });
    const [failed] = first.events.filter((e) => e.type === 'partition-failed');
    expect(failed).toMatchObject({
      asset: 'silver/ticks',
      partition: `symbol=A/date=${day(17)}`,
      error: { kind: 'data', code: 'query-data' },
    });
    expect(failed?.error.message).toMatch(/silver\/ticks.*abc.*bronze\/days symbol=A\/date=2020-02-17/s);
    const logged = [...lake.state.events({ asset: 'silver/ticks' })].flatMap(({ event }) =>
      event.kind === 'failed' ? event.failures.map((f) => [f.series, f.transient, f.error.message]) : [],
    );
    expect(logged).toEqual([['symbol=A', false, failed?.error.message]]);
    expect(await problems(lake)).toEqual([]);
  });

  test('several bad days in different halves: all others land', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29);
    for (const n of [1, 2, 14, 15, 29]) archive.put('A', day(n), broken(n));
    const first = await run(lake, silver);
    expect(first.counts).toMatchObject({ computed: 29 + 24, failed: 5 });
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 24, failed: 5 });
    expect(await problems(lake)).toEqual([]);
  });

  test('it is not tried again by the next run (case 13), but when asked, and when its input has changed', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 5).put('A', day(3), broken(3));
    await run(lake);
    // Whatever reads the bad day is held up, everything else is done.
    expect(status(lake, 'gold/window')).toEqual({ fresh: 2, blocked: 3 });
    expect(status(lake, 'gold/function')).toEqual({ fresh: 4, blocked: 1 });
    expect(status(lake, 'gold/chain')).toEqual({ fresh: 4, blocked: 1 });
    const second = await run(lake);
    expect(second.events.filter((e) => e.type === 'partition-failed')).toEqual([]);
    expect(work(second.events)).toEqual({});
    expect(second.counts).toMatchObject({ computed: 0, failed: 0 });
    const asked = await run(lake, { retryFailed: true, observe: false });
    expect(asked.events.flatMap((e) => (e.type === 'partition-failed' ? [e.partition] : []))).toEqual([
      `symbol=A/date=${day(3)}`,
    ]);
    archive.put('A', day(3), ticksOf(day(3), 6));
    const repaired = await run(lake);
    expect(repaired.outcome).toBe('succeeded');
    expect(work(repaired.events)).toMatchObject({ 'silver/ticks': '1/1', 'gold/window': '3/3' });
    expect(status(lake, 'gold/window')).toEqual({ fresh: 5 });
    expect(await problems(lake)).toEqual([]);
  });

  test('a blocking check that fails keeps the data and holds up what is downstream', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 4).put('A', day(2), ticksOf(day(2), 6).replace(/,[^,]*,/, ',-1,'));
    const first = await run(lake);
    expect(first.outcome).toBe('failed');
    expect(first.counts).toMatchObject({ failed: 0, checksFailed: 1 });
    expect(first.events.filter((e) => e.type === 'check-failed')).toEqual([
      {
        type: 'check-failed',
        asset: 'silver/ticks',
        partition: `symbol=A/date=${day(2)}`,
        check: 'price_positive',
        severity: 'error',
        failedRows: 1,
      },
    ]);
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 3, failed: 1 });
    expect(statuses(lake, 'gold/function')).toEqual({
      [`symbol=A/date=${day(1)}`]: 'fresh',
      [`symbol=A/date=${day(2)}`]: 'blocked',
      [`symbol=A/date=${day(3)}`]: 'fresh',
      [`symbol=A/date=${day(4)}`]: 'fresh',
    });
    expect(await problems(lake)).toEqual([]);
    archive.put('A', day(2), ticksOf(day(2), 6));
    expect((await run(lake)).outcome).toBe('succeeded');
    expect(status(lake, 'gold/window')).toEqual({ fresh: 4 });
  });

  test('what was refused is tried again by the next run, though not at once; ten refusals are enough', async () => {
    let refused = true;
    const read: string[] = [];
    const { lake, archive } = await tiny({
      retry: { retries: 3, delayMs: 1, maxDelayMs: 1 },
      onRead: (key) => {
        read.push(key);
        if (refused) throw new LakehouseError('forbidden', 'HTTP 451', { hint: 'Ask from elsewhere.' });
      },
    });
    archive.days('A', '2020-02', 1, 29);
    const first = await run(lake, silver);
    const errors = first.events.flatMap((e) =>
      e.type === 'partition-failed' ? [`${e.error.code} ${e.error.kind}`] : [],
    );
    expect(
      Object.entries(Object.groupBy(errors, (error) => error)).map(([error, all]) => [error, all?.length]),
    ).toEqual(
      expect.arrayContaining([
        ['forbidden usage', read.length],
        ['source-down transient', 29 - read.length],
      ]),
    );
    // Those under way when the tenth was refused end as they would have.
    expect(read.length).toBeGreaterThanOrEqual(10);
    expect(read.length).toBeLessThan(29);
    refused = false;
    expect((await run(lake, silver)).counts).toMatchObject({ computed: 29 + 29, failed: 0 });
  });

  test('a compute function that throws fails its own partition, named even where the error does not', async () => {
    const { lake, archive } = await tiny({
      onRows: (key) => {
        if (key.endsWith('02')) throw new Error('no such thing');
        if (key.endsWith('03')) throw 'a word';
      },
    });
    archive.days('A', '2020-02', 1, 5);
    const first = await run(lake, { selection: '+gold/function' });
    expect(
      first.events
        .flatMap((e) => (e.type === 'partition-failed' ? [[e.partition, e.error.message, e.error.kind]] : []))
        .sort(),
    ).toEqual([
      [`symbol=A/date=${day(2)}`, `gold/function symbol=A/date=${day(2)}: no such thing`, 'data'],
      [`symbol=A/date=${day(3)}`, `gold/function symbol=A/date=${day(3)}: a word`, 'data'],
    ]);
    expect(status(lake, 'gold/function')).toEqual({ fresh: 3, failed: 2 });
  });
});

describe('troubles that pass', () => {
  const weather = () => new LakehouseError('weather', 'rain', { kind: 'transient' });

  test('are tried again with growing waits, then recorded as such, and tried again by the next run', async () => {
    let calls = 0;
    let raining = true;
    const { lake, archive } = await tiny({
      retry: { retries: 2, delayMs: 2, maxDelayMs: 100 },
      onRead: (key) => {
        if (!key.endsWith('02')) return;
        calls++;
        if (raining) throw weather();
      },
    });
    archive.days('A', '2020-02', 1, 3);
    const first = await run(lake, silver);
    expect(calls).toBe(3);
    const retries = first.events.flatMap((e) => (e.type === 'retry' ? [e] : []));
    expect(retries.map(({ asset, attempt }) => [asset, attempt])).toEqual([
      ['bronze/days', 1],
      ['bronze/days', 2],
    ]);
    expect(
      retries.every(({ attempt, delayMs }) => delayMs >= 2 * 2 ** (attempt - 1) && delayMs <= 4 * 2 ** (attempt - 1)),
    ).toBe(true);
    expect(first.counts).toMatchObject({ computed: 4, failed: 1 });
    expect(status(lake, 'bronze/days')).toEqual({ fresh: 2, failed: 1 });
    raining = false;
    const second = await run(lake, silver);
    expect(calls).toBe(4);
    expect(second.outcome).toBe('succeeded');
    expect(work(second.events)).toEqual({ 'bronze/days': '1/1', 'silver/ticks': '1/1' });
  });

  test('that are over before the attempts are used up do not show in the result', async () => {
    let calls = 0;
    const { lake, archive } = await tiny({
      retry: { retries: 3, delayMs: 1, maxDelayMs: 5 },
      onRows: () => {
        if (++calls < 3) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      },
    });
    archive.days('A', '2020-02', 1, 1);
    expect((await run(lake)).outcome).toBe('succeeded');
    expect(calls).toBe(3);
  });

  test('a server that says when to come back is not asked earlier', async () => {
    let asked = false;
    const { lake, archive } = await tiny({
      retry: { retries: 1, delayMs: 1, maxDelayMs: 5 },
      onRead: () => {
        if (asked) return;
        asked = true;
        throw new LakehouseError('busy', 'later', { kind: 'transient', retryAfterMs: 60 });
      },
    });
    archive.days('A', '2020-02', 1, 1);
    const { events, outcome } = await run(lake, silver);
    expect(outcome).toBe('succeeded');
    expect(events.flatMap((e) => (e.type === 'retry' ? [e.delayMs] : []))).toEqual([60]);
  });

  test('case 10: CDN: a body of another version than was listed commits nothing and is not called fresh; the next run gets it', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    await run(lake);
    const old = ticksOf(day(1), 6, 1 + 'A'.charCodeAt(0));
    archive.cache('A', day(1), old);
    archive.put('A', day(1), ticksOf(day(1), 9));
    const behind = await run(lake);
    expect(behind.outcome).toBe('failed');
    expect(work(behind.events)).toEqual({});
    expect(
      behind.events.flatMap((e) => (e.type === 'partition-failed' ? [[e.partition, e.error.code, e.error.kind]] : [])),
    ).toEqual([[`symbol=A/date=${day(1)}`, 'source-changed', 'transient']]);
    expect(statuses(lake, 'bronze/days')).toMatchObject({ [`symbol=A/date=${day(1)}`]: 'failed' });
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 1, blocked: 1 });
    archive.cache('A', day(1), undefined);
    const after = await run(lake);
    expect(after.outcome).toBe('succeeded');
    expect(work(after.events)).toMatchObject({ 'bronze/days': '1/1', 'silver/ticks': '1/1' });
    expect(status(lake, 'gold/window')).toEqual({ fresh: 2 });
  });

  test('an object that disappears between listing and reading fails alone, and departs when the next listing lacks it', async () => {
    const setup = await tiny({
      onRead: (key) => (key === `A/${day(2)}` ? setup.archive.remove('A', day(2)) : undefined),
    });
    const { lake, archive } = setup;
    archive.days('A', '2020-02', 1, 3);
    const first = await run(lake, silver);
    expect(first.events.flatMap((e) => (e.type === 'partition-failed' ? [[e.partition, e.error.code]] : []))).toEqual([
      [`symbol=A/date=${day(2)}`, 'object-not-found'],
    ]);
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 2, blocked: 1 });
    expect((await run(lake, silver)).outcome).toBe('succeeded');
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 2, unavailable: 1 });
  });

  test('a source that lists nothing at all withdraws nothing', async () => {
    const { lake, archive } = await tiny({ now: () => Date.parse('2020-02-03T06:00:00Z') });
    archive.days('A', '2020-02', 1, 2);
    await run(lake);
    archive.remove('A', day(1));
    archive.remove('A', day(2));
    await expect(run(lake)).rejects.toMatchObject({ code: 'source-empty', kind: 'transient' });
    expect(status(lake, 'gold/window')).toEqual({ fresh: 2 });
    expect(lake.state.runs(1)[0]).toMatchObject({ outcome: 'failed', error: { code: 'source-empty' } });
  });
});

describe('cases on data', () => {
  const whileReading = async (when: 'onRows' | 'afterRows') => {
    const hook: { meanwhile?: () => Promise<unknown>; done?: Promise<unknown> | undefined } = {};
    // The targets of a batch read together, so none may begin before it is done.
    const setup = await tiny({
      [when]: async () => {
        hook.done ??= hook.meanwhile?.();
        await hook.done;
      },
    });
    const { lake, archive, open } = setup;
    archive.days('A', '2020-02', 1, 3);
    const other = await open();
    hook.meanwhile = () => {
      archive.put('A', day(2), ticksOf(day(2), 8));
      return run(other, silver);
    };
    expect((await run(lake, { selection: '+gold/function' })).outcome).toBe('succeeded');
    return lake;
  };

  test('case 4: an input that changes after it was read leaves the result stale', async () => {
    const lake = await whileReading('afterRows');
    expect(statuses(lake, 'gold/function')).toEqual({
      [`symbol=A/date=${day(1)}`]: 'fresh',
      [`symbol=A/date=${day(2)}`]: 'stale',
      [`symbol=A/date=${day(3)}`]: 'fresh',
    });
    expect(work((await run(lake, { selection: 'gold/function' })).events)).toEqual({ 'gold/function': '1/1' });
    expect(await problems(lake)).toEqual([]);
  });

  test('an input file that is replaced and removed before it is read is looked up again', async () => {
    const lake = await whileReading('onRows');
    expect(status(lake, 'gold/function')).toEqual({ fresh: 3 });
    expect(await problems(lake)).toEqual([]);
  });

  test('a partition that another process brings during a run is read, or makes stale what did not read it', async () => {
    const { lake, archive, open } = await tiny({ now: () => NOW });
    archive.days('A', '2020-02', 1, 2);
    const other = await open();
    let meanwhile: (() => Promise<unknown>) | undefined = () => {
      archive.days('B', '2020-02', 1, 2);
      return run(other, { selection: '+silver/ticks' });
    };
    const never = new AbortController().signal;
    const engine = await lake.engine();
    const slow = {
      ...engine,
      examine: async (definition: Parameters<typeof engine.examine>[0]) => {
        if (definition.key === 'gold/overview') {
          const task = meanwhile;
          meanwhile = undefined;
          await task?.();
        }
        return engine.examine(definition);
      },
    };
    await materialize(
      { ...lake, engine: async () => slow },
      { command: 'test', selection: '+gold/overview' },
      { stopping: never, signal: never, emit: () => undefined },
    );
    expect(meanwhile).toBeUndefined();
    expect(status(lake, 'gold/overview')).toEqual({ stale: 2 });
    expect(work((await run(lake, { selection: '+gold/overview' })).events)).toEqual({ 'gold/overview': '2/2' });
    expect(status(lake, 'gold/overview')).toEqual({ fresh: 2 });
    expect(work((await run(lake, { selection: '+gold/overview' })).events)).toEqual({});
  });

  test('a clock that is behind takes nothing out of the lake', async () => {
    const { lake, archive, open } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    await run(lake);
    const slow = await open({ now: () => Date.parse('2020-02-02T12:00:00Z') });
    await expect(run(slow)).rejects.toMatchObject({ code: 'clock-behind', kind: 'usage' });
    expect(status(lake, 'gold/window')).toEqual({ fresh: 2 });
    const seen = await observe(slow, slow.graph.node('src/days'), 'r', new AbortController().signal);
    expect(seen.withdrawn).toBe(0);
  });

  test('case 12: a process with old definitions refuses as soon as newer ones were loaded, also in the middle of a run', async () => {
    const { lake: daemon, archive, open } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    await run(daemon);
    const person = await open({ codes: { 'silver/ticks': '2' } });
    expect(work((await run(person)).events)).toMatchObject({ 'silver/ticks': '2/0' });
    await expect(run(daemon)).rejects.toMatchObject({ code: 'stale-definitions', kind: 'conflict' });
    expect(status(person, 'silver/ticks')).toEqual({ fresh: 2 });
    // Started again with the old code on purpose, it is the newest.
    const reverted = await open();
    expect(work((await run(reverted)).events)).toMatchObject({ 'silver/ticks': '2/0' });
    await expect(run(person)).rejects.toMatchObject({ code: 'stale-definitions' });

    const late = await open({ codes: { 'gold/function': '3' } });
    const running = await open({
      codes: { 'gold/function': '2' },
      onRows: async () => {
        await run(late, { selection: 'bronze/days' });
      },
    });
    await expect(run(running, { selection: 'gold/function' })).rejects.toMatchObject({ code: 'stale-definitions' });
    expect(await problems(running)).toEqual([]);
  });
});

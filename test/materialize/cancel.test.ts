import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LakehouseError } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../framework/materialize/events.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { materialize } from '../../framework/materialize/run.ts';
import { run } from './lake.ts';
import { problems, status, tiny, work } from './support.ts';

const reason = new LakehouseError('interrupted', 'It was interrupted', { kind: 'transient' });
const stagedFiles = ({ store }: OpenedLake): string[] =>
  existsSync(join(store.root, '.staging')) ? readdirSync(join(store.root, '.staging')) : [];
const scratch = ({ store }: OpenedLake): string[] =>
  readdirSync(join(store.root, '.lakehouse', 'tmp')).filter((name) => name.startsWith('lakehouse-'));

interface Controlled {
  readonly lake: OpenedLake;
  /** Called with every event; may abort. */
  readonly on: (event: RunEvent, stop: AbortController, now: AbortController) => void;
}

async function controlled({ lake, on }: Controlled) {
  const stop = new AbortController();
  const now = new AbortController();
  const events: RunEvent[] = [];
  const result = materialize(
    lake,
    { command: 'test' },
    {
      stopping: stop.signal,
      signal: now.signal,
      emit: (event) => {
        events.push(event);
        on(event, stop, now);
      },
    },
  );
  return { result: await result.catch((error: unknown) => error), events };
}

describe('cancelling', () => {
  test('asked to stop, a run finishes what is running and starts nothing new; the next run goes on', async () => {
    const { lake, archive } = await tiny({ sets: ['processing.batchSize=2', 'workflow.pools={default: 1}'] });
    archive.days('A', '2020-02', 1, 10);
    const { result, events } = await controlled({
      lake,
      on: (event, stop) => event.type === 'batch-finished' && event.asset === 'silver/ticks' && stop.abort(reason),
    });
    expect(result).toMatchObject({ outcome: 'cancelled' });
    expect(lake.state.runs(1)[0]).toMatchObject({ outcome: 'cancelled' });
    expect(work(events)).toEqual({ 'bronze/days': '10/10', 'silver/ticks': '2/2' });
    expect(await problems(lake)).toEqual([]);
    expect(stagedFiles(lake)).toEqual([]);
    const next = await run(lake);
    expect(work(next.events)).toMatchObject({ 'silver/ticks': '8/8', 'gold/window': '10/10' });
    expect(work((await run(lake)).events)).toEqual({});
  });

  test('asked to stop while sources are looked at, a run plans and computes nothing', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    const { result, events } = await controlled({
      lake,
      on: (event, stop) => event.type === 'observing' && stop.abort(reason),
    });
    expect(result).toMatchObject({ outcome: 'cancelled', counts: { computed: 0 } });
    expect(events.map((e) => e.type)).toEqual(['run-started', 'observing', 'observed', 'planned', 'run-finished']);
  });

  test('asked to stop, it waits neither for other runs nor for the next attempt', async () => {
    const { lake, archive, open } = await tiny({
      retry: { retries: 5, delayMs: 3_600_000, maxDelayMs: 3_600_000 },
      onRead: (key) => {
        if (key.startsWith('B')) throw new LakehouseError('weather', 'rain', { kind: 'transient' });
      },
    });
    archive.days('A', '2020-02', 1, 2).days('B', '2020-02', 1, 1);
    const waiting = await controlled({ lake, on: (event, stop) => event.type === 'retry' && stop.abort(reason) });
    expect(waiting.result).toMatchObject({ outcome: 'cancelled', counts: { computed: 2, failed: 1 } });
    expect(status(lake, 'bronze/days')).toEqual({ fresh: 2, failed: 1 });

    archive.remove('B', '2020-02-01');
    const other = await open();
    other.state.claim(
      'silver/ticks',
      ['symbol=A|2020-02'],
      { run: 'other', host: 'elsewhere', pid: 1 },
      3_600_000,
      lake.now(),
    );
    const held = await controlled({ lake, on: (event, stop) => event.type === 'waiting' && stop.abort(reason) });
    expect(held.result).toMatchObject({ outcome: 'cancelled', counts: { computed: 0, failed: 0 } });
    expect(held.events.filter((e) => e.type === 'waiting')).toHaveLength(1);
  });

  test('stopped now, at whatever event: nothing is half done, nothing is left staged, and the next run goes on', async () => {
    const { lake, archive } = await tiny({ sets: ['processing.batchSize=2'] });
    archive.days('A', '2020-02', 1, 4);
    let at = 0;
    for (let done = false; !done; at++) {
      let seen = 0;
      const { result, events } = await controlled({
        lake,
        on: (_, __, now) => {
          if (seen++ === at) now.abort(reason);
        },
      });
      done = events.length <= at || events.at(-1)?.type !== 'run-finished' || result !== reason;
      if (!done) expect(lake.state.runs(1)[0]).toMatchObject({ outcome: 'cancelled' });
      expect(await problems(lake)).toEqual([]);
      expect(stagedFiles(lake)).toEqual([]);
      expect(scratch(lake)).toEqual([]);
    }
    expect(at).toBeGreaterThan(5);
    expect((await run(lake)).outcome).toBe('succeeded');
    expect(status(lake, 'gold/chain')).toEqual({ fresh: 4 });
  });

  test('stopped now while a function computes, it ends without waiting for the function to see it through', async () => {
    const now = new AbortController();
    const { lake, archive } = await tiny({ onRows: () => now.abort(reason) });
    archive.days('A', '2020-02', 1, 3);
    const never = new AbortController().signal;
    await expect(
      materialize(lake, { command: 'test' }, { stopping: never, signal: now.signal, emit: () => undefined }),
    ).rejects.toBe(reason);
    expect(status(lake, 'gold/function')).toEqual({ missing: 3 });
    expect(await problems(lake)).toEqual([]);
    expect(stagedFiles(lake)).toEqual([]);
    expect([...lake.state.events()].filter(({ event }) => event.kind === 'failed')).toEqual([]);
  });

  test('a heartbeat that cannot be written does not end the process', async () => {
    const { lake, archive } = await tiny({
      sets: ['workflow.claimTtlMs=3'],
      onRows: () => new Promise((resolve) => setTimeout(resolve, 100)),
    });
    archive.days('A', '2020-02', 1, 1);
    let beats = 0;
    const state = new Proxy(lake.state, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'renew') return member.bind(target);
        return () => {
          beats++;
          throw new LakehouseError('disk-full', 'full', { kind: 'transient' });
        };
      },
    });
    const result = await run({ ...lake, state });
    expect(result.outcome).toBe('succeeded');
    expect(beats).toBeGreaterThan(1);
  });
});

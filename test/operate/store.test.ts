import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openOperate } from '../../framework/operate/sqlite.ts';
import type { LeaseOwner, NewTick, OperateStore } from '../../framework/operate/store.ts';

let directory = '';
let path = '';
const stores: OperateStore[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'operate-'));
  path = join(directory, 'operate.sqlite');
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(directory, { recursive: true });
});

const alive = new Set([1, 2]);
function open(readOnly = false): OperateStore {
  const store = openOperate(path, { host: 'here', isAlive: (pid) => alive.has(pid), readOnly });
  stores.push(store);
  return store;
}
const owner = (pid: number, host = 'here'): LeaseOwner => ({ host, pid, started: pid * 10 });
const tick = (name: string, due: number, more: Partial<NewTick> = {}): NewTick => ({
  kind: 'schedule',
  name,
  due,
  at: due + 1,
  outcome: 'running',
  decision: 'it was due',
  ...more,
});
const code = (work: () => unknown) => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('facts', () => {
  test('are remembered, replaced and forgotten, across processes', () => {
    open().remember({ 'a/1': { deep: [1, null] }, 'a/2': 'x', b: 3 });
    const other = open();
    expect(other.recall('a/1')).toEqual({ deep: [1, null] });
    expect([...other.recallAll('a/')]).toEqual([
      ['1', { deep: [1, null] }],
      ['2', 'x'],
    ]);
    other.remember({ 'a/1': undefined, 'a/2': 'y' });
    expect([...open(true).recallAll('a/')]).toEqual([['2', 'y']]);
    expect(open(true).recall('nothing')).toBeUndefined();
  });
});

describe('ticks', () => {
  test('are listed latest first, with how they ended', () => {
    const store = open();
    const first = store.addTick(tick('hourly', 100), { 'schedule/seen/hourly': 100 });
    store.addTick(tick('hourly', 200, { outcome: 'skipped', ticks: 3 }));
    store.addTick(tick('daily', 150));
    const error = { message: 'no disk', code: 'disk-full' };
    store.endTick(first, { outcome: 'failed', decision: 'it was due; no disk', at: 120, run: 'r1', error }, { x: 1 });
    expect(store.recall('x')).toBe(1);
    expect(open(true).ticks({ name: 'hourly', limit: 10 })).toEqual([
      {
        id: 2,
        kind: 'schedule',
        name: 'hourly',
        due: 200,
        attempt: 1,
        at: 201,
        outcome: 'skipped',
        decision: 'it was due',
        ticks: 3,
        byHand: false,
        begunAt: undefined,
        finishedAt: 201,
        run: undefined,
        error: undefined,
      },
      {
        id: 1,
        kind: 'schedule',
        name: 'hourly',
        due: 100,
        attempt: 1,
        at: 101,
        outcome: 'failed',
        decision: 'it was due; no disk',
        ticks: 1,
        byHand: false,
        begunAt: 101,
        finishedAt: 120,
        run: 'r1',
        error,
      },
    ]);
    expect(store.ticks({ outcome: 'running', limit: 10 }).map(({ name }) => name)).toEqual(['daily']);
    expect(store.ticks({ limit: 2 }).map(({ id }) => id)).toEqual([3, 2]);
  });

  test('of the same instant are attempts', () => {
    const store = open();
    store.addTick(tick('hourly', 100));
    store.addTick(tick('hourly', 100));
    store.addTick(tick('hourly', 100, { byHand: true }));
    expect(store.ticks({ limit: 9 }).map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
  });

  test('wait, and are begun when their turn comes', () => {
    const store = open();
    const id = store.addTick(tick('hourly', 100, { outcome: 'queued' }));
    const seen = () =>
      store.ticks({ limit: 1 }).map(({ outcome, begunAt, finishedAt }) => [outcome, begunAt, finishedAt]);
    expect(seen()).toEqual([['queued', undefined, undefined]]);
    store.beginTick(id, 150);
    expect(seen()).toEqual([['running', 150, undefined]]);
    store.endTick(id, { outcome: 'succeeded', decision: 'it was due', at: 170 });
    expect(seen()).toEqual([['succeeded', 150, 170]]);
  });

  test('only the latest of each name are kept, and those that run or wait', () => {
    const store = open();
    store.addTick(tick('a', 1));
    store.addTick(tick('c', 1, { outcome: 'queued' }));
    for (let due = 2; due < 9; due++) store.addTick(tick('c', due, { outcome: 'succeeded' }));
    for (let due = 2; due < 20; due++) store.addTick(tick('a', due, { outcome: 'succeeded' }));
    store.addTick(tick('b', 5, { outcome: 'succeeded' }));
    expect(store.prune(3)).toBe(15 + 4);
    expect(store.ticks({ limit: 99 }).map(({ name, due }) => `${name}${due}`)).toEqual([
      'b5',
      'a19',
      'a18',
      'a17',
      'c8',
      'c7',
      'c6',
      'c1',
      'a1',
    ]);
  });
});

describe('the lease', () => {
  test('is held by one, renewed, and taken over when it expires', () => {
    const [first, second] = [open(), open()];
    const answer = first.acquire(owner(1), 1000, 5000);
    if (!('lease' in answer)) throw new Error('refused');
    expect(second.acquire(owner(2), 1000, 5500)).toEqual({ heldBy: answer.lease });
    expect(first.renew(answer.lease, 1000, 5900)).toBe(true);
    expect(second.acquire(owner(2), 1000, 6500)).toMatchObject({ heldBy: { heartbeatAt: 5900, expiresAt: 6900 } });
    expect(second.acquire(owner(2), 1000, 6900)).toMatchObject({ lease: { epoch: 2, owner: owner(2) } });
    expect(first.renew(answer.lease, 1000, 6950)).toBe(false);
  });

  test('what an earlier holder still writes is refused, whole', () => {
    const store = open();
    const answer = store.acquire(owner(1), 1000, 0);
    if (!('lease' in answer)) throw new Error('refused');
    const fenced = store.fenced(answer.lease);
    const id = fenced.addTick(tick('a', 1));
    open().acquire(owner(2), 1000, 2000);
    expect(code(() => fenced.addTick(tick('a', 2), { x: 1 }))).toBe('lease-lost');
    expect(code(() => fenced.endTick(id, { outcome: 'succeeded', decision: '', at: 3 }))).toBe('lease-lost');
    expect(code(() => fenced.remember({ x: 1 }))).toBe('lease-lost');
    expect(store.recall('x')).toBeUndefined();
    expect(store.ticks({ limit: 9 }).map(({ due, outcome }) => `${due} ${outcome}`)).toEqual(['1 running']);
  });

  test('of a process of this host that is gone is taken over at once; of another host only when it expires', () => {
    const store = open();
    store.acquire(owner(7), 1000, 0);
    expect(store.acquire(owner(1), 1000, 1)).toMatchObject({ lease: { epoch: 2 } });
    store.acquire(owner(7, 'there'), 1000, 5000);
    expect(store.acquire(owner(1), 1000, 5001)).toMatchObject({ heldBy: { owner: owner(7, 'there') } });
  });

  test('of an earlier process with the same pid, as in a container, is taken over at once', () => {
    const store = open();
    store.acquire(owner(1), 1000, 0);
    expect(store.acquire({ ...owner(1), started: 99 }, 1000, 1)).toMatchObject({ lease: { epoch: 2 } });
  });

  test('that was released is free', () => {
    const store = open();
    const answer = store.acquire(owner(1), 1000, 0);
    if ('lease' in answer) store.release(answer.lease);
    expect(store.acquire(owner(2), 1000, 1)).toMatchObject({ lease: { epoch: 2 } });
  });
});

test('reading makes no file, and tells when others have written', () => {
  const before = open(true);
  expect(before.ticks({ limit: 1 })).toEqual([]);
  expect(before.lease()).toBeUndefined();
  expect(code(() => before.remember({ x: 1 }))).toBe('read-only');
  const writer = open();
  const reader = open(true);
  const version = reader.version();
  expect(reader.version()).toBe(version);
  writer.remember({ x: 1 });
  expect(reader.version()).not.toBe(version);
});

test('a file of a newer program, or of no program, is refused', () => {
  writeFileSync(path, 'this is no database, it is a sentence that is long enough to be told from one at first sight');
  expect(code(() => open())).toBe('state-corrupt');
});

test('what a killed process had begun to write is undone by the next reader', async () => {
  open().remember({ x: 'before' });
  const child = spawn(process.execPath, [
    '-e',
    `const { DatabaseSync } = require('node:sqlite');
     const db = new DatabaseSync(${JSON.stringify(path)});
     db.exec("PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE facts SET value = '\\"half\\"'");
     db.exec("INSERT INTO facts SELECT 'k' || value, hex(zeroblob(4000)) FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c LIMIT 200) SELECT value FROM c)");
     process.stdout.write('written'); setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(open(true).recall('x')).toBe('before');
});

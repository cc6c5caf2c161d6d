import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { localStore } from '../../framework/storage/local.ts';
import type { StageOwner } from '../../framework/storage/owner.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
/** Longer than any grace. */
const MUCH_LATER = Date.now() + 30 * 86_400_000;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const self: StageOwner = { host: 'here', pid: process.pid, started: performance.timeOrigin, isAlive };

async function temporary(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'lakehouse-owner-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

/** A process with a stage that it has not written to. */
async function silentWriter(root: string) {
  const child = spawn(process.execPath, [WRITER, root, 'silent'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return { child, closed };
}

test('a stage is not swept while its process runs, however long that is silent', async () => {
  const root = await temporary();
  const { child, closed } = await silentWriter(root);
  const store = localStore({ root, owner: self });
  expect(await store.sweepStaging(0, MUCH_LATER)).toBe(0);
  child.stdin.write('go on\n');
  expect(await text(child.stdout)).toBe('committed\n');
  await closed;
  expect(Buffer.from(await store.read('silver/silent.parquet')).toString()).toBe('rows');
});

test('and is, once it has been silent for long enough, when its process is dead', async () => {
  const root = await temporary();
  const { child, closed } = await silentWriter(root);
  child.kill('SIGKILL');
  await closed;
  const store = localStore({ root, owner: self });
  expect(await store.sweepStaging(60_000, Date.now())).toBe(0);
  expect(await store.sweepStaging(60_000, MUCH_LATER)).toBe(1);
  expect(await readdir(root)).toEqual([]);
});

test('an earlier process with the pid of this one, as in containers, is dead', async () => {
  const root = await temporary();
  await localStore({ root, owner: { ...self, started: self.started - 1000 } }).stage('a');
  await localStore({ root, owner: self }).stage('a');
  expect(await localStore({ root, owner: self }).sweepStaging(0, MUCH_LATER)).toBe(1);
  expect(await readdir(join(root, '.staging'))).toHaveLength(1);
});

test('of processes of other hosts, and of those that did not say who they are, the age decides', async () => {
  const root = await temporary();
  await localStore({ root, owner: { ...self, host: 'elsewhere: 1-2-3' } }).stage('a');
  await localStore({ root }).stage('a');
  const store = localStore({ root, owner: self });
  expect(await store.sweepStaging(60_000, Date.now())).toBe(0);
  expect(await store.sweepStaging(60_000, MUCH_LATER)).toBe(2);
});

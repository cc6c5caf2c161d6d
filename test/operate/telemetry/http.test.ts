import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { atEnd, NOW, tiny } from '../../materialize/support.ts';
import { telemetryOf } from './wire.ts';

async function listening(sets: readonly string[] = []) {
  const clock = { now: NOW };
  const { lake, directory } = await tiny({ now: () => clock.now });
  const telemetry = await telemetryOf(lake, directory, ['http.port=0', ...sets], { listen: true });
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${telemetry.address()}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  return { clock, telemetry, get, directory, lake };
}

test('it lives, whatever it is doing', async () => {
  const { get, telemetry } = await listening();
  expect(await get('/health')).toMatchObject({ status: 200, body: { status: 'ok', role: 'starting', pid: 4711 } });
  telemetry.daemon({ role: 'standby' });
  expect(await get('/health?probe')).toMatchObject({ status: 200, body: { role: 'standby' } });
});

test('it is ready when it does its work, or stands by to', async () => {
  const { get, telemetry, clock, directory } = await listening();
  expect(await get('/ready')).toMatchObject({ status: 503, body: { problems: ['it is starting'] } });
  telemetry.daemon({ role: 'standby' });
  expect((await get('/ready')).body).toEqual({ status: 'ready', role: 'standby', running: 0, waiting: 0 });
  telemetry.daemon({ role: 'active', turnAt: clock.now, running: 1, waiting: 3 });
  expect(await get('/ready')).toMatchObject({
    status: 200,
    body: { status: 'ready', role: 'active', running: 1, waiting: 3, turn: '2020-04-10T12:00:00.000Z' },
  });
  clock.now += 60_001;
  expect(await get('/ready')).toMatchObject({
    status: 503,
    body: { status: 'not ready', problems: ['it has not looked at what is due for a minute'] },
  });
  telemetry.daemon({ turnAt: clock.now });
  expect((await get('/ready')).status).toBe(200);
  rmSync(join(directory, '.lakehouse'), { recursive: true });
  expect(await get('/ready')).toMatchObject({
    status: 503,
    body: { problems: [expect.stringMatching(/^the state cannot be written: ENOENT/)] },
  });
});

test.skipIf(process.getuid?.() === 0)('a state that cannot be written is not ready (skipped for root)', async () => {
  const { get, telemetry, directory } = await listening();
  telemetry.daemon({ role: 'standby' });
  chmodSync(join(directory, '.lakehouse'), 0o500);
  atEnd(async () => chmodSync(join(directory, '.lakehouse'), 0o700));
  expect((await get('/ready')).status).toBe(503);
});

test('it leaves nothing behind, and answers nothing else', async () => {
  const { get, directory } = await listening();
  await get('/ready');
  expect(existsSync(join(directory, '.lakehouse/.ready-4711'))).toBe(false);
  expect(await get('/')).toMatchObject({ status: 404, body: { known: ['/metrics', '/health', '/ready'] } });
  expect(await get('/metrics/..%2f..')).toMatchObject({ status: 404 });
  const post = await get('/health', { method: 'POST', body: 'x' });
  expect(post).toMatchObject({ status: 405 });
  expect(post.headers.get('allow')).toBe('GET, HEAD');
  expect(await get('/health', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
});

test('where another daemon listens, it does so as soon as that one is gone', async () => {
  const other = createServer((_, response) => response.end('{"other":true}'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { telemetry, get } = await listening([`http.port=${port}`]);
  expect(telemetry.address()).toBeUndefined();
  expect(telemetry.log).toEqual([expect.stringMatching(/^warn: somebody else listens there already/)]);
  other.closeAllConnections();
  await new Promise((resolve) => other.close(resolve));
  await vi.waitFor(() => expect(telemetry.address()).toBe(`http://127.0.0.1:${port}`), { timeout: 30_000 });
  expect((await get('/health')).status).toBe(200);
});

test('an address that is none of this machine is refused with what to do', async () => {
  await expect(listening(['http.host=192.0.2.1'])).rejects.toMatchObject({
    code: 'cannot-listen',
    message: 'Port 0 of 192.0.2.1 cannot be listened on',
  });
});

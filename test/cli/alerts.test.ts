import { once } from 'node:events';
import { appendFile, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAlerts } from '../../framework/operate/alerts/alerts.ts';
import { openOperate } from '../../framework/operate/sqlite.ts';
import { command, failing, lakeOf } from '../operate/alerts/support.ts';
import { NOON, type Place, place } from './support.ts';

/** A server that takes what is posted to /ok and refuses the rest. */
async function server() {
  const got: string[] = [];
  const made = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    got.push(body);
    response.writeHead(request.url === '/ok' ? 200 : 403).end(request.url === '/ok' ? '' : 'no token hunter2');
  });
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  onTestFinished(() => void made.close());
  return { got, url: `http://127.0.0.1:${(made.address() as AddressInfo).port}` };
}

const destinations = (text: string) => `alerts:\n  groupSeconds: 0\n  destinations:\n${text}`;

/** What a daemon would have left: something bad, told to some. */
async function operated(here: Place, url: string) {
  await mkdir(join(here.cwd, 'data/.lakehouse'), { recursive: true });
  const store = openOperate(join(here.cwd, 'data/.lakehouse/operate.sqlite'), { host: 'here' });
  const common = { severity: 'warn', timeoutSeconds: 5 } as const;
  let ids = 0;
  const alerts = createAlerts({
    settings: {
      rules: ['failures'],
      repeatedFailures: 3,
      storageWarnPercent: 90,
      groupSeconds: 0,
      maxLines: 5,
      repeatHours: 0,
      giveUpHours: 1,
      destinations: {
        good: { ...common, type: 'slack', url: `${url}/ok` },
        bad: { ...common, type: 'slack', url: `${url}/bad` },
      },
    },
    store,
    log: () => undefined,
    now: () => NOON,
    id: () => `id${++ids}`,
    origin: { host: 'here', lake: '/lake' },
    env: {},
    redact: (text) => text.replaceAll('hunter2', '***'),
    command,
  });
  alerts.update(
    lakeOf({ failures: [{ ...failing('gold/x'), worst: { ...failing('gold/x').worst, at: NOON - 60_000 } }] }),
  );
  await alerts.deliver(new AbortController().signal);
  store.close();
}

test('nothing was ever wrong, and nobody would be told', async () => {
  const here = await place();
  const { code, out } = await here.run(['alerts']);
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
    "No alert is raised.

    Nobody is told: name somebody under 'alerts.destinations' in lakehouse.yaml.
    No daemon is active: nothing is noticed or sent. Start one with lakehouse daemon
    "
  `);
  expect(await here.json(['alerts'])).toEqual({
    daemon: false,
    destinations: [],
    problems: [],
    active: [],
    waiting: [],
    sent: [],
  });
});

test('what is bad, what waits and what was sent', async () => {
  const here = await place();
  const { url } = await server();
  await operated(here, url);
  await appendFile(join(here.cwd, 'lakehouse.yaml'), destinations(`    good: { type: slack, url: '${url}/ok' }\n`));
  const { code, out } = await here.run(['alerts']);
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
    "SEVERITY  SINCE                    WHAT                       MORE
    error     2024-02-02 11:59:00 UTC  partitions of gold/x fail  2 partitions; date=2026-11-22: no such host

    WAITS FOR  UNTIL                    ATTEMPTS  WHAT                              WHY
    bad        2024-02-02 12:00:30 UTC         1  error: partitions of gold/x fail  it answered 403 Forbidden: no token ***

    SENT TO  AT                       ATTEMPTS  WHAT
    good     2024-02-02 12:00:00 UTC         1  error: partitions of gold/x fail

    1 destination: good (slack). lakehouse alerts test  tries them out.
    No daemon is active: nothing is noticed or sent. Start one with lakehouse daemon
    "
  `);
  expect(await here.json(['alerts'])).toMatchObject({
    destinations: [{ name: 'good', type: 'slack' }],
    active: [
      {
        key: 'failures/gold/x',
        severity: 'error',
        since: '2024-02-02T11:59:00.000Z',
        raisedAt: '2024-02-02T12:00:00.000Z',
      },
    ],
    waiting: [{ id: 'id2', destination: 'bad', attempts: 1, notices: 1, nextAt: '2024-02-02T12:00:30.000Z' }],
    sent: [{ id: 'id1', destination: 'good', attempts: 1, title: 'error: partitions of gold/x fail' }],
  });
  expect(out).not.toContain(url);
});

test('alerts test: each destination says what happened; exit code 1 when one cannot be reached', async () => {
  const here = await place();
  const { url, got } = await server();
  const list = `    good: { type: slack, url: '${url}/ok' }\n    bad: { type: json, url: '${url}/hunter2', headers: { Authorization: hunter2 } }\n    exits: { type: command, command: [sh, -c, 'cat > /dev/null; exit 0'] }\n`;
  await appendFile(join(here.cwd, 'lakehouse.yaml'), destinations(list));
  const io = { env: { PATH: process.env.PATH } };
  const { code, out, err } = await here.run(['alerts', 'test'], { io });
  expect({ code, out, err }).toEqual({
    code: 1,
    out: '✓ good: sent\n✗ bad: it answered 403 Forbidden: no token ***\n✓ exits: sent\n',
    err: '',
  });
  expect(JSON.parse(got.find((body) => body.includes('"text"')) ?? '')).toEqual({
    text: expect.stringContaining('warn: this is a test'),
  });
  const one = await here.run(['alerts', 'test', 'good', '--json'], { io });
  expect(one.code).toBe(0);
  expect(JSON.parse(one.out)).toEqual([{ destination: 'good', type: 'slack', id: expect.any(String), ok: true }]);
});

test('alerts test: a name that nobody has, and no destinations at all', async () => {
  const here = await place();
  const nobody = await here.run(['alerts', 'test']);
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('Nobody is told of alerts') });
  await appendFile(
    join(here.cwd, 'lakehouse.yaml'),
    destinations(`    good: { type: slack, url: 'http://127.0.0.1:1/' }\n`),
  );
  const wrong = await here.run(['alerts', 'test', 'god']);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toBe("lakehouse: No destination of alerts is named 'god'\n  Did you mean 'good'?\n");
});

test('it needs no definitions', async () => {
  const here = await place();
  const io = { importModule: () => Promise.reject(new Error('broken')) };
  expect((await here.run(['alerts'], { io })).code).toBe(0);
});

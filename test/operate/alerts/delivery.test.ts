import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ALERT_RULES } from '../../../framework/common/alerts.ts';
import { createAlerts, leaseOfDead, readMemory } from '../../../framework/operate/alerts/alerts.ts';
import { startCourier } from '../../../framework/operate/alerts/courier.ts';
import { readOutbox, readSent } from '../../../framework/operate/alerts/delivery.ts';
import type { AlertSettings } from '../../../framework/operate/alerts/destinations.ts';
import { tickFacts } from '../../../framework/operate/alerts/gather.ts';
import { openOperate } from '../../../framework/operate/sqlite.ts';
import type { OperateStore } from '../../../framework/operate/store.ts';
import { command, failing, HOUR, lakeOf, MINUTE, START, Watch } from './support.ts';

interface Got {
  readonly id: string;
  readonly path: string;
  readonly lines: readonly string[];
}

/** A server that answers each request as `answer` says at the time; `hang` answers never, `lost` after it has taken it. */
async function receiver() {
  const got: Got[] = [];
  const state = { answer: 200 as number | 'hang' | 'lost', asked: 0, retryAfter: undefined as string | undefined };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    state.asked++;
    const { answer, retryAfter } = state;
    if (answer === 200 || answer === 'lost') {
      const { id, data } = JSON.parse(body);
      const lines = data.alerts.map((one: { kind: string; title: string }) => `${one.kind} ${one.title}`);
      got.push({ id, path: String(request.url), lines });
    }
    if (answer === 'lost') request.socket.destroy();
    else if (answer !== 'hang')
      response.writeHead(answer, retryAfter ? { 'retry-after': retryAfter } : {}).end('hunter2');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;
  return { got, state, url };
}

type Destinations = AlertSettings['destinations'];
const json = (url: string, more: Partial<Destinations[string]> = {}): Destinations[string] => ({
  type: 'json',
  severity: 'warn',
  timeoutSeconds: 10,
  url,
  ...more,
});

function settingsOf(destinations: Destinations, more: Partial<AlertSettings> = {}): AlertSettings {
  return {
    rules: [...ALERT_RULES],
    repeatedFailures: 3,
    storageWarnPercent: 90,
    groupSeconds: 60,
    maxLines: 20,
    repeatHours: 0,
    giveUpHours: 72,
    destinations,
    ...more,
  };
}

/** Daemons that come and go on one store. */
function world() {
  const directory = mkdtempSync(join(tmpdir(), 'alerts-'));
  const path = join(directory, 'operate.sqlite');
  const log: string[] = [];
  const clock = { now: START };
  const opened: OperateStore[] = [];
  const open = () => {
    const store = openOperate(path, { host: 'here' });
    opened.push(store);
    return store;
  };
  onTestFinished(() => {
    for (const store of opened) store.close();
    rmSync(directory, { recursive: true });
  });
  let ids = 0;
  return {
    clock,
    log,
    open,
    store: open(),
    start: (settings: AlertSettings, store: OperateStore = open()) =>
      createAlerts({
        settings,
        store,
        log: (level, message) => log.push(`${level} ${message}`),
        now: () => clock.now,
        id: () => `id${String(++ids).padStart(3, '0')}`,
        origin: { host: 'here', lake: '/lake' },
        command,
        env: {},
        redact: (text) => text.replaceAll('hunter2', '***'),
      }),
  };
}
const { signal } = new AbortController();
const bad = (...assets: string[]) => lakeOf({ failures: assets.map((asset) => failing(asset)) });

test('what happens within a minute is one message per destination, with what that wants to hear', async () => {
  const { got, url } = await receiver();
  const { clock, start, store, log } = world();
  const alerts = start(
    settingsOf({
      all: json(url('all')),
      severe: json(url('severe'), { severity: 'error' }),
      reloads: json(url('reloads'), { rules: ['reload'] }),
    }),
  );
  const crashed = {
    epoch: 1,
    owner: { host: 'here', pid: 1, started: 1 },
    acquiredAt: 0,
    heartbeatAt: START,
    expiresAt: 1,
  };
  alerts.update({ ...bad('a'), crashed });
  expect(await alerts.deliver(signal)).toBe(START + MINUTE);
  clock.now += MINUTE - 1;
  alerts.update(bad('b'));
  expect(await alerts.deliver(signal)).toBe(START + MINUTE);
  expect(got).toEqual([]);
  clock.now += 1;
  expect(await alerts.deliver(signal)).toBeUndefined();
  expect(got.sort((x, y) => (x.path < y.path ? -1 : 1))).toEqual([
    {
      id: 'id001',
      path: '/all',
      lines: [
        'raised the daemon died and was replaced',
        'raised partitions of a fail',
        'raised partitions of b fail',
        'cleared partitions of a fail',
      ],
    },
    {
      id: 'id002',
      path: '/severe',
      lines: ['raised partitions of a fail', 'raised partitions of b fail', 'cleared partitions of a fail'],
    },
  ]);
  alerts.update(bad());
  clock.now += MINUTE;
  await alerts.deliver(signal);
  expect(got.slice(2).map(({ path, lines }) => [path, lines])).toEqual([
    ['/all', ['cleared partitions of b fail']],
    ['/severe', ['cleared partitions of b fail']],
  ]);
  expect(readOutbox(store)).toEqual(new Map());
  expect(
    readSent(store).map(({ id, destination, title, attempts }) => ({ id, destination, title, attempts })),
  ).toContainEqual({
    id: 'id001',
    destination: 'all',
    title: 'error: partitions of b fail (and 1 new, 1 over)',
    attempts: 1,
  });
  expect(log.slice(0, 2)).toEqual([
    'warn alert raised: the daemon died and was replaced',
    'warn alert raised: partitions of a fail',
  ]);
});

test('a receiver that is down is tried again, later each time, and hears everything in order', async () => {
  const { got, state, url } = await receiver();
  const { clock, start, log } = world();
  const alerts = start(settingsOf({ ops: json(url('ops')) }, { groupSeconds: 0 }));
  state.answer = 500;
  alerts.update(bad('a'));
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    const next = (await alerts.deliver(signal)) ?? 0;
    waits.push((next - clock.now) / 1000);
    clock.now = next;
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900]);
  expect(log.filter((line) => line.includes('tried again'))[0]).toBe(
    'warn an alert could not be delivered and is tried again: it answered 500 Internal Server Error: ***',
  );
  state.retryAfter = '3000';
  const next = (await alerts.deliver(signal)) ?? 0;
  expect(next - clock.now).toBe(3_000_000);
  const asked = state.asked;
  alerts.update(bad('a', 'b'));
  expect(await alerts.deliver(signal)).toBe(next);
  expect(state.asked).toBe(asked);
  state.answer = 200;
  clock.now = next;
  expect(await alerts.deliver(signal)).toBeUndefined();
  expect(got.map(({ lines }) => lines)).toEqual([['raised partitions of a fail'], ['raised partitions of b fail']]);
});

test('one receiver that hangs holds up neither the others nor what is decided', async () => {
  const hanging = await receiver();
  const good = await receiver();
  hanging.state.answer = 'hang';
  const { start, store, clock } = world();
  const alerts = start(
    settingsOf({ a: json(hanging.url(''), { timeoutSeconds: 0.3 }), b: json(good.url('')) }, { groupSeconds: 0 }),
  );
  alerts.update(bad('x'));
  const delivering = alerts.deliver(signal);
  while (good.got.length < 1 || hanging.state.asked < 1) await setTimeout(5);
  alerts.update(bad('x', 'y'));
  expect(Object.keys(readMemory(store).active)).toEqual(['failures/x', 'failures/y']);
  expect(await delivering).toBe(clock.now);
  expect(await alerts.deliver(signal)).toBe(clock.now + 30_000);
  expect(good.got.map(({ lines }) => lines)).toEqual([
    ['raised partitions of x fail'],
    ['raised partitions of y fail'],
  ]);
  expect([...readOutbox(store).values()].map(({ attempts, error }) => [attempts, error])).toEqual([
    [1, 'the request failed: it took too long'],
    [0, undefined],
  ]);
});

test('a crash between decision and delivery: the next daemon delivers, and raises nothing anew', async () => {
  const { got, url } = await receiver();
  const { clock, start } = world();
  const settings = settingsOf({ ops: json(url('ops')) });
  start(settings).update(bad('a'));
  // The process is gone.
  clock.now += HOUR;
  const next = start(settings);
  next.update(bad('a'));
  await next.deliver(signal);
  next.update(bad());
  clock.now += MINUTE;
  await next.deliver(signal);
  expect(got.map(({ lines }) => lines)).toEqual([['raised partitions of a fail'], ['cleared partitions of a fail']]);
});

test('a crash after delivery, or an answer that is lost: it comes again with the same id', async () => {
  const { got, state, url } = await receiver();
  const { clock, start, open } = world();
  const settings = settingsOf({ ops: json(url('ops')) }, { groupSeconds: 0 });
  const store = open();
  const alerts = start(settings, store);
  alerts.update(bad('a'));
  state.answer = 'lost';
  await alerts.deliver(signal);
  state.answer = 200;
  clock.now += MINUTE;
  // What it does after the delivery never reaches the disk.
  const crashing = start(settings, {
    ...bound(store),
    remember: () => {
      throw new Error('killed');
    },
  });
  await crashing.deliver(signal);
  await start(settings).deliver(signal);
  await start(settings).deliver(signal);
  expect(got.map(({ id }) => id)).toEqual(['id001', 'id001', 'id001']);
});

/** A store of a class as an object whose parts may be replaced. */
function bound(store: OperateStore): OperateStore {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(store)) as (keyof OperateStore)[];
  return Object.fromEntries(
    names.map((name) => [name, (store[name] as (...args: unknown[]) => unknown).bind(store)]),
  ) as never;
}

test('what cannot be written down is decided again with the next look', async () => {
  const { start, open, store } = world();
  const settings = settingsOf({ ops: json('http://127.0.0.1:1/') });
  let broken = true;
  const real = open();
  const alerts = start(settings, {
    ...bound(real),
    remember: (facts) => {
      if (broken) throw new Error('disk full');
      real.remember(facts);
    },
  });
  alerts.update(bad('a'));
  expect(readMemory(store).active).toEqual({});
  broken = false;
  alerts.update(bad('a'));
  expect(Object.keys(readMemory(store).active)).toEqual(['failures/a']);
  expect(readOutbox(store).size).toBe(1);
});

test('it is given up after giveUpHours, at once where nobody has the name any more, soon where it is refused', async () => {
  const { state, url, got } = await receiver();
  const { clock, start, store, log } = world();
  const settings = settingsOf({ ops: json(url('ops')), old: json(url('old')) }, { groupSeconds: 0, giveUpHours: 2 });
  const alerts = start(settings);
  state.answer = 503;
  alerts.update(bad('a'));
  alerts.configure({ ...settings, destinations: { ops: json(url('ops')) } });
  for (let next = await alerts.deliver(signal); next !== undefined; next = await alerts.deliver(signal))
    clock.now = next;
  expect(clock.now - START).toBeGreaterThanOrEqual(2 * HOUR);
  expect(clock.now - START).toBeLessThan(2.5 * HOUR);
  expect(log.filter((line) => line.startsWith('error'))).toEqual([
    "error an alert was not delivered and is given up: error: partitions of a fail; No destination of alerts is named 'old'",
    'error an alert was not delivered and is given up: error: partitions of a fail; it answered 503 Service Unavailable: ***',
  ]);
  expect(readOutbox(store).size).toBe(0);

  alerts.update(bad('a', 'b'));
  clock.now += 1;
  alerts.update(bad('a', 'b', 'c'));
  state.asked = 0;
  state.answer = 400;
  // The message that is refused is given up with its third attempt; the one behind it is tried in the same go.
  for (let attempt = 0; attempt < 3; attempt++) clock.now = (await alerts.deliver(signal)) ?? clock.now;
  expect([...readOutbox(store).values()].map(({ notices, attempts }) => [notices[0]?.alert.key, attempts])).toEqual([
    ['failures/c', 1],
  ]);
  expect(state.asked).toBe(4);
  state.answer = 200;
  expect(await alerts.deliver(signal)).toBeUndefined();
  expect(got.map(({ lines }) => lines)).toEqual([['raised partitions of c fail']]);
});

test('a daemon that ends sends what still waits for company, and stops waiting when it must', async () => {
  const { got, state, url } = await receiver();
  const { start, store } = world();
  const settings = settingsOf({ ops: json(url('ops')) });
  const alerts = start(settings);
  alerts.update(bad('a'));
  await alerts.deliver(signal, { all: true });
  expect(got).toHaveLength(1);
  state.answer = 'hang';
  alerts.update(bad());
  expect(await alerts.deliver(AbortSignal.timeout(100), { all: true })).toBe(START + MINUTE);
  expect([...readOutbox(store).values()].map(({ attempts }) => attempts)).toEqual([0]);
  // What was broken off counts for nothing.
  state.answer = 200;
  await alerts.deliver(signal, { all: true });
  expect(got).toHaveLength(2);
  expect(readSent(store).map(({ attempts }) => attempts)).toEqual([1, 1]);
});

test('the last hundred messages stay listed', async () => {
  const { url } = await receiver();
  const { start, store, clock } = world();
  const alerts = start(settingsOf({ ops: json(url('ops')) }, { groupSeconds: 0 }));
  for (let i = 0; i < 103; i++) {
    clock.now += 1000;
    alerts.update(i % 2 === 0 ? bad('a') : bad());
    await alerts.deliver(signal);
  }
  const sent = readSent(store);
  expect(sent).toHaveLength(100);
  expect([sent[0]?.id, sent[99]?.id]).toEqual(['id103', 'id004']);
});

test('a lease that was given back is not that of a dead daemon', () => {
  const { store } = world();
  expect(leaseOfDead(store.lease())).toBeUndefined();
  const owner = { host: 'here', pid: 1, started: 1 };
  const answer = store.acquire(owner, 1000, START);
  expect(leaseOfDead(store.lease())?.owner).toEqual(owner);
  if ('lease' in answer) store.release(answer.lease);
  expect(leaseOfDead(store.lease())).toBeUndefined();
});

test('a clock that is put back holds up nothing for longer than an hour', async () => {
  const { got, url } = await receiver();
  const { clock, start } = world();
  const alerts = start(settingsOf({ ops: json(url('ops')) }));
  alerts.update(bad('a'));
  clock.now -= 0.5 * HOUR;
  expect(await alerts.deliver(signal)).toBe(START + MINUTE);
  expect(got).toEqual([]);
  clock.now -= HOUR;
  expect(await alerts.deliver(signal)).toBeUndefined();
  expect(got).toHaveLength(1);
});

test('how the latest ticks ended, behind any number of those that were skipped', () => {
  const { store } = world();
  const tick = { kind: 'schedule', name: 'a', due: START, at: START, decision: '' } as const;
  store.addTick({ ...tick, outcome: 'succeeded' });
  for (let i = 0; i < 3; i++) store.addTick({ ...tick, outcome: 'failed' });
  for (let i = 0; i < 20; i++) store.addTick({ ...tick, outcome: 'skipped' });
  store.addTick({ ...tick, name: 'b', outcome: 'failed' });
  store.addTick({ ...tick, outcome: 'running' });
  const [a, c] = tickFacts(store, [
    { kind: 'schedule', name: 'a' },
    { kind: 'sensor', name: 'c' },
  ]);
  expect(a?.ticks.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'succeeded']);
  expect(c).toEqual({ kind: 'sensor', name: 'c', ticks: [] });
  expect(new Watch().look(0, { ticks: a ? [a] : [] }).told).toEqual([
    '00:00 raised error schedule a fails',
    '00:00 raised error schedule a fails again and again',
  ]);
});

test('a secret in the message of an error reaches nobody', async () => {
  const { clock, start, store, log } = world();
  const alerts = start(settingsOf({ ops: json('http://127.0.0.1:1/') }));
  const facts = lakeOf({ failures: [failing('a', 1, 'GET https://example.org/?key=hunter2 failed')] });
  alerts.update(facts);
  const version = store.version();
  clock.now += MINUTE;
  alerts.update(facts);
  expect(store.version()).toBe(version);
  expect(readMemory(store).active['failures/a']?.alert.text).toContain('key=*** failed');
  expect(JSON.stringify([readMemory(store), ...readOutbox(store).values(), log])).not.toContain('hunter2');
});

test('the courier delivers unasked what is due, at once when poked, and ends when told to', async () => {
  const { got, url } = await receiver();
  const { clock, start } = world();
  const alerts = start(settingsOf({ ops: json(url('ops')) }, { groupSeconds: 0.05 }));
  const begun = Date.now();
  const now = () => START + Date.now() - begun;
  const stopping = new AbortController();
  const courier = startCourier(
    {
      deliver: (ending) => {
        clock.now = now();
        return alerts.deliver(ending);
      },
    },
    now,
    stopping.signal,
  );
  for (const [i, facts] of [bad('a'), bad(), bad('b')].entries()) {
    clock.now = now();
    alerts.update(facts);
    // Without it, it would sleep for ten seconds.
    courier.poke();
    const patience = Date.now() + 8_000;
    while (got.length <= i && Date.now() < patience) await setTimeout(5);
  }
  stopping.abort();
  await courier.ended;
  expect(got.map(({ lines }) => lines)).toEqual([
    ['raised partitions of a fail'],
    ['cleared partitions of a fail'],
    ['raised partitions of b fail'],
  ]);
});

test('whoever is new hears once what stands, in one message with what is news', async () => {
  const { got, url } = await receiver();
  const { clock, start, store } = world();
  const old = { old: json(url('old')) };
  const settings = settingsOf(old);
  const heard = async (alerts: ReturnType<typeof start>) => {
    got.length = 0;
    clock.now += MINUTE;
    await alerts.deliver(signal);
    return Object.fromEntries(got.map(({ path, lines }) => [path, lines]));
  };
  const alerts = start(settings);
  alerts.update(bad('a', 'b'));
  expect(await heard(alerts)).toEqual({ '/old': ['raised partitions of a fail', 'raised partitions of b fail'] });

  // A reload: there is somebody else; another one does not want to hear of such things.
  const more = { ...old, late: json(url('late')), reloads: json(url('reloads'), { rules: ['reload'] }) };
  alerts.configure({ ...settings, destinations: more });
  alerts.update(bad('b', 'c'));
  expect(await heard(alerts)).toEqual({
    '/late': ['reminder partitions of b fail', 'raised partitions of c fail', 'cleared partitions of a fail'],
    '/old': ['raised partitions of c fail', 'cleared partitions of a fail'],
  });
  alerts.update(bad('b', 'c'));
  expect(await heard(alerts)).toEqual({});

  // A restart tells nobody twice; another type under the same name is somebody else.
  const next = start({ ...settings, destinations: more });
  next.update({ reload: {} });
  expect(await heard(next)).toEqual({});
  next.configure({ ...settings, destinations: { ...more, late: { ...json(url('slack')), type: 'slack' } } });
  next.update({ reload: {} });
  expect([...readOutbox(store).values()].map(({ destination, notices }) => [destination, notices.length])).toEqual([
    ['late', 2],
  ]);
});

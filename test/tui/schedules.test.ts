import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  asset,
  columns,
  daily,
  defineLakehouse,
  eager,
  integer,
  materializedWithin,
  schedule,
  sensor,
  source,
  sql,
} from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import type { ScheduleDefinition } from '../../framework/define/schedule.ts';
import { pauseKey } from '../../framework/operate/keys.ts';
import { resolveSchedules } from '../../framework/operate/resolve.ts';
import { openOperate } from '../../framework/operate/sqlite.ts';
import type { OperateStore } from '../../framework/operate/store.ts';
import type { OperateAccess } from '../../framework/tui/app/operate.ts';
import { daemonOf, nextByAsset, scheduleRows } from '../../framework/tui/read/schedules.ts';
import { schedulesTold } from '../../framework/tui/view/linear-lists.ts';
import { run } from '../materialize/lake.ts';
import { atEnd, NOW, type Tiny, temporaryDirectory, tiny } from '../materialize/support.ts';
import { opener, openerOf, startUi, turns, type Ui } from './app-support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NIGHTLY = schedule({ name: 'nightly', cron: '0 6 * * *', select: '+silver/ticks', description: 'Every night.' });
const HOURLY = schedule({ name: 'hourly', cron: '5 * * * *', select: 'gold/*', enabled: false });
const LOOK = schedule({ name: 'look', cron: '*/30 * * * *', action: 'observe', select: 'src/*' });
const SPECIAL = schedule({ name: 'special', cron: '0 0 1 1 *', action: () => 'did it' });
const ALL = [HOURLY, LOOK, NIGHTLY, SPECIAL];

function memory(directory: string): OperateStore {
  const store = openOperate(join(directory, 'operate.sqlite'), { host: 'here' });
  atEnd(async () => store.close());
  return store;
}

/** What a UI is given: files that are real, and schedules. */
function access(directory: string, schedules: readonly ScheduleDefinition[] = ALL): OperateAccess {
  const path = join(directory, 'operate.sqlite');
  return {
    redact: (text) => text,
    read: () => (existsSync(path) ? openOperate(path, { host: 'here', readOnly: true }) : undefined),
    write: async () => openOperate(path, { host: 'here' }),
    schedules: ({ graph }) =>
      resolveSchedules(defineLakehouse({ assets: [], schedules: [...schedules] }), { schedules: {} }, graph, NOW),
    sensors: () => [],
  };
}
const tick = (store: OperateStore, name: string, due: number, more: object = {}) =>
  store.addTick({ kind: 'schedule', name, due, at: due, outcome: 'succeeded', decision: 'nothing was stale', ...more });

describe('rows', () => {
  test('before any daemon: when each is due, by its definition', async () => {
    const { lake } = await tiny();
    const rows = scheduleRows({ graph: lake.graph, schedules: ALL, sensors: [] }, undefined, NOW);
    expect(
      rows.map(({ name, paused, nextAt, action, select }) => [name, paused, nextAt, `${action} ${select}`]),
    ).toEqual([
      ['hourly', true, NOW + HOUR / 12, 'materialize-stale gold/*'],
      ['look', false, NOW + HOUR / 2, 'observe src/*'],
      ['nightly', false, NOW + 18 * HOUR, 'materialize-stale +silver/ticks'],
      ['special', false, Date.UTC(2021, 0, 1), 'a function *'],
    ]);
    expect(rows[2]).toMatchObject({ kind: 'schedule', cron: '0 6 * * *', timezone: 'UTC', ticks: [] });
    expect(rows[2]).toMatchObject({ description: 'Every night.', lastAt: undefined, lastOutcome: undefined });
    expect(daemonOf(undefined)).toBeUndefined();
  });

  test('what became of the last ticks, and what a person said', async () => {
    const { lake, directory } = await tiny();
    const store = memory(directory);
    for (let i = 60; i > 0; i--) tick(store, 'nightly', NOW - i * DAY);
    tick(store, 'hourly', NOW - HOUR, { outcome: 'skipped', decision: 'skipped: too late', ticks: 3 });
    const said = { at: NOW };
    store.remember({
      [pauseKey('nightly')]: { ...said, paused: true },
      [pauseKey('hourly')]: { ...said, paused: false },
    });
    store.acquire({ host: 'box', pid: 42, started: 1 }, 30_000, NOW - 10_000);
    const [hourly, look, nightly] = scheduleRows({ graph: lake.graph, schedules: ALL, sensors: [] }, store, NOW);
    expect(hourly).toMatchObject({ paused: false, lastOutcome: 'skipped', lastAt: NOW - HOUR });
    expect(hourly?.ticks).toMatchObject([{ ticks: 3, decision: 'skipped: too late' }]);
    expect(look?.ticks).toEqual([]);
    expect(nightly).toMatchObject({ paused: true, lastAt: NOW - DAY });
    expect(nightly?.ticks.map(({ due }) => due)).toEqual(Array.from({ length: 50 }, (_, i) => NOW - (i + 1) * DAY));
    expect(daemonOf(store)).toEqual({ host: 'box', pid: 42, since: NOW - 10_000, expiresAt: NOW + 20_000 });
  });

  test('sensors and the conditions of assets are among them', async () => {
    const directory = await temporaryDirectory();
    const one = asset('lab/one', {
      partitions: {},
      inputs: {},
      columns: columns({ n: integer() }),
      sortBy: ['n'],
      query: () => sql`SELECT 1::INTEGER AS n`,
      automation: eager(),
    });
    const lake = await opener(defineLakehouse({ assets: [one] }), directory, []).open('write');
    atEnd(() => lake.close());
    const store = memory(directory);
    store.remember({ 'sensor/memory/mail': { polledAt: NOW - 60_000, failures: 0 } });
    store.addTick({
      kind: 'automation',
      name: 'conditions',
      due: NOW - 5,
      at: NOW - 5,
      outcome: 'failed',
      decision: 'requested: lab/one 1',
    });
    const mail = sensor({ name: 'mail', every: { minutes: 5 }, select: 'lab/*', poll: () => ({ skip: 'no mail' }) });
    const rows = scheduleRows({ graph: lake.graph, schedules: [], sensors: [mail] }, store, NOW);
    expect(rows).toMatchObject([
      {
        kind: 'sensor',
        name: 'mail',
        cron: 'looks every 5m',
        action: 'materialize-stale',
        select: 'lab/*',
        nextAt: NOW + 240_000,
        lastOutcome: undefined,
      },
      {
        kind: 'automation',
        name: 'conditions',
        select: 'lab/one',
        nextAt: undefined,
        lastAt: NOW - 5,
        lastOutcome: 'failed',
        ticks: [{ decision: 'requested: lab/one 1' }],
      },
    ]);
  });

  test('the next tick of each asset is that of the first schedule that computes it and is not paused', async () => {
    const { lake, directory } = await tiny();
    const { graph } = lake;
    const next = (store?: OperateStore) =>
      Object.fromEntries(nextByAsset({ graph, schedules: ALL }, store, NOW).entries());
    const morning = NOW + 18 * HOUR;
    const nightly = Object.fromEntries(graph.select('+silver/ticks').keys.map((key) => [key, morning]));
    expect(Object.keys(nightly)).toContain('src/days');
    expect(next()).toEqual(nightly);
    const store = memory(directory);
    store.remember({ [pauseKey('hourly')]: { paused: false, at: NOW } });
    expect(next(store)).toEqual({
      ...nightly,
      ...Object.fromEntries(graph.select('gold/*').keys.map((key) => [key, NOW + HOUR / 12])),
    });
    store.remember({ [pauseKey('nightly')]: { paused: true, at: NOW } });
    expect(next(store)).not.toHaveProperty('silver/ticks');
  });
});

const loaded = (ui: Ui) =>
  ui.becomes(({ assets }) => assets.rows?.every(({ counts }) => counts !== undefined) ?? false);
const rowOf = (ui: Ui, name: string) => ui.state().schedules.rows?.find((row) => row.name === name);
async function started(t: Tiny, more: Parameters<typeof startUi>[1] = {}): Promise<Ui> {
  const ui = await startUi(openerOf(t), { operate: access(t.directory), columns: 150, rows: 30, ...more });
  await loaded(ui);
  return ui;
}

describe('the screen', () => {
  test('shows what is due, and what another process writes as soon as it does', async () => {
    const t = await tiny();
    const ui = await started(t);
    ui.press('6');
    expect(ui.text()).toContain('No daemon is active: nothing runs unasked. Start one with: lakehouse daemon');
    expect(ui.text()).toContain('lakehouse schedules');
    expect(ui.text()).toMatch(/● nightly +0 6 \* \* \* .* in 18h/);
    expect(ui.text()).toMatch(/○ hourly .* disabled/);
    const shown = ui.state().schedules.rows;
    ui.tick();
    expect(ui.state().schedules.rows).toBe(shown);

    const store = memory(t.directory);
    store.acquire({ host: 'box', pid: 42, started: 1 }, 30_000, NOW);
    await ui.shows('The daemon is active: pid 42 on box');
    const id = tick(store, 'hourly', NOW, { outcome: 'running', decision: 'it was due' });
    await ui.shows('▶ running');
    store.endTick(id, { outcome: 'failed', decision: 'no luck', at: NOW + 4000, error: { message: 'It broke' } });
    await ui.shows('✗ failed');
    expect(ui.text()).toContain('no luck');
    expect(ui.text()).toContain('It broke');
    const same = ui.state().schedules.rows;
    ui.tick();
    expect(ui.state().schedules.rows).toBe(same);
  });

  test('a tick that is past is not the next one, and a daemon that says nothing is gone', async () => {
    const t = await tiny();
    let now = NOW;
    memory(t.directory).acquire({ host: 'box', pid: 42, started: 1 }, 30_000, NOW);
    const ui = await started(t, { now: () => now });
    ui.press('6');
    expect(rowOf(ui, 'look')?.nextAt).toBe(NOW + HOUR / 2);
    now += HOUR / 2;
    await ui.becomes(() => rowOf(ui, 'look')?.nextAt === NOW + HOUR);
    expect(ui.text()).toContain('No daemon is active');
  });

  test('its ticks scroll, and enter goes to the run that one made', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 2);
    const { run: id } = await run(t.lake);
    const store = memory(t.directory);
    for (let i = 50; i > 0; i--)
      store.endTick(tick(store, 'hourly', NOW - i * HOUR), {
        outcome: 'succeeded',
        decision: `tick ${i}`,
        at: NOW - i * HOUR,
        ...(i === 2 && { run: id }),
      });
    const ui = await started(t);
    ui.press('6');
    expect(ui.text()).toContain('tick 1');
    ui.press('J', 'J', 'J', 'J', 'J', 'J', 'J', 'J');
    expect(ui.text()).not.toMatch(/tick 1\b/);
    expect(ui.text()).toContain('tick 9');
    for (let i = 0; i < 200; i++) ui.press('J');
    expect(ui.text()).toContain('tick 50');
    ui.press('K');
    expect(ui.state().schedules.detailOffset).toBeGreaterThan(100);
    ui.press('j');
    expect(ui.state().schedules).toMatchObject({ cursor: 1, detailOffset: 0 });
    ui.press('enter');
    expect(ui.text()).toContain('None of its ticks made a run.');
    ui.press('g', 'enter');
    expect(ui.state()).toMatchObject({ screen: 'runs', runs: { open: id } });
    ui.press('escape');
    expect(ui.state().screen).toBe('schedules');
  });

  test('says what is wrong with schedules that cannot be used', async () => {
    const t = await tiny();
    const wrong = schedule({ name: 'wrong', cron: '0 6 * * *', select: 'no/such' });
    const ui = await started(t, { operate: access(t.directory, [wrong]) });
    ui.press('6');
    expect(ui.text()).toContain('The schedules cannot be used');
    expect(ui.text()).toContain('no/such');
    ui.press('p');
    expect(ui.text()).toContain('pause: there is no schedule.');
    expect(schedulesTold({ ...ui.state().schedules, now: NOW }).summary.join()).toContain('no/such');
  });

  test('a memory that cannot be read is told of once', async () => {
    const t = await tiny();
    const ui = await started(t);
    writeFileSync(join(t.directory, 'operate.sqlite'), 'this is no database'.repeat(1000));
    ui.tick();
    expect(ui.text()).toContain('What the daemon remembers cannot be read');
    ui.press('escape');
    ui.tick();
    expect(ui.state().overlay).toBeUndefined();
    ui.press('6');
    expect(ui.state().schedules.problem?.message).toContain('operate.sqlite');
  });

  test('without any', async () => {
    const ui = await started(await tiny(), { operate: access(await temporaryDirectory(), []) });
    ui.press('6', 'x', 'enter', 'j', 'J');
    expect(ui.text()).toContain('No schedules yet');
  });
});

describe('acting', () => {
  test('p pauses and lets go on, also before there was any daemon', async () => {
    const t = await tiny();
    const ui = await started(t);
    ui.press('6', 'j', 'j');
    expect(ui.text()).toContain('p pause');
    ui.press('p');
    await ui.shows('nightly is paused.');
    expect(ui.text()).toMatch(/○ nightly .* paused/);
    const store = memory(t.directory);
    expect(store.recall(pauseKey('nightly'))).toEqual({ paused: true, at: NOW });
    ui.press('p');
    await ui.shows('nightly goes on.');
    expect(rowOf(ui, 'nightly')?.paused).toBe(false);
    expect(store.recall(pauseKey('nightly'))).toEqual({ paused: false, at: NOW });
  });

  test('what is disabled says where, and is let run all the same; sensors and conditions are paused and run too', async () => {
    const directory = await temporaryDirectory();
    const one = asset('lab/one', {
      partitions: {},
      inputs: {},
      columns: columns({ n: integer() }),
      sortBy: ['n'],
      query: () => sql`SELECT 1::INTEGER AS n`,
      automation: eager(),
    });
    const mail = sensor({
      name: 'mail',
      every: { minutes: 5 },
      select: 'lab/*',
      enabled: false,
      poll: () => ({ request: { reason: 'a letter' } }),
    });
    const opens = opener(defineLakehouse({ assets: [one] }), directory, []);
    const ui = await startUi(opens, {
      operate: {
        ...access(directory, []),
        sensors: () => [mail],
        whereDisabled: ({ name }) => `enabled: false in ${name}.ts:1`,
      },
      columns: 170,
      rows: 30,
    });
    await loaded(ui);
    ui.press('6');
    expect(ui.text()).toMatch(/○ mail .* disabled/);
    expect(ui.text()).toContain('sensor, disabled (enabled: false in mail.ts:1)');
    expect(schedulesTold({ ...ui.state().schedules, now: NOW }).focus).toContain('disabled (enabled: false in');
    ui.press('p');
    await ui.shows('mail runs from now on, although its definition says enabled: false in mail.ts:1.');
    ui.press('p');
    await ui.shows('mail is paused.');
    expect(ui.text()).toMatch(/○ mail .* paused/);
    ui.press('x', 'x');
    await ui.shows('mail succeeded: a letter: lab/*; 1 partition computed');
    await ui.becomes(({ job }) => job === undefined);
    ui.press('j', 'p');
    await ui.shows('conditions are paused.');
    ui.press('p');
    await ui.shows('conditions go on. What has become missing or stale meanwhile is requested.');
    ui.press('x', 'x');
    await ui.shows('conditions skipped: nothing is requested now.');
  });

  test('x does it now when it is pressed twice, and the tick is written down', async () => {
    const t = await tiny();
    t.archive.days('A', '2020-03', 1, 3);
    const ui = await started(t);
    ui.press('6', 'j', 'j', 'x');
    expect(ui.text()).toContain('x again does now what nightly does: materialize-stale +silver/ticks');
    // Another schedule is another question.
    ui.press('k', 'x', 'j', 'x');
    await turns(20);
    expect(ui.state().job).toBeUndefined();
    ui.press('x');
    expect(ui.state().job).toBeDefined();
    await ui.shows('nightly succeeded: 6 partitions computed');
    const [record] = memory(t.directory).ticks({ limit: 10 });
    expect(record).toMatchObject({ kind: 'schedule', name: 'nightly', outcome: 'succeeded', byHand: true, due: NOW });
    expect(record?.decision).toMatch(/^asked for by hand; 6 partitions computed: /);
    await ui.becomes(() => rowOf(ui, 'nightly')?.ticks.length === 1);
    expect(ui.text()).toContain('by hand');
    ui.press('enter');
    expect(ui.state().runs.open).toBe(record?.run);
    expect(ui.opened.filter(({ mode }) => mode === 'write')).toEqual([{ mode: 'write', closed: true }]);
  });

  test('what a function does, and one that fails', async () => {
    const t = await tiny();
    const broken = schedule({
      name: 'broken',
      cron: '@daily',
      action: () => {
        throw new Error('no way');
      },
    });
    const ui = await started(t, { operate: access(t.directory, [broken, SPECIAL]) });
    ui.press('6', 'x', 'x');
    await ui.shows('broken failed: no way.');
    await ui.becomes(({ job }) => job === undefined);
    ui.press('j', 'x', 'x');
    await ui.shows('special succeeded: did it.');
    expect(memory(t.directory).ticks({ limit: 10 })).toMatchObject([
      { name: 'special', outcome: 'succeeded', decision: 'asked for by hand; did it' },
      { name: 'broken', outcome: 'failed', error: { message: 'no way' } },
    ]);
  });

  test('not while a run is going on, which can be stopped', async () => {
    const t = await tiny();
    let began = false;
    const waits = schedule({
      name: 'waits',
      cron: '@daily',
      action: ({ signal }) =>
        new Promise<undefined>((_, reject) => {
          began = true;
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const ui = await started(t, { operate: access(t.directory, [waits]) });
    ui.press('6', 'x', 'x');
    await ui.becomes(() => began);
    ui.press('x');
    expect(ui.text()).toContain('run now: a run is going on.');
    ui.press('c', 'c');
    await ui.becomes(({ job }) => job === undefined);
    expect(ui.text()).toContain('waits interrupted: told to stop.');
    expect(memory(t.directory).ticks({ limit: 9 })).toMatchObject([{ outcome: 'interrupted', byHand: true }]);
  });

  test('not read-only', async () => {
    const t = await tiny();
    const ui = await started(t, { readOnly: true });
    ui.press('6');
    expect(ui.text().split('\n').at(-1)).not.toMatch(/pause|run now|materialize|observe/);
    expect(ui.text().split('\n').at(-1)).toContain('? help');
    ui.press('p');
    expect(ui.text()).toContain('pause: the lake was opened with --read-only.');
    ui.press('x', 'x');
    expect(ui.text()).toContain('run now: the lake was opened with --read-only.');
    ui.session.pause({ kind: 'schedule', name: 'nightly' }, true);
    ui.session.runSchedule({ kind: 'schedule', name: 'nightly' });
    await turns(20);
    expect(existsSync(join(t.directory, 'operate.sqlite'))).toBe(false);
    expect(ui.opened.map(({ mode }) => mode)).toEqual(['read']);
  });
});

describe('on the assets', () => {
  test('their next tick, until it was or somebody pauses it', async () => {
    const t = await tiny();
    let now = NOW;
    const ui = await startUi(
      openerOf(t, [], () => now),
      { operate: access(t.directory), now: () => now, columns: 200 },
    );
    await loaded(ui);
    const nextOf = (key: string) => ui.state().assets.rows?.find((row) => row.key === key)?.nextAt;
    expect(nextOf('silver/ticks')).toBe(NOW + 18 * HOUR);
    expect(nextOf('gold/window')).toBeUndefined();
    expect(ui.text()).toMatch(/silver\/ticks .* in 18h/);
    now = NOW + 18 * HOUR;
    await ui.becomes(() => nextOf('silver/ticks') === NOW + 42 * HOUR);
    memory(t.directory).remember({ [pauseKey('nightly')]: { paused: true, at: now } });
    await ui.becomes(() => nextOf('silver/ticks') === undefined);
  });

  test('how far behind those with a policy are: measured after the counts, again as time goes on', async () => {
    const directory = await temporaryDirectory();
    const days = source('src/numbers', {
      partitions: { date: daily({ start: '2020-04-08', end: '2020-04-09' }) },
      observe: async function* () {
        yield { partition: { date: '2020-04-08' }, version: '1' };
      },
      read: async () => ({ bytes: Buffer.from('1'), version: '1' }),
    });
    const one = asset('lab/numbers', {
      partitions: { date: daily({ start: '2020-04-08', end: '2020-04-09' }) },
      inputs: { days },
      columns: columns({ n: integer() }),
      sortBy: ['n'],
      freshness: materializedWithin({ hours: 24 }, { warn: { hours: 20 } }),
      compute: async ({ inputs }) => [{ n: Number(Buffer.from(await inputs.days.bytes()).toString()) }],
    });
    let now = NOW;
    const lake = opener(defineLakehouse({ assets: [days, one] }), directory, ['engine.threads=2'], () => now);
    const ui = await startUi(lake, { now: () => now, columns: 160 });
    const lag = () => ui.state().assets.rows?.find(({ key }) => key === 'lab/numbers')?.lag;
    await ui.becomes(() => lag()?.verdict === 'unknown');
    expect(ui.text()).toMatch(/lab\/numbers .* \?/);
    const writer = await lake.open('write');
    await run(writer);
    await writer.close();
    await ui.becomes(() => lag()?.verdict === 'on-time');
    // Nothing is measured while nothing can have changed.
    await turns(20);
    const measured = lag();
    ui.tick();
    await turns(20);
    expect(lag()).toBe(measured);
    now += 21 * HOUR;
    await ui.becomes(() => lag()?.verdict === 'warn');
    expect(lag()).toMatchObject({ ms: 21 * HOUR });
    now += 4 * HOUR;
    await ui.becomes(() => lag()?.verdict === 'overdue');
    ui.press('G');
    expect(ui.text()).toContain('25h ✗');
    expect(ui.text()).toContain('overdue, 25h since computed (limit');
    expect(ui.text().replaceAll(/\s*│?\s+/g, ' ')).toContain('computed, or found up to date, within the last 24h');
  });
});

import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineLakehouse, eager, LakehouseError, type ScheduleDefinition, schedule, sensor } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import type { SensorDefinition } from '../../framework/define/sensor.ts';
import { openOperate } from '../../framework/operate/sqlite.ts';
import { type Place, place } from './support.ts';

const nightly = schedule({ name: 'nightly', cron: '0 6 * * *', select: '+gold/*' });
const off = schedule({ name: 'off', cron: '@hourly', timezone: 'Europe/Berlin', select: 'gold/*', enabled: false });

/** Asks for January of AAA whenever the daemon has told it a cursor other than its own. */
const listings = (name = 'listings') =>
  sensor({
    name,
    every: { minutes: 5 },
    select: '+raw/days',
    poll: ({ cursor }) =>
      cursor === 'seen'
        ? { skip: 'nothing was listed' }
        : { cursor: 'seen', request: { partitions: 'symbol=AAA', reason: 'AAA was listed' } },
  });

interface With {
  readonly schedules?: readonly ScheduleDefinition[];
  readonly sensors?: readonly SensorDefinition[];
  /** Of raw/days. */
  readonly automated?: boolean;
}

async function scheduled({ schedules = [nightly, off], sensors = [listings()], automated = true }: With = {}) {
  const here = await place();
  const { assets } = here.tiny({ automation: automated ? { 'raw/days': eager() } : {} });
  const definition: LakehouseDefinition = defineLakehouse({ assets, schedules, sensors });
  return {
    here,
    run: (...args: string[]) => here.run(args, { definition }),
    json: (...args: string[]) => here.json(args, { definition }),
    store: () => openOperate(join(here.cwd, 'data/.lakehouse/operate.sqlite'), { host: 'here' }),
  };
}

const hidden = (text: string) => text.replaceAll(/\S*schedules\.test\.ts:\d+/g, '<here>');
const config = (here: Place, text: string) => appendFile(join(here.cwd, 'lakehouse.yaml'), text);

describe('schedules', () => {
  test('lists schedules, sensors and conditions, and where it is said that one is disabled', async () => {
    const { here, run, json } = await scheduled();
    await config(here, 'schedules:\n  nightly:\n    enabled: false\n');
    expect(hidden((await run('schedules')).out)).toMatchInlineSnapshot(`
      "NAME        KIND        WHEN                   DOES                         NEXT                     LAST
      nightly     schedule    0 6 * * *              materialize-stale +gold/*    disabled                 never
      off         schedule    @hourly Europe/Berlin  materialize-stale gold/*     disabled                 never
      listings    sensor      looks every 5m         materialize-stale +raw/days  2024-02-02 12:00:00 UTC  never
      conditions  automation  when they hold         materialize-stale raw/days   -                        never

      nightly is disabled: enabled: false in lakehouse.yaml:5. lakehouse schedules resume nightly  lets it run all the same.
      off is disabled: enabled: false in <here>. lakehouse schedules resume off  lets it run all the same.
      No daemon is active: nothing runs unasked. Start one with lakehouse daemon
      "
    `);
    expect(await json('schedules')).toMatchObject({
      schedules: [
        { kind: 'schedule', name: 'nightly', status: 'disabled', disabled: 'enabled: false in lakehouse.yaml:5' },
        { kind: 'schedule', name: 'off', status: 'disabled', next: [] },
        {
          kind: 'sensor',
          name: 'listings',
          status: 'active',
          everyMs: 300_000,
          next: [expect.stringMatching(/^2024-02-02T12:00:00/)],
        },
        { kind: 'automation', name: 'conditions', status: 'active', assets: ['raw/days'], next: [] },
      ],
    });
  });

  test('of a lake that has none', async () => {
    const { run } = await scheduled({ schedules: [], sensors: [], automated: false });
    expect((await run('schedules')).out).toBe(
      "There are no schedules, sensors or conditions. Declare them in the definitions, schedules also under 'schedules:' in lakehouse.yaml.\n",
    );
  });

  test.each(['nightly', 'listings', 'conditions'])('%s is paused and goes on', async (name) => {
    const { run, json } = await scheduled();
    const goesOn = {
      nightly: 'nightly goes on. What came due while it was paused is not made up for.\n',
      listings: 'listings goes on. Its next look finds what is new since its last one.\n',
      conditions: 'conditions go on. What has become missing or stale meanwhile is requested.\n',
    }[name];
    expect((await run('schedules', 'resume', name)).out).toBe(`${name} was not paused already.\n`);
    expect((await run('schedules', 'pause', name)).out).toBe(
      `${name} ${name === 'conditions' ? 'are' : 'is'} paused. lakehouse schedules resume ${name}  lets it go on.\n`,
    );
    const { schedules } = (await json('schedules')) as { schedules: { name: string; status: string }[] };
    expect(schedules.find((one) => one.name === name)?.status).toBe('paused');
    expect((await run('schedules', 'resume', name)).out).toBe(goesOn);
  });

  test('what is disabled is let run all the same, and that is said', async () => {
    const { run } = await scheduled();
    expect(hidden((await run('schedules', 'pause', 'off')).out)).toBe(
      'off was never let run: enabled: false in <here>.\n',
    );
    expect(hidden((await run('schedules', 'resume', 'off')).out)).toBe(
      'off runs from now on, although its definition says enabled: false in <here>: what was said last by hand counts, until lakehouse schedules pause off\n',
    );
    expect(hidden((await run('schedules')).out)).toContain(
      'off runs because it was resumed by hand: enabled: false in <here>.\n',
    );
    await run('schedules', 'pause', 'off');
    expect((await run('schedules')).out).toMatch(/^off .* paused /m);
  });

  test('two of one name are told apart by their kinds', async () => {
    const { run, json } = await scheduled({ sensors: [listings('nightly')], automated: false });
    expect((await run('schedules')).out).toMatch(/^schedule:nightly .*\n(.*\n)*sensor:nightly /m);
    const { code, err } = await run('schedules', 'pause', 'nightly');
    expect({ code, err }).toEqual({
      code: 2,
      err: "lakehouse: There is more than one 'nightly'\n  Write schedule:nightly or sensor:nightly.\n",
    });
    expect(await json('schedules', 'pause', 'sensor:nightly')).toEqual({
      kind: 'sensor',
      name: 'nightly',
      status: 'paused',
    });
    const { schedules } = (await json('schedules')) as { schedules: { kind: string; status: string }[] };
    expect(schedules.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'schedule active',
      'schedule disabled',
      'sensor paused',
    ]);
    expect((await run('schedules', 'ticks', 'nigthly')).err).toContain('schedule:nightly');
  });
});

describe('schedules run', () => {
  test('a sensor looks, and what it asks for is done; its cursor stays with the daemon', async () => {
    const { run, json, store } = await scheduled();
    const { code, out } = await run('schedules', 'run', 'listings', '-q');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'listings: succeeded; AAA was listed: +raw/days symbol=AAA; 3 partitions computed: raw/days (missing 3); not now: 2 awaiting\n',
    });
    const memory = store();
    expect([...memory.recallAll('sensor/').keys()]).toEqual([]);
    memory.remember({ 'sensor/memory/listings': { polledAt: 0, failures: 0, cursor: 'seen' } });
    memory.close();
    expect((await run('schedules', 'run', 'sensor:listings', '-q')).out).toBe(
      'sensor:listings: skipped; nothing was listed\n',
    );
    expect(await json('schedules', 'ticks', 'listings')).toMatchObject([
      { kind: 'sensor', outcome: 'skipped', decision: 'asked for by hand; nothing was listed', byHand: true },
      { kind: 'sensor', outcome: 'succeeded', byHand: true, run: expect.any(String) },
    ]);
    expect((await run('schedules', 'ticks')).out).toMatch(/ sensor listings +succeeded /);
  });

  test('a sensor that fails', async () => {
    const broken = sensor({
      name: 'broken',
      every: { hours: 1 },
      poll: () => {
        throw new LakehouseError('no-answer', 'nobody answers', { kind: 'transient' });
      },
    });
    const { run, here } = await scheduled({ sensors: [broken] });
    const { code, out } = await run('schedules', 'run', 'broken');
    expect({ code, out }).toEqual({ code: 1, out: 'broken: failed; Sensor broken: nobody answers\n' });
    const { out: lines } = await run('schedules', 'run', 'broken', '--json');
    expect(JSON.parse(lines)).toMatchObject({
      type: 'tick',
      kind: 'sensor',
      name: 'broken',
      outcome: 'failed',
      error: { code: 'sensor-failed' },
    });
    expect(here.exits).toEqual([]);
  });

  test('secrets that an error quotes are not shown', async () => {
    const url = 'https://example.org/hook/hunter2';
    const broken = sensor({
      name: 'broken',
      every: { hours: 1 },
      poll: () => {
        throw new Error(`no answer of ${url}`);
      },
    });
    const { run, here } = await scheduled({ sensors: [broken] });
    await config(here, `alerts:\n  destinations:\n    ops: { type: slack, url: ${url} }\n`);
    const said = await Promise.all([
      run('schedules', 'run', 'broken'),
      run('schedules', 'run', 'broken', '--json'),
      run('schedules', 'ticks', 'broken', '--json'),
    ]);
    expect(said[0].out).toBe('broken: failed; Sensor broken: no answer of ***\n');
    expect(JSON.stringify(said)).not.toContain('hunter2');
  });

  test('conditions: what would be requested now is computed, then there is nothing', async () => {
    const { run, json } = await scheduled();
    await run('observe', '-q');
    const { out } = await run('schedules', 'run', 'conditions', '-q');
    expect(out).toBe('conditions: succeeded; 2 partitions computed: raw/days (missing 2)\n');
    expect((await run('schedules', 'run', 'conditions', '-q')).out).toBe(
      'conditions: skipped; nothing is requested now\n',
    );
    expect(await json('schedules', 'ticks', 'conditions')).toMatchObject([
      { kind: 'automation', outcome: 'skipped' },
      { kind: 'automation', outcome: 'succeeded', decision: expect.stringMatching(/^asked for by hand; 2 /) },
    ]);
  });

  test('what failed is named, checks and partitions too', async () => {
    const checks = schedule({ name: 'checks', cron: '@daily', action: 'check', select: 'silver/*' });
    const { here } = await scheduled();
    const { assets } = here.tiny({ severity: 'error', automation: {} });
    const definition = defineLakehouse({ assets, schedules: [nightly, checks] });
    const run = async (name: string) => (await here.run(['schedules', 'run', name, '-q'], { definition })).out;
    for (const day of ['04', '05', '06', '07']) await here.write('AAA', `2024-01-${day}`, '0,-1\n');
    await here.write('BBB', '2024-01-04', 'what\n');
    expect(await run('nightly')).toMatchInlineSnapshot(`
      "nightly: failed; 27 partitions computed: raw/days (missing 11), silver/prices (missing 11), gold/days (missing 6); 1 partition failed: silver/prices (symbol=BBB/date=2024-01-04); checks failed: silver/prices range_price (symbol=AAA/date=2024-01-04, symbol=AAA/date=2024-01-05, symbol=AAA/date=2024-01-06 and 1 more); not now: 12 awaiting, 7 blocked
      "
    `);
    expect(await run('nightly')).toMatchInlineSnapshot(`
      "nightly: failed; nothing was stale; not now: 12 awaiting, 5 failed (silver/prices), 7 blocked
      "
    `);
    expect(await run('checks')).toMatchInlineSnapshot(`
      "checks: failed; 1 check made again; failed: silver/prices range_price (symbol=AAA/date=2024-01-04, symbol=AAA/date=2024-01-05, symbol=AAA/date=2024-01-06 and 1 more)
      "
    `);
  });
});

describe('what is wrong is said where it was written', () => {
  test('crons and time zones', async () => {
    const bad = schedule({ name: 'bad', cron: '0 25 * * *', timezone: 'Berlin' });
    const { here, run } = await scheduled({ schedules: [nightly, bad] });
    await config(here, "schedules:\n  nightly: { cron: '0 6 * *' }\n  never:\n    cron: '0 0 31 4 *'\n  empty: {}\n");
    const { code, err } = await run('schedules');
    expect(code).toBe(2);
    expect(hidden(err)).toMatchInlineSnapshot(`
      "lakehouse: The schedules cannot be used:
        - <here>: bad.cron: '0 25 * * *': '25' is no hour (0 to 23)
          e.g. '0 6 * * *' (every day at 6:00), '*/15 * * * *', '30 9 * * 1-5': minute hour day month weekday
        - <here>: bad.timezone: 'Berlin' is not the name of a time zone (UTC, Europe/Berlin, America/New_York, …)
        - lakehouse.yaml:6:5: schedules.never.cron: '0 0 31 4 *': there is no day 31 in that month
          e.g. '0 6 * * *' (every day at 6:00), '*/15 * * * *', '30 9 * * 1-5': minute hour day month weekday
        - lakehouse.yaml:4:14: schedules.nightly.cron: '0 6 * *': it has 4 fields, and not five (minute hour day month weekday) or six (seconds first)
          e.g. '0 6 * * *' (every day at 6:00), '*/15 * * * *', '30 9 * * 1-5': minute hour day month weekday
      "
    `);
  });

  test('a profile that is not beside the config file', async () => {
    const here = await place();
    await mkdir(join(here.cwd, 'config/profiles'), { recursive: true });
    await writeFile(join(here.cwd, 'config/profiles/simulated.yaml'), 'debug: false\n');
    const { code, err } = await here.run(['status', '--profile', 'simulated']);
    expect(code).toBe(2);
    expect(err).toMatchInlineSnapshot(`
      "lakehouse: The settings are wrong:
        - profile: There is no profile 'simulated' (--profile)
          A profile is a file profiles/simulated.yaml or a section under 'profiles:' in the config file, which is lakehouse.yaml. config/profiles/simulated.yaml is not read, for it is not beside lakehouse.yaml: copy it there
      "
    `);
  });
});

test('a destination of alerts without its secret stops the daemon only', async () => {
  const { here, run, json } = await scheduled();
  await config(here, 'alerts:\n  destinations:\n    ops: { type: slack }\n');
  for (const words of ['schedules', 'schedules pause nightly', 'status', 'automation', 'runs', 'observe -q'])
    expect((await run(...words.split(' '))).code, words).toBe(0);
  expect((await run('alerts')).out).toMatchInlineSnapshot(`
    "No alert is raised.

    These cannot be told, and so the daemon does not start:
      - lakehouse.yaml:5:12: alerts.destinations.ops.url: A destination of type slack needs url
        Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__OPS__URL

    Nobody is told: name somebody under 'alerts.destinations' in lakehouse.yaml.
    No daemon is active: nothing is noticed or sent. Start one with lakehouse daemon
    "
  `);
  const problem = {
    path: ['alerts', 'destinations', 'ops', 'url'],
    message: 'A destination of type slack needs url',
    hint: 'Secrets may be given in the environment or .env: ALERTS__DESTINATIONS__OPS__URL',
    at: { file: 'lakehouse.yaml', line: 5 },
  };
  expect(await json('config')).toMatchObject({ problems: [problem] });
  expect((await run('config')).out).toContain(
    'These cannot be told of alerts, and so the daemon does not start:\n  - lakehouse.yaml:5:',
  );
  for (const words of [
    ['daemon', '--once'],
    ['alerts', 'test'],
    ['alerts', 'test', 'ops'],
  ]) {
    const { code, err } = await run(...words);
    expect(code, words.join(' ')).toBe(2);
    expect(err).toContain(problem.message);
    expect(err).toContain(problem.hint);
  }
});

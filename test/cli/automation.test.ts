import { join } from 'node:path';
import {
  type AutomationCondition,
  and,
  cronTickPassed,
  eager,
  inLatestWindow,
  missing,
  not,
  onCron,
  or,
  stale,
  withoutBacklog,
} from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { conditionId, cursorKey } from '../../framework/operate/automation/cursor.ts';
import { openOperate } from '../../framework/operate/sqlite.ts';
import { NOON, type Place, place } from './support.ts';

async function automated(automation: Readonly<Record<string, AutomationCondition>>) {
  const here = await place();
  const definition = here.tiny({ automation });
  const run = (...args: string[]) => here.run(args, { definition });
  const json = (...args: string[]) => here.json(args, { definition });
  return { here, run, json };
}

/** The part of `eager()` that remembers something. */
const olderOutOfDate = withoutBacklog(and(not(inLatestWindow()), or(missing(), stale())));

/** What a daemon that evaluated everything at noon would have left. */
function evaluated(here: Place, asset: string, nodes: Readonly<Record<string, object>>, head: number): void {
  const store = openOperate(join(here.cwd, 'data/.lakehouse/operate.sqlite'), { host: 'here' });
  store.remember({ [cursorKey(asset)]: { at: NOON - 3_600_000, head, requested: {}, nodes } });
  store.close();
}

describe('automation', () => {
  test('of a lake that has none', async () => {
    const { run } = await automated({});
    expect(await run('automation')).toEqual({
      code: 0,
      out: 'No asset is automated. Declare it with the asset: automation: eager(), or onCron(…).\n',
      err: '',
    });
  });

  test('lists what would be requested now, or why nothing', async () => {
    const { run, json } = await automated({ 'raw/days': eager(), 'gold/days': onCron('0 6 * * *') });
    await run('observe', '-q');
    expect((await run('automation')).out).toMatchInlineSnapshot(`
      "ASSET      CONDITION          LAST EVALUATED  WOULD REQUEST NOW
      raw/days   eager              never           2 partitions
      gold/days  onCron(0 6 * * *)  never           nothing: no tick of '0 6 * * *' has passed; the next is at 2024-02-03T06:00Z

      No daemon is active: nothing is requested unasked. Start one with lakehouse daemon
      "
    `);
    expect(await json('automation')).toEqual({
      daemon: false,
      assets: [
        { asset: 'raw/days', condition: 'eager', evaluatedAt: null, requested: 2, why: [] },
        {
          asset: 'gold/days',
          condition: 'onCron(0 6 * * *)',
          evaluatedAt: null,
          requested: 0,
          why: ["no tick of '0 6 * * *' has passed; the next is at 2024-02-03T06:00Z"],
        },
      ],
      neverObserved: [],
    });
  });

  test('a cron that cannot be read is refused, with its place', async () => {
    const { run } = await automated({
      'gold/days': onCron('0 6 * *'),
      'raw/days': cronTickPassed('@daily', { timezone: 'Berlin' }),
    });
    const { code, err } = await run('automation');
    expect(code).toBe(2);
    expect(err.replaceAll(/\S+support\.ts:\d+/g, '<here>')).toMatchInlineSnapshot(`
      "lakehouse: The automation of assets cannot be used:
        - <here>: raw/days.automation: cron '@daily': 'Berlin' is not the name of a time zone (UTC, Europe/Berlin, America/New_York, …)
        - <here>: gold/days.automation: cron '0 6 * *': it has 4 fields, and not five (minute hour day month weekday) or six (seconds first)
      "
    `);
  });
});

describe('automation explain', () => {
  test('shows the tree, for how many partitions each part holds, and which', async () => {
    const { run } = await automated({ 'raw/days': eager() });
    await run('observe', '-q');
    expect((await run('automation', 'explain', 'raw/days')).out).toMatchInlineSnapshot(`
      "raw/days eager
        The daemon has not evaluated it yet. Its first evaluation, now:
        2 requested of 64 partitions
          symbol=AAA|BBB/date=2024-01-03

         2  eager                                                      symbol=AAA|BBB/date=2024-01-03
         2  ├─ due                                                     symbol=AAA|BBB/date=2024-01-03
         2  │  ├─ latest                                               symbol=AAA|BBB/date=2024-01-03
        60  │  │  ├─ inLatestWindow                                    symbol=AAA|BBB/date=2024-01-03..2024-02-01
         6  │  │  └─ outOfDate                                         symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │  │     ├─ missing                                        symbol=AAA|BBB/date=2024-01-01..2024-01-03
         0  │  │     └─ stale
         0  │  ├─ withoutBacklog
         4  │  │  └─ older outOfDate                                   symbol=AAA|BBB/date=2024-01-01..2024-01-02
         4  │  │     ├─ not inLatestWindow                             symbol=AAA|BBB/date=2024-01-01..2024-01-02
        60  │  │     │  └─ inLatestWindow                              symbol=AAA|BBB/date=2024-01-03..2024-02-01
         6  │  │     └─ outOfDate                                      symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │  │        ├─ missing                                     symbol=AAA|BBB/date=2024-01-01..2024-01-03
         0  │  │        └─ stale
         0  │  └─ anyDepsRequested
         0  │     └─ willBeRequested (files/days)
        64  ├─ not inProgress                                          all
         0  │  └─ inProgress
        64  ├─ not anyDepsMissing                                      all
         0  │  └─ anyDepsMissing
         0  │     └─ missing and not willBeRequested (files/days)
         0  │        ├─ missing (files/days)
        64  │        └─ not willBeRequested (files/days)               all
         0  │           └─ willBeRequested (files/days)
        64  ├─ not anyDepsInProgress                                   all
         0  │  └─ anyDepsInProgress
         0  │     └─ inProgress (files/days)
        64  └─ depsChecksPassed                                        all
         0     └─ anyDepsMatch(not checksPassed or willBeRequested)
         0        └─ not checksPassed or willBeRequested (files/days)
        64           └─ checksPassed or willBeRequested (files/days)   all
        64              ├─ checksPassed (files/days)                   all
         0              └─ willBeRequested (files/days)
      "
    `);
  });

  /** Of an `eager()` that began when nothing was there. */
  const backlog = {
    [conditionId(olderOutOfDate)]: { 'symbol=AAA': [19723, 19725], 'symbol=BBB': [19723, 19725] },
  };

  test('says why nothing is requested, going by what the daemon remembers', async () => {
    const { here, run } = await automated({ 'raw/days': eager(), 'silver/prices': eager() });
    await run('materialize', '+raw/days', '-p', 'date=2024-01-03', '-q');
    evaluated(here, 'raw/days', backlog, 1);
    expect((await run('automation', 'explain', 'raw/days')).out.split('\n\n')[0]).toMatchInlineSnapshot(`
      "raw/days eager
        Last evaluated 2024-02-02 11:00:00 UTC. Now:
        nothing is requested of 64 partitions
        because 'outOfDate' holds for none of the 60 partitions that the parts before it leave
        because all 4 of 'older outOfDate' are the backlog, which a run computes when asked to
        because 'anyDepsRequested' holds for nothing"
    `);
  });

  test('parts about what an asset reads name it', async () => {
    const { run } = await automated({ 'raw/days': eager(), 'gold/days': eager() });
    await run('observe', '-q');
    expect((await run('automation', 'explain', 'gold/days')).out).toMatchInlineSnapshot(`
      "gold/days eager
        The daemon has not evaluated it yet. Its first evaluation, now:
        nothing is requested of 64 partitions
        because 'anyDepsMissing' (silver/prices) holds for all of the 2 partitions that the parts before it leave

         0  eager
         2  ├─ due                                                        symbol=AAA|BBB/date=2024-01-03
         2  │  ├─ latest                                                  symbol=AAA|BBB/date=2024-01-03
        60  │  │  ├─ inLatestWindow                                       symbol=AAA|BBB/date=2024-01-03..2024-02-01
         6  │  │  └─ outOfDate                                            symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │  │     ├─ missing                                           symbol=AAA|BBB/date=2024-01-01..2024-01-03
         0  │  │     └─ stale
         0  │  ├─ withoutBacklog
         4  │  │  └─ older outOfDate                                      symbol=AAA|BBB/date=2024-01-01..2024-01-02
         4  │  │     ├─ not inLatestWindow                                symbol=AAA|BBB/date=2024-01-01..2024-01-02
        60  │  │     │  └─ inLatestWindow                                 symbol=AAA|BBB/date=2024-01-03..2024-02-01
         6  │  │     └─ outOfDate                                         symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │  │        ├─ missing                                        symbol=AAA|BBB/date=2024-01-01..2024-01-03
         0  │  │        └─ stale
         0  │  └─ anyDepsRequested
         0  │     └─ willBeRequested (silver/prices)
        64  ├─ not inProgress                                             all
         0  │  └─ inProgress
        58  ├─ not anyDepsMissing                                         symbol=AAA|BBB/date=2024-01-04..2024-02-01
         6  │  └─ anyDepsMissing                                          symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │     └─ missing and not willBeRequested (silver/prices)      symbol=AAA|BBB/date=2024-01-01..2024-01-03
         6  │        ├─ missing (silver/prices)                           symbol=AAA|BBB/date=2024-01-01..2024-01-03
        64  │        └─ not willBeRequested (silver/prices)               all
         0  │           └─ willBeRequested (silver/prices)
        64  ├─ not anyDepsInProgress                                      all
         0  │  └─ anyDepsInProgress
         0  │     └─ inProgress (silver/prices)
        64  └─ depsChecksPassed                                           all
         0     └─ anyDepsMatch(not checksPassed or willBeRequested)
         0        └─ not checksPassed or willBeRequested (silver/prices)
        64           └─ checksPassed or willBeRequested (silver/prices)   all
        64              ├─ checksPassed (silver/prices)                   all
         0              └─ willBeRequested (silver/prices)
      "
    `);
  });

  test('as JSON', async () => {
    const { run, json } = await automated({ 'raw/days': cronTickPassed('@daily') });
    await run('observe', '-q');
    expect(await json('automation', 'explain', 'raw/days')).toEqual({
      asset: 'raw/days',
      condition: 'cronTickPassed(@daily)',
      evaluatedAt: null,
      partitions: 64,
      requested: { count: 0, partitions: '' },
      held: [],
      why: ["no tick of '@daily' has passed; the next is at 2024-02-03T00:00Z"],
      neverObserved: [],
      tree: {
        type: 'cronTickPassed',
        label: 'cronTickPassed(@daily)',
        arguments: { expression: '@daily', timezone: 'UTC' },
        asset: 'raw/days',
        count: 0,
        partitions: '',
        children: [],
      },
    });
  });

  test('an asset without automation, or that is not there', async () => {
    const { run } = await automated({ 'raw/days': eager() });
    expect(await run('automation', 'explain', 'gold/days')).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: gold/days has no automation: nothing is requested of it unasked\n  Known: raw/days\n',
    });
    expect((await run('automation', 'explain', 'raw/day')).err).toBe(
      "lakehouse: No asset is named 'raw/day'\n  Did you mean 'raw/days'?\n",
    );
  });
});

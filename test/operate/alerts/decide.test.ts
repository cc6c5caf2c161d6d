import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckResults } from '../../../framework/operate/alerts/facts.ts';
import * as sets from '../../../framework/partition/set.ts';
import { failing, freshness, HOUR, lakeOf, late, MINUTE, START, ticksOf, Watch } from './support.ts';

describe('once and clear once', () => {
  test('a schedule that fails, goes on failing, and succeeds', () => {
    const watch = new Watch({ repeatedFailures: 9 })
      .look(0, ticksOf('nightly', 'succeeded'))
      .look(MINUTE, ticksOf('nightly', 'failed', 'succeeded'))
      .look(2 * MINUTE, ticksOf('nightly', 'running', 'failed', 'succeeded'))
      .look(3 * MINUTE, ticksOf('nightly', 'skipped', 'failed', 'failed', 'succeeded'))
      .look(4 * MINUTE, ticksOf('nightly', 'interrupted', 'failed', 'failed', 'succeeded'))
      .look(5 * MINUTE, ticksOf('nightly', 'succeeded', 'failed'))
      .look(6 * MINUTE, ticksOf('nightly', 'succeeded', 'succeeded'));
    expect(watch.told).toEqual([
      '00:01 raised error schedule nightly fails',
      '00:05 cleared error schedule nightly fails',
    ]);
    expect(watch.notices).toEqual([
      {
        kind: 'raised',
        at: START + MINUTE,
        alert: {
          key: 'runs/schedule/nightly',
          rule: 'runs',
          severity: 'error',
          title: 'schedule nightly fails',
          text: 'it was due; disk on fire. Call somebody.',
          subject: { kind: 'schedule', name: 'nightly' },
          since: START + 1000,
          next: 'lakehouse runs show run2',
          fields: { run: 'run2', due: '2026-11-23T00:00:00.000Z', code: 'fire' },
        },
      },
      expect.objectContaining({ kind: 'cleared', why: 'it succeeded at 2026-11-23 00:00:01 UTC' }),
    ]);
  });

  test('a schedule that is removed is not bad any more; what is not looked at stays what it was', () => {
    const watch = new Watch().look(0, ticksOf('a', 'failed')).look(1, lakeOf()).look(2, {});
    expect(watch.active).toEqual(['runs/schedule/a']);
    expect(watch.look(MINUTE, ticksOf('b', 'succeeded')).told.at(-1)).toBe('00:01 cleared error schedule a fails');
  });

  test('of any series of facts, raised and cleared take turns, and what is raised is what is bad', () => {
    const assets = ['a', 'b', 'c'];
    fc.assert(
      fc.property(fc.array(fc.subarray(assets), { maxLength: 30 }), (series) => {
        const watch = new Watch();
        for (const [i, bad] of series.entries())
          watch.look(i, lakeOf({ failures: bad.map((asset) => failing(asset)) }));
        for (const asset of assets) {
          const told = watch.notices.filter(({ alert }) => alert.subject.name === asset).map(({ kind }) => kind);
          let [expected, was] = [[] as string[], false];
          for (const bad of series) {
            const is = bad.includes(asset);
            if (is !== was) expected = [...expected, is ? 'raised' : 'cleared'];
            was = is;
          }
          expect(told).toEqual(expected);
        }
        expect(watch.active).toEqual((series.at(-1) ?? []).map((asset) => `failures/${asset}`));
      }),
    );
  });

  test('what stays bad is told again after repeatHours, and counts from when it was told last', () => {
    const bad = lakeOf({ failures: [failing('a')] });
    const watch = new Watch({ repeatHours: 2 });
    for (let hour = 0; hour <= 5; hour++) watch.look(hour * HOUR, bad);
    expect(watch.told).toEqual([
      '00:00 raised error partitions of a fail',
      '02:00 reminder error partitions of a fail',
      '04:00 reminder error partitions of a fail',
    ]);
    expect(new Watch({ repeatHours: 0 }).look(0, bad).look(99 * HOUR, bad).told).toHaveLength(1);
  });

  test('a rule that is switched off says nothing, forgets what it had raised, and begins anew', () => {
    const bad = lakeOf({ failures: [failing('a')] });
    const watch = new Watch().look(0, bad);
    watch.settings = { ...watch.settings, rules: ['runs'] };
    expect(watch.look(MINUTE, bad).active).toEqual([]);
    watch.settings = { ...watch.settings, rules: ['failures'] };
    expect(watch.look(2 * MINUTE, bad).told).toEqual([
      '00:00 raised error partitions of a fail',
      '00:02 raised error partitions of a fail',
    ]);
  });
});

describe('freshness', () => {
  test('a warning that becomes overdue is told again; it is over when all series are on time', () => {
    const watch = new Watch()
      .look(0, freshness(late('gold/x', { s: 'warn', t: 'on-time' })))
      .look(MINUTE, freshness(late('gold/x', { s: 'warn', t: 'on-time' })))
      .look(2 * MINUTE, freshness(late('gold/x', { s: 'overdue', t: 'on-time' })))
      .look(3 * MINUTE, freshness(late('gold/x', { s: 'overdue', t: 'overdue' })))
      .look(4 * MINUTE, freshness(late('gold/x', { s: 'on-time', t: 'overdue' })))
      .look(5 * MINUTE, freshness(late('gold/x', { s: 'on-time', t: 'on-time' })));
    expect(watch.told).toEqual([
      '00:00 raised warn gold/x is late',
      '00:02 raised error gold/x is late',
      '00:03 raised error gold/x is late',
      '00:05 cleared error gold/x is late',
    ]);
    expect(watch.notices[0]).toMatchObject({
      alert: {
        since: START - HOUR,
        fields: { series: 1, overdue: 0 },
        text: expect.stringContaining('31h late (limit 30h)'),
      },
    });
  });

  test('what cannot be told clears nothing, and is told as it was', () => {
    const watch = new Watch()
      .look(0, freshness(late('gold/x', { s: 'overdue' })))
      .look(MINUTE, freshness(late('gold/x', { s: 'unknown' })));
    expect(watch.active).toEqual(['freshness/gold/x']);
    expect(watch.memory.active['freshness/gold/x']?.alert.text).toContain('31h late');
    expect(watch.look(2 * MINUTE, freshness()).notices.at(-1)?.why).toBe('what was late is not expected any more');
  });

  test('it is over for whoever was told of an error, though it was but a warning in the end', () => {
    const watch = new Watch()
      .look(0, freshness(late('gold/x', { s: 'overdue' })))
      .look(MINUTE, freshness(late('gold/x', { s: 'warn' })))
      .look(2 * MINUTE, freshness(late('gold/x', { s: 'on-time' })));
    expect(watch.told.at(-1)).toBe('00:02 cleared error gold/x is late');
  });
});

describe('checks', () => {
  const known = new Map([['silver/x', new Set(['positive', 'unique'])]]);
  const days = (from: number, to: number) => sets.fromSeries([['s', { bounds: [from, to] }]]);
  const result = (
    set: [number, number],
    failed: readonly (readonly [string, number])[],
    checks?: string[],
  ): CheckResults => ({
    asset: 'silver/x',
    at: START,
    set: days(...set),
    checks,
    failed: failed.map(([check, time]) => ({
      check,
      severity: check === 'unique' ? ('error' as const) : ('warn' as const),
      series: 's',
      time,
    })),
  });
  const news = (...results: CheckResults[]) => lakeOf({ checks: { to: 9, known, results } });

  test('fail until every partition for which they failed is computed well, checked again or gone', () => {
    const watch = new Watch()
      .look(
        0,
        news(
          result(
            [0, 10],
            [
              ['positive', 3],
              ['positive', 4],
              ['unique', 5],
            ],
          ),
        ),
      )
      // Other partitions say nothing about those.
      .look(MINUTE, news(result([20, 30], [])))
      .look(2 * MINUTE, news(result([4, 5], [])))
      // Only one check was made.
      .look(3 * MINUTE, news(result([0, 10], [], ['unique'])))
      .look(4 * MINUTE, news())
      .look(5 * MINUTE, news(result([3, 4], [])));
    expect(watch.told).toEqual([
      '00:00 raised warn check positive of silver/x fails',
      '00:00 raised error check unique of silver/x fails',
      '00:03 cleared error check unique of silver/x fails',
      '00:05 cleared warn check positive of silver/x fails',
    ]);
    expect(watch.notices[0]?.alert.text).toBe('for 2 partitions, the first s 3');
    expect(watch.memory.checkedTo).toBe(9);
  });

  test('a check that is no longer declared fails no more', () => {
    const watch = new Watch().look(0, news(result([0, 10], [['positive', 3]])));
    watch.look(MINUTE, lakeOf({ checks: { to: 10, known: new Map(), results: [] } }));
    expect(watch.told.at(-1)).toBe('00:01 cleared warn check positive of silver/x fails');
  });
});

describe('again and again', () => {
  test('a tick that fails or is interrupted so many times in a row', () => {
    const watch = new Watch()
      .look(0, ticksOf('a', 'interrupted', 'failed', 'succeeded'))
      .look(MINUTE, ticksOf('a', 'running', 'interrupted', 'interrupted', 'skipped', 'interrupted', 'succeeded'))
      .look(2 * MINUTE, ticksOf('a', 'succeeded', 'interrupted', 'interrupted', 'interrupted'));
    expect(watch.told.filter((line) => line.includes('again'))).toEqual([
      '00:01 raised error schedule a fails again and again',
      '00:02 cleared error schedule a fails again and again',
    ]);
  });

  test('a partition that fails so many times in a row', () => {
    const watch = new Watch()
      .look(0, lakeOf({ failures: [failing('a', 2)] }))
      .look(MINUTE, lakeOf({ failures: [failing('a', 3)] }))
      .look(2 * MINUTE, lakeOf());
    expect(watch.told.slice(1)).toEqual([
      '00:01 raised error a partition of a fails again and again',
      '00:02 cleared error partitions of a fail',
      '00:02 cleared error a partition of a fails again and again',
    ]);
  });
});

test('storage: a warning, the quota, and below both', () => {
  const used = (storageBytes: number | undefined) => lakeOf({ storageBytes });
  const watch = new Watch({ storageQuota: 1000e9 })
    .look(0, used(899e9))
    .look(MINUTE, used(901e9))
    .look(2 * MINUTE, used(1001e9))
    .look(3 * MINUTE, used(undefined))
    .look(4 * MINUTE, used(500e9));
  expect(watch.told).toEqual([
    '00:01 raised warn the lake comes near its storage quota',
    '00:02 raised error the lake exceeds its storage quota',
    '00:04 cleared error the lake exceeds its storage quota',
  ]);
  expect(watch.notices.map(({ alert, why }) => why ?? alert.text)).toEqual([
    '901.0 GB of 1.0 TB (90%). What nothing needs any more can be removed.',
    '1.0 TB of 1.0 TB (100%). What nothing needs any more can be removed.',
    '500.0 GB of 1.0 TB (50%)',
  ]);
});

test('a daemon that dies again and again is told less and less often, and once when it has lived for ten minutes', () => {
  const crashed = {
    epoch: 1,
    owner: { host: 'here', pid: 7, started: 1 },
    acquiredAt: START - HOUR,
    heartbeatAt: START - 5000,
    expiresAt: START,
  };
  const watch = new Watch();
  for (let minute = 0; minute < 45; minute += 5) watch.look(minute * MINUTE, { crashed });
  for (let minute = 40; minute < 60; minute++) watch.look(minute * MINUTE, {});
  expect(watch.told).toEqual([
    '00:00 raised warn the daemon died and was replaced',
    '00:05 raised warn the daemon died 2 times',
    '00:10 raised error the daemon died 3 times',
    '00:15 raised error the daemon died 4 times',
    '00:35 raised error the daemon died 8 times',
    '00:50 cleared error the daemon died 9 times',
  ]);
  expect(watch.notices.at(-1)).toMatchObject({
    why: 'it has been running for 10m 00s',
    alert: { fields: { times: 9 } },
  });
});

test('a reload that fails, until one goes well', () => {
  const error = { message: "'gold/x' has no columns", code: 'invalid-definitions' };
  const watch = new Watch().look(0, { reload: {} }).look(1, { reload: { error } }).look(2, { reload: { error } });
  expect(watch.look(MINUTE, {}).look(2 * MINUTE, { reload: {} }).told).toEqual([
    '00:00 raised error settings or definitions cannot be loaded',
    '00:02 cleared error settings or definitions cannot be loaded',
  ]);
  expect(watch.notices[0]?.alert.text).toContain("'gold/x' has no columns");
});

test('a source that does not answer, until it does; while it is tried again nothing is known', () => {
  const circuit = (untilMs: number) => ({ failures: 3, since: START, until: START + untilMs, message: 'timeout' });
  const open = (untilMs: number) => ({ circuits: new Map([['src/x', circuit(untilMs)]]) });
  const watch = new Watch()
    .look(0, { circuits: new Map([['src/x', { failures: 1, since: START, until: START, message: 'timeout' }]]) })
    .look(MINUTE, open(5 * MINUTE))
    .look(6 * MINUTE, open(5 * MINUTE))
    .look(7 * MINUTE, open(15 * MINUTE))
    .look(20 * MINUTE, { circuits: new Map() });
  expect(watch.told).toEqual([
    '00:01 raised warn source src/x does not answer',
    '00:20 cleared warn source src/x does not answer',
  ]);
});

test('ten times as many partitions are news, and so is each tenfold of what was told', () => {
  const bad = (partitions: number) => lakeOf({ failures: [{ ...failing('a'), partitions }] });
  const watch = new Watch();
  for (const [minute, partitions] of [2, 3, 19, 20, 150, 20, 200, 200].entries())
    watch.look(minute * MINUTE, bad(partitions));
  expect(watch.notices.map(({ at, alert }) => [(at - START) / MINUTE, alert.count])).toEqual([
    [0, 2],
    [3, 20],
    [6, 200],
  ]);
});

test('a reload that fails for another reason is told again, for the same reason it is not', () => {
  const broken = (message: string) => ({ reload: { error: { message } } });
  const watch = new Watch()
    .look(0, { reload: {} })
    .look(MINUTE, broken('no such asset'))
    .look(2 * MINUTE, broken('no such asset'))
    .look(3 * MINUTE, broken('bad cron'))
    .look(4 * MINUTE, { reload: {} });
  expect(watch.told).toEqual([
    '00:01 raised error settings or definitions cannot be loaded',
    '00:03 raised error settings or definitions cannot be loaded',
    '00:04 cleared error settings or definitions cannot be loaded',
  ]);
});

import { expect, test } from 'vitest';
import type { Facts } from '../../../framework/operate/alerts/facts.ts';
import { textOf, titleOf } from '../../../framework/operate/alerts/message.ts';
import type { Notice, RuleSettings } from '../../../framework/operate/alerts/model.ts';
import type { Circuit } from '../../../framework/operate/circuit.ts';
import * as sets from '../../../framework/partition/set.ts';
import { failing, freshness, HOUR, lakeOf, late, MINUTE, START, ticksOf, Watch } from './support.ts';

// What somebody reads who is woken: what is bad, since when, and what to type.

const messageOf = (notices: readonly Notice[]) => ({
  id: '1',
  at: START,
  origin: { host: 'here', lake: '/lake' },
  notices,
});

/** The lines about facts, and about those that follow a minute later, without the one that says which lake it is. */
function lines(settings: Partial<RuleSettings>, ...facts: readonly Facts[]): string[] {
  const watch = new Watch(settings);
  const told: string[] = [];
  for (const [i, one] of facts.entries()) {
    watch.notices.length = 0;
    watch.look(i * MINUTE, one);
    told.push(...textOf(messageOf(watch.notices), 20).split('\n').slice(0, -1));
  }
  return told;
}

const circuit: Circuit = { failures: 3, since: START - HOUR, until: START + 5 * MINUTE, message: 'no such host' };

test('ticks', () => {
  const nightly = ticksOf('nightly', 'failed', 'failed', 'failed', 'succeeded');
  expect(lines({ rules: ['runs', 'retries'] }, nightly, ticksOf('nightly', 'succeeded'))).toMatchInlineSnapshot(`
    [
      "error: schedule nightly fails, since 2026-11-22 23:58:01 UTC: it was due; disk on fire. Call somebody. Next: lakehouse runs show run4",
      "error: schedule nightly fails again and again, since 2026-11-22 23:58:00 UTC: 3 times in a row it failed or was interrupted; the last time: it was due; disk on fire. Next: lakehouse schedules ticks nightly",
      "over: schedule nightly fails, 2026-11-22 23:58:01 to 2026-11-23 00:01:00 UTC: it succeeded at 2026-11-23 00:00:01 UTC",
      "over: schedule nightly fails again and again, 2026-11-22 23:58:00 to 2026-11-23 00:01:00 UTC: it succeeded at 2026-11-23 00:00:01 UTC",
    ]
  `);
  const { ticks = [] } = ticksOf('conditions', 'failed');
  const automation = ticks.map((history) => ({
    ...history,
    kind: 'automation' as const,
    ticks: history.ticks.map((tick) => ({ ...tick, kind: 'automation' as const, run: undefined })),
  }));
  expect(lines({}, { ticks: automation })).toMatchInlineSnapshot(`
    [
      "error: automation fails, since 2026-11-23 00:00:01 UTC: it was due; disk on fire. Call somebody. Next: lakehouse schedules ticks conditions",
    ]
  `);
});

test('partitions that fail', () => {
  expect(lines({}, lakeOf({ failures: [failing('gold/x', 3)] }), lakeOf())).toMatchInlineSnapshot(`
    [
      "error: partitions of gold/x fail, since 2026-11-22 23:00:00 UTC: 2 partitions; date=2026-11-22: no such host. Next: lakehouse explain gold/x date=2026-11-22",
      "error: a partition of gold/x fails again and again, since 2026-11-22 23:00:00 UTC: date=2026-11-22 failed 3 times in a row; the last time: no such host. Next: lakehouse explain gold/x date=2026-11-22",
      "over: partitions of gold/x fail, 2026-11-22 23:00:00 to 2026-11-23 00:01:00 UTC: none of them fails any more",
      "over: a partition of gold/x fails again and again, 2026-11-22 23:00:00 to 2026-11-23 00:01:00 UTC: it does not any more",
    ]
  `);
});

test('of what has no dimensions there is but one, and no word for it', () => {
  const [one] = [failing('gold/x', 3)].map((found) => ({ ...found, worst: { ...found.worst, partition: '' } }));
  const checks = {
    to: 1,
    known: new Map([['gold/x', new Set(['unique'])]]),
    results: [
      {
        asset: 'gold/x',
        at: START,
        set: sets.fromSeries([['', { bounds: [0, 1] }]]),
        checks: undefined,
        failed: [{ check: 'unique', severity: 'error' as const, series: '', time: 0 }],
      },
    ],
  };
  const told = lines({}, lakeOf({ failures: one ? [one] : [], checks, nameOf: () => '' }));
  expect(told.map((line) => line.replace(/.*Next: /, ''))).toEqual(Array(3).fill('lakehouse status gold/x'));
});

test('what is late', () => {
  expect(
    lines(
      {},
      freshness(late('gold/x', { BTC: 'warn', ETH: 'on-time' })),
      freshness(late('gold/x', { BTC: 'overdue', ETH: 'overdue', XRP: 'on-time' })),
      freshness(late('gold/x', { BTC: 'on-time' })),
    ),
  ).toMatchInlineSnapshot(`
    [
      "warn: gold/x is late, since 2026-11-22 23:00:00 UTC: warn, 31h late (limit 30h); 1 of 2 series; the worst is BTC; newest content date=2026-11-20. Next: lakehouse status +gold/x",
      "error: gold/x is late, since 2026-11-22 23:00:00 UTC: overdue, 31h late (limit 30h); 2 of 3 series; the worst is BTC; newest content date=2026-11-20. Next: lakehouse status +gold/x",
      "over: gold/x is late, 2026-11-22 23:00:00 to 2026-11-23 00:02:00 UTC: it is on time again",
    ]
  `);
});

test('checks', () => {
  const of = (...times: number[]) =>
    lakeOf({
      checks: {
        to: 1,
        known: new Map([['silver/x', new Set(['unique'])]]),
        results: [
          {
            asset: 'silver/x',
            at: START,
            set: sets.fromSeries([['symbol=BTC', { bounds: [0, 9] }]]),
            checks: undefined,
            failed: times.map((time) => ({ check: 'unique', severity: 'error' as const, series: 'symbol=BTC', time })),
          },
        ],
      },
      nameOf: (_asset, series, time) => `${series}/date=2026-11-0${time}`,
    });
  expect(lines({}, of(3), of())).toMatchInlineSnapshot(`
    [
      "error: check unique of silver/x fails, since 2026-11-23 00:00:00 UTC: for 1 partition: symbol=BTC/date=2026-11-03. Next: lakehouse explain silver/x symbol=BTC/date=2026-11-03",
      "over: check unique of silver/x fails, 2026-11-23 00:00:00 to 2026-11-23 00:01:00 UTC: it fails for none of the partitions there are",
    ]
  `);
  expect(lines({}, of(3, 4))).toMatchInlineSnapshot(`
    [
      "error: check unique of silver/x fails, since 2026-11-23 00:00:00 UTC: for 2 partitions, the first symbol=BTC/date=2026-11-03. Next: lakehouse explain silver/x symbol=BTC/date=2026-11-03",
    ]
  `);
});

test('the lake, the daemon and the sources', () => {
  const crashed = {
    epoch: 1,
    owner: { host: 'here', pid: 7, started: 1 },
    acquiredAt: START - HOUR,
    heartbeatAt: START - 5000,
    expiresAt: START,
  };
  expect(
    lines(
      { storageQuota: 500e9 },
      lakeOf({ storageBytes: 460e9 }),
      lakeOf({ storageBytes: 501e9 }),
      lakeOf({ storageBytes: 1e9 }),
    ),
  ).toMatchInlineSnapshot(`
    [
      "warn: the lake comes near its storage quota, since 2026-11-23 00:00:00 UTC: 460.0 GB of 500.0 GB (92%). What nothing needs any more can be removed. Next: lakehouse gc",
      "error: the lake exceeds its storage quota, since 2026-11-23 00:00:00 UTC: 501.0 GB of 500.0 GB (100%). What nothing needs any more can be removed. Next: lakehouse gc",
      "over: the lake exceeds its storage quota, 2026-11-23 00:00:00 to 2026-11-23 00:02:00 UTC: 1.0 GB of 500.0 GB (0%)",
    ]
  `);
  expect(lines({}, { crashed }, { crashed })).toMatchInlineSnapshot(`
    [
      "warn: the daemon died and was replaced, since 2026-11-22 23:59:55 UTC: Process 7 on here was last heard of at 2026-11-22 23:59:55 UTC. What it was doing is begun again. Why it died its log may tell, or that of the machine (out of memory?). Next: lakehouse schedules",
      "warn: the daemon died 2 times, since 2026-11-22 23:59:55 UTC: Process 7 on here was last heard of at 2026-11-22 23:59:55 UTC. What it was doing is begun again. Why it died its log may tell, or that of the machine (out of memory?). Next: lakehouse schedules",
    ]
  `);
  const message = `The settings are wrong:\n  - lakehouse.yaml:3:9: schedules.nightly.cron: '60' is no minute (0 to 59)`;
  expect(lines({}, { reload: { error: { message } } }, { reload: {} })).toMatchInlineSnapshot(`
    [
      "error: settings or definitions cannot be loaded, since 2026-11-23 00:00:00 UTC: The settings are wrong: - lakehouse.yaml:3:9: schedules.nightly.cron: '60' is no minute (0 to 59). The daemon goes on with what was loaded before; mend them and send it SIGHUP. Next: lakehouse schedules",
      "over: settings or definitions cannot be loaded, 2026-11-23 00:00:00 to 2026-11-23 00:01:00 UTC: they were loaded",
    ]
  `);
  expect(
    lines({}, { circuits: new Map([['binance/archive', circuit]]) }, { circuits: new Map() }),
  ).toMatchInlineSnapshot(`
    [
      "warn: source binance/archive does not answer, since 2026-11-22 23:00:00 UTC: It is left alone for a while: it failed 3 times in a row since 2026-11-22T23:00:00.000Z and is tried again at 2026-11-23T00:05:00.000Z; last it said: no such host. Next: lakehouse observe binance/archive",
      "over: source binance/archive does not answer, 2026-11-22 23:00:00 to 2026-11-23 00:01:00 UTC: it answers again",
    ]
  `);
});

test('several in one message: the first line and the title are about the worst', () => {
  const watch = new Watch()
    .look(0, lakeOf({ failures: [failing('gold/y'), failing('gold/z')], storageBytes: undefined }))
    .look(MINUTE, {
      ...lakeOf({ failures: [failing('gold/y')] }),
      circuits: new Map([['binance/archive', circuit]]),
      reload: { error: { message: 'bad' } },
    });
  const { notices } = watch;
  expect(titleOf({ notices })).toBe('error: partitions of gold/y fail (and 2 new, 1 over)');
  expect(textOf(messageOf(notices), 2)).toMatchInlineSnapshot(`
    "error: partitions of gold/y fail, since 2026-11-22 23:00:00 UTC: 2 partitions; date=2026-11-22: no such host. Next: lakehouse explain gold/y date=2026-11-22
    error: settings or definitions cannot be loaded, since 2026-11-23 00:01:00 UTC: bad. The daemon goes on with what was loaded before; mend them and send it SIGHUP. Next: lakehouse schedules
    and 2 more
    lakehouse /lake on here (4 alerts: 3 new, 1 over)"
  `);
});

test('what came and went again within one message is over', () => {
  const { notices } = new Watch().look(0, lakeOf({ failures: [failing('a')] })).look(MINUTE, lakeOf());
  expect(titleOf({ notices })).toBe('over: partitions of a fail');
});

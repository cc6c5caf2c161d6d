import { and, codeChanged, eager, not, onCron, onMissing, replaced, stale } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { published, upToDate } from './lake.ts';

const all = { raw: eager(), day: eager(), roll: eager(), month: eager(), chain: eager() };

describe('eager', () => {
  test('the first evaluation of a lake with years of history requests the latest window of what can be computed', () => {
    const { requested, why } = published(all).evaluate();
    expect(requested).toEqual({
      'bronze/raw': 'symbol=A|B/date=2024-01-10',
      'silver/day': 'symbol=A|B/date=2024-01-10',
    });
    expect(why).toEqual({
      'gold/chain': ["'anyDepsMissing' (silver/day) holds for every partition"],
      'gold/roll': ["'anyDepsMissing' (silver/day) holds for every partition"],
      'gold/month': ['it has no partitions yet'],
    });
  });

  test('an asset downstream is requested together with what it reads, by the same evaluation', () => {
    const tester = upToDate(all);
    expect(tester.evaluate().requested).toEqual({});
    tester.now = new Date('2024-01-12T12:00Z');
    expect(tester.evaluate().requested).toEqual({});
    tester.observe('src/files', 'symbol=A/date=2024-01-11');
    expect(tester.evaluate().requested).toEqual({
      'bronze/raw': 'symbol=A/date=2024-01-11',
      'silver/day': 'symbol=A/date=2024-01-11',
      'gold/chain': 'symbol=A/date=2024-01-11',
      'gold/roll': 'symbol=A/date=2024-01-11',
    });
  });

  test('what was published anew is computed again whatever its age, with all it may alter', () => {
    const tester = upToDate(all);
    tester.evaluate();
    tester.observe('src/files', 'symbol=B/date=2024-01-04');
    expect(tester.evaluate().requested).toEqual({
      'bronze/raw': 'symbol=B/date=2024-01-04',
      'silver/day': 'symbol=B/date=2024-01-04',
      'gold/chain': 'symbol=B/date=2024-01-04..2024-01-10',
      'gold/roll': 'symbol=B/date=2024-01-04..2024-01-06',
    });
  });

  test('it goes by what is so: requested again if the run that was asked for never ran, not while it runs', () => {
    const tester = upToDate(all);
    tester.evaluate();
    tester.observe('src/files', 'symbol=B/date=2024-01-04');
    const { requested } = tester.evaluate();
    expect(tester.evaluate().requested).toEqual(requested);
    for (const [key, partitions] of Object.entries(requested)) tester.begin(key, partitions);
    expect(tester.evaluate().requested).toEqual({});
    tester.materialize('bronze/raw', requested['bronze/raw']);
    expect(tester.evaluate().requested).toEqual({});
    tester.end();
    // The run died after its first asset.
    const { 'bronze/raw': _, ...rest } = requested;
    expect(tester.evaluate().requested).toEqual(rest);
  });

  test('a backlog is left alone until it was up to date once', () => {
    const tester = published({ raw: eager() });
    tester.evaluate();
    tester.materialize('bronze/raw', 'symbol=A|B/date=2024-01-10');
    const { requested, why } = tester.evaluate();
    expect(requested).toEqual({});
    expect(why).toEqual({
      'bronze/raw': [
        "'outOfDate' holds for none of the 2 partitions that the parts before it leave",
        "all 18 of 'older outOfDate' are the backlog, which a run computes when asked to",
        "'anyDepsRequested' holds for nothing",
      ],
    });
    // Of the backlog, one day is computed by a person; then both it and another are published anew.
    tester.materialize('bronze/raw', 'symbol=A/date=2024-01-03');
    expect(tester.evaluate().requested).toEqual({});
    tester.observe('src/files', 'symbol=A/date=2024-01-03|2024-01-04');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-03' });
  });

  test('what was awaited when it began is no backlog, also if it is not the latest when it comes', () => {
    const tester = upToDate({ raw: eager() });
    tester.now = new Date('2024-01-13T12:00Z');
    expect(tester.evaluate().requested).toEqual({});
    tester.observe('src/files', 'symbol=A/date=2024-01-11..2024-01-12');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-11..2024-01-12' });
  });

  test('nor is what was in the latest window when it began, if it only can be computed later', () => {
    const tester = upToDate({ raw: eager() });
    tester.observe('src/files', 'symbol=A|B/date=2024-01-10');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A|B/date=2024-01-10' });
    tester.begin('bronze/raw', 'symbol=A|B/date=2024-01-10');
    tester.now = new Date('2024-01-12T12:00Z');
    tester.observe('src/files', 'symbol=A|B/date=2024-01-11');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A|B/date=2024-01-11' });
    // The run came to nothing.
    tester.end();
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A|B/date=2024-01-10..2024-01-11' });
  });

  test('a symbol that is listed later is computed with its history', () => {
    const tester = upToDate(all);
    tester.evaluate();
    tester.observe('src/files', 'symbol=C/date=2024-01-05..2024-01-10');
    const days = 'symbol=C/date=2024-01-05..2024-01-10';
    expect(tester.evaluate().requested).toEqual({
      'bronze/raw': days,
      'silver/day': days,
      'gold/chain': days,
      'gold/roll': days,
    });
  });

  test('a failure for its data is not requested again until something it depends on changes; one in passing is', () => {
    const tester = upToDate({ raw: eager(), day: eager() });
    tester.evaluate();
    tester.observe('src/files', 'symbol=A|B/date=2024-01-10');
    tester.materialize('bronze/raw');
    tester.fail('silver/day', 'symbol=A/date=2024-01-10');
    tester.fail('silver/day', 'symbol=B/date=2024-01-10', { passing: true });
    const failedOnce = tester.evaluate();
    expect(failedOnce.requested).toEqual({ 'silver/day': 'symbol=B/date=2024-01-10' });
    expect([...(failedOnce.decisions.get('silver/day')?.held.keys() ?? [])]).toEqual(['failed']);
    tester.observe('src/files', 'symbol=A/date=2024-01-10');
    expect(tester.evaluate().requested).toEqual({
      'bronze/raw': 'symbol=A/date=2024-01-10',
      'silver/day': 'symbol=A|B/date=2024-01-10',
    });
  });

  test('an asset waits for one upstream that is not automated, and is not computed with what will be replaced', () => {
    const tester = upToDate({ day: eager(), roll: eager() });
    tester.evaluate();
    tester.observe('src/files', 'symbol=A/date=2024-01-05');
    expect(tester.evaluate().requested).toEqual({});
    tester.materialize('bronze/raw');
    expect(tester.evaluate().requested).toEqual({
      'silver/day': 'symbol=A/date=2024-01-05',
      'gold/roll': 'symbol=A/date=2024-01-05..2024-01-07',
    });
  });

  test('other code makes everything stale, unless the condition is told otherwise', () => {
    const careful = replaced(eager(), 'stale', and(stale(), not(codeChanged())));
    for (const [condition, wanted] of [
      [eager(), { 'bronze/raw': 'symbol=A|B/date=2024-01-01..2024-01-10' }],
      [careful, {}],
    ] as const) {
      const tester = upToDate({ raw: condition });
      tester.evaluate();
      tester.changeCode('bronze/raw');
      expect(tester.evaluate().requested).toEqual(wanted);
    }
  });

  test('automation that is switched on again does not make up for what it missed', () => {
    const tester = upToDate({ raw: eager() });
    tester.evaluate();
    tester.changeCode('bronze/raw');
    tester.forget();
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A|B/date=2024-01-10' });
  });
});

describe('onCron', () => {
  const cron = { raw: onCron('0 6 * * *', { timezone: 'Europe/Berlin' }) };

  test('the first evaluation waits for a tick', () => {
    const tester = upToDate(cron);
    tester.observe('src/files', 'symbol=A/date=2024-01-10');
    const { requested, why } = tester.evaluate();
    expect(requested).toEqual({});
    expect(why['bronze/raw']).toEqual(["no tick of '0 6 * * *' has passed; the next is at 2024-01-12T05:00Z"]);
    tester.now = new Date('2024-01-12T04:59Z');
    expect(tester.evaluate().requested).toEqual({});
    tester.now = new Date('2024-01-12T05:00Z');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-10' });
  });

  test('from a tick on every partition is computed once, when it can be', () => {
    const tester = upToDate(cron);
    tester.evaluate();
    tester.now = new Date('2024-01-12T05:00Z');
    expect(tester.evaluate().requested).toEqual({});
    // Published after the tick.
    tester.now = new Date('2024-01-12T09:00Z');
    tester.observe('src/files', 'symbol=A/date=2024-01-11');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-11' });
    // Not yet computed: still asked for, tick or not.
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-11' });
    tester.materialize('bronze/raw');
    expect(tester.evaluate().requested).toEqual({});
    // Published anew: that is for the next tick.
    tester.observe('src/files', 'symbol=A/date=2024-01-11');
    expect(tester.evaluate().requested).toEqual({});
    tester.now = new Date('2024-01-13T05:30Z');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A/date=2024-01-11' });
  });

  test('several ticks that nobody saw are one, and the backlog stays the backlog', () => {
    const tester = published(cron);
    tester.evaluate();
    tester.now = new Date('2024-01-20T12:00Z');
    expect(tester.evaluate().requested).toEqual({ 'bronze/raw': 'symbol=A|B/date=2024-01-10' });
  });
});

describe('onMissing', () => {
  test('computes what is not there and leaves alone what is', () => {
    const tester = upToDate({ raw: onMissing(), day: onMissing() });
    expect(tester.evaluate().requested).toEqual({});
    tester.now = new Date('2024-01-12T12:00Z');
    tester.observe('src/files', 'symbol=A/date=2024-01-05|2024-01-11');
    expect(tester.evaluate().requested).toEqual({
      'bronze/raw': 'symbol=A/date=2024-01-11',
      'silver/day': 'symbol=A/date=2024-01-11',
    });
  });
});

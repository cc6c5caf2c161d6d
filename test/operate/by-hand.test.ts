import { schedule, sensor } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { tickFacts } from '../../framework/operate/alerts/gather.ts';
import { runByHand } from '../../framework/operate/by-hand.ts';
import type { Ticker } from '../../framework/operate/tickers.ts';
import { tiny } from '../materialize/support.ts';
import { HOUR, Watch } from './alerts/support.ts';
import { at, stage } from './support.ts';

const never = new AbortController().signal;
const control = { signal: never, stopping: never, emit: () => undefined };

async function world() {
  const clock = { now: at('2020-04-10T12:30:00Z') };
  const { lake } = await tiny({ now: () => clock.now });
  const staged = stage(lake, clock);
  const redact = (text: string) => text.replaceAll('hunter2', '***');
  return {
    ...staged,
    run: (ticker: Ticker) => runByHand(lake, ticker, staged.store, control, () => clock.now, redact),
  };
}

test('what a person tried and saw fail is nobody else told; what went well then is well', async () => {
  const { run, start, store, advance, clock } = await world();
  let fails = true;
  const nightly = schedule({
    name: 'nightly',
    cron: '0 * * * *',
    action: () => {
      if (fails) throw new Error('no such thing');
      return 'done';
    },
  });
  const listings = sensor({
    name: 'listings',
    every: { hours: 1 },
    poll: () => {
      if (fails) throw new Error('no such thing');
      return { skip: 'none' };
    },
  });
  const names = [{ kind: 'schedule', name: 'nightly' } as const, { kind: 'sensor', name: 'listings' } as const];
  const watch = new Watch({ repeatHours: 24 });
  const told = () => watch.look(clock.now, { ticks: tickFacts(store, names, 3) }).told.splice(0);
  const byHand = { kind: 'schedule', name: 'nightly', schedule: nightly } as const;
  for (let times = 0; times < 5; times++) {
    await run(byHand);
    await run({ kind: 'sensor', name: 'listings', sensor: listings });
  }
  expect(told()).toEqual([]);
  clock.now += 99 * HOUR;
  expect(told()).toEqual([]);
  // What the daemon saw fail is told, however often a person tried since; and over when somebody mended it.
  const daemon = start([nightly]);
  daemon.turn();
  await advance(daemon, new Date(clock.now + HOUR).toISOString());
  for (let times = 0; times < 5; times++) await run(byHand);
  expect(told().map((line) => line.slice(6))).toEqual(['raised error schedule nightly fails']);
  fails = false;
  await run(byHand);
  expect(told().map((line) => line.slice(6))).toEqual(['cleared error schedule nightly fails']);
});

test('secrets are neither remembered nor returned', async () => {
  const { run, store } = await world();
  const says = (what: string) => () => {
    throw new Error(`https://x/?key=${what} answered 503`, { cause: new Error(what) });
  };
  const bad = sensor({ name: 'bad', every: { hours: 1 }, poll: says('hunter2') });
  const worse = schedule({ name: 'worse', cron: '0 * * * *', action: says('hunter2') });
  const results = [
    await run({ kind: 'sensor', name: 'bad', sensor: bad }),
    await run({ kind: 'schedule', name: 'worse', schedule: worse }),
  ];
  expect(results.map(({ outcome, decision }) => `${outcome}: ${decision}`)).toEqual([
    'failed: Sensor bad: https://x/?key=*** answered 503',
    'failed: https://x/?key=*** answered 503',
  ]);
  const ticks = store.ticks({ limit: 9 });
  expect(ticks.map(({ decision }) => decision)).toEqual([
    'asked for by hand; https://x/?key=*** answered 503',
    'asked for by hand; Sensor bad: https://x/?key=*** answered 503',
  ]);
  expect(JSON.stringify([results, ticks])).not.toContain('hunter2');
});

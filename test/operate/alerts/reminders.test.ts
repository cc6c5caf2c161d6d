import { expect, test } from 'vitest';
import { freshness, HOUR, late, MINUTE, ticksOf, Watch } from './support.ts';

const bad = { ...ticksOf('nightly', 'failed'), ...freshness(late('gold/x', { A: 'overdue' })) };
const onlyTicks = ticksOf('nightly', 'failed');

test('nobody is reminded of what is found to be over in the same moment, by what is looked at a little later', () => {
  const watch = new Watch({ repeatHours: 1 }).look(0, bad);
  watch.told.length = 0;
  watch.look(HOUR, onlyTicks).look(HOUR, freshness(late('gold/x', { A: 'on-time' })));
  expect(watch.told).toEqual(['01:00 reminder error schedule nightly fails', '01:00 cleared error gold/x is late']);
});

test('each is reminded of when it is looked at', () => {
  const watch = new Watch({ repeatHours: 1 }).look(0, bad);
  watch.told.length = 0;
  watch.look(HOUR, onlyTicks).look(HOUR + MINUTE, freshness(late('gold/x', { A: 'overdue' })));
  expect(watch.told).toEqual(['01:00 reminder error schedule nightly fails', '01:01 reminder error gold/x is late']);
});

test('of what fails again and again nobody is reminded twice', () => {
  const often = ticksOf('nightly', 'failed', 'failed', 'failed');
  const watch = new Watch({ repeatHours: 1 })
    .look(0, onlyTicks)
    .look(HOUR, often)
    .look(2 * HOUR, often);
  watch.look(2 * HOUR + MINUTE, ticksOf('nightly', 'succeeded'));
  expect(watch.told).toEqual([
    '00:00 raised error schedule nightly fails',
    '01:00 raised error schedule nightly fails again and again',
    '02:00 reminder error schedule nightly fails again and again',
    '02:01 cleared error schedule nightly fails',
    '02:01 cleared error schedule nightly fails again and again',
  ]);
  // Whoever does not want to hear of the one hears of the other.
  const less = new Watch({ repeatHours: 1, rules: ['runs'] }).look(0, often).look(HOUR, often);
  expect(less.told.at(-1)).toBe('01:00 reminder error schedule nightly fails');
});

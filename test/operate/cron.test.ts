import fc from 'fast-check';
import { createTask } from 'node-cron';
import { describe, expect, test } from 'vitest';
import { type Cron, cronProblems, nextTick, previousTick, ticksBetween } from '../../framework/operate/cron.ts';

const at = (text: string) => Date.parse(text);
const text = (instant: number | undefined) =>
  instant === undefined ? 'never' : new Date(instant).toISOString().replace('.000', '');
const utc = (expression: string): Cron => ({ expression, timezone: 'UTC' });
const berlin = (expression: string): Cron => ({ expression, timezone: 'Europe/Berlin' });
const between = (cron: Cron, after: string, until: string) => [...ticksBetween(cron, at(after), at(until))].map(text);

test.each([
  ['*/15 * * * *', '2024-01-01T00:00:00Z', '2024-01-01T00:15:00Z'],
  ['0 6 * * *', '2024-01-01T06:00:00Z', '2024-01-02T06:00:00Z'],
  ['0 6 * * *', '2024-01-01T05:59:59.999Z', '2024-01-01T06:00:00Z'],
  ['30 0 6 * * *', '2024-01-01T05:00:00Z', '2024-01-01T06:00:30Z'],
  ['@daily', '2024-01-01T00:00:00Z', '2024-01-02T00:00:00Z'],
  ['0 0 L * *', '2024-02-01T00:00:00Z', '2024-02-29T00:00:00Z'],
  ['0 0 29 2 *', '2024-03-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 9 * * 1#1', '2024-01-02T00:00:00Z', '2024-02-05T09:00:00Z'],
  ['0 0 30 * 1#1', '2024-01-01T00:00:00Z', 'never'],
])('%s after %s is due at %s', (expression, after, next) => {
  expect(text(nextTick(utc(expression), at(after)))).toBe(next);
});

describe('where the clock is put forward', () => {
  test('what is due daily is due once, when the clock resumes', () => {
    expect(between(berlin('30 2 * * *'), '2024-03-30T00:00:00Z', '2024-04-01T12:00:00Z')).toEqual([
      '2024-03-30T01:30:00Z',
      '2024-03-31T01:00:00Z',
      '2024-04-01T00:30:00Z',
    ]);
  });
  test('what is due in every hour goes on as time does', () => {
    expect(between(berlin('0 * * * *'), '2024-03-30T23:00:00Z', '2024-03-31T03:00:00Z')).toEqual([
      '2024-03-31T00:00:00Z',
      '2024-03-31T01:00:00Z',
      '2024-03-31T02:00:00Z',
      '2024-03-31T03:00:00Z',
    ]);
  });
});

test('what is due in every hour is not due at the change itself', () => {
  expect(between(berlin('30 * * * *'), '2024-03-31T00:00:00Z', '2024-03-31T02:00:00Z')).toEqual([
    '2024-03-31T00:30:00Z',
    '2024-03-31T01:30:00Z',
  ]);
});

describe('where the clock is put back', () => {
  test('what is due daily is due once, the first time', () => {
    expect(between(berlin('30 2 * * *'), '2024-10-26T00:00:00Z', '2024-10-28T12:00:00Z')).toEqual([
      '2024-10-26T00:30:00Z',
      '2024-10-27T00:30:00Z',
      '2024-10-28T01:30:00Z',
    ]);
  });
  test('what is due in every hour goes on as time does', () => {
    expect(between(berlin('*/30 * * * *'), '2024-10-26T23:30:00Z', '2024-10-27T02:00:00Z')).toEqual([
      '2024-10-27T00:00:00Z',
      '2024-10-27T00:30:00Z',
      '2024-10-27T01:00:00Z',
      '2024-10-27T01:30:00Z',
      '2024-10-27T02:00:00Z',
    ]);
  });
});

test('a day that a country left out has no ticks of its own', () => {
  // Samoa went from 29 to 31 December 2011.
  const cron = { expression: '0 6 * * *', timezone: 'Pacific/Apia' };
  expect(between(cron, '2011-12-28T20:00:00Z', '2012-01-01T00:00:00Z')).toEqual([
    '2011-12-29T16:00:00Z',
    '2011-12-30T16:00:00Z',
    '2011-12-31T16:00:00Z',
  ]);
});

const crons = fc.record({
  expression: fc
    .tuple(
      fc.constantFrom('0', '*/20', '7,37', '59'),
      fc.constantFrom('*', '2', '*/6', '0,3,23'),
      fc.constantFrom('*', '1', 'L', '10-20'),
      fc.constantFrom('*', '2,10', '3'),
      fc.constantFrom('*', '1-5', '0'),
    )
    .map((fields) => fields.join(' ')),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'),
});
const instants = fc.integer({ min: at('2023-01-01T00:00:00Z') / 60_000, max: at('2025-12-31T00:00:00Z') / 60_000 });

test('every minute is a tick exactly if node-cron says so, but for changes of the clock', () => {
  fc.assert(
    fc.property(crons, instants, (cron, minute) => {
      const from = minute * 60_000;
      const until = from + 6 * 3_600_000;
      const offset = (instant: number) =>
        new Intl.DateTimeFormat('en', { timeZone: cron.timezone, timeZoneName: 'longOffset' })
          .formatToParts(instant)
          .find(({ type }) => type === 'timeZoneName')?.value;
      fc.pre(offset(from - 86_400_000) === offset(until));
      const task = createTask(cron.expression, () => undefined, { timezone: cron.timezone });
      const expected: number[] = [];
      for (let instant = from + 60_000; instant <= until; instant += 60_000)
        if (task.match(new Date(instant))) expected.push(instant);
      expect([...ticksBetween(cron, from, until)]).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

test('next, previous and between agree, also across changes of the clock', () => {
  fc.assert(
    fc.property(crons, instants, fc.integer({ min: 1, max: 3 * 1440 }), (cron, minute, length) => {
      const [from, until] = [minute * 60_000, (minute + length) * 60_000];
      const ticks = [...ticksBetween(cron, from, until)];
      const walked: number[] = [];
      for (let tick = nextTick(cron, from); tick !== undefined && tick <= until; tick = nextTick(cron, tick))
        walked.push(tick);
      expect(walked).toEqual(ticks);
      expect(previousTick(cron, until, from)).toBe(ticks.at(-1));
      expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
    }),
    { numRuns: 150 },
  );
});

test('a daily tick comes once on every day of the clock, whatever is done to it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      crons,
      (hour, minute, { timezone }) => {
        const cron = { expression: `${minute} ${hour} * * *`, timezone };
        const ticks = [...ticksBetween(cron, at('2024-01-01T00:00:00Z'), at('2025-01-01T00:00:00Z'))];
        const days = ticks.map((tick) => new Intl.DateTimeFormat('en-CA', { timeZone: timezone }).format(tick));
        expect(new Set(days).size).toBe(ticks.length);
        expect(ticks.length).toBeGreaterThanOrEqual(365);
      },
    ),
    { numRuns: 40 },
  );
});

test('what cannot be used is said', () => {
  expect(cronProblems(utc('0 6 * * *'))).toEqual([]);
  const said = (expression: string) => cronProblems(utc(expression)).map(({ message }) => message);
  expect(said('61 * * * *')).toEqual(["'61' is no minute (0 to 59)"]);
  expect(said('0 25 * 13 funday')).toEqual([
    "'25' is no hour (0 to 23)",
    "'13' is no month (1 to 12, JAN to DEC)",
    "'funday' is no weekday (0 to 7, SUN to SAT)",
  ]);
  expect(said('0 0 30 2 *')).toEqual(['there is no day 30 in that month']);
  expect(said('* * *')).toEqual([
    'it has 3 fields, and not five (minute hour day month weekday) or six (seconds first)',
  ]);
  expect(said('')).toEqual(['nothing is written']);
  expect(said('@dayly')).toEqual(['there are @yearly, @monthly, @weekly, @daily and @hourly']);
  expect(said('0 6 * * $')).toEqual(['it has characters that no cron has']);
  expect(cronProblems({ expression: '@daily', timezone: 'Mars/Olympus' })).toEqual([
    {
      field: 'timezone',
      message: "'Mars/Olympus' is not the name of a time zone (UTC, Europe/Berlin, America/New_York, …)",
    },
  ]);
});

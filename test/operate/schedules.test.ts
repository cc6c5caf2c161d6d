import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ScheduleOptions, schedule } from '../../framework/define/schedule.ts';
import { ticksBetween } from '../../framework/operate/cron.ts';
import {
  cronOf,
  decideSchedule,
  jittered,
  type Pause,
  type ScheduleActivity,
  type ScheduleMemory,
} from '../../framework/operate/schedules.ts';

const at = (text: string) => Date.parse(text);
const hourly = (options: Partial<ScheduleOptions> = {}) => schedule({ name: 'hourly', cron: '0 * * * *', ...options });
const memory = (seen: string): ScheduleMemory => ({ seen: at(seen), cron: 'UTC 0 * * * *' });
const decided = (
  definition: ReturnType<typeof schedule>,
  known: ScheduleMemory | undefined,
  now: string,
  activity: ScheduleActivity = {},
  pause?: Pause,
) => {
  const { ticks, memory, wakeAt } = decideSchedule(definition, known, pause, activity, at(now));
  const text = (instant: number | undefined) =>
    instant === undefined ? 'never' : new Date(instant).toISOString().slice(0, 16);
  return [
    ...ticks.map(
      (tick) => `${tick.type} ${text(tick.due)}${tick.type === 'skip' ? ` ×${tick.ticks}` : ''}: ${tick.reason}`,
    ),
    `seen ${text(memory?.seen)}, wake ${text(wakeAt)}`,
  ];
};

test('a new schedule makes up for nothing', () => {
  expect(decided(hourly(), undefined, '2024-01-01T10:30Z')).toEqual(['seen 2024-01-01T10:30, wake 2024-01-01T11:00']);
});

test('before it is due, nothing; when it is due, it runs', () => {
  expect(decided(hourly(), memory('2024-01-01T10:00Z'), '2024-01-01T10:59:59Z')).toEqual([
    'seen 2024-01-01T10:00, wake 2024-01-01T11:00',
  ]);
  expect(decided(hourly(), memory('2024-01-01T10:00Z'), '2024-01-01T11:00Z')).toEqual([
    'run 2024-01-01T11:00: it was due',
    'seen 2024-01-01T11:00, wake 2024-01-01T12:00',
  ]);
});

describe('after nobody was there for three ticks', () => {
  const known = memory('2024-01-01T10:00Z');
  const now = '2024-01-01T13:20Z';
  test('catchUp none', () => {
    expect(decided(hourly({ catchUp: 'none' }), known, now)).toEqual([
      'skip 2024-01-01T13:00 ×3: nobody was there when it was due (catchUp: none)',
      'seen 2024-01-01T13:00, wake 2024-01-01T14:00',
    ]);
  });
  test('catchUp last', () => {
    expect(decided(hourly(), known, now)).toEqual([
      'skip 2024-01-01T12:00 ×2: the tick of 2024-01-01T13:00Z stands for it',
      'run 2024-01-01T13:00: it was due when nobody was there (catchUp: last)',
      'seen 2024-01-01T13:00, wake 2024-01-01T14:00',
    ]);
  });
  test('catchUp all: one after the other', () => {
    expect(decided(hourly({ catchUp: 'all' }), known, now)).toEqual([
      'run 2024-01-01T11:00: it was due when nobody was there (catchUp: all)',
      'seen 2024-01-01T11:00, wake never',
    ]);
  });
});

describe('while the tick before is running', () => {
  const known = memory('2024-01-01T10:00Z');
  test('overlap skip', () => {
    expect(
      decided(hourly(), known, '2024-01-01T11:00Z', {
        running: at('2024-01-01T10:00Z'),
        startedAt: at('2024-01-01T10:00Z'),
      }),
    ).toEqual([
      'skip 2024-01-01T11:00 ×1: the tick of 2024-01-01T10:00Z is still running',
      'seen 2024-01-01T11:00, wake 2024-01-01T12:00',
    ]);
  });
  test('overlap queue: it waits, and is not missed by that', () => {
    const queued = hourly({ overlap: 'queue', catchUp: 'none' });
    expect(decided(queued, known, '2024-01-01T11:00Z', { running: at('2024-01-01T10:00Z') })).toEqual([
      'seen 2024-01-01T10:00, wake never',
    ]);
    expect(
      decided(queued, known, '2024-01-01T11:40Z', {
        startedAt: at('2024-01-01T10:00Z'),
        endedAt: at('2024-01-01T11:40Z'),
      }),
    ).toEqual(['run 2024-01-01T11:00: it was due', 'seen 2024-01-01T11:00, wake 2024-01-01T12:00']);
  });
});

test('what is paused passes, and is not made up for', () => {
  const known = memory('2024-01-01T10:00Z');
  const pause = { paused: true, at: at('2024-01-01T10:10Z') };
  expect(decided(hourly(), known, '2024-01-01T15:30Z', {}, pause)).toEqual(['seen 2024-01-01T10:00, wake never']);
  expect(decided(hourly({ enabled: false }), undefined, '2024-01-01T15:30Z')).toEqual(['seen never, wake never']);
  const resumed = { paused: false, at: at('2024-01-01T15:30Z') };
  for (const enabled of [true, false]) {
    expect(decided(hourly({ enabled }), known, '2024-01-01T15:40Z', {}, resumed)).toEqual([
      'seen 2024-01-01T10:00, wake 2024-01-01T16:00',
    ]);
    expect(decided(hourly({ enabled }), known, '2024-01-01T16:00Z', {}, resumed)).toEqual([
      'run 2024-01-01T16:00: it was due',
      'seen 2024-01-01T16:00, wake 2024-01-01T17:00',
    ]);
  }
});

test('what was due before the running tick began is no overlap: it is decided when that has ended', () => {
  const known = memory('2024-01-01T10:00Z');
  const running = { running: at('2024-01-01T10:00Z'), startedAt: at('2024-01-01T13:20Z') };
  const ended = { startedAt: at('2024-01-01T13:20Z'), endedAt: at('2024-01-01T13:50Z') };
  for (const catchUp of ['none', 'last', 'all'] as const)
    expect(decided(hourly({ catchUp }), known, '2024-01-01T13:30Z', running)).toEqual([
      'seen 2024-01-01T10:00, wake never',
    ]);
  expect(decided(hourly({ catchUp: 'none' }), known, '2024-01-01T13:50Z', ended)).toEqual([
    'skip 2024-01-01T13:00 ×3: nobody was there when it was due (catchUp: none)',
    'seen 2024-01-01T13:00, wake 2024-01-01T14:00',
  ]);
  expect(decided(hourly(), known, '2024-01-01T13:50Z', ended).at(1)).toContain('run 2024-01-01T13:00');
  expect(decided(hourly({ catchUp: 'all' }), known, '2024-01-01T13:50Z', ended).at(0)).toContain(
    'run 2024-01-01T11:00',
  );
});

test('a clock that is put back by a little repeats nothing; a pause of a clock that was ahead counts for nothing', () => {
  expect(decided(hourly(), memory('2024-01-01T11:00Z'), '2024-01-01T10:59:59.800Z')).toEqual([
    'seen 2024-01-01T11:00, wake 2024-01-01T12:00',
  ]);
  const resumed = { paused: false, at: at('2027-01-01T00:00Z') };
  expect(decided(hourly(), memory('2024-01-01T10:00Z'), '2024-01-01T11:00Z', {}, resumed).at(0)).toBe(
    'run 2024-01-01T11:00: it was due',
  );
});

test('another cron begins anew, and so does a clock that was ahead', () => {
  expect(decided(hourly({ cron: '*/5 * * * *' }), memory('2024-01-01T10:00Z'), '2024-01-01T15:32Z')).toEqual([
    'seen 2024-01-01T15:32, wake 2024-01-01T15:35',
  ]);
  expect(decided(hourly(), memory('2025-01-01T10:00Z'), '2024-01-01T15:32Z')).toEqual([
    'seen 2024-01-01T15:32, wake 2024-01-01T16:00',
  ]);
});

test('jitter puts a tick off by its own share', () => {
  const definition = hourly({ jitterSeconds: 600 });
  const due = at('2024-01-01T11:00Z');
  const begins = jittered(definition, due);
  expect(begins).toBe(jittered(definition, due));
  const known = memory('2024-01-01T10:00Z');
  expect(decideSchedule(definition, known, undefined, {}, begins - 1)).toMatchObject({ ticks: [], wakeAt: begins });
  expect(decideSchedule(definition, known, undefined, {}, begins)).toMatchObject({ ticks: [{ type: 'run', due }] });
});

test('every tick is decided exactly once, whenever the daemon looks and however long it is away', () => {
  const policies = fc.record({
    catchUp: fc.constantFrom('none' as const, 'last' as const, 'all' as const),
    overlap: fc.constantFrom('skip' as const, 'queue' as const),
    jitterSeconds: fc.constantFrom(0, 300),
  });
  const looks = fc.array(
    fc.record({ after: fc.integer({ min: 1, max: 300 }), runs: fc.integer({ min: 0, max: 200 }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(policies, looks, (policy, steps) => {
      const definition = hourly({ cron: '*/20 * * * *', ...policy });
      const began = at('2024-01-01T00:05Z');
      let known = decideSchedule(definition, undefined, undefined, {}, began).memory;
      let now = began;
      const run: number[] = [];
      let skipped = 0;
      const wronglySkipped: number[] = [];
      let activity: { running?: number; startedAt?: number; endedAt?: number; until?: number } = {};
      for (const { after, runs } of [...steps, ...Array.from({ length: 400 }, () => ({ after: 1, runs: 0 }))]) {
        now += after * 60_000;
        if (activity.until !== undefined && activity.until <= now)
          activity = { startedAt: activity.startedAt ?? 0, endedAt: activity.until };
        const decision = decideSchedule(definition, known, undefined, activity, now);
        known = decision.memory;
        for (const tick of decision.ticks) {
          if (tick.type === 'skip') {
            skipped += tick.ticks;
            if (tick.due <= (activity.startedAt ?? Number.POSITIVE_INFINITY)) wronglySkipped.push(tick.due);
          } else {
            expect(activity.running).toBeUndefined();
            run.push(tick.due);
            activity = { running: tick.due, startedAt: now, until: now + runs * 60_000 };
          }
        }
      }
      const all = [...ticksBetween(cronOf(definition), began, now)].filter((due) => due <= (known?.seen ?? 0));
      expect(run.length + skipped).toBe(all.length);
      expect(run).toEqual([...new Set(run)].sort((a, b) => a - b));
      expect(run.every((due) => all.includes(due))).toBe(true);
      if (policy.catchUp === 'all' && policy.overlap === 'queue') expect(run).toEqual(all);
      // What is skipped for a tick that runs came due while it ran.
      if (policy.catchUp === 'all') expect(wronglySkipped).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

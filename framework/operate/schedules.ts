import { createHash } from 'node:crypto';
import type { ScheduleDefinition } from '../define/schedule.ts';
import { type Cron, nextTick, previousTick, ticksBetween } from './cron.ts';

/** What is remembered of a schedule, as plain data. */
export interface ScheduleMemory {
  /** Ticks due up to here are decided, ms UTC. */
  readonly seen: number;
  /** `seen` was said of this cron: another one begins anew. */
  readonly cron: string;
}

/** What a person said about a schedule, over `enabled` of its definition. */
export interface Pause {
  readonly paused: boolean;
  /** When, ms UTC. */
  readonly at: number;
}

/** Of a schedule whose tick is running, or was when others came due. */
export interface ScheduleActivity {
  /** When the running tick was due. */
  readonly running?: number | undefined;
  /** Whether that one still waits for its turn. */
  readonly isWaiting?: boolean | undefined;
  /** When the running tick, or else the last one, began, ms UTC: what came due before did not come due while it ran. */
  readonly startedAt?: number | undefined;
  /** When the last one ended, ms UTC: what came due while it ran waited for it, nobody missed it. */
  readonly endedAt?: number | undefined;
}

export type TickDecision =
  | { readonly type: 'run'; readonly due: number; readonly reason: string }
  | {
      readonly type: 'skip';
      /** The latest of them. */
      readonly due: number;
      readonly ticks: number;
      readonly reason: string;
    };

export interface ScheduleDecision {
  readonly ticks: readonly TickDecision[];
  /** To be remembered; the one given where nothing new is to be. */
  readonly memory: ScheduleMemory | undefined;
  /** When it is to be looked at again, ms UTC; undefined where nothing comes of it. */
  readonly wakeAt: number | undefined;
}

/** A tick that is decided later than this after it was due was missed: the daemon was not there, or the clock has jumped. */
export const MISSED_AFTER_MS = 60_000;

export const cronOf = ({ cron, timezone }: ScheduleDefinition): Cron => ({ expression: cron, timezone });
const cronKey = ({ cron, timezone }: ScheduleDefinition) => `${timezone} ${cron}`;

export function isPaused({ enabled }: Pick<ScheduleDefinition, 'enabled'>, pause: Pause | undefined): boolean {
  return pause?.paused ?? !enabled;
}

/** When a tick really begins: each has a share of the jitter of its own, always the same. */
export function jittered({ name, jitterMs }: ScheduleDefinition, due: number): number {
  if (jitterMs === 0) return due;
  const share = createHash('sha256').update(`${name} ${due}`).digest().readUInt32BE(0) / 2 ** 32;
  return due + Math.floor(share * jitterMs);
}

/**
 * Which ticks of a schedule are due, and what becomes of each. Pure: the same memory and instant give the same decision, so that
 * a process that died before it had written it down decides the same again.
 */
export function decideSchedule(
  schedule: ScheduleDefinition,
  memory: ScheduleMemory | undefined,
  pause: Pause | undefined,
  activity: ScheduleActivity,
  now: number,
): ScheduleDecision {
  if (isPaused(schedule, pause)) return { ticks: [], memory, wakeAt: undefined };
  const cron = cronOf(schedule);
  const settled = (seen: number): ScheduleMemory => ({ seen, cron: cronKey(schedule) });
  const wake = (seen: number): number | undefined => {
    const next = nextTick(cron, seen);
    return next === undefined ? undefined : jittered(schedule, next);
  };
  // What is new has nothing to make up for. After a clock that was ahead was set right, time begins again here.
  if (memory === undefined || memory.cron !== cronKey(schedule) || memory.seen - now > MISSED_AFTER_MS)
    return { ticks: [], memory: settled(now), wakeAt: wake(now) };
  // Nor has what was paused for that time.
  const from = pause === undefined || pause.at > now ? memory.seen : Math.max(memory.seen, pause.at);

  // Those that jitter still puts off are not due: only the last few can be.
  let until = now;
  for (let last = previousTick(cron, until, from); last !== undefined && jittered(schedule, last) > now; ) {
    until = last - 1;
    last = previousTick(cron, until, from);
  }
  const latest = previousTick(cron, until, from);
  if (latest === undefined) return { ticks: [], memory, wakeAt: wake(from) };
  const { running, isWaiting, startedAt = Number.NEGATIVE_INFINITY, endedAt = Number.NEGATIVE_INFINITY } = activity;
  if (running !== undefined) {
    // What was due before it began is no overlap: it is decided when it has ended, as is what waits.
    const early = startedAt >= from && previousTick(cron, Math.min(startedAt, latest), from) !== undefined;
    if (early || schedule.overlap === 'queue') return { ticks: [], memory, wakeAt: undefined };
    return {
      ticks: [
        skip(
          latest,
          count(cron, from, latest),
          `the tick of ${instant(running)} is still ${isWaiting ? 'waiting for its turn' : 'running'}`,
        ),
      ],
      memory: settled(latest),
      wakeAt: wake(latest),
    };
  }
  const waited = latest > startedAt && latest <= endedAt;
  const missed = now - jittered(schedule, latest) > MISSED_AFTER_MS && !waited;
  if (missed && schedule.catchUp === 'none') {
    return {
      ticks: [skip(latest, count(cron, from, latest), 'nobody was there when it was due (catchUp: none)')],
      memory: settled(latest),
      wakeAt: wake(latest),
    };
  }
  if (schedule.catchUp === 'all') {
    const [first = latest] = ticksBetween(cron, from, latest);
    const reason = first === latest && !missed ? 'it was due' : 'it was due when nobody was there (catchUp: all)';
    // The others are due as soon as this one has ended.
    return { ticks: [{ type: 'run', due: first, reason }], memory: settled(first), wakeAt: undefined };
  }
  const earlier = count(cron, from, latest) - 1;
  const before = previousTick(cron, latest - 1, from);
  return {
    ticks: [
      ...(earlier > 0 && before !== undefined
        ? [skip(before, earlier, `the tick of ${instant(latest)} stands for it`)]
        : []),
      { type: 'run', due: latest, reason: missed ? 'it was due when nobody was there (catchUp: last)' : 'it was due' },
    ],
    memory: settled(latest),
    wakeAt: wake(latest),
  };
}

const skip = (due: number, ticks: number, reason: string): TickDecision => ({ type: 'skip', due, ticks, reason });

/** Counting goes no further than this: after ten years without a daemon, a tick a second is many. */
const MOST_COUNTED = 100_000;

function count(cron: Cron, after: number, until: number): number {
  let n = 0;
  for (const _ of ticksBetween(cron, after, until)) if (++n === MOST_COUNTED) break;
  return n;
}

const instant = (ms: number) =>
  new Date(ms)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z')
    .replace('.000Z', 'Z');

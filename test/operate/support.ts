import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { ScheduleDefinition } from '../../framework/define/schedule.ts';
import type { SensorDefinition } from '../../framework/define/sensor.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { Daemon } from '../../framework/operate/daemon.ts';
import type { Log } from '../../framework/operate/log.ts';
import { openOperate } from '../../framework/operate/sqlite.ts';
import type { OperateStore, TickRecord } from '../../framework/operate/store.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export const at = (text: string) => Date.parse(text);

/** A clock that stands still until it is told the time. */
export interface Clock {
  now: number;
}

export interface Stage {
  readonly clock: Clock;
  readonly store: OperateStore;
  readonly log: readonly string[];
  /** A daemon that has just started: the lease taken over, what was interrupted begun again. */
  start(schedules: readonly ScheduleDefinition[], options?: StartOptions): Daemon;
  /** The daemon dies, also in the middle of something: nothing that it still does is written down. */
  kill(daemon: Daemon): Promise<void>;
  /** Lets the time pass: the daemon is asked whenever it wants to be, and every run ends before time goes on. `turned`: after each time. */
  advance(daemon: Daemon, until: string, turned?: () => Promise<void>): Promise<void>;
  /** As one line each, oldest first. */
  ticks(): string[];
}

export interface StartOptions {
  readonly maxRuns?: number;
  readonly sensors?: readonly SensorDefinition[];
  /** Milliseconds between two evaluations of the assets' conditions. */
  readonly automationEveryMs?: number;
  /** Also hears what the daemon says. */
  readonly hear?: Log;
}

/** Where daemons come and go: what they remember, and a clock. */
export function stage(lake: OpenedLake, clock: Clock): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'operate-'));
  const store = openOperate(join(directory, 'operate.sqlite'), { host: 'here' });
  cleanups.push(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const log: string[] = [];
  let pid = 0;
  return {
    clock,
    store,
    log,
    start: (schedules, { maxRuns = 1, sensors = [], automationEveryMs = 600_000, hear } = {}) => {
      const say: Log = (level, message, fields) => {
        if (level !== 'debug') log.push(`${level} ${fields?.schedule ?? ''}: ${message}`);
        hear?.(level, message, fields);
      };
      const held = store.lease();
      if (held) store.release(held);
      const answer = store.acquire(
        { host: 'here', pid: ++pid, started: pid },
        Number.MAX_SAFE_INTEGER - clock.now,
        clock.now,
      );
      if (!('lease' in answer)) throw new Error('The lease was refused');
      const daemon = new Daemon({
        loaded: { lake, schedules, sensors },
        store: store.fenced(answer.lease),
        log: say,
        now: () => clock.now,
        maxRuns,
        ticksKept: 1000,
        redact: (text) => text,
        retentionDays: 30,
        automationEveryMs,
        wake: () => undefined,
      });
      daemon.recover();
      return daemon;
    },
    kill: async (daemon) => {
      // Whoever has the lease now, it cannot write any more.
      const held = store.lease();
      if (held) store.release(held);
      store.acquire({ host: 'here', pid: ++pid, started: pid }, 1, clock.now);
      await daemon.abandon(new Error('killed'));
    },
    advance: async (daemon, until, turned) => {
      for (;;) {
        const next = daemon.turn();
        const busy = daemon.busy.length > 0;
        await daemon.settled();
        await turned?.();
        if (busy) continue;
        if (next === undefined || next > at(until)) break;
        clock.now = next;
      }
      clock.now = at(until);
      daemon.turn();
      await daemon.settled();
      await turned?.();
    },
    ticks: () => store.ticks({ limit: 10_000 }).reverse().map(tickLine),
  };
}

export const tickLine = (tick: TickRecord): string =>
  `${new Date(tick.due).toISOString().slice(0, 16)} ${tickText(tick)}`;

/** A tick without when it was due. */
export function tickText({ name, outcome, ticks, attempt, decision }: TickRecord): string {
  const count = ticks > 1 ? ` ×${ticks}` : '';
  const again = attempt > 1 ? ` #${attempt}` : '';
  return `${name}${again} ${outcome}${count}: ${decision}`;
}

import type { ScheduleDefinition } from '../../define/schedule.ts';
import type { SensorDefinition } from '../../define/sensor.ts';
import type { AssetGraph } from '../../graph/graph.ts';
import { conditionsOf } from '../../operate/automation/tick.ts';
import { nextTick } from '../../operate/cron.ts';
import { CONDITIONS, pauseKey, sensorKey } from '../../operate/daemon.ts';
import { cronOf, isPaused, jittered, type Pause } from '../../operate/schedules.ts';
import { nextPoll, type SensorMemory } from '../../operate/sensors.ts';
import type { OperateReader, TickKind } from '../../operate/store.ts';
import { duration, plural } from '../../report/format.ts';
import type { DaemonInfo, ScheduleRow } from '../model/data.ts';

/** What a lake has that makes ticks. */
export interface Scheduled {
  readonly graph: AssetGraph;
  readonly schedules: readonly ScheduleDefinition[];
  readonly sensors: readonly SensorDefinition[];
}

/** Ticks that are shown of each. */
const TICKS = 50;

/** Schedules, then sensors, then the conditions of assets. @param store undefined where no daemon ever was. */
export function scheduleRows(
  { graph, schedules, sensors }: Scheduled,
  store: OperateReader | undefined,
  now: number,
): ScheduleRow[] {
  const past = (kind: TickKind, name: string) => {
    const ticks = store?.ticks({ kind, name, limit: TICKS }) ?? [];
    return { kind, name, ticks, lastAt: ticks[0]?.at, lastOutcome: ticks[0]?.outcome };
  };
  const conditions = [...conditionsOf(graph).keys()];
  return [
    ...schedules.map((one): ScheduleRow => {
      const { name, description, cron, timezone, action, select } = one;
      return {
        ...past('schedule', name),
        description,
        cron,
        timezone,
        action: typeof action === 'string' ? action : 'a function',
        select,
        paused: pausedNow(store, 'schedule', one),
        nextAt: nextOf(one, now),
      };
    }),
    ...sensors.map((one): ScheduleRow => {
      const { name, description, everyMs, action, select } = one;
      return {
        ...past('sensor', name),
        description,
        cron: `looks every ${duration(everyMs).replace(/ 00[sm]$/, '')}`,
        timezone: '',
        action,
        select,
        paused: pausedNow(store, 'sensor', one),
        nextAt: nextPoll(one, store?.recall(sensorKey(name)) as SensorMemory | undefined, now),
      };
    }),
    ...(conditions.length === 0
      ? []
      : [
          {
            ...past('automation', CONDITIONS),
            description: `What ${plural(conditions.length, 'asset')} declared with automation.`,
            cron: 'when they hold',
            timezone: '',
            action: 'materialize-stale',
            select: conditions.join(', '),
            paused: false,
            nextAt: undefined,
          },
        ]),
  ];
}

/** When a schedule computes each asset next, ms UTC, by key. What functions of schedules do is not known. */
export function nextByAsset(
  { graph, schedules }: Pick<Scheduled, 'graph' | 'schedules'>,
  store: OperateReader | undefined,
  now: number,
): Map<string, number> {
  const next = new Map<string, number>();
  for (const one of schedules) {
    if (one.action !== 'materialize-stale' || pausedNow(store, 'schedule', one)) continue;
    const at = nextOf(one, now);
    if (at === undefined) continue;
    for (const key of graph.select(one.select).keys) next.set(key, Math.min(next.get(key) ?? at, at));
  }
  return next;
}

/** Who has the lease, or had it last. */
export function daemonOf(store: OperateReader | undefined): DaemonInfo | undefined {
  const lease = store?.lease();
  if (!lease) return undefined;
  const { owner, acquiredAt, expiresAt } = lease;
  return { host: owner.host, pid: owner.pid, since: acquiredAt, expiresAt };
}

const pausedNow = (
  store: OperateReader | undefined,
  kind: TickKind,
  one: { readonly name: string; readonly enabled: boolean },
): boolean => isPaused(one, store?.recall(pauseKey(one.name, kind)) as Pause | undefined);

function nextOf(schedule: ScheduleDefinition, now: number): number | undefined {
  const tick = nextTick(cronOf(schedule), now);
  return tick === undefined ? undefined : jittered(schedule, tick);
}

import type { ScheduleDefinition } from '../define/schedule.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { AssetGraph } from '../graph/graph.ts';
import { conditionsOf } from './automation/tick.ts';
import { nextTick } from './cron.ts';
import { CONDITIONS, pauseKey, sensorKey } from './keys.ts';
import { cronOf, isPaused, jittered, type Pause } from './schedules.ts';
import { nextPoll, type SensorMemory } from './sensors.ts';
import type { OperateReader } from './store.ts';

/** What makes ticks: a schedule, a sensor, or the conditions of all assets together. */
export type Ticker =
  | { readonly kind: 'schedule'; readonly name: string; readonly schedule: ScheduleDefinition }
  | { readonly kind: 'sensor'; readonly name: string; readonly sensor: SensorDefinition }
  | {
      readonly kind: 'automation';
      readonly name: typeof CONDITIONS;
      /** That have a condition, in topological order. */
      readonly assets: readonly string[];
    };

/** What a lake has that makes ticks. */
export interface Scheduled {
  readonly graph: AssetGraph;
  readonly schedules: readonly ScheduleDefinition[];
  readonly sensors: readonly SensorDefinition[];
}

/** Schedules, then sensors, then the conditions of assets if there are any. */
export function tickersOf({ graph, schedules, sensors }: Scheduled): Ticker[] {
  const assets = [...conditionsOf(graph).keys()];
  return [
    ...schedules.map((schedule) => ({ kind: 'schedule', name: schedule.name, schedule }) as const),
    ...sensors.map((sensor) => ({ kind: 'sensor', name: sensor.name, sensor }) as const),
    ...(assets.length > 0 ? [{ kind: 'automation', name: CONDITIONS, assets } as const] : []),
  ];
}

/** Whether it makes ticks: not when a person has paused it, nor when its definition says so and no person has said anything. */
export type Standing = 'active' | 'paused' | 'disabled';

/** @param store undefined where no daemon ever was, and nobody said anything. */
export function standingOf(ticker: Ticker, store: Pick<OperateReader, 'recall'> | undefined): Standing {
  const pause = store?.recall(pauseKey(ticker.name, ticker.kind)) as Pause | undefined;
  if (!isPaused({ enabled: isEnabled(ticker) }, pause)) return 'active';
  return pause === undefined ? 'disabled' : 'paused';
}

/** Whether its definition says that it runs. */
export function isEnabled(ticker: Ticker): boolean {
  if (ticker.kind === 'schedule') return ticker.schedule.enabled;
  return ticker.kind === 'automation' || ticker.sensor.enabled;
}

/** When it is due next if it is active, ms UTC; undefined where that is never, or (conditions) not known. */
export function nextOf(
  ticker: Ticker,
  store: Pick<OperateReader, 'recall'> | undefined,
  now: number,
): number | undefined {
  if (ticker.kind === 'automation') return undefined;
  if (ticker.kind === 'sensor')
    return nextPoll(ticker.sensor, store?.recall(sensorKey(ticker.name)) as SensorMemory | undefined, now);
  const tick = nextTick(cronOf(ticker.schedule), now);
  return tick === undefined ? undefined : jittered(ticker.schedule, tick);
}

/** What becomes of the time for which it was paused, as a sentence. */
export function resumedText({ kind, name }: Pick<Ticker, 'kind' | 'name'>): string {
  if (kind === 'schedule') return `${name} goes on. What came due while it was paused is not made up for.`;
  if (kind === 'sensor') return `${name} goes on. Its next look finds what is new since its last one.`;
  return `${name} go on. What has become missing or stale meanwhile is requested.`;
}

export const pausedText = ({ kind, name }: Pick<Ticker, 'kind' | 'name'>): string =>
  `${name} ${kind === 'automation' ? 'are' : 'is'} paused.`;

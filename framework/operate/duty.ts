import { serializeError } from '../common/errors.ts';
import type { ScheduleDefinition } from '../define/schedule.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { RunControl } from '../materialize/context.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { PartitionSet } from '../partition/set.ts';
import { type PackedPartitions, unpackPartitions } from './automation/cursor.ts';
import { conditionsOf } from './automation/tick.ts';
import { afterShakyRun, type Backoff } from './backoff.ts';
import { avoidedSources, rememberSources } from './circuits.ts';
import { BACKOFFS, pauseKey, requestKey, sensorBackoffKey } from './keys.ts';
import type { Loaded } from './loaded.ts';
import type { Log } from './log.ts';
import { CONDITIONS_PRIORITY, conditionsWork, runRequests } from './requests.ts';
import { isPaused, type Pause } from './schedules.ts';
import type { ResolvedRequest } from './sensors.ts';
import type { OperateStore, TickRecord } from './store.ts';
import { runSchedule, runWork, type TickResult } from './tick.ts';

/** What a tick has to do. */
export interface Duty {
  readonly lake: OpenedLake;
  /** What waits with a greater one goes first. */
  readonly priority: number;
  /** Never rejects. */
  readonly work: (control: RunControl) => Promise<TickResult>;
  /** Facts to be remembered with how it ended. */
  readonly after?: (result: TickResult) => Readonly<Record<string, unknown>>;
}

export interface DutyOptions {
  readonly store: OperateStore;
  readonly log: Log;
  /** ms UTC. */
  readonly now: () => number;
}

/** What a tick has to do by what is declared and remembered now; undefined where that is paused, or not declared any more. */
export function dutyOf(
  options: DutyOptions,
  { lake, schedules, sensors }: Loaded,
  { kind, name, due }: Pick<TickRecord, 'kind' | 'name' | 'due'>,
): Duty | undefined {
  const { store } = options;
  const pause = store.recall(pauseKey(name, kind)) as Pause | undefined;
  if (kind === 'schedule') {
    const schedule = schedules.find((one) => one.name === name);
    return schedule && !isPaused(schedule, pause) ? ofSchedule(options, lake, schedule, due) : undefined;
  }
  const request = store.recall(requestKey(kind, name));
  if (request === undefined) return undefined;
  if (kind === 'sensor') {
    const sensor = sensors.find((one) => one.name === name);
    if (!sensor || isPaused(sensor, pause)) return undefined;
    return ofSensor(options, lake, sensor, request as readonly ResolvedRequest[]);
  }
  const conditions = conditionsOf(lake.graph);
  const packed = Object.entries(request as Readonly<Record<string, PackedPartitions>>);
  const targets = new Map(
    packed.flatMap(([asset, set]) => (conditions.has(asset) ? [[asset, unpackPartitions(set)] as const] : [])),
  );
  if (targets.size === 0 || isPaused({ enabled: true }, pause)) return undefined;
  return ofConditions(options, lake, name, targets);
}

function ofSchedule(options: DutyOptions, lake: OpenedLake, schedule: ScheduleDefinition, due: number): Duty {
  const { store, now } = options;
  return {
    lake,
    priority: schedule.priority,
    work: (control) =>
      answering(options, () => runSchedule(lake, schedule, due, control, avoidedSources(store, now()))),
  };
}

function ofSensor(
  options: DutyOptions,
  lake: OpenedLake,
  sensor: SensorDefinition,
  requests: readonly ResolvedRequest[],
): Duty {
  const { store, now } = options;
  const { name, priority } = sensor;
  const [request, backoff] = [requestKey('sensor', name), sensorBackoffKey(name)];
  return {
    lake,
    priority,
    work: (control) =>
      runRequests(sensor, requests, (asked) =>
        answering(options, () => runWork(lake, { ...asked, avoid: avoidedSources(store, now()) }, control)),
      ),
    after: ({ outcome, undone = requests }) => {
      // Its cursor has moved on: nobody else would ask for it again.
      if (outcome === 'interrupted') return {};
      if (outcome !== 'failed') return { [request]: undefined, [backoff]: undefined };
      return { [request]: undone, [backoff]: afterShakyRun(store.recall(backoff) as Backoff | undefined, now()) };
    },
  };
}

function ofConditions(
  { store, now }: DutyOptions,
  lake: OpenedLake,
  name: string,
  targets: ReadonlyMap<string, PartitionSet>,
): Duty {
  return {
    lake,
    priority: CONDITIONS_PRIORITY,
    work: (control) => runWork(lake, conditionsWork(targets), control),
    after: ({ outcome, shaky }) => {
      const facts: Record<string, unknown> = {};
      // What was interrupted is begun again.
      if (outcome !== 'interrupted') facts[requestKey('automation', name)] = undefined;
      for (const asset of targets.keys()) {
        const known = store.recall(`${BACKOFFS}${asset}`) as Backoff | undefined;
        if (shaky?.has(asset)) facts[`${BACKOFFS}${asset}`] = afterShakyRun(known, now());
        else if (known) facts[`${BACKOFFS}${asset}`] = undefined;
      }
      return facts;
    },
  };
}

/** Remembers which sources answered. Never rejects. */
async function answering({ store, log, now }: DutyOptions, work: () => Promise<TickResult>): Promise<TickResult> {
  try {
    const result = await work();
    rememberSources(store, log, result.sources ?? new Map(), now());
    return result;
  } catch (thrown) {
    // What is remembered could not be read or written.
    const error = serializeError(thrown);
    return { outcome: 'failed', decision: error.message, error };
  }
}

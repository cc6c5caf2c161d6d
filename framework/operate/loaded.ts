import type { ScheduleDefinition } from '../define/schedule.ts';
import type { SensorDefinition } from '../define/sensor.ts';
import type { OpenedLake } from '../materialize/open.ts';

/** What the daemon keeps fresh, and when. A reload replaces it; runs that began with an earlier one end with it. */
export interface Loaded {
  readonly lake: OpenedLake;
  readonly schedules: readonly ScheduleDefinition[];
  readonly sensors: readonly SensorDefinition[];
}

import type { TickKind } from './store.ts';

// Keys of what is remembered. What a person says about pauses is anybody's to write, the others are the daemon's.

/** All conditions of a lake are decided together, by ticks of this name. */
export const CONDITIONS = 'conditions';

export const pauseKey = (name: string, kind: TickKind = 'schedule') => `${kind}/pause/${name}`;
export const seenKey = (schedule: string) => `schedule/seen/${schedule}`;
export const sensorKey = (sensor: string) => `sensor/memory/${sensor}`;
/** What was asked for and is not done, for whoever begins it again. Schedules say so themselves. */
export const requestKey = (kind: TickKind, name: string) => `${kind}/request/${name}`;
/** Since when, and how often, what a sensor asked for fails. */
export const sensorBackoffKey = (sensor: string) => `sensor/backoff/${sensor}`;
/** Before names of assets: how often in a row what conditions requested of them failed in passing. */
export const BACKOFFS = 'automation/backoff/';
/** Before names of sources. */
export const CIRCUITS = 'circuit/';
export const HOUSEKEEPING = 'housekeeping';

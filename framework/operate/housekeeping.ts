import type { Lake } from '../materialize/lake.ts';

const DAY_MS = 86_400_000;

/** What is remembered of it. */
export interface Housekeeping {
  /** ms UTC. */
  readonly at: number;
}

export function isHousekeepingDue(last: Housekeeping | undefined, now: number): boolean {
  return last === undefined || now - last.at >= DAY_MS || last.at > now;
}

/**
 * Keeps what grows with time within bounds: events of the log that no checkpoint needs, old runs, and unfinished writes of processes
 * that died. Files of the lake are not touched: those that nothing needs go with every run.
 */
export async function keepHouse(
  { state, store }: Lake,
  now: number,
  retentionDays: number,
): Promise<{ readonly events: number; readonly runs: number; readonly stages: number }> {
  if (state.eventsSinceCheckpoint() > 0) state.checkpoint();
  const pruned = state.prune({ keepEventsAfterMs: now - retentionDays * DAY_MS });
  return { ...pruned, stages: await store.sweepStaging(DAY_MS, now) };
}

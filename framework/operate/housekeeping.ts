import { publishThenRemove } from '../materialize/catalogue.ts';
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
 * that died. Files that others took the place of go with every run; here go those that had to stay for a while, where no run came since.
 */
export async function keepHouse(
  lake: Lake,
  now: number,
  retentionDays: number,
): Promise<{ readonly events: number; readonly runs: number; readonly stages: number; readonly files: number }> {
  const { state, store } = lake;
  if (state.eventsSinceCheckpoint() > 0) state.checkpoint();
  const pruned = state.prune({ keepEventsAfterMs: now - retentionDays * DAY_MS });
  const stages = await store.sweepStaging(DAY_MS, now);
  // Last, for a catalogue that cannot be written must not let the log grow. What Glue refuses, every run says.
  return { ...pruned, stages, files: await publishThenRemove(lake, now, () => undefined) };
}

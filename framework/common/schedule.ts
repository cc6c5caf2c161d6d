import type { Tags } from './tags.ts';

// The words of schedules, which definitions and the configuration file both say.

/** What a schedule does when it is due. `materialize-stale` looks at the selected sources first; `observe` does only that. */
export const SCHEDULE_ACTIONS = ['materialize-stale', 'observe', 'check'] as const;
export type ScheduleAction = (typeof SCHEDULE_ACTIONS)[number];

/** A tick that comes while the one before is still running is left out, or waits for it. */
export const OVERLAPS = ['skip', 'queue'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** Of ticks that nobody was there to see: none is made up for, the last one is, or each of them in turn. */
export const CATCH_UPS = ['none', 'last', 'all'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** What a run's turn is decided by, and what it is found by later; of schedules and sensors alike. */
export interface RunWords {
  /** What waits with a greater one goes first; a whole number. Default 0; conditions of assets have -1. */
  readonly priority?: number;
  /** Tags of its runs: `{ team: 'research' }`, as `--tag` says them. */
  readonly tags?: Tags;
}

export const SCHEDULE_NAME = /^[a-z][a-z0-9_-]*$/;

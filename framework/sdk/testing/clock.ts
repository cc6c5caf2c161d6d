import { LakehouseError } from '../../common/errors.ts';

/** So much time. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly ms?: number;
}

/** A clock that only goes where it is put. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  readonly now: () => number;
  readonly advance: (by: Duration) => void;
  /** Of an instant like `2024-01-31T12:00Z`. */
  readonly set: (to: string | Date) => void;
}

/** @throws LakehouseError `bad-instant` (usage). */
export function fixedClock(at: string | Date): Clock {
  let current = instantOf(at);
  return {
    now: () => current,
    advance: ({ days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 }) => {
      current = instantOf(new Date(current + (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + ms));
    },
    set: (to) => {
      current = instantOf(to);
    },
  };
}

function instantOf(at: string | Date): number {
  // Without a zone it would be another instant on every machine.
  const ms =
    at instanceof Date ? at.getTime() : /^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:?\d\d$/.test(at) ? Date.parse(at) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new LakehouseError('bad-instant', `'${String(at)}' is not an instant`, {
    hint: 'Write it with its zone: 2024-01-31T12:00:00Z.',
  });
}

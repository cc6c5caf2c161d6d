/** Status of a partition, by code in `SeriesEvaluation.status`. `none`: there is no such partition. */
export const STATUSES = [
  'none',
  'fresh',
  'stale',
  'pending',
  'missing',
  'blocked',
  'awaiting',
  'unavailable',
  'failed',
  'leaving',
  'unneeded',
] as const;
export type Status = (typeof STATUSES)[number];
export const statusCode = (status: Status): number => STATUSES.indexOf(status);

/**
 * Why a partition is to be computed: bits of `SeriesEvaluation.causes`. `departed`: the newest change of what it reads is that
 * something left; `data`: it is any other.
 */
export const CAUSES = ['missing', 'code', 'data', 'departed', 'choice', 'forced'] as const;
export type Cause = (typeof CAUSES)[number];
export const MISSING_CAUSE = 1;
export const CODE_CAUSE = 2;
export const DATA_CAUSE = 4;
export const DEPARTED_CAUSE = 8;
export const CHOICE_CAUSE = 16;
export const FORCED_CAUSE = 32;

/** Whether a partition would be computed: not, surely, or only if an upstream's content really changes. */
export const RUN_NOT = 0;
export const RUN_WILL = 1;
export const RUN_MAY = 2;

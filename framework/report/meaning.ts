import type { Status } from '../plan/evaluate.ts';

const MEANING: Readonly<Record<Status, string>> = {
  none: 'there is no such partition',
  fresh: 'up to date',
  stale: 'has content, to be computed again',
  pending: 'has content, to be computed again if what it reads changes',
  missing: 'has no content, can be computed',
  blocked: 'cannot be computed: what it reads failed',
  awaiting: 'cannot be computed yet: not published',
  unavailable: 'cannot be computed: not at the source',
  failed: 'the last attempt failed',
  leaving: 'has content, will leave the lake with the next run',
  unneeded: 'would be computed, but another alternative serves',
};

/** What the status of a partition means, for those who meet it first here. */
export const meaningOf = (status: Status, kind: 'source' | 'asset'): string =>
  kind === 'source' && status === 'leaving' ? 'at the source, but not wanted here' : MEANING[status];

import type { SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { Cause } from '../plan/evaluate.ts';
import type { HoldStep } from '../plan/plan.ts';

/** What a run tells its subscribers, in order. The same events are printed by `--json`, one per line. */
export type RunEvent =
  | RunWarning
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly at: number;
      readonly selection: string;
      readonly tags?: Tags;
    }
  | { readonly type: 'observing'; readonly asset: string }
  | {
      readonly type: 'observed';
      readonly asset: string;
      readonly seen: number;
      readonly changed: number;
      readonly withdrawn: number;
      readonly ms: number;
    }
  | {
      readonly type: 'planned';
      readonly will: number;
      readonly may: number;
      readonly batches: number;
      readonly files: number;
    }
  | { readonly type: 'departed'; readonly asset: string; readonly partitions: number }
  | {
      readonly type: 'asset-started';
      readonly asset: string;
      readonly partitions: number;
      readonly batches: number;
      readonly causes: Readonly<Partial<Record<Cause, number>>>;
    }
  | {
      readonly type: 'batch-finished';
      readonly asset: string;
      readonly partitions: number;
      readonly changed: number;
      readonly rows: number;
      readonly bytes: number;
      readonly ms: number;
    }
  | {
      readonly type: 'partition-failed';
      readonly asset: string;
      readonly partition: string;
      readonly error: SerializedError;
    }
  | {
      readonly type: 'check-failed';
      readonly asset: string;
      readonly partition: string;
      readonly check: string;
      readonly severity: 'warn' | 'error';
      readonly failedRows: number;
    }
  | {
      readonly type: 'retry';
      readonly asset: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: SerializedError;
    }
  | { readonly type: 'waiting'; readonly asset: string; readonly partitions: number; readonly heldBy: string }
  | { readonly type: 'held'; readonly asset: string; readonly reason: HoldStep['reason']; readonly partitions: number }
  | {
      readonly type: 'asset-finished';
      readonly asset: string;
      readonly done: number;
      readonly changed: number;
      readonly failed: number;
      readonly ms: number;
    }
  | {
      readonly type: 'run-finished';
      readonly run: string;
      readonly outcome: 'succeeded' | 'failed' | 'cancelled';
      readonly counts: RunCounts;
      readonly ms: number;
    };

/** What may make an asset's results differ from run to run, or slow; its definition is the place to mend it. */
export interface RunWarning {
  readonly type: 'warning';
  readonly asset: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type Emit = (event: RunEvent) => void;

/**
 * Partitions of a run. `held` are those that could not be computed now: awaiting, blocked, or failed before with nothing changed
 * since; the last are `standing`.
 */
export interface RunCounts {
  computed: number;
  changed: number;
  failed: number;
  held: number;
  standing: number;
  departed: number;
  checksFailed: number;
  rows: number;
  bytes: number;
}

export const newCounts = (): RunCounts => ({
  computed: 0,
  changed: 0,
  failed: 0,
  held: 0,
  standing: 0,
  departed: 0,
  checksFailed: 0,
  rows: 0,
  bytes: 0,
});

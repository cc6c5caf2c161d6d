import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { RetryPolicy } from '../define/model.ts';
import type { AssetNode } from '../graph/graph.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import type { Breaker } from './breaker.ts';
import type { Emit, RunCounts } from './events.ts';
import type { Lake } from './lake.ts';
import type { RetryControl } from './retry.ts';

/** How a run is told to end, and where it tells what it does. */
export interface RunControl {
  /** Aborted: start nothing new; what is running finishes. */
  readonly stopping: AbortSignal;
  /** Aborted: stop now; nothing of what is running commits. */
  readonly signal: AbortSignal;
  readonly emit: Emit;
}

/** What all batches of one asset in one run share. */
export interface BatchContext {
  readonly lake: Lake;
  readonly run: string;
  readonly node: AssetNode;
  readonly evaluation: AssetEvaluation;
  /** Evaluations of what is upstream, made after it had its turn. */
  readonly upstream: (asset: string) => AssetEvaluation;
  /** Revision the evaluation was made at. */
  readonly head: number;
  /** The plan's clock: it says which pack a partition belongs to. */
  readonly now: number;
  /** Aborted: start nothing new. */
  readonly stopping: AbortSignal;
  /** Aborted: stop now; nothing commits any more. */
  readonly signal: AbortSignal;
  readonly emit: Emit;
  readonly counts: RunCounts;
  /** For what is fetched. */
  readonly breaker: Breaker;
  /** Runs a task when one of the pool's slots is free. */
  readonly pool: <T>(task: () => Promise<T>) => Promise<T>;
  /**
   * Resolves when the pool's rate lets one more begin: an attempt of a function, or a statement.
   * @throws LakehouseError `told-to-stop` (conflict) when the run is to start nothing new while it waits.
   */
  readonly begin: () => Promise<void>;
}

export function toldToStop(): LakehouseError {
  return new LakehouseError('told-to-stop', 'The run was told to stop before this began', { kind: 'conflict' });
}

/** What was not begun has not failed either. */
export const isToldToStop = (error: unknown): boolean => isLakehouseError(error) && error.code === 'told-to-stop';

export function policyOf({ lake, node }: BatchContext): RetryPolicy {
  const { retryAttempts, retryDelayMs } = lake.settings;
  return node.definition.retry ?? { retries: retryAttempts, delayMs: retryDelayMs, maxDelayMs: 30_000 };
}

export function retryControl({ lake, signal, stopping, emit }: BatchContext): RetryControl {
  return { signal, stopping, emit, id: lake.id };
}

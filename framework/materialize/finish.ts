import { serializeError } from '../common/errors.ts';
import { printKey } from '../partition/space.ts';
import type { CheckOutcome } from '../state/events.ts';
import type { ClaimToken } from '../state/store.ts';
import type { Staged } from '../storage/store.ts';
import type { Target } from './bind.ts';
import { commit, type Outcome } from './commit.ts';
import { namedError } from './compute.ts';
import type { BatchContext } from './context.ts';
import type { PackPlanning } from './files.ts';
import { mayPass } from './retry.ts';

/** A target that could not be computed, and why. */
export interface Failure {
  readonly target: Target;
  readonly error: unknown;
}

export interface Computed {
  readonly targets: readonly Target[];
  /** One per target. */
  readonly outcomes: readonly Outcome[];
  readonly planning: PackPlanning;
  /** One per pack of the planning, written. */
  readonly staged: readonly Staged[];
  /** SHA-256 of each, hex, where that is known from writing it. */
  readonly hashes?: readonly string[];
  readonly checks: readonly CheckOutcome[];
  /** Revision before the first input was looked up. */
  readonly verified: number;
  readonly ordered: boolean;
  /** By the performance clock. */
  readonly started: number;
}

/** Commits what was computed, counts it and tells. */
export async function finish(context: BatchContext, claim: ClaimToken, computed: Computed): Promise<void> {
  const { lake, node, run, counts, emit, signal } = context;
  const { targets, outcomes, checks, started } = computed;
  signal.throwIfAborted();
  const elapsed = () => performance.now() - started;
  const changed = await commit(lake, { ...computed, node, run, guard: { claim }, signal, ms: elapsed() });
  const rows = outcomes.reduce((sum, o) => sum + o.rows, 0);
  const bytes = outcomes.reduce((sum, o) => sum + o.bytes, 0);
  counts.computed += targets.length;
  counts.changed += changed;
  counts.rows += rows;
  counts.bytes += bytes;
  for (const { check, severity, values, time, failedRows } of checks) {
    if (severity === 'error') counts.checksFailed++;
    emit({
      type: 'check-failed',
      asset: node.key,
      partition: printKey(node.space, { values, time }),
      check,
      severity,
      failedRows,
    });
  }
  emit({
    type: 'batch-finished',
    asset: node.key,
    partitions: targets.length,
    changed,
    rows,
    bytes,
    ms: Math.round(elapsed()),
  });
}

/** Records failures. `head` is a revision from before the attempt: whatever changed later is a reason to try again. */
export function recordFailures(
  { lake, node, run, counts, emit }: BatchContext,
  head: number,
  failures: readonly Failure[],
): void {
  if (failures.length === 0) return;
  const told = failures.map(({ target, error }) => ({
    target,
    transient: mayPass(error),
    error: serializeError(namedError(node, target, error)),
  }));
  lake.state.append({
    kind: 'failed',
    asset: node.key,
    run,
    code: node.code,
    head,
    failures: told.map(({ target, transient, error }) => ({
      series: target.seriesKey,
      values: target.values,
      time: target.time,
      transient,
      error,
    })),
  });
  counts.failed += failures.length;
  for (const { target, error } of told)
    emit({ type: 'partition-failed', asset: node.key, partition: target.key, error });
}

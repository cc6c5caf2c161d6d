import { LakehouseError } from '../common/errors.ts';
import type { RunEvent } from '../materialize/events.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { type Observed, observeSources } from '../materialize/recorded.ts';
import { materialize } from '../materialize/run.ts';
import type { AssetFreshness } from '../plan/freshness.ts';
import { filterOf } from './filter.ts';
import { type Selected, selected } from './plan.ts';
import { requireMatch, selectAssets } from './select.ts';
import { type Selection, selectionText } from './selection.ts';
import { statusOf } from './status.ts';
import type {
  AssetLag,
  FailedCheck,
  FailedPartition,
  LakeStatus,
  MaterializeOptions,
  MaterializeResult,
  ObserveOptions,
  StatusOptions,
  WorkOptions,
} from './types.ts';

/** What is asked for, checked against the graph. */
export function requestOf(lake: OpenedLake, selection: Selection | undefined, options: WorkOptions): Selected {
  return selected(lake, selectionText(selection), (keys) => filterIn(lake, keys, options), options);
}

const filterIn = ({ graph }: OpenedLake, keys: readonly string[], { partitions }: StatusOptions) =>
  filterOf(
    partitions,
    keys.map((key) => graph.node(key).space),
    'These partitions cannot be selected:',
  );

export function lakeStatus(lake: OpenedLake, selection: Selection | undefined, options: StatusOptions): LakeStatus {
  const keys = selectAssets(lake.graph, selectionText(selection));
  const { revision, neverObserved, rows } = statusOf(lake, keys, filterIn(lake, keys, options));
  const date = (ms: number) => new Date(ms);
  return {
    revision,
    neverObserved,
    assets: rows.map(({ asset, kind, known, counts, lastObservedAt, lastComputedAt, lastRun, freshness }) => ({
      asset,
      kind,
      known,
      counts,
      ...(lastObservedAt !== undefined && { lastObserved: date(lastObservedAt) }),
      ...(lastComputedAt !== undefined && { lastComputed: date(lastComputedAt) }),
      ...(lastRun !== undefined && { lastRun }),
      ...(freshness && { freshness: lagOf(freshness) }),
    })),
  };
}

function lagOf({ status, worst }: AssetFreshness): AssetLag {
  if (!worst) return { status };
  const { series, lagMs, limitMs, deadline } = worst;
  return {
    status,
    worst: { series, lagMs, limitMs, deadline: deadline === undefined ? undefined : new Date(deadline) },
  };
}

/** Runs `materialize`, and collects what went wrong. */
export async function materializeLake(
  lake: OpenedLake,
  selection: Selection | undefined,
  options: MaterializeOptions,
  signal: AbortSignal,
): Promise<MaterializeResult> {
  const { keys, ...request } = requestOf(lake, selection, options);
  const { observe = true, onEvent, stopping, tags, priority } = options;
  const failures: FailedPartition[] = [];
  const checks: FailedCheck[] = [];
  const held: MaterializeResult['held'][number][] = [];
  // A run that its listener lets down ends in order, as one that is aborted.
  const listener = new AbortController();
  const ending = AbortSignal.any([signal, listener.signal]);
  const emit = (event: RunEvent) => {
    if (event.type === 'partition-failed') failures.push(event);
    else if (event.type === 'check-failed') checks.push(event);
    else if (event.type === 'held') held.push(event);
    heard(listener, () => onEvent?.(event));
  };
  const command = `lake.materialize(${JSON.stringify(request.selection ?? '*')})`;
  const control = { stopping: stopping ?? ending, signal: ending, emit };
  const { run, outcome, counts } = await materialize(lake, { ...request, command, observe, tags, priority }, control);
  listener.signal.throwIfAborted();
  // Nothing was done because nothing is meant: it was probably misspelt.
  if (counts.computed + counts.failed === 0) requireMatch(lake, lake.state.index(), keys, request.filter);
  return {
    run,
    outcome,
    counts,
    failures: failures.map(({ asset, partition, error }) => ({ asset, partition, error })),
    checks: checks.map(({ asset, partition, check, severity, failedRows }) => ({
      asset,
      partition,
      check,
      severity,
      failedRows,
    })),
    held: held.map(({ asset, reason, partitions }) => ({ asset, reason, partitions })),
  };
}

/** Tells a program something; what it throws ends what it is told of. */
function heard(listener: AbortController, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    listener.abort(error);
  }
}

/** Looks at the selected sources. @throws LakehouseError `no-sources` (usage). */
export async function observeLake(
  lake: OpenedLake,
  selection: Selection | undefined,
  { audit, onEvent = () => undefined }: ObserveOptions,
  signal: AbortSignal,
): Promise<readonly Observed[]> {
  const text = selectionText(selection);
  const sources = selectAssets(lake.graph, text).filter((key) => lake.graph.node(key).definition.kind === 'source');
  if (sources.length === 0)
    throw new LakehouseError('no-sources', `'${text}' selects no source`, {
      hint: `To look at what assets are made of, write '+${text}'`,
    });
  const command = `lake.observe(${JSON.stringify(text ?? '*')})`;
  const run = { command, selection: text ?? '*', audit };
  const listener = new AbortController();
  const ending = AbortSignal.any([signal, listener.signal]);
  const emit = (event: RunEvent) => heard(listener, () => onEvent(event));
  const found = await observeSources(lake, sources, run, { signal: ending, stopping: ending, emit });
  listener.signal.throwIfAborted();
  return found;
}

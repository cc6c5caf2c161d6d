import type { SerializedError } from '../common/errors.ts';
import type { AssetNode } from '../graph/graph.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { type PartitionRef, parseKey, seriesKey } from '../partition/space.ts';
import type { Explanation } from '../plan/explain.ts';
import type { CheckOutcome, StoredEvent } from '../state/events.ts';
import { versionHex } from '../state/events.ts';
import { failuresOf } from './checks.ts';

/** What the log says about one partition beyond its status. */
export interface PartitionFacts {
  readonly last?: {
    readonly revision: number;
    readonly at: number | undefined;
    readonly run: string | undefined;
    readonly rows: number;
    readonly bytes: number;
    readonly version: string;
    readonly file: string | undefined;
  };
  /** The attempt that failed since then. Without an error where its event was pruned. */
  readonly failure?: {
    readonly at: number | undefined;
    readonly run: string | undefined;
    readonly attempts: number;
    readonly transient: boolean;
    readonly error: SerializedError | undefined;
  };
  readonly checks: readonly Pick<CheckOutcome, 'check' | 'severity' | 'failedRows' | 'sample' | 'sql'>[];
}

export function factsOf(lake: OpenedLake, node: AssetNode, ref: PartitionRef): PartitionFacts {
  const { state } = lake;
  const series = seriesKey(node.space, ref.values);
  const details = state.details(node.key, series);
  const i = details ? ref.time - details.base : -1;
  const revision = details?.revision[i] ?? 0;
  const event = revision > 0 ? eventAt(lake, revision) : undefined;
  const failure = state.index().asset(node.key)?.failure(series, ref.time);
  const failed = failure && eventAt(lake, failure.revision);
  return {
    ...(details &&
      revision > 0 && {
        last: {
          revision,
          at: event?.at,
          run: runOf(event),
          rows: details.rows[i] ?? 0,
          bytes: details.bytes[i] ?? 0,
          version: versionHex(details.version, i),
          file: state.fileOf(node.key, series, ref.time)?.path,
        },
      }),
    ...(failure && {
      failure: {
        at: failed?.at,
        run: runOf(failed),
        attempts: failure.attempts,
        transient: failure.transient,
        error: errorIn(failed, series, ref.time),
      },
    }),
    checks: revision > 0 ? checksOf(lake, node.key, series, ref.time, revision) : [],
  };
}

/** Why the last attempt failed, where an explanation says that it did. */
export function failureOf(
  lake: OpenedLake,
  { asset, partition, status }: Pick<Explanation, 'asset' | 'partition' | 'status'>,
): SerializedError | undefined {
  if (status !== 'failed') return undefined;
  const node = lake.graph.node(asset);
  // The declared space: what the settings do not want any more is explained too.
  return factsOf(lake, node, parseKey(node.definition.space, partition)).failure?.error;
}

function eventAt({ state }: OpenedLake, revision: number): StoredEvent | undefined {
  const [event] = state.events({ after: revision - 1, limit: 1 });
  return event?.revision === revision ? event : undefined;
}

const runOf = (stored: StoredEvent | undefined): string | undefined =>
  stored && 'run' in stored.event ? stored.event.run : undefined;

function errorIn(stored: StoredEvent | undefined, series: string, time: number): SerializedError | undefined {
  if (stored?.event.kind !== 'failed') return undefined;
  return stored.event.failures.find((failure) => failure.series === series && failure.time === time)?.error;
}

function checksOf(
  { state }: OpenedLake,
  asset: string,
  series: string,
  time: number,
  revision: number,
): PartitionFacts['checks'] {
  return [...failuresOf(state, asset, series, time, revision).values()].map(
    ({ check, severity, failedRows, sample, sql }) => ({
      check,
      severity,
      failedRows,
      ...(sample && { sample }),
      ...(sql !== undefined && { sql }),
    }),
  );
}

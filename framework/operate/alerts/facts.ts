import type { AlertSeverity } from '../../common/alerts.ts';
import type { SerializedError } from '../../common/errors.ts';
import type { PartitionSet } from '../../partition/set.ts';
import type { AssetFreshness } from '../../plan/freshness.ts';
import type { Circuit } from '../circuit.ts';
import type { Lease, TickKind, TickRecord } from '../store.ts';

/**
 * What there is to judge. What is left out is not known, and alerts about it stay what they were; what is given is complete: a schedule
 * that is not listed does not exist.
 */
export interface Facts {
  readonly ticks?: readonly TickHistory[];
  readonly lake?: LakeFacts;
  /** By source; none of those that answer. */
  readonly circuits?: ReadonlyMap<string, Circuit>;
  /** The lease of a daemon that died: its successor tells once, when it becomes active. */
  readonly crashed?: Lease;
  /** How the last attempt to load settings and definitions went; a start is one that went well. */
  readonly reload?: { readonly error?: SerializedError };
}

/** Ticks of a schedule or sensor, or of the conditions of assets; latest first. Those that run or were skipped count for nothing. */
export interface TickHistory {
  readonly kind: TickKind;
  readonly name: string;
  readonly ticks: readonly TickRecord[];
}

export interface LakeFacts {
  /** Of every asset that has a policy. */
  readonly freshness: ReadonlyMap<string, AssetFreshness>;
  readonly failures: readonly FailingAsset[];
  readonly checks: CheckNews;
  /** The key of a partition as people write it. */
  readonly nameOf: (asset: string, series: string, time: number) => string;
  /** Bytes of all files that the log knows, also superseded ones; undefined where nobody asked. */
  readonly storageBytes: number | undefined;
}

/** An asset with partitions that could not be computed. */
export interface FailingAsset {
  readonly asset: string;
  readonly partitions: number;
  /** The partition that failed most often in a row, how often, and what it said last; the count stops at some thousand partitions. */
  readonly worst: {
    readonly partition: string;
    readonly attempts: number;
    /** When it failed last, ms UTC. */
    readonly at: number | undefined;
    readonly error: SerializedError | undefined;
  };
}

/** Results of checks that the log has had since the last look. */
export interface CheckNews {
  /** Revision that was read to. */
  readonly to: number;
  /** Names of the checks that the definitions have, by asset. */
  readonly known: ReadonlyMap<string, ReadonlySet<string>>;
  /** In order. */
  readonly results: readonly CheckResults[];
}

/** Of one event: partitions that are gone, or of which checks were made. */
export interface CheckResults {
  readonly asset: string;
  readonly at: number;
  readonly set: PartitionSet;
  /** The checks that were made; undefined for all. */
  readonly checks: readonly string[] | undefined;
  readonly failed: readonly {
    readonly check: string;
    readonly severity: AlertSeverity;
    readonly series: string;
    readonly time: number;
  }[];
}

import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { Engine } from '../engine/port.ts';
import type { AssetGraph } from '../graph/graph.ts';
import type { BatchLimits } from '../plan/plan.ts';
import type { StateReader, StateWriter } from '../state/store.ts';
import type { ObjectStore } from '../storage/store.ts';

/** How runs behave, from the settings. */
export interface RunSettings {
  readonly limits: BatchLimits;
  /** Size of each concurrency pool; `default` bounds the statements that run at once. */
  readonly pools: Readonly<Record<string, number>>;
  /** Slots of a pool that is not in `pools`. */
  readonly defaultPool: number;
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly claimTtlMs: number;
  readonly checkpointEvery: number;
}

/** An opened lake: everything a run needs, handed down instead of looked up. */
export interface Lake<TState extends StateReader = StateWriter> {
  readonly definition: LakehouseDefinition;
  readonly graph: AssetGraph;
  readonly state: TState;
  readonly store: ObjectStore;
  readonly engine: () => Promise<Engine>;
  /** Clients for compute functions and observations; made when first needed. */
  readonly resources: () => Readonly<Record<string, unknown>>;
  readonly wants: (dimension: string, value: string) => boolean;
  readonly settings: RunSettings;
  /** Code versions in the log that are known to be older than this process's own: those of when it was opened, then its own. */
  readonly newest: { definitions: Readonly<Record<string, string>> };
  /** Milliseconds since the epoch, UTC. */
  readonly now: () => number;
  /** A fresh random name, for runs and files. */
  readonly id: () => string;
  readonly host: string;
  readonly pid: number;
}

import type { GlueApi } from '../catalogue/glue/api.ts';
import type { CatalogueSettings } from '../config/catalogue.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { Engine } from '../engine/port.ts';
import type { AssetGraph } from '../graph/graph.ts';
import type { BatchLimits } from '../plan/plan.ts';
import type { StateReader, StateWriter } from '../state/store.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Pools } from './pools.ts';

/** How runs behave, from the settings. */
export interface RunSettings {
  readonly limits: BatchLimits;
  /** Slots of a pool that has no size of its own. */
  readonly defaultPool: number;
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly claimTtlMs: number;
  readonly checkpointEvery: number;
}

/** How a lake is told to others. */
export interface Publishing {
  readonly settings: CatalogueSettings;
  /** ms that superseded files stay. */
  readonly keepMs: number;
  /** A connection to Glue, to be closed; undefined where nothing is registered there. */
  readonly glue: (() => Promise<GlueApi>) | undefined;
}

/** An opened lake: everything a run needs, handed down instead of looked up. */
export interface Lake<TState extends StateReader = StateWriter> {
  readonly definition: LakehouseDefinition;
  readonly graph: AssetGraph;
  readonly state: TState;
  readonly store: ObjectStore;
  readonly engine: () => Promise<Engine>;
  /** Those of all runs of the process. */
  readonly pools: Pools;
  /** Clients for compute functions and observations; made when first needed. */
  readonly resources: () => Readonly<Record<string, unknown>>;
  readonly wants: (dimension: string, value: string) => boolean;
  readonly settings: RunSettings;
  readonly publishing: Publishing;
  /** How long superseded files of an asset stay at least, ms. */
  readonly keepMs: (asset: string) => number;
  /** Code versions in the log that are known to be older than this process's own: those of when it was opened, then its own. */
  readonly newest: { definitions: Readonly<Record<string, string>> };
  /** Milliseconds since the epoch, UTC. */
  readonly now: () => number;
  /** A fresh random name, for runs and files. */
  readonly id: () => string;
  readonly host: string;
  readonly pid: number;
}

import type { Issue } from '../common/errors.ts';
import type { MappingSpec } from '../partition/mapping.ts';
import type { PartitionSpace, SeriesValues } from '../partition/space.ts';
import type { AutomationCondition } from './automation.ts';
import type { FreshnessPolicy } from './freshness.ts';
import type { SqlTemplate } from './sql.ts';

/**
 * What a declaration becomes: plain, immutable data that every other room reads. The typed faces (`Asset`, `Source`) in
 * `types.ts` are these same objects with phantom types on top.
 *
 * Brands are registered symbols, not classes, so that two copies of the framework recognise each other and can say so.
 */
export const DEFINITION_BRAND: unique symbol = Symbol.for('crypto-lakehouse/definition') as never;

/** A column's type, in DuckDB's words. `physical` is the SQL type in Parquet and in queries. */
export interface ColumnDefinition {
  readonly name: string;
  /** DuckDB type, e.g. `TIMESTAMP`, `DECIMAL(18,8)`, `DOUBLE`, `VARCHAR`, `BIGINT`, `BOOLEAN`, `DATE`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly description?: string | undefined;
}

/** How the bytes of one partition are read as a table. Framework-known formats only; the engine has a reader for each. */
export interface RawFormat {
  readonly type: 'zip-csv' | 'json' | 'bytes';
  /** File extension with its dot. */
  readonly extension: string;
  /**
   * All are read as VARCHAR. zip-csv: names of the CSV columns, in order; a header line is recognised by its first byte not being a
   * digit. json: names of the elements of a row, in order, or of the members read of a row that is an object.
   */
  readonly columns: readonly string[];
  /** Those of the columns that a file may lack, at the end: NULL there. */
  readonly optional?: readonly string[];
  /** json: where in a document its rows are, e.g. `result.*`; the document itself when absent. */
  readonly rows?: string;
}

/** Levels of time at which partitions share a file, once that period is over. */
export type PackLevel = 'partition' | 'month' | 'year';

export type StorageDefinition =
  | {
      readonly type: 'table';
      /** Ascending. A partition lives in the pack of the largest level whose period is closed at the time of writing. */
      readonly packs: readonly PackLevel[];
    }
  | { readonly type: 'raw'; readonly format: RawFormat };

export interface InputAlternative {
  /** `undefined`: the asset itself (a self edge). */
  readonly asset: AssetDefinition | undefined;
  readonly mapping: MappingSpec;
}

export interface InputDefinition {
  readonly name: string;
  readonly need: 'required' | 'ifPresent';
  /** False: what is there is read, and nothing is computed or fetched for this input's sake. */
  readonly asks?: false;
  /** One, or for `firstAvailable` several, best first. */
  readonly alternatives: readonly InputAlternative[];
}

/** What a check reads besides the partition that it checks. */
export interface CheckRead extends InputDefinition {
  /** Only these aggregates over each partition, with its partition columns: one row per partition, NULLs where it has no rows. */
  readonly summary?: SqlTemplate | undefined;
}

export interface CheckDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly severity: 'warn' | 'error';
  /** A blocking check that fails (severity error) keeps downstream partitions from being computed. */
  readonly blocking: boolean;
  /**
   * Empty for a check that is a function of the partition and its inputs: it is part of the batch that computes it. A comparison
   * reads something else; it runs after the run and in `lakehouse check`, and never blocks.
   */
  readonly reads: readonly CheckRead[];
  /**
   * `rows`: a predicate that is TRUE for a bad row; all of an asset's are evaluated in one scan.
   * `query`: selects the bad rows of one partition; `${rows}` is relation `rows`, others are inputs: those of `reads` if it has any,
   * else those of the asset. Fused like any other query. Where `unless`, an aggregate over the partition's rows, is TRUE the query
   * would select nothing, so it is not run.
   */
  readonly test:
    | { readonly type: 'rows'; readonly bad: SqlTemplate }
    | { readonly type: 'query'; readonly select: SqlTemplate; readonly unless?: SqlTemplate };
}

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  /** Wait before the first retry; doubles each time, with jitter. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

/** One partition as user code sees it. Instants are UTC. */
export interface PartitionContext {
  /** Hive key, e.g. `exchange=binance/market=spot/symbol=BTCUSDT/interval=1m/date=2024-01-01`. */
  readonly key: string;
  /** Every dimension's value as text, the time dimension's included. */
  readonly values: Readonly<Record<string, string>>;
  /** Start and end (exclusive) of the partition's time, or undefined where the asset has no time dimension. */
  readonly start: Date | undefined;
  readonly end: Date | undefined;
}

/** What a compute function or an observation may use besides its inputs. */
export interface RuntimeContext {
  readonly resources: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** The run's clock, milliseconds since the epoch, UTC. */
  readonly now: () => number;
}

/** One partition of an input, as a compute function reads it. */
export interface InputPartition {
  readonly key: string;
  readonly values: Readonly<Record<string, string>>;
  /** Absolute path of the immutable file that holds it (together with other partitions, if it is a pack). Not for sources. */
  readonly path: string | undefined;
}

/** Accessors of one input inside a compute function. Everything is restricted to the partitions mapped to the one computed. */
export interface InputReader<TRow = Record<string, unknown>> {
  /** The asset read: which alternative was chosen, for `firstAvailable`. */
  readonly asset: string;
  readonly partitions: readonly InputPartition[];
  /** All rows, ordered by partition time and the asset's sort order. */
  rows(): Promise<TRow[]>;
  /** Columns as arrays: Float64Array for DOUBLE and DECIMAL (inexact), BigInt64Array of microseconds for TIMESTAMP, plain arrays otherwise. */
  columns(names?: readonly (keyof TRow & string)[]): Promise<Record<string, ArrayLike<unknown>>>;
  /** Sources and raw assets: the bytes of the single mapped partition. A source's version is checked against the observed one. */
  bytes(): Promise<Uint8Array>;
}

export interface ComputeContext extends RuntimeContext {
  readonly partition: PartitionContext;
  readonly inputs: Readonly<Record<string, InputReader>>;
}

export type ComputeDefinition =
  | { readonly type: 'sql'; readonly template: SqlTemplate }
  | { readonly type: 'rows'; readonly fn: (context: ComputeContext) => Promise<readonly object[]> | readonly object[] }
  | { readonly type: 'bytes'; readonly fn: (context: ComputeContext) => Promise<Uint8Array> | Uint8Array };

/** One partition that exists at a source, at a version. */
export interface Observation {
  /** Every dimension's value as text; a static dimension with one value may be left out. */
  readonly partition: Readonly<Record<string, string>>;
  /** Any text that changes when the data changes (ETag, size and mtime, …). */
  readonly version: string;
  readonly bytes?: number | undefined;
}

export interface ObserveContext extends RuntimeContext {
  /** Whether a series' value for a dimension is wanted at all; saves listing what nobody asked for. */
  readonly wants: (dimension: string, value: string) => boolean;
  /** `audit`: everything is to be listed. `head`: what is new; how much else costs nothing is the source's to say, by `listsFrom`. */
  readonly mode: 'head' | 'audit';
  /** What is known of a series: how many partitions, and the newest one's time as in a key; undefined when none. */
  readonly known: (
    values: Readonly<Record<string, string>>,
  ) => { readonly count: number; readonly newest: string } | undefined;
  /** Says that of this series only times from this one on are listed: earlier ones count as unchanged, not as withdrawn. */
  readonly listsFrom: (values: Readonly<Record<string, string>>, time: string) => void;
  /** Counts a request, for reports. */
  readonly request: () => void;
}

export interface SourceDefinition {
  /**
   * Whether the settings want this source at all. One that is not wanted is not looked at and nothing more is fetched from it: what was made
   * of it stays, and is all there is of it.
   */
  readonly wanted: ((resources: Readonly<Record<string, unknown>>) => boolean) | undefined;
  /** How old an observation of everything may be before the next has to be one. */
  readonly auditEveryMs: number;
  /** What decides what everything is, as text: where it changes, everything is listed again. */
  readonly auditOf: ((resources: Readonly<Record<string, unknown>>) => string) | undefined;
  readonly observe: (context: ObserveContext) => AsyncIterable<Observation>;
  /** Reads one partition; `version` is that of the bytes actually received. */
  readonly read:
    | ((
        context: RuntimeContext & { readonly partition: PartitionContext },
      ) => Promise<{ bytes: Uint8Array; version: string }>)
    | undefined;
  /** How long after a partition's end it is normally published; until then it is awaited, later it is unavailable. */
  readonly publicationLagMs: number;
  /** A series whose newest partition ended longer ago than this is over: nothing more is awaited from it. */
  readonly liveForMs: number;
}

export interface AssetDefinition {
  readonly [DEFINITION_BRAND]: 1;
  readonly kind: 'asset' | 'source';
  /** `zone/name`, e.g. `silver/klines`. */
  readonly key: string;
  readonly description: string | undefined;
  readonly group: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
  readonly owners: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly space: PartitionSpace;
  readonly inputs: readonly InputDefinition[];
  /** Data columns in file order, without the partition columns. Empty for `bytes`. */
  readonly columns: readonly ColumnDefinition[];
  /** Unique within a partition; the order of rows in the file. */
  readonly sortBy: readonly string[];
  /** A TIMESTAMP column that must fall inside the partition's time. */
  readonly timeColumn: string | undefined;
  /** Every output row derives from one input row alone: batches are computed without LATERAL and rows are dealt to partitions by `timeColumn`. */
  readonly rowwise: boolean;
  readonly storage: StorageDefinition;
  readonly compute: ComputeDefinition | undefined;
  readonly source: SourceDefinition | undefined;
  readonly checks: readonly CheckDefinition[];
  /** At most one by data time and one by materialization time. */
  readonly freshness: readonly FreshnessPolicy[];
  readonly retry: RetryPolicy | undefined;
  /** Name of the concurrency pool its batches draw from. */
  readonly pool: string;
  /** When the daemon computes it by itself; never when undefined. Not part of the code version. */
  readonly automation: AutomationCondition | undefined;
  /** Partitions that once existed are kept when the source withdraws them (archives of originals). */
  readonly keepWithdrawn: boolean;
  /** How long files stay after others took their place, so that earlier states can be asked for; undefined: only as the store needs. */
  readonly historyMs: number | undefined;
  /** Values the asset's result depends on besides its code; part of the code version. */
  readonly config: unknown;
  /** Replaces the automatic code version where given. */
  readonly codeVersion: string | undefined;
  /** file: URL of the module that declared it, when known. */
  readonly module: string | undefined;
  /** The line there, from 1, when known. */
  readonly line: number | undefined;
  /** Milliseconds of one bar, for windows said in bars. */
  readonly barMs: ((values: SeriesValues) => number | undefined) | undefined;
  /** Problems found while declaring; reported together when the lakehouse is loaded. */
  readonly issues: readonly Issue[];
}

export function isDefinition(value: unknown): value is AssetDefinition {
  return typeof value === 'object' && value !== null && DEFINITION_BRAND in value;
}

import type { Table } from 'apache-arrow';
import type { SerializedError } from '../common/errors.ts';
import type { Tags } from '../common/tags.ts';
import type { ColumnShape, RowOf } from '../define/columns.ts';
import type { DimensionShape, PartitionKey, StaticDimension, TimeDimensionSpec } from '../define/dimensions.ts';
import type { LakehouseDefinition } from '../define/lakehouse.ts';
import type { SqlTemplate } from '../define/sql.ts';
import type { Asset, AssetTypes } from '../define/types.ts';
import type { ViewDefinition } from '../define/view.ts';
import type { QueryValue } from '../engine/port.ts';
import type { RunCounts, RunEvent } from '../materialize/events.ts';
import type { Observed } from '../materialize/recorded.ts';
import type { LakeEvent, SubscribeOptions } from './events.ts';
import type { AssetExplanation } from './explain.ts';
import type { PlanReport } from './plan.ts';
import type { Selection } from './selection.ts';
import type { AssetKind, StatusCounts } from './status.ts';

/** How {@link openLakehouse} finds a lake: as the command line does, or the definition given. */
export interface OpenLakehouseOptions {
  /** Working directory: relative paths in settings are relative to it. Default: the process's. */
  readonly cwd?: string;
  /** Configuration file, as `--config`. */
  readonly config?: string;
  /** As `--profile`. */
  readonly profile?: string;
  /** Settings that go before all others, as `--set`: `['dataDir=./lake']`, or by path `{ 'engine.threads': 2 }`. */
  readonly set?: readonly string[] | Readonly<Record<string, SettingValue>>;
  /** Environment variables. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the lake is, instead of the module that the setting `definitions` names. */
  readonly definition?: LakehouseDefinition;
  /** `read`: nothing is ever written, and `materialize` and `observe` are refused. Default `write`. */
  readonly mode?: 'read' | 'write';
  /** Hears of what does not keep anything from working. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void;
}
export type SettingValue = string | number | boolean | readonly (string | number)[];

// --- reading ---------------------------------------------------------------------------------------------------------------

type Glob = `${string}*${string}` | `${string}?${string}`;
/** Both ends are included: `{ from: '2024-01-01', to: '2024-01-31' }`; an end left out is open. */
export interface TimeRange {
  readonly from?: string;
  readonly to?: string;
}
type OneOrMore<T> = T | readonly T[];
/**
 * Which values of a dimension: one, several, or a glob (`BTC*`). Of time: a period (`2024-01-05`, `2024-01`, `2024`), a range with both
 * ends included (`2024-01..2024-03`, `2024-06..`) or {@link TimeRange}.
 */
export type DimensionFilter<TDimension> = TDimension extends TimeDimensionSpec
  ? OneOrMore<string> | TimeRange
  : TDimension extends StaticDimension<infer TValue>
    ? OneOrMore<TValue | Glob>
    : OneOrMore<string>;
/** Which partitions: what is left out is not restricted. */
export type PartitionsOf<TDims extends DimensionShape> = { readonly [K in keyof TDims]?: DimensionFilter<TDims[K]> };
/** The same of assets that are not known to the compiler; a text as `--partitions` has it. */
export type AnyPartitions = string | Readonly<Record<string, OneOrMore<string> | TimeRange>>;

type Flat<T> = { [K in keyof T]: T[K] };
/** A partition column: an hour as Date, other times as text like `2024-01-31`. */
type DimensionColumn<TDimension> =
  TDimension extends TimeDimensionSpec<infer TGrain>
    ? [TGrain] extends ['hour']
      ? Date
      : string
    : TDimension extends StaticDimension<infer TValue>
      ? TValue
      : string;
/** A row as a query and `InputReader.rows()` have it: partition columns, and the columns of the asset. */
export type ReadRow<TDims extends DimensionShape, TShape extends ColumnShape> = Flat<
  { -readonly [K in keyof TDims]: DimensionColumn<TDims[K]> } & RowOf<TShape>
>;

export interface ReadOptions<TColumn extends string = string> {
  /** Only these columns, in this order. */
  readonly columns?: readonly TColumn[];
  /**
   * Rows come by time, then by the other dimensions, then in the order of the asset. False: as they are found, which is faster and needs
   * less memory for much data.
   */
  readonly ordered?: boolean;
}
export interface AskOptions {
  /** Ends it; what waits for it is told the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ReadingOptions extends AskOptions {
  /**
   * The lake as it was: a run (when it had finished), an instant like `2024-01-31T12:00:00Z`, or `@revision`. Assets keep what they
   * had for as long as they have `history`. Not of originals.
   */
  readonly asOf?: string;
}

/** Rows that somebody may ask for, as often as they like: each time as the lake is then. */
export interface LakeQuery<TRow> {
  /** All of them. */
  rows(options?: ReadingOptions): Promise<TRow[]>;
  /** As they come, some thousands at a time. Leaving the loop ends the query. */
  batches(options?: ReadingOptions): AsyncIterable<TRow[]>;
  /** As a table of the package apache-arrow, with exact types. */
  arrow(options?: ReadingOptions): Promise<Table>;
  /** How many there are. */
  count(options?: ReadingOptions): Promise<number>;
}

/** Rows of some partitions of one asset. In `lake.sql` it stands for them: `` lake.sql`SELECT avg(close::DOUBLE) FROM ${read}` ``. */
export interface LakeRead<TRow, TKey = Readonly<Record<string, string>>> extends LakeQuery<TRow> {
  /** The SELECT that reads them, without order, for `lake.query`. Not of originals. */
  readonly sql: string;
  /** The keys of those that are there, by series and time. */
  partitions(): Promise<TKey[]>;
  /** Of originals: the bytes of each, by time. */
  originals(options?: AskOptions): AsyncIterable<{ readonly partition: TKey; readonly bytes: Uint8Array }>;
}

/** Values of `$name` by name, or of `?` in their order; quoted, whatever they hold. */
export type QueryParameters = Readonly<Record<string, SqlParameter>> | readonly SqlParameter[];
export type SqlParameter = SqlScalar | readonly SqlScalar[];
export type QueryOptions = Pick<ReadingOptions, 'asOf'>;
/** What a query gives for a column: whole numbers of 64 bits as bigint, TIMESTAMP as Date, DECIMAL and DATE as text. */
export type SqlRow = Record<string, QueryValue | Date>;
type SqlScalar = string | number | bigint | boolean | Date | null;
/** What may stand in `lake.sql`: values, which are quoted; assets, views and reads, which are relations; other templates. */
export type LakeSqlValue = SqlParameter | Asset | ViewDefinition | LakeRead<unknown, unknown> | SqlTemplate;

// --- status, plans and runs ------------------------------------------------------------------------------------------------

/** How far behind an asset is that has a freshness policy. */
export interface AssetLag {
  readonly status: string;
  /** Of the worst series: its values by dimension, how late it is in ms, and since or from when it is late. */
  readonly worst?: {
    readonly series: string;
    readonly lagMs: number | undefined;
    readonly limitMs: number;
    readonly deadline: Date | undefined;
  };
}
export interface AssetStatus {
  readonly asset: string;
  readonly kind: AssetKind;
  /** False where a source upstream was never observed: the counts are only what is known so far. */
  readonly known: boolean;
  /** Partitions by status. */
  readonly counts: StatusCounts;
  readonly lastObserved?: Date;
  readonly lastComputed?: Date;
  /** The run that computed something of it last. */
  readonly lastRun?: string;
  readonly freshness?: AssetLag;
}
export interface LakeStatus {
  /** Of the log. */
  readonly revision: number;
  /** Sources upstream that nobody has ever looked at. */
  readonly neverObserved: readonly string[];
  readonly assets: readonly AssetStatus[];
}

export interface StatusOptions {
  /** Only these are counted. */
  readonly partitions?: AnyPartitions;
}
export interface WorkOptions extends StatusOptions, AskOptions {
  /** What is fresh too. */
  readonly force?: boolean;
  /** Also what failed for its data though nothing has changed since. */
  readonly retryFailed?: boolean;
  /** Whether to look at the selected sources first. Default true. */
  readonly observe?: boolean;
}
export interface MaterializeOptions extends WorkOptions {
  /** Tells what happens, as it happens. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Aborted: nothing new is started, and what is running finishes. `signal` instead ends the run at once, and what was committed stays. */
  readonly stopping?: AbortSignal;
  /** For whoever looks for the run later. */
  readonly tags?: Tags;
  /** In pools that are full the greater goes first. Default 0. */
  readonly priority?: number;
}
export interface ObserveOptions extends AskOptions {
  /** List everything, not only what is new. */
  readonly audit?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface FailedPartition {
  readonly asset: string;
  readonly partition: string;
  readonly error: SerializedError;
}
export interface FailedCheck {
  readonly asset: string;
  readonly partition: string;
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly failedRows: number;
}
/** How a run ended. Partitions that failed are here and in the log; they are no exception. */
export interface MaterializeResult {
  readonly run: string;
  /** `failed`: something of what was asked for could not be computed, or a check of severity error did not pass. */
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly counts: Readonly<RunCounts>;
  readonly failures: readonly FailedPartition[];
  readonly checks: readonly FailedCheck[];
  /** What is selected and cannot be computed now. */
  readonly held: readonly { readonly asset: string; readonly reason: string; readonly partitions: number }[];
}

// --- the lake --------------------------------------------------------------------------------------------------------------

/**
 * An open lake. Any number of them, in any number of processes, may be used beside each other and beside a daemon: what is read is
 * always of one state of each asset. Everything is a LakehouseError that says what to do, or the reason of a signal.
 */
export interface Lakehouse extends AsyncDisposable {
  readonly definition: LakehouseDefinition;
  /** Where the data is: the absolute path of a directory, or `s3://bucket/prefix`. */
  readonly root: string;
  /** Absolute path of the local directory: it holds the log, and the data too unless that is on S3. */
  readonly directory: string;
  /**
   * Rows of some partitions of an asset, typed by it; nothing is read before it is asked for. Only files of these partitions are opened.
   * @throws LakehouseError `unknown-asset`, `bad-filter`, `unknown-column`, `not-a-table` (usage); once it is asked for,
   * `no-such-partition` for a value that no partition has.
   */
  read<
    TTypes extends AssetTypes,
    const TColumn extends keyof ReadRow<TTypes['dims'], TTypes['shape']> & string = keyof ReadRow<
      TTypes['dims'],
      TTypes['shape']
    > &
      string,
  >(
    asset: Asset<TTypes>,
    partitions?: PartitionsOf<TTypes['dims']>,
    options?: ReadOptions<TColumn>,
  ): LakeRead<Pick<ReadRow<TTypes['dims'], TTypes['shape']>, TColumn>, PartitionKey<TTypes['dims']>>;
  /**
   * One SELECT over the lake: `` lake.sql`SELECT max(close) AS most FROM ${silverKlines} WHERE symbol = ${symbol}` ``. It can read nothing
   * but the lake. `TRow` is what you say it is.
   */
  sql<TRow extends object = SqlRow>(strings: TemplateStringsArray, ...values: readonly LakeSqlValue[]): LakeQuery<TRow>;
  /**
   * The same of a text, in which assets are `zone.name`: `lake.query('FROM silver.klines WHERE symbol = $symbol', { symbol })`.
   * @throws LakehouseError `missing-parameter`, `unknown-parameter` (usage).
   */
  query<TRow extends object = SqlRow>(
    text: string,
    parameters?: QueryParameters,
    options?: QueryOptions,
  ): LakeQuery<TRow>;
  status(selection?: Selection, options?: StatusOptions): Promise<LakeStatus>;
  /** What a run would do now. Nothing is written. */
  plan(selection?: Selection, options?: WorkOptions): Promise<PlanReport>;
  /** Observes the selected sources and computes what is stale, as `lakehouse materialize` does. */
  materialize(selection?: Selection, options?: MaterializeOptions): Promise<MaterializeResult>;
  /** Looks at sources without computing anything. */
  observe(selection?: Selection, options?: ObserveOptions): Promise<readonly Observed[]>;
  /** Why a partition is as it is. */
  explain<TTypes extends AssetTypes>(
    asset: Asset<TTypes> | string,
    partition: string | Partial<PartitionKey<TTypes['dims']>>,
  ): Promise<AssetExplanation>;
  /**
   * What the log says from now on, whoever writes it: this process, others, a daemon. Ends when the lake is closed or the signal is
   * aborted.
   */
  subscribe(options?: SubscribeOptions): AsyncIterable<LakeEvent>;
  /** Ends what is going on, and waits for it. */
  close(): Promise<void>;
}

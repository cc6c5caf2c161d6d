import type { RecordBatch } from 'apache-arrow';
import type { Issue } from '../common/errors.ts';
import type { AssetDefinition, InputReader } from '../define/model.ts';
import type { SqlTemplate } from '../define/sql.ts';
import type { ViewDefinition } from '../define/view.ts';
import type { SeriesValues } from '../partition/space.ts';

/** One partition to compute. Everywhere below it is meant by its ordinal in `BatchRequest.targets`. */
export interface BatchTarget {
  readonly values: SeriesValues;
  /** Index in the asset's time dimension, 0 without one. */
  readonly time: number;
  /** The printed key, for messages. */
  readonly key: string;
}

/** One upstream partition and the file that holds it (together with others, if the file is a pack). */
export interface BoundPart {
  readonly values: SeriesValues;
  readonly time: number;
  readonly key: string;
  /** Absolute path of an immutable file. */
  readonly path: string;
  /** How many rows the partition has, where it is known. */
  readonly rows?: number | undefined;
  /** 16 bytes. A raw file is refused unless its SHA-256 begins with them. */
  readonly version?: Uint8Array | undefined;
}

export interface BoundInput {
  readonly name: string;
  /** The asset read: the alternative chosen. */
  readonly definition: AssetDefinition;
  readonly parts: readonly BoundPart[];
  /** Flat (target ordinal, part ordinal)*, sorted. */
  readonly pairs: Int32Array;
  /** Only these aggregates of each part, with its partition columns, are read: one row per part. Not of raw files. */
  readonly summary?: SqlTemplate | undefined;
}

/** A partition that is copied unchanged out of an existing pack. */
export interface KeptPartition {
  readonly values: SeriesValues;
  readonly time: number;
  /** The data version it must still have; compared where given. */
  readonly version?: Uint8Array | undefined;
}

export interface PackWrite {
  /** Absolute path of a new file in an existing directory. */
  readonly path: string;
  /** Ordinals of the targets that go into it. */
  readonly targets: readonly number[];
  readonly carry: readonly { readonly path: string; readonly keep: readonly KeptPartition[] }[];
}

/** Rows of many targets, as they come from compute functions. */
export interface RowBuffer {
  /**
   * Takes the rows of one target.
   * @param target any number, by which {@link BufferedRows} means them again.
   * @param key the printed key, for messages.
   * @throws `row-mismatch` for the first value that does not fit; then nothing of them is kept.
   */
  add(target: number, key: string, rows: readonly object[]): void;
}

export interface BufferedRows {
  readonly buffer: RowBuffer;
  /** Per target of the request, as what its rows were added. */
  readonly targets: readonly number[];
}

/** Says that the targets read each other: earlier ones of the same batch, besides the committed parts of `selfInput`. */
export interface SequentialRead {
  readonly selfInput: string;
  /** Flat (target ordinal, ordinal of the target it reads)*. The one read must be of an earlier time. */
  readonly own: Int32Array;
}

export interface BatchRequest {
  readonly definition: AssetDefinition;
  readonly targets: readonly BatchTarget[];
  /** With `rows`, those that checks read. */
  readonly inputs: readonly BoundInput[];
  /** Every target is in exactly one pack. */
  readonly packs: readonly PackWrite[];
  /** The rows that compute functions returned; then no query runs. */
  readonly rows?: BufferedRows | undefined;
  readonly sequential?: SequentialRead | undefined;
  readonly signal: AbortSignal;
}

/** A check that did not pass for one target. */
export interface CheckFailure {
  readonly check: string;
  readonly target: number;
  readonly failedRows: number;
  /** Up to five bad rows, JSON-friendly. */
  readonly sample: readonly unknown[];
  /** A statement over the views `zone.name` that shows all of them; none where original files are read, which no view shows. */
  readonly sql?: string | undefined;
}

export interface BatchResult {
  /** Per target. */
  readonly outcomes: readonly { readonly rows: number; readonly version: Uint8Array }[];
  /** Per pack, in the order asked for; `rows` and `bytes` are those of the whole file. */
  readonly packs: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[];
  /** Only what failed: a check of the definition that is not here passed. */
  readonly checks: readonly CheckFailure[];
}

/** Partitions that are to be checked as they lie there. */
export interface CheckRequest {
  /** With the checks that are to be made, and no others. */
  readonly definition: AssetDefinition;
  readonly targets: readonly BatchTarget[];
  /** Per target the absolute path of the file it lies in. */
  readonly paths: readonly string[];
  /** What the checks read besides. */
  readonly inputs: readonly BoundInput[];
  readonly signal: AbortSignal;
}

export interface CheckResult {
  /** Only what failed. */
  readonly checks: readonly CheckFailure[];
  /** Rows that were looked at. */
  readonly rows: number;
}

export interface RewriteRequest {
  readonly definition: AssetDefinition;
  readonly packs: readonly Omit<PackWrite, 'targets'>[];
  readonly signal: AbortSignal;
}

/** One partition found in a pack. */
export interface HashedPartition {
  readonly values: SeriesValues;
  readonly time: number;
  readonly rows: number;
  readonly version: Uint8Array;
}

/** What a definition's query turned out to be. */
export interface QueryReport {
  /** Errors: the asset cannot be computed. */
  readonly issues: readonly Issue[];
  /** What may make results differ from run to run, or slow. */
  readonly warnings: readonly Issue[];
}

/** An asset as a view `zone.name`. */
export type LakeView =
  | {
      readonly definition: AssetDefinition;
      readonly files: readonly string[];
      /** Whether all files have the same columns, so that one of them tells; each is asked where this is not known. */
      readonly alike?: boolean;
      /** For a report: how many files the asset has in the lake, how many of them these are, and their bytes. */
      readonly scan?: { readonly lake: number; readonly files: number; readonly bytes: number };
      /** Files (among `files`) that hold rows of other partitions as well: only these times count. */
      readonly partly?: readonly { readonly path: string; readonly times: readonly number[] }[];
    }
  | {
      readonly definition: AssetDefinition;
      readonly partitions: readonly {
        readonly values: SeriesValues;
        readonly time: number;
        readonly path: string;
        readonly bytes: number;
      }[];
    }
  | {
      /** A query over other views of the list. */
      readonly definition: ViewDefinition;
      readonly template: SqlTemplate;
    };

/** What the rows of a file are of: one series, at times (indices) from `first` to `last`, both included; infinite where unknown. */
export interface FileSpan {
  readonly values: SeriesValues;
  readonly first: number;
  readonly last: number;
}

/** What is needed of an asset: nothing, everything, or files that may hold some partitions. */
export type Needed = boolean | ((span: FileSpan) => boolean);

/** What a query needs of the assets it names. Close it. */
export interface QueryNeeds extends AsyncDisposable {
  /** Of an asset; a view needs nothing itself. */
  readonly of: (definition: { readonly key: string }) => Needed;
  /** All of what the query may name. */
  readonly named: (definition: { readonly key: string }) => Needed;
  /** Whether the same is needed now: a query may ask for what the clock says. */
  unchanged(): Promise<boolean>;
}

/** How a query may be run. */
export interface QueryOptions {
  /** Absolute paths of files and directories outside of the lake that it may read. */
  readonly allow?: readonly string[] | undefined;
  /** Absolute path of a Parquet file that its rows go into, instead of into the result's batches. */
  readonly into?: string | undefined;
}

/** A database file of DuckDB that has views of a lake. */
export interface DatabaseFile {
  /** Absolute path of a file that is not there yet. */
  readonly path: string;
  /** Tables and views over them; no lists of original files. */
  readonly views: readonly LakeView[];
  /** Whether rows are copied into tables, so that the file stands alone. */
  readonly copies: boolean;
  /** One row of the table `lakehouse_export`: SQL expressions by column. */
  readonly about: Readonly<Record<string, string>>;
  /** By key. */
  readonly comments: ReadonlyMap<
    string,
    { readonly text: string | undefined; readonly columns: ReadonlyMap<string, string> }
  >;
}

export type QueryValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly QueryValue[]
  | { readonly [key: string]: QueryValue };

/**
 * A running query. Values: BIGINT and wider as bigint; DECIMAL, DATE, TIMESTAMP and the like as exact text; DOUBLE as number;
 * lists and structs as arrays and objects.
 */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Batches of rows in order. Leaving the loop early, or `close`, ends the query. */
  readonly batches: AsyncIterable<readonly (readonly QueryValue[])[]>;
  /**
   * The same rows as Arrow record batches with exact types, instead of `batches`: one of the two can be read, once.
   * @throws `arrow-type` (usage) at the first step, for a column that Arrow has no type for.
   */
  arrow(): AsyncIterable<RecordBatch>;
  /** How many rows went into the file of `QueryOptions.into`. */
  readonly written?: number | undefined;
  close(): Promise<void>;
}

/** What a bucket asks for. */
export interface RemoteAccess {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A bucket that DuckDB may read by itself, through its extension httpfs. */
export interface RemoteSettings {
  /** What all its URLs begin with: `s3://bucket/prefix/`. */
  readonly scope: string;
  /** `http(s)://host:port`; that of AWS when absent. */
  readonly endpoint?: string | undefined;
  readonly pathStyle: boolean;
  /** File of the extension; when absent, the one that is installed for this DuckDB. */
  readonly extension?: string | undefined;
  /** Whether there is no other way. */
  readonly required: boolean;
  /** Asked before each piece of work: whoever answers renews what expires. */
  readonly access: () => Promise<RemoteAccess>;
}

/** What URLs may stand for paths begin with, or why none may. */
export type RemoteReads = { readonly scope: string } | { readonly scope: undefined; readonly why: string };

export interface EngineSettings {
  /** e.g. `4GB` or `80%`; DuckDB's default (80% of the machine) when absent. */
  readonly memoryLimit?: string | undefined;
  /** All cores when absent. */
  readonly threads?: number | undefined;
  /** For what does not fit into memory; made when needed. */
  readonly tempDirectory: string;
  /** For those that may not make `tempDirectory`: a directory of their own is made here where that one is missing or read-only. */
  readonly fallbackDirectory?: string | undefined;
  /** Where inputs are unpacked for seconds: by default a file system in memory. `tempDirectory` when that is missing or too small. */
  readonly scratchDirectory?: string | undefined;
  readonly remote?: RemoteSettings | undefined;
}

/**
 * The engine room's door. Every method may throw `LakehouseError`: `data` for what the data or the asset's query is to blame
 * for (`details.targets` holds the ordinals of the partitions that are known to be bad), `transient` for disk and memory, and
 * the signal's reason when it was aborted. A batch that throws leaves none of its packs behind.
 */
export interface Engine {
  computeBatch(request: BatchRequest): Promise<BatchResult>;
  /** Copies partitions into new packs, unchanged: compaction, and packs from which a partition is dropped. */
  rewrite(request: RewriteRequest): Promise<BatchResult['packs']>;
  /** Reads a pack whole and recomputes the data version of each partition in it. Partitions without rows do not show. */
  hashPack(definition: AssetDefinition, path: string, signal: AbortSignal): Promise<HashedPartition[]>;
  /** Throws `httpfs-unavailable` (usage) where there is no other way and the extension cannot be loaded. */
  remote(): Promise<RemoteReads>;
  /** Which of these packs have exactly the definition's columns, so that partitions may be carried out of them. */
  carriable(definition: AssetDefinition, paths: readonly string[], signal: AbortSignal): Promise<boolean[]>;
  /** Makes checks of partitions that are there; their files must have the definition's columns (see `carriable`). */
  check(request: CheckRequest): Promise<CheckResult>;
  /** Binds an asset's query and checks without data. */
  examine(definition: AssetDefinition): Promise<QueryReport>;
  /** For what compute functions of this asset return; read by `computeBatch` of this engine. */
  rowBuffer(definition: AssetDefinition, signal: AbortSignal): Promise<RowBuffer>;
  /** An input as a compute function for the one target sees it. */
  reader(input: BoundInput, target: number, signal: AbortSignal): InputReader;
  /** Runs one SELECT over the views, unable to read any other file. */
  query(sql: string, views: readonly LakeView[], signal: AbortSignal, options?: QueryOptions): Promise<QueryResult>;
  /** What a SELECT over views of these needs, found out before any file is opened. Everything it names, where that cannot be told. */
  needs(
    sql: string,
    relations: readonly (AssetDefinition | ViewDefinition)[],
    signal: AbortSignal,
    options?: QueryOptions,
  ): Promise<QueryNeeds>;
  /** Whoever asks removes the file where this throws. */
  writeDatabase(request: DatabaseFile, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

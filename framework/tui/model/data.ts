import type { Tags } from '../../common/tags.ts';
import type { TickKind, TickRecord } from '../../operate/store.ts';
import type { Status } from '../../plan/evaluate.ts';
import type { PlanCost } from '../../report/plan-cost.ts';

// What the screens draw, as plain data: made by `read/`, drawn by `view/`. No dates but milliseconds since 1970 UTC, no keys but
// printed ones.

/** Statuses a person meets, in the order in which they are drawn. */
export const SHOWN_STATUSES = [
  'fresh',
  'stale',
  'pending',
  'missing',
  'failed',
  'blocked',
  'awaiting',
  'unavailable',
  'leaving',
  'unneeded',
] as const satisfies readonly Exclude<Status, 'none'>[];
export type ShownStatus = (typeof SHOWN_STATUSES)[number];
export type StatusCounts = Readonly<Record<ShownStatus, number>>;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

// --- assets ----------------------------------------------------------------------------------------------------------------

export interface AssetRow {
  readonly key: string;
  /** The settings do not want what it is made of, and nothing is there: it is listed only for who looks for it. */
  readonly idle?: boolean;
  readonly kind: 'source' | 'asset';
  /** The part of the key before the first slash. */
  readonly zone: string;
  readonly group: string;
  readonly kinds: readonly string[];
  readonly description: string | undefined;
  readonly owners: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly dimensions: readonly string[];
  /** Undefined while it is being worked out. */
  readonly counts: StatusCounts | undefined;
  /** False where a source upstream was never observed: the counts are only what is known so far. */
  readonly known: boolean;
  /** When it was last computed, or for a source observed. */
  readonly lastAt: number | undefined;
  readonly lastRun: string | undefined;
  /** The next tick that will compute it; undefined without a schedule. */
  readonly nextAt: number | undefined;
  /** How far it is behind, and whether its policy allows it; without a policy how far its newest content is, by data time. */
  readonly lag:
    | {
        /** Undefined where that is not known. */
        readonly ms: number | undefined;
        readonly verdict: 'on-time' | 'warn' | 'overdue' | 'unknown' | 'no-policy';
        /** The same in words, a line each; none without a policy. */
        readonly told: readonly string[];
        /** Its policies in words. */
        readonly policies: readonly string[];
      }
    | undefined;
  /** Rows per period (bytes for a raw asset), oldest first, at most 60; for the sparkline. */
  readonly volume: readonly number[];
  readonly volumeUnit: 'rows' | 'bytes';
  readonly rows: number;
  readonly bytes: number;
  /** Whether a run computes it right now, of this process or another. */
  readonly busy?: boolean;
  /** What the run of this process does of it right now. */
  readonly running: { readonly done: number; readonly total: number } | undefined;
}

// --- lineage ---------------------------------------------------------------------------------------------------------------

export interface LineageNode {
  readonly key: string;
  /** Left upper corner in cells of the whole drawing. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  /** Corners of an orthogonal line in cells, from the source's side to the target's side. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}
/** A laid out graph. Upstream is to the left. */
export interface LineageLayout {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  readonly width: number;
  readonly height: number;
}

// --- partitions ------------------------------------------------------------------------------------------------------------

export type Zoom = 'partition' | 'month' | 'year';

/** One row of the heat map: a value of the row dimension (or a series), with the columns' cells. */
export interface HeatRow {
  readonly label: string;
  /** Per visible column, a cell. Parallel arrays, so that a screen of cells is no thousand objects. */
  readonly worst: readonly (ShownStatus | 'none')[];
  /** Partitions per cell, and how many of them are fresh. */
  readonly total: Uint32Array;
  readonly fresh: Uint32Array;
}
export interface HeatColumn {
  /** `2020-01-31`, `2020-01`, `2020`, or a value of a listed dimension. */
  readonly label: string;
  /** Half-open range of time indices; absent for a listed dimension. */
  readonly from: number;
  readonly to: number;
}
/** The visible part of a heat map. */
export interface HeatMap {
  readonly asset: string;
  readonly rowDimension: string;
  readonly columnDimension: string;
  readonly zoom: Zoom;
  /** Values of the dimensions that are on neither axis. */
  readonly selectors: readonly {
    readonly dimension: string;
    readonly value: string;
    readonly index: number;
    readonly of: number;
  }[];
  /** Of the whole map, of which `rows` and `columns` show a part. */
  readonly rowCount: number;
  readonly columnCount: number;
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: readonly HeatRow[];
  readonly columns: readonly HeatColumn[];
  readonly counts: StatusCounts;
}

/** One partition (or all of a cell) in detail. */
export interface PartitionDetail {
  readonly asset: string;
  readonly kind: 'source' | 'asset';
  readonly partition: string;
  readonly status: Status;
  /** Lines of the chain of causes, as the explain command prints them, without colours: depth and text. */
  readonly causes: readonly { readonly depth: number; readonly text: string; readonly status: Status | undefined }[];
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
  readonly version: string | undefined;
  readonly codeVersion: string | undefined;
  readonly computedAt: number | undefined;
  readonly run: string | undefined;
  readonly file: string | undefined;
  readonly error:
    | { readonly message: string; readonly hint: string | undefined; readonly attempts: number }
    | undefined;
  readonly checks: readonly {
    readonly check: string;
    readonly severity: 'warn' | 'error';
    readonly failedRows: number;
  }[];
}

// --- runs ------------------------------------------------------------------------------------------------------------------

export interface RunRow {
  readonly run: string;
  readonly command: string;
  readonly selection: string;
  readonly tags?: Tags | undefined;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  /** `lost`: it never said that it finished, and its process is gone. */
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
  readonly counts: Readonly<Record<string, number>>;
  readonly error: string | undefined;
}
export interface AssetProgress {
  readonly asset: string;
  readonly phase: 'waiting' | 'observing' | 'computing' | 'done' | 'failed';
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly changed: number;
  readonly rows: number;
  readonly bytes: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
}
/** A line of a run's log. */
export interface RunLine {
  readonly at: number;
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly asset: string | undefined;
  readonly text: string;
}
export interface RunDetail {
  readonly row: RunRow;
  readonly assets: readonly AssetProgress[];
  readonly lines: readonly RunLine[];
}

// --- checks and schedules ----------------------------------------------------------------------------------------------------

export interface CheckRow {
  readonly asset: string;
  readonly check: string;
  readonly severity: 'warn' | 'error';
  readonly blocking: boolean;
  readonly description: string | undefined;
  /** Partitions whose newest content passed, and which did not. */
  readonly passed: number;
  readonly failed: number;
  /** Newest failures first, at most 20. */
  readonly failures: readonly {
    readonly partition: string;
    readonly failedRows: number;
    readonly at: number;
    readonly sample: readonly string[];
    readonly sql: string | undefined;
  }[];
  /** Failed partitions per batch of the past, oldest first, at most 40: results over time. */
  readonly history: readonly { readonly at: number; readonly checked: number; readonly failed: number }[];
}
/** What makes ticks: a schedule, a sensor, or the conditions of all assets together. */
export interface ScheduleRow {
  readonly kind: TickKind;
  readonly name: string;
  readonly description: string | undefined;
  /** When, in a word or as a cron. */
  readonly cron: string;
  /** Empty where no clock is read. */
  readonly timezone: string;
  /** What it does, and with which assets. */
  readonly action: string;
  readonly select: string;
  /** Whether it makes no ticks. */
  readonly paused: boolean;
  /** Where it is not a person who paused it: what its definition says, and where. */
  readonly disabled?: string | undefined;
  readonly nextAt: number | undefined;
  readonly lastAt: number | undefined;
  readonly lastOutcome: string | undefined;
  /** Latest first, at most 50. */
  readonly ticks: readonly TickRecord[];
}
/** The process that runs what is due. */
export interface DaemonInfo {
  readonly host: string;
  readonly pid: number;
  readonly since: number;
  /** When it counts as gone unless it says before that it lives. */
  readonly expiresAt: number;
}

// --- data ------------------------------------------------------------------------------------------------------------------

export interface Grid {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly string[])[];
  /** Whether there are more rows than were read. */
  readonly more: boolean;
}
export interface ColumnStats {
  readonly name: string;
  readonly type: string;
  readonly nulls: number;
  readonly distinct: number;
  readonly min: string | undefined;
  readonly max: string | undefined;
}
export interface Candle {
  readonly at: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}
export interface DataPreview {
  readonly asset: string;
  readonly partition: string | undefined;
  readonly first: Grid;
  readonly last: Grid | undefined;
  readonly stats: readonly ColumnStats[];
  /** For data with open, high, low, close. */
  readonly candles: readonly Candle[];
  readonly rowCount: number;
}

// --- what is about to be done --------------------------------------------------------------------------------------------------

export interface PlanView {
  readonly selection: string;
  readonly partitions: string | undefined;
  readonly force: boolean;
  readonly will: number;
  readonly may: number;
  readonly cost: PlanCost;
  readonly steps: readonly {
    readonly asset: string;
    readonly will: number;
    readonly may: number;
    readonly held: number;
    /** How long it takes; undefined where it was never computed, or is not. */
    readonly estimatedMs: number | undefined;
    readonly causes: Readonly<Record<string, number>>;
  }[];
}

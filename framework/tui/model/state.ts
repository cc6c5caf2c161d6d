import type {
  AssetRow,
  CheckRow,
  DaemonInfo,
  DataPreview,
  Grid,
  PartitionDetail,
  PlanView,
  RunDetail,
  RunRow,
  ScheduleRow,
} from './data.ts';
import type { HeatState } from './heatmap.ts';
import { EMPTY_LINE, type Line } from './line.ts';
import type { LineageState } from './lineage.ts';

/** In the order of their number keys. */
export const SCREENS = ['assets', 'lineage', 'partitions', 'runs', 'checks', 'schedules', 'data'] as const;
export type Screen = (typeof SCREENS)[number];

export const DATA_TABS = ['rows', 'statistics', 'chart', 'sql'] as const;
export type DataTab = (typeof DATA_TABS)[number];

export interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A place to go back to. */
export interface Place {
  readonly screen: Screen;
  readonly asset: string | undefined;
  readonly run: string | undefined;
  readonly explain: boolean;
}

export interface ListState {
  readonly cursor: number;
  readonly offset: number;
  readonly filter: string;
}

/** What is to be computed. */
export interface WorkRequest {
  readonly selection: string;
  readonly partitions: string | undefined;
  readonly force: boolean;
  readonly retryFailed: boolean;
}

export type Overlay =
  | { readonly type: 'help'; readonly offset: number }
  | { readonly type: 'palette'; readonly line: Line; readonly chosen: number }
  | { readonly type: 'filter'; readonly line: Line; readonly before: string }
  | {
      readonly type: 'plan';
      readonly request: WorkRequest;
      readonly plan: PlanView | undefined;
      readonly offset: number;
    }
  | {
      readonly type: 'wipe';
      readonly asset: string;
      readonly partitions: string | undefined;
      readonly consequences: readonly string[];
      readonly expected: string;
      readonly line: Line;
    }
  | { readonly type: 'date'; readonly line: Line; readonly problem: string | undefined }
  | { readonly type: 'error'; readonly title: string; readonly message: string; readonly hint: string | undefined };

export interface UiMessage {
  readonly kind: 'info' | 'good' | 'bad';
  readonly text: string;
}

export interface UiState {
  readonly screen: Screen;
  readonly back: readonly Place[];
  /** The asset that all screens are about. */
  readonly asset: string | undefined;
  readonly readOnly: boolean;
  readonly revision: number | undefined;
  /** When the newest event was written. */
  readonly newestAt: number | undefined;
  readonly assets: ListState & {
    readonly rows: readonly AssetRow[] | undefined;
    readonly by: 'zone' | 'group';
    readonly collapsed: ReadonlySet<string>;
  };
  readonly lineage: LineageState;
  /** By asset. */
  readonly heat: ReadonlyMap<string, HeatState>;
  /** Of the cell under the cursor, and whether it has the screen for itself. */
  readonly detail: PartitionDetail | undefined;
  readonly explain: { readonly offset: number } | undefined;
  readonly runs: ListState & {
    readonly rows: readonly RunRow[] | undefined;
    /** The run that is open. */
    readonly open: string | undefined;
    readonly detail: RunDetail | undefined;
    readonly log: {
      readonly offset: number;
      readonly follow: boolean;
      readonly search: string;
      readonly only: boolean;
    };
  };
  /** The run of this process, if one is going on. */
  readonly job:
    | { readonly run: string | undefined; readonly detail: RunDetail; readonly stopping: boolean }
    | undefined;
  readonly checks: ListState & { readonly rows: readonly CheckRow[] | undefined; readonly detailOffset: number };
  readonly schedules: ListState & {
    readonly rows: readonly ScheduleRow[] | undefined;
    readonly daemon: DaemonInfo | undefined;
    /** Why there are no rows. */
    readonly problem: Problem | undefined;
    readonly detailOffset: number;
  };
  readonly data: {
    readonly tab: DataTab;
    /** Of the partition that was chosen, or of the whole asset. */
    readonly partition: string | undefined;
    readonly preview: DataPreview | undefined;
    readonly error: Problem | undefined;
    readonly row: number;
    readonly column: number;
    readonly sql: {
      readonly line: Line;
      readonly typing: boolean;
      readonly running: boolean;
      readonly error: Problem | undefined;
      readonly result: Grid | undefined;
      readonly tookMs: number | undefined;
      /** Oldest first. */
      readonly history: readonly string[];
      /** Index into `history` while it is leafed through. */
      readonly at: number | undefined;
    };
  };
  readonly overlay: Overlay | undefined;
  readonly message: UiMessage | undefined;
}

export const EMPTY_LIST: ListState = { cursor: 0, offset: 0, filter: '' };

export function initialState(lineage: LineageState, asset: string | undefined, readOnly: boolean): UiState {
  return {
    screen: 'assets',
    back: [],
    asset,
    readOnly,
    revision: undefined,
    newestAt: undefined,
    assets: { ...EMPTY_LIST, rows: undefined, by: 'zone', collapsed: new Set() },
    lineage,
    heat: new Map(),
    detail: undefined,
    explain: undefined,
    runs: {
      ...EMPTY_LIST,
      rows: undefined,
      open: undefined,
      detail: undefined,
      log: { offset: 0, follow: true, search: '', only: false },
    },
    job: undefined,
    checks: { ...EMPTY_LIST, rows: undefined, detailOffset: 0 },
    schedules: { ...EMPTY_LIST, rows: undefined, daemon: undefined, problem: undefined, detailOffset: 0 },
    data: {
      tab: 'rows',
      partition: undefined,
      preview: undefined,
      error: undefined,
      row: 0,
      column: 0,
      sql: {
        line: EMPTY_LINE,
        typing: false,
        running: false,
        error: undefined,
        result: undefined,
        tookMs: undefined,
        history: [],
        at: undefined,
      },
    },
    overlay: undefined,
    message: undefined,
  };
}

const placeOf = ({ screen, asset, runs, explain }: UiState): Place => ({
  screen,
  asset,
  run: runs.open,
  explain: explain !== undefined,
});

const DEEPEST = 30;

/** Goes to a screen, and remembers the way back. */
export function goTo(state: UiState, screen: Screen, more: Partial<UiState> = {}): UiState {
  const next = { ...state, explain: undefined, message: undefined, ...more, screen };
  const [from, to] = [placeOf(state), placeOf(next)];
  const same = (Object.keys(from) as (keyof Place)[]).every((key) => from[key] === to[key]);
  return same ? next : { ...next, back: [...state.back, from].slice(-DEEPEST) };
}

/** Where one came from; the state itself where that is nowhere. */
export function goBack(state: UiState): UiState {
  const last = state.back.at(-1);
  if (!last) return state;
  return {
    ...state,
    screen: last.screen,
    asset: last.asset,
    back: state.back.slice(0, -1),
    explain: last.explain ? { offset: 0 } : undefined,
    runs: { ...state.runs, open: last.run, ...(last.run !== state.runs.open && { detail: undefined }) },
    ...(last.asset !== state.asset && { data: { ...state.data, partition: undefined } }),
    message: undefined,
  };
}

/** A list's cursor moved to a row, kept inside. */
export function moved<T extends ListState>(list: T, to: number, length: number): T {
  return { ...list, cursor: Math.min(Math.max(to, 0), Math.max(length - 1, 0)) };
}

import { setImmediate } from 'node:timers/promises';
import { isLakehouseError, serializeError } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { parseFilter } from '../../partition/filter.ts';
import { parseKey } from '../../partition/space.ts';
import { initialLineage, type LineageGraph } from '../model/lineage.ts';
import { initialState, type UiState, type WorkRequest } from '../model/state.ts';
import { checkRows } from '../read/checks.ts';
import { partitionDetail } from '../read/detail.ts';
import { planView } from '../read/plan.ts';
import { runDetail, runRows } from '../read/runs.ts';
import { createJob, type Job } from './job.ts';
import { createOperate, type Operate, type OperateAccess } from './operate.ts';
import { createReader, type Reader } from './reader.ts';
import { createUiStore, type UiStore } from './ui-store.ts';

export interface SessionOptions {
  /** Opens the lake; `write` for as long as something is done to it. */
  readonly open: (mode: 'read' | 'write') => Promise<OpenedLake>;
  readonly readOnly: boolean;
  readonly asset: string | undefined;
  readonly now: () => number;
  /** Calls back every so many ms until stopped. */
  readonly every: (ms: number, task: () => void) => () => void;
  /** The command line that a run of the terminal UI is recorded with. */
  readonly commandLine: (request: WorkRequest) => string;
  readonly wipeLine: (asset: string, partitions: string | undefined) => string;
  /** Without it there are no schedules. */
  readonly operate?: OperateAccess | undefined;
}

/** The lake as the screens see it: read, followed, and worked on. Everything it finds out goes into the store. */
export interface Session {
  readonly store: UiStore;
  readonly graph: LineageGraph & OpenedLake['graph'];
  readonly lake: Reader['lake'];
  readonly snapshot: Reader['snapshot'];
  /** Undefined until the lake has been read, and for assets that are unknown. */
  readonly heat: Reader['heat'];
  /** Reads again what the log has since; with `force` everything. */
  readonly refresh: Reader['refresh'];
  /** Reads what a screen needs besides the assets. */
  readonly load: (what: 'runs' | 'run' | 'checks' | 'schedules') => void;
  /** Calls back whenever everything has been read again. */
  readonly onRead: Reader['onRead'];
  readonly explain: (asset: string, partition: string) => void;
  /** Makes the plan of the dialog that asks for this request; stops where that is closed. */
  readonly plan: (request: WorkRequest) => void;
  readonly start: (request: WorkRequest, observeOnly?: boolean) => void;
  /** Takes partitions of an asset out of the lake. */
  readonly wipe: Job['wipe'];
  /** Does now what a schedule, a sensor or the conditions do. */
  readonly runSchedule: Job['runSchedule'];
  /** Pauses a schedule, a sensor or the conditions, or lets them go on. */
  readonly pause: Operate['pause'];
  /** Asks the run to stop; a second time, stops it now. False where none is going on. */
  readonly cancel: Job['cancel'];
  /** Resolves when no run is going on. */
  readonly idle: Job['idle'];
  readonly fail: (title: string, error: unknown) => void;
  readonly close: () => Promise<void>;
}

/** How often the log is asked for news. */
const FOLLOW_MS = 500;

export async function openSession(options: SessionOptions): Promise<Session> {
  const { now, readOnly } = options;
  const opened = await options.open('read');
  const { graph } = opened;
  const store = createUiStore(
    initialState(initialLineage(graph, options.asset), options.asset ?? graph.order[0], readOnly),
  );
  const closing = new AbortController();
  const update = (change: Partial<UiState>) => store.dispatch((state) => ({ ...state, ...change }));
  const fail = (title: string, error: unknown) => {
    if (closing.signal.aborted) return;
    const { message, hint } = isLakehouseError(error) ? error : { ...serializeError(error), hint: undefined };
    update({ overlay: { type: 'error', title, message, hint } });
  };
  const shared = { store, now, closing: closing.signal, fail };
  const { operate: access } = options;
  const operate: Operate | undefined =
    access && createOperate({ ...shared, access, lake: () => reader.lake(), changed: () => reader.show() });
  const next = () => operate?.next() ?? new Map<string, number>();
  const reader = createReader(opened, { ...shared, asset: options.asset, open: () => options.open('read'), next });
  const { commandLine, wipeLine } = options;
  const done = () => {
    reader.refresh(true);
    loadScreen();
  };
  const job = createJob({ ...shared, operate: access, commandLine, wipeLine, open: () => options.open('write'), done });

  const live = (): ReadonlySet<string> => new Set([store.get().job?.run ?? '']);
  const loads: Readonly<Record<Parameters<Session['load']>[0], () => void>> = {
    runs: () => {
      const rows = runRows(reader.lake(), 500, live());
      store.dispatch((state) => ({ ...state, runs: { ...state.runs, rows } }));
    },
    run: () => {
      const { runs, job: own } = store.get();
      if (runs.open === undefined) return;
      const detail = own?.run === runs.open ? own.detail : runDetail(reader.lake(), runs.open, live());
      store.dispatch((state) => ({ ...state, runs: { ...state.runs, detail } }));
    },
    checks: () => {
      const rows = checkRows(reader.lake());
      store.dispatch((state) => ({ ...state, checks: { ...state.checks, rows } }));
    },
    schedules: () => (operate ? operate.load() : update({ schedules: { ...store.get().schedules, rows: [] } })),
  };
  const load: Session['load'] = (what) => {
    try {
      loads[what]();
    } catch (error) {
      fail('The log cannot be read', error);
    }
  };
  const loadScreen = () => {
    const { screen, runs } = store.get();
    if (screen === 'runs') load(runs.open === undefined ? 'runs' : 'run');
    if (screen === 'checks' || screen === 'schedules') load(screen);
  };
  reader.onRead(loadScreen);

  const plan = async (request: WorkRequest): Promise<void> => {
    const asked = () => {
      const { overlay } = store.get();
      return !closing.signal.aborted && overlay?.type === 'plan' && overlay.request === request ? overlay : undefined;
    };
    const turn = async () => {
      await setImmediate();
      if (!asked()) throw new Error('nobody wants to know any more');
    };
    const lake = reader.lake();
    try {
      const filter = request.partitions === undefined ? undefined : parseFilter(request.partitions);
      const made = await planView(lake, request, filter, turn);
      const overlay = asked();
      if (overlay) update({ overlay: { ...overlay, plan: made } });
    } catch (error) {
      if (!asked()) return;
      // Meanwhile it was closed, for there is a lake now where there was none.
      if (lake !== reader.lake()) return plan(request);
      fail('This cannot be planned', error);
    }
  };

  const stop = options.every(FOLLOW_MS, () => {
    reader.refresh();
    operate?.look();
  });
  reader.refresh(true);
  return {
    store,
    graph,
    lake: reader.lake,
    snapshot: reader.snapshot,
    heat: reader.heat,
    refresh: reader.refresh,
    load,
    onRead: reader.onRead,
    explain: (asset, partition) => {
      const snapshot = reader.snapshot();
      if (!snapshot) return;
      try {
        const ref = parseKey({ ...graph.node(asset).definition.space }, partition);
        update({ detail: partitionDetail(reader.lake(), snapshot, asset, ref) });
      } catch (error) {
        fail('This partition cannot be explained', error);
      }
    },
    plan: (request) => void plan(request),
    start: (request, observeOnly = false) => {
      if (!readOnly) job.start(request, observeOnly);
    },
    wipe: (asset, partitions) => {
      if (!readOnly) job.wipe(asset, partitions);
    },
    runSchedule: (row) => {
      if (!readOnly) job.runSchedule(row);
    },
    pause: (row, paused) => {
      if (!readOnly) operate?.pause(row, paused);
    },
    cancel: job.cancel,
    idle: job.idle,
    fail,
    close: async () => {
      closing.abort();
      stop();
      operate?.close();
      await reader.close();
    },
  };
}

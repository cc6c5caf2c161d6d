import { setImmediate } from 'node:timers/promises';
import { isLakehouseError, serializeError } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { observeSources, wipePartitions } from '../../materialize/recorded.ts';
import { materialize } from '../../materialize/run.ts';
import { applyFilter, type PartitionFilter, parseFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { parseKey } from '../../partition/space.ts';
import { presentSet } from '../../plan/universe.ts';
import type { AssetRow, PlanView } from '../model/data.ts';
import { initialLineage, type LineageGraph } from '../model/lineage.ts';
import { afterEvent, newRun } from '../model/live.ts';
import { initialState, type UiState, type WorkRequest } from '../model/state.ts';
import { createStore, type Store } from '../model/store.ts';
import { assetTree } from '../model/tree.ts';
import { assetRows, type Volume, volumeOf } from '../read/assets.ts';
import { checkRows } from '../read/checks.ts';
import { partitionDetail } from '../read/detail.ts';
import { type HeatIndex, heatIndex } from '../read/heatmap.ts';
import { planView } from '../read/plan.ts';
import { runDetail, runRows } from '../read/runs.ts';
import { type Snapshot, takeSnapshot } from '../read/snapshot.ts';

export type Update = (state: UiState) => UiState;
export type UiStore = Store<UiState, Update>;

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
}

/** The lake as the screens see it: read, followed, and worked on. Everything it finds out goes into the store. */
export interface Session {
  readonly store: UiStore;
  readonly graph: LineageGraph & OpenedLake['graph'];
  readonly lake: () => OpenedLake;
  readonly snapshot: () => Snapshot | undefined;
  /** Undefined until the lake has been read, and for assets that are unknown. */
  readonly heat: (asset: string) => HeatIndex | undefined;
  /** Reads again what the log has since; with `force` everything. */
  readonly refresh: (force?: boolean) => void;
  /** Reads what a screen needs besides the assets. */
  readonly load: (what: 'runs' | 'run' | 'checks') => void;
  /** Calls back whenever everything has been read again. */
  readonly onRead: (listener: () => void) => void;
  readonly explain: (asset: string, partition: string) => void;
  readonly plan: (request: WorkRequest) => void;
  readonly start: (request: WorkRequest, observeOnly?: boolean) => void;
  /** Takes partitions of an asset out of the lake. */
  readonly wipe: (asset: string, partitions: string | undefined) => void;
  /** Asks the run to stop; a second time, stops it now. False where none is going on. */
  readonly cancel: () => boolean;
  /** Resolves when no run is going on. */
  readonly idle: () => Promise<void>;
  readonly fail: (title: string, error: unknown) => void;
  readonly close: () => Promise<void>;
}

/** How often the log is asked for news. */
const FOLLOW_MS = 500;
/** The finest grain of time: with the next one there may be other partitions without any event. */
const HOUR_MS = 3_600_000;
/** Reading everything again takes at most this share of the time. */
const REST = 4;

export async function openSession(options: SessionOptions): Promise<Session> {
  const { now, readOnly } = options;
  let lake = await options.open('read');
  const store: UiStore = createStore<UiState, Update>(
    initialState(initialLineage(lake.graph, options.asset), options.asset ?? lake.graph.order[0], readOnly),
    (state, update) => update(state),
  );
  const closing = new AbortController();
  const volumes = new Map<string, Volume>();
  const heats = new Map<string, HeatIndex>();
  const listeners: (() => void)[] = [];
  let snapshot: Snapshot | undefined;
  let reading: Promise<void> | undefined;
  let restUntil = 0;
  let job:
    | { readonly stopping: AbortController; readonly signal: AbortController; readonly done: Promise<void> }
    | undefined;

  const update = (change: Partial<UiState>) => store.dispatch((state) => ({ ...state, ...change }));
  const fail = (title: string, error: unknown) => {
    if (closing.signal.aborted) return;
    const { message, hint } = isLakehouseError(error) ? error : { ...serializeError(error), hint: undefined };
    update({ overlay: { type: 'error', title, message, hint } });
  };
  const live = (): ReadonlySet<string> => new Set([store.get().job?.run ?? '']);
  const running = (rows: readonly AssetRow[]): readonly AssetRow[] => {
    const progress = new Map(store.get().job?.detail.assets.map((one) => [one.asset, one]));
    return rows.map((row) => {
      const own = progress.get(row.key);
      const active = own?.phase === 'computing' || own?.phase === 'observing';
      return { ...row, running: active && own ? { done: own.done, total: own.total } : undefined };
    });
  };
  const showAssets = () => {
    const rows = running(assetRows(lake, snapshot, volumes));
    store.dispatch((state) => {
      const assets = { ...state.assets, rows };
      // The first time the cursor goes to the asset that was asked for.
      const cursor =
        state.assets.rows === undefined && options.asset !== undefined
          ? assetTree(rows, assets).findIndex((entry) => entry.type === 'asset' && entry.row.key === options.asset)
          : assets.cursor;
      return { ...state, assets: { ...assets, cursor: Math.max(cursor, 0) } };
    });
  };

  const read = async (): Promise<void> => {
    const started = now();
    // A lake that was not there when it was opened may be by now.
    if (lake.state.index().head === 0) await reopen();
    const taken = await takeSnapshot(lake, closing.signal);
    const before = snapshot;
    snapshot = taken;
    heats.clear();
    const [newest] = lake.state.events({ after: taken.view.head - 1, limit: 1 });
    update({ revision: taken.view.head, newestAt: newest?.at });
    showAssets();
    for (const key of lake.graph.order) {
      if (before?.view.asset(key) === taken.view.asset(key) && volumes.has(key)) continue;
      await setImmediate();
      closing.signal.throwIfAborted();
      const volume = volumeOf(lake, key);
      if (volume) volumes.set(key, volume);
    }
    showAssets();
    loadScreen();
    for (const listener of listeners) listener();
    restUntil = now() + REST * (now() - started);
  };
  const refresh = (force = false): void => {
    if (closing.signal.aborted || reading || (!force && now() < restUntil)) return;
    const head = snapshot?.view.head;
    try {
      const old = snapshot && Math.floor(now() / HOUR_MS) > Math.floor(snapshot.at / HOUR_MS);
      if (!force && !old && head !== undefined && head !== 0 && lake.state.refresh().head === head) return;
    } catch (error) {
      fail('The log cannot be read', error);
      return;
    }
    reading = read()
      .catch((error: unknown) => fail('The lake cannot be read', error))
      .finally(() => {
        reading = undefined;
      });
  };
  const reopen = async (): Promise<void> => {
    const next = await options.open('read');
    const old = lake;
    lake = next;
    await old.close();
  };

  const loadRun = () => {
    const { open } = store.get().runs;
    if (open === undefined) return;
    const { job: own } = store.get();
    const detail = own?.run === open ? own.detail : runDetail(lake, open, live());
    store.dispatch((state) => ({ ...state, runs: { ...state.runs, detail } }));
  };
  const load: Session['load'] = (what) => {
    try {
      if (what === 'run') loadRun();
      else if (what === 'checks') {
        const rows = checkRows(lake);
        store.dispatch((state) => ({ ...state, checks: { ...state.checks, rows } }));
      } else {
        const rows = runRows(lake, 500, live());
        store.dispatch((state) => ({ ...state, runs: { ...state.runs, rows } }));
      }
    } catch (error) {
      fail('The log cannot be read', error);
    }
  };
  const loadScreen = () => {
    const { screen, runs } = store.get();
    if (screen === 'runs') load(runs.open === undefined ? 'runs' : 'run');
    if (screen === 'checks') load('checks');
  };

  const work = async (request: WorkRequest, observeOnly: boolean): Promise<void> => {
    const { stopping, signal } = job as NonNullable<typeof job>;
    const writer = await options.open('write');
    try {
      const { filter } = readRequest(request);
      if (observeOnly) {
        const keys = writer.graph.select(request.selection).keys;
        const sources = keys.filter((key) => writer.graph.node(key).definition.kind === 'source');
        const run = { command: options.commandLine(request), selection: request.selection };
        await observeSources(writer, sources, run, { stopping: stopping.signal, signal: signal.signal, emit });
        return;
      }
      const { force, retryFailed } = request;
      await materialize(
        writer,
        { command: options.commandLine(request), selection: request.selection, filter, force, retryFailed },
        { stopping: stopping.signal, signal: signal.signal, emit },
      );
    } finally {
      await writer.close();
    }
  };
  const emit: Parameters<typeof materialize>[2]['emit'] = (event) => {
    store.dispatch((state) => {
      if (!state.job) return state;
      const detail = afterEvent(state.job.detail, event, now());
      const run = event.type === 'run-started' ? event.run : state.job.run;
      const shown = run !== undefined && state.runs.open === run ? { runs: { ...state.runs, detail } } : {};
      return { ...state, ...shown, job: { ...state.job, run, detail } };
    });
    if (event.type === 'batch-finished' || event.type === 'asset-started' || event.type === 'asset-finished') {
      const { rows } = store.get().assets;
      if (rows) store.dispatch((state) => ({ ...state, assets: { ...state.assets, rows: running(rows) } }));
    }
  };

  const stop = options.every(FOLLOW_MS, () => refresh());
  refresh(true);
  return {
    store,
    graph: lake.graph,
    lake: () => lake,
    snapshot: () => snapshot,
    heat: (asset) => {
      const known = heats.get(asset);
      const evaluation = snapshot?.evaluations.get(asset);
      if (known || !evaluation) return known;
      const made = heatIndex(evaluation);
      heats.set(asset, made);
      return made;
    },
    refresh,
    load,
    onRead: (listener) => void listeners.push(listener),
    explain: (asset, partition) => {
      if (!snapshot) return;
      try {
        const ref = parseKey({ ...lake.graph.node(asset).definition.space }, partition);
        update({ detail: partitionDetail(lake, snapshot, asset, ref) });
      } catch (error) {
        fail('This partition cannot be explained', error);
      }
    },
    plan: (request) => {
      void setImmediate()
        .then(() => planOf(lake, request))
        .then((plan) =>
          store.dispatch((state) =>
            state.overlay?.type === 'plan' && state.overlay.request === request
              ? { ...state, overlay: { ...state.overlay, plan } }
              : state,
          ),
        )
        .catch((error: unknown) => fail('This cannot be planned', error));
    },
    start: (request, observeOnly = false) => {
      if (job || readOnly) return;
      const at = now();
      const detail = newRun(options.commandLine(request), request.selection, at);
      update({ job: { run: undefined, detail, stopping: false }, overlay: undefined });
      const controls = { stopping: new AbortController(), signal: new AbortController() };
      job = { ...controls, done: Promise.resolve() };
      const done = work(request, observeOnly)
        .then(
          () => {
            const { outcome } = store.get().job?.detail.row ?? {};
            const text = observeOnly ? 'The sources were observed.' : `The run ${outcome}.`;
            update({ message: { kind: outcome === 'failed' ? 'bad' : 'good', text } });
          },
          (error: unknown) => {
            if (controls.signal.signal.aborted) update({ message: { kind: 'info', text: 'The run was stopped.' } });
            else fail('The run ended', error);
          },
        )
        .finally(() => {
          job = undefined;
          update({ job: undefined });
          refresh(true);
          loadScreen();
        });
      job = { ...controls, done };
    },
    wipe: (asset, partitions) => {
      if (job || readOnly) return;
      const command = options.wipeLine(asset, partitions);
      const remove = async () => {
        const writer = await options.open('write');
        try {
          const node = writer.graph.node(asset);
          const { space } = node.definition;
          const present = presentSet({ ...node, space }, writer.state.refresh().asset(asset));
          const set = partitions === undefined ? present : applyFilter(space, present, parseFilter(partitions));
          await wipePartitions(writer, asset, set, command, closing.signal);
          update({ message: { kind: 'good', text: `${sets.countOf(set)} partitions of ${asset} left the lake.` } });
        } finally {
          await writer.close();
        }
      };
      remove()
        .catch((error: unknown) => fail(`${asset} cannot be wiped`, error))
        .finally(() => refresh(true));
    },
    cancel: () => {
      if (!job) return false;
      const reason = new Error('It was stopped');
      if (job.stopping.signal.aborted) job.signal.abort(reason);
      job.stopping.abort(reason);
      store.dispatch((state) => ({
        ...state,
        ...(state.job && { job: { ...state.job, stopping: true } }),
        message: { kind: 'info', text: 'Stopping: what is running finishes. Press c again to stop now.' },
      }));
      return true;
    },
    idle: async () => job?.done,
    fail,
    close: async () => {
      closing.abort();
      stop();
      await reading;
      await lake.close();
    },
  };
}

function readRequest({ partitions }: WorkRequest): { filter: PartitionFilter | undefined } {
  return { filter: partitions === undefined ? undefined : parseFilter(partitions) };
}

async function planOf(lake: OpenedLake, request: WorkRequest): Promise<PlanView> {
  return planView(lake, request, readRequest(request).filter);
}

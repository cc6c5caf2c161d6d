import { LakehouseError } from '../../common/errors.ts';
import { publishAfter } from '../../materialize/catalogue.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { observeSources, wipePartitions } from '../../materialize/recorded.ts';
import { materialize } from '../../materialize/run.ts';
import { runByHand } from '../../operate/by-hand.ts';
import { tickersOf } from '../../operate/tickers.ts';
import { applyFilter, parseFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { presentSet } from '../../plan/universe.ts';
import type { ScheduleRow } from '../model/data.ts';
import { afterEvent, newRun, withProgress } from '../model/live.ts';
import type { UiMessage, UiState, WorkRequest } from '../model/state.ts';
import { heapFor } from '../prepare.ts';
import type { OperateAccess } from './operate.ts';
import type { UiStore } from './ui-store.ts';

export interface JobOptions {
  /** Opens the lake to write. */
  readonly open: () => Promise<OpenedLake>;
  readonly operate: OperateAccess | undefined;
  readonly store: UiStore;
  readonly now: () => number;
  readonly closing: AbortSignal;
  readonly commandLine: (request: WorkRequest) => string;
  readonly wipeLine: (asset: string, partitions: string | undefined) => string;
  readonly fail: (title: string, error: unknown) => void;
  /** Called whenever something was done to the lake. */
  readonly done: () => void;
}

/** What this process does to the lake: one run at a time. */
export interface Job {
  readonly start: (request: WorkRequest, observeOnly: boolean) => void;
  readonly wipe: (asset: string, partitions: string | undefined) => void;
  /** Does now what a schedule, a sensor or the conditions do, and writes that down as a tick. */
  readonly runSchedule: (row: Pick<ScheduleRow, 'kind' | 'name'>) => void;
  readonly cancel: () => boolean;
  /** Resolves when no run is going on. */
  readonly idle: () => Promise<void>;
}

/** The first asks to stop, the second stops. */
interface Controls {
  readonly stopping: AbortController;
  readonly signal: AbortController;
}

type Hooks = Parameters<typeof materialize>[2];
/** What is done with a lake that was opened for it; what is said at the end. */
type Work = (lake: OpenedLake, hooks: Hooks) => Promise<UiMessage>;

export function createJob(options: JobOptions): Job {
  const { operate, store, now, fail } = options;
  let job: (Controls & { readonly ended: Promise<void> }) | undefined;
  const update = (change: Partial<UiState>) => store.dispatch((state) => ({ ...state, ...change }));

  const emit: Hooks['emit'] = (event) => {
    store.dispatch((state) => {
      if (!state.job) return state;
      const detail = afterEvent(state.job.detail, event, now());
      const run = event.type === 'run-started' ? event.run : state.job.run;
      const shown = run !== undefined && state.runs.open === run ? { runs: { ...state.runs, detail } } : {};
      const { rows } = state.assets;
      const progressed =
        rows && (event.type === 'batch-finished' || event.type === 'asset-started' || event.type === 'asset-finished')
          ? { assets: { ...state.assets, rows: withProgress(rows, detail) } }
          : {};
      return { ...state, ...shown, ...progressed, job: { ...state.job, run, detail } };
    });
  };
  const compute =
    (request: WorkRequest, observeOnly: boolean): Work =>
    async (lake, hooks) => {
      const { selection, partitions, force, retryFailed } = request;
      const command = options.commandLine(request);
      if (observeOnly) {
        const { keys } = lake.graph.select(selection);
        const sources = keys.filter((key) => lake.graph.node(key).definition.kind === 'source');
        await observeSources(lake, sources, { command, selection }, hooks);
      } else {
        const filter = partitions === undefined ? undefined : parseFilter(partitions);
        await materialize(lake, { command, selection, filter, force, retryFailed }, hooks);
      }
      const { outcome } = store.get().job?.detail.row ?? {};
      const text = observeOnly ? 'The sources were observed.' : `The run ${outcome}.`;
      return { kind: outcome === 'failed' ? 'bad' : 'good', text };
    };
  const tick =
    ({ kind, name }: Pick<ScheduleRow, 'kind' | 'name'>): Work =>
    async (lake, hooks) => {
      const tickers = operate
        ? tickersOf({ graph: lake.graph, schedules: operate.schedules(lake), sensors: operate.sensors(lake) })
        : [];
      const ticker = tickers.find((one) => one.kind === kind && one.name === name);
      if (!operate || !ticker) throw new LakehouseError('unknown-schedule', `There is no ${kind} '${name}'`);
      const memory = await operate.write();
      try {
        const { outcome, decision } = await runByHand(lake, ticker, memory, hooks, now, operate.redact);
        return { kind: outcome === 'failed' ? 'bad' : 'good', text: `${name} ${outcome}: ${decision}.` };
      } finally {
        memory.close();
      }
    };
  const work = async (how: Work, { stopping, signal }: Controls): Promise<UiMessage> => {
    const lake = await options.open();
    heapFor('working');
    try {
      return await how(lake, { stopping: stopping.signal, signal: signal.signal, emit });
    } finally {
      heapFor('looking');
      await lake.close();
    }
  };
  const begin = (command: string, selection: string, how: Work): void => {
    if (job) return;
    const detail = newRun(command, selection, now());
    update({ job: { run: undefined, detail, stopping: false }, overlay: undefined, message: undefined });
    const controls: Controls = { stopping: new AbortController(), signal: new AbortController() };
    const ended = work(how, controls)
      .then(
        (message) => update({ message }),
        (error: unknown) => {
          if (controls.signal.signal.aborted) update({ message: { kind: 'info', text: 'The run was stopped.' } });
          else fail('The run ended', error);
        },
      )
      .finally(() => {
        job = undefined;
        update({ job: undefined });
        options.done();
      });
    job = { ...controls, ended };
  };
  const remove = async (asset: string, partitions: string | undefined): Promise<number> => {
    const lake = await options.open();
    try {
      const node = lake.graph.node(asset);
      const { space } = node.definition;
      const present = presentSet({ ...node, space }, lake.state.refresh().asset(asset));
      const set = partitions === undefined ? present : applyFilter(space, present, parseFilter(partitions));
      await wipePartitions(lake, asset, set, options.wipeLine(asset, partitions), options.closing);
      // The next run says what is wrong with it, if that lasts.
      await publishAfter(lake, () => undefined);
      return sets.countOf(set);
    } finally {
      await lake.close();
    }
  };

  return {
    start: (request, observeOnly) =>
      begin(options.commandLine(request), request.selection, compute(request, observeOnly)),
    runSchedule: (row) => begin(`${row.kind} ${row.name}`, row.name, tick(row)),
    wipe: (asset, partitions) => {
      if (job) return;
      remove(asset, partitions)
        .then((count) => update({ message: { kind: 'good', text: `${count} partitions of ${asset} left the lake.` } }))
        .catch((error: unknown) => fail(`${asset} cannot be wiped`, error))
        .finally(options.done);
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
    idle: async () => job?.ended,
  };
}

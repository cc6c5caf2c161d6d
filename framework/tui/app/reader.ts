import { setImmediate } from 'node:timers/promises';
import type { OpenedLake } from '../../materialize/open.ts';
import { withProgress } from '../model/live.ts';
import { assetTree } from '../model/tree.ts';
import { heapFor } from '../prepare.ts';
import { assetRows, type Volume, volumeOf } from '../read/assets.ts';
import { type HeatIndex, heatIndex } from '../read/heatmap.ts';
import { type Snapshot, takeSnapshot } from '../read/snapshot.ts';
import { createLags } from './lags.ts';
import type { UiStore } from './ui-store.ts';

export interface ReaderOptions {
  readonly open: () => Promise<OpenedLake>;
  readonly store: UiStore;
  /** The asset on which the cursor begins. */
  readonly asset: string | undefined;
  readonly now: () => number;
  /** The next tick of each asset that has one. */
  readonly next: () => ReadonlyMap<string, number>;
  readonly closing: AbortSignal;
  readonly fail: (title: string, error: unknown) => void;
}

/** The lake as it was last read. */
export interface Reader {
  readonly lake: () => OpenedLake;
  readonly snapshot: () => Snapshot | undefined;
  readonly heat: (asset: string) => HeatIndex | undefined;
  /** Reads again what the log has since; with `force` everything. */
  readonly refresh: (force?: boolean) => void;
  /** Shows the assets again as they were read, with what is known besides. */
  readonly show: () => void;
  readonly onRead: (listener: () => void) => void;
  /** After whatever is being read. */
  readonly close: () => Promise<void>;
}

/** The finest grain of time: with the next one there may be other partitions without any event. */
const HOUR_MS = 3_600_000;
/** After reading everything, that long is rested: so many times as long as it took, but news do not wait for longer than half a second. */
const REST = 4;
const MOST_REST_MS = 500;

export function createReader(lake: OpenedLake, options: ReaderOptions): Reader {
  const { store, now, closing, fail } = options;
  const volumes = new Map<string, Volume>();
  const heats = new Map<string, HeatIndex>();
  const listeners: (() => void)[] = [];
  const lags = createLags(now);
  let current = lake;
  let absent = lake.state.index().head === 0;
  let snapshot: Snapshot | undefined;
  let reading: Promise<void> | undefined;
  let restUntil = 0;
  let problem: string | undefined;
  let busy: ReadonlySet<string> = new Set();

  /** Trouble that lasts is told once. */
  const told = (title: string, error: unknown) => {
    if (problem === String(error)) return;
    problem = String(error);
    fail(title, error);
  };
  const showAssets = () => {
    const { job } = store.get();
    const rows = withProgress(
      assetRows(current, snapshot, volumes, { freshness: lags.found(), next: options.next(), busy }),
      job?.detail,
    );
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
  /** What was opened before there was a lake has not been compared with it. */
  const reopen = async (): Promise<void> => {
    const old = current;
    current = await options.open();
    absent = false;
    await old.close();
  };
  const turn = async (): Promise<void> => {
    await setImmediate();
    closing.throwIfAborted();
  };
  const lagsDue = (): boolean => snapshot !== undefined && lags.isDue(snapshot);
  const measure = async (): Promise<void> => {
    if (!snapshot || !lags.isDue(snapshot)) return;
    await lags.measure(snapshot, turn);
    if (lags.found().size > 0) showAssets();
  };
  const read = async (): Promise<void> => {
    const started = now();
    if (absent && current.state.refresh().head > 0) await reopen();
    const taken = await takeSnapshot(current, closing, snapshot);
    const before = snapshot;
    snapshot = taken;
    heats.clear();
    const [newest] = current.state.events({ after: taken.view.head - 1, limit: 1 });
    store.dispatch((state) => ({ ...state, revision: taken.view.head, newestAt: newest?.at }));
    showAssets();
    for (const key of current.graph.order) {
      if (before?.view.asset(key) === taken.view.asset(key) && volumes.has(key)) continue;
      await turn();
      const volume = volumeOf(current, key);
      if (volume) volumes.set(key, volume);
    }
    showAssets();
    if (!before) heapFor('looking');
    problem = undefined;
    for (const listener of listeners) listener();
    restUntil = now() + Math.min(REST * (now() - started), MOST_REST_MS);
    await measure();
  };
  /** Claims are no events: they are asked for by themselves. */
  const lookWhoWorks = (): void => {
    const found = current.state.claimed(now());
    if (found.size === busy.size && [...found].every((key) => busy.has(key))) return;
    busy = found;
    if (snapshot) showAssets();
  };
  const anythingNew = (): boolean => {
    if (!snapshot) return true;
    const later = Math.floor(now() / HOUR_MS) > Math.floor(snapshot.at / HOUR_MS);
    return later || current.state.refresh().head !== snapshot.view.head;
  };

  return {
    lake: () => current,
    snapshot: () => snapshot,
    heat: (asset) => {
      const known = heats.get(asset);
      const evaluation = snapshot?.evaluations.get(asset);
      if (known || !evaluation) return known;
      const made = heatIndex(evaluation);
      heats.set(asset, made);
      return made;
    },
    refresh: (force = false) => {
      if (closing.aborted || reading || (!force && now() < restUntil)) return;
      let isNew = force;
      try {
        lookWhoWorks();
        isNew ||= anythingNew();
      } catch (error) {
        return told('The lake cannot be read', error);
      }
      if (!isNew && !lagsDue()) return;
      reading = (isNew ? read() : measure())
        .catch((error: unknown) => told('The lake cannot be read', error))
        .finally(() => {
          reading = undefined;
        });
    },
    show: showAssets,
    onRead: (listener) => void listeners.push(listener),
    close: async () => {
      await reading;
      await current.close();
    },
  };
}

import { isLakehouseError, serializeError } from '../../common/errors.ts';
import type { ScheduleDefinition } from '../../define/schedule.ts';
import type { SensorDefinition } from '../../define/sensor.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { pauseKey } from '../../operate/keys.ts';
import type { Pause } from '../../operate/schedules.ts';
import type { OperateReader, OperateStore } from '../../operate/store.ts';
import { pausedText, resumedText, type Ticker } from '../../operate/tickers.ts';
import type { ScheduleRow } from '../model/data.ts';
import type { UiState } from '../model/state.ts';
import { daemonOf, nextByAsset, scheduleRows } from '../read/schedules.ts';
import type { UiStore } from './ui-store.ts';

/** What a lake does unasked, and what the daemon remembers of it. */
export interface OperateAccess {
  /** Opens what the daemon remembers, to look at; undefined while there is nothing. */
  readonly read: () => OperateReader | undefined;
  readonly write: () => Promise<OperateStore>;
  /** @throws LakehouseError of what is declared wrong. */
  readonly schedules: (lake: OpenedLake) => readonly ScheduleDefinition[];
  readonly sensors: (lake: OpenedLake) => readonly SensorDefinition[];
  /** Takes secrets out of what is remembered. */
  readonly redact: (text: string) => string;
  /** Where it is said that one is not enabled. */
  readonly whereDisabled?: (ticker: Ticker) => string;
}

export interface OperateOptions {
  readonly access: OperateAccess;
  readonly store: UiStore;
  readonly lake: () => OpenedLake;
  readonly now: () => number;
  readonly fail: (title: string, error: unknown) => void;
  /** Called when assets have another next tick. */
  readonly changed: () => void;
}

/** The schedules as the screens see them. */
export interface Operate {
  /** Reads them into the state. */
  readonly load: () => void;
  /** What the clock does twice a second: asks whether anybody wrote anything. */
  readonly look: () => void;
  /** The next tick of each asset that has one, ms UTC. */
  readonly next: () => ReadonlyMap<string, number>;
  readonly pause: (row: Pick<ScheduleRow, 'kind' | 'name' | 'disabled'>, paused: boolean) => void;
  readonly close: () => void;
}

interface Next {
  readonly by: ReadonlyMap<string, number>;
  /** Until when it is so, if nobody writes anything. */
  readonly until: number;
}

export function createOperate({ access, store, lake, now, fail, changed }: OperateOptions): Operate {
  let opened: OperateReader | undefined;
  let version: number | undefined;
  let next: Next | undefined;
  let problem: string | undefined;
  let closed = false;
  const patch = (some: Partial<UiState['schedules']>) =>
    store.dispatch((state) => ({ ...state, schedules: { ...state.schedules, ...some } }));
  const reader = (): OperateReader | undefined => {
    opened ??= access.read();
    return opened;
  };
  const readNext = (): Next => {
    try {
      const by = nextByAsset({ graph: lake().graph, schedules: access.schedules(lake()) }, reader(), now());
      return { by, until: Math.min(...by.values()) };
    } catch {
      // The screen of the schedules says what is wrong with them.
      return { by: new Map(), until: Number.POSITIVE_INFINITY };
    }
  };
  const load = () => {
    try {
      const at = lake();
      const scheduled = { graph: at.graph, schedules: access.schedules(at), sensors: access.sensors(at) };
      const found = reader();
      const rows = scheduleRows(scheduled, found, now(), access.whereDisabled);
      patch({ rows, daemon: daemonOf(found), problem: undefined });
    } catch (error) {
      const { message, hint } = isLakehouseError(error) ? error : { ...serializeError(error), hint: undefined };
      patch({ rows: [], problem: { message, hint } });
    }
  };
  const pause = async (row: Pick<ScheduleRow, 'kind' | 'name' | 'disabled'>, paused: boolean): Promise<void> => {
    const { kind, name, disabled } = row;
    const written = await access.write();
    try {
      const said: Pause = { paused, at: now() };
      written.remember({ [pauseKey(name, kind)]: said });
    } finally {
      written.close();
    }
    if (closed) return;
    const text = paused
      ? pausedText(row)
      : disabled !== undefined
        ? `${name} runs from now on, although its definition says ${disabled}.`
        : resumedText(row);
    store.dispatch((state) => ({ ...state, message: { kind: 'good', text } }));
    load();
  };
  return {
    load,
    look: () => {
      let found: number | undefined;
      try {
        found = reader()?.version();
        problem = undefined;
      } catch (error) {
        if (problem !== String(error)) fail('What the daemon remembers cannot be read', error);
        problem = String(error);
        return;
      }
      const isNews = found !== version;
      version = found;
      const { screen, schedules } = store.get();
      const isPast = ({ kind, nextAt }: ScheduleRow) => kind === 'schedule' && nextAt !== undefined && nextAt <= now();
      if (screen === 'schedules' && (isNews || schedules.rows?.some(isPast))) load();
      if (!next || (!isNews && now() < next.until)) return;
      const before = next.by;
      next = readNext();
      if (!same(before, next.by)) changed();
    },
    next: () => {
      next ??= readNext();
      return next.by;
    },
    pause: (row, paused) => {
      pause(row, paused).catch((error: unknown) => fail(`${row.name} cannot be paused or resumed`, error));
    },
    close: () => {
      closed = true;
      opened?.close();
    },
  };
}

const same = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([key, at]) => b.get(key) === at);

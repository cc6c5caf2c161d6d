import { evaluateNow } from '../report/evaluated.ts';
import type { Alerts } from './alerts/alerts.ts';
import { tickFacts } from './alerts/gather.ts';
import { conditionsOf } from './automation/tick.ts';
import type { Circuit } from './circuit.ts';
import type { Daemon } from './daemon.ts';
import { CIRCUITS, CONDITIONS } from './keys.ts';
import type { OperateReader } from './store.ts';

export interface Judge {
  /** Looks whether something became bad or good again; not more often than is worth its while, unless `now`. */
  readonly look: (options?: { readonly now?: boolean }) => void;
}

/** Lateness and reminders come with time alone. */
const EVERY_MS = 60_000;
/** Of a lake that takes long to look at, it takes no more than this share of the time. */
const SHARE = 0.05;

/** Tells {@link Alerts} what there is to know of ticks, sources and the lake: after every tick that ended, and every minute. */
export function createJudge(
  alerts: Pick<Alerts, 'update' | 'look'>,
  daemon: Pick<Daemon, 'loaded' | 'ended'>,
  store: Pick<OperateReader, 'ticks' | 'recallAll'>,
  now: () => number,
): Judge {
  let ended = 0;
  let next = Number.NEGATIVE_INFINITY;
  return {
    look: ({ now: atOnce = false } = {}) => {
      const at = now();
      const isNews = daemon.ended !== ended;
      // A clock that was put back would keep it waiting.
      const isTime = at >= next || next - at > 3_600_000;
      if (!isNews && !isTime && !atOnce) return;
      ended = daemon.ended;
      const { lake, schedules, sensors } = daemon.loaded;
      const names = [
        ...schedules.map(({ name }) => ({ kind: 'schedule' as const, name })),
        ...sensors.map(({ name }) => ({ kind: 'sensor' as const, name })),
        ...(conditionsOf(lake.graph).size > 0 ? [{ kind: 'automation' as const, name: CONDITIONS }] : []),
      ];
      const circuits = store.recallAll(CIRCUITS) as Map<string, Circuit>;
      alerts.update({ ticks: tickFacts(store, names), circuits });
      if (!isTime && !atOnce) return;
      const began = performance.now();
      alerts.look(lake, evaluateNow(lake));
      next = at + Math.max(EVERY_MS, (performance.now() - began) / SHARE);
    },
  };
}

import type { OperateReader } from '../../operate/store.ts';
import { nextOf, type Scheduled, standingOf, type Ticker, tickersOf } from '../../operate/tickers.ts';
import { duration, plural } from '../../report/format.ts';
import type { DaemonInfo, ScheduleRow } from '../model/data.ts';

/** Ticks that are shown of each. */
const TICKS = 50;

/**
 * Schedules, then sensors, then the conditions of assets.
 * @param store undefined where no daemon ever was.
 * @param whereDisabled where it is said that one is not enabled.
 */
export function scheduleRows(
  scheduled: Scheduled,
  store: OperateReader | undefined,
  now: number,
  whereDisabled: (ticker: Ticker) => string = () => 'enabled: false',
): ScheduleRow[] {
  return tickersOf(scheduled).map((ticker): ScheduleRow => {
    const { kind, name } = ticker;
    const ticks = store?.ticks({ kind, name, limit: TICKS }) ?? [];
    const standing = standingOf(ticker, store);
    return {
      kind,
      name,
      ...described(ticker),
      paused: standing !== 'active',
      disabled: standing === 'disabled' ? whereDisabled(ticker) : undefined,
      nextAt: nextOf(ticker, store, now),
      ticks,
      lastAt: ticks[0]?.at,
      lastOutcome: ticks[0]?.outcome,
    };
  });
}

function described(ticker: Ticker): Pick<ScheduleRow, 'description' | 'cron' | 'timezone' | 'action' | 'select'> {
  switch (ticker.kind) {
    case 'schedule': {
      const { description, cron, timezone, action, select } = ticker.schedule;
      return { description, cron, timezone, action: typeof action === 'string' ? action : 'a function', select };
    }
    case 'sensor': {
      const { description, everyMs, action, select } = ticker.sensor;
      const cron = `looks every ${duration(everyMs).replace(/ 00[sm]$/, '')}`;
      return { description, cron, timezone: '', action, select };
    }
    case 'automation': {
      const { assets } = ticker;
      return {
        description: `What ${plural(assets.length, 'asset')} declared with automation.`,
        cron: 'when they hold',
        timezone: '',
        action: 'materialize-stale',
        select: assets.join(', '),
      };
    }
  }
}

/** When a schedule computes each asset next, ms UTC, by key. What functions of schedules do is not known. */
export function nextByAsset(
  { graph, schedules }: Pick<Scheduled, 'graph' | 'schedules'>,
  store: OperateReader | undefined,
  now: number,
): Map<string, number> {
  const next = new Map<string, number>();
  for (const schedule of schedules) {
    const ticker = { kind: 'schedule', name: schedule.name, schedule } as const;
    if (schedule.action !== 'materialize-stale' || standingOf(ticker, store) !== 'active') continue;
    const at = nextOf(ticker, store, now);
    if (at === undefined) continue;
    for (const key of graph.select(schedule.select).keys) next.set(key, Math.min(next.get(key) ?? at, at));
  }
  return next;
}

/** Who has the lease, or had it last. */
export function daemonOf(store: OperateReader | undefined): DaemonInfo | undefined {
  const lease = store?.lease();
  if (!lease) return undefined;
  const { owner, acquiredAt, expiresAt } = lease;
  return { host: owner.host, pid: owner.pid, since: acquiredAt, expiresAt };
}

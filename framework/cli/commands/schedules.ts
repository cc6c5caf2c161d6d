import { join } from 'node:path';
import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { ScheduleDefinition } from '../../define/schedule.ts';
import { ticksBetween } from '../../operate/cron.ts';
import { pauseKey } from '../../operate/daemon.ts';
import { resolveSchedules } from '../../operate/resolve.ts';
import { cronOf, isPaused, jittered, type Pause } from '../../operate/schedules.ts';
import { openOperate } from '../../operate/sqlite.ts';
import type { Lease, OperateStore, TickRecord } from '../../operate/store.ts';
import { instant, table } from '../../report/format.ts';
import { makeDirectory } from '../../storage/directories.ts';
import type { Context } from '../context.ts';

const NEXT_TICKS = 3;
const YEAR_MS = 366 * 86_400_000;

export async function run(context: Context): Promise<number | undefined> {
  const { console, io } = context;
  const now = io.now();
  const schedules = await readSchedules(context);
  return withOperate(context, true, (store) => {
    const daemon = activeDaemon(io, store.lease());
    const rows = schedules.map((schedule) => {
      const pause = store.recall(pauseKey(schedule.name)) as Pause | undefined;
      const [last] = store.ticks({ kind: 'schedule', name: schedule.name, limit: 1 });
      return { schedule, paused: isPaused(schedule, pause), last, next: nextTicks(schedule, now) };
    });
    console.result(
      {
        daemon: daemon && { host: daemon.owner.host, pid: daemon.owner.pid, since: iso(daemon.acquiredAt) },
        schedules: rows.map(({ schedule, paused, last, next }) => ({
          ...described(schedule),
          paused,
          next: paused ? [] : next.map(iso),
          ...(last && { last: tickJson(last) }),
        })),
      },
      () => {
        if (rows.length === 0)
          return `There are no schedules. Declare them in the definitions, or under 'schedules:' in lakehouse.yaml.`;
        const lines = table(
          [
            { title: 'SCHEDULE', whole: true },
            { title: 'CRON', whole: true },
            { title: 'DOES' },
            { title: 'NEXT' },
            { title: 'LAST' },
          ],
          rows.map(({ schedule, paused, last, next: [first] }) => [
            schedule.name,
            schedule.timezone === 'UTC' ? schedule.cron : `${schedule.cron} ${schedule.timezone}`,
            `${typeof schedule.action === 'string' ? schedule.action : 'a function'} ${schedule.select}`,
            paused ? 'paused' : first === undefined ? 'never' : instant(first),
            last === undefined ? 'never' : `${last.outcome} ${instant(last.due)}`,
          ]),
          console.style.strong,
          console.tableWidth,
        );
        const state = daemon
          ? `The daemon is active (pid ${daemon.owner.pid} on ${daemon.owner.host}).`
          : `No daemon is active: nothing runs unasked. Start one with ${context.again('daemon')}`;
        return `${lines}\n\n${state}`;
      },
    );
    return undefined;
  });
}

/** When a schedule is due next, with its jitter. */
function nextTicks(schedule: ScheduleDefinition, now: number): number[] {
  const next: number[] = [];
  for (const tick of ticksBetween(cronOf(schedule), now, now + YEAR_MS)) {
    next.push(jittered(schedule, tick));
    if (next.length === NEXT_TICKS) break;
  }
  return next;
}

const described = ({ module, line, issues, action, partitions, ...schedule }: ScheduleDefinition) => ({
  ...schedule,
  action: typeof action === 'string' ? action : 'function',
  ...(partitions !== undefined && { partitions: typeof partitions === 'string' ? partitions : 'function' }),
});

/** The lease of a daemon that is there. One of this host that was killed holds it still. */
export function activeDaemon({ now, host, isAlive }: Context['io'], lease: Lease | undefined): Lease | undefined {
  if (lease === undefined || lease.expiresAt <= now()) return undefined;
  return lease.owner.host === host && !isAlive(lease.owner.pid) ? undefined : lease;
}

const iso = (ms: number) => new Date(ms).toISOString();

export function tickJson({ due, at, finishedAt, ...tick }: TickRecord): object {
  return { ...tick, due: iso(due), at: iso(at), ...(finishedAt !== undefined && { finishedAt: iso(finishedAt) }) };
}

export async function readSchedules(context: Context): Promise<ScheduleDefinition[]> {
  const { definition, loaded } = await context.configuration();
  return context.withLake('read', async ({ graph }) =>
    resolveSchedules(definition, loaded.settings, graph, context.io.now()),
  );
}

/** @throws LakehouseError `unknown-schedule` (usage). */
export function findSchedule(schedules: readonly ScheduleDefinition[], name: string): ScheduleDefinition {
  const found = schedules.find((one) => one.name === name);
  if (found) return found;
  const names = schedules.map((one) => one.name);
  throw new LakehouseError('unknown-schedule', `No schedule is named '${name}'`, { hint: didYouMean(name, names) });
}

/** What the daemon remembers, opened and closed whatever happens. */
export async function withOperate<T>(
  context: Context,
  readOnly: boolean,
  use: (store: OperateStore) => T | Promise<T>,
): Promise<T> {
  const { settings } = (await context.settings()).loaded;
  const { host, isAlive } = context.io;
  if (!readOnly) await makeDirectory(settings.state.directory);
  const store = openOperate(join(settings.state.directory, 'operate.sqlite'), { host, isAlive, readOnly });
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

import type { ScheduleDefinition } from '../../define/schedule.ts';
import type { SensorDefinition } from '../../define/sensor.ts';
import { ticksBetween } from '../../operate/cron.ts';
import { cronOf, jittered } from '../../operate/schedules.ts';
import type { OperateReader, TickRecord } from '../../operate/store.ts';
import { isEnabled, nextOf, type Standing, standingOf, type Ticker } from '../../operate/tickers.ts';
import { duration, instant, some, table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { activeDaemon, disabledText, nameIn, readTickers, withOperate } from '../tickers.ts';

const NEXT_TICKS = 3;
const YEAR_MS = 366 * 86_400_000;

export async function run(context: Context): Promise<number | undefined> {
  const { console, io } = context;
  const now = io.now();
  const tickers = await readTickers(context);
  return withOperate(context, true, async (store) => {
    const daemon = activeDaemon(io, store.lease());
    const rows = await Promise.all(
      tickers.map(async (ticker) => {
        const { kind, name } = ticker;
        const standing = standingOf(ticker, store);
        return {
          ticker,
          standing,
          disabled: isEnabled(ticker) ? undefined : await disabledText(context, ticker),
          last: store.ticks({ kind, name, limit: 1 })[0],
          next: standing === 'active' ? nextTimes(ticker, store, now) : [],
        };
      }),
    );
    console.result(
      {
        daemon: daemon && { host: daemon.owner.host, pid: daemon.owner.pid, since: iso(daemon.acquiredAt) },
        schedules: rows.map(({ ticker, standing, disabled, last, next }) => ({
          kind: ticker.kind,
          name: ticker.name,
          ...described(ticker),
          status: standing,
          ...(disabled !== undefined && { disabled }),
          next: next.map(iso),
          ...(last && { last: tickJson(last) }),
        })),
      },
      () => {
        if (rows.length === 0)
          return `There are no schedules, sensors or conditions. Declare them in the definitions, schedules also under 'schedules:' in lakehouse.yaml.`;
        const lines = table(
          [
            { title: 'NAME', whole: true },
            { title: 'KIND', whole: true },
            { title: 'WHEN', whole: true },
            { title: 'DOES' },
            { title: 'NEXT' },
            { title: 'LAST' },
          ],
          rows.map(({ ticker, standing, last, next: [first] }) => [
            nameIn(tickers, ticker),
            ticker.kind,
            whenOf(ticker),
            doesOf(ticker),
            nextText(ticker, standing, first),
            last === undefined ? 'never' : `${last.outcome} ${instant(last.due)}`,
          ]),
          console.style.strong,
          console.tableWidth,
        );
        const notes = rows.flatMap(({ ticker, standing, disabled }) => {
          const name = nameIn(tickers, ticker);
          if (disabled === undefined || standing === 'paused') return [];
          return standing === 'disabled'
            ? [
                `${name} is disabled: ${disabled}. ${context.again('schedules', 'resume', name)}  lets it run all the same.`,
              ]
            : [`${name} runs because it was resumed by hand: ${disabled}.`];
        });
        const state = daemon
          ? `The daemon is active (pid ${daemon.owner.pid} on ${daemon.owner.host}).`
          : `No daemon is active: nothing runs unasked. Start one with ${context.again('daemon')}`;
        return `${lines}\n\n${[...notes, state].join('\n')}`;
      },
    );
    return undefined;
  });
}

/** When it is due next: the next ticks of a schedule with their jitter, the next look of a sensor. */
function nextTimes(ticker: Ticker, store: OperateReader, now: number): number[] {
  if (ticker.kind !== 'schedule') {
    const next = nextOf(ticker, store, now);
    return next === undefined ? [] : [Math.max(next, now)];
  }
  const next: number[] = [];
  for (const tick of ticksBetween(cronOf(ticker.schedule), now, now + YEAR_MS)) {
    next.push(jittered(ticker.schedule, tick));
    if (next.length === NEXT_TICKS) break;
  }
  return next;
}

function described(ticker: Ticker): object {
  if (ticker.kind === 'automation') return { action: 'materialize-stale', assets: ticker.assets };
  return ticker.kind === 'schedule' ? scheduleJson(ticker.schedule) : sensorJson(ticker.sensor);
}

const scheduleJson = ({ module, line, issues, action, partitions, ...schedule }: ScheduleDefinition) => ({
  ...schedule,
  action: typeof action === 'string' ? action : 'function',
  ...(partitions !== undefined && { partitions: typeof partitions === 'string' ? partitions : 'function' }),
});

const sensorJson = ({ module, line, issues, poll, ...sensor }: SensorDefinition) => sensor;

function whenOf(ticker: Ticker): string {
  if (ticker.kind === 'automation') return 'when they hold';
  if (ticker.kind === 'sensor') return `looks every ${duration(ticker.sensor.everyMs).replace(/ 00[sm]$/, '')}`;
  const { cron, timezone } = ticker.schedule;
  return timezone === 'UTC' ? cron : `${cron} ${timezone}`;
}

function doesOf(ticker: Ticker): string {
  if (ticker.kind === 'automation') return `materialize-stale ${some(ticker.assets)}`;
  const { action, select } = ticker.kind === 'schedule' ? ticker.schedule : ticker.sensor;
  return `${typeof action === 'string' ? action : 'a function'} ${select}`;
}

function nextText({ kind }: Ticker, standing: Standing, first: number | undefined): string {
  if (standing !== 'active') return standing;
  return first !== undefined ? instant(first) : kind === 'automation' ? '-' : 'never';
}

const iso = (ms: number) => new Date(ms).toISOString();

export function tickJson({ due, at, begunAt, finishedAt, ...tick }: TickRecord): object {
  return {
    ...tick,
    due: iso(due),
    at: iso(at),
    ...(begunAt !== undefined && { begunAt: iso(begunAt) }),
    ...(finishedAt !== undefined && { finishedAt: iso(finishedAt) }),
  };
}

import { join } from 'node:path';
import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { resolveSchedules, whereDisabled } from '../operate/resolve.ts';
import { resolveSensors } from '../operate/sensors.ts';
import { openOperate } from '../operate/sqlite.ts';
import type { Lease, OperateStore } from '../operate/store.ts';
import { TICK_KINDS } from '../operate/store.ts';
import { type Scheduled, type Ticker, tickersOf } from '../operate/tickers.ts';
import type { Configuration } from '../sdk/configure.ts';
import { makeDirectory } from '../storage/directories.ts';
import { type Context, shownPath } from './context.ts';

/** The schedules and sensors of a configuration. @throws LakehouseError `bad-schedules`, `bad-sensors` (usage). */
export function scheduledIn(
  { definition, loaded }: Configuration,
  graph: Scheduled['graph'],
  now: number,
): Pick<Scheduled, 'schedules' | 'sensors'> {
  return {
    schedules: resolveSchedules(definition, loaded.settings, graph, now, loaded.effective),
    sensors: resolveSensors(definition, graph),
  };
}

/** Everything that makes ticks. */
export async function readTickers(context: Context): Promise<Ticker[]> {
  const configuration = await context.configuration();
  return context.withLake('read', async ({ graph }) =>
    tickersOf({ graph, ...scheduledIn(configuration, graph, context.io.now()) }),
  );
}

/** The name that means it alone: `sensor:listings` where there is a schedule of that name too. */
export function nameIn(tickers: readonly Ticker[], { kind, name }: Ticker): string {
  return tickers.filter((one) => one.name === name).length > 1 ? `${kind}:${name}` : name;
}

/** By its name, or by `schedule:name` and `sensor:name`. @throws LakehouseError `unknown-schedule`, `ambiguous-schedule` (usage). */
export function findTicker(tickers: readonly Ticker[], asked: string): Ticker {
  const kind = TICK_KINDS.find((one) => asked.startsWith(`${one}:`));
  const name = kind === undefined ? asked : asked.slice(kind.length + 1);
  const [found, ...others] = tickers.filter((one) => one.name === name && (kind ?? one.kind) === one.kind);
  if (!found)
    throw new LakehouseError('unknown-schedule', `No schedule or sensor is named '${asked}'`, {
      hint: didYouMean(
        asked,
        tickers.map((one) => nameIn(tickers, one)),
      ),
    });
  if (others.length > 0) {
    const names = [found, ...others].map((one) => nameIn(tickers, one));
    throw new LakehouseError('ambiguous-schedule', `There is more than one '${asked}'`, {
      hint: `Write ${names.join(' or ')}.`,
    });
  }
  return found;
}

/** Where it is said that something is not enabled: `enabled: false in lakehouse.yaml:4`. */
export async function disabledText(context: Context, ticker: Ticker): Promise<string> {
  const { loaded } = await context.configuration();
  return disabledIn(loaded.effective, context.io.cwd, ticker);
}

export function disabledIn(effective: Configuration['loaded']['effective'], cwd: string, ticker: Ticker): string {
  const shown = (file: string) => shownPath(cwd, file);
  if (ticker.kind === 'schedule') return whereDisabled(ticker.schedule, effective, shown);
  return ticker.kind === 'sensor' ? whereDisabled(ticker.sensor, [], shown) : '';
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

/** The lease of a daemon that is there. One of this host that was killed holds it still. */
export function activeDaemon({ now, host, isAlive }: Context['io'], lease: Lease | undefined): Lease | undefined {
  if (lease === undefined || lease.expiresAt <= now()) return undefined;
  return lease.owner.host === host && !isAlive(lease.owner.pid) ? undefined : lease;
}

import { join } from 'node:path';
import { type Alerts, createAlerts } from '../../operate/alerts/alerts.ts';
import { checkConditions } from '../../operate/automation/issues.ts';
import type { Loaded } from '../../operate/daemon.ts';
import { resolveSchedules } from '../../operate/resolve.ts';
import { resolveSensors } from '../../operate/sensors.ts';
import { serve } from '../../operate/serve.ts';
import { openOperate } from '../../operate/sqlite.ts';
import type { Telemetry } from '../../operate/telemetry/telemetry.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { idGenerator } from '../ids.ts';
import { createLog } from '../logs.ts';
import { wantsColor } from '../style.ts';
import { openTelemetry } from '../telemetry.ts';

export interface DaemonCommandOptions {
  readonly once?: boolean;
}

export async function run(context: Context, options: DaemonCommandOptions): Promise<number> {
  const { io, globals } = context;
  const loaded = await load(context);
  const { settings } = (await context.configuration()).loaded;
  const { host, pid, isAlive, now } = io;
  const store = openOperate(join(settings.state.directory, 'operate.sqlite'), { host, isAlive });
  const stopping = new AbortController();
  let onReload: () => void = () => undefined;
  const stop = (code: number) => () => {
    // Whoever asks twice does not want to wait.
    if (stopping.signal.aborted) io.exit(code);
    stopping.abort();
  };
  const forget = [
    io.onSignal('SIGINT', stop(130)),
    io.onSignal('SIGTERM', stop(143)),
    // A terminal that is closed sends the same signal as somebody who wants the definitions read again.
    io.onSignal('SIGHUP', () => (io.stdout.isTTY ? stop(129)() : onReload())),
  ];
  // Secrets of earlier settings, which runs may still use, and of those that are being loaded are secrets too.
  let known: readonly Context[] = [context];
  const redact = (text: string) => known.reduce((shown, one) => one.redact(shown), text);
  const log = createLog(io, {
    level: settings.log.level,
    json: globals.json,
    color: wantsColor(io.stdout, io.env, globals.color),
    redact,
  });
  let generation = 0;
  let failed = 0;
  let { lake } = loaded;
  const once = options.once ?? false;
  let telemetry: Telemetry | undefined;
  let alerts: Alerts | undefined;
  try {
    telemetry = await openTelemetry(context, log, { lake: () => lake, listen: !once, redact });
    await serve({
      loaded,
      store,
      owner: { host, pid, started: Math.round(performance.timeOrigin) },
      log: (level, message, fields) => {
        if (level === 'error') failed++;
        log(level, message, fields);
      },
      now,
      settings: {
        ...settings.daemon,
        retentionDays: settings.state.retentionDays,
        automationEveryMs: settings.daemon.automationSeconds * 1000,
      },
      once,
      watch: telemetry,
      alerts: (fenced) => {
        alerts = createAlerts({
          settings: settings.alerts,
          store: fenced,
          log,
          now,
          id: idGenerator(now, io.random),
          origin: { host, lake: settings.dataDir },
          env: io.env,
          redact,
        });
        return alerts;
      },
      stopping: stopping.signal,
      reload: async () => {
        const next = context.anew(++generation);
        known = [...known.slice(-2), next];
        const reloaded = await load(next);
        lake = reloaded.lake;
        alerts?.configure((await next.configuration()).loaded.settings.alerts);
        return reloaded;
      },
      onReload: (listener) => {
        onReload = listener;
      },
    });
  } finally {
    await telemetry?.close();
    store.close();
    for (const each of forget) each();
  }
  return options.once && failed > 0 ? FAILED : DONE;
}

/** The lake of a context, and its schedules. Closed by whoever gets it. */
async function load(context: Context): Promise<Loaded> {
  const lake = await context.openLake('write');
  try {
    const { definition, loaded } = await context.configuration();
    const now = context.io.now();
    checkConditions(lake.graph, now);
    return {
      lake,
      schedules: resolveSchedules(definition, loaded.settings, lake.graph, now),
      sensors: resolveSensors(definition, lake.graph),
    };
  } catch (error) {
    await lake.close();
    throw error;
  }
}

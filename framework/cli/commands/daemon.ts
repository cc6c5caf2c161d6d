import { join } from 'node:path';
import { serializeError } from '../../common/errors.ts';
import { redactText } from '../../config/redact.ts';
import { refuseUntold } from '../../config/resolve.ts';
import { createShared, type Shared } from '../../materialize/shared.ts';
import { type Alerts, createAlerts } from '../../operate/alerts/alerts.ts';
import { checkConditions } from '../../operate/automation/issues.ts';
import type { Loaded } from '../../operate/loaded.ts';
import { serve } from '../../operate/serve.ts';
import { openOperate } from '../../operate/sqlite.ts';
import type { Telemetry } from '../../operate/telemetry/telemetry.ts';
import { readsText, tableReads } from '../../report/reads.ts';
import { idGenerator } from '../../sdk/ids.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { createLog } from '../logs.ts';
import { wantsColor } from '../style.ts';
import { openTelemetry } from '../telemetry.ts';
import { scheduledIn } from '../tickers.ts';

/** How long what was left behind may keep the process alive. */
const LEFT_BEHIND_MS = 2_000;

export interface DaemonCommandOptions {
  readonly once?: boolean;
}

export async function run(context: Context, options: DaemonCommandOptions): Promise<number> {
  const { io, globals } = context;
  const { settings } = (await context.configuration()).loaded;
  // Memory and pools are there once, however often the definitions are read again.
  const shared = createShared(settings, 'write');
  const loaded = await load(context, shared);
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
  const secrets = new Set(context.secrets());
  let loading = context;
  const redact = (text: string) => redactText(text, { secrets: [...secrets, ...loading.secrets()] });
  const log = createLog(io, {
    level: settings.log.level,
    json: globals.json,
    color: wantsColor(io.stdout, io.env, globals.color),
    redact,
  });
  // A promise that nobody waits for is a mistake in somebody's code; the daemon has other things to do.
  forget.push(
    io.onUnhandled?.((error) =>
      log('error', 'a promise was rejected that nobody waits for', { error: serializeError(error) }),
    ) ?? (() => undefined),
  );
  let generation = 0;
  let failed = 0;
  let { lake } = loaded;
  const once = options.once ?? false;
  let telemetry: Telemetry | undefined;
  let alerts: Alerts | undefined;
  try {
    telemetry = await openTelemetry(context, log, { lake: () => lake, listen: !once, redact });
    const reads = await tableReads(settings, shared.engine);
    if (reads) log('info', readsText(reads));
    await serve({
      loaded,
      store,
      owner: { host, pid, started: Math.round(performance.timeOrigin) },
      log: (level, message, fields) => {
        if (level === 'error') failed++;
        log(level, message, fields);
      },
      redact,
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
          command: context.again,
        });
        return alerts;
      },
      stopping: stopping.signal,
      reload: async () => {
        const next = context.anew(++generation);
        for (const secret of loading.secrets()) secrets.add(secret);
        loading = next;
        const reloaded = await load(next, shared);
        const { settings } = (await next.configuration()).loaded;
        lake = reloaded.lake;
        shared.configure(settings);
        alerts?.configure(settings.alerts);
        return reloaded;
      },
      onReload: (listener) => {
        onReload = listener;
      },
    });
  } finally {
    await telemetry?.close();
    await shared.close();
    store.close();
    for (const each of forget) each();
  }
  const code = options.once && failed > 0 ? FAILED : DONE;
  // Functions that do not heed their signal keep nobody waiting. Nothing of theirs is committed.
  setTimeout(() => io.exit(code), LEFT_BEHIND_MS).unref();
  return code;
}

/** The lake of a context, and its schedules. Closed by whoever gets it. */
async function load(context: Context, shared: Shared): Promise<Loaded> {
  refuseUntold((await context.configuration()).loaded);
  const lake = await context.openLake('write', shared);
  try {
    const now = context.io.now();
    checkConditions(lake.graph, now);
    return { lake, ...scheduledIn(await context.configuration(), lake.graph, now) };
  } catch (error) {
    await lake.close();
    throw error;
  }
}

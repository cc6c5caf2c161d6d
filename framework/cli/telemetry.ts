import type { OpenedLake } from '../materialize/open.ts';
import { PROGRAM_VERSION } from '../materialize/open.ts';
import type { Log } from '../operate/log.ts';
import type { Telemetry } from '../operate/telemetry/telemetry.ts';
import type { Context } from './context.ts';

/** Telemetry as the settings say; `daemon` where there is more to tell than of one run. */
export async function openTelemetry(
  context: Context,
  log: Log,
  daemon?: { readonly lake: () => OpenedLake; readonly listen: boolean; readonly redact: (text: string) => string },
): Promise<Telemetry> {
  const { host, pid, now } = context.io;
  const [{ createTelemetry }, { loaded }] = await Promise.all([
    import('../operate/telemetry/telemetry.ts'),
    context.configuration(),
  ]);
  return createTelemetry({
    settings: loaded.settings,
    version: PROGRAM_VERSION,
    host,
    pid,
    now,
    log,
    redact: daemon?.redact ?? context.redact,
    lake: daemon?.lake,
    listen: daemon?.listen ?? false,
  });
}

import type { DestinationType } from '../../common/alerts.ts';
import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import { refuseUntold } from '../../config/resolve.ts';
import { destinationsOf } from '../../operate/alerts/destinations.ts';
import { send, testMessage } from '../../operate/alerts/send.ts';
import { idGenerator } from '../../sdk/ids.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';

interface Result {
  readonly destination: string;
  readonly type: DestinationType;
  /** Of the message. */
  readonly id: string;
  readonly ok: boolean;
  readonly note?: string;
  readonly error?: string;
}

/** Sends a message through each destination, at once and past everything that waits. */
export async function run(context: Context, _options: object, name?: string): Promise<number> {
  const { console, io } = context;
  const { settings, untold } = (await context.settings()).loaded;
  refuseUntold({ untold: untold.filter(({ path }) => name === undefined || path.includes(name)) });
  const all = destinationsOf(settings.alerts);
  const chosen = name === undefined ? all : all.filter((one) => one.name === name);
  if (all.length === 0)
    throw new LakehouseError('no-destinations', 'Nobody is told of alerts', {
      hint: "Name somebody under 'alerts.destinations' in lakehouse.yaml, or set ALERT_WEBHOOK_URL.",
    });
  if (chosen.length === 0)
    throw new LakehouseError('unknown-destination', `No destination of alerts is named '${name}'`, {
      hint: didYouMean(
        name ?? '',
        all.map((one) => one.name),
      ),
    });
  const { signal } = context.interrupts();
  const id = idGenerator(io.now, io.random);
  const origin = { host: io.host, lake: settings.dataDir };
  const { maxLines } = settings.alerts;
  const control = { signal, now: io.now, env: io.env, maxLines };
  const results = await Promise.all(
    chosen.map(async (destination): Promise<Result> => {
      const { name: to, type } = destination;
      const message = testMessage(id(), io.now(), origin);
      try {
        const note = await send(destination, message, control);
        return {
          destination: to,
          type,
          id: message.id,
          ok: true,
          ...(note !== undefined && { note: context.redact(note) }),
        };
      } catch (error) {
        const reason = context.redact(error instanceof Error ? error.message : String(error));
        return { destination: to, type, id: message.id, ok: false, error: reason };
      }
    }),
  );
  console.result(results, () =>
    results
      .map(({ destination, ok, note, error }) =>
        ok
          ? `${console.style.good('✓')} ${destination}: sent${note === undefined ? '' : `; ${note}`}`
          : `${console.style.bad('✗')} ${destination}: ${error}`,
      )
      .join('\n'),
  );
  return results.every(({ ok }) => ok) ? DONE : FAILED;
}

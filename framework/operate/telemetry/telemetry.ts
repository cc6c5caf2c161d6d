import { setTimeout } from 'node:timers/promises';
import { isLakehouseError, serializeError } from '../../common/errors.ts';
import type { Emit } from '../../materialize/events.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { DaemonFacts, Watch } from '../watch.ts';
import type { Delivery } from './delivery.ts';
import type { HttpServer } from './http.ts';
import type { LineageEvent } from './lineage.ts';
import type { TelemetryOptions } from './options.ts';
import type { Otel } from './otel.ts';

/** What others may watch. Nothing of it is loaded, and nothing costs anything, where the settings switch nothing on. */
export interface Telemetry extends Watch {
  /** Where it listens, e.g. `http://127.0.0.1:9464`; undefined where it does not (yet). */
  readonly address: () => string | undefined;
  /** Sends what is left, for some seconds at most. Never rejects. */
  readonly close: () => Promise<void>;
}

/** Events that wait for a slow server. An asset's are a few kB each. */
const LINEAGE_LIMIT = 5000;
const LINEAGE_DELAYS_MS = [500, 2000, 10_000];
const PATIENCE_MS = 5000;

/** @throws LakehouseError `cannot-listen` (usage). */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { settings, log } = options;
  let facts: DaemonFacts = { role: 'starting', running: 0, waiting: 0 };
  const { otlp, openLineage } = settings.telemetry;
  const listens = options.listen && settings.http.port !== undefined;
  const otel =
    listens || (otlp.endpoint !== undefined && (otlp.traces || otlp.metrics))
      ? await import('./otel.ts').then(({ startOtel }) => startOtel(options, () => facts, listens))
      : undefined;
  const lineage =
    openLineage.url !== undefined || openLineage.file !== undefined
      ? await startLineage(options, otel?.lineage)
      : undefined;

  const server = otel && listens ? await startServer(options, () => facts, otel.prometheus) : undefined;
  return {
    follow: (of, job) => {
      const followers = [otel?.runEvent, lineage?.follow(of, job)].filter((each) => each !== undefined);
      return (event) => {
        for (const each of followers) each(event);
      };
    },
    tickEnded: (tick) => otel?.tickEnded(tick),
    daemon: (news) => {
      facts = { ...facts, ...news };
    },
    address: () => server?.address(),
    close: async () => {
      const ended = await Promise.allSettled([server?.close(), lineage?.close(), otel?.close()]);
      for (const one of ended)
        if (one.status === 'rejected') log('warn', 'telemetry was not all sent', { error: serializeError(one.reason) });
    },
  };
}

/** Between two attempts to listen where somebody else does. */
const LISTEN_AGAIN_MS = 5000;

/** Listens; where another daemon does so (this one stands by), as soon as that one is gone. */
async function startServer(
  { settings, pid, now, log }: TelemetryOptions,
  facts: () => DaemonFacts,
  metrics: Otel['prometheus'],
) {
  const { listen } = await import('./http.ts');
  const { host, port = 0 } = settings.http;
  const closing = new AbortController();
  let server: HttpServer | undefined;
  const start = async (): Promise<void> => {
    server = await listen({ host, port, facts, stateDirectory: settings.state.directory, pid, now, metrics });
    log('info', 'listening', { address: server.address });
  };
  const inUse = (error: unknown) => isLakehouseError(error) && error.details?.code === 'EADDRINUSE';
  const later = async (): Promise<void> => {
    while (server === undefined) {
      await setTimeout(LISTEN_AGAIN_MS, undefined, { signal: closing.signal, ref: false });
      await start().catch((error: unknown) => {
        if (!inUse(error)) throw error;
      });
    }
  };
  let waiting: Promise<void> | undefined;
  await start().catch((error: unknown) => {
    if (!inUse(error)) throw error;
    log('warn', 'somebody else listens there already; it is tried again until they are gone', {
      address: `${host}:${port}`,
    });
    waiting = later().catch((thrown: unknown) => {
      if (!closing.signal.aborted) log('error', 'it cannot be listened', { error: serializeError(thrown) });
    });
  });
  return {
    address: () => server?.address,
    close: async () => {
      closing.abort();
      await waiting;
      await server?.close();
    },
  };
}

async function startLineage(
  { settings, version, now, log, redact }: TelemetryOptions,
  told: (outcome: 'delivered' | 'dropped', count: number) => void = () => undefined,
) {
  const [{ createLineage }, { appendLines, createDelivery, postJson }] = await Promise.all([
    import('./lineage.ts'),
    import('./delivery.ts'),
  ]);
  const { url, endpoint, apiKey, file, namespace } = settings.telemetry.openLineage;
  const rest = { log, told, limit: LINEAGE_LIMIT, delaysMs: LINEAGE_DELAYS_MS };
  const deliveries: Delivery<LineageEvent>[] = [];
  if (url !== undefined) {
    const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const send = postJson(`${url.replace(/\/+$/, '')}/${endpoint.replace(/^\/+/, '')}`, headers);
    // One by one: what was delivered is not to be sent again with what was not.
    deliveries.push(createDelivery({ ...rest, what: 'lineage events', send, atOnce: 1 }));
  }
  if (file !== undefined)
    deliveries.push(createDelivery({ ...rest, what: `lines of ${file}`, send: appendLines(file), atOnce: 100 }));
  return {
    follow: ({ graph, store }: Pick<OpenedLake, 'graph' | 'store'>, job: string): Emit => {
      const eventsOf = createLineage({ graph, namespace, job, store, version, now, redact });
      return (event) => {
        try {
          const events = eventsOf(event);
          for (const delivery of deliveries) delivery.add(events);
        } catch (error) {
          log('warn', 'a lineage event could not be made', { error: serializeError(error) });
        }
      };
    },
    close: async () => {
      await Promise.all(deliveries.map((delivery) => delivery.close(PATIENCE_MS)));
    },
  };
}

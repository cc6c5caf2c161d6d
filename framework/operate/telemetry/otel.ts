import { type DiagLogFunction, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type IMetricReader, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { serializeError } from '../../common/errors.ts';
import type { Emit } from '../../materialize/events.ts';
import type { Log } from '../log.ts';
import type { DaemonFacts, TickEnded } from '../watch.ts';
import { createGauges } from './gauges.ts';
import { createMeters, type Meters } from './meters.ts';
import type { TelemetryOptions } from './options.ts';
import { PROMETHEUS_TYPE, PullReader, prometheusText } from './prometheus.ts';
import { createSurveyor, surveyLake } from './survey.ts';
import { createTraces, signalUrl } from './traces.ts';

export interface Otel {
  readonly runEvent: Emit | undefined;
  readonly tickEnded: (tick: TickEnded) => void;
  readonly lineage: Meters['lineage'] | undefined;
  readonly prometheus: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly close: () => Promise<void>;
}

/** Metrics where somebody takes them, traces where they are sent. */
export function startOtel(options: TelemetryOptions, facts: () => DaemonFacts, listens: boolean): Otel {
  const { settings, version, host, pid, now, log, redact, lake } = options;
  const { otlp, surveySeconds, storagePricePerGbMonth } = settings.telemetry;
  const resource = resourceFromAttributes({
    'service.name': 'crypto-lakehouse',
    'service.version': version,
    'service.instance.id': `${host}:${pid}`,
    'host.name': host,
    'process.pid': pid,
  });
  const { endpoint } = otlp;
  diag.setLogger(quietly(log, redact, now), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });

  const pull = listens ? new PullReader() : undefined;
  const readers: IMetricReader[] = pull ? [pull] : [];
  if (endpoint !== undefined && otlp.metrics)
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: signalUrl(endpoint, 'metrics'), headers: { ...otlp.headers } }),
        exportIntervalMillis: otlp.metricsSeconds * 1000,
        exportTimeoutMillis: Math.min(otlp.metricsSeconds * 1000, 30_000),
      }),
    );
  const surveyor = lake
    ? createSurveyor({
        survey: (signal) => surveyLake(lake(), settings.state.directory, signal),
        everyMs: surveySeconds * 1000,
        now,
        failed: (error) => {
          if (facts().role !== 'stopping')
            log('warn', 'the lake could not be surveyed', { error: serializeError(error) });
        },
      })
    : undefined;
  const provider = readers.length > 0 ? new MeterProvider({ resource, readers }) : undefined;
  const meter = provider?.getMeter('crypto-lakehouse');
  const meters = meter && createMeters(meter);
  const forgetGauges =
    meter &&
    createGauges(meter, {
      // A lake that is about to be closed is not looked at any more.
      surveyed: async () => (facts().role === 'stopping' ? surveyor?.known() : surveyor?.latest()),
      facts: () => (lake ? facts() : undefined),
      pricePerGbMonth: storagePricePerGbMonth,
      now,
    });
  const { headers, sampleRatio, statements } = otlp;
  const closeTraces =
    endpoint !== undefined && otlp.traces
      ? createTraces({ resource, endpoint, headers, sampleRatio, statements, redact })
      : undefined;

  return {
    runEvent: meters?.runEvent,
    tickEnded: (tick) => meters?.tickEnded(tick),
    lineage: meters?.lineage,
    prometheus: async () => {
      if (!pull) return { type: PROMETHEUS_TYPE, text: '' };
      const { resourceMetrics, errors } = await pull.collect();
      for (const error of errors) log('warn', 'a metric could not be read', { error: serializeError(error) });
      return { type: PROMETHEUS_TYPE, text: prometheusText(resourceMetrics) };
    },
    close: async () => {
      const ended = await Promise.allSettled([closeTraces?.(), provider?.shutdown({ timeoutMillis: 5000 })]);
      await surveyor?.close();
      meters?.close();
      forgetGauges?.();
      diag.disable();
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    },
  };
}

/** A collector that is away is said once in a while. */
const AGAIN_MS = 300_000;

function quietly(log: Log, redact: (text: string) => string, now: () => number) {
  const said = new Map<string, number>();
  const say: DiagLogFunction = (message) => {
    const text = redact(message.split('\n', 1)[0] ?? '').slice(0, 500);
    const last = said.get(text);
    if (last !== undefined && now() - last < AGAIN_MS) return;
    if (said.size > 100) said.clear();
    said.set(text, now());
    log('warn', `telemetry: ${text}`);
  };
  const silent: DiagLogFunction = () => undefined;
  return { error: say, warn: say, info: silent, debug: silent, verbose: silent };
}

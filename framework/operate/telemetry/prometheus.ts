import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

/** Metrics for whoever comes and asks. */
export class PullReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const SUFFIX: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' };

/** Metrics as Prometheus' text format, their units in their names: the serializer leaves them out. */
export function prometheusText(metrics: ResourceMetrics): string {
  const scopeMetrics = metrics.scopeMetrics.map((scope) => ({ ...scope, metrics: scope.metrics.map(withUnit) }));
  return new PrometheusSerializer(undefined, false, undefined, false, true).serialize({ ...metrics, scopeMetrics });
}

function withUnit(metric: MetricData): MetricData {
  const { descriptor } = metric;
  const isRatio = descriptor.unit === '1' && metric.dataPointType !== DataPointType.GAUGE;
  const suffix = isRatio ? '' : (SUFFIX[descriptor.unit] ?? '');
  return { ...metric, descriptor: { ...descriptor, name: `${descriptor.name}${suffix}`, unit: '' } };
}

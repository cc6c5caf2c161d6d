import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import { isLakehouseError } from '../../common/errors.ts';
import { followWork } from '../../common/trace.ts';
import type { Emit, RunEvent } from '../../materialize/events.ts';
import type { TickEnded } from '../watch.ts';
import { operationOf } from './statement.ts';

/** Seconds, from statements to runs of hours. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

export interface Meters {
  readonly runEvent: Emit;
  readonly tickEnded: (tick: TickEnded) => void;
  readonly lineage: (outcome: 'delivered' | 'dropped', count: number) => void;
  readonly close: () => void;
}

/** What is counted as it happens. The label `asset` has as many values as there are assets; no label is a partition. */
export function createMeters(meter: Meter): Meters {
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description });
  const histogram = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: SECONDS } });

  const runs = counter('lakehouse.runs', '{run}', 'Runs that ended, by outcome.');
  // A rate needs to see where it began.
  for (const outcome of ['succeeded', 'failed', 'cancelled']) runs.add(0, { outcome });
  const runSeconds = histogram('lakehouse.run.duration', 'How long runs took.');
  const ticks = counter('lakehouse.ticks', '{tick}', 'Ticks that ended, by outcome.');
  const tickSeconds = histogram('lakehouse.tick.duration', 'How long ticks took, without waiting for their turn.');
  const computed = counter('lakehouse.partitions.computed', '{partition}', 'Partitions computed.');
  const changed = counter('lakehouse.partitions.changed', '{partition}', 'Partitions computed whose content is new.');
  const failed = counter('lakehouse.partitions.failed', '{partition}', 'Partitions that could not be computed.');
  const departed = counter('lakehouse.partitions.departed', '{partition}', 'Partitions that left the lake.');
  const rows = counter('lakehouse.rows.written', '{row}', 'Rows of partitions computed.');
  const bytes = counter('lakehouse.written', 'By', 'Size of partitions computed.');
  const batchSeconds = histogram('lakehouse.batch.duration', 'How long it took to compute and commit a batch.');
  const retries = counter('lakehouse.retries', '{retry}', 'Work that was tried again after a transient failure.');
  const waits = counter('lakehouse.waits', '{wait}', 'Batches that waited for another process.');
  const checks = counter('lakehouse.checks.failed', '{partition}', 'Partitions that failed a check.');
  const warnings = counter('lakehouse.warnings', '{warning}', 'Warnings of runs.');
  const observations = counter('lakehouse.observations', '{observation}', 'Looks at a source.');
  const observedChanges = counter(
    'lakehouse.observations.changes',
    '{partition}',
    'Partitions of sources found to be new, changed or withdrawn.',
  );
  const observeSeconds = histogram('lakehouse.observation.duration', 'How long a look at a source took.');
  const statementSeconds = histogram('lakehouse.statement.duration', 'How long statements took in DuckDB.');
  const lineage = counter('lakehouse.lineage.events', '{event}', 'OpenLineage events, by what became of them.');

  const close = followWork<{ readonly since: number }>(
    () => ({ since: performance.now() }),
    ({ since }, work, { error }) => {
      if (work.type !== 'statement') return;
      const attributes: Attributes = { operation: operationOf(work.sql) };
      if (error !== undefined) attributes['error.type'] = isLakehouseError(error) ? error.code : 'error';
      statementSeconds.record((performance.now() - since) / 1000, attributes);
    },
  );

  return {
    runEvent: (event: RunEvent) => {
      switch (event.type) {
        case 'run-finished':
          runs.add(1, { outcome: event.outcome });
          runSeconds.record(event.ms / 1000, { outcome: event.outcome });
          break;
        case 'observed': {
          const { asset } = event;
          observations.add(1, { asset });
          observedChanges.add(event.changed, { asset, change: 'changed' });
          observedChanges.add(event.withdrawn, { asset, change: 'withdrawn' });
          observeSeconds.record(event.ms / 1000, { asset });
          break;
        }
        case 'batch-finished': {
          const { asset } = event;
          computed.add(event.partitions, { asset });
          changed.add(event.changed, { asset });
          rows.add(event.rows, { asset });
          bytes.add(event.bytes, { asset });
          batchSeconds.record(event.ms / 1000, { asset });
          break;
        }
        case 'partition-failed':
          failed.add(1, { asset: event.asset, kind: event.error.kind ?? 'data' });
          break;
        case 'departed':
          departed.add(event.partitions, { asset: event.asset });
          break;
        case 'check-failed':
          checks.add(1, { asset: event.asset, check: event.check, severity: event.severity });
          break;
        case 'retry':
          retries.add(1, { asset: event.asset });
          break;
        case 'waiting':
          waits.add(1, { asset: event.asset });
          break;
        case 'warning':
          warnings.add(1, { asset: event.asset });
          break;
        default:
      }
    },
    tickEnded: ({ kind, name, outcome, ms }) => {
      ticks.add(1, { kind, name, outcome });
      tickSeconds.record(ms / 1000, { kind, name });
    },
    lineage: (outcome, count) => lineage.add(count, { outcome }),
    close,
  };
}

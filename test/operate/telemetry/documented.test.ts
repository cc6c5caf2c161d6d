import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Meter } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test, vi } from 'vitest';
import { traced } from '../../../framework/common/trace.ts';
import { newCounts, type RunEvent } from '../../../framework/materialize/events.ts';
import { createGauges } from '../../../framework/operate/telemetry/gauges.ts';
import { createMeters } from '../../../framework/operate/telemetry/meters.ts';
import { PullReader, prometheusText } from '../../../framework/operate/telemetry/prometheus.ts';
import type { LakeSurvey } from '../../../framework/operate/telemetry/survey.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/operate.md'), 'utf8');
const asset = 'silver/x';

/** One of each kind that is counted. */
const EVENTS: readonly RunEvent[] = [
  { type: 'run-finished', run: 'r', outcome: 'succeeded', counts: newCounts(), ms: 1 },
  { type: 'observed', asset, seen: 1, changed: 1, withdrawn: 1, ms: 1 },
  { type: 'batch-finished', asset, partitions: 1, changed: 1, rows: 1, bytes: 1, ms: 1 },
  { type: 'partition-failed', asset, partition: 'p', error: { message: 'm', kind: 'data' } },
  { type: 'departed', asset, partitions: 1 },
  { type: 'check-failed', asset, partition: 'p', check: 'c', severity: 'warn', failedRows: 1 },
  { type: 'retry', asset, attempt: 1, delayMs: 1, error: { message: 'm' } },
  { type: 'waiting', asset, partitions: 1, heldBy: 'another run' },
  { type: 'warning', asset, message: 'm' },
];

const SURVEY: LakeSurvey = {
  assets: [
    {
      asset,
      partitions: { fresh: 1 },
      freshness: { lagMs: 1, limitMs: 1, series: { 'on-time': 1, unknown: 0, warn: 0, overdue: 0 } },
    },
  ],
  storage: [{ asset, state: 'current', files: 1, bytes: 1 }],
  stateBytes: 1,
  revision: 1,
};

/** Everything that is measured, as Prometheus reads it, and the names it was declared by. */
async function measured() {
  const reader = new PullReader();
  const provider = new MeterProvider({ readers: [reader] });
  const declared: string[] = [];
  const meter = new Proxy(provider.getMeter('test'), {
    get: (target, key: keyof Meter) => {
      const made = target[key] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (key.startsWith('create')) declared.push(String(args[0]));
        return made.apply(target, args);
      };
    },
  });
  const meters = createMeters(meter);
  const forget = createGauges(meter, {
    surveyed: async () => ({ survey: SURVEY, at: 0, ms: 1 }),
    facts: () => ({ role: 'active', turnAt: 0, running: 1, waiting: 1, sources: new Map([['src/x', false]]) }),
    pricePerGbMonth: 1,
    now: () => 1,
  });
  onTestFinished(() => {
    meters.close();
    forget();
  });
  EVENTS.forEach(meters.runEvent);
  meters.tickEnded({ kind: 'schedule', name: 'nightly', outcome: 'succeeded', ms: 1 });
  meters.lineage('delivered', 1);
  const work = { type: 'statement', where: asset, sql: 'SELECT 1' } as const;
  await traced(work, () => Promise.reject(new Error('no'))).catch(() => undefined);
  const collect = async () => {
    const { resourceMetrics } = await reader.collect();
    const names = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics.map((one) => one.descriptor.name));
    return { seen: names, text: prometheusText(resourceMetrics) };
  };
  // The event loop has a delay when its timer has rung.
  await vi.waitUntil(async () => (await collect()).seen.includes('nodejs.eventloop.delay'));
  return { declared, collect };
}

/** `name, type, labels, meaning` as the table of the guide has them. */
function rowsOf(text: string): string[] {
  const lines = text.split('\n');
  const help = new Map(lines.flatMap((line) => [...line.matchAll(/^# HELP (\S+) (.*)$/g)].map(([, a, b]) => [a, b])));
  return lines
    .flatMap((line) => [...line.matchAll(/^# TYPE (\S+) (\S+)$/g)])
    .filter(([, name]) => name !== 'target_info')
    .map(([, name = '', type]) => {
      const samples = lines.filter((line) => new RegExp(`^${name}(?:_count)?[{ ]`).test(line));
      const labels = new Set(samples.flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map(([, label]) => label)));
      const shown = [...labels].filter((label) => !label?.startsWith('otel_')).map((label) => `\`${label}\``);
      return `| \`${name}\` | ${type} | ${shown.join(', ')} | ${help.get(name)} |`;
    })
    .sort();
}

test('the guide lists every metric, with its type, its labels and what it says', async () => {
  const { declared, collect } = await measured();
  const { seen, text } = await collect();
  expect([...seen].sort()).toEqual([...declared].sort());
  const table = guide.split('\n').filter((line) => /^\| `(?:lakehouse|process|nodejs|v8js)_/.test(line));
  expect([...table].sort()).toEqual(rowsOf(text));
});

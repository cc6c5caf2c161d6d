import { describe, expect, test } from 'vitest';
import { traced } from '../../../framework/common/trace.ts';
import { run } from '../../materialize/lake.ts';
import { tiny } from '../../materialize/support.ts';
import { canRead, type Received, readWith, receiver, telemetryOf, without } from './wire.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code?: string; readonly message?: string };
}
interface Request {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

const bodies = (received: readonly Received[], path: string) =>
  received
    .filter((one) => one.path === path)
    .map(({ body }) => body)
    .join('\n');
const spansIn = (received: readonly Received[]): Span[] =>
  readWith<Request[]>('traces', bodies(received, '/v1/traces')).flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );
const attributesOf = ({ attributes = [] }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** `run/asset x/batch x`, sorted. */
function pathsOf(spans: readonly Span[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const path = (span: Span): string => {
    const parent = span.parentSpanId ? byId.get(span.parentSpanId) : undefined;
    return parent ? `${path(parent)} > ${span.name}` : span.name;
  };
  return spans.map(path).sort();
}

async function traceOf(sets: readonly string[] = [], selection = '+silver/ticks') {
  const { lake, archive, directory } = await tiny();
  archive.days('AAA', '2020-04', 1, 2).days('BBB', '2020-04', 1, 1);
  archive.put('AAA', '2020-04-02', '2020-04-02 00:00:00,cheap,1\n');
  const { url, received } = await receiver();
  const telemetry = await telemetryOf(lake, directory, [`telemetry.otlp.endpoint=${url}/`, ...sets]);
  await traced({ type: 'tick', kind: 'schedule', name: 'nightly', due: 0 }, () =>
    run(lake, { selection, command: 'lakehouse materialize' }, telemetry.follow(lake, 'schedule nightly')),
  );
  await telemetry.close();
  expect(telemetry.log).toEqual([]);
  return received;
}

describe.skipIf(!canRead)(`decoded by OpenTelemetry's own protocol library${without}`, () => {
  test('a tick, its run, assets, batches and statements', async () => {
    const received = await traceOf(['telemetry.otlp.headers={ x-key: abc }']);
    expect(received.map(({ headers }) => headers['x-key'])).toEqual(received.map(() => 'abc'));
    const spans = spansIn(received);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.every(({ traceId, spanId }) => /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId))).toBe(
      true,
    );
    const isStatement = (span: Span) => 'db.system.name' in attributesOf(span);
    expect(pathsOf(spans.filter((span) => !isStatement(span)))).toEqual([
      'tick nightly',
      'tick nightly > run',
      'tick nightly > run > asset bronze/days',
      'tick nightly > run > asset bronze/days > batch bronze/days',
      'tick nightly > run > asset silver/ticks',
      ...Array.from({ length: 3 }, () => 'tick nightly > run > asset silver/ticks > batch silver/ticks'),
      'tick nightly > run > observe src/days',
      'tick nightly > run > observe src/months',
    ]);
    const copies = spans.filter(({ name }) => name === 'COPY silver/ticks');
    const batches = new Map(
      spans.filter(({ name }) => name === 'batch silver/ticks').map((span) => [span.spanId, span]),
    );
    // Two of the three wrote a file, and each its own.
    expect(new Set(copies.map(({ parentSpanId }) => parentSpanId)).size).toBe(copies.length);
    expect(copies.length).toBeGreaterThanOrEqual(2);
    for (const copy of copies) {
      const batch = batches.get(copy.parentSpanId ?? '');
      expect(batch).toBeDefined();
      expect(BigInt(copy.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(batch?.startTimeUnixNano ?? 0));
      expect(attributesOf(copy)).toMatchObject({
        'db.system.name': 'duckdb',
        'db.operation.name': 'COPY',
        'db.query.text': expect.stringMatching(/^COPY /),
        'lakehouse.asset': 'silver/ticks',
      });
    }
    const run = spans.find(({ name }) => name === 'run');
    expect(run?.status?.code).toBe('STATUS_CODE_ERROR');
    expect(attributesOf(run as Span)).toEqual({
      'lakehouse.run': expect.any(String),
      'lakehouse.selection': '+silver/ticks',
      'lakehouse.command': 'lakehouse materialize',
      'lakehouse.outcome': 'failed',
    });
    expect(attributesOf(spans.find(({ name }) => name === 'asset silver/ticks') as Span)).toMatchObject({
      'lakehouse.partitions': '3',
      'lakehouse.partitions.computed': '2',
      'lakehouse.partitions.failed': '1',
    });
    // The statement that met the bad row says so.
    const failed = spans.filter((span) => isStatement(span) && span.status?.code === 'STATUS_CODE_ERROR');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed[0]?.events?.map(({ name }) => name)).toEqual(['exception']);
    expect(attributesOf(failed[0] as Span)['error.type']).toEqual(expect.any(String));
  });

  test('without statements, if they are not wanted', async () => {
    const names = spansIn(await traceOf(['telemetry.otlp.statements=false'])).map(({ name }) => name);
    expect(names.filter((name) => /^(?:SELECT|COPY|SET|CREATE)/.test(name))).toEqual([]);
    expect(names).toContain('batch silver/ticks');
  });

  test('metrics go there too', async () => {
    const text = bodies(await traceOf(), '/v1/metrics');
    interface Metrics {
      readonly resourceMetrics: readonly {
        readonly scopeMetrics: readonly {
          readonly metrics: readonly { readonly name: string; readonly unit?: string }[];
        }[];
      }[];
    }
    const metrics = readWith<Metrics[]>('metrics', text).flatMap(({ resourceMetrics }) =>
      resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics)),
    );
    const unitOf = new Map(metrics.map(({ name, unit }) => [name, unit]));
    expect(unitOf.get('lakehouse.run.duration')).toBe('s');
    expect(unitOf.get('lakehouse.written')).toBe('By');
    // A single run is no place to look at the whole lake.
    expect([...unitOf.keys()].filter((name) => /^lakehouse\.(?:storage|freshness|daemon)/.test(name))).toEqual([]);
  });
});

test('what is not sampled is not sent, nor what is not wanted', async () => {
  expect((await traceOf(['telemetry.otlp.sampleRatio=0'])).map(({ path }) => path)).toEqual(['/v1/metrics']);
  expect((await traceOf(['telemetry.otlp.traces=false'])).map(({ path }) => path)).toEqual(['/v1/metrics']);
  expect(await traceOf(['telemetry.otlp.traces=false', 'telemetry.otlp.metrics=false'])).toEqual([]);
});

test('a collector that is away costs a warning and no run', async () => {
  const { lake, archive, directory } = await tiny();
  archive.days('AAA', '2020-04', 1, 1);
  const { url, received } = await receiver((response) => {
    response.statusCode = 400;
    response.end();
  });
  const telemetry = await telemetryOf(lake, directory, [
    `telemetry.otlp.endpoint=${url}`,
    'telemetry.otlp.metrics=false',
  ]);
  const { outcome } = await run(lake, { selection: '+silver/ticks' }, telemetry.follow(lake, 'x'));
  expect(outcome).toBe('succeeded');
  await telemetry.close();
  expect(received.length).toBeGreaterThan(0);
  expect(telemetry.log).toEqual([expect.stringMatching(/^warn: telemetry/)]);
});

test('secrets are taken out of statements and errors', async () => {
  const { lake, archive, directory } = await tiny();
  archive.days('AAA', '2020-04', 1, 1);
  const { url, received } = await receiver();
  const options = { redact: (text: string) => text.replaceAll(/silver\/ticks|COPY/g, '***') };
  const telemetry = await telemetryOf(lake, directory, [`telemetry.otlp.endpoint=${url}`], options);
  await run(lake, { selection: '+silver/ticks', command: 'COPY' }, telemetry.follow(lake, 'x'));
  await telemetry.close();
  const text = bodies(received, '/v1/traces');
  expect(text).toContain('"lakehouse.command","value":{"stringValue":"***"}');
  expect(text).not.toContain('"stringValue":"COPY (');
});

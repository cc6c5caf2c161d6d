import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { isLakehouseError } from '../../common/errors.ts';
import { followWork, type Work, type WorkEnd } from '../../common/trace.ts';
import { operationOf } from './statement.ts';

export interface TracesOptions {
  readonly resource: Resource;
  /** Address of the collector. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From 0 to 1: share of the traces that are sent. */
  readonly sampleRatio: number;
  readonly statements: boolean;
  readonly redact: (text: string) => string;
}

/** Spans that wait to be sent, a kB or two each; more are dropped. */
const SPANS_WAITING = 8192;

/** Longer statements are cut off: those over hundreds of files name all of them. */
const LONGEST_SQL = 4000;

interface Inside {
  readonly context: Context;
  /** Undefined for what has no span of its own. */
  readonly span: Span | undefined;
}

/** Follows all work as spans: tick → run → asset → batch → statement. Returns what sends the rest and ends it. */
export function createTraces(options: TracesOptions): () => Promise<void> {
  const { resource, endpoint, headers, sampleRatio, statements, redact } = options;
  const exporter = new OTLPTraceExporter({ url: signalUrl(endpoint, 'traces'), headers: { ...headers } });
  const provider = new BasicTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: SPANS_WAITING })],
  });
  const tracer = provider.getTracer('crypto-lakehouse');
  const forget = followWork<Inside>(
    (work, around) => {
      const context = around?.context ?? ROOT_CONTEXT;
      // What a statement is part of says why it was made.
      if (work.type === 'statement' && (!statements || !around)) return { context, span: undefined };
      const span = tracer.startSpan(nameOf(work), { attributes: attributesOf(work, redact) }, context);
      return { context: trace.setSpan(context, span), span };
    },
    ({ span }, work, ended) => {
      if (!span) return;
      span.setAttributes(resultsOf(work, ended));
      tellFailure(span, work, ended, redact);
      span.end();
    },
  );
  return async () => {
    forget();
    await provider.shutdown();
  };
}

/** Where a collector takes a signal: its address is that of all of them. */
export function signalUrl(endpoint: string, signal: 'traces' | 'metrics'): string {
  return `${endpoint.replace(/\/+$/, '')}/v1/${signal}`;
}

function nameOf(work: Work): string {
  switch (work.type) {
    case 'tick':
      return `tick ${work.name}`;
    case 'run':
      return 'run';
    case 'statement':
      return `${operationOf(work.sql)} ${work.where}`;
    default:
      return `${work.type} ${work.asset}`;
  }
}

function attributesOf(work: Work, redact: (text: string) => string): Attributes {
  switch (work.type) {
    case 'tick':
      return {
        'lakehouse.tick.kind': work.kind,
        'lakehouse.tick.name': work.name,
        'lakehouse.tick.due': new Date(work.due).toISOString(),
      };
    case 'run':
      return {
        'lakehouse.run': work.run,
        'lakehouse.selection': work.selection,
        'lakehouse.command': redact(work.command),
      };
    case 'observe':
      return { 'lakehouse.run': work.run, 'lakehouse.asset': work.asset };
    case 'asset':
    case 'batch':
      return { 'lakehouse.run': work.run, 'lakehouse.asset': work.asset, 'lakehouse.partitions': work.partitions };
    case 'statement': {
      const text = redact(work.sql);
      return {
        'db.system.name': 'duckdb',
        'db.operation.name': operationOf(work.sql),
        'db.query.text': text.length > LONGEST_SQL ? `${text.slice(0, LONGEST_SQL)}…` : text,
        'lakehouse.asset': work.where,
      };
    }
  }
}

function resultsOf(work: Work, { result }: WorkEnd): Attributes {
  if (work.type === 'asset')
    return {
      'lakehouse.partitions.computed': work.counts.computed,
      'lakehouse.partitions.failed': work.counts.failed,
      'lakehouse.rows': work.counts.rows,
      'lakehouse.bytes': work.counts.bytes,
    };
  if (work.type === 'statement' && Array.isArray(result)) return { 'db.response.returned_rows': result.length };
  const outcome = outcomeOf(result);
  return outcome === undefined ? {} : { 'lakehouse.outcome': outcome };
}

const outcomeOf = (result: unknown): string | undefined =>
  typeof result === 'object' && result !== null && 'outcome' in result ? String(result.outcome) : undefined;

function tellFailure(span: Span, work: Work, { result, error }: WorkEnd, redact: (text: string) => string): void {
  if (error !== undefined) {
    const message = redact(error instanceof Error ? error.message : String(error));
    const type = isLakehouseError(error) ? error.code : error instanceof Error ? error.name : 'error';
    span.setAttribute('error.type', type);
    span.addEvent('exception', { 'exception.type': type, 'exception.message': message });
    span.setStatus({ code: SpanStatusCode.ERROR, message });
  } else if (outcomeOf(result) === 'failed' || (work.type === 'asset' && work.counts.failed > 0)) {
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}

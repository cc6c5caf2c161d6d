import {
  all,
  asset,
  bigint,
  columns,
  daily,
  dynamicDimension,
  from,
  monthly,
  overlapping,
  source,
  sql,
  window,
} from 'crypto-lakehouse';
import type { AssetDefinition } from '../framework/define/model.ts';
import { type AssetGraph, buildGraph } from '../framework/graph/graph.ts';
import { seriesKey } from '../framework/partition/space.ts';
import { indexAt } from '../framework/partition/time.ts';
import type { NewEvent, SeriesOutcome } from '../framework/state/events.ts';

const symbol = dynamicDimension('a symbol');
const date = daily({ start: '2017-01-01' });
const month = monthly({ start: '2017-01' });
const row = { columns: columns({ n: bigint() }), sortBy: ['n'] } as const;

const ticks = source('bench/ticks', {
  partitions: { symbol, date },
  observe: async function* () {},
});
const bronze = asset('bronze/ticks', { ...row, partitions: { symbol, date }, inputs: { t: ticks }, compute: () => [] });
const silver = asset('silver/ticks', {
  ...row,
  partitions: { symbol, date },
  inputs: { t: bronze },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const trend = asset('gold/trend', {
  ...row,
  partitions: { symbol, date },
  inputs: { t: from(silver, { date: window({ days: 30 }) }) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const range = asset('gold/range', {
  ...row,
  partitions: { symbol, date },
  inputs: { t: from(silver, { date: window({ days: 7 }) }) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const overview = asset('gold/overview', {
  ...row,
  partitions: { date },
  inputs: { t: from(silver, { symbol: all() }) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const relative = asset('gold/relative', {
  ...row,
  partitions: { symbol, date },
  inputs: { t: silver, o: from(overview, {}) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const months = asset('gold/months', {
  ...row,
  partitions: { symbol, month },
  inputs: { t: from(silver, { date: overlapping() }) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const seasonal = asset('gold/seasonal', {
  ...row,
  partitions: { symbol, date },
  inputs: { t: silver, m: from(months, { month: overlapping() }) },
  query: ({ t }) => sql`SELECT * FROM ${t}`,
});
const features = asset('gold/features', {
  ...row,
  partitions: { symbol, date },
  inputs: { a: trend, b: range, c: relative, d: seasonal },
  query: ({ a }) => sql`SELECT * FROM ${a}`,
});

/** A source and nine assets with all kinds of mappings: the same day, windows of 7 and 30 days, all symbols, day to month and back. */
export function benchGraph(codes: Readonly<Record<string, string>> = {}): AssetGraph {
  const definitions: readonly AssetDefinition[] = [
    ticks,
    bronze,
    silver,
    trend,
    range,
    overview,
    relative,
    months,
    seasonal,
    features,
  ];
  return buildGraph(definitions, { codes: ({ key }) => codes[key] ?? 'v1' });
}

/** The whole size: every daily asset has `symbols` × `days` partitions, which begin at 2017-01-01. */
export interface Size {
  readonly symbols: number;
  readonly days: number;
}

export const FIRST_DAY = indexAt('day', Date.UTC(2017, 0, 1));

/** Noon after the last day. */
export const clock = ({ days }: Size): number => Date.UTC(2017, 0, 1 + days, 12);

function outcomes(asset: AssetDefinition, { symbols, days }: Size, files: boolean, salt: number): SeriesOutcome[] {
  const { space } = asset;
  const bySymbol = space.listed.length > 0;
  const grain = space.time?.grain ?? 'day';
  const first = indexAt(grain, Date.UTC(2017, 0, 1));
  const length = indexAt(grain, Date.UTC(2017, 0, days)) - first + 1;
  return Array.from({ length: bySymbol ? symbols : 1 }, (_, s): SeriesOutcome => {
    const values: Record<string, string> = bySymbol ? { symbol: `S${String(s).padStart(4, '0')}` } : {};
    const version = new Uint8Array(16 * length);
    for (let i = 0; i < version.length; i++) version[i] = (i * 31 + s * 7 + salt * 13) & 0xff;
    return {
      series: seriesKey(space, values),
      values,
      times: Int32Array.from({ length }, (_, i) => first + i),
      version,
      rows: new Uint32Array(length).fill(1440),
      bytes: new Float64Array(length).fill(60_000),
      file: new Int32Array(length).fill(files ? s : -1),
    };
  });
}

/** The events of a lake in which everything was computed once, one event per asset, in topological order. */
export function* events(graph: AssetGraph, size: Size): Generator<NewEvent> {
  for (const [n, key] of graph.order.entries()) {
    const { definition } = graph.node(key);
    const common = { asset: key, run: 'bench' };
    if (definition.kind === 'source') {
      yield { kind: 'observed', ...common, observedAt: clock(size), outcomes: outcomes(definition, size, false, n) };
      continue;
    }
    const parts = outcomes(definition, size, true, n);
    const files = parts.map(({ series }) => ({ path: `${key}/${series}/all.parquet`, bytes: 1e9 }));
    yield { kind: 'materialized', ...common, code: 'v1', verified: n, outcomes: parts, files };
  }
}

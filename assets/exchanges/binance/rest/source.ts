import {
  jsonSequence,
  LakehouseError,
  type Observation,
  type ObserveContext,
  type PartitionContext,
  type RuntimeContext,
} from 'crypto-lakehouse';
import { requireWhole } from '../../rest/whole.ts';
import { asInterval, hasDailyFiles, intervalMs, intervals, type Market } from '../layout.ts';
import { type BinanceResource, wantsOf } from '../resource.ts';
import { hasInterval, type RestKlineType, restKlineTypes } from './endpoints.ts';
import type { RestSymbol } from './info.ts';
import type { RestMarket } from './market.ts';
import { fetchFunding, fetchKlines, type Span } from './pages.ts';

const DAY_MS = 86_400_000;
/** A day is over for everybody a little later: trades of its last second may still be counted. */
const SETTLED_MS = 60_000;

type ReadContext = RuntimeContext & { readonly partition: Pick<PartitionContext, 'key' | 'values' | 'start' | 'end'> };

/** What differs between the sources of one market's closed days. */
interface RestDays {
  readonly dataType: string;
  readonly markets: readonly Market[];
  readonly byInterval: boolean;
  /** What a symbol is called here; undefined when it has no such data. */
  readonly nameOf: (symbol: RestSymbol) => string | undefined;
  readonly read: (rest: RestMarket, market: Market, context: ReadContext, span: Span) => Promise<Uint8Array[]>;
}

/**
 * What makes a source of candles that REST answers: `source(key, { ...restKlines('klines'), description, partitions })`. Its
 * dimensions are `exchange`, `market`, `symbol`, `interval` (up to 1d) and `date`. A partition is the day's answers as received, as a
 * JSON text sequence.
 */
export const restKlines = (type: RestKlineType) => {
  const { of, markets, dataType } = restKlineTypes[type];
  return restDays({
    dataType,
    markets,
    byInterval: true,
    nameOf: (symbol) => symbol[of],
    read: async ({ client }, market, { partition: { key, values }, signal, now }, span) => {
      const interval = asInterval(values.interval ?? '');
      const { bodies, lastMs } = await fetchKlines(
        client,
        { type, market, symbol: values.symbol ?? '', interval, ...span },
        signal,
      );
      if (interval !== '1mo') requireWhole(key, { ...span, barMs: intervalMs(interval), lastMs }, now());
      return bodies;
    },
  });
};

/**
 * The same of funding rates of perpetual contracts: dimensions `exchange`, `market`, `symbol` and `date`. The answer begins a day
 * earlier: only from the funding before can be told how long an interval was.
 */
export const restFunding = () =>
  restDays({
    dataType: 'funding_rates',
    markets: ['um', 'cm'],
    byInterval: false,
    nameOf: ({ symbol, perpetual }) => (perpetual ? symbol : undefined),
    read: async ({ client, fundingLimiter: also }, market, { partition: { values }, signal }, { startMs, endMs }) => [
      await fetchFunding(
        client,
        { market, symbol: values.symbol ?? '', startMs: startMs - DAY_MS, endMs, also },
        signal,
      ),
    ],
  });

function restDays(of: RestDays) {
  return {
    kinds: ['rest', 'json'],
    // A day can be had as soon as it is over.
    publicationLagHours: 1,
    liveForDays: 30,
    wanted: (resources: Readonly<Record<string, unknown>>) => {
      const binance = resources.binance as BinanceResource | undefined;
      return (binance?.rest.enabled && binance.dataTypes.includes(of.dataType)) ?? false;
    },
    observe: (context: ObserveContext) => observeDays(context, of),
    read: async (context: ReadContext) => ({ bytes: jsonSequence(await readDay(context, of)), version: CLOSED }),
  };
}

/** A day that is over does not change any more, as far as REST tells. */
const CLOSED = 'closed';

const resourceOf = ({ resources }: RuntimeContext): BinanceResource => resources.binance as BinanceResource;

/** The last closed days, by the exchange's clock, of every symbol that is traded now: one request per market. */
async function* observeDays(context: ObserveContext, of: RestDays): AsyncGenerator<Observation> {
  const { rest, start, dataTypes } = resourceOf(context);
  const { signal, now, request } = context;
  const wants = wantsOf(context);
  if (!rest.enabled || !dataTypes.includes(of.dataType) || !wants('exchange', 'binance')) return;
  const lengths = intervals.filter((interval) => hasDailyFiles(interval) && wants('interval', interval));
  for (const market of of.markets.filter((value) => wants('market', value))) {
    const info = await rest.market(market, now).info({ signal, onRequest: request });
    const clock = info.serverTimeMs + now() - info.at;
    const end = Math.floor((clock - SETTLED_MS) / DAY_MS);
    const first = Math.max(end - rest.days, Date.parse(start) / DAY_MS);
    for (const [symbol, life] of lives(info.symbols, of)) {
      if (!wants('symbol', symbol)) continue;
      const days = { from: Math.max(first, Math.floor(life.startMs / DAY_MS)), to: Math.min(end, life.endMs / DAY_MS) };
      const own = of.byInterval ? lengths.filter((interval) => hasInterval(market, interval)) : [undefined];
      for (const interval of own) {
        const series = { exchange: 'binance', market, symbol, ...(interval !== undefined && { interval }) };
        for (let day = days.from; day < days.to; day++) {
          yield { partition: { ...series, date: dateOf(day) }, version: CLOSED };
        }
      }
    }
  }
}

/** When each name is traded: a pair has several contracts. */
function lives(symbols: readonly RestSymbol[], { nameOf }: RestDays): Map<string, Span> {
  const all = new Map<string, Span>();
  for (const symbol of symbols) {
    const name = nameOf(symbol);
    if (name === undefined) continue;
    const { startMs, endMs } = all.get(name) ?? { startMs: symbol.fromMs, endMs: symbol.untilMs };
    all.set(name, { startMs: Math.min(startMs, symbol.fromMs), endMs: Math.max(endMs, symbol.untilMs) });
  }
  return all;
}

async function readDay(context: ReadContext, of: RestDays): Promise<Uint8Array[]> {
  const { rest } = resourceOf(context);
  const { values, start, end } = context.partition;
  const market = of.markets.find((known) => known === values.market);
  if (!market || !start || !end) {
    throw new LakehouseError('unknown-market', `REST has no ${of.dataType} of market '${values.market}'`, {
      kind: 'internal',
    });
  }
  return of.read(rest.market(market, context.now), market, context, { startMs: start.getTime(), endMs: end.getTime() });
}

const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

import {
  didYouMean,
  globMatcher,
  LakehouseError,
  type Observation,
  type ObserveContext,
  type PartitionContext,
  type RuntimeContext,
} from 'crypto-lakehouse';
import { barMs } from '../../klines.ts';
import type { exchanges } from '../names.ts';
import { type RestCall, type RestClient, type RestClientOptions, restClient } from './client.ts';
import type { RestSettings } from './settings.ts';
import { requireWhole } from './whole.ts';

const DAY_MS = 86_400_000;
/** A day is over for everybody a little later: trades of its last second may still be counted. */
const SETTLED_MS = 60_000;
/** A day that is over does not change any more, as far as the exchange tells. */
const CLOSED = 'closed';

/** What the source needs at run time: `resources.<exchange>`. */
export interface RestResource extends Pick<RestSettings, 'enabled' | 'symbols' | 'intervals' | 'days'> {
  readonly client: RestClient;
}

/** The exchange as configured. Nothing is sent yet. */
export function restResource(
  settings: RestSettings,
  own: Pick<RestClientOptions, 'exchange' | 'problem'>,
): RestResource {
  return { ...settings, client: restClient({ ...settings, ...own }) };
}

/** All candles of one day. */
export interface CandleDay {
  readonly symbol: string;
  readonly barMs: number;
  /** Milliseconds since 1970 UTC. */
  readonly startMs: number;
}

/** An exchange that answers spot candles. */
export interface RestCandles {
  readonly exchange: (typeof exchanges)[number];
  /** The symbols there are now, by the server's clock. */
  readonly symbols: (client: RestClient, call: RestCall) => Promise<Listed>;
  /** How far back the oldest candle of this length is that can be had; undefined: any is. */
  readonly reachMs?: (barMs: number) => number;
  /** The answers with the candles of a day. */
  readonly fetchDay: (client: RestClient, day: CandleDay, call: RestCall) => Promise<CandleAnswer>;
}

/** The symbols of an exchange, and what it is by its clock: milliseconds since 1970 UTC, undefined where it does not tell. */
export interface Listed {
  readonly symbols: readonly string[];
  readonly serverMs: number | undefined;
}

export interface CandleAnswer {
  /** As received. */
  readonly bytes: Uint8Array;
  /** When each candle opens, seconds since 1970 UTC, in any order; what is none is looked over. */
  readonly opens: readonly unknown[];
}

type ReadContext = RuntimeContext & { readonly partition: Pick<PartitionContext, 'values' | 'start' | 'key'> };

/**
 * What makes a source of an exchange's spot candles: `source(key, { ...restKlines(of), description, partitions })`, with dimensions
 * `exchange`, `market`, `symbol`, `interval` and `date`. It has the last closed days: the candle that is still open is in none.
 */
export const restKlines = (of: RestCandles) => ({
  kinds: ['rest', 'json'],
  // A day can be had as soon as it is over.
  publicationLagHours: 1,
  liveForDays: 30,
  wanted: (resources: Readonly<Record<string, unknown>>) => resourceOf(of, resources).enabled,
  observe: (context: ObserveContext) => observeDays(context, of),
  read: async (context: ReadContext) => ({ bytes: await readDay(context, of), version: CLOSED }),
});

function resourceOf({ exchange }: RestCandles, resources: Readonly<Record<string, unknown>>): RestResource {
  const resource = resources[exchange] as RestResource | undefined;
  if (!resource) throw new LakehouseError('no-resource', `There is no resource '${exchange}'`, { kind: 'internal' });
  return resource;
}

async function* observeDays(context: ObserveContext, of: RestCandles): AsyncGenerator<Observation> {
  const { wants, now, listsFrom } = context;
  const resource = resourceOf(of, context.resources);
  const { exchange, reachMs = () => Number.POSITIVE_INFINITY } = of;
  if (!resource.enabled || !wants('exchange', exchange) || !wants('market', 'spot')) return;
  const lengths = resource.intervals.filter((interval) => wants('interval', interval));
  const { symbols, serverMs = now() } = await wantedSymbols(context, of, lengths);
  // A day is over when it is so for everybody: this clock may be wrong.
  const end = Math.floor((Math.min(serverMs, now()) - SETTLED_MS) / DAY_MS);
  for (const symbol of symbols) {
    for (const interval of lengths) {
      const series = { exchange, market: 'spot', symbol, interval };
      const reach = reachMs(lengthOf(interval));
      const first = Math.max(end - resource.days, Math.ceil((now() - reach + MARGIN_MS) / DAY_MS));
      // Earlier days are still there to be asked for, should they be needed after all.
      if (reach === Number.POSITIVE_INFINITY) listsFrom(series, dateOf(first * DAY_MS));
      for (let day = first; day < end; day++) {
        yield { partition: { ...series, date: dateOf(day * DAY_MS) }, version: CLOSED };
      }
    }
  }
}

/** Between a look and the fetching that follows some time passes, in which the oldest day must not get out of reach. */
const MARGIN_MS = 3_600_000;

/**
 * Symbols that the settings want and the exchange has.
 * @throws LakehouseError `unknown-symbol` (usage) for one that the exchange has not and that was never seen there; one that was
 * is no longer traded, and keeps what there is of it.
 */
async function wantedSymbols(context: ObserveContext, of: RestCandles, lengths: readonly string[]): Promise<Listed> {
  const { wants, signal, now, request, known, listsFrom } = context;
  const { client, symbols } = resourceOf(of, context.resources);
  request();
  const { symbols: listed, serverMs } = await of.symbols(client, { signal, now });
  for (const symbol of symbols.filter((name) => !/[*?!]/.test(name) && !listed.includes(name))) {
    const before = lengths
      .map((interval) => ({ exchange: of.exchange, market: 'spot', symbol, interval }))
      .filter(known);
    if (before.length === 0) {
      throw new LakehouseError('unknown-symbol', `exchanges.${of.exchange}.symbols: the exchange has no '${symbol}'`, {
        kind: 'usage',
        hint: didYouMean(symbol, listed),
      });
    }
    for (const series of before) listsFrom(series, dateOf(now()));
  }
  const wanted = globMatcher(symbols);
  return { symbols: listed.filter((symbol) => wanted(symbol) && wants('symbol', symbol)).sort(), serverMs };
}

async function readDay(context: ReadContext, of: RestCandles): Promise<Uint8Array> {
  const { partition, signal, now } = context;
  const { symbol = '', interval = '' } = partition.values;
  const startMs = partition.start?.getTime() ?? 0;
  const length = lengthOf(interval);
  if (of.reachMs && startMs < now() - of.reachMs(length)) {
    throw new LakehouseError('rest-too-old', `${partition.key}: ${of.exchange} no longer has all candles of that day`, {
      kind: 'data',
      hint: 'The longer the candles, the further back it has them.',
    });
  }
  const day = { symbol, barMs: length, startMs };
  const { bytes, opens } = await of.fetchDay(resourceOf(of, context.resources).client, day, { signal, now });
  const span = { startMs, endMs: startMs + DAY_MS };
  const own = opens.map((seconds) => Number(seconds) * 1000).filter((ms) => ms >= span.startMs && ms < span.endMs);
  requireWhole(partition.key, { ...span, barMs: length, lastMs: own.length > 0 ? Math.max(...own) : undefined }, now());
  return bytes;
}

function lengthOf(interval: string): number {
  const ms = barMs(interval);
  if (ms !== undefined) return ms;
  throw new LakehouseError('unknown-interval', `'${interval}' is no length of candles`, { kind: 'internal' });
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

import { globMatcher } from 'crypto-lakehouse';
import { type BinanceResource, type BinanceSettings, binanceResource } from './binance/resource.ts';
import { type SymbolSettings, symbolGlobs } from './binance/symbols.ts';
import * as coinbaseKlines from './coinbase/klines.ts';
import { coinbaseResource } from './coinbase/resource.ts';
import * as krakenKlines from './kraken/klines.ts';
import { krakenResource } from './kraken/resource.ts';
import type { RestResource } from './rest/klines.ts';
import type { RestSettings } from './rest/settings.ts';

// What each exchange but the first contributes. A new one is files in a directory of its own, a name in names.ts, a section in
// assets/settings.ts and a line in each list here.

/** The section `exchanges` of the settings, as far as it is read here. */
export interface ExchangesSettings {
  readonly binance: BinanceSettings &
    SymbolSettings & {
      readonly enabled: boolean;
      readonly markets: readonly string[];
      readonly intervals: readonly string[];
    };
  readonly coinbase: RestSettings;
  readonly kraken: RestSettings;
}

/** Their sources and original data. */
export const exchangeAssets = [
  coinbaseKlines.coinbaseKlinesRest,
  coinbaseKlines.bronzeCoinbaseKlines,
  coinbaseKlines.bronzeCoinbaseKlineText,
  krakenKlines.krakenKlinesRest,
  krakenKlines.bronzeKrakenKlines,
  krakenKlines.bronzeKrakenKlineText,
] as const;

/** Their candles as text: for `silver/klines`, of which each has the partitions of its own `exchange`. */
export const exchangeKlines = [coinbaseKlines.bronzeCoinbaseKlineText, krakenKlines.bronzeKrakenKlineText] as const;

/** What the sources need at run time, by exchange. */
export function exchangeResources({ binance, coinbase, kraken }: ExchangesSettings): {
  readonly binance: BinanceResource;
  readonly coinbase: RestResource;
  readonly kraken: RestResource;
} {
  return {
    binance: { ...binanceResource(binance), wants: wantsOf(wantedBy.binance(binance)) },
    coinbase: coinbaseResource(coinbase),
    kraken: krakenResource(kraken),
  };
}

/** Globs by dimension. */
type Wanted = Readonly<Record<'market' | 'symbol' | 'interval', readonly string[]>>;

const restWanted = ({ symbols, intervals }: RestSettings): Wanted => ({
  market: ['spot'],
  symbol: symbols,
  interval: intervals,
});

/** What each exchange is to have. */
const wantedBy = {
  binance: (binance: ExchangesSettings['binance']): Wanted => ({
    market: binance.markets,
    symbol: symbolGlobs(binance),
    interval: binance.intervals,
  }),
  coinbase: restWanted,
  kraken: restWanted,
};

function wantsOf(wanted: Wanted): (dimension: string, value: string) => boolean {
  const matchers = new Map(Object.entries(wanted).map(([dimension, globs]) => [dimension, globMatcher(globs)]));
  return (dimension, value) => matchers.get(dimension)?.(value) ?? true;
}

/**
 * What all exchanges that are switched on are to have together: the planner's filters are for the whole lake. Each source keeps to
 * what its own exchange is to have.
 */
export function exchangeFilters({ binance, coinbase, kraken }: ExchangesSettings): Wanted & { exchange: string[] } {
  const all = [
    { name: 'binance', enabled: binance.enabled, wanted: wantedBy.binance(binance) },
    { name: 'coinbase', enabled: coinbase.enabled, wanted: wantedBy.coinbase(coinbase) },
    { name: 'kraken', enabled: kraken.enabled, wanted: wantedBy.kraken(kraken) },
  ].filter(({ enabled }) => enabled);
  const union = (dimension: keyof Wanted) => [...new Set(all.flatMap(({ wanted }) => wanted[dimension]))];
  // What one exchange is to leave out, another may have.
  const kept = (glob: string) => all.length === 1 || !glob.startsWith('!');
  return {
    exchange: all.map(({ name }) => name),
    market: union('market'),
    symbol: union('symbol').filter(kept),
    interval: union('interval'),
  };
}

import { globMatcher } from 'crypto-lakehouse';
import { type BinanceResource, type BinanceSettings, binanceResource } from './binance/resource.ts';
import { type SymbolSettings, symbolGlobs } from './binance/symbols.ts';
import * as coinbaseKlines from './coinbase/klines.ts';
import { coinbaseResource } from './coinbase/resource.ts';
import * as krakenKlines from './kraken/klines.ts';
import { krakenResource } from './kraken/resource.ts';
import type { exchanges } from './names.ts';
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
    binance: {
      ...binanceResource(binance),
      wants: binance.enabled ? wantsOf(wantedBy.binance(binance)) : () => false,
    },
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
  const all: { name: (typeof exchanges)[number]; wanted: Wanted }[] = [
    ...(binance.enabled ? [{ name: 'binance' as const, wanted: wantedBy.binance(binance) }] : []),
    ...(coinbase.enabled ? [{ name: 'coinbase' as const, wanted: wantedBy.coinbase(coinbase) }] : []),
    ...(kraken.enabled ? [{ name: 'kraken' as const, wanted: wantedBy.kraken(kraken) }] : []),
  ];
  const union = (dimension: keyof Wanted) => [...new Set(all.flatMap(({ wanted }) => wanted[dimension]))];
  // What one exchange is to leave out, another may have: then it stays where it is, and is only not fetched any more.
  const kept = (glob: string) =>
    !glob.startsWith('!') ||
    all.every(
      ({ wanted: { symbol } }) => symbol.includes(glob) || !symbol.some((other) => globsMeet(glob.slice(1), other)),
    );
  return {
    exchange: all.map(({ name }) => name),
    market: union('market'),
    symbol: union('symbol').filter(kept),
    interval: union('interval'),
  };
}

/** Whether some text matches both globs (`*`, `?`). */
export function globsMeet(a: string, b: string): boolean {
  if (a === '' || b === '') return /^\**$/.test(a + b);
  if (a.startsWith('*')) return globsMeet(a.slice(1), b) || globsMeet(a, b.slice(1));
  if (b.startsWith('*')) return globsMeet(b, a);
  return (a[0] === b[0] || a[0] === '?' || b[0] === '?') && globsMeet(a.slice(1), b.slice(1));
}

import { staticDimension } from 'crypto-lakehouse';
import type { exchanges } from './exchanges/names.ts';

type Exchange = (typeof exchanges)[number];

/**
 * The same market on several exchanges, spot, each as that exchange writes it. Binance quotes in USDT where the others do in USD: a
 * spread contains what a USDT is worth in USD.
 */
export const pairs = {
  'BTC-USD': { binance: 'BTCUSDT', coinbase: 'BTC-USD', kraken: 'XBTUSD' },
  'ETH-USD': { binance: 'ETHUSDT', coinbase: 'ETH-USD', kraken: 'ETHUSD' },
  'SOL-USD': { binance: 'SOLUSDT', coinbase: 'SOL-USD', kraken: 'SOLUSD' },
  'XRP-USD': { binance: 'XRPUSDT', coinbase: 'XRP-USD', kraken: 'XRPUSD' },
  'ADA-USD': { binance: 'ADAUSDT', coinbase: 'ADA-USD', kraken: 'ADAUSD' },
  'DOGE-USD': { binance: 'DOGEUSDT', coinbase: 'DOGE-USD', kraken: 'XDGUSD' },
  'LTC-USD': { binance: 'LTCUSDT', coinbase: 'LTC-USD', kraken: 'LTCUSD' },
  'LINK-USD': { binance: 'LINKUSDT', coinbase: 'LINK-USD', kraken: 'LINKUSD' },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<Exchange, string>>>>>;

/** A market that several exchanges have, by the name it has in `pairs`. */
export const pair = staticDimension(Object.keys(pairs) as (keyof typeof pairs)[]);

/** What a pair is called on some exchanges. */
export function symbolsOf(name: string | undefined, ...on: readonly Exchange[]): readonly string[] {
  const symbols: Partial<Record<Exchange, string>> = Object.entries(pairs).find(([known]) => known === name)?.[1] ?? {};
  return on.flatMap((exchange) => symbols[exchange] ?? []);
}

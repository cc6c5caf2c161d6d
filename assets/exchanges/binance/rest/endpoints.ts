import { type Interval, intervalMs, type Market } from '../layout.ts';
import type { RateLimit } from './limiter.ts';

// What Binance's REST interface offers, and what it weighs. Pure: no I/O.

/** Requests for at most so many rows weigh so much. */
export interface PageWeight {
  readonly limit: number;
  readonly weight: number;
}

export interface RestEndpoints {
  readonly root: string;
  /** What exchangeInfo weighs. */
  readonly infoWeight: number;
  /** Requests for candles, smallest first. */
  readonly klines: readonly PageWeight[];
  /** Until exchangeInfo has said what they are. */
  readonly limits: readonly RateLimit[];
}

const futuresPages = [
  { limit: 99, weight: 1 },
  { limit: 499, weight: 2 },
  { limit: 1000, weight: 5 },
  { limit: 1500, weight: 10 },
];
const perMinute = (limit: number): RateLimit[] => [{ counts: 'weight', windowMs: 60_000, limit }];

export const endpoints: Readonly<Record<Market, RestEndpoints>> = {
  spot: { root: '/api/v3', infoWeight: 20, klines: [{ limit: 1000, weight: 2 }], limits: perMinute(6000) },
  um: { root: '/fapi/v1', infoWeight: 1, klines: futuresPages, limits: perMinute(2400) },
  cm: { root: '/dapi/v1', infoWeight: 1, klines: futuresPages, limits: perMinute(2400) },
};

/** Of USD-M's funding rates, together with its fundingInfo. */
export const fundingLimits: readonly RateLimit[] = [{ counts: 'requests', windowMs: 300_000, limit: 500 }];

/** Kinds of candles, by the name of their folder in the archive, which is that of their path too. */
export const restKlineTypes = {
  klines: { markets: ['spot', 'um', 'cm'], of: 'symbol', dataType: 'klines' },
  markPriceKlines: { markets: ['um', 'cm'], of: 'symbol', dataType: 'mark_price_klines' },
  /** Of a pair (`BTCUSD`), not of a contract. */
  indexPriceKlines: { markets: ['um', 'cm'], of: 'pair', dataType: 'index_price_klines' },
  premiumIndexKlines: { markets: ['um', 'cm'], of: 'symbol', dataType: 'premium_index_klines' },
} as const satisfies Record<string, { markets: readonly Market[]; of: 'symbol' | 'pair'; dataType: string }>;
export type RestKlineType = keyof typeof restKlineTypes;

/** Whether a market has candles of this length: seconds are of spot alone. */
export const hasInterval = (market: Market, interval: Interval): boolean => interval !== '1s' || market === 'spot';

/** The word for an interval here: the archive's `1mo` is `1M`. */
export const restInterval = (interval: Interval): string => (interval === '1mo' ? '1M' : interval);

/**
 * The page with which so many rows are had for the least weight: of pages that come to the same, the largest.
 * @param rows how many rows there can be; when all of them fit in the page, its limit is that number.
 */
export function cheapestPage(pages: readonly PageWeight[], rows: number): PageWeight {
  const costs = pages.map((page) => ({ ...page, total: Math.ceil(rows / page.limit) * page.weight }));
  const best = costs.reduce((a, b) => (b.total <= a.total && (b.total < a.total || a.limit < rows) ? b : a));
  return { limit: Math.min(best.limit, rows), weight: best.weight };
}

/** How many candles can open in a span of milliseconds at most, if each opens at its place. */
export function candlesIn(interval: Interval, ms: number): number {
  return Math.ceil(ms / (interval === '1mo' ? SHORTEST_MONTH_MS : intervalMs(interval)));
}

const SHORTEST_MONTH_MS = 28 * 86_400_000;

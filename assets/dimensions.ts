import { daily, dynamicDimension, monthly, staticDimension } from 'crypto-lakehouse';
import { exchanges } from './exchanges/names.ts';

/** First in all market data: whose data it is. */
export const exchange = staticDimension(exchanges);

/** `spot`, and futures margined in USD-like coins (`um`) or in the base coin (`cm`). */
export const market = staticDimension(['spot', 'um', 'cm']);

/** The markets of what only futures have. */
export const futuresMarket = staticDimension(['um', 'cm']);

export const symbol = dynamicDimension("a symbol as the exchange writes it, e.g. 'BTCUSDT'");

/** Length of a bar. The archive has longer ones (3d, 1w, 1mo) by month only. */
export const interval = staticDimension([
  '1s',
  '1m',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
]);

/** Bars longer than a day, which the archive has by month only. `1mo` is its word: some disks cannot tell `1M` from `1m`. */
export const longInterval = staticDimension(['3d', '1w', '1mo']);

export const date = daily({ start: '2017-01-01' });
export const month = monthly({ start: '2017-01' });

import type { SimulatedArchiveOptions } from './archive.ts';

/** What `npm start` and the profile `simulated` invent: two symbols, ten weeks, with a few outages. */
export const SIMULATED: SimulatedArchiveOptions = {
  seed: 'crypto-lakehouse',
  listings: [
    { market: 'spot', symbol: 'BTCUSDT', price: 42_000 },
    { market: 'spot', symbol: 'ETHUSDT', price: 2_300 },
  ],
  intervals: ['1m', '1h'],
  from: '2024-01-01',
  to: '2024-03-10',
};

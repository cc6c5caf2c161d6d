import { restSettings } from '../rest/settings.ts';

/** The section `exchanges.kraken`. */
export const krakenSettings = restSettings({
  name: 'Kraken',
  baseUrl: 'https://api.kraken.com',
  symbols: ['XBTUSD', 'ETHUSD'],
  intervals: ['5m', '15m', '30m', '1h', '4h', '1d'],
  about: 'Of each the last 720 can be had: up to two days of 5m, thirty of 1h; not even one day of 1m.',
  maxDays: 718,
  requestsPerSecond: 1,
});

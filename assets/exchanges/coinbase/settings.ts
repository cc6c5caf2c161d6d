import { restSettings } from '../rest/settings.ts';

/** The section `exchanges.coinbase`. */
export const coinbaseSettings = restSettings({
  name: 'Coinbase',
  baseUrl: 'https://api.exchange.coinbase.com',
  symbols: ['BTC-USD', 'ETH-USD'],
  intervals: ['1m', '5m', '15m', '1h', '6h', '1d'],
  maxDays: 3650,
  requestsPerSecond: 5,
});

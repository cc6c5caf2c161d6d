import { source } from 'crypto-lakehouse';
import { date, exchange, interval, market, month, symbol } from '../../dimensions.ts';
import { candleAsset } from '../../klines.ts';
import { archiveFiles } from './files.ts';
import { restKlines } from './rest/source.ts';

export const binanceKlinesDaily = source('binance/klines_daily_archive', {
  ...candleAsset,
  ...archiveFiles({ type: 'klines', cadence: 'daily' }),
  description:
    "Binance's public archive of candles, one zip per day. Normally there the next morning, sometimes days later, and changed at times without notice.",
  partitions: { exchange, market, symbol, interval, date },
});

export const binanceKlinesMonthly = source('binance/klines_monthly_archive', {
  ...candleAsset,
  ...archiveFiles({ type: 'klines', cadence: 'monthly' }),
  description:
    "Binance's public archive of candles, one zip per month, published in the first three weeks of the next.",
  partitions: { exchange, market, symbol, interval, month },
});

export const binanceKlinesRest = source('binance/klines_rest', {
  ...candleAsset,
  ...restKlines('klines'),
  description:
    "Candles of the last closed days as Binance's REST interface answers them, where the setting exchanges.binance.rest is on. The candle that is still open is never asked for.",
  partitions: { exchange, market, symbol, interval, date },
});

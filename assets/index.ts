import { defineLakehouse } from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly } from './bronze/klines.ts';
import * as fundingRates from './datasets/funding_rates.ts';
import { binanceKlinesDaily, binanceKlinesMonthly } from './exchanges/binance/klines.ts';
import { binanceResource } from './exchanges/binance/resource.ts';
import { goldIndicators } from './gold/indicators.ts';
import { goldKlinesDaily } from './gold/klines_daily.ts';
import { goldKlinesMonthly } from './gold/klines_monthly.ts';
import { goldMarketOverview } from './gold/market_overview.ts';
import { archive } from './schedules.ts';
import { settings } from './settings.ts';
import { silverKlines } from './silver/klines.ts';

/** The crypto lakehouse: sources, then assets from the exchange's bytes (bronze) to exact rows (silver) to features (gold). */
export const lakehouse = defineLakehouse({
  assets: [
    binanceKlinesDaily,
    binanceKlinesMonthly,
    bronzeKlinesDaily,
    bronzeKlinesMonthly,
    silverKlines,
    goldKlinesDaily,
    goldKlinesMonthly,
    goldIndicators,
    goldMarketOverview,
    ...Object.values(fundingRates),
  ],
  schedules: [archive],
  settings,
  filters: ({ exchanges: { binance } }) => ({
    exchange: binance.enabled ? ['binance'] : [],
    market: binance.markets,
    symbol: binance.symbols,
    interval: binance.intervals,
  }),
  resources: ({ exchanges: { binance } }) => ({ binance: binanceResource(binance) }),
  simulated: ({ exchanges: { binance } }) => binance.archive.simulated,
});

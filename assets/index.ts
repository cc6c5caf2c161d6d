import { defineLakehouse } from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly, bronzeKlinesRest } from './bronze/klines.ts';
import { commands } from './commands.ts';
import * as aggTrades from './datasets/agg_trades.ts';
import * as bookDepth from './datasets/book_depth.ts';
import * as bookTicker from './datasets/book_ticker.ts';
import * as fundingRates from './datasets/funding_rates.ts';
import * as indexPriceKlines from './datasets/index_price_klines.ts';
import * as liquidations from './datasets/liquidations.ts';
import * as longKlines from './datasets/long_klines.ts';
import * as markPriceKlines from './datasets/mark_price_klines.ts';
import * as metrics from './datasets/metrics.ts';
import * as premiumIndexKlines from './datasets/premium_index_klines.ts';
import * as trades from './datasets/trades.ts';
import { binanceKlinesDaily, binanceKlinesMonthly, binanceKlinesRest } from './exchanges/binance/klines.ts';
import { exchangeAssets, exchangeFilters, exchangeResources } from './exchanges/index.ts';
import { goldDollarBars, goldVolumeBars } from './gold/activity_bars.ts';
import { goldBasis } from './gold/basis.ts';
import { goldDepthImbalance, goldSpread } from './gold/book.ts';
import { goldCrossExchangeSpread } from './gold/cross_exchange_spread.ts';
import { goldFundingRates } from './gold/funding.ts';
import { goldIndicators } from './gold/indicators.ts';
import { goldKlinesDaily } from './gold/klines_daily.ts';
import { goldKlinesMonthly } from './gold/klines_monthly.ts';
import { goldKlinesResampled } from './gold/klines_resampled.ts';
import { goldLargestLiquidations, goldLiquidations } from './gold/liquidations.ts';
import { goldMarketOverview } from './gold/market_overview.ts';
import { goldTradeBars } from './gold/trade_bars.ts';
import { archive } from './schedules.ts';
import { settings } from './settings.ts';
import { allKlines } from './silver/all_klines.ts';
import { silverKlines } from './silver/klines.ts';
import {
  klinesFilled,
  silverKlinesGaps,
  silverKlinesPatches,
  silverKlinesReconciliation,
} from './silver/klines_quality.ts';

/** The crypto lakehouse: sources, then assets from the exchange's bytes (bronze) to exact rows (silver) to features (gold). */
export const lakehouse = defineLakehouse({
  assets: [
    binanceKlinesDaily,
    binanceKlinesMonthly,
    binanceKlinesRest,
    bronzeKlinesDaily,
    bronzeKlinesMonthly,
    bronzeKlinesRest,
    ...exchangeAssets,
    silverKlines,
    silverKlinesReconciliation,
    silverKlinesGaps,
    silverKlinesPatches,
    goldKlinesDaily,
    goldKlinesMonthly,
    goldKlinesResampled,
    goldIndicators,
    goldMarketOverview,
    goldCrossExchangeSpread,
    ...Object.values(aggTrades),
    ...Object.values(bookDepth),
    ...Object.values(bookTicker),
    ...Object.values(fundingRates),
    ...Object.values(indexPriceKlines),
    ...Object.values(liquidations),
    ...Object.values(longKlines),
    ...Object.values(markPriceKlines),
    ...Object.values(metrics),
    ...Object.values(premiumIndexKlines),
    ...Object.values(trades),
    goldFundingRates,
    goldBasis,
    goldDepthImbalance,
    goldSpread,
    goldLiquidations,
    goldLargestLiquidations,
    goldTradeBars,
    goldVolumeBars,
    goldDollarBars,
  ],
  views: [allKlines, klinesFilled],
  schedules: [archive],
  commands,
  settings,
  filters: ({ exchanges, gold }) => {
    const { interval, ...others } = exchangeFilters(exchanges);
    return { ...others, interval: [...new Set([...interval, ...gold.intervals])] };
  },
  resources: ({ exchanges }) => exchangeResources(exchanges),
  simulated: ({ exchanges: { binance } }) => binance.archive.simulated,
});

// What a lake of somebody else's picks from: import { silverKlines } from 'crypto-lakehouse/assets'.
export * from './datasets/agg_trades.ts';
export * from './datasets/book_depth.ts';
export * from './datasets/book_ticker.ts';
export * from './datasets/funding_rates.ts';
export * from './datasets/index_price_klines.ts';
export * from './datasets/liquidations.ts';
export * from './datasets/long_klines.ts';
export * from './datasets/mark_price_klines.ts';
export * from './datasets/metrics.ts';
export * from './datasets/premium_index_klines.ts';
export * from './datasets/trades.ts';
export * from './dimensions.ts';
export {
  allKlines,
  archive,
  binanceKlinesDaily,
  binanceKlinesMonthly,
  binanceKlinesRest,
  bronzeKlinesDaily,
  bronzeKlinesMonthly,
  bronzeKlinesRest,
  goldBasis,
  goldCrossExchangeSpread,
  goldDepthImbalance,
  goldDollarBars,
  goldFundingRates,
  goldIndicators,
  goldKlinesDaily,
  goldKlinesMonthly,
  goldKlinesResampled,
  goldLargestLiquidations,
  goldLiquidations,
  goldMarketOverview,
  goldSpread,
  goldTradeBars,
  goldVolumeBars,
  klinesFilled,
  settings,
  silverKlines,
  silverKlinesGaps,
  silverKlinesPatches,
  silverKlinesReconciliation,
};

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { interval, market } from '../../assets/dimensions.ts';
import { hasDailyFiles, intervalMs, intervals, markets } from '../../assets/exchanges/binance/layout.ts';
import type { BinanceResource } from '../../assets/exchanges/binance/resource.ts';
import { lakehouse } from '../../assets/index.ts';
import { barMs } from '../../assets/klines.ts';
import { settings } from '../../assets/settings.ts';

const defaults = z
  .object(settings)
  .parse({ exchanges: { binance: { archive: {}, rest: { baseUrls: {} } }, coinbase: {}, kraken: {} }, gold: {} });
const { exchanges } = defaults;
const { binance } = exchanges;

describe('declarations', () => {
  test('have no problems', () => {
    expect(lakehouse.assets.flatMap(({ issues }) => issues)).toEqual([]);
  });

  test('are described in full', () => {
    for (const { key, description, owners, kinds, tags, columns, storage } of lakehouse.assets) {
      expect(description, key).toMatch(/\.$/);
      expect({ key, owners, tags }).toEqual({ key, owners: ['data'], tags: { domain: 'market-data' } });
      expect(kinds.length, key).toBeGreaterThan(0);
      if (storage.type === 'table')
        for (const column of columns) expect(column.description, `${key} ${column.name}`).toMatch(/\.$/);
    }
  });

  test('are partitioned by exchange and market first', () => {
    const shapes = lakehouse.assets.map(({ key, space }) => [key, space.dimensions.map(({ name }) => name).join(' ')]);
    expect(Object.fromEntries(shapes)).toEqual({
      'binance/klines_daily_archive': 'exchange market symbol interval date',
      'binance/klines_monthly_archive': 'exchange market symbol interval month',
      'binance/klines_rest': 'exchange market symbol interval date',
      'bronze/klines_daily': 'exchange market symbol interval date',
      'bronze/klines_monthly': 'exchange market symbol interval month',
      'binance/mark_price_klines_rest': 'exchange market symbol interval date',
      'bronze/mark_price_klines_rest': 'exchange market symbol interval date',
      'binance/index_price_klines_rest': 'exchange market symbol interval date',
      'bronze/index_price_klines_rest': 'exchange market symbol interval date',
      'binance/premium_index_klines_rest': 'exchange market symbol interval date',
      'bronze/premium_index_klines_rest': 'exchange market symbol interval date',
      'bronze/klines_rest': 'exchange market symbol interval date',
      'coinbase/klines_rest': 'exchange market symbol interval date',
      'bronze/coinbase_klines': 'exchange market symbol interval date',
      'bronze/coinbase_kline_text': 'exchange market symbol interval date',
      'kraken/klines_rest': 'exchange market symbol interval date',
      'bronze/kraken_klines': 'exchange market symbol interval date',
      'bronze/kraken_kline_text': 'exchange market symbol interval date',
      'silver/klines': 'exchange market symbol interval date',
      'silver/klines_gaps': 'exchange market symbol interval month',
      'silver/klines_patches': 'exchange market symbol interval month',
      'silver/klines_reconciliation': 'exchange market symbol interval month',
      'gold/klines_daily': 'exchange market symbol interval date',
      'gold/klines_monthly': 'exchange market symbol interval month',
      'gold/klines_resampled': 'exchange market symbol interval date',
      'gold/funding_rates': 'exchange market symbol date',
      'gold/indicators': 'exchange market symbol interval date',
      'gold/market_overview': 'exchange market interval date',
      'gold/cross_exchange_spread': 'pair interval date',
      'binance/funding_rates_archive': 'exchange market symbol month',
      'binance/funding_rates_rest': 'exchange market symbol date',
      'bronze/funding_rates_rest': 'exchange market symbol date',
      'bronze/funding_rates': 'exchange market symbol month',
      'silver/funding_rates': 'exchange market symbol date',
      'binance/mark_price_klines_daily_archive': 'exchange market symbol interval date',
      'binance/mark_price_klines_monthly_archive': 'exchange market symbol interval month',
      'bronze/mark_price_klines_daily': 'exchange market symbol interval date',
      'bronze/mark_price_klines_monthly': 'exchange market symbol interval month',
      'silver/mark_price_klines': 'exchange market symbol interval date',
      'binance/index_price_klines_daily_archive': 'exchange market symbol interval date',
      'binance/index_price_klines_monthly_archive': 'exchange market symbol interval month',
      'bronze/index_price_klines_daily': 'exchange market symbol interval date',
      'bronze/index_price_klines_monthly': 'exchange market symbol interval month',
      'silver/index_price_klines': 'exchange market symbol interval date',
      'binance/premium_index_klines_daily_archive': 'exchange market symbol interval date',
      'binance/premium_index_klines_monthly_archive': 'exchange market symbol interval month',
      'bronze/premium_index_klines_daily': 'exchange market symbol interval date',
      'bronze/premium_index_klines_monthly': 'exchange market symbol interval month',
      'silver/premium_index_klines': 'exchange market symbol interval date',
      'binance/long_klines_archive': 'exchange market symbol interval month',
      'bronze/long_klines': 'exchange market symbol interval month',
      'silver/long_klines': 'exchange market symbol interval month',
      'binance/long_mark_price_klines_archive': 'exchange market symbol interval month',
      'bronze/long_mark_price_klines': 'exchange market symbol interval month',
      'silver/long_mark_price_klines': 'exchange market symbol interval month',
      'binance/long_index_price_klines_archive': 'exchange market symbol interval month',
      'bronze/long_index_price_klines': 'exchange market symbol interval month',
      'silver/long_index_price_klines': 'exchange market symbol interval month',
      'binance/long_premium_index_klines_archive': 'exchange market symbol interval month',
      'bronze/long_premium_index_klines': 'exchange market symbol interval month',
      'silver/long_premium_index_klines': 'exchange market symbol interval month',
      'binance/agg_trades_daily_archive': 'exchange market symbol date',
      'binance/agg_trades_monthly_archive': 'exchange market symbol month',
      'bronze/agg_trades_daily': 'exchange market symbol date',
      'bronze/agg_trades_monthly': 'exchange market symbol month',
      'silver/agg_trades': 'exchange market symbol date',
      'binance/trades_daily_archive': 'exchange market symbol date',
      'binance/trades_monthly_archive': 'exchange market symbol month',
      'bronze/trades_daily': 'exchange market symbol date',
      'bronze/trades_monthly': 'exchange market symbol month',
      'silver/trades': 'exchange market symbol date',
      'binance/book_ticker_daily_archive': 'exchange market symbol date',
      'binance/book_ticker_monthly_archive': 'exchange market symbol month',
      'bronze/book_ticker_daily': 'exchange market symbol date',
      'bronze/book_ticker_monthly': 'exchange market symbol month',
      'silver/book_ticker': 'exchange market symbol date',
      'binance/liquidations_archive': 'exchange market symbol date',
      'bronze/liquidations': 'exchange market symbol date',
      'silver/liquidations': 'exchange market symbol date',
      'binance/book_depth_archive': 'exchange market symbol date',
      'bronze/book_depth': 'exchange market symbol date',
      'silver/book_depth': 'exchange market symbol date',
      'binance/metrics_archive': 'exchange market symbol date',
      'bronze/metrics': 'exchange market symbol date',
      'silver/metrics': 'exchange market symbol date',
      'gold/basis': 'exchange market symbol interval date',
      'gold/depth_imbalance': 'exchange market symbol date',
      'gold/spread': 'exchange market symbol interval date',
      'gold/liquidations': 'exchange market symbol interval date',
      'gold/largest_liquidations': 'exchange market date',
      'gold/trade_bars': 'exchange market symbol interval date',
      'gold/volume_bars': 'exchange market symbol date',
      'gold/dollar_bars': 'exchange market symbol date',
      'gold/open_interest': 'exchange market symbol date',
    });
  });

  test('every input is listed too', () => {
    const inputs = lakehouse.assets.flatMap(({ inputs }) =>
      inputs.flatMap(({ alternatives }) => alternatives.map(({ asset }) => asset)),
    );
    expect(inputs.filter((asset) => !lakehouse.assets.some((listed) => listed === asset))).toEqual([]);
  });

  test('in gold, numbers are DOUBLE or counts, and every row says from when on it can be used', () => {
    for (const { columns } of lakehouse.assets.filter(({ key }) => key.startsWith('gold/'))) {
      const types = ['DOUBLE', 'BIGINT', 'INTEGER', 'TIMESTAMP', 'VARCHAR', 'BOOLEAN'];
      expect(columns.filter(({ type }) => !types.includes(type))).toEqual([]);
      expect(columns.at(-1)).toMatchObject({ name: 'available_at', type: 'TIMESTAMP', nullable: false });
    }
  });
});

describe('dimensions', () => {
  test('are what the archive and the settings know', () => {
    expect(market.values).toEqual(markets);
    expect(interval.values).toEqual(intervals.filter(hasDailyFiles));
    const all = { ...binance, intervals: [...interval.values], markets: [...market.values] };
    expect(z.object(settings).safeParse({ ...defaults, exchanges: { ...exchanges, binance: all } })).toMatchObject({
      success: true,
    });
  });

  test('the length of a bar', () => {
    expect(interval.values.map(barMs)).toEqual(interval.values.map(intervalMs));
    expect(['1mo', '1M', '', '0m', 'm', '1.5h', undefined].map(barMs)).toEqual(Array(7).fill(undefined));
  });
});

describe('settings', () => {
  test('say which series are wanted', () => {
    expect(lakehouse.filters(defaults)).toEqual({
      exchange: ['binance'],
      market: ['spot'],
      symbol: ['BTCUSDT', 'ETHUSDT'],
      interval: ['1m', '1h'],
    });
    expect(
      lakehouse.filters({ ...defaults, exchanges: { ...exchanges, binance: { ...binance, enabled: false } } }),
    ).toMatchObject({
      exchange: [],
    });
  });

  test('of several exchanges together, while each has what it wants itself', () => {
    const coinbase = { ...exchanges.coinbase, enabled: true, symbols: ['*-USD'], intervals: ['1m', '6h'] };
    const settled = {
      ...defaults,
      exchanges: { ...exchanges, coinbase, binance: { ...binance, markets: ['um'], symbols: ['*USDT', '!BTC*'] } },
    };
    expect(lakehouse.filters(settled)).toEqual({
      exchange: ['binance', 'coinbase'],
      market: ['um', 'spot'],
      symbol: ['*USDT', '*-USD'],
      interval: ['1m', '1h', '6h'],
    });
    const { wants } = lakehouse.resources(settled).binance as BinanceResource;
    const asked = { market: ['um', 'spot'], symbol: ['ETHUSDT', 'BTCUSDT', 'ETH-USD'], interval: ['1h', '6h'] };
    const wanted = Object.entries(asked).map(([name, values]) => values.filter((value) => wants?.(name, value)));
    expect(wanted).toEqual([['um'], ['ETHUSDT'], ['1h']]);
  });

  test('what Binance is to leave out departs, unless another exchange may have it', () => {
    const symbolsWith = (symbols: string[]) => {
      const own = { ...binance, symbols: ['*USDT', '!BTC*', '!*UPUSDT'] };
      const coinbase = { ...exchanges.coinbase, enabled: true, symbols };
      return lakehouse.filters({ ...defaults, exchanges: { ...exchanges, binance: own, coinbase } }).symbol;
    };
    expect(symbolsWith(['ETH-USD'])).toEqual(['*USDT', '!BTC*', '!*UPUSDT', 'ETH-USD']);
    expect(symbolsWith(['*-USD'])).toEqual(['*USDT', '!*UPUSDT', '*-USD']);
    expect(symbolsWith(['*'])).toEqual(['*USDT', '*']);
  });

  test('that mean no symbol are refused, unless the exchange is off', () => {
    const none = (enabled: boolean) => ({
      ...defaults,
      exchanges: { ...exchanges, binance: { ...binance, enabled, quoteAssets: ['EUR'] } },
    });
    expect(() => lakehouse.filters(none(true))).toThrow('The settings of exchanges.binance mean no symbol at all');
    expect(lakehouse.filters(none(false))).toMatchObject({ exchange: [] });
    expect((lakehouse.resources(none(false)).binance as BinanceResource).wants?.('symbol', 'BTCUSDT')).toBe(false);
  });

  test('say whether data is invented', () => {
    expect(lakehouse.simulated(defaults)).toBe(false);
    const simulated = {
      ...defaults,
      exchanges: { ...exchanges, binance: { ...binance, archive: { ...binance.archive, simulated: true } } },
    };
    expect(lakehouse.simulated(simulated)).toBe(true);
  });
});

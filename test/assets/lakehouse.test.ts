import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { interval, market } from '../../assets/dimensions.ts';
import { hasDailyFiles, intervalMs, intervals, markets } from '../../assets/exchanges/binance/layout.ts';
import { lakehouse } from '../../assets/index.ts';
import { barMs } from '../../assets/klines.ts';
import { settings } from '../../assets/settings.ts';

const defaults = z.object(settings).parse({ exchanges: { binance: { archive: {} } } });
const { binance } = defaults.exchanges;

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
      'bronze/klines_daily': 'exchange market symbol interval date',
      'bronze/klines_monthly': 'exchange market symbol interval month',
      'silver/klines': 'exchange market symbol interval date',
      'gold/klines_daily': 'exchange market symbol interval date',
      'gold/klines_monthly': 'exchange market symbol interval month',
      'gold/indicators': 'exchange market symbol interval date',
      'gold/market_overview': 'exchange market interval date',
      'binance/funding_rates_archive': 'exchange market symbol month',
      'bronze/funding_rates': 'exchange market symbol month',
      'silver/funding_rates': 'exchange market symbol date',
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
      const types = ['DOUBLE', 'BIGINT', 'INTEGER', 'TIMESTAMP', 'VARCHAR'];
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
    expect(z.object(settings).safeParse({ exchanges: { binance: all } })).toMatchObject({ success: true });
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
    expect(lakehouse.filters({ exchanges: { binance: { ...binance, enabled: false } } })).toMatchObject({
      exchange: [],
    });
  });

  test('say whether data is invented', () => {
    expect(lakehouse.simulated(defaults)).toBe(false);
    const simulated = { exchanges: { binance: { ...binance, archive: { ...binance.archive, simulated: true } } } };
    expect(lakehouse.simulated(simulated)).toBe(true);
  });
});

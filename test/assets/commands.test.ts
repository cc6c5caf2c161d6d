import { LakehouseError } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commands } from '../../assets/commands.ts';
import { lakehouse } from '../../assets/index.ts';
import { settings } from '../../assets/settings.ts';

function settingsWith(binance: Readonly<Record<string, unknown>> = {}) {
  const exchanges = { binance: { archive: {}, rest: { baseUrls: {} }, ...binance }, coinbase: {}, kraken: {} };
  return z.object(settings).parse({ exchanges, gold: {} });
}

function becomes(
  name: string,
  options: Readonly<Record<string, string | string[]>> = {},
  given = settingsWith(),
): string {
  const found = commands.find((one) => one.name === name);
  if (!found) throw new Error(`There is no ${name}`);
  return found.becomes({ options, settings: given }).join(' ');
}

describe('ingest and process', () => {
  test('become selections of assets and partitions', () => {
    expect(
      becomes('ingest klines', {
        symbols: ['BTCUSDT', 'ETHUSDT'],
        startDate: '2024-01-01',
        endDate: '2024-01-31',
        interval: ['1m'],
        tradeType: 'spot',
      }),
    ).toBe(
      'materialize +silver/klines --partitions market=spot,symbol=BTCUSDT|ETHUSDT,interval=1m,date=2024-01-01..2024-01-31',
    );
    expect(becomes('ingest klines', { startDate: '2024-01-01' })).toBe(
      'materialize +silver/klines --partitions date=2024-01-01..',
    );
    expect(becomes('process transform', { dataType: 'klines', symbols: ['BTCUSDT'] })).toBe(
      'materialize silver/klines+ --no-observe --partitions symbol=BTCUSDT',
    );
  });

  test('candles longer than a day are a table of their own', () => {
    const wanting = settingsWith({ intervals: ['1m', '1mo', '1w'] });
    expect(becomes('ingest klines', { interval: ['1M'] }, wanting)).toBe(
      'materialize +silver/long_klines --partitions interval=1mo',
    );
    expect(becomes('ingest klines', { interval: ['1m,1w'] }, wanting)).toBe(
      'materialize +silver/klines or +silver/long_klines --partitions interval=1m|1w',
    );
    expect(becomes('process transform', { dataType: 'klines', interval: ['1mo'] }, wanting)).toBe(
      'materialize silver/long_klines+ --no-observe --partitions interval=1mo',
    );
  });

  test('what the settings do not want is refused with what to write: it would leave the lake at the next run', () => {
    const refused = (options: Record<string, string | string[]>) => {
      try {
        return becomes('ingest klines', options);
      } catch (error) {
        return error instanceof LakehouseError ? [error.message, error.hint] : error;
      }
    };
    expect(refused({ symbols: ['BTCUSDT', 'SOLUSDT'] })).toEqual([
      'The settings do not want SOLUSDT: exchanges.binance.symbols is BTCUSDT, ETHUSDT',
      'Add it in lakehouse.yaml: exchanges.binance.symbols: [BTCUSDT, ETHUSDT, SOLUSDT]',
    ]);
    expect(refused({ interval: ['1mo'] })).toEqual([
      'The settings do not want 1mo: exchanges.binance.intervals is 1m, 1h',
      'Add it in lakehouse.yaml: exchanges.binance.intervals: [1m, 1h, 1mo]',
    ]);
    expect(refused({ tradeType: 'um_futures' })).toEqual([
      'The settings do not want um: exchanges.binance.markets is spot',
      'Add it in lakehouse.yaml: exchanges.binance.markets: [spot, um]',
    ]);
    expect(refused({ symbols: ['SOL*'] })).toContain('symbol=SOL*');
    expect(() => becomes('ingest funding-rates')).toThrow('of futures only');
  });

  test('a kind of data that the settings do not want is wanted this once, the others still', () => {
    expect(
      becomes('ingest funding-rates', { tradeType: 'um_futures' }, settingsWith({ markets: ['spot', 'um'] })),
    ).toBe(
      'materialize +silver/funding_rates --partitions market=um --set exchanges.binance.dataTypes=[klines, funding_rates]',
    );
  });

  test('what is no day, and an end before the start, are refused', () => {
    expect(() => becomes('ingest klines', { startDate: '2024-13-01' })).toThrow("'2024-13-01' is not a day");
    expect(() => becomes('ingest klines', { startDate: '2024-02-01', endDate: '2024-01-01' })).toThrow('is after');
  });

  test('name assets that there are', () => {
    const keys = lakehouse.assets.map(({ key }) => key);
    for (const { name } of commands.filter(({ name }) => name.startsWith('ingest '))) {
      const [, , selection = ''] =
        /^(materialize) \+(\S+)/.exec(becomes(name, {}, settingsWith({ markets: ['um'] }))) ?? [];
      expect(keys, name).toContain(selection);
      expect(becomes('process transform', { dataType: name.slice('ingest '.length) })).toContain(`${selection}+`);
    }
  });

  test('others', () => {
    expect(becomes('query info', { exchange: 'binance' })).toBe('status --partitions exchange=binance');
    expect(becomes('admin setup')).toBe('observe');
    expect(becomes('admin status')).toBe('status');
  });
});

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commands } from '../../assets/commands.ts';
import { lakehouse } from '../../assets/index.ts';
import { settings } from '../../assets/settings.ts';

const defaults = z
  .object(settings)
  .parse({ exchanges: { binance: { archive: {}, rest: { baseUrls: {} } }, coinbase: {}, kraken: {} } });

function becomes(name: string, options: Readonly<Record<string, string | string[]>> = {}): string {
  const found = commands.find((one) => one.name === name);
  if (!found) throw new Error(`There is no ${name}`);
  return found.becomes({ options, settings: defaults }).join(' ');
}

describe('ingest and process', () => {
  test('become selections of assets and partitions', () => {
    expect(
      becomes('ingest klines', {
        symbols: ['BTCUSDT', 'ETHUSDT'],
        startDate: '2024-01-01',
        endDate: '2024-01-31',
        interval: ['1m', '1M'],
        tradeType: 'um_futures',
      }),
    ).toBe(
      'materialize +silver/klines --partitions market=um,symbol=BTCUSDT|ETHUSDT,interval=1m|1mo,date=2024-01-01..2024-01-31',
    );
    expect(becomes('ingest klines', { startDate: '2024-01-01' })).toBe(
      'materialize +silver/klines --partitions date=2024-01-01..',
    );
    expect(becomes('process transform', { dataType: 'klines', symbols: ['BTCUSDT'] })).toBe(
      'materialize silver/klines+ --no-observe --partitions symbol=BTCUSDT',
    );
  });

  test('a kind of data that the settings do not want is wanted this once, the others still', () => {
    expect(becomes('ingest funding-rates')).toBe(
      'materialize +silver/funding_rates --set exchanges.binance.dataTypes=[klines, funding_rates]',
    );
  });

  test('what is no day, and an end before the start, are refused', () => {
    expect(() => becomes('ingest klines', { startDate: '2024-13-01' })).toThrow("'2024-13-01' is not a day");
    expect(() => becomes('ingest klines', { startDate: '2024-02-01', endDate: '2024-01-01' })).toThrow('is after');
  });

  test('name assets that there are', () => {
    const keys = lakehouse.assets.map(({ key }) => key);
    for (const { name } of commands.filter(({ name }) => name.startsWith('ingest '))) {
      const [, , selection = ''] = /^(materialize) \+(\S+)/.exec(becomes(name)) ?? [];
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAsset } from 'crypto-lakehouse/testing';
import { goldRange } from '../../assets/gold/range.ts';

test('gold/range: from the lowest to the highest price of all bars of a day', async () => {
  const bar = (open_time: string, high: string, low: string) => ({
    open_time: new Date(open_time),
    open: low,
    high,
    low,
    close: high,
    volume: '1.00000000',
  });
  const { rows } = await runAsset(goldRange, {
    partition: { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', interval: '1h', date: '2024-01-01' },
    inputs: {
      klines: [
        bar('2024-01-01T00:00:00Z', '110.00000000', '100.00000000'),
        bar('2024-01-01T01:00:00Z', '120.00000000', '105.00000000'),
      ],
    },
  });
  assert.deepEqual(rows, [
    { day: new Date('2024-01-01T00:00:00Z'), high: '120.00000000', low: '100.00000000', range_percent: 20 },
  ]);
});

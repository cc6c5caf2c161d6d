import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectPartitionwise, runAsset } from 'crypto-lakehouse/testing';
import { goldDaily } from '../../assets/gold/daily.ts';

const trade = (id: bigint, time: string, price: string) => ({ id, time: new Date(time), price, amount: '0.5000' });

test('gold/daily: prices and turnover of a day', async () => {
  const { rows } = await runAsset(goldDaily, {
    partition: { symbol: 'BTC-EUR', date: '2024-01-01' },
    inputs: {
      trades: [
        trade(1n, '2024-01-01T00:00:00Z', '100.00'),
        trade(2n, '2024-01-01T06:00:00Z', '130.00'),
        trade(3n, '2024-01-01T12:00:00Z', '90.00'),
        trade(4n, '2024-01-01T18:00:00Z', '110.00'),
      ],
    },
  });
  assert.deepEqual(rows, [
    {
      day: new Date('2024-01-01T00:00:00Z'),
      open: '100.00',
      high: '130.00',
      low: '90.00',
      close: '110.00',
      turnover: 215,
      trades: 4,
    },
  ]);
});

test('gold/daily: a day comes out the same alone and together with others', async () => {
  const day = (symbol: string, date: '2024-01-01' | '2024-01-02', id: bigint) => ({
    partition: { symbol, date },
    rows: [trade(id, `${date}T06:00:00Z`, '100.00'), trade(id + 1n, `${date}T12:00:00Z`, '105.00')],
  });
  await expectPartitionwise(goldDaily, {
    inputs: {
      trades: [day('BTC-EUR', '2024-01-01', 1n), day('BTC-EUR', '2024-01-02', 3n), day('ETH-EUR', '2024-01-01', 5n)],
    },
  });
});

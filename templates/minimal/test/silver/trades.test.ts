import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeZip } from 'crypto-lakehouse';
import { runAsset } from 'crypto-lakehouse/testing';
import { silverTrades } from '../../assets/silver/trades.ts';

const partition = { symbol: 'BTC-EUR', date: '2024-01-01' } as const;
/** A file as bronze keeps it. */
function file(...lines: string[]) {
  const csv = `id,time,price,amount\n${lines.join('\n')}\n`;
  return writeZip('trades.csv', Buffer.from(csv), { modified: new Date('2024-01-01') });
}

test('silver/trades: text becomes exact values, in the order of the trades', async () => {
  const { rows, checks } = await runAsset(silverTrades, {
    partition,
    inputs: { raw: file('2,2024-01-01T12:00:00Z,39039.5,0.25', '1,2024-01-01T00:00:00Z,39273,1') },
  });
  assert.deepEqual(rows, [
    { id: 1n, time: new Date('2024-01-01T00:00:00Z'), price: '39273.00', amount: '1.0000' },
    { id: 2n, time: new Date('2024-01-01T12:00:00Z'), price: '39039.50', amount: '0.2500' },
  ]);
  assert.ok(checks.every(({ passed }) => passed));
});

test('silver/trades: a price below zero does not pass', async () => {
  const { checks } = await runAsset(silverTrades, {
    partition,
    inputs: { raw: file('1,2024-01-01T00:00:00Z,-1,1') },
  });
  const failed = checks.filter(({ passed }) => !passed).map(({ check, failedRows }) => ({ check, failedRows }));
  assert.deepEqual(failed, [{ check: 'positive', failedRows: 1 }]);
});

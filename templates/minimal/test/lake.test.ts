import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryLake } from 'crypto-lakehouse/testing';
import { goldDaily } from '../assets/gold/daily.ts';
import { lakehouse } from '../assets/index.ts';

test('the whole lake: what is in the inbox becomes prices per day, once', async (t) => {
  const lake = await temporaryLake({ definition: lakehouse, now: '2024-02-01T12:00:00Z' });
  t.after(() => lake.close());

  const first = await lake.materialize();
  assert.equal(first.outcome, 'succeeded');
  const rows = await lake.read(goldDaily, { symbol: 'BTC-EUR' }, { columns: ['date', 'close'] }).rows();
  assert.deepEqual(
    rows.map(({ date, close }) => `${date} ${close}`),
    ['2024-01-01 39429.00', '2024-01-02 39702.00', '2024-01-03 39975.00'],
  );

  const second = await lake.materialize();
  assert.equal(second.counts.computed, 0);
});

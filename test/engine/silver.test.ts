import { expect, test } from 'vitest';
import { bronze, kline, klineCsv, silver } from './klines.ts';
import { bind, compute, hex, onlyTarget, target, workshop, zipPart } from './support.ts';

const shop = await workshop();
const dates = ['2024-01-01', '2024-01-02', '2024-01-03'];

test('zips become one pack, each day with the version it has alone', async () => {
  const targets = dates.map((date) => target(silver, kline('BTCUSDT', date)));
  const parts = await Promise.all(
    dates.map((date, i) => zipPart(shop, bronze, kline('BTCUSDT', date), klineCsv(date, { header: i === 1, micros: i === 2 }))),
  );
  const inputs = [bind('raw', bronze, parts, targets)];
  const together = await compute(shop, silver, targets, inputs);
  expect(together.outcomes.map(({ rows }) => rows)).toEqual([1440, 1440, 1440]);
  expect(together.packs[0]?.rows).toBe(4320);
  for (const [i, one] of targets.entries()) {
    const alone = await compute(shop, silver, [one], onlyTarget(inputs, i));
    expect(hex(alone.outcomes[0]?.version)).toBe(hex(together.outcomes[i]?.version));
  }
});

import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { run } from './lake.ts';
import { tiny } from './support.ts';

test('an asset of many compute functions does not hold up another that needs the same slot now and then', async () => {
  let calls = 0;
  const { lake, archive } = await tiny({
    onRows: async () => {
      calls++;
      await setTimeout(2);
    },
    sets: ['workflow.pools.default=1', 'processing.batchSize=28'],
  });
  for (const symbol of ['A', 'B', 'C', 'D']) archive.days(symbol, '2020-02', 1, 28);
  await run(lake, { selection: '+silver/ticks' });
  const callsWhenDone = new Map<string, number>();
  const { outcome } = await run(lake, { selection: 'gold/function or gold/window', observe: false }, (event) => {
    if (event.type === 'asset-finished') callsWhenDone.set(event.asset, calls);
  });
  expect(outcome).toBe('succeeded');
  expect(callsWhenDone.get('gold/function')).toBe(112);
  // Four statements, each behind a few functions and not behind all functions of a batch.
  expect(callsWhenDone.get('gold/window')).toBeLessThan(45);
});

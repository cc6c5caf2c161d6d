import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyLake } from './fixture.ts';
import { run } from './lake.ts';
import { packs, problems, status, tiny, tree } from './support.ts';

const SILVER = { selection: '+silver/ticks' };
const silverFiles = (root: string) => tree(root).filter((path) => path.startsWith('silver/'));

test('a series that is excluded keeps its files; once it is back, made anew, no second copy stays in the tree', async () => {
  const { lake, archive, open } = await tiny();
  archive.days('A', '2020-02', 1, 3).days('B', '2020-02', 1, 3);
  await run(lake, SILVER);
  const [ofA, ofB] = silverFiles(lake.store.root);
  const narrow = await open({ definition: { ...tinyLake(), filters: () => ({ symbol: ['A'] }) } });
  expect((await run(narrow, SILVER)).counts.departed).toBeGreaterThan(0);
  expect(status(narrow, 'silver/ticks')).toMatchObject({ fresh: 3 });
  expect(silverFiles(lake.store.root)).toEqual([ofA, ofB]);

  const wide = await open();
  expect((await run(wide, SILVER)).outcome).toBe('succeeded');
  const files = silverFiles(lake.store.root);
  expect(files).toHaveLength(2);
  expect(files).toContain(ofA);
  expect(files).not.toContain(ofB);
  expect(await problems(wide)).toEqual([]);
});

test('a listing that fails in passing is tried again within the run; one that goes on failing ends it', async () => {
  let down = 1;
  const real = tinyLake();
  const { archive, open } = await tiny();
  archive.days('A', '2020-02', 1, 2);
  const definition: typeof real = {
    ...real,
    resources: (settings) => {
      if (down-- > 0) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      return real.resources(settings);
    },
  };
  const lake = await open({ definition, sets: ['workflow.retryAttempts=2'] });
  const { outcome, events } = await run(lake, SILVER);
  expect(outcome).toBe('succeeded');
  expect(events.flatMap((e) => (e.type === 'retry' ? [[e.asset, e.attempt, e.error.code]] : []))).toEqual([
    ['src/days', 1, 'observe-failed'],
  ]);

  down = Number.POSITIVE_INFINITY;
  const dead = await open({ definition, sets: ['workflow.retryAttempts=2'] });
  await expect(run(dead, SILVER)).rejects.toMatchObject({ code: 'observe-failed', kind: 'transient' });
});

test('a file that is lost fails what reads it, and nothing else of its batch', async () => {
  const { lake, archive } = await tiny();
  archive.days('A', '2020-02', 1, 3).days('B', '2020-02', 1, 3);
  await run(lake, SILVER);
  const lost = silverFiles(lake.store.root).find((path) => path.includes('symbol=B')) as string;
  rmSync(join(lake.store.root, lost));
  const { outcome, events } = await run(lake, { selection: 'gold/window', observe: false });
  expect(outcome).toBe('failed');
  const failed = events.flatMap((e) => (e.type === 'partition-failed' ? [e.partition] : []));
  expect(failed.sort()).toEqual(['01', '02', '03'].map((d) => `symbol=B/date=2020-02-${d}`));
  expect(status(lake, 'gold/window')).toEqual({ fresh: 3, failed: 3 });
  expect(Object.keys(packs(lake)).filter((key) => key.startsWith('gold/window'))).toHaveLength(1);
});

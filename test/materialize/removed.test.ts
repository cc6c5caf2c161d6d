import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import { departRemoved } from '../../framework/materialize/depart.ts';
import { definesAny, removedAssets } from '../../framework/materialize/removed.ts';
import { tinyLake } from './fixture.ts';
import { run } from './lake.ts';
import { problems, tiny, tree } from './support.ts';

/** The tiny lake without one of its assets. */
function without(key: string): LakehouseDefinition {
  const whole = tinyLake();
  return { ...whole, assets: whole.assets.filter((asset) => asset.key !== key) };
}

async function computed() {
  const made = await tiny();
  made.archive.days('A', '2020-02', 1, 3).days('B', '2020-02', 1, 3);
  expect((await run(made.lake)).outcome).toBe('succeeded');
  return made;
}

test('an asset that is no longer defined stays through runs, and leaves whole when told', async () => {
  const { lake, open } = await computed();
  const all = tree(lake.store.root);
  const less = await open({ definition: without('gold/chain') });
  expect(removedAssets(less)).toEqual([{ asset: 'gold/chain', partitions: 6, files: 2, bytes: expect.any(Number) }]);
  expect([removedAssets(lake), definesAny(less)]).toEqual([[], true]);
  await run(less, { force: true });
  expect(tree(lake.store.root).filter((path) => path.startsWith('gold/chain/'))).toHaveLength(2);

  const before = tree(lake.store.root).filter((path) => !path.startsWith('gold/chain/'));
  expect(departRemoved(less, 'gold/chain', 'wipe')).toBe(6);
  expect(removedAssets(less)).toEqual([]);
  // Where the process dies here, the next run removes the files.
  await run(less);
  expect(tree(lake.store.root)).toEqual(before);
  expect(await problems(less)).toEqual([]);

  // And defined again it is made again.
  expect((await run(await open())).counts.computed).toBe(6);
  expect(tree(lake.store.root)).toHaveLength(all.length);
});

test('it stays when another process has logged definitions of it since', async () => {
  const { open } = await computed();
  const less = await open({ definition: without('gold/chain') });
  const newer = await open({ codes: { 'gold/chain': '2' } });
  await run(newer, { selection: 'gold/chain' });
  expect(() => departRemoved(less, 'gold/chain', 'wipe')).toThrow('Newer definitions of gold/chain');
  expect(removedAssets(less)).toMatchObject([{ asset: 'gold/chain', partitions: 6 }]);
});

test('definitions that know no asset with content are told apart', async () => {
  const { open } = await computed();
  expect(definesAny(await open({ definition: { ...tinyLake(), assets: [], filters: () => ({}) } }))).toBe(false);
});

test('files that were excluded before they were marked as kept, by an older program, are kept all the same', async () => {
  const { lake, directory, open } = await computed();
  const narrow = { definition: { ...tinyLake(), filters: () => ({ symbol: ['A'] }) } };
  expect((await run(await open(narrow))).counts.departed).toBeGreaterThan(0);
  const all = tree(lake.store.root);
  const db = new DatabaseSync(join(directory, '.lakehouse/state.sqlite'));
  const older = 'UPDATE files SET superseded_at = -superseded_at, written = NULL WHERE superseded_at < 0';
  expect(db.prepare(older).run().changes).toBe([...lake.state.supersededFiles(Number.MAX_SAFE_INTEGER)].length);
  db.close();
  expect([...lake.state.keptFiles()]).toEqual([]);
  await run(await open(narrow));
  expect(tree(lake.store.root)).toEqual(all);
});

import { describe, expect, test } from 'vitest';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { problems, status, tiny, tree, work } from './support.ts';

describe('what a run computes', () => {
  test('everything at first, nothing right after (case 5), and the files are what the log says', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 12).days('B', '2020-02', 10, 12);
    const first = await run(lake);
    expect(first.outcome).toBe('succeeded');
    expect(work(first.events)).toEqual({
      'bronze/days': '15/15',
      'silver/ticks': '15/15',
      'gold/window': '15/15',
      'gold/overview': '12/12',
      'gold/monthly': '2/2',
      'gold/chain': '15/15',
      'gold/function': '15/15',
    });
    const second = await run(lake);
    expect(work(second.events)).toEqual({});
    expect(second.outcome).toBe('succeeded');
    expect(status(lake, 'gold/chain')).toEqual({ fresh: 15 });
    expect(await problems(lake)).toEqual([]);
    // Closed months are one file each.
    expect(
      tree(lake.store.root)
        .filter((path) => path.startsWith('silver/'))
        .map((path) => path.replace(/\.\w+\.parquet$/, '')),
    ).toEqual(['silver/ticks/symbol=A/2020-02', 'silver/ticks/symbol=B/2020-02']);
  });

  test('a day that is re-published with other bytes but equal rows stops at silver', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 10);
    await run(lake);
    archive.put('A', '2020-02-05', ticksOf('2020-02-05', 6, 5 + 'A'.charCodeAt(0), true));
    const again = await run(lake);
    expect(work(again.events)).toEqual({ 'bronze/days': '1/1', 'silver/ticks': '1/0' });
    expect(work((await run(lake)).events)).toEqual({});
    expect(await problems(lake)).toEqual([]);
  });

  test('a day with other rows takes along exactly its cone: windows, months, all later links of a chain', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 20, 29).days('A', '2020-03', 1, 6).days('B', '2020-02', 20, 29);
    await run(lake);
    archive.put('A', '2020-02-27', ticksOf('2020-02-27', 7, 1000));
    const again = await run(lake);
    expect(work(again.events)).toEqual({
      'bronze/days': '1/1',
      'silver/ticks': '1/1',
      'gold/window': '3/3',
      'gold/overview': '1/1',
      'gold/monthly': '1/1',
      'gold/chain': '9/9',
      'gold/function': '1/1',
    });
    expect(work((await run(lake)).events)).toEqual({});
    expect(await problems(lake)).toEqual([]);
  });

  test('a monthly file that appears is chosen, and equal rows stop there', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29);
    await run(lake);
    const month = Array.from({ length: 29 }, (_, i) =>
      ticksOf(`2020-02-${String(i + 1).padStart(2, '0')}`, 6, i + 1 + 'A'.charCodeAt(0)),
    ).join('');
    archive.put('A', '2020-02', month, 'months');
    expect(work((await run(lake)).events)).toEqual({ 'bronze/months': '1/1', 'silver/ticks': '29/0' });
    expect(work((await run(lake)).events)).toEqual({});
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 29 });
  });

  test('a withdrawn day leaves, with everything that was made of it; what read it among others is computed without it', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 10).days('B', '2020-02', 1, 10);
    await run(lake);
    archive.remove('B', '2020-02-04');
    const again = await run(lake);
    expect(again.counts.departed).toBeGreaterThan(0);
    expect(work(again.events)['gold/overview']).toBe('1/1');
    expect(status(lake, 'silver/ticks')).toEqual({ fresh: 19, unavailable: 1 });
    expect(work((await run(lake)).events)).toEqual({});
    // The packs that held it are written without it.
    expect(await problems(lake)).toEqual([]);
  });

  test('a forced chain is computed from its own new links, not from the old ones as well', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 10);
    await run(lake);
    const forced = await run(lake, { selection: 'gold/chain', force: true });
    expect(work(forced.events)).toEqual({ 'gold/chain': '10/0' });
    expect(work((await run(lake)).events)).toEqual({});
  });

  test('a chain goes on over packs and batches in one run', async () => {
    const { lake, archive } = await tiny({ sets: ['processing.batchSize=4'] });
    archive.days('A', '2020-01', 28, 31).days('A', '2020-02', 1, 5, 5);
    const first = await run(lake);
    expect(work(first.events)['gold/chain']).toBe('9/9');
    expect(work((await run(lake)).events)).toEqual({});
    const engine = await lake.engine();
    const { batches } = await engine.query(
      'SELECT max(total), max(links), count(*) FROM gold.chain',
      await lakeViews(lake, openFiles(lake)),
      new AbortController().signal,
    );
    const rows = [];
    for await (const batch of batches) rows.push(...batch);
    expect(rows).toEqual([[4n * 6n + 5n * 5n, 9n, 9n]]);
  });

  test('packs of another schema are left behind partition by partition, and nothing of them is carried', async () => {
    const { lake, archive, open } = await tiny();
    archive.days('A', '2020-02', 1, 9);
    await run(lake);
    const wide = await open({ wide: true, codes: { 'gold/window': '2' } });
    const before = [...wide.state.files('gold/window')];
    const some = await run(wide, { selection: 'gold/window', filter: parseFilter('date=2020-02-02..2020-02-03') });
    expect(work(some.events)).toEqual({ 'gold/window': '2/2' });
    const [old, fresh] = [...wide.state.files('gold/window')];
    expect([old?.id, old?.live, fresh?.live]).toEqual([before[0]?.id, 7, 2]);
    expect(status(wide, 'gold/window')).toEqual({ fresh: 2, stale: 7 });
    expect(work((await run(wide)).events)).toEqual({ 'gold/window': '7/7' });
    expect([...wide.state.files('gold/window')].map(({ live }) => live)).toEqual([9]);
    expect(await problems(wide)).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { ticksOf } from './fixture.ts';
import { run } from './lake.ts';
import { problems, status, tiny, tree, work } from './support.ts';

describe('what a run computes', () => {
  test('everything at first, nothing right after (case 5), and the files are what the log says', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29).days('B', '2020-02', 10, 12);
    const first = await run(lake);
    expect(first.outcome).toBe('succeeded');
    expect(work(first.events)).toEqual({
      'bronze/days': '32/32',
      'silver/ticks': '32/32',
      'gold/window': '32/32',
      'gold/overview': '29/29',
      'gold/monthly': '2/2',
      'gold/chain': '32/32',
      'gold/function': '32/32',
    });
    const second = await run(lake);
    expect(work(second.events)).toEqual({});
    expect(second.outcome).toBe('succeeded');
    expect(status(lake, 'gold/chain')).toEqual({ fresh: 32 });
    expect(await problems(lake)).toEqual([]);
    // Closed months are one file each.
    expect(tree(lake.store.root).filter((path) => path.startsWith('silver/')).map((path) => path.replace(/\.\w+\.parquet$/, ''))).toEqual(['silver/ticks/symbol=A/2020-02', 'silver/ticks/symbol=B/2020-02']);
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
    archive.days('A', '2020-02', 1, 29).days('A', '2020-03', 1, 10).days('B', '2020-02', 1, 29);
    await run(lake);
    archive.put('A', '2020-02-27', ticksOf('2020-02-27', 7, 1000));
    const again = await run(lake);
    expect(work(again.events)).toEqual({
      'bronze/days': '1/1',
      'silver/ticks': '1/1',
      'gold/window': '3/3',
      'gold/overview': '1/1',
      'gold/monthly': '1/1',
      'gold/chain': '13/13',
      'gold/function': '1/1',
    });
    expect(work((await run(lake)).events)).toEqual({});
    expect(await problems(lake)).toEqual([]);
  });

  test('a monthly file that appears is chosen, and equal rows stop there', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29);
    await run(lake);
    const month = Array.from({ length: 29 }, (_, i) => ticksOf(`2020-02-${String(i + 1).padStart(2, '0')}`, 6, i + 1 + 'A'.charCodeAt(0))).join('');
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
  });

  test('a forced chain is computed from its own new links, not from the old ones as well', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 10);
    await run(lake);
    const forced = await run(lake, { selection: 'gold/chain', force: true });
    expect(work(forced.events)).toEqual({ 'gold/chain': '10/0' });
    expect(work((await run(lake)).events)).toEqual({});
  });
});

import { describe, expect, test } from 'vitest';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { seriesKey } from '../../framework/partition/space.ts';
import { indexAt } from '../../framework/partition/time.ts';
import { partitionDetail } from '../../framework/tui/read/detail.ts';
import { takeSnapshot } from '../../framework/tui/read/snapshot.ts';
import { ticksOf } from '../materialize/fixture.ts';
import { run } from '../materialize/lake.ts';
import { tiny } from '../materialize/support.ts';

const day = (text: string): number => indexAt('day', Date.parse(text));

async function detail(lake: OpenedLake, asset: string, date: string, symbol = 'A') {
  const snapshot = await takeSnapshot(lake, new AbortController().signal);
  return partitionDetail(lake, snapshot, asset, { values: { symbol }, time: day(date) });
}

describe('the detail of a partition', () => {
  test('of what is fresh says what it is and where', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2, 4);
    await run(lake, { selection: '+silver/ticks' });
    const [last] = lake.state.runs(1);
    const file = lake.state.fileOf('silver/ticks', 'symbol=A', day('2020-02-01'));
    expect(await detail(lake, 'silver/ticks', '2020-02-01')).toEqual({
      asset: 'silver/ticks',
      kind: 'asset',
      partition: 'symbol=A/date=2020-02-01',
      status: 'fresh',
      causes: [],
      rows: 4,
      bytes: expect.any(Number),
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      codeVersion: lake.graph.node('silver/ticks').code,
      computedAt: lake.now(),
      run: last?.run,
      file: file?.path,
      error: undefined,
      checks: [],
    });
    // Originals have no rows, sources no files.
    expect(await detail(lake, 'bronze/days', '2020-02-01')).toMatchObject({
      rows: undefined,
      file: expect.stringContaining('bronze/days'),
    });
    expect(await detail(lake, 'src/days', '2020-02-01')).toMatchObject({
      kind: 'source',
      status: 'fresh',
      rows: undefined,
      file: undefined,
      codeVersion: undefined,
    });
    expect(await detail(lake, 'silver/ticks', '2030-01-01')).toMatchObject({
      status: 'none',
      causes: [{ depth: 0, text: 'unavailable: there is no such partition: nothing upstream speaks of it' }],
      version: undefined,
    });
  });

  test('names the chain of causes down to the source', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2, 4);
    await run(lake, { selection: '+silver/ticks' });
    archive.put('A', '2020-02-02', ticksOf('2020-02-02', 7, 99));
    await run(lake, { selection: 'src/days' });
    const { head } = lake.state.refresh();
    const changed = lake.state.index().asset('src/days')?.series.get('symbol=A')?.changed;
    const revision = Math.max(...(changed ?? []));
    expect(revision).toBeLessThanOrEqual(head);
    const { status, causes } = await detail(lake, 'silver/ticks', '2020-02-02');
    expect(status).toBe('pending');
    expect(causes).toEqual([
      { depth: 0, text: 'pending: what it reads will be computed again and may change it', status: undefined },
      { depth: 1, text: 'bronze/days symbol=A/date=2020-02-02: stale', status: 'stale' },
      {
        depth: 2,
        text: expect.stringMatching(/^data: 1 input partition changed after it had read them \(at revision \d+\)$/),
        status: undefined,
      },
      { depth: 3, text: `src/days symbol=A/date=2020-02-02: fresh, changed at revision ${revision}`, status: 'fresh' },
    ]);
  });

  test('says what failed, of itself and of what it reads', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 1, 4).put('A', '2020-02-02', '2020-02-02 00:00:00,dear,1\n');
    await run(lake, { selection: '+silver/ticks' });
    await run(lake, { selection: '+silver/ticks' });
    const own = await detail(lake, 'silver/ticks', '2020-02-02');
    expect(own).toMatchObject({ status: 'failed', rows: undefined, version: undefined, error: { attempts: 1 } });
    expect(own.error?.message).toMatch(/convert|conversion/i);
    expect(own.error?.message).not.toMatch(/^silver\/ticks/);
    const below = await detail(lake, 'gold/function', '2020-02-02');
    expect(below.status).toBe('blocked');
    expect(below.causes.map(({ depth, text }) => `${'  '.repeat(depth)}${text}`).slice(0, 4)).toEqual([
      'missing: it was never computed, or has been removed',
      'blocked: what it reads failed, or waits for something that did',
      '  silver/ticks symbol=A/date=2020-02-02: failed',
      expect.stringMatching(/^ {4}.*convert.* \[[a-z-]+\]$/i),
    ]);
  });

  test('lists the checks that did not pass', async () => {
    const { lake, archive } = await tiny();
    archive.put('A', '2020-02-01', '2020-02-01 00:00:00,-1,0.5\n2020-02-01 00:01:00,2,0.5\n');
    await run(lake, { selection: '+silver/ticks' });
    const { status, checks, rows } = await detail(lake, 'silver/ticks', '2020-02-01');
    expect([status, rows, checks]).toEqual([
      'failed',
      2,
      [{ check: 'price_positive', severity: 'error', failedRows: 1 }],
    ]);
  });

  test('counts what it does not name', async () => {
    const { lake, archive } = await tiny();
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) archive.days(symbol, '2020-02', 1, 1, 4);
    await run(lake, { selection: 'src/days' });
    const snapshot = await takeSnapshot(lake, new AbortController().signal);
    const node = lake.graph.node('gold/overview');
    expect(seriesKey(node.space, {})).toBe('');
    const { causes } = partitionDetail(lake, snapshot, 'gold/overview', { values: {}, time: day('2020-02-01') });
    expect(causes.filter(({ depth }) => depth < 2).map(({ text }) => text)).toEqual([
      'missing: it was never computed, or has been removed',
      'pending: 5 input partitions are to be computed first',
      'silver/ticks symbol=A/date=2020-02-01: missing',
      'silver/ticks symbol=B/date=2020-02-01: missing',
      'silver/ticks symbol=C/date=2020-02-01: missing',
      '… and 2 more partitions',
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { assetRows, volumeOf } from '../../framework/tui/read/assets.ts';
import { takeSnapshot } from '../../framework/tui/read/snapshot.ts';
import { run } from '../materialize/lake.ts';
import { NOW, tiny } from '../materialize/support.ts';

const never = new AbortController().signal;

describe('rows of assets', () => {
  test('before anything was read only what the definitions say', async () => {
    const { lake } = await tiny();
    const rows = assetRows(lake, undefined, new Map());
    expect(rows.map(({ key }) => key)).toEqual(lake.graph.order);
    expect(rows.find(({ key }) => key === 'gold/monthly')).toEqual({
      key: 'gold/monthly',
      kind: 'asset',
      zone: 'gold',
      group: 'gold',
      kinds: lake.graph.node('gold/monthly').definition.kinds,
      description: undefined,
      owners: [],
      tags: {},
      dimensions: ['symbol', 'month'],
      counts: undefined,
      known: true,
      lastAt: undefined,
      lastRun: undefined,
      nextAt: undefined,
      lag: undefined,
      volume: [],
      volumeUnit: 'rows',
      rows: 0,
      bytes: 0,
      busy: false,
      running: undefined,
    });
  });

  test('what is below a source that nobody looked at is not known', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 2);
    const rows = assetRows(lake, await takeSnapshot(lake, never), new Map());
    expect(rows.every(({ known }) => !known)).toBe(true);
    await run(lake);
    expect(assetRows(lake, await takeSnapshot(lake, never), new Map()).every(({ known }) => known)).toBe(true);
  });

  test('counts, the last run, the lag and volumes', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 3).days('B', '2020-03', 3, 3, 4);
    const { run: id } = await run(lake);
    const volume = volumeOf(lake, 'silver/ticks');
    expect(volume).toMatchObject({ rows: 22, periods: [6, 6, 10] });
    expect(volume?.bytes).toBeGreaterThan(0);
    const snapshot = await takeSnapshot(lake, never);
    const rows = assetRows(lake, snapshot, new Map(volume ? [['silver/ticks', volume]] : []));
    expect(rows.find(({ key }) => key === 'silver/ticks')).toMatchObject({
      counts: { fresh: 4, stale: 0, missing: 0, failed: 0 },
      lastRun: id,
      lastAt: NOW,
      // To the end of the 3rd of March.
      lag: { ms: NOW - Date.UTC(2020, 2, 4), verdict: 'no-policy' },
      rows: 22,
      volume: [6, 6, 10],
      volumeUnit: 'rows',
    });
    expect(rows.find(({ key }) => key === 'src/days')).toMatchObject({ lastAt: NOW, lastRun: undefined });
    expect(rows.find(({ key }) => key === 'bronze/days')).toMatchObject({ volumeUnit: 'bytes' });
  });

  test('the volume of an asset without content, of original files, and of one with gaps', async () => {
    const { lake, archive } = await tiny();
    expect(volumeOf(lake, 'silver/ticks')).toBeUndefined();
    archive.days('A', '2020-03', 1, 1).days('A', '2020-03', 4, 4);
    await run(lake);
    expect(volumeOf(lake, 'silver/ticks')?.periods).toEqual([6, 0, 0, 6]);
    const raw = volumeOf(lake, 'bronze/days');
    expect(raw?.periods).toHaveLength(4);
    expect(raw?.periods.reduce((sum, bytes) => sum + bytes, 0)).toBe(raw?.bytes);
  });

  test('hours of many years are summed up', () => {
    // More periods than a function takes arguments.
    const length = 300_000;
    const series = new Map([['', { flags: new Uint8Array(length).fill(1), base: 0, length }]]);
    const details = {
      base: 0,
      rows: new Uint32Array(length).fill(2),
      bytes: new Float64Array(length).fill(3),
    };
    const lake = {
      state: { index: () => ({ asset: () => ({ series }) }), details: () => details },
      graph: { node: () => ({ definition: { storage: { type: 'table' } } }) },
    } as never;
    expect(volumeOf(lake, 'lab/hours')).toMatchObject({ rows: 600_000, bytes: 900_000 });
  });
});

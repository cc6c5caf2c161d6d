import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../framework/materialize/events.ts';
import { afterEvent, newRun } from '../../framework/tui/model/live.ts';
import { run } from '../materialize/lake.ts';
import { tiny } from '../materialize/support.ts';

const fold = (events: readonly RunEvent[]) =>
  events.reduce(
    (detail, event, i) => afterEvent(detail, event, 1_000 + i),
    newRun('lakehouse materialize', '*', 1_000),
  );

describe('a run that goes on', () => {
  test('is told by its own events: assets, counts and lines', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 3);
    archive.put('A', '2020-03-02', '2020-03-02 00:00:00,-1.5,0.1\n');
    const { run: id, counts, events } = await run(lake);
    const detail = fold(events);

    expect(detail.row).toMatchObject({ run: id, outcome: 'failed', counts: { ...counts }, selection: '*' });
    expect(detail.row.finishedAt).toBe(1_000 + events.length - 1);
    expect(detail.lines).toHaveLength(events.length);
    const byAsset = Object.fromEntries(
      detail.assets.map(({ asset, phase, total, done, failed }) => [asset, { phase, total, done, failed }]),
    );
    // What was computed and then failed its check counts as computed.
    expect(byAsset).toMatchObject({
      'src/days': { phase: 'done', total: 3, done: 3, failed: 0 },
      'bronze/days': { phase: 'done', total: 3, done: 3, failed: 0 },
      'silver/ticks': { total: 3, done: 3, failed: 0 },
    });
    const sum = (pick: (asset: (typeof detail.assets)[number]) => number) =>
      detail.assets.filter(({ asset }) => !asset.startsWith('src/')).reduce((all, one) => all + pick(one), 0);
    expect(sum(({ done }) => done)).toBe(counts.computed);
    expect(sum(({ changed }) => changed)).toBe(counts.changed);
    expect(sum(({ rows }) => rows)).toBe(counts.rows);
    expect(detail.lines.find(({ text }) => text.includes('price_positive'))).toMatchObject({
      level: 'bad',
      asset: 'silver/ticks',
      text: 'check price_positive: 1 rows in symbol=A/date=2020-03-02',
    });
  });

  test('errors, retries and waiting are lines of their own', () => {
    const error = { name: 'LakehouseError', code: 'gone', message: 'the file is gone', kind: 'transient' } as const;
    const events: readonly RunEvent[] = [
      { type: 'run-started', run: 'r1', at: 5, selection: 'silver/*' },
      { type: 'asset-started', asset: 'silver/t', partitions: 4, batches: 1, causes: {} },
      { type: 'retry', asset: 'silver/t', attempt: 1, delayMs: 20, error },
      { type: 'partition-failed', asset: 'silver/t', partition: 'symbol=A', error },
      { type: 'waiting', asset: 'silver/t', partitions: 2, heldBy: 'another run' },
      { type: 'warning', asset: '', message: 'the clock goes wrong' },
      { type: 'asset-finished', asset: 'silver/t', done: 3, changed: 3, failed: 1, ms: 9 },
    ];
    const detail = fold(events);
    expect(detail.row).toMatchObject({ run: 'r1', startedAt: 5, outcome: 'running' });
    expect(detail.assets).toMatchObject([{ asset: 'silver/t', phase: 'failed', total: 4, done: 0, failed: 1 }]);
    expect(detail.lines.map(({ level, asset, text }) => [level, asset, text])).toEqual([
      ['info', undefined, 'run r1 started'],
      ['info', 'silver/t', 'computing 4 partitions'],
      ['warn', 'silver/t', 'attempt 1 failed, again in 20 ms: the file is gone'],
      ['bad', 'silver/t', 'symbol=A: the file is gone'],
      ['info', 'silver/t', '2 are being computed by another run'],
      ['warn', undefined, 'the clock goes wrong'],
      ['bad', 'silver/t', 'done: 3 computed, 1 failed'],
    ]);
  });

  test('a long log keeps its newest lines', () => {
    let detail = newRun('x', '*', 0);
    for (let i = 0; i < 6_000; i++) detail = afterEvent(detail, { type: 'observing', asset: `src/s${i}` }, i);
    expect(detail.lines).toHaveLength(5_000);
    expect(detail.lines.at(-1)).toMatchObject({ at: 5_999, asset: 'src/s5999' });
    expect(detail.lines[0]).toMatchObject({ at: 1_000 });
  }, 120_000);
});

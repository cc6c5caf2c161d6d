import { describe, expect, test } from 'vitest';
import { runDetail, runRows } from '../../framework/tui/read/runs.ts';
import { run } from '../materialize/lake.ts';
import { NOW, tiny } from '../materialize/support.ts';

const none = new Set<string>();

describe('runs', () => {
  test('the latest first, with what came of them', async () => {
    const { lake, archive } = await tiny();
    expect(runRows(lake, 10, none)).toEqual([]);
    archive.days('A', '2020-03', 1, 2);
    const good = await run(lake, { command: 'first' });
    archive.put('A', '2020-03-03', '2020-03-03 00:00:00,cheap,0.1\n');
    const bad = await run(lake, { command: 'second', selection: '+silver/ticks' });
    expect(runRows(lake, 10, none)).toMatchObject([
      { run: bad.run, command: 'second', selection: '+silver/ticks', outcome: 'failed', counts: { failed: 1 } },
      { run: good.run, command: 'first', selection: '*', outcome: 'succeeded', startedAt: NOW, finishedAt: NOW },
    ]);
    expect(runRows(lake, 1, none)).toHaveLength(1);
  });

  test('one in detail: assets, and lines with the errors', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 2);
    archive.put('A', '2020-03-03', '2020-03-03 00:00:00,cheap,0.1\n');
    archive.put('B', '2020-03-03', '2020-03-03 00:00:00,-2,0.1\n');
    const { run: id } = await run(lake);
    const detail = runDetail(lake, id, none);
    expect(detail?.row).toMatchObject({ run: id, outcome: 'failed' });
    expect(detail?.assets.find(({ asset }) => asset === 'bronze/days')).toMatchObject({
      phase: 'done',
      total: 4,
      done: 4,
      failed: 0,
      changed: 4,
    });
    expect(detail?.assets.find(({ asset }) => asset === 'silver/ticks')).toMatchObject({
      phase: 'failed',
      total: 4,
      done: 3,
      failed: 1,
      rows: 13,
    });
    const texts = detail?.lines.map(({ level, asset, text }) => `${level} ${asset ?? '-'} ${text}`) ?? [];
    expect(texts[0]).toBe('info - started: test');
    expect(texts.find((text) => text.startsWith('bad silver/ticks symbol=A/date=2020-03-03:'))).toContain('cheap');
    expect(texts).toContain('bad silver/ticks check price_positive: 1 rows in symbol=B/date=2020-03-03');
    expect(texts.at(-1)).toMatch(/^bad - failed/);
    expect(runDetail(lake, 'nothing like it', none)).toBeUndefined();
  });

  test('one that never ended goes on, until it has been silent for long', async () => {
    let now = NOW;
    const { lake } = await tiny({ now: () => now });
    lake.state.append({ kind: 'run-started', run: 'r1', command: 'lakehouse materialize', selection: '*' });
    const outcome = () => [runRows(lake, 5, none)[0]?.outcome, runDetail(lake, 'r1', none)?.row.outcome];
    expect(outcome()).toEqual(['running', 'running']);
    now += 10 * 60_000;
    expect(outcome()).toEqual(['running', 'running']);
    now += 10 * 60_000;
    expect(outcome()).toEqual(['lost', 'lost']);
    // That of this very process is known to live.
    expect(runRows(lake, 5, new Set(['r1']))[0]?.outcome).toBe('running');
  });
});

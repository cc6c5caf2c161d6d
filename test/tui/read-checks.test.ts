import { describe, expect, test } from 'vitest';
import { checkPartitions } from '../../framework/materialize/check.ts';
import { presentSet } from '../../framework/plan/universe.ts';
import { checkRows } from '../../framework/tui/read/checks.ts';
import { run } from '../materialize/lake.ts';
import { NOW, tiny } from '../materialize/support.ts';

describe('checks', () => {
  test('are listed before anything was computed', async () => {
    const { lake } = await tiny();
    expect(checkRows(lake)).toEqual([
      {
        asset: 'silver/ticks',
        check: 'price_positive',
        severity: 'error',
        blocking: true,
        description: undefined,
        passed: 0,
        failed: 0,
        failures: [],
        history: [],
      },
    ]);
  });

  test('with the newest result of each partition, failures and a history', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 3);
    archive.put('A', '2020-03-02', '2020-03-02 00:00:00,-1.5,0.1\n2020-03-02 00:01:00,-2,0.1\n');
    await run(lake);
    const [first] = checkRows(lake);
    expect(first).toMatchObject({ passed: 2, failed: 1 });
    expect(first?.failures).toMatchObject([{ partition: 'symbol=A/date=2020-03-02', failedRows: 2, at: NOW }]);
    expect(first?.failures[0]?.sample.join('\n')).toContain('-1.5');
    expect(first?.history.reduce((sum, { checked }) => sum + checked, 0)).toBe(3);
    expect(first?.history.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);

    // Mended: no longer failed, but the history remembers.
    archive.days('A', '2020-03', 2, 2);
    await run(lake);
    const [second] = checkRows(lake);
    expect(second).toMatchObject({ passed: 3, failed: 0 });
    expect(second?.history.at(-1)).toEqual({ at: NOW, checked: 1, failed: 0 });
    expect(second?.history.some(({ failed }) => failed === 1)).toBe(true);
  });

  test('as they are after they were made again', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 3);
    archive.put('A', '2020-03-02', '2020-03-02 00:00:00,-1.5,0.1\n');
    await run(lake);
    const targets = new Map([
      ['silver/ticks', presentSet(lake.graph.node('silver/ticks'), lake.state.index().asset('silver/ticks'))],
    ]);
    const never = new AbortController().signal;
    await checkPartitions(
      lake,
      { command: 'test', selection: '*', targets },
      { stopping: never, signal: never, emit: () => undefined },
    );
    const [row] = checkRows(lake);
    expect(row).toMatchObject({ passed: 2, failed: 1 });
    expect(row?.history.at(-1)).toEqual({ at: NOW, checked: 3, failed: 1 });
    expect(row?.failures).toHaveLength(2);
  });

  test('of partitions that left the lake do not count any more', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 2);
    archive.put('A', '2020-03-02', '2020-03-02 00:00:00,-1.5,0.1\n');
    await run(lake);
    archive.remove('A', '2020-03-02');
    await run(lake);
    expect(checkRows(lake)[0]).toMatchObject({ passed: 1, failed: 0 });
  });
});

import { describe, expect, test } from 'vitest';
import { makePlan, statusCounts } from '../../framework/plan/plan.ts';
import { takeSnapshot } from '../../framework/tui/read/snapshot.ts';
import { run } from '../materialize/lake.ts';
import { NOW, tiny } from '../materialize/support.ts';

const never = new AbortController().signal;

describe('a snapshot', () => {
  test('says of every partition what a plan says', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 5).days('B', '2020-03', 3, 8);
    await run(lake);
    archive.days('A', '2020-03', 2, 2, 3);
    await run(lake, { selection: '+bronze/days' });
    const { evaluations, view, at } = await takeSnapshot(lake, never);
    const plan = makePlan(lake.graph, lake.state.refresh(), {}, lake.now());
    expect(at).toBe(NOW);
    expect(view.head).toBe(lake.state.index().head);
    expect([...evaluations.keys()]).toEqual(lake.graph.order);
    for (const [key, evaluation] of plan.evaluations) {
      const own = evaluations.get(key);
      expect(own && statusCounts(own), key).toEqual(statusCounts(evaluation));
    }
    expect(statusCounts(evaluations.get('silver/ticks') as never)).toMatchObject({ stale: 1 });
  });

  test('stays as it was while the lake goes on', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 2);
    await run(lake);
    const before = await takeSnapshot(lake, never);
    const counts = () => statusCounts(before.evaluations.get('silver/ticks') as never);
    const was = counts();
    archive.days('A', '2020-03', 3, 4);
    await run(lake);
    const after = await takeSnapshot(lake, never);
    expect(counts()).toEqual(was);
    expect(after.view.head).toBeGreaterThan(before.view.head);
    expect(statusCounts(after.evaluations.get('silver/ticks') as never)).toMatchObject({ fresh: 4 });
  });

  test('lets others have their turn, and stops when told to', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 2);
    await run(lake);
    let others = 0;
    const turn = () => {
      others++;
      handle = setImmediate(turn);
    };
    let handle = setImmediate(turn);
    await takeSnapshot(lake, never);
    clearImmediate(handle);
    expect(others).toBeGreaterThanOrEqual(lake.graph.order.length - 1);

    const stop = new AbortController();
    const reason = new Error('enough');
    const taken = takeSnapshot(lake, stop.signal);
    stop.abort(reason);
    await expect(taken).rejects.toBe(reason);
  });
});

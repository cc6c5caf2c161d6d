import { eager } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import type { OpenedLake } from '../../../framework/materialize/open.ts';
import type { AutomationCursor } from '../../../framework/operate/automation/cursor.ts';
import { automationTick } from '../../../framework/operate/automation/tick.ts';
import * as sets from '../../../framework/partition/set.ts';
import { markUnneeded } from '../../../framework/plan/demand.ts';
import { evaluateLake } from '../../../framework/plan/evaluate.ts';
import { universes } from '../../../framework/plan/universe.ts';
import { COMPUTED, ticksOf } from '../../materialize/fixture.ts';
import { run } from '../../materialize/lake.ts';
import { problems, tiny, versions } from '../../materialize/support.ts';

const conditions = new Map(COMPUTED.map((key) => [key, eager({ backlog: true })] as const));

/** Looks at the sources, and lets the conditions have their way until they request nothing. Returns what each run computed. */
function daemonOf(lake: OpenedLake) {
  let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  return async (): Promise<number[]> => {
    await run(lake, { selection: 'src/*' });
    const computed: number[] = [];
    for (;;) {
      const view = lake.state.refresh();
      const now = lake.now();
      const evaluated = evaluateLake(lake.graph, view, universes(lake.graph, view, now), () => ({ mode: 'plan' }));
      const { evaluations } = markUnneeded(lake.graph, evaluated);
      const tick = automationTick({ graph: lake.graph, evaluations, head: view.head, now, conditions, cursors });
      cursors = new Map(JSON.parse(JSON.stringify([...tick.cursors])));
      if (tick.requests.size === 0) return computed;
      const { outcome, counts } = await run(lake, { targets: tick.requests, selection: 'automation', observe: false });
      expect(outcome).toBe('succeeded');
      // What was requested and not computed had not changed after all.
      expect(counts.computed).toBeLessThanOrEqual(
        [...tick.requests.values()].reduce((sum, set) => sum + sets.countOf(set), 0),
      );
      computed.push(counts.computed);
    }
  };
}

test('a real lake that is kept by conditions ends as one that was computed at once', { timeout: 240_000 }, async () => {
  const kept = await tiny();
  const daemon = daemonOf(kept.lake);
  expect(await daemon()).toEqual([]);
  kept.archive.days('A', '2020-02', 27, 29).days('B', '2020-02', 28, 29);
  const first = await daemon();
  // All of it at once, from the originals to what is made of them.
  expect(first).toHaveLength(1);
  kept.archive.days('A', '2020-03', 1, 2).days('C', '2020-03', 1, 1);
  await daemon();
  // Published anew, and the month as a whole.
  kept.archive.put('B', '2020-02-28', ticksOf('2020-02-28', 9, 77));
  kept.archive.put(
    'A',
    '2020-02',
    ['27', '28', '29'].map((day) => ticksOf(`2020-02-${day}`, 6, Number(day) + 65)).join(''),
    'months',
  );
  await daemon();
  expect(await daemon()).toEqual([]);
  expect(await problems(kept.lake)).toEqual([]);

  const once = await tiny();
  once.archive
    .days('A', '2020-02', 27, 29)
    .days('B', '2020-02', 28, 29)
    .days('A', '2020-03', 1, 2)
    .days('C', '2020-03', 1, 1);
  once.archive.put('B', '2020-02-28', ticksOf('2020-02-28', 9, 77));
  once.archive.put(
    'A',
    '2020-02',
    ['27', '28', '29'].map((day) => ticksOf(`2020-02-${day}`, 6, Number(day) + 65)).join(''),
    'months',
  );
  await run(once.lake);
  const computedIn = (lake: OpenedLake) =>
    Object.fromEntries(Object.entries(versions(lake)).filter(([key]) => !/^(src|bronze)\//.test(key)));
  expect(computedIn(kept.lake)).toEqual(computedIn(once.lake));
  expect(Object.keys(computedIn(once.lake)).length).toBeGreaterThan(30);
});

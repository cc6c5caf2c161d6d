import { describe, expect, test } from 'vitest';
import * as sets from '../../framework/partition/set.ts';
import { makePlan } from '../../framework/plan/plan.ts';
import { observedSizes } from '../../framework/report/cost.ts';
import { downloads, type PlanCost, stepCost, timeNeeded, totalCost } from '../../framework/report/plan-cost.ts';
import { run } from '../materialize/lake.ts';
import { tiny } from '../materialize/support.ts';

const cost = (more: Partial<PlanCost> = {}): PlanCost => ({
  batches: 1,
  files: 2,
  fetches: 0,
  downloadBytes: 0,
  estimatedMs: 1_000,
  knownMs: more.estimatedMs ?? 1_000,
  ...more,
});

describe('what a step takes', () => {
  test('is what it reads from sources, what it writes, and what the batches before took', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-03', 1, 4);
    await run(lake, { selection: '+bronze/days' });
    archive.days('A', '2020-03', 3, 5, 2);
    await run(lake, { selection: 'src/days' });
    const planning = makePlan(lake.graph, lake.state.refresh(), {}, lake.now(), lake.settings.limits);
    const sizeOf = observedSizes(lake.state, []);
    const costs = Object.fromEntries(
      planning.plan.steps.flatMap((step) =>
        step.type === 'materialize' ? [[step.asset, stepCost(lake, planning, step, sizeOf)]] : [],
      ),
    );
    const seen = planning.evaluations.get('src/days')?.universe.all ?? sets.EMPTY_SET;
    const bytes = [...sets.points(seen)]
      .filter((_, i) => i >= 2)
      .reduce((sum, [series, time]) => {
        return sum + sizeOf('src/days', series, time);
      }, 0);
    expect(costs['bronze/days']).toMatchObject({ batches: 1, files: 3, fetches: 3, downloadBytes: bytes });
    expect(costs['bronze/days']?.estimatedMs).toBeGreaterThan(0);
    expect(costs['bronze/days']?.knownMs).toBe(costs['bronze/days']?.estimatedMs);
    // It was never computed, and reads no source itself.
    expect(costs['silver/ticks']).toMatchObject({ fetches: 0, downloadBytes: 0, estimatedMs: undefined, knownMs: 0 });
  });
});

describe('what several steps take', () => {
  test('is their sum', () => {
    expect(totalCost([cost({ fetches: 3, downloadBytes: 10 }), cost({ estimatedMs: 500 })])).toEqual({
      batches: 2,
      files: 4,
      fetches: 3,
      downloadBytes: 10,
      estimatedMs: 1_500,
      knownMs: 1_500,
    });
    expect(totalCost([])).toMatchObject({ batches: 0, estimatedMs: 0 });
  });
  test('is not known where that of one is not, but so much at least', () => {
    const all = totalCost([cost(), cost({ estimatedMs: undefined, knownMs: 0 })]);
    expect(all).toMatchObject({ estimatedMs: undefined, knownMs: 1_000 });
    expect(timeNeeded(all, 0)).toBe('at least 1.0 s');
  });
});

test('in words', () => {
  expect(timeNeeded(cost(), 0)).toBe('about 1.0 s');
  expect(timeNeeded(cost(), 3)).toBe('up to 1.0 s');
  expect(timeNeeded(cost({ estimatedMs: undefined, knownMs: 0 }), 0)).toBe('time unknown');
  expect(downloads({ fetches: 1, downloadBytes: 0 })).toBe('1 download');
  expect(downloads({ fetches: 12, downloadBytes: 3_400_000 })).toBe('12 downloads of 3.4 MB');
});

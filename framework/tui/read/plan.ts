import { byTurns } from '../../common/steps.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { PartitionFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { planInSteps } from '../../plan/plan.ts';
import { observedSizes } from '../../report/cost.ts';
import { type PlanCost, stepCost, totalCost } from '../../report/plan-cost.ts';
import type { PlanView } from '../model/data.ts';
import type { WorkRequest } from '../model/state.ts';

/**
 * What a run would do as far as the log knows: sources are not looked at for it.
 * @param turn lets keys and frames have theirs, many times; what it throws ends the planning.
 */
export async function planView(
  lake: OpenedLake,
  request: WorkRequest,
  filter: PartitionFilter | undefined,
  turn: () => Promise<void>,
): Promise<PlanView> {
  const { selection, partitions, force, retryFailed } = request;
  const asked = { selection, filter, force, retryFailed };
  await turn();
  const steps = planInSteps(lake.graph, lake.state.refresh(), asked, lake.now(), lake.settings.limits);
  const planning = await byTurns(steps, turn);
  const { plan } = planning;
  const sizeOf = observedSizes(lake.state, []);
  const costs = new Map<string, PlanCost>();
  for (const step of plan.steps) {
    if (step.type !== 'materialize') continue;
    await turn();
    costs.set(step.asset, stepCost(lake, planning, step, sizeOf));
  }
  return {
    selection,
    partitions,
    force,
    will: plan.will,
    may: plan.may,
    cost: totalCost([...costs.values()]),
    steps: plan.assets.flatMap((asset): PlanView['steps'] => {
      const own = plan.steps.filter((step) => step.asset === asset);
      const work = own.find((step) => step.type === 'materialize');
      const held = own.reduce((sum, step) => sum + (step.type === 'hold' ? sets.countOf(step.set) : 0), 0);
      if (!work && held === 0) return [];
      return [
        {
          asset,
          will: work ? sets.countOf(work.will) : 0,
          may: work ? sets.countOf(work.may) : 0,
          held,
          estimatedMs: costs.get(asset)?.estimatedMs,
          causes: { ...work?.causes },
        },
      ];
    }),
  };
}

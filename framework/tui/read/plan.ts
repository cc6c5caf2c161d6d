import type { OpenedLake } from '../../materialize/open.ts';
import type { PartitionFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { makePlan } from '../../plan/plan.ts';
import type { PlanView } from '../model/data.ts';
import type { WorkRequest } from '../model/state.ts';

/** What a run would do as far as the log knows: sources are not looked at for it. */
export function planView(lake: OpenedLake, request: WorkRequest, filter: PartitionFilter | undefined): PlanView {
  const { selection, force, retryFailed } = request;
  const { plan } = makePlan(
    lake.graph,
    lake.state.refresh(),
    { selection, filter, force, retryFailed },
    lake.now(),
    lake.settings.limits,
  );
  const steps = plan.assets.flatMap((asset): PlanView['steps'] => {
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
        causes: { ...work?.causes },
      },
    ];
  });
  return {
    selection,
    partitions: request.partitions,
    force,
    will: plan.will,
    may: plan.may,
    files: plan.files,
    estimatedMs: undefined,
    steps,
  };
}

import type { Issue } from '../common/errors.ts';
import { examinePlan } from '../materialize/examine.ts';
import type { OpenedLake } from '../materialize/open.ts';
import type { Observed } from '../materialize/recorded.ts';
import type { PartitionFilter } from '../partition/filter.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { printSet } from '../partition/set.ts';
import { acceptsSeries, readSeriesKey } from '../partition/space.ts';
import { type HoldStep, makePlan, type Planning, type PlanRequest, statusCounts } from '../plan/plan.ts';
import { observedSizes, type SizeOf } from '../report/cost.ts';
import { type PlanCost, stepCost, totalCost } from '../report/plan-cost.ts';
import type { Configuration } from './configure.ts';
import { previewSources } from './preview.ts';
import { requireMatch, selectAssets } from './select.ts';
import { overheard, type Unmatched, unmatchedSettings } from './values.ts';

/** A selection of a plan or run, checked against the graph before anything is done. */
export interface Selected extends PlanRequest {
  readonly keys: readonly string[];
}

export interface PlanOptions {
  /** Look at the sources first, and count on what is new there; nothing is written. */
  readonly observe: boolean;
  readonly signal: AbortSignal;
  /** Hears of each source before it is looked at. */
  readonly looking?: (source: string) => void;
}

/**
 * What a run would do now.
 * @throws LakehouseError `no-such-partition` (usage), and what observing throws.
 */
export async function planLake(
  lake: OpenedLake,
  { definition, loaded }: Configuration,
  request: Selected,
  { observe, signal, looking = () => undefined }: PlanOptions,
): Promise<{ readonly planning: Planning; readonly report: PlanReport }> {
  const { lake: heard, offered } = overheard(lake);
  const preview = await previewSources(heard, observe ? request.keys : [], signal, looking);
  const planning = makePlan(lake.graph, preview.view, request, lake.now(), lake.settings.limits);
  requireMatch(lake, preview.view, request.keys, request.filter);
  const filters = definition.filters(loaded.settings);
  const sources = preview.observed.map(({ asset }) => asset);
  const unmatched = unmatchedSettings(lake, preview.view, filters, sources, offered);
  const sizeOf = observedSizes(lake.state, preview.events);
  const issues = await examinePlan(lake, planning.plan);
  return { planning, report: { ...reportOf(lake, planning, preview.observed, sizeOf, issues), unmatched } };
}

/** @throws LakehouseError `bad-selection`, `nothing-selected` (usage). */
export function selected(
  lake: OpenedLake,
  selection: string | undefined,
  filterOf: (keys: readonly string[]) => PartitionFilter | undefined,
  { force, retryFailed }: { readonly force?: boolean | undefined; readonly retryFailed?: boolean | undefined },
): Selected {
  const keys = selectAssets(lake.graph, selection);
  return { keys, selection, filter: filterOf(keys), force, retryFailed };
}

/** What is to be computed of an asset. Sets of partitions are texts, as `--partitions` has them. */
export interface StepReport {
  readonly asset: string;
  readonly will: number;
  readonly may: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly batches: number;
  readonly files: number;
  readonly fetches: number;
  readonly downloadBytes: number;
  /** Judged by what earlier runs took; null where it was never computed. */
  readonly estimatedMs: number | null;
  readonly willPartitions: string;
  readonly mayPartitions: string;
}

/** A plan as plain data: what would be computed and why, what leaves, and what cannot be computed now. */
export interface PlanReport {
  readonly selection: string;
  readonly revision: number;
  readonly observed: readonly Observed[];
  /** Sources upstream of the selection that were never looked at: what they have is unknown. */
  readonly neverObserved: readonly string[];
  readonly will: number;
  readonly may: number;
  readonly fresh: number;
  readonly batches: number;
  readonly files: number;
  readonly fetches: number;
  readonly downloadBytes: number;
  /** Of everything that is to be computed; null where that of a part is not known. */
  readonly estimatedMs: number | null;
  readonly materialize: readonly StepReport[];
  /** `unwanted`: how many of them leave because of the settings; the others are no longer there upstream. */
  readonly depart: readonly {
    readonly asset: string;
    readonly count: number;
    readonly unwanted: number;
    readonly partitions: string;
  }[];
  readonly hold: readonly {
    readonly asset: string;
    readonly reason: HoldStep['reason'];
    readonly count: number;
    readonly partitions: string;
  }[];
  /** What is wrong with queries and checks: while there is any, nothing can be computed. */
  readonly issues: readonly Issue[];
  /** Values that the settings want by name and that no source has. */
  readonly unmatched: readonly Unmatched[];
}

function reportOf(
  lake: OpenedLake,
  { plan, evaluations, targets }: Planning,
  observed: readonly Observed[],
  sizeOf: SizeOf,
  issues: readonly Issue[],
): Omit<PlanReport, 'unmatched'> {
  const print = (asset: string, set: sets.PartitionSet) => printSet(lake.graph.node(asset).space, set, '; ');
  const held = (asset: string, set: sets.PartitionSet) => ({
    asset,
    count: sets.countOf(set),
    partitions: print(asset, set),
  });
  const materialize = plan.steps.flatMap((step): StepReport[] => {
    if (step.type !== 'materialize') return [];
    const cost = stepCost(lake, { evaluations }, step, sizeOf);
    return [
      {
        asset: step.asset,
        will: sets.countOf(step.will),
        may: sets.countOf(step.may),
        causes: step.causes as Readonly<Record<string, number>>,
        batches: cost.batches,
        files: cost.files,
        fetches: cost.fetches,
        downloadBytes: cost.downloadBytes,
        estimatedMs: cost.estimatedMs ?? null,
        willPartitions: print(step.asset, step.will),
        mayPartitions: print(step.asset, step.may),
      },
    ];
  });
  const total = totalCost(materialize.map(costOf));
  const fresh = plan.assets.reduce((sum, key) => {
    const evaluation = evaluations.get(key);
    if (!evaluation || evaluation.node.definition.kind === 'source') return sum;
    return sum + statusCounts(evaluation, targets.get(key) ?? sets.EMPTY_SET).fresh;
  }, 0);
  const seen = new Set(observed.map(({ asset }) => asset));
  return {
    selection: plan.selection,
    revision: plan.head,
    observed,
    neverObserved: unobserved(lake, plan.assets).filter((key) => !seen.has(key)),
    will: plan.will,
    may: plan.may,
    fresh,
    batches: plan.batches,
    files: plan.files,
    fetches: total.fetches,
    downloadBytes: total.downloadBytes,
    estimatedMs: total.estimatedMs ?? null,
    materialize,
    depart: plan.steps.flatMap((step) =>
      step.type === 'depart'
        ? [{ ...held(step.asset, step.set), unwanted: sets.countOf(unwantedOf(lake, step.asset, step.set)) }]
        : [],
    ),
    hold: plan.steps.flatMap((step) =>
      step.type === 'hold' ? [{ ...held(step.asset, step.set), reason: step.reason }] : [],
    ),
    issues,
  };
}

/** Of partitions that leave, those whose values the settings do not want. */
function unwantedOf({ graph }: OpenedLake, asset: string, set: sets.PartitionSet): sets.PartitionSet {
  const { space } = graph.node(asset);
  return sets.mapSeries(set, (times, key) => (acceptsSeries(space, readSeriesKey(key)) ? ranges.EMPTY : times));
}

/** What a step costs, to be added up. */
export const costOf = ({ estimatedMs, ...step }: StepReport): PlanCost => ({
  ...step,
  estimatedMs: estimatedMs ?? undefined,
  knownMs: estimatedMs ?? 0,
});

/** Sources that some assets are made of and that nobody has ever looked at. */
export function unobserved(lake: OpenedLake, keys: readonly string[]): string[] {
  const reached = new Set(keys);
  for (const key of lake.graph.order.toReversed())
    if (reached.has(key)) for (const up of lake.graph.upstreamOf(key)) reached.add(up);
  const index = lake.state.index();
  return lake.graph.order.filter(
    (key) =>
      reached.has(key) &&
      lake.graph.node(key).definition.kind === 'source' &&
      index.asset(key)?.lastObservedAt === undefined &&
      lake.graph.node(key).wanted,
  );
}

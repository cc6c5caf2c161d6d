import type { Issue } from '../../common/errors.ts';
import { examinePlan, refuseUnsound } from '../../materialize/examine.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { Observed } from '../../materialize/recorded.ts';
import * as ranges from '../../partition/ranges.ts';
import * as sets from '../../partition/set.ts';
import { printSet } from '../../partition/set.ts';
import { acceptsSeries, readSeriesKey } from '../../partition/space.ts';
import { makePlan, type Planning, type PlanRequest, statusCounts } from '../../plan/plan.ts';
import { observedSizes, type SizeOf } from '../../report/cost.ts';
import { indent, number, plural } from '../../report/format.ts';
import { downloads, type PlanCost, stepCost, timeNeeded, totalCost } from '../../report/plan-cost.ts';
import { askedWords, withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { USAGE } from '../failure.ts';
import { type Held, heldLines, needsUpstream } from '../held.ts';
import { readFilter, requireMatch, selectAssets } from '../lake.ts';
import { setLines } from '../partitions.ts';
import { previewSources } from '../preview.ts';
import { overheard, unmatchedSettings } from '../values.ts';

export interface WorkOptions {
  readonly partitions?: string;
  readonly force?: boolean;
  readonly retryFailed?: boolean;
  readonly observe: boolean;
}

export interface PlanOptions extends WorkOptions {
  readonly verbose?: boolean;
}

/** What was asked for, checked against the graph before anything is done. */
export function requestOf(
  lake: OpenedLake,
  options: WorkOptions,
  selection: string | undefined,
): PlanRequest & { readonly keys: readonly string[] } {
  const keys = selectAssets(lake.graph, selection);
  const filter = readFilter(lake.graph, keys, options.partitions);
  return { keys, selection, filter, force: options.force, retryFailed: options.retryFailed };
}

export async function run(context: Context, options: PlanOptions, selection?: string): Promise<number | undefined> {
  const { console } = context;
  const { signal } = context.interrupts();
  return context.withLake('read', async (lake) => {
    const request = requestOf(lake, options, selection);
    const sources = options.observe ? request.keys : [];
    const { definition, loaded } = await context.configuration();
    const { lake: heard, offered } = overheard(lake);
    const preview = await previewSources(heard, sources, signal, (asset) => console.note(`Looking at ${asset} …`));
    const planning = makePlan(lake.graph, preview.view, request, lake.now(), lake.settings.limits);
    requireMatch(lake, preview.view, request.keys, request.filter);
    const filters = definition.filters(loaded.settings);
    const unmatched = unmatchedSettings(
      lake,
      preview.view,
      filters,
      preview.observed.map(({ asset }) => asset),
      offered,
    );
    for (const { message, hint = '' } of unmatched) console.warn(`${message} ${hint}`);
    const sizeOf = observedSizes(lake.state, preview.events);
    const issues = await examinePlan(lake, planning.plan);
    const report = { ...reportOf(lake, planning, preview.observed, sizeOf, issues), unmatched };
    console.result(report, () => textOf(context, lake, planning, report, options));
    // JSON has them already.
    if (!context.globals.json) refuseUnsound(issues);
    return issues.length > 0 ? USAGE : undefined;
  });
}

interface StepReport {
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

interface PlanReport {
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
    readonly reason: Held['reason'];
    readonly count: number;
    readonly partitions: string;
  }[];
  /** What is wrong with queries and checks: while there is any, nothing can be computed. */
  readonly issues: readonly Issue[];
}

function reportOf(
  lake: OpenedLake,
  { plan, evaluations, targets }: Planning,
  observed: readonly Observed[],
  sizeOf: SizeOf,
  issues: readonly Issue[],
): PlanReport {
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

const costOf = ({ estimatedMs, ...step }: StepReport): PlanCost => ({
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

function textOf(
  context: Context,
  lake: OpenedLake,
  { plan }: Planning,
  report: PlanReport,
  options: PlanOptions,
): string {
  const { style, width } = context.console;
  const limit = options.verbose ? undefined : { lines: 3, width: Math.max(width - 6, 30) };
  const lines: string[] = [];
  for (const { asset, seen, changed, withdrawn } of report.observed) {
    lines.push(
      style.faint(
        `${asset}: ${plural(seen, 'partition')} seen, ${number(changed)} new or changed${withdrawn > 0 ? `, ${number(withdrawn)} withdrawn` : ''}`,
      ),
    );
  }
  if (report.neverObserved.length > 0)
    lines.push(
      style.warning(`Never observed, so what they have is unknown: ${report.neverObserved.join(', ')}`),
      ...(options.observe
        ? [
            indent('They are looked at when they are selected too:'),
            indent(context.again('plan', ...askedWords(withUpstream(plan.selection), options)), 4),
          ]
        : []),
    );
  if (lines.length > 0) lines.push('');
  for (const step of plan.steps) {
    const { space } = lake.graph.node(step.asset);
    if (step.type !== 'materialize') continue;
    const found = report.materialize.find(({ asset }) => asset === step.asset);
    if (!found) continue;
    const causes = Object.entries(found.causes)
      .map(([cause, n]) => `${number(n)} ${cause}`)
      .join(', ');
    const counts = [
      found.will > 0 && `${plural(found.will, 'partition')} to compute (${causes})`,
      found.may > 0 && `${found.will > 0 ? '' : 'up to '}${number(found.may)} more if what they read changes`,
    ]
      .filter(Boolean)
      .join(', ');
    lines.push(`${style.strong(step.asset)}  ${counts}`);
    for (const line of setLines(space, step.will, limit)) lines.push(indent(line, 4));
    if (found.may > 0)
      for (const line of setLines(space, step.may, limit)) lines.push(style.faint(indent(`if needed: ${line}`, 4)));
    const cost = [
      plural(found.batches, 'batch'),
      plural(found.files, 'file'),
      found.fetches > 0 && downloads(found),
      found.estimatedMs === null ? unknownTime(lake, step.asset) : timeNeeded(costOf(found), found.may),
    ].filter(Boolean);
    lines.push(style.faint(indent(cost.join(' · '), 4)));
  }
  for (const { asset, count, unwanted } of report.depart) {
    const step = plan.steps.find((s) => s.type === 'depart' && s.asset === asset);
    const gone = count - unwanted;
    const why =
      unwanted > 0 && gone > 0
        ? `${number(unwanted)} no longer wanted by the settings, ${number(gone)} no longer there upstream`
        : gone > 0
          ? 'no longer there upstream'
          : 'no longer wanted by the settings';
    lines.push(`${style.strong(asset)}  ${plural(count, 'partition')} to leave the lake: ${why}`);
    if (step?.type === 'depart')
      for (const line of setLines(lake.graph.node(asset).space, step.set, limit))
        lines.push(style.faint(indent(line, 4)));
  }
  const held = plan.steps.flatMap((step): (Held & { readonly set: sets.PartitionSet })[] =>
    step.type === 'hold' ? [{ ...step, partitions: sets.countOf(step.set) }] : [],
  );
  const setOf = ({ asset, set }: (typeof held)[number]) =>
    options.verbose ? setLines(lake.graph.node(asset).space, set, undefined) : [];
  lines.push(...heldLines(held, plan.selection, style, setOf));
  if (plan.steps.length > 0) lines.push('');
  const { will, may } = report;
  if (will + may === 0) lines.push(nothing(report));
  else {
    const all = [
      `${plural(will, 'partition')} to compute`,
      may > 0 && `up to ${number(may)} more if what they read changes`,
    ]
      .filter(Boolean)
      .join(', ');
    const cost = [
      plural(report.batches, 'batch'),
      `${plural(report.files, 'file')} to write`,
      report.fetches > 0 && downloads(report),
      timeNeeded(totalCost(report.materialize.map(costOf)), may),
    ].filter(Boolean);
    lines.push(`${style.strong(all)}: ${cost.join(', ')}. ${number(report.fresh)} fresh${leaving(report)}.`);
  }
  return lines.join('\n');
}

function nothing({ fresh, neverObserved, hold, depart }: PlanReport): string {
  if (fresh === 0 && neverObserved.length > 0) return 'Nothing can be said before the sources have been observed.';
  if (fresh === 0 && hold.length + depart.length === 0) return 'There are no partitions here.';
  const stale = depart.length > 0 || hold.some(needsUpstream);
  const rest = hold.length > 0 ? ', the rest cannot be computed now' : '';
  return `Nothing ${stale ? 'to compute' : 'is stale'}: ${plural(fresh, 'partition')} fresh${leaving({ depart })}${rest}.`;
}

function leaving({ depart }: Pick<PlanReport, 'depart'>): string {
  const count = depart.reduce((sum, one) => sum + one.count, 0);
  return count === 0 ? '' : `, ${number(count)} to leave the lake`;
}

const unknownTime = ({ state }: OpenedLake, asset: string): string =>
  state.index().asset(asset) === undefined ? 'time unknown (never run)' : 'time unknown';

import { refuseUnsound } from '../../materialize/examine.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import * as sets from '../../partition/set.ts';
import type { Planning } from '../../plan/plan.ts';
import { indent, number, plural } from '../../report/format.ts';
import { downloads, timeNeeded, totalCost } from '../../report/plan-cost.ts';
import { costOf, type PlanReport, planLake, type Selected, selected } from '../../sdk/plan.ts';
import { readFilter } from '../../sdk/select.ts';
import { askedWords, withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { USAGE } from '../failure.ts';
import { type Held, heldLines, needsUpstream } from '../held.ts';
import { setLines } from '../partitions.ts';

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
export function requestOf(lake: OpenedLake, options: WorkOptions, selection: string | undefined): Selected {
  return selected(lake, selection, (keys) => readFilter(lake.graph, keys, options.partitions), options);
}

export async function run(context: Context, options: PlanOptions, selection?: string): Promise<number | undefined> {
  const { console } = context;
  const { signal } = context.interrupts();
  return context.withLake('read', async (lake) => {
    const { planning, report } = await planLake(
      lake,
      await context.configuration(),
      requestOf(lake, options, selection),
      { observe: options.observe, signal, looking: (asset) => console.note(`Looking at ${asset} …`) },
    );
    const { issues, unmatched } = report;
    for (const { message, hint = '' } of unmatched) console.warn(`${message} ${hint}`);
    console.result(report, () => textOf(context, lake, planning, report, options));
    // JSON has them already.
    if (!context.globals.json) refuseUnsound(issues);
    return issues.length > 0 ? USAGE : undefined;
  });
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

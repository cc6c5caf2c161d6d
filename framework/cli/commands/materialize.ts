import { LakehouseError } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { materialize, type RunRequest, type RunResult } from '../../materialize/run.ts';
import * as sets from '../../partition/set.ts';
import { PRESENT, sameCodes } from '../../plan/view.ts';
import { plural } from '../../report/format.ts';
import { unobserved } from '../../sdk/plan.ts';
import { findAsset, requireMatch } from '../../sdk/select.ts';
import { overheard, type Unmatched, unmatchedFilter, unmatchedSettings } from '../../sdk/values.ts';
import { type Asked, askedWords, selectionWords, withUpstream } from '../again.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';
import { needsUpstream } from '../held.ts';
import { createReporter } from '../progress/reporter.ts';
import { createRecap, type Recap } from '../progress/summary.ts';
import { readTags } from '../tags.ts';
import { openTelemetry } from '../telemetry.ts';
import { requestOf, run as runPlan, type WorkOptions } from './plan.ts';

export interface MaterializeOptions extends WorkOptions {
  readonly acceptCode?: readonly string[];
  readonly requireComplete?: boolean;
  readonly dryRun?: boolean;
  readonly tag?: readonly string[];
}

export async function run(
  context: Context,
  options: MaterializeOptions,
  selection?: string,
): Promise<number | undefined> {
  const tags = readTags(options.tag);
  if (options.dryRun) return runPlan(context, options, selection);
  return context.withLake('write', async (lake) => {
    const { keys, ...request } = requestOf(lake, options, selection);
    const acceptCode = (options.acceptCode ?? []).flatMap((key) => accepted(lake, key));
    const { filter } = request;
    const sources = options.observe ? keys.filter((key) => lake.graph.node(key).definition.kind === 'source') : [];
    if (sources.length === 0) requireMatch(lake, lake.state.refresh(), keys, filter);
    const { definition, loaded } = await context.configuration();
    const filters = definition.filters(loaded.settings);
    const { lake: heard, offered } = overheard(lake);
    // What nothing has is known when the sources have been looked at, and then it is to be read before all the rest.
    const unmatched = (): Unmatched[] => {
      const view = lake.state.index();
      return [
        ...unmatchedSettings(lake, view, filters, sources, offered),
        ...unmatchedFilter(lake, view, keys, filter).map((one) => ({
          ...one,
          message: `--partitions: ${one.message}.`,
        })),
      ];
    };
    const reporter = createReporter(context);
    const recap = createRecap();
    const telemetry = await openTelemetry(context, (_level, message) =>
      reporter.emit({ type: 'warning', asset: '', message }),
    );
    const follow = telemetry.follow(lake, 'materialize');
    let result: RunResult;
    try {
      const { stopping, signal } = context.interrupts({ graceful: true, say: reporter.say });
      for (const { asset, partitions } of acceptCode)
        reporter.say(`${asset}: ${plural(partitions, 'partition')} accepted as what the code gives now`);
      const command = context.commandLine();
      const whole: RunRequest = { ...request, command, observe: options.observe, acceptCode, tags };
      result = await materialize(heard, whole, {
        stopping,
        signal,
        emit: (event) => {
          recap.add(event);
          follow(event);
          reporter.emit(event);
          if (event.type !== 'planned') return;
          for (const { message, hint } of unmatched()) reporter.emit({ type: 'warning', asset: '', message, hint });
        },
      });
    } finally {
      await telemetry.close();
      reporter.close();
    }
    addPending(recap, result);
    if (result.counts.computed + result.counts.failed === 0)
      requireMatch(lake, lake.state.index(), keys, request.filter);
    if (!context.globals.json && !(context.globals.quiet && result.outcome === 'succeeded'))
      context.console.print(summary(context, lake, options, result, recap));
    if (result.outcome === 'failed') return FAILED;
    return options.requireComplete && recap.held.length > 0 ? FAILED : DONE;
  });
}

/** A run that had something to do says nothing of partitions that were pending from the beginning, for what they read was not its business. */
function addPending(recap: Recap, { plan }: RunResult): void {
  for (const step of plan.steps) {
    if (step.type !== 'hold' || step.reason !== 'pending') continue;
    const { asset, reason, set } = step;
    if (!recap.held.some((one) => one.asset === asset && one.reason === reason))
      recap.add({ type: 'held', asset, reason, partitions: sets.countOf(set) });
  }
}

/**
 * What `--accept-code` means for an asset: the version of the newest definitions in the log, if partitions were made with it; else
 * the one version that partitions were made with.
 */
function accepted(lake: OpenedLake, key: string): { asset: string; from: string; partitions: number }[] {
  const { code } = findAsset(lake.graph, key);
  const index = lake.state.refresh();
  const same = sameCodes(index, key, code);
  const made = new Map<string, number>();
  for (const { code: codes, flags } of index.asset(key)?.series.values() ?? []) {
    for (let i = 0; i < codes.length; i++) {
      const version = index.codes[codes[i] as number] ?? '';
      if ((flags[i] as number) & PRESENT && version !== '' && !same.includes(version))
        made.set(version, (made.get(version) ?? 0) + 1);
    }
  }
  const newest = index.definitions[key];
  const [only] = made.size === 1 ? made.keys() : [];
  const from = newest !== undefined && made.has(newest) ? newest : only;
  if (from !== undefined) return [{ asset: key, from, partitions: made.get(from) ?? 0 }];
  if (made.size === 0)
    throw new LakehouseError(
      'nothing-to-accept',
      `--accept-code ${key}: there is nothing to accept, no partition was made by other code than there is now (${code})`,
    );
  const list = [...made].map(([version, count]) => `${version} (${plural(count, 'partition')})`).join(', ');
  throw new LakehouseError(
    'ambiguous-code',
    `--accept-code ${key}: its partitions were made by several versions of the code, ${list}`,
    { hint: 'Only the step from one version to the next can be accepted: compute them.' },
  );
}

function summary(
  context: Context,
  lake: OpenedLake,
  options: MaterializeOptions,
  result: RunResult,
  recap: Recap,
): string {
  const { style } = context.console;
  const unknown = unobserved(lake, result.plan.assets);
  const { selection } = result.plan;
  const next = [
    ...(unknown.length > 0 ? [context.again('observe', ...(selection === '*' ? [] : [withUpstream(selection)]))] : []),
    ...nextCommands(context, lake, options, result, recap),
  ];
  return [
    recap.text(style, selection, unknown, (run) => context.again('runs', 'show', run)),
    ...(next.length > 0 ? ['', 'Next:', ...next.map((line) => `  ${style.accent(line)}`)] : []),
  ].join('\n');
}

function nextCommands(
  { again }: Context,
  lake: OpenedLake,
  options: MaterializeOptions,
  { outcome, plan }: RunResult,
  { failed, refused, held, stuck, changed }: Recap,
): string[] {
  const retry = (more: Partial<Asked> = {}) =>
    again('materialize', ...askedWords(plan.selection, { ...options, ...more }));
  if (outcome === 'cancelled') return [retry()];
  const [first] = failed;
  if (first) {
    // What is forced is tried again anyway.
    const passing = failed.every(({ error: { kind } }) => kind === 'transient' || kind === 'usage');
    const retryFailed = !options.force && !passing;
    return [again('explain', first.asset, first.partition), retry({ retryFailed })];
  }
  const [bad] = refused;
  if (bad) return [again('explain', bad.asset, bad.partition)];
  const whole = held.some(needsUpstream)
    ? [again('materialize', ...askedWords(withUpstream(plan.selection), options))]
    : [];
  const tables = changed.filter((key) => lake.graph.node(key).definition.storage.type === 'table');
  const last = tables.at(-1);
  if (last !== undefined)
    return [
      ...whole,
      again('status', ...selectionWords(plan.selection, options.partitions)),
      again('query', `SELECT * FROM ${last.replace('/', '.')} LIMIT 10`),
      again('lineage', last),
    ];
  if (!stuck()) return whole;
  return [
    ...whole,
    again('plan', ...askedWords(plan.selection, { ...options, requireComplete: false, tag: [] }), '--verbose'),
    retry({ retryFailed: true }),
  ];
}

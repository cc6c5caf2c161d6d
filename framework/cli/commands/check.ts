import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { CheckDefinition } from '../../define/model.ts';
import { type CheckTotals, checkPartitions } from '../../materialize/check.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { applyFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { printKey } from '../../partition/space.ts';
import { presentSet } from '../../plan/universe.ts';
import { failingSet } from '../../report/checks.ts';
import { indent, number, plural, table } from '../../report/format.ts';
import { readFilter, requireMatch, selectAssets } from '../../sdk/select.ts';
import type { Context } from '../context.ts';
import { DONE, FAILED } from '../failure.ts';

interface CheckOptions {
  readonly partitions?: string;
  readonly only?: readonly string[];
  readonly failed?: boolean;
}

type Shown = Omit<CheckTotals, 'failures'> & {
  readonly failures: readonly {
    readonly partition: string;
    readonly failedRows: number;
    readonly sample: readonly unknown[];
    readonly sql?: string | undefined;
  }[];
};

/** Failures of a check that are printed. */
const SHOWN = 3;

export async function run(context: Context, options: CheckOptions, selection?: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('write', async (lake) => {
    const keys = selectAssets(lake.graph, selection);
    const filter = readFilter(lake.graph, keys, options.partitions);
    const view = lake.state.refresh();
    requireMatch(lake, view, keys, filter);
    const only = options.only && requireChecks(lake, keys, options.only);
    const wanted = (_: string, { name }: CheckDefinition) => only?.has(name) ?? true;
    const targets = new Map<string, sets.PartitionSet>();
    for (const key of keys) {
      const node = lake.graph.node(key);
      if (!node.definition.checks.some((check) => wanted(key, check))) continue;
      const there = presentSet(node, view.asset(key));
      const asked = filter ? applyFilter(node.space, there, filter) : there;
      const failing = () => failingSet(lake.state, key, (name) => only?.has(name) ?? true);
      targets.set(key, options.failed ? sets.intersect(asked, failing()) : asked);
    }
    if (targets.size === 0)
      throw new LakehouseError('no-checks', 'Nothing that is selected has checks', {
        hint: 'Checks are declared with an asset: checks: [notNull(…)].',
      });
    for (const [key, set] of targets) console.note(`${key}: ${plural(sets.countOf(set), 'partition')} …`);
    const { signal, stopping } = context.interrupts({ graceful: true });
    const request = { command: context.commandLine(), selection: selection ?? '*', targets, wanted };
    const { run: id, checks } = await checkPartitions(lake, request, { signal, stopping, emit: () => undefined });
    const shown = checks.map((totals): Shown => {
      const { space } = lake.graph.node(totals.asset);
      const failures = totals.failures.map((failure) => ({
        partition: printKey(space, failure),
        failedRows: failure.failedRows,
        sample: failure.sample ?? [],
        sql: failure.sql,
      }));
      return { ...totals, failures };
    });
    console.result({ run: id, checks: shown }, () => textOf(context, id, shown));
    return shown.some(({ severity, failed }) => severity === 'error' && failed > 0) ? FAILED : DONE;
  });
}

/** @throws LakehouseError `unknown-check` (usage). */
function requireChecks(lake: OpenedLake, keys: readonly string[], only: readonly string[]): ReadonlySet<string> {
  const names = new Set(keys.flatMap((key) => lake.graph.node(key).definition.checks.map(({ name }) => name)));
  for (const name of only)
    if (!names.has(name))
      throw new LakehouseError('unknown-check', `Nothing that is selected has a check '${name}'`, {
        hint: didYouMean(name, [...names]),
      });
  return new Set(only);
}

function textOf({ console, again }: Context, id: string, checks: readonly Shown[]): string {
  const { style } = console;
  const skipped = ({ stale, incomplete, outgrown }: Shown['skipped']) => stale + incomplete + outgrown;
  const some = checks.some((one) => skipped(one.skipped) > 0);
  const right = 'right' as const;
  const lines = [
    table(
      [
        { title: 'ASSET', whole: true },
        { title: 'CHECK' },
        { title: 'SEVERITY' },
        { title: 'CHECKED', align: right },
        { title: 'FAILED', align: right },
        { title: 'ROWS', align: right },
        ...(some ? [{ title: 'SKIPPED', align: right }] : []),
      ],
      checks.map(({ asset, check, severity, blocking, checked, failed, rows, skipped: not }) => [
        asset,
        check,
        blocking ? `${severity}, blocks` : severity,
        number(checked),
        failed === 0 ? '-' : number(failed),
        rows === 0 ? '-' : number(rows),
        ...(some ? [skipped(not) === 0 ? '-' : number(skipped(not))] : []),
      ]),
      style.strong,
      console.tableWidth,
    ),
  ];
  for (const { asset, check, severity, failed, failures } of checks) {
    if (failed === 0) continue;
    const paint = severity === 'error' ? style.bad : style.warning;
    lines.push('', paint(`${asset}, ${check}: ${plural(failed, 'partition')}`));
    for (const { partition, failedRows, sample, sql } of failures.slice(0, SHOWN)) {
      lines.push(indent(`${partition}: ${plural(failedRows, 'row')}`));
      const [first] = sample;
      if (first !== undefined) lines.push(indent(style.faint(JSON.stringify(first)), 4));
      if (sql !== undefined) lines.push(indent(again('query', sql.replaceAll(/\s+/g, ' ')), 4));
    }
    if (failed > SHOWN)
      lines.push(indent(style.faint(`… and ${number(failed - SHOWN)} more: ${again('runs', 'show', id, '--json')}`)));
  }
  const sum = (of: (not: Shown['skipped']) => number) => checks.reduce((total, one) => total + of(one.skipped), 0);
  const reasons = [
    [sum(({ stale }) => stale), 'what they were computed from has changed: the next run computes and checks them'],
    [sum(({ incomplete }) => incomplete), 'not all that they are compared with is there'],
    [sum(({ outgrown }) => outgrown), 'made by code that had other columns'],
  ] as const;
  const told = reasons.filter(([count]) => count > 0);
  if (told.length > 0) lines.push('', 'Skipped:', ...told.map(([count, why]) => indent(`${number(count)}: ${why}`)));
  return lines.join('\n');
}

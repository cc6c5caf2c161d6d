import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { ConditionTree } from '../../operate/automation/evaluate.ts';
import { HELD_MEANINGS, whyNothing } from '../../operate/automation/explain.ts';
import type { AutomationDecision } from '../../operate/automation/tick.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';
import type { AssetEvaluation } from '../../plan/evaluate.ts';
import { instant, number, pad, plural, truncate } from '../../report/format.ts';
import { unobserved } from '../../sdk/plan.ts';
import { findAsset } from '../../sdk/select.ts';
import type { Context } from '../context.ts';
import { setLines } from '../partitions.ts';
import type { Style } from '../style.ts';
import { type Automation, automationNow } from './automation.ts';

export async function run(context: Context, _options: object, asset: string): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    findAsset(lake.graph, asset);
    const automation = await automationNow(context, lake);
    const decision = automation.tick.decisions.get(asset);
    if (!decision) {
      const others = [...automation.conditions.keys()];
      throw new LakehouseError('not-automated', `${asset} has no automation: nothing is requested of it unasked`, {
        hint: others.length > 0 ? didYouMean(asset, others) : 'Declare it with the asset: automation: eager()',
      });
    }
    const printed = (key: string, set: PartitionSet) => sets.printSet(lake.graph.node(key).space, set, '; ');
    const evaluatedAt = automation.cursors.get(asset)?.at;
    const neverObserved = unobserved(lake, [asset]);
    const why = whyNothing(decision, automation.now);
    console.result(
      {
        asset,
        condition: decision.tree.label,
        evaluatedAt: evaluatedAt === undefined ? null : new Date(evaluatedAt).toISOString(),
        partitions: sets.countOf(decision.all),
        requested: { count: sets.countOf(decision.request), partitions: printed(asset, decision.request) },
        held: [...decision.held].map(([reason, set]) => ({
          reason,
          count: sets.countOf(set),
          partitions: printed(asset, set),
        })),
        why,
        neverObserved,
        tree: treeJson(decision.tree, printed),
      },
      () => textOf(context, lake, { automation, decision, evaluatedAt, neverObserved, why }),
    );
    return undefined;
  });
}

const treeJson = (tree: ConditionTree, printed: (asset: string, set: PartitionSet) => string): object => ({
  type: tree.type,
  label: tree.label,
  arguments: tree.arguments,
  asset: tree.asset,
  count: sets.countOf(tree.value),
  partitions: printed(tree.asset, tree.value),
  children: tree.children.map((child) => treeJson(child, printed)),
});

interface Explained {
  readonly automation: Automation;
  readonly decision: AutomationDecision;
  readonly evaluatedAt: number | undefined;
  readonly neverObserved: readonly string[];
  readonly why: readonly string[];
}

function textOf(context: Context, lake: OpenedLake, explained: Explained): string {
  const { style, width } = context.console;
  const { decision, evaluatedAt, neverObserved, why } = explained;
  const { asset, tree, all, request, held } = decision;
  const { space } = lake.graph.node(asset);
  const lines = (set: PartitionSet) =>
    setLines(space, set, { lines: 3, width: Math.max(width - 6, 30) }).map((line) => `    ${line}`);
  const of = plural(sets.countOf(all), 'partition');
  return [
    `${style.strong(asset)} ${tree.label}`,
    style.faint(
      evaluatedAt === undefined
        ? '  The daemon has not evaluated it yet. Its first evaluation, now:'
        : `  Last evaluated ${instant(evaluatedAt)}. Now:`,
    ),
    ...(neverObserved.length > 0 ? [style.warning(`  Not known: ${neverObserved.join(', ')} was never observed`)] : []),
    sets.isEmpty(request)
      ? `  ${style.warning('nothing is requested')} of ${of}`
      : `  ${style.good(`${number(sets.countOf(request))} requested`)} of ${of}`,
    ...lines(request),
    ...why.map((reason) => `  because ${reason}`),
    // Where nothing is requested, the reasons have said it.
    ...(why.length > 0
      ? []
      : [...held].map(
          ([reason, set]) =>
            `  ${style.warning(reason)}: ${plural(sets.countOf(set), 'partition')} not requested: ${HELD_MEANINGS[reason]}`,
        )),
    '',
    ...treeLines(lake, explained, style, width),
  ].join('\n');
}

/** How many partitions each node holds for, and which. */
function treeLines(lake: OpenedLake, { decision, automation }: Explained, style: Style, width: number): string[] {
  const rows: { readonly count: string; readonly lead: string; readonly label: string; readonly which: string }[] = [];
  const visit = (tree: ConditionTree, lead: string, below: string): void => {
    const { children, asset, value } = tree;
    const label = asset === decision.asset ? tree.label : `${tree.label} (${asset})`;
    rows.push({ count: number(sets.countOf(value)), lead, label, which: whichOf(lake, automation, tree) });
    children.forEach((child, i) => {
      const last = i === children.length - 1;
      visit(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    });
  };
  visit(decision.tree, '', '');
  const counts = Math.max(...rows.map(({ count }) => count.length));
  const labels = Math.max(...rows.map(({ lead, label }) => lead.length + label.length));
  return rows.map(({ count, lead, label, which }) => {
    const shown = pad(count, counts, 'right');
    const space = ' '.repeat(labels - lead.length - label.length + 2);
    const rest = truncate(which, Math.max(width - counts - labels - 6, 20));
    return `  ${count === '0' ? style.faint(shown) : shown}  ${style.faint(lead)}${count === '0' ? style.faint(label) : label}${rest === '' ? '' : style.faint(`${space}${rest}`)}`;
  });
}

function whichOf(lake: OpenedLake, { evaluations }: Automation, { asset, value }: ConditionTree): string {
  const all = (evaluations.get(asset) as AssetEvaluation).universe.all;
  if (sets.isEmpty(value)) return '';
  if (sets.equals(value, all)) return 'all';
  const [first = '', ...more] = sets.printSet(lake.graph.node(asset).space, value).split('\n');
  return more.length > 0 ? `${first} and ${plural(more.length, 'more group')}` : first;
}

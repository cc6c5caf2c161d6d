import type { AutomationCondition } from '../../define/automation.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { type AutomationCursor, CURSOR_KEYS } from '../../operate/automation/cursor.ts';
import { whyNothing } from '../../operate/automation/explain.ts';
import { checkConditions } from '../../operate/automation/issues.ts';
import { type AutomationTick, automationTick, conditionsOf } from '../../operate/automation/tick.ts';
import * as sets from '../../partition/set.ts';
import type { AssetEvaluation } from '../../plan/evaluate.ts';
import { evaluateNow } from '../../report/evaluated.ts';
import { instant, plural, table } from '../../report/format.ts';
import { unobserved } from '../../sdk/plan.ts';
import type { Context } from '../context.ts';
import { activeDaemon, withOperate } from '../tickers.ts';

export interface Automation {
  readonly conditions: ReadonlyMap<string, AutomationCondition>;
  /** What the daemon remembers, by asset. */
  readonly cursors: ReadonlyMap<string, AutomationCursor>;
  readonly evaluations: ReadonlyMap<string, AssetEvaluation>;
  readonly tick: AutomationTick;
  readonly now: number;
  /** Whether a daemon is there that evaluates them. */
  readonly active: boolean;
}

/** What the daemon would decide now, but for what it has in progress. Nothing is written. */
export async function automationNow(context: Context, lake: OpenedLake): Promise<Automation> {
  const now = lake.now();
  const { graph } = lake;
  checkConditions(graph, now);
  const { view, evaluations } = evaluateNow(lake);
  return withOperate(context, true, (store) => {
    const cursors = store.recallAll(CURSOR_KEYS) as Map<string, AutomationCursor>;
    const tick = automationTick({ graph, evaluations, head: view.head, now, cursors });
    return {
      conditions: conditionsOf(graph),
      cursors,
      evaluations,
      tick,
      now,
      active: activeDaemon(context.io, store.lease()) !== undefined,
    };
  });
}

export async function run(context: Context): Promise<number | undefined> {
  const { console } = context;
  return context.withLake('read', async (lake) => {
    const { conditions, cursors, tick, now, active } = await automationNow(context, lake);
    const neverObserved = unobserved(lake, [...conditions.keys()]);
    const list = [...tick.decisions.values()].map((decision) => {
      const evaluated = cursors.get(decision.asset)?.at;
      return {
        asset: decision.asset,
        condition: decision.tree.label,
        evaluatedAt: evaluated === undefined ? null : new Date(evaluated).toISOString(),
        requested: sets.countOf(decision.request),
        why: whyNothing(decision, now),
      };
    });
    console.result({ daemon: active, assets: list, neverObserved }, () => {
      if (list.length === 0)
        return 'No asset is automated. Declare it with the asset: automation: eager(), or onCron(…).';
      const rows = list.map(({ asset, condition, evaluatedAt, requested, why }) => [
        asset,
        condition,
        evaluatedAt === null ? 'never' : instant(Date.parse(evaluatedAt)),
        requested > 0 ? plural(requested, 'partition') : `nothing: ${why.join('; ')}`,
      ]);
      const lines = table(
        [
          { title: 'ASSET', whole: true },
          { title: 'CONDITION' },
          { title: 'LAST EVALUATED' },
          { title: 'WOULD REQUEST NOW' },
        ],
        rows,
        console.style.strong,
        console.tableWidth,
      );
      const notes = [
        ...(neverObserved.length > 0
          ? [`Never observed, so not known: ${neverObserved.join(', ')} (${context.again('observe')})`]
          : []),
        ...(active
          ? []
          : [`No daemon is active: nothing is requested unasked. Start one with ${context.again('daemon')}`]),
      ];
      return notes.length > 0 ? `${lines}\n\n${notes.join('\n')}` : lines;
    });
    return undefined;
  });
}

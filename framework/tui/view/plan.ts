import { downloads, timeNeeded } from '../../report/plan-cost.ts';
import type { PlanView, Size } from '../model/data.ts';
import { boxed } from './box.ts';
import { dialogColumns } from './dialog.ts';
import { compact, duration, number, plural, visible } from './format.ts';
import { hintLine } from './frame.ts';
import { wrap } from './lines.ts';
import { type Column, place, rightCell, rowLine, textCell, titleLine, withScrollbar } from './list.ts';
import { width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

type Step = PlanView['steps'][number];

export interface PlanDialog {
  /** Undefined while it is being made. */
  readonly plan: PlanView | undefined;
  /** First step that is shown. */
  readonly offset: number;
  /** Why it cannot be run, such as in read-only mode. */
  readonly disabledReason?: string | undefined;
}

/** What would be computed and what it costs, before it is done. At most `size.rows` lines. */
export function planDialog(theme: Theme, size: Size, dialog: PlanDialog): string[] {
  const { plan, offset, disabledReason } = dialog;
  const columns = dialogColumns(size, MOST);
  const footer = (...hints: readonly (readonly [string, string])[]) =>
    hintLine(
      hints.map(([key, label]) => ({ key, label, enabled: true })),
      roomOf(size),
      theme,
    ).trimStart();
  if (plan === undefined) {
    const lines = ['', theme.faint(`Planning ${theme.box.ellipsis}`), ''];
    return boxed(theme, { title: 'Plan', lines, footer: footer(['esc', 'cancel']), columns }).slice(0, size.rows);
  }
  const idle = plan.will + plan.may === 0;
  const { above, below, height } = around(theme, size, plan, disabledReason);
  const list = stepLines(plan.steps, offset, { columns: roomOf(size), rows: height }, theme);
  const keys = [
    ...(idle || disabledReason !== undefined ? [] : [['enter', 'run'] as const]),
    ['esc', idle ? 'close' : 'cancel'] as const,
    ...(plan.steps.length + 1 > height ? [['j/k', 'scroll'] as const] : []),
  ];
  return boxed(theme, {
    title: `${plan.force ? 'Force' : 'Materialize'} ${visible(plan.selection)}`,
    lines: [...above, ...list, ...below].slice(0, Math.max(size.rows - 2, 0)),
    footer: footer(...keys),
    columns,
    tone: theme.accent,
  }).slice(0, size.rows);
}

/** The largest offset that makes sense. */
export function planScroll(theme: Theme, size: Size, plan: PlanView): number {
  const { height } = around(theme, size, plan, undefined);
  return Math.max(plan.steps.length - Math.max(height - 1, 0), 0);
}

const MOST = 110;
const roomOf = (size: Size): number => Math.max(dialogColumns(size, MOST) - 4, 1);

/** What stands above and below the steps, and how many lines that leaves them. */
function around(theme: Theme, size: Size, plan: PlanView, disabledReason: string | undefined) {
  const room = roomOf(size);
  const asked =
    plan.partitions === undefined ? [] : wrap(theme, `partitions ${plan.partitions}`, room, 2).map(theme.faint);
  const said = planSentences(plan).flatMap((one) => wrap(theme, one, room, 2));
  const above = ['', ...asked, ...said, ...(plan.steps.length > 0 ? [''] : [])];
  const below =
    disabledReason === undefined ? [''] : ['', ...wrap(theme, disabledReason, room, 2).map(theme.warning), ''];
  return { above, below, height: Math.max(size.rows - 2 - above.length - below.length, 0) };
}

/** What would be done, and what it costs. */
export function planSentences({ will, may, cost, steps }: PlanView): string[] {
  const held = steps.reduce((sum, step) => sum + step.held, 0);
  const back = held === 0 ? [] : [`${plural(held, 'partition')} cannot be computed now.`];
  if (will + may === 0) return ['Nothing to do: everything that can be computed is up to date.', ...back];
  const surely = will === 0 ? 'No partition is computed for sure' : `${plural(will, 'partition')} to compute`;
  const perhaps = may === 0 ? '' : `, ${number(may)} more if what they read really changes`;
  const writes = [
    plural(cost.batches, 'batch'),
    `${plural(cost.files, 'file')} to write`,
    ...(cost.fetches > 0 ? [downloads(cost)] : []),
  ];
  const time = cost.knownMs === 0 ? 'How long it takes is not known.' : `It takes ${timeNeeded(cost, may)}.`;
  return [`${surely}${perhaps}.`, `${writes.join(', ')}.`, time, ...back];
}

const REASONS: Readonly<Record<string, string>> = {
  missing: 'missing',
  code: 'code changed',
  data: 'data changed',
  departed: 'input left',
  choice: 'other input',
  forced: 'forced',
};

function stepLines(steps: readonly Step[], offset: number, size: Size, theme: Theme): string[] {
  if (steps.length === 0 || size.rows < 2) return [];
  const asset = steps.reduce((most, step) => Math.max(most, width(visible(step.asset))), 5);
  const plain: Paint = (text) => text;
  const count = (title: string, rank: number, of: (step: Step) => number, paint: Paint): Column<Step> => {
    const cells = steps.reduce((most, step) => Math.max(most, amount(of(step)).length), title.length);
    const draw: Column<Step>['draw'] = (step, columns) => rightCell(theme, amount(of(step)), columns, paint);
    return { title, rank, least: cells, most: cells, align: 'right', draw };
  };
  const has = (of: (step: Step) => number) => steps.some((step) => of(step) > 0);
  const columns: Column<Step>[] = [
    {
      title: 'asset',
      rank: 0,
      least: Math.min(asset, 20),
      most: Math.min(asset, 48),
      draw: (step, columns) => textCell(theme, step.asset, columns),
    },
    count('will', 1, ({ will }) => will, theme.strong),
    ...(has(({ may }) => may) ? [count('may', 2, ({ may }) => may, plain)] : []),
    ...(has(({ held }) => held) ? [count('held', 3, ({ held }) => held, theme.warning)] : []),
    ...(has(({ estimatedMs = 0 }) => estimatedMs) ? [time(theme)] : []),
    {
      title: 'because',
      rank: 4,
      least: 12,
      most: 48,
      draw: ({ causes }, columns) => textCell(theme, why(causes), columns, theme.faint),
    },
  ];
  const placed = place(columns, size.columns - 2);
  const height = Math.min(size.rows - 1, steps.length);
  const first = Math.min(Math.max(offset, 0), steps.length - height);
  const rows = steps.slice(first, first + height).map((step) => rowLine(placed, step));
  return [
    titleLine(theme, placed),
    ...withScrollbar(theme, rows, { first, total: steps.length, columns: size.columns }),
  ];
}

const time = (theme: Theme): Column<Step> => ({
  title: 'time',
  rank: 5,
  least: 7,
  most: 7,
  align: 'right',
  draw: ({ estimatedMs }, columns) =>
    rightCell(theme, estimatedMs === undefined ? '' : duration(estimatedMs), columns, theme.faint),
});

const amount = (count: number) => (count === 0 ? '' : count < 10_000_000 ? number(count) : compact(count));

/** `12 missing, 3 code changed`, most first. */
export function why(causes: Step['causes']): string {
  return Object.entries(causes)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([cause, count]) => `${number(count)} ${REASONS[cause] ?? cause}`)
    .join(', ');
}

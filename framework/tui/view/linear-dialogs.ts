import type { PlanView } from '../model/data.ts';
import type { WipeDialog } from './dialog.ts';
import type { HelpGroup } from './help.ts';
import { counted, listed, position, type Told } from './linear.ts';
import type { PaletteInput } from './palette.ts';
import { planSentences, why } from './plan.ts';

const CANCEL = 'Escape leaves it.';

export const helpTold = (groups: readonly HelpGroup[]): Told => ({
  place: 'help',
  title: 'Keys',
  summary: groups.flatMap(({ title, bindings }) => [
    `${title}:`,
    ...bindings.map(({ keys, label, description, disabledReason }) =>
      disabledReason === undefined
        ? `${keys.join(' or ')}, ${label}: ${description}`
        : `${keys.join(' or ')}, ${label}: not now, ${disabledReason}`,
    ),
  ]),
  focus: 'Escape closes the keys.',
});

export function paletteTold({
  query,
  candidates,
  chosen,
}: Pick<PaletteInput, 'query' | 'candidates' | 'chosen'>): Told {
  const one = candidates[chosen];
  return {
    place: 'palette',
    title: 'Go to or do',
    summary: ['Type a command, a screen or an asset. Up and down choose, enter takes it, escape leaves.'],
    focus: one
      ? listed(
          `${one.label}, ${one.kind}${one.key === undefined ? '' : `, ${one.key}`}`,
          one.disabledReason === undefined ? one.description : `not now: ${one.disabledReason}`,
          position(chosen, candidates.length),
        )
      : query === ''
        ? undefined
        : 'Nothing is called that.',
  };
}

export function planTold(plan: PlanView | undefined, offset: number): Told {
  if (!plan)
    return {
      place: 'plan',
      title: 'Plan',
      summary: ['Working out what there is to do.'],
      focus: undefined,
      reading: 'all',
    };
  const { selection, partitions, force, will, may, steps } = plan;
  const at = Math.min(offset, steps.length - 1);
  const step = steps[at];
  return {
    place: 'plan',
    title: listed(`${force ? 'Force' : 'Materialize'} ${selection}`, partitions && `partitions ${partitions}`),
    summary: [...planSentences(plan), will + may === 0 ? 'Escape closes it.' : `Enter runs it. ${CANCEL}`],
    focus:
      step &&
      listed(
        `${step.asset}: ${counted({ 'to compute': step.will, perhaps: step.may, 'cannot be computed now': step.held })}`,
        why(step.causes),
        position(at, steps.length, 'asset'),
      ),
  };
}

export const wipeTold = ({ asset, consequences, expected }: Omit<WipeDialog, 'typed' | 'caret'>): Told => ({
  place: 'wipe',
  title: `Wipe ${asset}`,
  summary: consequences,
  focus: `Type ${expected} and press enter to go on. ${CANCEL}`,
});

export const dateTold = (problem: string | undefined): Told => ({
  place: 'date',
  title: 'Go to a date',
  summary: [`A year, a month or a day, such as 2024-01-31; then enter. ${CANCEL}`],
  focus: problem,
});

/** While a filter is typed: what it leaves of the screen. */
export const filterTold = ({ summary, focus, reading }: Told): Told => ({
  place: 'filter',
  title: 'Filter',
  summary: ['Type, then enter. Escape drops it.'],
  focus: [...summary, focus].filter(Boolean).join(' ') || undefined,
  reading,
});

export const errorTold = ({
  title,
  message,
  hint,
}: {
  readonly title: string;
  readonly message: string;
  readonly hint?: string | undefined;
}): Told => ({
  place: 'error',
  title: `Error: ${title}`,
  summary: [...message.split('\n'), ...(hint === undefined ? [] : [hint])],
  focus: 'Escape closes it.',
});

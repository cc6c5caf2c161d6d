import type { Size } from '../model/data.ts';
import { boxed } from './box.ts';
import { visible } from './format.ts';
import { hintLine } from './frame.ts';
import { wrap } from './lines.ts';
import { withScrollbar } from './list.ts';
import { cell, width } from './text.ts';
import type { Theme } from './theme.ts';

export interface HelpGroup {
  readonly title: string;
  readonly bindings: readonly {
    readonly keys: readonly string[];
    readonly label: string;
    readonly description: string;
    /** Why it does nothing here. */
    readonly disabledReason?: string | undefined;
  }[];
}

const WIDE = 110;
const MOST = 160;

/** Every key with what it does: a box of at most `size.rows` lines. */
export function helpBox(
  theme: Theme,
  size: Size,
  { groups, offset }: { readonly groups: readonly HelpGroup[]; readonly offset: number },
): string[] {
  const columns = Math.min(size.columns, MOST);
  const lines = helpLines(theme, groups, columns);
  const height = Math.min(Math.max(size.rows - 2, 0), lines.length);
  const first = Math.min(Math.max(offset, 0), lines.length - height);
  const shown = lines.slice(first, first + height);
  const scrolls = lines.length > height;
  const hints = [
    { key: 'esc', label: 'close', enabled: true },
    ...(scrolls ? [{ key: 'j/k', label: 'scroll', enabled: true }] : []),
  ];
  return boxed(theme, {
    title: 'Keys',
    lines: withScrollbar(theme, shown, { first, total: lines.length, columns: columns - 4 }),
    footer: hintLine(hints, columns - 6, theme).trimStart(),
    columns,
    tone: theme.accent,
  }).slice(0, Math.max(size.rows, 0));
}

/** The largest offset that makes sense. */
export function helpScroll(theme: Theme, size: Size, groups: readonly HelpGroup[]): number {
  return Math.max(helpLines(theme, groups, Math.min(size.columns, MOST)).length - Math.max(size.rows - 2, 0), 0);
}

/** All of it, in two columns of groups where there is room. */
function helpLines(theme: Theme, groups: readonly HelpGroup[], columns: number): string[] {
  const room = Math.max(columns - 6, 1);
  const keys = groups.flatMap(({ bindings }) => bindings.map(keysOf));
  const names = Math.min(
    keys.reduce((most, one) => Math.max(most, width(one)), 4),
    18,
  );
  if (columns < WIDE) return groups.flatMap((group) => groupLines(theme, group, names, room)).slice(0, -1);
  const half = Math.floor((room - 3) / 2);
  const blocks = groups.map((group) => groupLines(theme, group, names, half));
  const total = blocks.reduce((sum, block) => sum + block.length, 0);
  const left: string[] = [];
  const right: string[] = [];
  for (const block of blocks)
    (right.length === 0 && left.length + block.length / 2 <= total / 2 ? left : right).push(...block);
  return Array.from(
    // Without the blank line after the last group.
    { length: Math.max(left.length, right.length, 1) - 1 },
    (_, i) => `${cell(theme, left[i] ?? '', half)}   ${right[i] ?? ''}`,
  );
}

const keysOf = ({ keys }: HelpGroup['bindings'][number]) => visible(keys.join(' '));

function groupLines(theme: Theme, { title, bindings }: HelpGroup, names: number, columns: number): string[] {
  const room = Math.max(columns - names - 2, 1);
  return [
    theme.title(visible(title)),
    ...bindings.flatMap((binding) => {
      const { label, description, disabledReason } = binding;
      const off = disabledReason !== undefined;
      const text = off ? `${label}: not now, ${disabledReason}` : description === '' ? label : description;
      const name = cell(theme, keysOf(binding), names);
      return wrap(theme, text, room, 3).map(
        (line, i) =>
          `${i > 0 ? ' '.repeat(names) : off ? theme.faint(name) : theme.accent(name)}  ${off ? theme.faint(line) : line}`,
      );
    }),
    '',
  ];
}

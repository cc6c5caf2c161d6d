import type { Size } from '../model/data.ts';
import { ago, number, visible } from './format.ts';
import { ends, page, rule } from './lines.ts';
import { symbolsOf } from './symbols.ts';
import { cut, slice, width } from './text.ts';
import type { Theme } from './theme.ts';

export interface Tab {
  /** The key that shows it, such as `1`. */
  readonly key: string;
  readonly label: string;
}
/** A key that does something here. */
export interface Hint {
  readonly key: string;
  readonly label: string;
  readonly enabled: boolean;
}
export interface Message {
  readonly kind: 'info' | 'good' | 'bad';
  readonly text: string;
}
export interface Frame {
  readonly size: Size;
  /** Name of the lake or of the program. */
  readonly title: string;
  /** From the screen to what is looked at, such as `['Assets', 'silver/klines']`. */
  readonly breadcrumb: readonly string[];
  /** The shell command that gives the same information. */
  readonly command: string;
  readonly tabs: readonly Tab[];
  /** Key of the tab that is shown. */
  readonly current: string;
  readonly state: {
    /** Whether the log is followed. */
    readonly live: boolean;
    readonly readOnly: boolean;
    readonly revision: number | undefined;
    /** When the newest event was written. */
    readonly at: number | undefined;
  };
  readonly now: number;
  readonly body: readonly string[];
  /** Most important first. */
  readonly hints: readonly Hint[];
  readonly message?: Message | undefined;
}

/** Lines above and below the body. Small terminals do without the command and the rule. */
const chrome = (rows: number) => (rows >= 16 ? 5 : rows >= 10 ? 4 : rows >= 5 ? 2 : 0);

/** What is left for the body. */
export const bodySize = ({ columns, rows }: Size): Size => ({ columns, rows: Math.max(rows - chrome(rows), 0) });

/** The whole screen: exactly `size.rows` lines. */
export function frame(input: Frame, theme: Theme): string[] {
  const { size, body } = input;
  const { columns } = size;
  const lines = chrome(size.rows);
  const middle = page(body, bodySize(size).rows);
  if (lines === 0) return middle;
  const header = [
    headLine(input, theme),
    ...(lines > 3 ? [cut(theme, theme.faint(` $ ${visible(input.command)}`), columns)] : []),
    ...(lines > 2 ? [tabLine(input, theme)] : []),
    ...(lines > 4 ? [rule(theme, columns)] : []),
  ];
  return [...header, ...middle, footLine(input, theme)];
}

function headLine({ size, title, breadcrumb, state, now }: Frame, theme: Theme): string {
  const { between, live, idle } = symbolsOf(theme);
  const states = [
    state.live ? theme.good(`${live} live`) : theme.warning(`${idle} not following`),
    ...(state.readOnly ? [theme.warning('read-only')] : []),
    ...(state.revision === undefined ? [] : [theme.faint(`revision ${number(state.revision)}`)]),
    ...(state.at === undefined ? [] : [theme.faint(coarse(state.at, now))]),
  ];
  const crumbs = breadcrumb.map(visible);
  const line = (from: number) => {
    const shown = crumbs.slice(from);
    const path = shown.map((crumb, i) => (i === shown.length - 1 ? theme.strong(crumb) : crumb));
    const all = [...(from > 0 ? [theme.box.ellipsis] : []), ...path].join(theme.faint(` ${between} `));
    return ` ${theme.accent(visible(title))}  ${all}`;
  };
  // What is looked at matters more than the way there and how fresh the log is.
  const fits = (from: number) => width(line(from)) + 2 + width(`${states.join('  ')} `) <= size.columns;
  let from = 0;
  while (!fits(from)) {
    if (states.length > 2) states.pop();
    else if (from < crumbs.length - 1) from++;
    else break;
  }
  return ends(theme, line(from), `${states.join('  ')} `, size.columns);
}

/** No seconds: a screen on which nothing happens should not change every second. */
const coarse = (at: number, now: number) => (now - at < 60_000 ? 'just now' : ago(at, now));

function tabLine({ size, tabs, current }: Frame, theme: Theme): string {
  const draw = (labels: 'all' | 'current') =>
    tabs
      .map(({ key, label }) => {
        if (key === current) return theme.selected(` ${key} ${label} `);
        return labels === 'all' ? ` ${theme.accent(key)} ${theme.faint(label)} ` : ` ${theme.accent(key)} `;
      })
      .join('');
  const all = draw('all');
  return cut(theme, width(all) <= size.columns ? all : draw('current'), size.columns);
}

function footLine({ size, hints, message }: Frame, theme: Theme): string {
  const { info, good, bad } = symbolsOf(theme);
  const glyph = message && { info, good, bad }[message.kind];
  const paint = message && { info: theme.accent, good: theme.good, bad: theme.bad }[message.kind];
  const said = message && paint ? paint(` ${glyph} ${visible(message.text)}`) : '';
  const gap = said === '' ? '' : ' ';
  return cut(theme, said + gap + hintLine(hints, size.columns - width(said) - gap.length, theme), size.columns);
}

/** As many hints as fit, in their order. What cannot be done now is faint as a whole. */
export function hintLine(hints: readonly Hint[], columns: number, theme: Theme): string {
  let line = '';
  let left = columns - 1;
  for (const { key, label, enabled } of hints) {
    const needed = width(key) + 1 + width(label) + 2;
    if (needed > left) break;
    left -= needed;
    line += `  ${enabled ? theme.accent(key) : theme.faint(key)} ${theme.faint(label)}`;
  }
  return slice(line, 1, columns);
}

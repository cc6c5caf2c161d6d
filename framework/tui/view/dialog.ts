import type { Size } from '../model/data.ts';
import { filled } from './bars.ts';
import { boxed } from './box.ts';
import { field } from './field.ts';
import { visible } from './format.ts';
import { hintLine } from './frame.ts';
import { wrap } from './lines.ts';
import { symbolsOf } from './symbols.ts';
import type { Theme } from './theme.ts';

/** Cells of a dialog: some air around it where there is room. */
export const dialogColumns = ({ columns }: Size, most = 76): number =>
  columns < 60 ? columns : Math.min(columns - 6, most);

const keys = (
  theme: Theme,
  columns: number,
  ...hints: readonly (readonly [key: string, label: string, enabled?: boolean])[]
) =>
  hintLine(
    hints.map(([key, label, enabled = true]) => ({ key, label, enabled })),
    columns - 4,
    theme,
  ).trimStart();

/** Never more lines than there are rows, its frame included. */
function dialog(
  theme: Theme,
  size: Size,
  { title, body, footer, tone }: { title: string; body: readonly string[]; footer: string; tone?: Theme['bad'] },
): string[] {
  const columns = dialogColumns(size);
  const most = Math.max(size.rows - 2, 0);
  return boxed(theme, { title, lines: body.slice(0, most), footer, columns, tone }).slice(0, size.rows);
}

/** A failure: what was wrong, and what to do about it. */
export function errorDialog(
  theme: Theme,
  size: Size,
  { title, message, hint }: { readonly title: string; readonly message: string; readonly hint?: string | undefined },
): string[] {
  const columns = dialogColumns(size);
  const advice = hint === undefined ? [] : ['', ...wrap(theme, hint, columns - 4, 4).map(theme.faint)];
  const room = Math.max(size.rows - 4 - advice.length, 1);
  return dialog(theme, size, {
    title: `${symbolsOf(theme).bad} ${visible(title)}`,
    body: ['', ...wrap(theme, message, columns - 4, room), ...advice, ''],
    footer: keys(theme, columns, ['esc', 'close']),
    tone: theme.bad,
  });
}

export interface WipeDialog {
  readonly asset: string;
  /** What goes, in sentences: partitions, files, and what it means for what reads them. */
  readonly consequences: readonly string[];
  /** What is to be typed to go on. */
  readonly expected: string;
  readonly typed: string;
  readonly caret: number;
}

/** Asks to type a name before data is taken out. */
export function wipeDialog(
  theme: Theme,
  size: Size,
  { asset, consequences, expected, typed, caret }: WipeDialog,
): string[] {
  const columns = dialogColumns(size);
  const room = columns - 4;
  const matches = typed === expected;
  const wrong = !expected.startsWith(typed);
  const { good, bad } = symbolsOf(theme);
  const verdict = matches ? theme.good(good) : wrong ? theme.bad(bad) : ' ';
  const question = `Type ${visible(expected)} to go on:`;
  const asked = [
    '',
    ...wrap(theme, question, room, 3).map(theme.faint),
    `${theme.accent('>')} ${filled(field(theme, typed, caret, room - 4), room - 4)} ${verdict}`,
    '',
  ];
  const space = Math.max(size.rows - 3 - asked.length, 1);
  const told = consequences.flatMap((one) => wrap(theme, one, room, 6)).slice(0, space);
  return dialog(theme, size, {
    title: `Wipe ${visible(asset)}`,
    body: ['', ...told, ...asked],
    footer: keys(theme, columns, ['enter', 'wipe', matches], ['esc', 'cancel']),
    tone: theme.bad,
  });
}

export interface InputDialog {
  readonly title: string;
  readonly prompt: string;
  readonly text: string;
  readonly caret: number;
  /** What is wrong with the text as it is. */
  readonly problem?: string | undefined;
  /** What `enter` does. */
  readonly action: string;
}

/** Asks for a text. */
export function inputDialog(
  theme: Theme,
  size: Size,
  { title, prompt, text, caret, problem, action }: InputDialog,
): string[] {
  const columns = dialogColumns(size);
  const room = columns - 4;
  return dialog(theme, size, {
    title: visible(title),
    body: [
      '',
      ...wrap(theme, prompt, room, 4).map(theme.faint),
      `${theme.accent('>')} ${field(theme, text, caret, room - 2)}`,
      ...(problem === undefined ? [''] : wrap(theme, problem, room, 3).map(theme.bad)),
      '',
    ],
    footer: keys(theme, columns, ['enter', action, problem === undefined], ['esc', 'cancel']),
  });
}

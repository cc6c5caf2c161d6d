import { stripVTControlCharacters } from 'node:util';
import type { Size } from '../model/data.ts';
import { page } from './lines.ts';
import { cell, cut, slice, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface Boxed {
  readonly title: string;
  readonly lines: readonly string[];
  /** Stands in the lower border. */
  readonly footer?: string | undefined;
  /** Cells of the whole box. */
  readonly columns: number;
  readonly tone?: Paint | undefined;
}

/** Lines in a frame, a cell of air at each side. Two lines more than it has. */
export function boxed(theme: Theme, { title, lines, footer = '', columns, tone = theme.border }: Boxed): string[] {
  const { topLeft, topRight, bottomLeft, bottomRight, vertical } = theme.box;
  if (columns < 6) return lines.map((line) => cut(theme, line, columns));
  const edge = (left: string, label: string, right: string) => {
    const shown = label === '' ? '' : ` ${cut(theme, label, columns - 6)} `;
    const line = theme.box.horizontal.repeat(Math.max(columns - 3 - width(shown), 0));
    return tone(left + theme.box.horizontal) + shown + tone(line + right);
  };
  const side = tone(vertical);
  return [
    edge(topLeft, title === '' ? '' : theme.title(title), topRight),
    ...lines.map((line) => `${side} ${cell(theme, line, columns - 4)} ${side}`),
    edge(bottomLeft, footer, bottomRight),
  ];
}

/** A box over a body that is faint meanwhile, in its middle or near its top: exactly `size.rows` lines. */
export function overlay(
  theme: Theme,
  body: readonly string[],
  box: readonly string[],
  size: Size,
  at: 'middle' | 'top' = 'middle',
): string[] {
  const columns = Math.min(Math.max(0, ...box.map(width)), size.columns);
  const left = Math.floor((size.columns - columns) / 2);
  const free = Math.max(size.rows - box.length, 0);
  const top = at === 'top' ? Math.min(1, free) : Math.floor(free / 2);
  return page(body, size.rows).map((line, row) => {
    const behind = stripVTControlCharacters(line);
    const over = box[row - top];
    if (over === undefined) return theme.faint(cut(theme, behind, size.columns));
    const after = slice(behind, left + columns, size.columns);
    // A wide character that the box covers by half leaves a blank.
    const blank = ' '.repeat(Math.max(Math.min(width(behind), size.columns) - left - columns - width(after), 0));
    const before = slice(behind, 0, left);
    const air = ' '.repeat(left - width(before));
    return theme.faint(before) + air + cell(theme, over, columns) + theme.faint(blank + after);
  });
}

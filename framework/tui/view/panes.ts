import type { Size } from '../model/data.ts';
import { filled } from './bars.ts';
import { rule } from './lines.ts';
import type { Theme } from './theme.ts';

const WIDE = 140;

/** A list, and what there is to say of the line under its cursor. */
export interface Panes {
  readonly list: Size;
  readonly detail: Size;
  /** Otherwise below. */
  readonly beside: boolean;
}

/** The room of both: the detail is beside the list where there is room for that, and below it otherwise. @param length of the list. */
export function panesOf(length: number, { columns, rows }: Size): Panes {
  if (columns >= WIDE) {
    const right = Math.floor(columns * 0.42);
    return { list: { columns: columns - right - 3, rows }, detail: { columns: right, rows }, beside: true };
  }
  const upper = Math.min(length + 1, Math.max(Math.floor(rows / 2), 3));
  const below = { columns: columns - 2, rows: Math.max(rows - upper - 1, 0) };
  return { list: { columns, rows: upper }, detail: below, beside: false };
}

export function joined(theme: Theme, panes: Panes, list: readonly string[], detail: readonly string[]): string[] {
  const { columns } = panes.list;
  if (!panes.beside) return [...list, rule(theme, columns), ...detail.map((line) => ` ${line}`)];
  const bar = theme.border(theme.box.vertical);
  return list.map((left, i) => `${filled(left, columns)} ${bar} ${detail[i] ?? ''}`);
}

import type { Grid, Size } from '../model/data.ts';
import { number, plural, visible } from './format.ts';
import { page } from './lines.ts';
import { firstShown, withScrollbar } from './list.ts';
import { cell, cut, width } from './text.ts';
import type { Theme } from './theme.ts';

/** Rows that follow each other. */
export interface GridPart {
  readonly rows: Grid['rows'];
  /** Number of the first of them, from 1. */
  readonly from: number;
}
export interface GridInput {
  readonly size: Size;
  readonly columns: Grid['columns'];
  /** In order; what lies between two of them is one line that says how much it is. */
  readonly parts: readonly GridPart[];
  /** How many rows there are in all. */
  readonly total: number;
  /** First line of rows that is shown, and first column. */
  readonly row: number;
  readonly column: number;
}

/** No column is wider, so that others are seen. */
const WIDEST = 40;
const GAP = 2;
/** A column that is cut to less says nothing. */
const LEAST = 6;

type Line = { readonly row: readonly string[]; readonly at: number } | { readonly skipped: number };

/** Rows of data with names and types of their columns: exactly `size.rows` lines. */
export function gridView(input: GridInput, theme: Theme): string[] {
  const { size, columns, parts, row } = input;
  const lines = linesOf(parts);
  const height = heightOf(size);
  const first = firstShown(lines.length, height, row, -1);
  const shown = lines.slice(first, first + height);
  const digits = parts.reduce((most, { rows, from }) => Math.max(most, number(from + rows.length - 1).length), 1);
  const gutter = digits + 1 + GAP;
  const placed = place(input, size.columns - gutter - 1);
  const left = placed[0]?.at ?? 0;
  const hidden = columns.length - left - placed.length;
  const beside = (text: string) => theme.faint(cell(theme, text, digits + 1, 'right')) + ' '.repeat(GAP);
  const title = (pick: (column: Grid['columns'][number]) => string, mark: string, paint: (text: string) => string) =>
    beside(mark) +
    placed
      .map(({ at, columns: room }) => {
        const column = columns[at];
        return column ? paint(cell(theme, visible(pick(column)), room, column.numeric ? 'right' : 'left')) : '';
      })
      .join(' '.repeat(GAP));
  const before = left === 0 ? '' : `+${left}`;
  const more = hidden === 0 ? '' : `+${hidden}`;
  const head = [title(({ name }) => name, before, theme.strong), title(({ type }) => type, '', theme.faint)];
  const body = shown.map((line) => {
    if ('skipped' in line)
      return beside('') + theme.faint(`${theme.box.ellipsis} ${plural(line.skipped, 'row')} between`);
    const cells = placed.map(({ at, columns: room }) =>
      value(line.row[at] ?? '', columns[at]?.numeric ?? false, room, theme),
    );
    return beside(number(line.at)) + cells.join(' '.repeat(GAP));
  });
  const scrolled = withScrollbar(theme, page(body, height), { first, total: lines.length, columns: size.columns });
  const [names = '', types = ''] = head;
  const room = size.columns - width(more);
  return page(
    [cell(theme, names, room - 1) + (more === '' ? '' : ` ${theme.faint(more)}`), types, ...scrolled],
    size.rows,
  ).map((line) => cut(theme, line, size.columns));
}

/** Lines below names and types. */
const heightOf = ({ rows }: Size): number => Math.max(rows - 2, 0);

/** The largest first line that makes sense. */
export const gridScroll = ({ size, parts }: Pick<GridInput, 'size' | 'parts'>): number =>
  Math.max(linesOf(parts).length - heightOf(size), 0);

function value(text: string, numeric: boolean, room: number, theme: Theme): string {
  const shown = cell(theme, visible(text), room, numeric ? 'right' : 'left');
  return text === 'NULL' ? theme.faint(shown) : shown;
}

function linesOf(parts: readonly GridPart[]): Line[] {
  let next = 1;
  return parts.flatMap(({ rows, from }) => {
    if (rows.length === 0) return [];
    const skipped: Line[] = from > next ? [{ skipped: from - next }] : [];
    next = from + rows.length;
    return [...skipped, ...rows.map((row, i): Line => ({ row, at: from + i }))];
  });
}

interface Placed {
  /** Index of the column. */
  readonly at: number;
  readonly columns: number;
}

/** The columns that fit, from the first that is shown. The last one may be cut. */
function place({ columns, parts, column }: GridInput, room: number): Placed[] {
  const placed: Placed[] = [];
  let left = room;
  const start = Math.min(Math.max(column, 0), Math.max(columns.length - 1, 0));
  for (let at = start; at < columns.length; at++) {
    const wanted = widthOf(columns, parts, at);
    const cells = Math.min(wanted, left);
    if (cells < wanted && placed.length > 0 && (cells < LEAST || columns[at]?.numeric)) break;
    if (cells < 1) break;
    placed.push({ at, columns: cells });
    left -= cells + GAP;
  }
  return placed;
}

const widths = new WeakMap<Grid['columns'], number[]>();

/** As wide as its widest value; the same while one scrolls. */
function widthOf(columns: Grid['columns'], parts: readonly GridPart[], at: number): number {
  const known = widths.get(columns) ?? [];
  widths.set(columns, known);
  const found = known[at];
  if (found !== undefined) return found;
  const { name = '', type = '' } = columns[at] ?? {};
  let widest = Math.max(width(visible(name)), Math.min(width(type), 16), 1);
  for (const { rows } of parts) {
    for (const row of rows) {
      widest = Math.max(widest, width(visible(row[at] ?? '')));
      if (widest >= WIDEST) break;
    }
  }
  known[at] = Math.min(widest, WIDEST);
  return known[at] ?? 1;
}

import type { Size } from '../model/data.ts';
import { visible } from './format.ts';
import { find, marked, page, selectedLine } from './lines.ts';
import { symbolsOf } from './symbols.ts';
import { cell, cut } from './text.ts';
import type { Paint, Theme } from './theme.ts';

/** A column of a list. Columns are shown in the order in which they are given, and chosen by rank. */
export interface Column<Row> {
  readonly title: string;
  /** 0 is chosen first. Where one does not fit, no later one is tried. */
  readonly rank: number;
  /** Cells. What is left when every column has its least goes to columns by rank, until they have their most. */
  readonly least: number;
  readonly most: number;
  readonly align?: 'left' | 'right' | undefined;
  /** Exactly so many cells of a row, painted. */
  readonly draw: (row: Row, columns: number) => string;
}
export interface Placed<Row> {
  readonly column: Column<Row>;
  readonly columns: number;
}

/** Between two columns. */
const GAP = 2;

/** Which columns fit, and how wide each is. */
export function place<Row>(columns: readonly Column<Row>[], room: number): Placed<Row>[] {
  const byRank = columns.toSorted((a, b) => a.rank - b.rank);
  const widths = new Map<Column<Row>, number>();
  let left = room + GAP;
  for (const column of byRank) {
    const needed = column.least + GAP;
    if (widths.size > 0 && needed > left) break;
    widths.set(column, Math.max(Math.min(column.least, room), 0));
    left -= needed;
  }
  for (const column of byRank) {
    const least = widths.get(column);
    if (least === undefined || left <= 0) continue;
    const more = Math.min(column.most - column.least, left);
    if (more <= 0) continue;
    widths.set(column, least + more);
    left -= more;
  }
  return columns.flatMap((column) => {
    const columns = widths.get(column);
    return columns === undefined ? [] : [{ column, columns }];
  });
}

export const titleLine = <Row>(theme: Theme, placed: readonly Placed<Row>[]): string =>
  theme.faint(
    placed.map(({ column, columns }) => cell(theme, column.title, columns, column.align)).join(' '.repeat(GAP)),
  );
export const rowLine = <Row>(placed: readonly Placed<Row>[], row: Row): string =>
  placed.map(({ column, columns }) => column.draw(row, columns)).join(' '.repeat(GAP));

/** A plain text of exactly so many cells, with what is searched for marked. */
export function textCell(
  theme: Theme,
  text: string,
  columns: number,
  paint: Paint = (text) => text,
  words: readonly string[] = [],
): string {
  const shown = cell(theme, visible(text), columns);
  return words.length === 0 ? paint(shown) : marked(theme, shown, find(shown, words), paint);
}
export const rightCell = (theme: Theme, text: string, columns: number, paint: Paint = (text) => text): string =>
  paint(cell(theme, text, columns, 'right'));

/** Where a list must begin so that it is full and its cursor in sight. A cursor below 0 is none. */
export function firstShown(length: number, height: number, offset: number, cursor: number): number {
  const last = Math.max(length - Math.max(height, 1), 0);
  const at = Math.min(cursor, length - 1);
  const first = Math.min(Math.max(offset, 0), last);
  if (at >= 0 && at < first) return at;
  return at >= first + height ? Math.min(at - height + 1, last) : first;
}

/** Lines with a bar at their right that says where they are in the whole; none where everything is shown. */
export function withScrollbar(
  theme: Theme,
  lines: readonly string[],
  { first, total, columns }: { readonly first: number; readonly total: number; readonly columns: number },
): string[] {
  const height = lines.length;
  if (total <= height || height === 0 || columns < 2) return lines.map((line) => cut(theme, line, columns));
  const thumb = Math.max(Math.round((height / total) * height), 1);
  const from = Math.round((first / (total - height)) * (height - thumb));
  const { track, thumb: block } = symbolsOf(theme);
  return lines.map((line, i) => {
    const bar = i >= from && i < from + thumb ? theme.accent(block) : theme.border(track);
    return `${cell(theme, line, columns - 1)}${bar}`;
  });
}

export interface List<Row> {
  readonly rows: readonly Row[];
  /** Index of the row that is chosen; -1 for none. */
  readonly cursor: number;
  readonly offset: number;
  readonly columns: readonly Column<Row>[];
  readonly size: Size;
  /** False where another pane has the keys: the cursor is a mark then, not a bar. */
  readonly focused?: boolean | undefined;
}

/** Titles and the rows in sight: exactly `size.rows` lines. */
export function list<Row>({ rows, cursor, offset, columns, size, focused = true }: List<Row>, theme: Theme): string[] {
  const height = Math.max(size.rows - 1, 0);
  const first = firstShown(rows.length, height, offset, cursor);
  const scrolls = rows.length > height && size.columns > 1;
  const room = size.columns - (scrolls ? 1 : 0);
  const placed = place(columns, room - 2);
  const chosen = Math.min(cursor, rows.length - 1);
  const lines = rows.slice(first, first + height).map((row, i) => {
    const line = rowLine(placed, row);
    if (first + i !== chosen) return ` ${line}`;
    return focused ? selectedLine(theme, ` ${line}`, room) : theme.accent(theme.box.pointer) + line;
  });
  const titles = cut(theme, ` ${titleLine(theme, placed)}`, size.columns);
  return page(
    [titles, ...withScrollbar(theme, page(lines, height), { first, total: rows.length, columns: size.columns })],
    size.rows,
  );
}

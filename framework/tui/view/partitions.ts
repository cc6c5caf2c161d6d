import type { PartitionDetail, Size } from '../model/data.ts';
import { columnCount, type HeatAxes, type HeatShape, type ShownHeatMap, timeOnColumns } from '../model/heat-axes.ts';
import { filterOf, type HeatState, type HeatWindow, selectionOf } from '../model/heatmap.ts';
import { legend } from './bars.ts';
import { detailLines } from './detail.ts';
import { number, percent, plural, visible } from './format.ts';
import { cellsLine, FIGURES, shadesText } from './heat-cells.ts';
import { besideRuler, rulerLines } from './heat-ruler.ts';
import { emptyState, ends, page, rule } from './lines.ts';
import { symbolsOf } from './symbols.ts';
import { cell, cut, width } from './text.ts';
import type { Theme } from './theme.ts';

/** Where everything is; cells are of the terminal. */
export interface HeatLayout {
  /** How many cells of the map are visible. */
  readonly window: HeatWindow;
  readonly labelWidth: number;
  readonly cellWidth: number;
  /** Of the map with its labels. */
  readonly mapWidth: number;
  /** What is said about the cell under the cursor. */
  readonly pane: (Size & { readonly side: 'right' | 'bottom' }) | undefined;
}

export interface PartitionsInput {
  readonly size: Size;
  readonly map: ShownHeatMap;
  readonly shape: HeatShape;
  readonly state: HeatState;
  /** Of the cell's one partition, or of the worst one in it; undefined while it is being read, and for an empty cell. */
  readonly detail: PartitionDetail | undefined;
}

/** Axes, two lines of ruler, the cell under the cursor, the legend. */
const AROUND = 5;
/** The pointer, a blank after the label, the scroll bar. */
const BESIDE = 3;
const WIDE = 110;
const TALL = 28;

const labelWidths = new WeakMap<readonly string[], number>();

/** The widest label, of all rows: scrolling must not move the map. */
function widestLabel({ rows }: HeatShape): number {
  const known = labelWidths.get(rows);
  if (known !== undefined) return known;
  const widest = rows.reduce((most, label) => Math.max(most, width(visible(label))), 0);
  labelWidths.set(rows, widest);
  return widest;
}

/** How many cells fit, and how wide they are. The window is what the cursor's functions want to know. */
export function heatLayout({ columns, rows }: Size, shape: HeatShape, axes: HeatAxes): HeatLayout {
  const right = columns >= WIDE ? Math.min(Math.max(Math.floor(columns * 0.3), 40), 70) : 0;
  const bottom = right === 0 && rows >= TALL ? Math.floor(rows * 0.3) : 0;
  const mapWidth = columns - (right > 0 ? right + 3 : 0);
  const labelWidth = Math.max(Math.min(widestLabel(shape), 24, Math.floor(mapWidth / 4)), 1);
  const room = Math.max(mapWidth - labelWidth - BESIDE, 0);
  const cellWidth = cellWidthOf(shape, axes, room);
  const mapRows = Math.max(rows - AROUND - bottom, 0);
  return {
    window: { rows: mapRows, columns: Math.floor(room / cellWidth) },
    labelWidth,
    cellWidth,
    mapWidth,
    pane:
      right > 0
        ? { side: 'right', columns: right, rows }
        : bottom > 1
          ? { side: 'bottom', columns, rows: bottom }
          : undefined,
  };
}

/** As wide as all columns allow: figures, squares, or one cell of the terminal each. */
function cellWidthOf(shape: HeatShape, axes: HeatAxes, room: number): number {
  const columns = columnCount(shape, axes);
  const each = Math.floor(room / Math.max(columns, 1));
  const time = timeOnColumns(shape, axes);
  const single = time !== undefined && axes.zoom === 'partition';
  if (each >= FIGURES && !single) {
    const widest = shape.columns.reduce((most, label) => Math.max(most, width(label) + 1), FIGURES);
    return time ? FIGURES : Math.min(each, widest, 16);
  }
  return each >= 2 ? 2 : 1;
}

/** The heat map of an asset: exactly `size.rows` lines. `map` is to be what {@link heatLayout} says fits. */
export function partitionsView(input: PartitionsInput, theme: Theme): string[] {
  const { size, map, shape, state } = input;
  if (map.rowCount === 0 || map.columnCount === 0) {
    const hint = map.selectors.some(({ index }) => index > 0)
      ? 'Choose other values of the dimensions that are on no axis.'
      : 'They appear when the sources upstream have been observed.';
    return emptyState(theme, size, `${visible(map.asset)} has no partitions here.`, hint);
  }
  const layout = heatLayout(size, shape, state);
  const { pane, mapWidth, window } = layout;
  if (window.rows < 1 || window.columns < 1) return page([cellLine(input, layout, theme)], size.rows);
  const left = [
    axesLine(input, layout, theme),
    ...mapLines(input, layout, theme),
    cellLine(input, layout, theme),
    legendLine(input, layout, theme),
  ];
  if (pane?.side === 'bottom') left.push(...paneLines(input, pane, theme));
  const lines = page(left, size.rows);
  if (pane?.side !== 'right') return lines;
  const beside = paneLines(input, pane, theme);
  const border = theme.border(theme.box.vertical);
  // Measuring a line of many colours takes longer than drawing it, so those of the map come in their full width.
  const isMap = (i: number) => i > 2 && i <= map.rows.length + 2;
  return lines.map((line, i) => `${isMap(i) ? line : cell(theme, line, mapWidth)} ${border} ${beside[i] ?? ''}`);
}

function axesLine({ map }: PartitionsInput, { mapWidth, window }: HeatLayout, theme: Theme): string {
  const { up, down } = symbolsOf(theme);
  const right = theme.unicode ? '→' : '>';
  const rows = map.rowDimension === '' ? [] : [`${theme.accent(down)} ${visible(map.rowDimension)}`];
  const by = map.columnGrain === undefined ? '' : theme.faint(` by ${map.columnGrain}`);
  const columns = map.columnDimension === '' ? [] : [`${theme.accent(right)} ${visible(map.columnDimension)}${by}`];
  const selectors = map.selectors.map(({ dimension, value, index, of }) => {
    const place = theme.faint(index === 0 ? ` of ${number(of)}` : ` ${number(index)}/${number(of)}`);
    return `${theme.faint(visible(dimension))} ${index === 0 ? value : theme.strong(visible(value))}${place}`;
  });
  const last = Math.min(map.firstRow + window.rows, map.rowCount);
  const where =
    map.rowCount > window.rows
      ? theme.faint(`${up}${down} ${number(map.firstRow + 1)}–${number(last)} of ${number(map.rowCount)} `)
      : '';
  return ends(
    theme,
    ` ${[...rows, ...columns, ...selectors].join('  ')}`,
    theme.unicode ? where : where.replace('–', '-'),
    mapWidth,
  );
}

function mapLines({ map, shape, state }: PartitionsInput, layout: HeatLayout, theme: Theme): string[] {
  const { labelWidth, cellWidth, window, mapWidth } = layout;
  const selection = selectionOf(state, shape);
  const from = selection.columns[0] - map.firstColumn;
  const to = selection.columns[1] - map.firstColumn;
  const { track, thumb } = symbolsOf(theme);
  const scrolls = map.rowCount > window.rows;
  const length = Math.max(Math.round((window.rows / map.rowCount) * window.rows), 1);
  const top = Math.round((map.firstRow / Math.max(map.rowCount - window.rows, 1)) * (window.rows - length));
  const unused = ' '.repeat(mapWidth - labelWidth - BESIDE - map.columns.length * cellWidth);
  const rows = map.rows.map((row, r) => {
    const at = map.firstRow + r;
    const chosen = at === state.row;
    const label = cell(theme, visible(row.label), labelWidth);
    const inside = at >= selection.rows[0] && at < selection.rows[1];
    const range = state.anchor ? { from, to } : { from: 0, to: 0 };
    const marks = inside ? { cursor: chosen ? state.column - map.firstColumn : -1, ...range } : undefined;
    const begin = chosen
      ? theme.accent(theme.box.pointer) + theme.strong(label)
      : ` ${inside ? theme.strong(label) : label}`;
    const bar = !scrolls ? ' ' : r >= top && r < top + length ? theme.accent(thumb) : theme.border(track);
    return `${begin} ${cellsLine(row, cellWidth, marks, theme)}${unused}${bar}`;
  });
  const corner = besideRuler(theme, '', labelWidth + 2);
  const rulers = rulerLines(map, cellWidth, state.column, theme).map((line) => corner + line);
  return page([...rulers, ...rows], window.rows + 2);
}

/** What is under the cursor. */
function cellLine({ map, state }: PartitionsInput, { mapWidth }: HeatLayout, theme: Theme): string {
  const row = map.rows[state.row - map.firstRow];
  const at = state.column - map.firstColumn;
  const total = row?.total[at] ?? 0;
  const worst = row?.worst[at] ?? 'none';
  const name = [map.rowDimension === '' ? '' : visible(row?.label ?? ''), visible(map.columns[at]?.label ?? '')];
  const shown = worst === 'none' ? '' : theme.status[worst](`${theme.glyph[worst]} ${worst}`);
  const fresh = `${percent(row?.fresh[at] ?? 0, total)} fresh`;
  const what =
    total === 0
      ? theme.faint('no partition')
      : total === 1
        ? shown
        : `${plural(total, 'partition')}, ${fresh}, worst ${shown}`;
  const left = ` ${theme.accent(theme.box.pointer)} ${theme.strong(name.filter((part) => part !== '').join(' '))}  ${what}`;
  return cut(theme, left, mapWidth);
}

/** What the shapes mean; while a range is marked, what is in it. */
function legendLine({ map, shape, state }: PartitionsInput, { mapWidth }: HeatLayout, theme: Theme): string {
  if (state.anchor) {
    const { rows, columns } = selectionOf(state, shape);
    const cells = `${number(rows[1] - rows[0])} ${theme.unicode ? '×' : 'x'} ${number(columns[1] - columns[0])}`;
    const filter = filterOf(state, shape) ?? 'everything';
    return cut(theme, ` ${theme.accent(`marked ${cells}`)}  ${visible(filter)}`, mapWidth);
  }
  const statuses = legend(theme, map.counts, mapWidth - 1);
  const sums = map.rows.some(({ total }) => total.some((count) => count > 1));
  const shades = sums ? theme.faint(`  ${shadesText(theme)}`) : '';
  const fits = 1 + width(statuses) + width(shades) <= mapWidth;
  return cut(theme, ` ${statuses}${fits ? shades : ''}`, mapWidth);
}

function paneLines(
  { map, state, detail }: PartitionsInput,
  pane: NonNullable<HeatLayout['pane']>,
  theme: Theme,
): string[] {
  const total = map.rows[state.row - map.firstRow]?.total[state.column - map.firstColumn] ?? 0;
  const several = total > 1 ? `the worst of ${plural(total, 'partition')}` : '';
  const head =
    pane.side === 'bottom' ? [rule(theme, pane.columns, several)] : several === '' ? [] : [theme.faint(several), ''];
  const nothing = total === 0 ? 'no partition here' : `reading ${theme.box.ellipsis}`;
  const room = pane.columns - (pane.side === 'bottom' ? 1 : 0);
  const body = detail ? detailLines(detail, room, theme) : [theme.faint(nothing)];
  const indent = pane.side === 'bottom' ? ' ' : '';
  const lines = [...head, ...body.map((line) => indent + line)].map((line) => cut(theme, line, pane.columns));
  return page(lines, pane.rows);
}

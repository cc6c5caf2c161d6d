import { encodeValue } from '../../partition/terms.ts';
import { formatIndex, indexAt, parseInstantRange, parseInstantSpan, startOf } from '../../partition/time.ts';
import type { ShownStatus, StatusCounts } from './data.ts';
import {
  bucketsOf,
  columnCount,
  columnOf,
  columnRange,
  type HeatAxes,
  type HeatDimension,
  type HeatShape,
  type HeatTime,
  selectedTimes,
  selectedValue,
  selectorsOf,
  timeOnColumns,
  zoomGrain,
  zoomsOf,
} from './heat-axes.ts';

// The heat map as a place to move about in: cursor, scrolling, a marked range.

/** How many cells are visible. */
export interface HeatWindow {
  readonly rows: number;
  readonly columns: number;
}

export interface HeatState extends HeatAxes {
  readonly row: number;
  readonly column: number;
  readonly firstRow: number;
  readonly firstColumn: number;
  /** The time under the cursor, which zooming keeps. */
  readonly time: number;
  /** What is under the cursor, by which it is found again when there are other rows and columns: see {@link fitted}. */
  readonly rowValue: string;
  readonly columnValue: string;
  readonly anchor: HeatAnchor | undefined;
}

/** Where a range was begun: a row, and the half-open range of its column (see {@link columnRange}). */
export interface HeatAnchor {
  readonly row: number;
  readonly rowValue: string;
  readonly from: number;
  readonly to: number;
  readonly columnValue: string;
}

/** The cursor on the newest column of the first row. */
export function startHeat(axes: HeatAxes, shape: HeatShape, window: HeatWindow): HeatState {
  const origin = { row: 0, column: 0, firstRow: 0, firstColumn: 0, time: 0, rowValue: '', columnValue: '' };
  return goTo({ ...axes, ...origin, anchor: undefined }, shape, window, 0, columnCount(shape, axes) - 1);
}

const clamp = (value: number, lo: number, hi: number): number => Math.max(lo, Math.min(value, hi));

/** Scrolls just so far that a place is visible. */
function scrolled(first: number, at: number, visible: number, count: number): number {
  const shown = Math.max(visible, 1);
  return clamp(clamp(first, at - shown + 1, at), 0, Math.max(count - shown, 0));
}

/** The cursor on a cell, or on the nearest one there is. `time` is kept where the column holds it. */
export function goTo(state: HeatState, shape: HeatShape, window: HeatWindow, row: number, column: number): HeatState {
  const columns = columnCount(shape, state);
  const r = clamp(row, 0, Math.max(shape.rows.length - 1, 0));
  const c = clamp(column, 0, Math.max(columns - 1, 0));
  const time = timeOnColumns(shape, state);
  const [from, to] = columnRange(shape, state, c);
  const kept = !time || (state.time >= from && state.time < to);
  return {
    ...state,
    row: r,
    column: c,
    firstRow: scrolled(state.firstRow, r, window.rows, shape.rows.length),
    firstColumn: scrolled(state.firstColumn, c, window.columns, columns),
    time: kept ? state.time : clamp(from, time.first, time.end - 1),
    rowValue: shape.rows[r] ?? state.rowValue,
    columnValue: shape.columns[c] ?? state.columnValue,
  };
}

export const moveBy = (state: HeatState, shape: HeatShape, window: HeatWindow, rows: number, columns: number) =>
  goTo(state, shape, window, state.row + rows, state.column + columns);

/** By screens. What was the first line becomes the last one or the reverse, as far as there is more. */
export function pageBy(state: HeatState, shape: HeatShape, window: HeatWindow, rows: number, columns: number) {
  const down = rows * Math.max(window.rows - 1, 1);
  const right = columns * Math.max(window.columns - 1, 1);
  const turned = { ...state, firstRow: state.firstRow + down, firstColumn: state.firstColumn + right };
  return moveBy(turned, shape, window, down, right);
}

/** To the first or the last row, column, or both. */
export function toEdge(
  state: HeatState,
  shape: HeatShape,
  window: HeatWindow,
  edge: { readonly rows?: 'first' | 'last'; readonly columns?: 'first' | 'last' },
): HeatState {
  const to = (end: 'first' | 'last' | undefined, at: number, count: number) =>
    end === undefined ? at : end === 'first' ? 0 : count - 1;
  return goTo(
    state,
    shape,
    window,
    to(edge.rows, state.row, shape.rows.length),
    to(edge.columns, state.column, columnCount(shape, state)),
  );
}

/** Coarser (1) or finer (-1); the time under the cursor stays where it is on the screen. */
export function zoomBy(state: HeatState, shape: HeatShape, window: HeatWindow, by: 1 | -1): HeatState {
  const time = timeOnColumns(shape, state);
  const zooms = zoomsOf(time?.grain);
  const zoom = zooms[clamp(Math.max(zooms.indexOf(state.zoom), 0) + by, 0, zooms.length - 1)] ?? 'partition';
  const zoomed = { ...state, zoom };
  const column = time ? columnOf(shape, zoomed, state.time) : state.column;
  const firstColumn = column - (state.column - state.firstColumn);
  return goTo({ ...zoomed, firstColumn }, shape, window, state.row, column);
}

/**
 * To `2020`, `2020-01`, `2020-01-31` or `2020-01-31T05`: the first time that begins in it, or the one that holds it; or the nearest there
 * is. Undefined where the text is no time, or time is not on the columns.
 */
export function toDate(state: HeatState, shape: HeatShape, window: HeatWindow, text: string): HeatState | undefined {
  const instants = parseInstantRange(text.trim());
  const time = timeOnColumns(shape, state);
  if (!instants || !time) return undefined;
  const { grain, first, end } = time;
  const holds = indexAt(grain, instants.fromMs);
  const begins = startOf(grain, holds) < instants.fromMs && startOf(grain, holds + 1) < instants.toMs;
  const at = clamp(begins ? holds + 1 : holds, first, end - 1);
  return goTo({ ...state, time: at }, shape, window, state.row, columnOf(shape, state, at));
}

/**
 * What is to be done before anything else when the lake, the axes or the window may have changed: the cursor stays on its row's value and
 * its time, as far as they are still there, and in sight. Nothing changes where nothing has.
 */
export function fitted(state: HeatState, shape: HeatShape, window: HeatWindow): HeatState {
  const find = (values: readonly string[], value: string, at: number): number => {
    const found = values[at] === value ? at : values.indexOf(value);
    return found < 0 ? at : found;
  };
  const time = timeOnColumns(shape, state);
  const { anchor } = state;
  const row = find(shape.rows, state.rowValue, state.row);
  const column = time
    ? columnOf(shape, state, clamp(state.time, time.first, time.end - 1))
    : find(shape.columns, state.columnValue, state.column);
  const from = anchor && !time ? find(shape.columns, anchor.columnValue, anchor.from) : anchor?.from;
  const moved = anchor &&
    from !== undefined && {
      ...anchor,
      row: clamp(find(shape.rows, anchor.rowValue, anchor.row), 0, Math.max(shape.rows.length - 1, 0)),
      from,
      to: time ? anchor.to : from + 1,
    };
  const firstRow = state.firstRow + row - state.row;
  const firstColumn = state.firstColumn + column - state.column;
  return goTo({ ...state, anchor: moved || undefined, firstRow, firstColumn }, shape, window, row, column);
}

// --- axes and selectors: `fitted` to the new shape afterwards -----------------------------------------------------------------

const next = <T>(all: readonly T[], at: T, by: number): T | undefined =>
  all[(((all.indexOf(at) + by) % all.length) + all.length) % all.length];

/** Another dimension down the rows: each listed one, and none. If it was on the columns, the two change places. */
export function cycleRows(state: HeatState, { dimensions }: HeatShape, by: 1 | -1 = 1): HeatState {
  const listed = dimensions.filter(({ grain }) => grain === undefined).map(({ name }) => name);
  const time = dimensions.find(({ grain }) => grain !== undefined)?.name;
  const rows = next([...listed, ''], state.rows, by) ?? '';
  const columns = rows !== '' && rows === state.columns ? state.rows || (time ?? '') : state.columns;
  return { ...state, rows, columns, anchor: undefined };
}

/** Another dimension along the columns: time, and each listed one that is not down the rows. */
export function cycleColumns(state: HeatState, { dimensions }: HeatShape, by: 1 | -1 = 1): HeatState {
  const usable = dimensions
    .filter(({ name }) => name !== state.rows)
    .toSorted((a, b) => Number(b.grain !== undefined) - Number(a.grain !== undefined))
    .map(({ name }) => name);
  return { ...state, columns: next(usable, state.columns, by) ?? '', column: 0, firstColumn: 0, anchor: undefined };
}

/** The next value of a dimension on neither axis, with "all" between the last and the first. */
export function cycleSelector(state: HeatState, shape: HeatShape, dimension: string, by: number): HeatState {
  const selector = selectorsOf(shape, state).find((one) => one.dimension === dimension);
  const own = shape.dimensions.find(({ name }) => name === dimension);
  if (!selector || !own) return state;
  const index = (((selector.index + by) % (selector.of + 1)) + selector.of + 1) % (selector.of + 1);
  const { [dimension]: _, ...others } = state.selectors;
  if (index === 0) return { ...state, selectors: others };
  const time = own.grain === undefined ? undefined : shape.time;
  const value = time
    ? formatIndex(zoomGrain(time.grain, state.zoom), bucketsOf(time, state.zoom)[0] + index - 1)
    : own.values[index - 1];
  return value === undefined ? state : { ...state, selectors: { ...others, [dimension]: value } };
}

// --- the marked range ----------------------------------------------------------------------------------------------------------

/** Begins a range at the cursor, or drops the one there is. */
export function toggleMark(state: HeatState, shape: HeatShape): HeatState {
  if (state.anchor) return { ...state, anchor: undefined };
  const [from, to] = columnRange(shape, state, state.column);
  const { row, rowValue, columnValue } = state;
  return { ...state, anchor: { row, rowValue, from, to, columnValue } };
}

/** The cells from where the range was begun to the cursor, or the cursor's alone: half-open. `times` are those of the columns. */
export interface HeatSelection {
  readonly rows: readonly [from: number, to: number];
  readonly columns: readonly [from: number, to: number];
  readonly times: readonly [from: number, to: number];
}
export function selectionOf(state: HeatState, shape: HeatShape): HeatSelection {
  const [from, to] = columnRange(shape, state, state.column);
  const anchor = state.anchor ?? { row: state.row, from, to };
  const times = [Math.min(from, anchor.from), Math.max(to, anchor.to)] as const;
  return {
    rows: [Math.min(state.row, anchor.row), Math.max(state.row, anchor.row) + 1],
    columns: [columnOf(shape, state, times[0]), columnOf(shape, state, times[1] - 1) + 1],
    times,
  };
}

/** What `--partitions` takes for the selected cells, e.g. `symbol=BTCUSDT|ETHUSDT,date=2020-01-01..2020-01-31`; undefined: everything. */
export function filterOf(state: HeatState, shape: HeatShape): string | undefined {
  const { rows, columns, times } = selectionOf(state, shape);
  const on = (labels: readonly string[], [from, to]: readonly [number, number]) =>
    to - from === labels.length ? [] : labels.slice(from, to);
  const valuesOf = (dimension: HeatDimension): readonly string[] => {
    if (dimension.grain !== undefined) {
      const range = dimension.name === state.columns ? times : selectedTimes(shape, state);
      return shape.time && range ? timesText(shape.time, range) : [];
    }
    if (dimension.name === state.rows) return on(shape.rows, rows).map(filterValue);
    if (dimension.name === state.columns) return on(shape.columns, columns).map(filterValue);
    const value = selectedValue(dimension, state);
    return value === undefined ? [] : [filterValue(value)];
  };
  const terms = shape.dimensions.flatMap((dimension) => {
    const values = valuesOf(dimension);
    return values.length === 0 ? [] : [`${dimension.name}=${values.join('|')}`];
  });
  return terms.length === 0 ? undefined : terms.join(',');
}

/** Both ends included, as far as there are partitions; nothing for all times. */
function timesText({ grain, first, end }: HeatTime, range: readonly [from: number, to: number]): readonly string[] {
  const [from, to] = [Math.max(range[0], first), Math.min(range[1], end)];
  if (from === first && to === end) return [];
  return [[...new Set([from, to - 1])].map((at) => formatIndex(grain, at)).join('..')];
}

/** A value that reads as a time would be taken for one, so one of its characters is written by its code. */
function filterValue(value: string): string {
  const text = encodeValue(value);
  if (text.includes('..')) return text.replaceAll('.', '%2E');
  const dated = parseInstantSpan(text) !== undefined || /^\d{4}-\d\d(-\d\d(T\d\d)?)?$/.test(text);
  return dated ? `%${text.charCodeAt(0).toString(16)}${text.slice(1)}` : text;
}

// --- trouble -------------------------------------------------------------------------------------------------------------------

/** What `n` and `N` look for: failures, and where there are none whatever is not as it should be. */
export function problemStatuses(counts: StatusCounts): ReadonlySet<ShownStatus> {
  const grave: readonly ShownStatus[] = ['failed', 'blocked'];
  const light: readonly ShownStatus[] = ['stale', 'missing', 'pending'];
  return new Set(grave.some((status) => counts[status] > 0) ? grave : light);
}

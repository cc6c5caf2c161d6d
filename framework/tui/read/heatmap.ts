import type { PartitionRef } from '../../partition/space.ts';
import { STATUSES } from '../../plan/evaluate.ts';
import type { HeatRow, ShownStatus } from '../model/data.ts';
import {
  columnCount,
  columnRange,
  type HeatAxes,
  type HeatShape,
  heatColumn,
  type ShownHeatMap,
  selectedTimes,
  selectorsOf,
  timeOnColumns,
  zoomGrain,
} from '../model/heat-axes.ts';
import { rowMaker } from './heat-cells.ts';
import { type HeatIndex, layoutOf, SEVERITY, within } from './heat-index.ts';

export { type HeatIndex, heatIndex } from './heat-index.ts';

/** Part of the map that is to be made. */
export interface Viewport {
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly columns: number;
}

/** How large the map is under these axes; the same object as long as they are the same. */
export const heatShape = (index: HeatIndex, axes: HeatAxes): HeatShape => layoutOf(index, axes).shape;

const shown = (rank: number): ShownStatus | 'none' => SEVERITY[rank] ?? 'none';

/** The visible part of the map. What lies outside of it is left out. */
export function heatMap(index: HeatIndex, axes: HeatAxes, viewport: Viewport): ShownHeatMap {
  const { shape, counts } = layoutOf(index, axes);
  const rowCount = shape.rows.length;
  const columnsInAll = columnCount(shape, axes);
  const firstRow = Math.min(Math.max(viewport.firstRow, 0), rowCount);
  const firstColumn = Math.min(Math.max(viewport.firstColumn, 0), columnsInAll);
  const columns = Math.max(Math.min(viewport.columns, columnsInAll - firstColumn), 0);
  const make = rowMaker(index, axes, firstColumn, columns);
  const rows = shape.rows.slice(firstRow, firstRow + Math.max(viewport.rows, 0)).map((label, r): HeatRow => {
    const { total, fresh, worst } = make(firstRow + r);
    return { label, worst: Array.from(worst, shown), total, fresh };
  });
  const time = timeOnColumns(shape, axes);
  return {
    asset: index.asset,
    rowDimension: axes.rows,
    columnDimension: axes.columns,
    columnGrain: time && zoomGrain(time.grain, axes.zoom),
    zoom: axes.zoom,
    selectors: selectorsOf(shape, axes),
    rowCount,
    columnCount: columnsInAll,
    firstRow,
    firstColumn,
    rows,
    columns: Array.from({ length: columns }, (_, c) => heatColumn(shape, axes, firstColumn + c)),
    counts,
  };
}

/** The partition in a cell that is to blame for how the cell looks: the first of the worst. Undefined in an empty cell. */
export function worstIn(index: HeatIndex, axes: HeatAxes, row: number, column: number): PartitionRef | undefined {
  const { shape, rows, places } = layoutOf(index, axes);
  const times = timeOnColumns(shape, axes)
    ? columnRange(shape, axes, column)
    : (selectedTimes(shape, axes) ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  let worst = 0;
  let found: PartitionRef | undefined;
  for (const one of rows[row] ?? []) {
    if (places.size > 0 && places.get(one) !== column) continue;
    const [from, to] = within(one, times);
    const { status } = one;
    for (let i = from; i < to; i++) {
      const rank = index.ranks[status[i] as number] as number;
      if (rank <= worst) continue;
      worst = rank;
      found = { values: one.values, time: one.base + i };
    }
  }
  return found;
}

/**
 * The next cell (1) or the one before (-1), row by row and round the ends, whose worst status is among the wanted ones. Undefined if
 * there is none but perhaps the cell it starts from.
 */
export function findCell(
  index: HeatIndex,
  axes: HeatAxes,
  from: { readonly row: number; readonly column: number },
  step: 1 | -1,
  wanted: ReadonlySet<ShownStatus>,
): { readonly row: number; readonly column: number } | undefined {
  const { shape, rows } = layoutOf(index, axes);
  const columns = columnCount(shape, axes);
  const make = rowMaker(index, axes, 0, columns);
  const codes = STATUSES.flatMap((status, code) => (wanted.has(status as ShownStatus) ? [code] : []));
  const looked = (row: number) => rows[row]?.some(({ counts }) => codes.some((code) => (counts[code] as number) > 0));
  const isWanted = Uint8Array.from(SEVERITY, (status) => (wanted.has(status as ShownStatus) ? 1 : 0));
  // The first row is looked at twice: after the cell, and at last before it.
  for (let n = 0; n <= rows.length; n++) {
    const row = (((from.row + step * n) % rows.length) + rows.length) % rows.length;
    if (!looked(row)) continue;
    const { worst } = make(row);
    let column = n === 0 ? from.column + step : step === 1 ? 0 : columns - 1;
    for (; column >= 0 && column < columns; column += step) {
      if (n === rows.length && column === from.column) break;
      if (isWanted[worst[column] as number]) return { row, column };
    }
  }
  return undefined;
}

import type { Grain } from '../../partition/time.ts';
import type { Zoom } from '../model/data.ts';
import {
  bucketOf,
  columnRange,
  type HeatAxes,
  type HeatTime,
  selectedTimes,
  timeOnColumns,
  zoomGrain,
} from '../model/heat-axes.ts';
import { FRESH, type HeatIndex, layoutOf, type Series, summaryGrain, summaryOf } from './heat-index.ts';

/** Cells side by side that are being summed up; `worst` are ranks of severity. */
export interface Cells {
  readonly total: Uint32Array;
  readonly fresh: Uint32Array;
  readonly worst: Uint8Array;
}

const newCells = (length: number): Cells => ({
  total: new Uint32Array(length),
  fresh: new Uint32Array(length),
  worst: new Uint8Array(length),
});

function add(cells: Cells, at: number, total: number, fresh: number, worst: number): void {
  cells.total[at] = (cells.total[at] as number) + total;
  cells.fresh[at] = (cells.fresh[at] as number) + fresh;
  if (worst > (cells.worst[at] as number)) cells.worst[at] = worst;
}

/** Which times the cells of a row cover: cell `i` the units `[edges[i], edges[i + 1])`, which are times, or periods of summaries. */
interface Units {
  readonly grain: Grain;
  readonly summed: boolean;
  readonly edges: Int32Array;
}

/** The units of these half-open ranges of times, which follow each other and, above single times, begin and end with a period. */
function unitsOf({ grain }: HeatTime, zoom: Zoom, bounds: readonly number[]): Units {
  const summed = zoomGrain(grain, zoom) !== grain;
  const edge = (at: number) => (summed ? bucketOf(grain, summaryGrain(grain), at) : at);
  return { grain, summed, edges: Int32Array.from(bounds, edge) };
}

/** Adds a series to the cells from `at` on. */
function addSeries(index: HeatIndex, one: Series, { grain, summed, edges }: Units, cells: Cells, at: number): void {
  const { ranks } = index;
  const last = edges.length - 1;
  if (!summed) {
    const { status } = one;
    for (let c = 0; c < last; c++) {
      const [from, to] = [Math.max((edges[c] as number) - one.base, one.from), (edges[c + 1] as number) - one.base];
      for (let i = from; i < Math.min(to, one.to); i++) {
        const rank = ranks[status[i] as number] as number;
        if (rank !== 0) add(cells, at + c, 1, rank === FRESH ? 1 : 0, rank);
      }
    }
    return;
  }
  const { base, total, fresh, worst } = summaryOf(one, grain, index);
  for (let c = 0; c < last; c++) {
    const to = Math.min((edges[c + 1] as number) - base, total.length);
    for (let i = Math.max((edges[c] as number) - base, 0); i < to; i++) {
      add(cells, at + c, total[i] as number, fresh[i] as number, worst[i] as number);
    }
  }
}

/** Makes the cells `[firstColumn, firstColumn + columns)` of rows. */
export function rowMaker(
  index: HeatIndex,
  axes: HeatAxes,
  firstColumn: number,
  columns: number,
): (row: number) => Cells {
  const { shape, rows, places } = layoutOf(index, axes);
  const time = timeOnColumns(shape, axes);
  if (time) {
    const bounds = Array.from({ length: columns + 1 }, (_, i) => columnRange(shape, axes, firstColumn + i)[0]);
    const units = unitsOf(time, axes.zoom, bounds);
    return (row) => {
      const cells = newCells(columns);
      for (const one of rows[row] ?? []) addSeries(index, one, units, cells, 0);
      return cells;
    };
  }
  const times = selectedTimes(shape, axes);
  const units = times && index.time && unitsOf(index.time, axes.zoom, times);
  return (row) => {
    const cells = newCells(columns);
    for (const one of rows[row] ?? []) {
      const at = (places.get(one) ?? 0) - firstColumn;
      if (at < 0 || at >= columns) continue;
      if (units) addSeries(index, one, units, cells, at);
      else addCounts(index, one, cells, at);
    }
    return cells;
  };
}

function addCounts({ ranks }: HeatIndex, { counts }: Series, cells: Cells, at: number): void {
  for (let code = 0; code < counts.length; code++) {
    const count = counts[code] as number;
    const rank = ranks[code] as number;
    if (count > 0 && rank !== 0) add(cells, at, count, rank === FRESH ? count : 0, rank);
  }
}

import { formatIndex, type Grain, indexAt, parseIndex, startOf } from '../../partition/time.ts';
import type { HeatColumn, HeatMap, Zoom } from './data.ts';

// Which dimensions of an asset are where on its heat map, and what its columns are. Time is in indices of the asset's own grain
// throughout; a period belongs to the month (or year, …) in which it starts.

export interface HeatDimension {
  readonly name: string;
  /** Of the dimension of time. */
  readonly grain: Grain | undefined;
  /** In the order in which they are drawn; none for time. */
  readonly values: readonly string[];
}

/** What is where. The dimensions on neither axis are fixed to a value by `selectors`, or summed up where they are not in it. */
export interface HeatAxes {
  /** A listed dimension; `''` puts everything into one row. */
  readonly rows: string;
  /** The dimension of time or a listed one; `''` where the asset has none to offer. */
  readonly columns: string;
  readonly zoom: Zoom;
  /** Values by dimension; of time a period at this zoom, as printed. */
  readonly selectors: Readonly<Record<string, string>>;
}

/** How large the map is under given axes: made by `heatShape` in `read/`. */
export interface HeatShape {
  readonly asset: string;
  readonly dimensions: readonly HeatDimension[];
  /** Values of the row dimension that have partitions under the selectors; without a row dimension the asset's key alone. */
  readonly rows: readonly string[];
  /** The same of a listed column dimension; one empty text without a column dimension; empty for time. */
  readonly columns: readonly string[];
  /** The half-open extent of time over all partitions; absent without time or without partitions. */
  readonly time: HeatTime | undefined;
}
export interface HeatTime {
  readonly name: string;
  readonly grain: Grain;
  readonly first: number;
  readonly end: number;
}

/** A heat map that says of what grain its columns are; undefined for a listed dimension. */
export interface ShownHeatMap extends HeatMap {
  readonly columnGrain: Grain | undefined;
}

/** Time goes to the right; down go the values of the listed dimension that has most of them. */
export function defaultAxes(dimensions: readonly HeatDimension[]): HeatAxes {
  const listed = dimensions
    .filter(({ grain }) => grain === undefined)
    .toSorted((a, b) => b.values.length - a.values.length);
  const time = dimensions.find(({ grain }) => grain !== undefined);
  return {
    rows: listed[0]?.name ?? '',
    columns: time?.name ?? listed[1]?.name ?? '',
    zoom: 'partition',
    selectors: {},
  };
}

// --- columns -----------------------------------------------------------------------------------------------------------------

/** From fine to coarse. */
export function zoomsOf(grain: Grain | undefined): readonly Zoom[] {
  if (grain === undefined || grain === 'year') return ['partition'];
  return grain === 'month' ? ['partition', 'year'] : ['partition', 'month', 'year'];
}

/** What a column of time covers: hours are summed up to days and months, all others to months and years. */
export function zoomGrain(grain: Grain, zoom: Zoom): Grain {
  if (zoom === 'partition' || grain === 'year') return grain;
  if (grain === 'hour') return zoom === 'month' ? 'day' : 'month';
  return grain === 'month' && zoom === 'month' ? 'month' : zoom;
}

/** The coarse period that a time belongs to. */
export const bucketOf = (grain: Grain, coarse: Grain, time: number): number => indexAt(coarse, startOf(grain, time));

/** The first time that belongs to a coarse period. */
export function bucketStart(grain: Grain, coarse: Grain, bucket: number): number {
  const start = startOf(coarse, bucket);
  const time = indexAt(grain, start);
  return startOf(grain, time) < start ? time + 1 : time;
}

/** The dimension of time, if it is on the columns. */
export const timeOnColumns = ({ time }: HeatShape, axes: HeatAxes): HeatTime | undefined =>
  time?.name === axes.columns ? time : undefined;

/** The first and the last coarse period of an asset's time at a zoom. */
export function bucketsOf({ grain, first, end }: HeatTime, zoom: Zoom): readonly [first: number, last: number] {
  const coarse = zoomGrain(grain, zoom);
  return [bucketOf(grain, coarse, first), bucketOf(grain, coarse, end - 1)];
}

export function columnCount(shape: HeatShape, axes: HeatAxes): number {
  const time = timeOnColumns(shape, axes);
  if (!time) return shape.columns.length;
  const [first, last] = bucketsOf(time, axes.zoom);
  return last - first + 1;
}

/** Times of a column, or for a listed dimension its own place: half-open. */
export function columnRange(shape: HeatShape, axes: HeatAxes, column: number): readonly [from: number, to: number] {
  const time = timeOnColumns(shape, axes);
  if (!time) return [column, column + 1];
  const [first] = bucketsOf(time, axes.zoom);
  const coarse = zoomGrain(time.grain, axes.zoom);
  return [bucketStart(time.grain, coarse, first + column), bucketStart(time.grain, coarse, first + column + 1)];
}

export function heatColumn(shape: HeatShape, axes: HeatAxes, column: number): HeatColumn {
  const [from, to] = columnRange(shape, axes, column);
  const time = timeOnColumns(shape, axes);
  if (!time) return { label: shape.columns[column] ?? '', from, to };
  const [first] = bucketsOf(time, axes.zoom);
  return { label: formatIndex(zoomGrain(time.grain, axes.zoom), first + column), from, to };
}

/** The column in which a time (or for a listed dimension a place) is, which may be outside. */
export function columnOf(shape: HeatShape, axes: HeatAxes, at: number): number {
  const time = timeOnColumns(shape, axes);
  if (!time) return at;
  const [first] = bucketsOf(time, axes.zoom);
  return bucketOf(time.grain, zoomGrain(time.grain, axes.zoom), at) - first;
}

// --- selectors -----------------------------------------------------------------------------------------------------------------

/** The value a listed dimension on neither axis is fixed to; undefined: all of them. */
export function selectedValue({ name, values }: HeatDimension, axes: HeatAxes): string | undefined {
  const chosen = axes.selectors[name];
  return name !== axes.rows && name !== axes.columns && chosen !== undefined && values.includes(chosen)
    ? chosen
    : undefined;
}

/** The coarse period that time is fixed to where it is on neither axis; undefined: all of it. */
function selectedBucket(time: HeatTime | undefined, axes: HeatAxes): number | undefined {
  const chosen = time && time.name !== axes.columns ? axes.selectors[time.name] : undefined;
  if (!time || chosen === undefined) return undefined;
  const [first, last] = bucketsOf(time, axes.zoom);
  const bucket = parseIndex(zoomGrain(time.grain, axes.zoom), chosen);
  return bucket !== undefined && bucket >= first && bucket <= last ? bucket : undefined;
}

/** The half-open times of the period that is selected where time is on neither axis; undefined: all. */
export function selectedTimes({ time }: HeatShape, axes: HeatAxes): readonly [from: number, to: number] | undefined {
  const bucket = selectedBucket(time, axes);
  if (!time || bucket === undefined) return undefined;
  const coarse = zoomGrain(time.grain, axes.zoom);
  return [bucketStart(time.grain, coarse, bucket), bucketStart(time.grain, coarse, bucket + 1)];
}

/** The dimensions on neither axis. `index` counts from 1; 0 sums up all values. */
export function selectorsOf(shape: HeatShape, axes: HeatAxes): HeatMap['selectors'] {
  const off = shape.dimensions.filter(({ name }) => name !== axes.rows && name !== axes.columns);
  return off.map((dimension) => {
    const { name, grain, values } = dimension;
    if (grain === undefined) {
      const value = selectedValue(dimension, axes);
      const index = value === undefined ? 0 : values.indexOf(value) + 1;
      return { dimension: name, value: value ?? 'all', index, of: values.length };
    }
    const [first, last] = shape.time ? bucketsOf(shape.time, axes.zoom) : [0, -1];
    const bucket = selectedBucket(shape.time, axes);
    const value = bucket === undefined ? 'all' : formatIndex(zoomGrain(grain, axes.zoom), bucket);
    return { dimension: name, value, index: bucket === undefined ? 0 : bucket - first + 1, of: last - first + 1 };
  });
}

import type { Grain } from '../../partition/time.ts';
import { type AssetEvaluation, type SeriesEvaluation, STATUSES, type Status } from '../../plan/evaluate.ts';
import { statusOf } from '../../plan/evaluated.ts';
import { SHOWN_STATUSES, type ShownStatus, type StatusCounts } from '../model/data.ts';
import {
  bucketOf,
  bucketStart,
  type HeatAxes,
  type HeatDimension,
  type HeatShape,
  type HeatTime,
  selectedTimes,
  selectedValue,
} from '../model/heat-axes.ts';

/** From harmless to severe: of a cell, the last one that occurs in it is shown. */
export const SEVERITY: readonly Status[] = [
  'none',
  'fresh',
  'unneeded',
  'unavailable',
  'awaiting',
  'leaving',
  'pending',
  'missing',
  'stale',
  'blocked',
  'failed',
];
/** By code of a status. */
const RANKS = Uint8Array.from(STATUSES, (status) => SEVERITY.indexOf(status));
export const FRESH = SEVERITY.indexOf('fresh');

/** One series summed up to the first coarser periods (months of days), which hold less than 256 times each. */
export interface Summary {
  /** The period of the first entries. */
  readonly base: number;
  readonly total: Uint8Array;
  readonly fresh: Uint8Array;
  readonly worst: Uint8Array;
}

/** A series of a map. */
export interface Series extends Pick<SeriesEvaluation, 'values' | 'base'> {
  /** Made when first asked for; kept from then on. */
  readonly status: Uint8Array;
  /** Its partitions are within these indices into `status`. */
  readonly from: number;
  readonly to: number;
  /** By code of a status. */
  readonly counts: Uint32Array;
  /** Made when first asked for. */
  summary: Summary | undefined;
}

/** The series of a map under given axes. */
export interface Layout {
  readonly key: string;
  readonly shape: HeatShape;
  readonly rows: readonly (readonly Series[])[];
  /** Place of each series on the columns; empty where they are not of a listed dimension. */
  readonly places: ReadonlyMap<Series, number>;
  readonly counts: StatusCounts;
}

/** What is worked out once per evaluation. It remembers what it is asked; treat it as opaque. */
export interface HeatIndex {
  readonly asset: string;
  readonly dimensions: readonly HeatDimension[];
  readonly time: HeatTime | undefined;
  readonly series: readonly Series[];
  readonly ranks: Uint8Array;
  layout: Layout | undefined;
}

const indexes = new WeakMap<AssetEvaluation, HeatIndex>();

/** The index of an evaluation; the same one each time. Takes what its runs take the first time. */
export function heatIndex(evaluation: AssetEvaluation): HeatIndex {
  const known = indexes.get(evaluation);
  if (known) return known;
  const { key, node } = evaluation;
  const ranks = RANKS.slice();
  // Of a source nothing leaves: what is there and the settings do not want is not counted anywhere.
  if (node.definition.kind === 'source') ranks[STATUSES.indexOf('leaving')] = 0;
  const series = Array.from(evaluation.series.values(), (one) => seriesOf(one, ranks)).filter(({ to }) => to > 0);
  const { space } = node;
  const dimensions = space.dimensions.map((dimension): HeatDimension => {
    if (dimension.type === 'time') return { name: dimension.name, grain: dimension.grain, values: [] };
    const found = new Set(series.map(({ values }) => values[dimension.name] ?? ''));
    const declared = dimension.values?.filter((value) => found.delete(value)) ?? [];
    return { name: dimension.name, grain: undefined, values: [...declared, ...[...found].sort(natural)] };
  });
  let [first, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { base, from, to } of series) {
    first = Math.min(first, base + from);
    end = Math.max(end, base + to);
  }
  const time = space.time && end > first ? { name: space.time.name, grain: space.time.grain, first, end } : undefined;
  const index: HeatIndex = { asset: key, dimensions, time, series, ranks, layout: undefined };
  indexes.set(evaluation, index);
  return index;
}

function seriesOf(evaluated: SeriesEvaluation, ranks: Uint8Array): Series {
  const { values, base } = evaluated;
  const counts = new Uint32Array(STATUSES.length);
  let from = 0;
  let to = 0;
  evaluated.eachRun((point, lo, hi) => {
    const code = statusOf(point);
    if (ranks[code] === 0) return;
    if (to === 0) from = lo;
    to = hi;
  });
  // Those without a rank are counted as well, where they are between others.
  evaluated.eachRun((point, lo, hi) => {
    const code = statusOf(point);
    counts[code] = (counts[code] as number) + Math.max(Math.min(hi, to) - Math.max(lo, from), 0);
  });
  let status: Uint8Array | undefined;
  return {
    values,
    base,
    get status() {
      status ??= evaluated.copyStatus();
      return status;
    },
    from,
    to,
    counts,
    summary: undefined,
  };
}

/** Entries by code. Four counters in turn, because waiting for one and the same takes five times as long. */
function countCodes(status: Uint8Array, from: number, to: number): Uint32Array {
  const size = STATUSES.length;
  const turns = new Uint32Array(4 * size);
  for (let i = from; i < to; i++) {
    const at = (i & 3) * size + (status[i] as number);
    turns[at] = (turns[at] as number) + 1;
  }
  const counts = new Uint32Array(size);
  for (let at = 0; at < turns.length; at++) counts[at % size] = (counts[at % size] as number) + (turns[at] as number);
  return counts;
}

/** Text order, but numbers by their value: `B2` before `B10`. */
function natural(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.match(/\d+|\D+/g) ?? []);
  for (let i = 0; left && right && i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i] ?? '', right[i] ?? ''];
    if (x === y) continue;
    const difference = Number(x) - Number(y);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

// --- axes --------------------------------------------------------------------------------------------------------------------

/** Which series are where under these axes. The last answer is remembered. */
export function layoutOf(index: HeatIndex, axes: HeatAxes): Layout {
  const { rows, columns, selectors } = axes;
  const { asset, dimensions, time } = index;
  const zoom = time && selectors[time.name] !== undefined ? axes.zoom : '';
  const key = JSON.stringify([rows, columns, zoom, Object.entries(selectors).sort()]);
  if (index.layout?.key === key) return index.layout;
  const listed = dimensions.filter(({ grain }) => grain === undefined);
  const fixed = listed.flatMap((dimension) => {
    const value = selectedValue(dimension, axes);
    return value === undefined ? [] : [{ name: dimension.name, value }];
  });
  const selected = index.series.filter(({ values }) => fixed.every(({ name, value }) => values[name] === value));
  const onRows = listed.find(({ name }) => name === rows);
  const onColumns = listed.find(({ name }) => name === columns && name !== rows);
  const grouped = Map.groupBy(selected, ({ values }) => (onRows ? (values[onRows.name] ?? '') : asset));
  const rowLabels = onRows ? onRows.values.filter((value) => grouped.has(value)) : [asset];
  const present = onColumns && new Set(selected.map(({ values }) => values[onColumns.name]));
  const columnLabels = onColumns
    ? onColumns.values.filter((value) => present?.has(value))
    : dimensions.some(({ name, grain }) => name === columns && grain !== undefined)
      ? []
      : [''];
  const placeOf = new Map(columnLabels.map((label, i) => [label, i]));
  const shape: HeatShape = { asset, dimensions, rows: rowLabels, columns: columnLabels, time };
  const layout: Layout = {
    key,
    shape,
    rows: rowLabels.map((label) => grouped.get(label) ?? []),
    places: onColumns
      ? new Map(selected.map((one) => [one, placeOf.get(one.values[onColumns.name] ?? '') ?? 0]))
      : new Map(),
    counts: countsOf(index, selected, selectedTimes(shape, axes)),
  };
  index.layout = layout;
  return layout;
}

function countsOf(
  { ranks }: HeatIndex,
  series: readonly Series[],
  times: readonly [from: number, to: number] | undefined,
): StatusCounts {
  const totals = new Float64Array(STATUSES.length);
  for (const one of series) {
    const counts = times ? countCodes(one.status, ...within(one, times)) : one.counts;
    for (let code = 0; code < totals.length; code++) totals[code] = (totals[code] as number) + (counts[code] as number);
  }
  const count = (status: ShownStatus): number => {
    const code = STATUSES.indexOf(status);
    return ranks[code] === 0 ? 0 : (totals[code] as number);
  };
  return Object.fromEntries(SHOWN_STATUSES.map((status) => [status, count(status)])) as StatusCounts;
}

/** Times as indices into the columns of a series, as far as it has partitions; they may end before they begin. */
export function within(
  { base, from, to }: Series,
  [lo, hi]: readonly [number, number],
): readonly [from: number, to: number] {
  return [Math.max(lo - base, from), Math.min(hi - base, to)];
}

// --- summaries -----------------------------------------------------------------------------------------------------------------

/** The coarser periods that are remembered per series: the first step above its own. */
export const summaryGrain = (grain: Grain): Grain => (grain === 'hour' ? 'day' : grain === 'month' ? 'year' : 'month');

export function summaryOf(series: Series, grain: Grain, { ranks }: HeatIndex): Summary {
  series.summary ??= summarize(series, grain, summaryGrain(grain), ranks);
  return series.summary;
}

function summarize({ status, base, from, to }: Series, grain: Grain, coarse: Grain, ranks: Uint8Array): Summary {
  const first = bucketOf(grain, coarse, base + from);
  const length = bucketOf(grain, coarse, base + to - 1) - first + 1;
  const summary: Summary = {
    base: first,
    total: new Uint8Array(length),
    fresh: new Uint8Array(length),
    worst: new Uint8Array(length),
  };
  for (let c = 0, i = from; c < length; c++) {
    const end = Math.min(bucketStart(grain, coarse, first + c + 1) - base, to);
    let [total, fresh, worst] = [0, 0, 0];
    for (; i < end; i++) {
      const rank = ranks[status[i] as number] as number;
      if (rank !== 0) total++;
      if (rank === FRESH) fresh++;
      if (rank > worst) worst = rank;
    }
    summary.total[c] = total;
    summary.fresh[c] = fresh;
    summary.worst[c] = worst;
  }
  return summary;
}

import { LakehouseError } from '../common/errors.ts';
import type { RangeSet } from './ranges.ts';
import * as ranges from './ranges.ts';
import {
  type KnownValues,
  onlyValue,
  type PartitionSpace,
  parseTime,
  parseValue,
  readSeriesKey,
  seriesKey,
  type TimeDimension,
  termsByDimension,
} from './space.ts';
import { alternatives, encodeValue, failAt, type Term } from './terms.ts';
import { formatIndex } from './time.ts';

/**
 * A set of partitions of ONE asset: per series (by key) the times. Has no empty entries and iterates in the order of keys, so equal
 * sets are structurally equal. Never a list of partitions: a million of one series is one pair of numbers.
 */
export interface PartitionSet {
  readonly bySeries: ReadonlyMap<string, RangeSet>;
}

export const EMPTY_SET: PartitionSet = { bySeries: new Map() };

type Entry = readonly [key: string, times: RangeSet];

/** From series and their times in any order; repeated keys are united, empty ones dropped. */
export function fromSeries(entries: Iterable<Entry>): PartitionSet {
  const found = new Map<string, RangeSet>();
  let sorted = true;
  let previous = '';
  for (const [key, times] of entries) {
    if (ranges.isEmpty(times)) continue;
    sorted &&= key >= previous;
    previous = key;
    const known = found.get(key);
    found.set(key, known ? ranges.union(known, times) : times);
  }
  return { bySeries: sorted ? found : new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** From (series key, time) points in any order. */
export function fromPoints(points: Iterable<readonly [key: string, time: number]>): PartitionSet {
  const times = new Map<string, number[]>();
  for (const [key, time] of points) {
    const list = times.get(key);
    if (list) list.push(time);
    else times.set(key, [time]);
  }
  return fromSeries([...times].map(([key, list]) => [key, ranges.fromSorted(list.sort((a, b) => a - b))]));
}

export function unionAll(sets: Iterable<PartitionSet>): PartitionSet {
  const lists = new Map<string, RangeSet[]>();
  for (const set of sets) {
    for (const [key, times] of set.bySeries) {
      const list = lists.get(key);
      if (list) list.push(times);
      else lists.set(key, [times]);
    }
  }
  return fromSeries([...lists].map(([key, list]) => [key, ranges.unionAll(list)]));
}

export function union(a: PartitionSet, b: PartitionSet): PartitionSet {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  return unionAll([a, b]);
}

export function intersect(a: PartitionSet, b: PartitionSet): PartitionSet {
  return mapSeries(a, (times, key) => ranges.intersect(times, rangesOf(b, key)));
}

/** What is in `a` and not in `b`. */
export function subtract(a: PartitionSet, b: PartitionSet): PartitionSet {
  return isEmpty(b) ? a : mapSeries(a, (times, key) => ranges.subtract(times, rangesOf(b, key)));
}

/** The set with each series' times replaced; series whose times become empty leave. */
export function mapSeries(set: PartitionSet, change: (times: RangeSet, key: string) => RangeSet): PartitionSet {
  const bySeries = new Map<string, RangeSet>();
  for (const [key, times] of set.bySeries) {
    const changed = change(times, key);
    if (!ranges.isEmpty(changed)) bySeries.set(key, changed);
  }
  return { bySeries };
}

/** The times of a series; empty if the set has none. */
export function rangesOf(set: PartitionSet, key: string): RangeSet {
  return set.bySeries.get(key) ?? ranges.EMPTY;
}

/** How many partitions are in the set. */
export function countOf(set: PartitionSet): number {
  let total = 0;
  for (const times of set.bySeries.values()) total += ranges.count(times);
  return total;
}

export function isEmpty(set: PartitionSet): boolean {
  return set.bySeries.size === 0;
}

export function has(set: PartitionSet, key: string, time: number): boolean {
  return ranges.has(rangesOf(set, key), time);
}

export function equals(a: PartitionSet, b: PartitionSet): boolean {
  if (a === b) return true;
  if (a.bySeries.size !== b.bySeries.size) return false;
  for (const [key, times] of a.bySeries) if (!ranges.equals(times, rangesOf(b, key))) return false;
  return true;
}

/** Every partition, by series key and then by time. */
export function* points(set: PartitionSet): Generator<readonly [key: string, time: number]> {
  for (const [key, times] of set.bySeries) for (const time of ranges.iterate(times)) yield [key, time];
}

/** The one partition of an asset that has no dimensions, where an empty text means the empty set. */
const UNPARTITIONED = '*';

function printTimes(time: TimeDimension, times: RangeSet): string {
  return [...ranges.pairs(times)]
    .map(([lo, hi]) => {
      const start = formatIndex(time.grain, lo);
      return hi === lo + 1 ? start : `${start}..${formatIndex(time.grain, hi - 1)}`;
    })
    .join('|');
}

/**
 * The set as text, one line per group of series that have the same times:
 * `exchange=binance/symbol=BTCUSDT|ETHUSDT/date=2020-01-01..2020-01-03|2020-01-05`. Both ends of a range are included.
 * The empty set is `''`; the one partition of an asset without dimensions is `*`. `separator` may be `'; '` for a single line.
 */
export function printSet(space: PartitionSpace, set: PartitionSet, separator: '\n' | '; ' = '\n'): string {
  if (isEmpty(set)) return '';
  if (space.dimensions.length === 0) return UNPARTITIONED;
  // A row is one text per dimension; rows that differ in one dimension only are joined, the last dimension first.
  let rows = [...set.bySeries].map(([key, times]) => {
    const values = readSeriesKey(key);
    return space.dimensions.map((dimension) =>
      dimension.type === 'time' ? printTimes(dimension, times) : encodeValue(values[dimension.name] ?? ''),
    );
  });
  for (let i = space.dimensions.length - 1; i >= 0; i--) {
    if (space.dimensions[i]?.type === 'time') continue;
    const groups = new Map<string, { row: string[]; merged: string[] }>();
    for (const row of rows) {
      const rest = row.toSpliced(i, 1).join('/');
      const group = groups.get(rest);
      if (group) group.merged.push(row[i] ?? '');
      else groups.set(rest, { row, merged: [row[i] ?? ''] });
    }
    rows = [...groups.values()].map(({ row, merged }) => row.with(i, merged.join('|')));
  }
  return rows.map((row) => row.map((text, i) => `${space.dimensions[i]?.name}=${text}`).join('/')).join(separator);
}

function parseTimes(time: TimeDimension, term: Term, line: string): RangeSet {
  const spans = alternatives(term).map(({ text, column }): readonly [number, number] => {
    const dots = text.indexOf('..');
    if (dots < 0) {
      const index = parseTime(time, { text, column }, line);
      return [index, index + 1];
    }
    const lo = parseTime(time, { text: text.slice(0, dots), column }, line);
    const hi = parseTime(time, { text: text.slice(dots + 2), column: column + dots + 2 }, line);
    if (hi < lo) failAt('bad-partition-value', line, column, `'${text}' ends before it starts`);
    return [lo, hi + 1];
  });
  return ranges.fromRanges(spans);
}

/**
 * The inverse of {@link printSet}: lines separated by newlines or `;`, dimensions in any order, those with one (known) value may be
 * left out. Throws like `parseKey`. For globs, open ends and coarser times see `parseFilter`.
 */
export function parseSet(space: PartitionSpace, text: string, known?: KnownValues): PartitionSet {
  const lines = text.split(/[;\n]/).map((line) => line.trim());
  return fromSeries(lines.filter((line) => line !== '').flatMap((line) => parseLine(space, line, known)));
}

function parseLine(space: PartitionSpace, line: string, known: KnownValues | undefined): Entry[] {
  if (line === UNPARTITIONED) {
    if (space.dimensions.length === 0) return [['', ranges.range(0, 1)]];
    const names = space.dimensions.map((dimension) => dimension.name).join(', ');
    throw new LakehouseError('missing-dimension', `'*' means an asset without partitions; this one has ${names}`);
  }
  const terms = termsByDimension(space, line);
  let times = ranges.range(0, 1);
  let product: Record<string, string>[] = [{}];
  for (const dimension of space.dimensions) {
    const term = terms.get(dimension.name);
    if (dimension.type === 'time') {
      if (term) times = parseTimes(dimension, term, line);
      else onlyValue(dimension, line, known);
      continue;
    }
    const values = term
      ? alternatives(term).map((written) => parseValue(dimension, written, line, known))
      : [onlyValue(dimension, line, known)];
    product = product.flatMap((row) => values.map((value) => ({ ...row, [dimension.name]: value })));
  }
  return product.map((values) => [seriesKey(space, values), times]);
}

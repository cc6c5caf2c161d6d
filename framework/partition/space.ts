import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { EMPTY, type RangeSet, range } from './ranges.ts';
import { decodeValue, encodeValue, failAt, splitTerms, type Term } from './terms.ts';
import { formatIndex, type Grain, indexAt, parseIndex } from './time.ts';

/** The axis of time. Indices count periods of `grain`, see `indexAt`. */
export interface TimeDimension {
  readonly type: 'time';
  readonly name: string;
  readonly grain: Grain;
  /** First index. */
  readonly start: number;
  /** Index after the last one; open when absent. */
  readonly end?: number;
  /**
   * A partition exists once its period is over, plus this many periods more; 0 is usual, -1 includes the running period.
   */
  readonly lag: number;
}

/** An axis of names. `static`: the values are in the code; `dynamic`: they are found in the data. */
export interface ListedDimension {
  readonly type: 'static' | 'dynamic';
  readonly name: string;
  /** All values, static dimensions only. */
  readonly values?: readonly string[];
  /** The filter of a dynamic dimension, from configuration. */
  readonly accepts?: (value: string) => boolean;
  /** Printable form of the filter; part of the definition's hash. */
  readonly pattern?: string;
}

export type Dimension = TimeDimension | ListedDimension;

/** What partitions an asset can have: at most one time dimension and any number of listed ones. */
export interface PartitionSpace {
  /** In declared order, which is the order of the hive path. */
  readonly dimensions: readonly Dimension[];
  readonly time?: TimeDimension;
  readonly listed: readonly ListedDimension[];
}

/** The listed values of a series, by dimension. */
export type SeriesValues = Readonly<Record<string, string>>;

/** One partition: a series at a time. `time` is 0 where the space has no time dimension. */
export interface PartitionRef {
  readonly values: SeriesValues;
  readonly time: number;
}

/** The values of dynamic dimensions that are known to whoever parses what a person typed. */
export interface KnownValues {
  valuesOf(dimension: string): readonly string[];
}

/** The space of these dimensions, of which at most one may be a time dimension. */
export function partitionSpace(dimensions: readonly Dimension[]): PartitionSpace {
  const time = dimensions.find((dimension) => dimension.type === 'time');
  const listed = dimensions.filter((dimension) => dimension.type !== 'time');
  return { dimensions, listed, ...(time && { time }) };
}

/** The partitions of time that exist at `nowMs`, whatever the series. Without a time dimension: the one index 0. */
export function existingTimes(space: PartitionSpace, nowMs: number): RangeSet {
  const { time } = space;
  if (!time) return range(0, 1);
  const closed = indexAt(time.grain, nowMs) - time.lag;
  const end = Math.min(closed, time.end ?? closed);
  return end > time.start ? range(time.start, end) : EMPTY;
}

/** Whether the space's static lists and dynamic filters let a series in. */
export function acceptsSeries(space: PartitionSpace, values: SeriesValues): boolean {
  return space.listed.every((dimension) => {
    const value = values[dimension.name];
    return value !== undefined && value !== '' && acceptsValue(dimension, value);
  });
}

/** Whether a listed dimension has this value: it is in the static list, or passes the dynamic filter. */
export function acceptsValue(dimension: ListedDimension, value: string): boolean {
  if (dimension.type === 'static') return dimension.values?.includes(value) ?? false;
  return dimension.accepts?.(value) ?? true;
}

function valueIn(values: SeriesValues, name: string): string {
  const value = values[name];
  if (value === undefined) {
    throw new LakehouseError('missing-dimension', `A series lacks a value for '${name}'`, { details: { values } });
  }
  return value;
}

/** `exchange=binance/market=spot`: the listed values in declared order, percent-encoded; `''` if there are none. */
export function seriesKey(space: PartitionSpace, values: SeriesValues): string {
  let key = '';
  for (const { name } of space.listed) {
    key += `${key === '' ? '' : '/'}${name}=${encodeValue(valueIn(values, name))}`;
  }
  return key;
}

/** The values in a series key, whatever its space. Throws `LakehouseError('bad-series-key')` on text that is no such key. */
export function readSeriesKey(key: string): SeriesValues {
  const values: Record<string, string> = {};
  if (key === '') return values;
  for (const part of key.split('/')) {
    const equals = part.indexOf('=');
    const value = equals > 0 ? decodeValue(part.slice(equals + 1)) : undefined;
    if (!value) throw new LakehouseError('bad-series-key', `'${key}' is not a series key`, { kind: 'internal' });
    values[part.slice(0, equals)] = value;
  }
  return values;
}

/** The inverse of {@link seriesKey}: exactly this space's listed dimensions, in order. Throws `bad-series-key` otherwise. */
export function parseSeriesKey(space: PartitionSpace, key: string): SeriesValues {
  const values = readSeriesKey(key);
  const names = Object.keys(values);
  const expected = space.listed.map((dimension) => dimension.name);
  if (names.length !== expected.length || names.some((name, i) => name !== expected[i])) {
    throw new LakehouseError('bad-series-key', `'${key}' is not a series of (${expected.join(', ')})`, {
      kind: 'internal',
    });
  }
  return values;
}

/** The whole hive key in declared order: `exchange=binance/symbol=BTCUSDT/date=2024-01-01`; `''` where nothing is partitioned. */
export function printKey(space: PartitionSpace, ref: PartitionRef): string {
  return space.dimensions
    .map((dimension) => {
      const text =
        dimension.type === 'time'
          ? formatIndex(dimension.grain, ref.time)
          : encodeValue(valueIn(ref.values, dimension.name));
      return `${dimension.name}=${text}`;
    })
    .join('/');
}

/** How a time of this grain is written, for messages. */
export function exampleOf(grain: Grain): string {
  return grain === 'week' ? '2024-01-01 (a Monday)' : formatIndex(grain, indexAt(grain, Date.UTC(2024, 0, 1)));
}

/** The terms of a typed key by dimension; refuses names the space does not have. */
export function termsByDimension(space: PartitionSpace, text: string): Map<string, Term> {
  const names = space.dimensions.map((dimension) => dimension.name);
  const terms = text === '' ? [] : splitTerms('bad-partition-key', text);
  for (const term of terms) {
    if (names.includes(term.name)) continue;
    const hint = names.length === 0 ? 'It is not partitioned.' : didYouMean(term.name, names);
    failAt('unknown-dimension', text, term.column, `There is no dimension '${term.name}'`, hint);
  }
  return new Map(terms.map((term) => [term.name, term]));
}

/** The value that may be left out of a typed key, because the dimension has no other. Throws `missing-dimension` otherwise. */
export function onlyValue(dimension: Dimension, text: string, known: KnownValues | undefined): string {
  const values = dimension.type === 'time' ? [] : (dimension.values ?? known?.valuesOf(dimension.name) ?? []);
  const [value] = values;
  if (value !== undefined && values.length === 1) return value;
  const example =
    dimension.type === 'time' ? exampleOf(dimension.grain) : values.length > 0 ? values.slice(0, 12).join('|') : '…';
  throw new LakehouseError('missing-dimension', `'${text}' does not say which '${dimension.name}'`, {
    hint: `Add ${dimension.name}=${example}.`,
  });
}

/** Decodes and checks one value of a listed dimension. Throws `bad-partition-value`. */
export function parseValue(
  dimension: ListedDimension,
  written: { text: string; column: number },
  whole: string,
  known: KnownValues | undefined,
): string {
  const refuse = (message: string, hint?: string): never =>
    failAt('bad-partition-value', whole, written.column, message, hint);
  const value = decodeValue(written.text);
  if (!value) return refuse(`'${written.text}' is not a percent-encoded value`, 'Write % itself as %25.');
  if (/[\s|*?;]/.test(written.text)) {
    return refuse(`'${written.text}' is not one value`, 'Globs and alternatives belong in --partitions.');
  }
  const candidates = dimension.type === 'static' ? (dimension.values ?? []) : (known?.valuesOf(dimension.name) ?? []);
  const unknown = dimension.type === 'static' || candidates.length > 0 ? !candidates.includes(value) : false;
  if (unknown) return refuse(`'${dimension.name}' has no value '${value}'`, didYouMean(value, candidates));
  if (!acceptsValue(dimension, value)) {
    const filter = dimension.pattern === undefined ? 'its filter' : `its filter, ${dimension.pattern}`;
    return refuse(`'${value}' is not a value of '${dimension.name}': it is excluded by ${filter}`);
  }
  return value;
}

/** The index of one printed time. Throws `bad-partition-value`. */
export function parseTime(dimension: TimeDimension, written: { text: string; column: number }, whole: string): number {
  const index = parseIndex(dimension.grain, written.text);
  if (index !== undefined) return index;
  const message = `'${written.text}' is not a ${dimension.grain} for '${dimension.name}'`;
  return failAt('bad-partition-value', whole, written.column, message, `Write it like ${exampleOf(dimension.grain)}.`);
}

/**
 * The partition a person wrote, in any order, separated by `/` or `,`. A listed dimension with exactly one (known) value may be
 * left out. A dynamic value must be among the known ones, if there are any, and pass the filter. Whether the partition exists is
 * another question.
 * Throws `LakehouseError`: `unknown-dimension`, `missing-dimension`, `bad-partition-value`, `bad-partition-key` (syntax).
 */
export function parseKey(space: PartitionSpace, text: string, known?: KnownValues): PartitionRef {
  const terms = termsByDimension(space, text);
  const values: Record<string, string> = {};
  let time = 0;
  for (const dimension of space.dimensions) {
    const term = terms.get(dimension.name);
    const written = term && { text: term.value, column: term.valueColumn };
    if (dimension.type !== 'time') {
      values[dimension.name] = written
        ? parseValue(dimension, written, text, known)
        : onlyValue(dimension, text, known);
    } else if (written) time = parseTime(dimension, written, text);
    else onlyValue(dimension, text, known);
  }
  return { values, time };
}

import { type Issue, LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { RangeSet } from './ranges.ts';
import * as ranges from './ranges.ts';
import { EMPTY_SET, mapSeries, type PartitionSet } from './set.ts';
import { exampleOf, type ListedDimension, type PartitionSpace, readSeriesKey, type TimeDimension } from './space.ts';
import { alternatives, decodeValue, failAt, splitTerms, type Term } from './terms.ts';
import { indexAt, parseInstantSpan } from './time.ts';

/** One alternative of a term that reads as a time: half-open instants, infinite where the span is open. */
export interface TimeAlternative {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** As written, for a listed dimension that has such values (`contract=2024`). */
  readonly text: string;
}

/**
 * What a person asked for, e.g. `date=2020-01-01..2020-01-03,symbol=BTCUSDT|ETH*,interval=1m`. Alternatives of one dimension are
 * joined by or, dimensions by and. A dimension is in `time` if all its alternatives read as times, in `listed` otherwise.
 */
export interface PartitionFilter {
  /** Globs (`*`, `?`) by dimension. */
  readonly listed: ReadonlyMap<string, readonly string[]>;
  readonly time: readonly TimeAlternative[];
  readonly text: string;
}

const CODE = 'bad-partition-filter';

/**
 * Reads a filter. Terms are separated by `,` or `/`, alternatives by `|`. Times are periods (`2024`, `2024-01`, `2024-01-05`,
 * `2024-01-05T07`), ranges with both ends included (`a..b`) or open (`a..`, `..b`). Reserved characters of values are
 * percent-encoded. Throws `LakehouseError('bad-partition-filter')` that points at the column.
 */
export function parseFilter(text: string): PartitionFilter {
  const listed = new Map<string, readonly string[]>();
  const time: TimeAlternative[] = [];
  for (const term of splitTerms(CODE, text)) {
    const parsed = alternatives(term).map((alternative) => readAlternative(text, term, alternative));
    const times = parsed.filter((alternative) => typeof alternative === 'object');
    if (times.length === parsed.length) time.push(...times);
    else if (term.value.includes('..')) {
      failAt(CODE, text, term.valueColumn, `'${term.value}' mixes times and names`, 'Ranges are for times only.');
    } else {
      listed.set(
        term.name,
        alternatives(term).map((alternative) => alternative.text),
      );
    }
  }
  return { listed, time, text };
}

function readAlternative(
  whole: string,
  term: Term,
  { text, column }: { text: string; column: number },
): TimeAlternative | string {
  if (text === '') failAt(CODE, whole, column, `An alternative of '${term.name}' is empty`);
  if (text.split(/[*?]/).some((piece) => decodeValue(piece) === undefined)) {
    failAt(CODE, whole, column, `'${text}' is not percent-encoded`, 'Write % itself as %25.');
  }
  const span = parseInstantSpan(text);
  if (!span) {
    if (!text.includes('..') && !/^\d{4}-\d\d(-\d\d(T\d\d)?)?$/.test(text)) return text;
    return failAt(
      CODE,
      whole,
      column,
      `'${text}' is not a time`,
      'Write e.g. 2024-01-05, 2024-01, 2024-01..2024-03 or 2024-01-05..',
    );
  }
  if (span.fromMs >= span.toMs) failAt(CODE, whole, column, `'${text}' ends before it starts`);
  return { name: term.name, ...span, text };
}

/**
 * The part of a set that the filter lets through. Dimensions that the space lacks are ignored (see {@link checkFilter}), except that
 * times apply to the space's time dimension whatever its name: those of its partitions that overlap the instants. Where the
 * filter names that very dimension, only that term applies.
 * Throws `LakehouseError('bad-partition-filter')` if names are given for the time dimension or a range for a listed one.
 */
export function applyFilter(space: PartitionSpace, set: PartitionSet, filter: PartitionFilter): PartitionSet {
  const [issue] = checkKinds(filter, space);
  if (issue) throw new LakehouseError(issue.code, issue.message, { hint: issue.hint, issues: [issue] });
  const tests = space.listed.flatMap(({ name }) => {
    const globs = globsOf(filter, name).map(globPattern);
    return globs.length === 0 ? [] : [{ name, globs }];
  });
  const times = space.time && timesOf(space.time, space, filter);
  if (times && ranges.isEmpty(times)) return EMPTY_SET;
  if (tests.length === 0 && !times) return set;
  return mapSeries(set, (own, key) => {
    if (tests.length > 0) {
      const values = readSeriesKey(key);
      const wanted = tests.every(({ name, globs }) => globs.some((glob) => glob.test(values[name] ?? '')));
      if (!wanted) return ranges.EMPTY;
    }
    return times ? ranges.intersect(own, times) : own;
  });
}

/** The globs for a listed dimension, whichever way they were read. */
function globsOf(filter: PartitionFilter, name: string): readonly string[] {
  const asTime = filter.time.filter((alternative) => alternative.name === name).map(({ text }) => text);
  return filter.listed.get(name) ?? asTime;
}

/** Undefined: the filter says nothing about time. */
function timesOf(time: TimeDimension, space: PartitionSpace, filter: PartitionFilter): RangeSet | undefined {
  const listed = space.listed.map(({ name }) => name);
  const applicable = filter.time.filter(({ name }) => !listed.includes(name));
  const byName = Map.groupBy(applicable, ({ name }) => name);
  const exact = byName.get(time.name);
  const terms = exact ? [exact] : [...byName.values()];
  if (terms.length === 0) return undefined;
  return terms
    .map((term) => ranges.fromRanges(term.map(({ fromMs, toMs }) => overlapping(time, fromMs, toMs))))
    .reduce(ranges.intersect);
}

function overlapping(time: TimeDimension, fromMs: number, toMs: number): readonly [number, number] {
  return [
    Number.isFinite(fromMs) ? indexAt(time.grain, fromMs) : Number.MIN_SAFE_INTEGER,
    Number.isFinite(toMs) ? indexAt(time.grain, toMs - 1) + 1 : Number.MAX_SAFE_INTEGER,
  ];
}

function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

function globPattern(glob: string): RegExp {
  const source = glob.replace(/[^*?]+|[*?]/g, (piece) => {
    if (piece === '*') return '.*';
    return piece === '?' ? '.' : (decodeValue(piece) ?? piece).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su');
}

/** Problems of a filter against all the spaces it is meant for: issues whose path is the dimension. */
export function checkFilter(filter: PartitionFilter, spaces: readonly PartitionSpace[]): Issue[] {
  const issues: Issue[] = [];
  const known = new Set(spaces.flatMap((space) => space.dimensions.map(({ name }) => name)));
  for (const name of new Set([...filter.listed.keys(), ...filter.time.map((alternative) => alternative.name)])) {
    if (!known.has(name)) {
      const message = `There is no dimension '${name}' among the partitions filtered`;
      issues.push({ code: 'unknown-dimension', path: [name], message, hint: didYouMean(name, known) });
      continue;
    }
    const found = spaces.flatMap((space) => checkKinds(filter, space, name));
    const dimensions = spaces.flatMap((space) => space.listed.filter((dimension) => dimension.name === name));
    issues.push(...(found.length > 0 ? found.slice(0, 1) : checkValues(globsOf(filter, name), name, dimensions)));
  }
  return issues;
}

/** Names given for a time dimension, ranges for a listed one. */
function checkKinds(filter: PartitionFilter, space: PartitionSpace, only?: string): Issue[] {
  return space.dimensions.flatMap((dimension): Issue[] => {
    const { name } = dimension;
    if (only !== undefined && only !== name) return [];
    if (dimension.type === 'time') {
      const names = filter.listed.get(name);
      if (!names) return [];
      const message = `'${names.join('|')}' is not a time, but '${name}' is a dimension of time`;
      return [{ code: CODE, path: [name], message, hint: `Write it like ${exampleOf(dimension.grain)}.` }];
    }
    const range = filter.time.find((alternative) => alternative.name === name && alternative.text.includes('..'));
    if (!range) return [];
    const message = `'${name}' is a dimension of names, '${range.text}' is a range of times`;
    return [{ code: CODE, path: [name], message, hint: `Write alternatives as ${name}=a|b, or globs.` }];
  });
}

/** Values without a glob that are in none of the static lists; unknowable if the dimension is dynamic somewhere. */
function checkValues(globs: readonly string[], name: string, dimensions: readonly ListedDimension[]): Issue[] {
  if (dimensions.length === 0 || dimensions.some(({ type }) => type === 'dynamic')) return [];
  const values = new Set(dimensions.flatMap((dimension) => dimension.values ?? []));
  return globs
    .filter((glob) => !isGlob(glob) && !values.has(decodeValue(glob) ?? glob))
    .map((glob) => ({
      code: 'bad-partition-value',
      path: [name],
      message: `'${name}' has no value '${glob}'`,
      hint: didYouMean(glob, values),
    }));
}

import { LakehouseError, throwIfIssues } from '../common/errors.ts';
import { globToRegExp } from '../common/glob.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import { partitionLiteral } from '../engine/partitions.ts';
import type { FileSpan } from '../engine/port.ts';
import { checkFilter, type PartitionFilter, parseFilter } from '../partition/filter.ts';
import { type PartitionSpace, readSeriesKey } from '../partition/space.ts';
import { encodeValue } from '../partition/terms.ts';
import { indexAt } from '../partition/time.ts';
import type { AssetState } from '../state/index.ts';
import type { AnyPartitions, TimeRange } from './types.ts';

type Given = Exclude<AnyPartitions, string>;

const isRange = (given: Given[string]): given is TimeRange => typeof given === 'object' && !Array.isArray(given);
const isEmpty = (given: Given[string]): boolean => Array.isArray(given) && given.length === 0;
const isOpen = (given: Given[string]): boolean => isRange(given) && given.from === undefined && given.to === undefined;
const isGlob = (text: string): boolean => /[*?]/.test(text);

/** The partitions of one asset that a program asks for: by file, and as the condition of a query. */
export interface Asked {
  /** Undefined: all; none for an empty list of values. */
  readonly filter: PartitionFilter | undefined | 'none';
  /** SQL over the partition columns. */
  readonly condition: string;
  /** Whether a file may hold some of them. */
  readonly needs: (span: FileSpan) => boolean;
  /** @throws LakehouseError `no-such-partition` (usage) for a value that no series has: it is probably misspelt. */
  readonly check: (state: AssetState | undefined) => void;
}

/** @throws LakehouseError `bad-filter`, `bad-partition-filter` (usage). */
export function askedOf({ key, space }: AssetDefinition, given: Given | undefined): Asked {
  requireGiven(key, given);
  const none = Object.values(given ?? {}).some(isEmpty);
  const some = none && given ? Object.fromEntries(Object.entries(given).filter(([, value]) => !isEmpty(value))) : given;
  const filter = filterOf(some, [space], `${key}: these partitions cannot be read:`);
  const listed = space.listed.flatMap(({ name }) => {
    const values = listOf(given?.[name]);
    return values === undefined ? [] : [{ name, values }];
  });
  const times = timesOf(space, filter);
  const conditions = [
    ...listed.map(({ name, values }) => anyOf(values.map((value) => test(quoteIdentifier(name), value)))),
    ...(times ? [anyOf(times.map((time) => during(space, time)))] : []),
  ];
  const matchers = listed.map(({ name, values }) => ({ name, globs: values.map(globOrValue) }));
  return {
    filter: none ? 'none' : filter,
    condition: none ? 'FALSE' : conditions.length === 0 ? 'TRUE' : conditions.join(' AND '),
    needs: ({ values, first, last }) =>
      !none &&
      matchers.every(({ name, globs }) => globs.some((glob) => glob(values[name] ?? ''))) &&
      (times?.some(({ lo, hi }) => lo <= last && hi >= first) ?? true),
    check: (state) => {
      for (const { name, values } of listed) requireValues(key, name, values, state);
    },
  };
}

/**
 * A filter as the command line has it.
 * @throws LakehouseError `bad-filter`, `bad-partition-filter` (usage).
 */
export function filterOf(
  given: AnyPartitions | undefined,
  spaces: readonly PartitionSpace[],
  summary: string,
): PartitionFilter | undefined {
  const times = new Set(spaces.flatMap(({ time }) => time?.name ?? []));
  const text =
    typeof given === 'string'
      ? given
      : Object.entries(given ?? {})
          .filter(([name, value]) => value !== undefined && !(times.has(name) && isOpen(value)))
          .map(([name, value]) => `${name}=${(times.has(name) ? timeTexts(value) : valueTexts(name, value)).join('|')}`)
          .join(',');
  if (typeof given !== 'string' && text === '') return undefined;
  const filter = parseFilter(text);
  throwIfIssues('bad-filter', summary, checkFilter(filter, spaces));
  return filter;
}

/** Programs without types must not read everything by mistake. */
function requireGiven(key: string, given: unknown): void {
  const isText = (one: unknown) => typeof one === 'string';
  const isValue = (one: unknown) =>
    one === undefined ||
    (typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.getPrototypeOf(one) === Object.prototype &&
        Object.entries(one).every(
          ([name, end]) => (name === 'from' || name === 'to') && (end === undefined || isText(end)),
        )
      : [one].flat().every(isText));
  if (given === undefined || (typeof given === 'object' && given !== null && Object.values(given).every(isValue)))
    return;
  throw new LakehouseError('bad-filter', `${key}: which partitions are read is said by dimension, with texts`, {
    hint: "Write e.g. { symbol: ['BTCUSDT', 'ETH*'], date: '2024-01' } or { date: { from: '2024-01-05' } }.",
  });
}

function listOf(given: Given[string] | undefined): readonly string[] | undefined {
  if (given === undefined || isRange(given)) return undefined;
  return typeof given === 'string' ? [given] : given;
}

function timeTexts(given: Given[string]): string[] {
  const plain = (text: string) => (/^[\dT:.-]*$/.test(text) ? text : encodeValue(text));
  return isRange(given) ? [`${given.from ?? ''}..${given.to ?? ''}`] : (listOf(given) ?? []).map(plain);
}

/** Everything but globs is meant literally. */
function valueTexts(name: string, given: Given[string]): string[] {
  if (isRange(given))
    throw new LakehouseError('bad-filter', `'${name}' is a dimension of names, { from, to } is a range of times`);
  return (listOf(given) ?? []).map((value) =>
    value.replace(/[^*?]+/g, (piece) => encodeValue(piece).replaceAll('..', '%2E%2E')),
  );
}

const anyOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'FALSE' : `(${conditions.join(' OR ')})`;

function test(column: string, value: string): string {
  if (!isGlob(value)) return `${column} = ${quoteLiteral(value)}`;
  const pattern = value
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
  return `${column} LIKE ${quoteLiteral(pattern)} ESCAPE '\\'`;
}

function globOrValue(value: string): (text: string) => boolean {
  if (!isGlob(value)) return (text) => text === value;
  const pattern = globToRegExp(value);
  return (text) => pattern.test(text);
}

/** Indices of time, both ends included; infinite where open. */
interface Times {
  readonly lo: number;
  readonly hi: number;
}

function timesOf({ time }: PartitionSpace, filter: PartitionFilter | undefined): readonly Times[] | undefined {
  const own = filter?.time.filter(({ name }) => name === time?.name);
  if (!time || !own || own.length === 0) return undefined;
  return own.map(({ fromMs, toMs }) => ({
    lo: Number.isFinite(fromMs) ? indexAt(time.grain, fromMs) : Number.NEGATIVE_INFINITY,
    hi: Number.isFinite(toMs) ? indexAt(time.grain, toMs - 1) : Number.POSITIVE_INFINITY,
  }));
}

function during(space: PartitionSpace, { lo, hi }: Times): string {
  const name = space.time?.name ?? '';
  const column = quoteIdentifier(name);
  const bound = (operator: string, index: number) =>
    Number.isFinite(index) ? [`${column} ${operator} ${partitionLiteral(space, {}, index, name)}`] : [];
  const bounds = [...bound('>=', lo), ...bound('<=', hi)];
  return bounds.length === 0 ? 'TRUE' : `(${bounds.join(' AND ')})`;
}

function requireValues(asset: string, name: string, values: readonly string[], state: AssetState | undefined): void {
  const known = new Set([...(state?.series.keys() ?? [])].flatMap((series) => readSeriesKey(series)[name] ?? []));
  const wrong = values.find((value) => !isGlob(value) && !known.has(value));
  if (wrong === undefined || known.size === 0) return;
  throw new LakehouseError('no-such-partition', `${asset} has no partition with ${name} '${wrong}'`, {
    hint: didYouMean(wrong, known),
  });
}

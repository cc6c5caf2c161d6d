/** The step of a time dimension. All arithmetic is in UTC; weeks start on Monday. */
export type Grain = 'hour' | 'day' | 'week' | 'month' | 'year';

/** All grains, from fine to coarse. */
export const GRAINS: readonly Grain[] = ['hour', 'day', 'week', 'month', 'year'];

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Week 0 is the one that contains 1970-01-01 (a Thursday), so it starts three days earlier. */
const WEEK_SHIFT_DAYS = 3;

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar (Hinnant, "days_from_civil"); month counts from 1. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Year, month and day of a day number, packed as `(year * 12 + month - 1) * 32 + day` to allocate nothing. */
function civilFromDays(days: number): number {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return (year * 12 + month - 1) * 32 + day;
}

function monthOfDays(days: number): number {
  return Math.floor(civilFromDays(days) / 32) - 1970 * 12;
}

/**
 * The index of the period `[startOf, endOf)` that contains the instant `ms` (milliseconds since 1970 UTC). Index 0 is always
 * the period that contains 1970-01-01T00:00Z, so a dimension's start date never moves an index.
 */
export function indexAt(grain: Grain, ms: number): number {
  switch (grain) {
    case 'hour':
      return Math.floor(ms / HOUR_MS);
    case 'day':
      return Math.floor(ms / DAY_MS);
    case 'week':
      return Math.floor((Math.floor(ms / DAY_MS) + WEEK_SHIFT_DAYS) / 7);
    case 'month':
      return monthOfDays(Math.floor(ms / DAY_MS));
    case 'year':
      return Math.floor(monthOfDays(Math.floor(ms / DAY_MS)) / 12);
  }
}

/** First instant of a period, in milliseconds since 1970 UTC. */
export function startOf(grain: Grain, index: number): number {
  switch (grain) {
    case 'hour':
      return index * HOUR_MS;
    case 'day':
      return index * DAY_MS;
    case 'week':
      return (index * 7 - WEEK_SHIFT_DAYS) * DAY_MS;
    case 'month': {
      const year = Math.floor(index / 12);
      return daysFromCivil(1970 + year, index - year * 12 + 1, 1) * DAY_MS;
    }
    case 'year':
      return daysFromCivil(1970 + index, 1, 1) * DAY_MS;
  }
}

/** First instant after a period: the start of the next one. */
export function endOf(grain: Grain, index: number): number {
  return startOf(grain, index + 1);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/**
 * The printed form: `2024-01-01T05` (hour), `2024-01-01` (day, and the Monday of a week), `2024-01`, `2024`. Text order is time
 * order for the years 0000 to 9999, the only ones that parse back.
 */
export function formatIndex(grain: Grain, index: number): string {
  const startMs = startOf(grain, index);
  const days = Math.floor(startMs / DAY_MS);
  const packed = civilFromDays(days);
  const months = Math.floor(packed / 32);
  const year = pad(Math.floor(months / 12), 4);
  if (grain === 'year') return year;
  const month = `${year}-${pad((months % 12) + 1, 2)}`;
  if (grain === 'month') return month;
  const day = `${month}-${pad(packed % 32, 2)}`;
  return grain === 'hour' ? `${day}T${pad((startMs - days * DAY_MS) / HOUR_MS, 2)}` : day;
}

/** Reads `2024`, `2024-01`, `2024-01-05` or `2024-01-05T07`; the grain is the one the text is precise to. */
function readPeriod(text: string): { grain: Grain; index: number } | undefined {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d))?)?)?$/.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour] = match.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  if (year === undefined) return undefined;
  if (month === undefined) return { grain: 'year', index: year - 1970 };
  if (month < 1 || month > 12) return undefined;
  const monthIndex = (year - 1970) * 12 + month - 1;
  if (day === undefined) return { grain: 'month', index: monthIndex };
  const days = daysFromCivil(year, month, day);
  if (day < 1 || monthOfDays(days) !== monthIndex) return undefined;
  if (hour === undefined) return { grain: 'day', index: days };
  return hour > 23 ? undefined : { grain: 'hour', index: days * 24 + hour };
}

/** The inverse of {@link formatIndex}: only the exact printed form of this grain; undefined for anything else (`2024-02-30`). */
export function parseIndex(grain: Grain, text: string): number | undefined {
  const period = readPeriod(text);
  if (!period) return undefined;
  if (grain !== 'week') return period.grain === grain ? period.index : undefined;
  if (period.grain !== 'day') return undefined;
  const weeks = (period.index + WEEK_SHIFT_DAYS) / 7;
  return Number.isInteger(weeks) ? weeks : undefined;
}

/** The half-open instants of `2024`, `2024-01`, `2024-01-05` or `2024-01-05T07`, in milliseconds UTC. */
export function parseInstantRange(text: string): { fromMs: number; toMs: number } | undefined {
  const period = readPeriod(text);
  return period && { fromMs: startOf(period.grain, period.index), toMs: endOf(period.grain, period.index) };
}

/**
 * The half-open instants of a time expression: a period (see {@link parseInstantRange}), or `a..b` with both ends included, or
 * open-ended `a..` and `..b` (infinite bounds). A span that ends before it starts is returned as such: `fromMs >= toMs`.
 */
export function parseInstantSpan(text: string): { fromMs: number; toMs: number } | undefined {
  const dots = text.indexOf('..');
  if (dots < 0) return parseInstantRange(text);
  const [left, right] = [text.slice(0, dots), text.slice(dots + 2)];
  if (left === '' && right === '') return undefined;
  const from = left === '' ? { fromMs: Number.NEGATIVE_INFINITY } : parseInstantRange(left);
  const to = right === '' ? { toMs: Number.POSITIVE_INFINITY } : parseInstantRange(right);
  return from && to && { fromMs: from.fromMs, toMs: to.toMs };
}

/** The half-open index range of grain `to` whose periods overlap the periods `[lo, hi)` of grain `from`. Empty for empty. */
export function coverRange(from: Grain, lo: number, hi: number, to: Grain): readonly [lo: number, hi: number] {
  if (from === to) return [lo, hi];
  const first = indexAt(to, startOf(from, lo));
  return [first, hi <= lo ? first : indexAt(to, startOf(from, hi) - 1) + 1];
}

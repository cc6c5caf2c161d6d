import { endOf, type Grain, indexAt, startOf } from '../partition/time.ts';
import { ANY, type Condition, NONE } from './condition.ts';
import { isObject, type Json } from './syntax.ts';

/** What a time column is compared as: itself, its day or its year. */
export type Step = 'identity' | 'day' | 'year';
/** Time indices of which the first instant, the day of it or the year of it compares so. */
export function timeCompared(grain: Grain, step: Step, comparison: string, constant: Json | undefined): Condition {
  const period: Grain = step === 'identity' || (step === 'day' && grain !== 'hour') ? grain : (step as Grain);
  const ms = instantOf(constant, step);
  if (ms === undefined) return ANY;
  const at = indexAt(period, ms);
  const exact = startOf(period, at) === ms;
  const begin = (index: number) => firstFrom(grain, startOf(period, index));
  const end = (index: number) => firstFrom(grain, endOf(period, index)) - 1;
  const [least, most] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  switch (comparison) {
    case 'COMPARE_EQUAL':
    case 'COMPARE_IN':
      return exact ? { type: 'times', lo: begin(at), hi: end(at) } : NONE;
    case 'COMPARE_NOTEQUAL':
    case 'COMPARE_NOT_IN':
      return exact && period === grain ? { type: 'not-time', time: at } : ANY;
    case 'COMPARE_GREATERTHANOREQUALTO':
      return { type: 'times', lo: begin(exact ? at : at + 1), hi: most };
    case 'COMPARE_GREATERTHAN':
      return { type: 'times', lo: begin(at + 1), hi: most };
    case 'COMPARE_LESSTHANOREQUALTO':
      return { type: 'times', lo: least, hi: end(at) };
    case 'COMPARE_LESSTHAN':
      return { type: 'times', lo: least, hi: exact ? end(at - 1) : end(at) };
    default:
      return ANY;
  }
}

/** The first index whose period begins at or after an instant. */
function firstFrom(grain: Grain, ms: number): number {
  const at = indexAt(grain, ms);
  return startOf(grain, at) === ms ? at : at + 1;
}

/** Beyond, a Date ends, and so does what indices can be computed of. */
const FARTHEST_MS = 8e15;

/** A constant as ms UTC: a date, a time, or a number of a year. */
function instantOf(constant: Json | undefined, step: Step): number | undefined {
  if (!isObject(constant) || constant.is_null !== false || typeof constant.value !== 'number') return undefined;
  const { value } = constant;
  const type = typeId(constant.type);
  const ms =
    step === 'year'
      ? /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/.test(type ?? '') && Math.abs(value) < 200_000
        ? startOf('year', value - 1970)
        : undefined
      : type === 'DATE'
        ? value * 86_400_000
        : type === 'TIMESTAMP' || type === 'TIMESTAMP WITH TIME ZONE'
          ? value / 1000
          : undefined;
  return ms !== undefined && Math.abs(ms) <= FARTHEST_MS ? ms : undefined;
}

/** DuckDB's name of a type. */
export const typeId = (json: Json | undefined): string | undefined => (isObject(json) ? String(json.id) : undefined);

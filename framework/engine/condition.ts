import type { SeriesValues } from '../partition/space.ts';
import type { FileSpan, Needed } from './port.ts';

/** What the rows that a scan gives have in common; by the names of partition columns. */
export type Condition =
  | { readonly type: 'and' | 'or'; readonly of: readonly Condition[] }
  /** Of the time dimension: indices from `lo` to `hi`, both included; nothing where `hi` is less. */
  | { readonly type: 'times'; readonly lo: number; readonly hi: number }
  | { readonly type: 'not-time'; readonly time: number }
  | { readonly type: 'text'; readonly column: string; readonly is: TextTest; readonly values: readonly string[] };

export type TextTest = 'in' | 'not-in' | '<' | '<=' | '>' | '>=' | 'prefix' | 'suffix' | 'contains';

/** Restricts nothing. */
export const ANY: Condition = { type: 'and', of: [] };
/** Is true of no row. */
export const NONE: Condition = { type: 'or', of: [] };

/** Whether a file may hold rows of which the condition is true. */
export function mayHold(condition: Condition, span: FileSpan): boolean {
  switch (condition.type) {
    case 'and':
      return condition.of.every((one) => mayHold(one, span));
    case 'or':
      return condition.of.some((one) => mayHold(one, span));
    case 'times':
      return condition.lo <= condition.hi && condition.lo <= span.last && condition.hi >= span.first;
    case 'not-time':
      return span.first !== span.last || span.first !== condition.time;
    case 'text':
      return textHolds(condition.is, listedValue(span.values, condition.column), condition.values);
  }
}

/** The condition as a choice of files: all of them where it restricts none. */
export function needed(condition: Condition | undefined): Needed {
  if (condition === undefined) return false;
  return restricts(condition) ? (span) => mayHold(condition, span) : true;
}

function restricts(condition: Condition): boolean {
  if (condition.type === 'and') return condition.of.some(restricts);
  return condition.type === 'or' ? condition.of.every(restricts) : true;
}

const listedValue = (values: SeriesValues, column: string): string => values[column] ?? '';

function textHolds(is: TextTest, value: string, [first = '', ...more]: readonly string[]): boolean {
  switch (is) {
    case 'in':
      return value === first || more.includes(value);
    case 'not-in':
      return value !== first && !more.includes(value);
    case 'prefix':
      return value.startsWith(first);
    case 'suffix':
      return value.endsWith(first);
    case 'contains':
      return value.includes(first);
    default: {
      // As DuckDB orders text: by the bytes of UTF-8.
      const order = Buffer.compare(Buffer.from(value), Buffer.from(first));
      return is === '<' ? order < 0 : is === '<=' ? order <= 0 : is === '>' ? order > 0 : order >= 0;
    }
  }
}

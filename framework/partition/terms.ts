import { LakehouseError } from '../common/errors.ts';

/** One `dimension=value` of a key, set or filter as written. Columns count from 1. */
export interface Term {
  readonly name: string;
  readonly value: string;
  readonly column: number;
  readonly valueColumn: number;
}

/** Throws a usage error whose message shows the text with a caret under the column. */
export function failAt(code: string, text: string, column: number, message: string, hint?: string): never {
  throw new LakehouseError(code, `${message} (column ${column})\n  ${text}\n  ${' '.repeat(column - 1)}^`, {
    hint,
    details: { text, column },
  });
}

/** Splits `a=x/b=y` or `a=x,b=y`. Refuses empty parts, parts without `=`, and a dimension given twice; `code` names the error. */
export function splitTerms(code: string, text: string): Term[] {
  const terms: Term[] = [];
  let start = 0;
  for (const part of text.split(/[/,]/)) {
    const lead = part.length - part.trimStart().length;
    const column = start + lead + 1;
    const equals = part.indexOf('=');
    start += part.length + 1;
    if (part.trim() === '') failAt(code, text, column, 'Expected dimension=value, found nothing');
    if (equals < 0) failAt(code, text, column, `Expected dimension=value, found '${part.trim()}'`);
    const name = part.slice(0, equals).trim();
    const raw = part.slice(equals + 1);
    const value = raw.trim();
    const valueColumn = column - lead + equals + 1 + (raw.length - raw.trimStart().length);
    if (name === '') failAt(code, text, column, 'Expected the name of a dimension before =');
    if (value === '') failAt(code, text, valueColumn, `Expected a value for '${name}'`);
    if (terms.some((term) => term.name === name)) {
      failAt(code, text, column, `'${name}' is given twice`, `Write alternatives as ${name}=a|b.`);
    }
    terms.push({ name, value, column, valueColumn });
  }
  return terms;
}

/** The `|` alternatives of a term's value, each with its column. */
export function alternatives(term: Term): { text: string; column: number }[] {
  let column = term.valueColumn;
  return term.value.split('|').map((text) => {
    const found = { text, column };
    column += text.length + 1;
    return found;
  });
}

const PLAIN = /^[A-Za-z0-9_.-]+$/;

/** Percent-encodes everything but `A-Z a-z 0-9 _ . -` (as UTF-8), so that no separator, glob or path character survives. */
export function encodeValue(value: string): string {
  if (PLAIN.test(value)) return value;
  if (value === '') throw new LakehouseError('bad-partition-value', 'A partition value is empty');
  if (!value.isWellFormed()) {
    throw new LakehouseError('bad-partition-value', `Partition value ${JSON.stringify(value)} is not valid Unicode`);
  }
  return encodeURIComponent(value).replace(/[!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The inverse of {@link encodeValue}; other characters stand for themselves. Undefined for a broken percent sequence. */
export function decodeValue(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

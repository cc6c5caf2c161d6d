import { LakehouseError } from '../common/errors.ts';

/** How the rows of an answer are found and read: see `json` in define/formats. */
export interface JsonRows {
  readonly columns: readonly string[];
  readonly optional?: readonly string[];
  readonly rows?: string;
}

const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

/** JSON texts as a JSON text sequence (RFC 7464), each byte for byte. */
export function jsonSequence(texts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(texts.flatMap((text) => [Buffer.of(RECORD_SEPARATOR), text, Buffer.of(LINE_FEED)]));
}

/** The texts of a sequence; one, of the whole, when it is none. */
export function jsonTexts(bytes: Uint8Array): Uint8Array[] {
  if (bytes[0] !== RECORD_SEPARATOR) return [bytes];
  const texts: Uint8Array[] = [];
  for (let at = 0; at >= 0 && at < bytes.length; ) {
    const next = bytes.indexOf(RECORD_SEPARATOR, at + 1);
    texts.push(bytes.subarray(at + 1, next < 0 ? undefined : next));
    at = next;
  }
  return texts;
}

/**
 * The rows of answers as CSV without header: every value quoted, NULL as nothing. No bytes when there are no rows.
 * @param label names the file in errors.
 * @throws LakehouseError of kind `data`: `json-malformed`, `json-rows`.
 */
export function jsonToCsv(bytes: Uint8Array, format: JsonRows, label: string): Uint8Array {
  const lines: string[] = [];
  for (const text of jsonTexts(bytes)) {
    for (const row of rowsOf(parse(text, label), format.rows, label)) {
      lines.push(fieldsOf(row, format, label).map(csvField).join(','));
    }
  }
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** Numbers stay the text they were: 1.10 and 1e3 are not 1.1 and 1000, and a double does not hold every decimal. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): unknown {
    return Number(this.text);
  }
}

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

function parse(bytes: Uint8Array, label: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return parseWith(text, (_, value, { source }) =>
      typeof value === 'number' ? new NumberText(source ?? String(value)) : value,
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LakehouseError('json-malformed', `${label}: this is not JSON: ${reason}`, { kind: 'data', cause });
  }
}

function rowsOf(document: unknown, path: string | undefined, label: string): readonly unknown[] {
  let found: readonly unknown[] = [document];
  for (const name of path?.split('.') ?? []) {
    found = found.flatMap((value) => {
      if (typeof value !== 'object' || value === null) return [];
      if (name === '*') return Object.values(value).filter(Array.isArray);
      return Object.hasOwn(value, name) ? [(value as Record<string, unknown>)[name]] : [];
    });
  }
  if (found.length > 0 && found.every(Array.isArray)) return found.flat(1);
  const expected = path === undefined ? 'The document should be' : `At ${path} there should be`;
  throw new LakehouseError('json-rows', `${label}: ${expected} a list of rows`, {
    kind: 'data',
    hint: 'The exchange may have answered with an error, or in another form than the format says.',
  });
}

function fieldsOf(row: unknown, { columns, optional = [] }: JsonRows, label: string): (string | undefined)[] {
  const problem = (what: string) =>
    new LakehouseError('json-rows', `${label}: ${what}: ${JSON.stringify(row).slice(0, 200)}`, { kind: 'data' });
  const least = columns.length - optional.length;
  if (Array.isArray(row)) {
    if (row.length < least || row.length > columns.length) {
      throw problem(`a row has ${row.length} elements, expected ${columns.join(', ')}`);
    }
    return columns.map((_, i) => textOf(row[i]));
  }
  if (typeof row !== 'object' || row === null || row instanceof NumberText) throw problem('this is not a row');
  const missing = columns.slice(0, least).find((name) => !Object.hasOwn(row, name));
  if (missing !== undefined) throw problem(`a row has no '${missing}'`);
  return columns.map((name) => textOf(Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined));
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value;
  return value instanceof NumberText ? value.text : JSON.stringify(value);
}

const csvField = (value: string | undefined): string => (value === undefined ? '' : `"${value.replaceAll('"', '""')}"`);

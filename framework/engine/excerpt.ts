import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { SqlPart, SqlTemplate } from '../define/sql.ts';
import { type Rendering, render, renderPart } from './render.ts';

// DuckDB says at which byte of a statement an error is. The statement is not what the user wrote, so the place is looked up there.

interface Place {
  readonly statement: string;
  readonly byte: number;
}

const places = new WeakMap<object, Place>();

/** The error, with the byte of the statement that it is about; as it is where DuckDB says none. */
export function placed<TError extends Error>(error: TError, statement: string, byte: unknown): TError {
  const at = typeof byte === 'string' || typeof byte === 'number' ? Number(byte) : Number.NaN;
  if (Number.isSafeInteger(at)) places.set(error, { statement, byte: at });
  return error;
}

/** The byte at which a character (code point) begins: the parser counts those. */
export function byteOf(statement: string, character: unknown): number {
  return Buffer.byteLength([...statement].slice(0, Number(character)).join(''));
}

/**
 * The error with two more lines: the line of the template that it is about, and a caret. As it is where its place is not known,
 * or in none of the renderings.
 */
export function pointedOut(error: unknown, template: SqlTemplate, renderings: readonly Rendering[]): unknown {
  const place = isLakehouseError(error) ? places.get(error) : undefined;
  if (!isLakehouseError(error) || place === undefined) return error;
  for (const rendering of renderings) {
    const found = excerpt(template, rendering, place);
    if (found === undefined) continue;
    const { code, message, kind, hint, issues, cause, details } = error;
    return new LakehouseError(code, `${message}\n${found}`, { kind, hint, issues, cause, details });
  }
  return error;
}

function excerpt(template: SqlTemplate, rendering: Rendering, { statement, byte }: Place): string | undefined {
  const query = render(template, rendering);
  const start = statement.lastIndexOf(query);
  const offset = Buffer.from(statement).subarray(0, byte).toString().length - start;
  if (start < 0 || offset < 0 || offset > query.length) return undefined;
  const texts = template.parts.map((part) => renderPart(part, rendering));
  // What `render` leaves out in front.
  let rest = offset + texts.join('').search(/\S/);
  let written = '';
  let caret: number | undefined;
  for (const [i, part] of template.parts.entries()) {
    const text = texts[i] ?? '';
    const shown = show(part) ?? text;
    if (caret === undefined && rest < text.length) caret = written.length + (shown === text ? rest : 0);
    rest -= text.length;
    written += shown;
  }
  return lineAt(written, caret ?? written.trimEnd().length);
}

/** A placeholder as it is written in the query, as far as that is known. */
function show(part: SqlPart): string | undefined {
  if (part.type === 'relation') return `\${${part.input}}`;
  return part.type === 'partition' ? `\${partition.${part.name}}` : undefined;
}

/** Characters of a long line that are shown, and how many of them before the caret. */
const SHOWN = 100;
const BEFORE = 60;

/** `LINE 3: …` and below it the caret, as DuckDB shows it. */
function lineAt(text: string, at: number): string {
  const begin = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const line = text
    .slice(begin, end < 0 ? text.length : end)
    .replaceAll('\t', ' ')
    .trimEnd();
  const indent = Math.max(line.search(/\S/), 0);
  const from = Math.max(indent, at - begin - BEFORE);
  const shown = line.slice(from, from + SHOWN);
  const prefix = `LINE ${text.slice(0, begin).trimStart().split('\n').length}: ${from > indent ? '…' : ''}`;
  const more = from + shown.length < line.length ? '…' : '';
  return `${prefix}${shown}${more}\n${' '.repeat(prefix.length + at - begin - from)}^`;
}

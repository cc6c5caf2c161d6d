import type { SqlPart, SqlTemplate } from './sql.ts';

/** What the text of a query is inside of. Quotes never last beyond one text: a placeholder in them is refused. */
type State =
  | { readonly in: 'code' }
  | { readonly in: 'line' }
  | { readonly in: 'block'; readonly depth: number }
  | { readonly in: 'quotes' };

const WORD = String.raw`[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*`;
const TOKEN = new RegExp(
  [
    String.raw`[eE]'(?:[^'\\]|\\[^]|'')*'`,
    `'(?:[^']|'')*'`,
    `"(?:[^"]|"")*"`,
    String.raw`(?<dollar>\$(?:${WORD.replace('$', '')})?\$)[^]*?\k<dollar>`,
    String.raw`(?<quotes>[eE]?'|"|\$(?:${WORD.replace('$', '')})?\$)`,
    '(?<line>--)',
    String.raw`(?<block>\/\*)`,
    WORD,
    '[^]',
  ].join('|'),
  'y',
);

/**
 * Why a placeholder does not mean what it says where it stands; undefined if all do. Inside quotes its text would be part of
 * the string or end it; values in a comment may hold what ends the comment; two values that touch may read as one.
 */
export function misplacedPlaceholder({ parts }: SqlTemplate): string | undefined {
  let state: State = { in: 'code' };
  for (const [i, part] of parts.entries()) {
    if (part.type === 'text') {
      state = scan(part.text, state);
      continue;
    }
    if (state.in === 'quotes')
      return `${show(part)} stands inside quotes: leave the quotes out, values are quoted by themselves`;
    const isValue = part.type === 'literal' || part.type === 'partition';
    if (state.in !== 'code') {
      if (isValue) return `${show(part)} stands inside a comment: take it out`;
      continue;
    }
    const [before, after] = [parts[i - 1], parts[i + 1]];
    const touches =
      (after !== undefined && after.type !== 'text') ||
      (isValue && (/[\w$'"\u0080-\uffff]$/.test(textOf(before)) || /^[\w$'"\u0080-\uffff]/.test(textOf(after))));
    if (touches) return `${show(part)} touches what stands beside it: put a space between`;
  }
  return undefined;
}

/** What DuckDB reads as a space beyond ASCII; any other character there is a letter to it. */
const SPACES = /[\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]/g;

/** The state at the end of a text that begins in `state`. */
function scan(written: string, state: State): State {
  const text = written.replace(SPACES, ' ');
  let at = 0;
  while (at < text.length) {
    if (state.in === 'line') {
      const end = text.slice(at).search(/[\n\r]/);
      if (end < 0) return state;
      at += end;
      state = { in: 'code' };
    } else if (state.in === 'block') {
      const edge = /\/\*|\*\//g;
      edge.lastIndex = at;
      const found = edge.exec(text);
      if (!found) return state;
      at = edge.lastIndex;
      const depth: number = state.depth + (found[0] === '/*' ? 1 : -1);
      state = depth === 0 ? { in: 'code' } : { in: 'block', depth };
    } else {
      TOKEN.lastIndex = at;
      const { groups = {} } = TOKEN.exec(text) ?? {};
      at = TOKEN.lastIndex;
      if (groups.quotes !== undefined) return { in: 'quotes' };
      if (groups.line !== undefined) state = { in: 'line' };
      if (groups.block !== undefined) state = { in: 'block', depth: 1 };
    }
  }
  return state;
}

const textOf = (part: SqlPart | undefined): string => (part?.type === 'text' ? part.text : '');

function show(part: SqlPart): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'literal':
      return `the value ${typeof part.value === 'string' ? `'${part.value}'` : String(part.value)}`;
    case 'relation':
      return `the input '${part.input}'`;
    case 'column':
      return `the column '${part.name}'`;
    case 'partition':
      return `the partition's '${part.name}'`;
  }
}

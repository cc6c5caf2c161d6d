/** A piece of SQL as it is written. */
export interface Token {
  /** `name`: quoted, `word`: not; `text`: a literal in quotes or between dollar signs. */
  readonly type: 'space' | 'comment' | 'text' | 'name' | 'number' | 'parameter' | 'word' | 'sign';
  readonly text: string;
  /** Offset of its first character. */
  readonly at: number;
  /** A quote or comment without its end. */
  readonly open: boolean;
}

/** What is not ASCII is a letter to DuckDB. */
const LETTER = String.raw`A-Za-z_\u0080-\u{10ffff}`;

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<comment>--[^\n\r]*|\/\*)`,
    String.raw`(?<text>[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?|(?<dollar>\$(?:[${LETTER}][${LETTER}\d]*)?\$))`,
    '(?<name>"(?:[^"]|"")*"?)',
    String.raw`(?<number>(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[${LETTER}\d$]*)`,
    String.raw`(?<parameter>[$?#][${LETTER}\d]+)`,
    String.raw`(?<word>[${LETTER}][${LETTER}\d$]*)`,
    '(?<sign>[^])',
  ].join('|'),
  'uy',
);

/** All of a text, spaces and comments included. What has no end runs to the end of the text. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups ?? {};
    const [type, first] = Object.entries(groups).find(([, value]) => value !== undefined) ?? ['sign', text[at] ?? ''];
    const end =
      first === '/*'
        ? endOfComment(text, at)
        : groups.dollar !== undefined
          ? after(text, groups.dollar, at + first.length)
          : at + first.length;
    const whole = text.slice(at, end ?? text.length);
    const quoted = first.startsWith('"') || (type === 'text' && groups.dollar === undefined);
    const open = end === undefined || (quoted && !isClosed(whole));
    found.push({ type: type as Token['type'], text: whole, at, open });
    at += whole.length;
  }
  return found;
}

/** Whether a literal ends with its quote: neither one of a pair nor after a backslash. */
const isClosed = (literal: string): boolean =>
  /^(?:[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*")$/s.test(literal);

function after(text: string, what: string, from: number): number | undefined {
  const at = text.indexOf(what, from);
  return at < 0 ? undefined : at + what.length;
}

/** Comments of DuckDB nest. */
function endOfComment(text: string, start: number): number | undefined {
  let depth = 0;
  for (const { 0: edge, index } of text.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += edge === '/*' ? 1 : -1;
    if (depth === 0) return start + index + 2;
  }
  return undefined;
}

const isNothing = ({ type, open }: Token): boolean => (type === 'space' || type === 'comment') && !open;

/** Whether a text has neither a statement nor the beginning of one: only spaces and comments. */
export const isBlank = (text: string): boolean => tokens(text).every(isNothing);

/** The statements of a text that end with a semicolon, without it, and what stands behind the last one. */
export function splitStatements(text: string): { readonly statements: readonly string[]; readonly rest: string } {
  const statements: string[] = [];
  let start = 0;
  for (const { type, text: sign, at } of tokens(text)) {
    if (type !== 'sign' || sign !== ';') continue;
    statements.push(text.slice(start, at));
    start = at + 1;
  }
  return {
    statements: statements.filter((one) => !isBlank(one)).map((one) => one.trim()),
    rest: text.slice(start),
  };
}

/** A statement as one line, for the history. Undefined where it cannot be one: a literal goes over several. */
export function oneLine(statement: string): string | undefined {
  const parts = tokens(statement.trim());
  if (parts.some(({ type, text }) => (type === 'text' || type === 'name') && /[\r\n]/.test(text))) return undefined;
  const line = parts.map(({ type, text }, i) => {
    if (type === 'space') return ' ';
    const ends = type === 'comment' && text.startsWith('--') && i < parts.length - 1;
    // To the end of the line, which is not there any more.
    return ends ? `/*${text.slice(2).trimEnd().replaceAll('*/', '* /')} */` : text.replaceAll(/\s*[\r\n]\s*/g, ' ');
  });
  return line.join('');
}

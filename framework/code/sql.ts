/** What DuckDB reads as a space, and the other characters beyond ASCII, which are letters to it. */
const SPACE = String.raw` \t\n\r\f\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff`;
const LETTER = String.raw`A-Za-z_\u0080-\u009f\u00a1-\u1fff\u200c-\u202e\u2030-\u205e\u2061-\u2fff\u3001-\ufefe\uff00-\uffff`;

/** One token of DuckDB's lexer, or what separates two. Sticky: each match starts where the last one ended. */
const TOKEN = new RegExp(
  [
    String.raw`(?<space>[${SPACE}]+|--[^\n\r]*)`,
    String.raw`(?<comment>\/\*)`,
    String.raw`(?<dollar>\$(?:[${LETTER}][${LETTER}\d]*)?\$)`,
    String.raw`(?<literal>[eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|$))`,
    '(?:[uU]&)?"(?:[^"]|"")*(?:"|$)',
    // A number takes the letters that touch it: apart or not, DuckDB reads them the same way.
    String.raw`(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[${LETTER}\d$]*`,
    String.raw`[${LETTER}][${LETTER}\d$]*`,
    String.raw`[$?#][${LETTER}\d]+|::|:=|\.\.`,
    String.raw`(?<operator>[~!@^&|\x60+\-*\/%<>=]+)`,
    '[^]',
  ].join('|'),
  'y',
);

const COMMENT_EDGE = /\/\*|\*\//g;

/** Adjacent literals are one literal if there is a line break between them (the SQL standard's continuation). */
const GAP = String.raw`(?:[ \t\f]|--[^\n\r]*(?=[\n\r]))*[\n\r](?:[ \t\n\r\f]|--[^\n\r]*[\n\r])*`;
const CONTINUED = new RegExp(`${GAP}'((?:[^']|'')*)'`, 'y');
const CONTINUED_ESCAPES = new RegExp(String.raw`${GAP}'((?:[^'\\]|\\[^]|'')*)'`, 'y');

/** These operators are read apart from a sign that touches them: `a<-1` is `a < -1`. Others swallow it: `a!=-1` calls `!=-`. */
const APART_FROM_SIGN = /^(?:[*/<>=+-]|<=|>=|<>|==|<<|>>|->>)$/;
/** These mean something else to DuckDB if a sign or even a comment touches them: `x->/**\/y` is no lambda. */
const TOUCHY = /^(?:->|\*\*|\/\/|=>)$/;

/**
 * DuckDB SQL without what cannot change its meaning, comments and layout: its tokens, separated by one space. For comparing
 * and hashing, not for execution.
 *
 * The case of names and keywords counts: DuckDB keeps the case in which an output column is written, and that reaches the data
 * (`to_json(t)`, struct fields). Never throws: an unterminated quote or comment runs to the end, for DuckDB to refuse.
 */
export function normalizeSql(text: string): string {
  return Array.from(sqlTokens(text), ({ token }) => token).join(' ');
}

/** The tokens of a text, and where in it each is written. Two that are read apart from each other share a place. */
export function* sqlTokens(
  text: string,
): Generator<{ readonly token: string; readonly start: number; readonly end: number }> {
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) break;
    const [token] = match;
    const { space, comment, dollar, literal, operator } = match.groups ?? {};
    const start = at;
    at += token.length;
    if (space !== undefined) continue;
    if (comment !== undefined) {
      at = endOfComment(text, start);
    } else if (dollar !== undefined) {
      const close = text.indexOf(dollar, at);
      at = close < 0 ? text.length : close + dollar.length;
      yield { token: text.slice(start, at), start, end: at };
    } else if (literal !== undefined) {
      const pattern = /^e/i.test(literal) ? CONTINUED_ESCAPES : CONTINUED;
      let whole = literal;
      pattern.lastIndex = at;
      for (let next = pattern.exec(text); next; next = pattern.exec(text)) {
        whole = `${whole.slice(0, -1)}${next[1]}'`;
        at = pattern.lastIndex;
      }
      yield { token: whole, start, end: at };
    } else if (operator !== undefined) {
      const comment = operator.search(/--|\/\*/);
      const run = comment < 0 ? operator : operator.slice(0, comment);
      const head = run.replace(/(?!^)[+-]+$/, '');
      at = start + run.length;
      const apart = APART_FROM_SIGN.test(head) ? [head, ...run.slice(head.length)] : undefined;
      const whole = comment >= 0 && TOUCHY.test(run) ? `${run}/**/` : run;
      for (const token of apart ?? [whole]) yield { token, start, end: at };
    } else {
      yield { token, start, end: at };
    }
  }
}

function endOfComment(text: string, start: number): number {
  COMMENT_EDGE.lastIndex = start;
  let depth = 0;
  for (let edge = COMMENT_EDGE.exec(text); edge; edge = COMMENT_EDGE.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return COMMENT_EDGE.lastIndex;
  }
  return text.length;
}

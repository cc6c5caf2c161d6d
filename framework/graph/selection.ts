import { LakehouseError } from '../common/errors.ts';
import { globToRegExp } from '../common/glob.ts';
import { didYouMean } from '../common/suggest.ts';

/** What a selection is evaluated against. */
export interface Selectable {
  readonly key: string;
  readonly group: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
  readonly owners: readonly string[];
}
export interface SelectableGraph {
  readonly nodes: readonly Selectable[];
  /** Keys up to `depth` edges away, the start excluded; none for 0. */
  upstream(key: string, depth: number): Iterable<string>;
  downstream(key: string, depth: number): Iterable<string>;
}

/** A parsed selection. `match` terms carry the position they were written at, for errors. */
export type Selection =
  | {
      readonly type: 'match';
      readonly attribute: Attribute;
      readonly pattern: string;
      /** `tag:name=value` only. */
      readonly value?: string;
      readonly column: number;
    }
  | { readonly type: 'function'; readonly name: 'roots' | 'sinks'; readonly of: Selection }
  | { readonly type: 'traverse'; readonly of: Selection; readonly up: number; readonly down: number }
  | { readonly type: 'not'; readonly of: Selection }
  | { readonly type: 'and' | 'or'; readonly left: Selection; readonly right: Selection };
type Attribute = 'key' | 'group' | 'tag' | 'kind' | 'owner';
const ATTRIBUTES: readonly Attribute[] = ['key', 'group', 'tag', 'kind', 'owner'];

interface Token {
  readonly type: '(' | ')' | ',' | '+' | 'word' | 'end';
  readonly text: string;
  /** Quoted, in part at least: never an operator or a number. */
  readonly quoted: boolean;
  /** Counted from 1, in the text as it was written. */
  readonly column: number;
  /** Whether white space stands before it: `2 +a` is not `2+a`. */
  readonly spaced: boolean;
}

function fail(text: string, column: number, message: string, hint?: string): never {
  const line = text.replace(/\s/g, ' '); // so that the mark stands below its column
  throw new LakehouseError('bad-selection', `${message} (column ${column})\n  ${line}\n  ${' '.repeat(column - 1)}^`, {
    hint: hint ?? "Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'",
    details: { selection: text, column },
  });
}

const TOKEN = /(?<space>\s*)(?:(?<sign>[(),+])|(?<word>(?:[^\s(),+"]|"[^"]*")+)|(?<open>"))?/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const { space = '', sign, word, open } = TOKEN.exec(text)?.groups ?? {};
    const column = TOKEN.lastIndex - (sign ?? word ?? open ?? '').length + 1;
    if (open !== undefined) fail(text, column, 'this quote is never closed');
    const common = { column, spaced: space !== '' };
    if (sign !== undefined) tokens.push({ type: sign as Token['type'], text: sign, quoted: false, ...common });
    else if (word !== undefined) {
      tokens.push({ type: 'word', text: word.replaceAll('"', ''), quoted: word.includes('"'), ...common });
    }
  }
  tokens.push({ type: 'end', text: '', quoted: false, column: text.length + 1, spaced: true });
  return tokens;
}

/**
 * Parses Dagster's selection syntax: keys and globs, `+a` (everything upstream), `a+`, `2+a+1`, `key: group: tag:name[=value]
 * kind: owner:`, `roots(…)`, `sinks(…)`, `and` / `or` / `not` in any case, parentheses. A comma reads as `or`. Double quotes
 * keep spaces and signs together: `owner:"data team"`.
 * @throws LakehouseError `bad-selection`, pointing at the column.
 */
export function parseSelection(text: string): Selection {
  const tokens = tokenize(text);
  let at = 0;
  const peek = (ahead = 0): Token => tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
  const isWord = (token: Token, ...words: string[]) =>
    token.type === 'word' && !token.quoted && words.includes(token.text.toLowerCase());
  const isNumber = (token: Token) => token.type === 'word' && !token.quoted && /^\d+$/.test(token.text);

  function or(): Selection {
    let left = and();
    while (isWord(peek(), 'or') || peek().type === ',') {
      at++;
      left = { type: 'or', left, right: and() };
    }
    return left;
  }
  function and(): Selection {
    let left = not();
    while (isWord(peek(), 'and')) {
      at++;
      left = { type: 'and', left, right: not() };
    }
    return left;
  }
  function not(): Selection {
    if (!isWord(peek(), 'not')) return traversal();
    at++;
    return { type: 'not', of: not() };
  }
  /** [N]+ term +[N], the numbers glued to the plus. */
  function traversal(): Selection {
    let up = 0;
    if (peek().type === '+') {
      up = Number.POSITIVE_INFINITY;
      at++;
    } else if (isNumber(peek()) && peek(1).type === '+' && !peek(1).spaced) {
      up = Number(peek().text);
      at += 2;
    }
    const of = primary();
    let down = 0;
    if (peek().type === '+' && !peek().spaced) {
      at++;
      down = Number.POSITIVE_INFINITY;
      if (isNumber(peek()) && !peek().spaced) {
        down = Number(peek().text);
        at++;
      }
    }
    return up === 0 && down === 0 ? of : { type: 'traverse', of, up, down };
  }
  function primary(): Selection {
    const token = peek();
    if (token.type === 'end') fail(text, token.column, 'the selection ends where an asset is expected');
    if (token.type === '(') {
      at++;
      const inner = or();
      if (peek().type !== ')') fail(text, peek().column, `expected ')' for the '(' in column ${token.column}`);
      at++;
      return inner;
    }
    if (token.type !== 'word' || isWord(token, 'and', 'or', 'not')) {
      fail(text, token.column, `'${token.text}' stands where an asset is expected`);
    }
    at++;
    if (isWord(token, 'roots', 'sinks') && peek().type === '(') {
      return { type: 'function', name: token.text.toLowerCase() as 'roots' | 'sinks', of: primary() };
    }
    return match(text, token);
  }

  const selection = or();
  if (peek().type !== 'end') {
    fail(text, peek().column, `'${peek().text}' is not expected here`, "Join terms with 'and', 'or' or a comma");
  }
  return selection;
}

function match(text: string, token: Token): Selection {
  const { column } = token;
  const colon = token.text.indexOf(':');
  if (colon < 0) return { type: 'match', attribute: 'key', pattern: token.text, column };
  const written = token.text.slice(0, colon);
  const attribute = ATTRIBUTES.find((name) => name === written);
  if (attribute === undefined) {
    return fail(text, column, `'${written}:' is not something assets have`, didYouMean(written, ATTRIBUTES));
  }
  const rest = token.text.slice(colon + 1);
  if (rest === '') fail(text, column + colon + 1, `'${attribute}:' needs a value`);
  const equals = attribute === 'tag' ? rest.indexOf('=') : -1;
  if (equals < 0) return { type: 'match', attribute, pattern: rest, column };
  return { type: 'match', attribute, pattern: rest.slice(0, equals), value: rest.slice(equals + 1), column };
}

export interface Selected {
  /** In the graph's order. */
  readonly keys: readonly string[];
  /** Those of them that a term matched itself, not only through `+`. */
  readonly direct: ReadonlySet<string>;
  /** Those of them that were written out in full. */
  readonly named: ReadonlySet<string>;
}

/**
 * What a selection means on a graph. It may be empty, e.g. `a and b`.
 * @throws LakehouseError `bad-selection`; `nothing-selected` when a name or pattern matches no asset.
 */
export function select(graph: SelectableGraph, text: string): Selected {
  const all = graph.nodes.map((n) => n.key);
  const direct = new Set<string>();
  const named = new Set<string>();
  /** @param wanted false below `not`, where terms say what is not wanted. */
  const evaluate = (s: Selection, wanted: boolean): Set<string> => {
    switch (s.type) {
      case 'and':
        return both(evaluate(s.left, wanted), evaluate(s.right, wanted));
      case 'or':
        return new Set([...evaluate(s.left, wanted), ...evaluate(s.right, wanted)]);
      case 'not': {
        const without = evaluate(s.of, !wanted);
        return new Set(all.filter((key) => !without.has(key)));
      }
      case 'traverse':
        return widen(graph, evaluate(s.of, wanted), s.up, s.down);
      case 'function': {
        const of = evaluate(s.of, wanted);
        const next = (k: string) => (s.name === 'roots' ? graph.upstream(k, 1) : graph.downstream(k, 1));
        return new Set([...of].filter((k) => ![...next(k)].some((n) => of.has(n))));
      }
      case 'match': {
        const hits = matching(graph, s, text);
        if (wanted) for (const key of hits) direct.add(key);
        if (wanted && s.attribute === 'key' && hits.includes(s.pattern)) named.add(s.pattern);
        return new Set(hits);
      }
    }
  };
  const chosen = evaluate(parseSelection(text), true);
  return {
    keys: all.filter((key) => chosen.has(key)),
    direct: both(direct, chosen),
    named: both(named, chosen),
  };
}

function both(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((key) => b.has(key)));
}

function widen(graph: SelectableGraph, keys: ReadonlySet<string>, up: number, down: number): Set<string> {
  const out = new Set(keys);
  for (const key of keys) {
    for (const k of graph.upstream(key, up)) out.add(k);
    for (const k of graph.downstream(key, down)) out.add(k);
  }
  return out;
}

function matching(graph: SelectableGraph, term: Extract<Selection, { type: 'match' }>, text: string): string[] {
  const { attribute, pattern, value, column } = term;
  const [name, tagValue] = [globToRegExp(pattern), value === undefined ? undefined : globToRegExp(value)];
  const hits = graph.nodes.filter((node) =>
    attribute === 'tag'
      ? Object.entries(node.tags).some(([k, v]) => name.test(k) && (tagValue?.test(v) ?? true))
      : valuesOf(node, attribute).some((v) => name.test(v)),
  );
  if (hits.length > 0) return hits.map((node) => node.key);
  const known = new Set(graph.nodes.flatMap((node) => valuesOf(node, attribute)));
  const written = value === undefined ? pattern : `${pattern}=${value}`;
  const message = attribute === 'key' ? `No asset is named '${written}'` : `No asset has ${attribute} '${written}'`;
  throw new LakehouseError('nothing-selected', message, {
    hint: didYouMean(written, known),
    details: { selection: text, column },
  });
}

/** An asset's values of an attribute; of tags both the name and `name=value`. */
function valuesOf(node: Selectable, attribute: Attribute): readonly string[] {
  switch (attribute) {
    case 'key':
      return [node.key];
    case 'group':
      return [node.group];
    case 'tag':
      return Object.entries(node.tags).flatMap(([name, value]) => [name, `${name}=${value}`]);
    case 'kind':
      return node.kinds;
    case 'owner':
      return node.owners;
  }
}

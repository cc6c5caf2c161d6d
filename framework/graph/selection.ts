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
  /** Keys up to `depth` edges away, the start excluded. */
  upstream(key: string, depth: number): Iterable<string>;
  downstream(key: string, depth: number): Iterable<string>;
}

/** A parsed selection. `match` terms carry the position they were written at, for errors. */
export type Selection =
  | {
      readonly type: 'match';
      readonly attribute: Attribute;
      readonly pattern: string;
      readonly value?: string;
      readonly up: number;
      readonly down: number;
      readonly column: number;
    }
  | { readonly type: 'function'; readonly name: 'roots' | 'sinks'; readonly of: Selection }
  | { readonly type: 'traverse'; readonly of: Selection; readonly up: number; readonly down: number }
  | { readonly type: 'not'; readonly of: Selection }
  | { readonly type: 'and' | 'or'; readonly left: Selection; readonly right: Selection };
type Attribute = 'key' | 'group' | 'tag' | 'kind' | 'owner';
const ATTRIBUTES: readonly Attribute[] = ['key', 'group', 'tag', 'kind', 'owner'];

interface Token {
  readonly type: '(' | ')' | 'plus' | 'word' | 'end';
  readonly text: string;
  readonly column: number;
  /** Whether white space stands before it: `2 +a` is not `2+a`. */
  readonly spaced: boolean;
}

function fail(text: string, column: number, message: string, hint?: string): never {
  throw new LakehouseError('bad-selection', `${message} (column ${column})\n  ${text}\n  ${' '.repeat(column - 1)}^`, {
    hint: hint ?? "Examples: silver/klines, '+gold/*', '2+gold/indicators', 'group:gold and not tag:slow'",
    details: { selection: text, column },
  });
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let i = 0;
  while (i < text.length) {
    const start = i;
    while (/\s/.test(text[i] ?? '')) i++;
    const spaced = i > start;
    const char = text[i];
    if (char === undefined) break;
    const column = i + 1;
    if (char === '(' || char === ')') tokens.push({ type: char, text: char, column, spaced });
    else if (char === '+') tokens.push({ type: 'plus', text: char, column, spaced });
    else {
      let word = '';
      while (i < text.length && !/[\s()+]/.test(text[i] as string)) {
        if (text[i] === '"') {
          const end = text.indexOf('"', i + 1);
          if (end < 0) fail(text, i + 1, 'this quote is never closed');
          word += text.slice(i + 1, end);
          i = end + 1;
        } else word += text[i++];
      }
      tokens.push({ type: 'word', text: word, column, spaced });
      continue;
    }
    i++;
  }
  tokens.push({ type: 'end', text: '', column: text.length + 1, spaced: true });
  return tokens;
}

/**
 * Parses Dagster's selection syntax: keys and globs, `+a` (everything upstream), `a+`, `2+a+1`, `key: group: tag:name[=value]
 * kind: owner:`, `roots(…)`, `sinks(…)`, `and` / `or` / `not`, parentheses. A comma reads as `or`.
 * @throws LakehouseError `bad-selection`, pointing at the column.
 */
export function parseSelection(text: string): Selection {
  const tokens = tokenize(text.replaceAll(',', ' or ').replace(/ or {2,}or /g, ' or '));
  const shown = text.replaceAll(',', ' or ');
  let at = 0;
  const peek = (ahead = 0): Token => tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
  const word = (token: Token, ...words: string[]) => token.type === 'word' && words.includes(token.text.toLowerCase());

  function or(): Selection {
    let left = and();
    while (word(peek(), 'or')) {
      at++;
      left = { type: 'or', left, right: and() };
    }
    return left;
  }
  function and(): Selection {
    let left = not();
    while (word(peek(), 'and')) {
      at++;
      left = { type: 'and', left, right: not() };
    }
    return left;
  }
  function not(): Selection {
    if (!word(peek(), 'not')) return traversal();
    at++;
    return { type: 'not', of: not() };
  }
  /** [N]+ term +[N], the numbers glued to the plus. */
  function traversal(): Selection {
    let up = 0;
    const first = peek();
    if (first.type === 'plus') {
      up = Number.POSITIVE_INFINITY;
      at++;
    } else if (first.type === 'word' && /^\d+$/.test(first.text) && peek(1).type === 'plus' && !peek(1).spaced) {
      up = Number(first.text);
      at += 2;
    }
    const of = primary();
    let down = 0;
    if (peek().type === 'plus' && !peek().spaced) {
      at++;
      const depth = peek();
      if (depth.type === 'word' && /^\d+$/.test(depth.text) && !depth.spaced) {
        down = Number(depth.text);
        at++;
      } else down = Number.POSITIVE_INFINITY;
    }
    if (up === 0 && down === 0) return of;
    return of.type === 'match' ? { ...of, up, down } : { type: 'traverse', of, up, down };
  }
  function primary(): Selection {
    const token = peek();
    if (token.type === '(') {
      at++;
      const inner = or();
      if (peek().type !== ')') fail(shown, peek().column, `expected ')' for the '(' in column ${token.column}`);
      at++;
      return inner;
    }
    if (token.type !== 'word')
      fail(
        shown,
        token.column,
        token.type === 'end'
          ? 'the selection ends where an asset is expected'
          : `'${token.text}' stands where an asset is expected`,
      );
    if (word(token, 'and', 'or', 'not')) fail(shown, token.column, `'${token.text}' stands where an asset is expected`);
    at++;
    if (word(token, 'roots', 'sinks') && peek().type === '(') {
      const of = primary();
      return { type: 'function', name: token.text.toLowerCase() as 'roots' | 'sinks', of };
    }
    const colon = token.text.indexOf(':');
    if (colon < 0)
      return { type: 'match', attribute: 'key', pattern: token.text, up: 0, down: 0, column: token.column };
    const attribute = token.text.slice(0, colon);
    if (!ATTRIBUTES.includes(attribute as Attribute))
      fail(shown, token.column, `'${attribute}:' is not something assets have`, didYouMean(attribute, ATTRIBUTES));
    const rest = token.text.slice(colon + 1);
    if (rest === '') fail(shown, token.column + colon + 1, `'${attribute}:' needs a value`);
    const equals = attribute === 'tag' ? rest.indexOf('=') : -1;
    return {
      type: 'match',
      attribute: attribute as Attribute,
      pattern: equals < 0 ? rest : rest.slice(0, equals),
      ...(equals >= 0 && { value: rest.slice(equals + 1) }),
      up: 0,
      down: 0,
      column: token.column,
    };
  }

  const selection = or();
  if (peek().type !== 'end')
    fail(shown, peek().column, `'${peek().text}' is not expected here`, "Join terms with 'and', 'or' or a comma");
  return selection;
}

export interface Selected {
  /** In the graph's order. */
  readonly keys: readonly string[];
  /** Those that a term matched itself, not only through `+`. */
  readonly direct: ReadonlySet<string>;
  /** Those that were written out in full. */
  readonly named: ReadonlySet<string>;
}

/**
 * What a selection means on a graph.
 * @throws LakehouseError `bad-selection`; `nothing-selected` when a name or pattern matches no asset.
 */
export function select(graph: SelectableGraph, text: string): Selected {
  const all = graph.nodes.map((n) => n.key);
  const direct = new Set<string>();
  const named = new Set<string>();
  const evaluate = (s: Selection): Set<string> => {
    switch (s.type) {
      case 'and': {
        const right = evaluate(s.right);
        return new Set([...evaluate(s.left)].filter((k) => right.has(k)));
      }
      case 'or':
        return new Set([...evaluate(s.left), ...evaluate(s.right)]);
      case 'not': {
        const without = evaluate(s.of);
        return new Set(all.filter((k) => !without.has(k)));
      }
      case 'traverse':
        return widen(evaluate(s.of), s.up, s.down);
      case 'function': {
        const of = evaluate(s.of);
        const next = (k: string) => (s.name === 'roots' ? graph.upstream(k, 1) : graph.downstream(k, 1));
        return new Set([...of].filter((k) => ![...next(k)].some((n) => of.has(n))));
      }
      case 'match': {
        const pattern = globToRegExp(s.pattern);
        const value = s.value === undefined ? undefined : globToRegExp(s.value);
        const hits = graph.nodes.filter((n) => matches(n, s.attribute, pattern, value)).map((n) => n.key);
        if (hits.length === 0) {
          const known =
            s.attribute === 'key' ? all : [...new Set(graph.nodes.flatMap((n) => valuesOf(n, s.attribute)))];
          throw new LakehouseError(
            'nothing-selected',
            s.attribute === 'key' ? `No asset is named '${s.pattern}'` : `No asset has ${s.attribute} '${s.pattern}'`,
            {
              hint: didYouMean(s.pattern, known),
              details: { selection: text, column: s.column },
            },
          );
        }
        for (const key of hits) direct.add(key);
        if (s.attribute === 'key' && hits.length === 1 && hits[0] === s.pattern) named.add(s.pattern);
        return widen(new Set(hits), s.up, s.down);
      }
    }
  };
  const widen = (keys: Set<string>, up: number, down: number): Set<string> => {
    const out = new Set(keys);
    for (const key of keys) {
      if (up > 0) for (const k of graph.upstream(key, up)) out.add(k);
      if (down > 0) for (const k of graph.downstream(key, down)) out.add(k);
    }
    return out;
  };
  const chosen = evaluate(parseSelection(text));
  return { keys: all.filter((k) => chosen.has(k)), direct, named };
}

function valuesOf(node: Selectable, attribute: Attribute): readonly string[] {
  switch (attribute) {
    case 'key':
      return [node.key];
    case 'group':
      return [node.group];
    case 'tag':
      return Object.keys(node.tags);
    case 'kind':
      return node.kinds;
    case 'owner':
      return node.owners;
  }
}

function matches(node: Selectable, attribute: Attribute, pattern: RegExp, value: RegExp | undefined): boolean {
  if (attribute !== 'tag') return valuesOf(node, attribute).some((v) => pattern.test(v));
  return Object.entries(node.tags).some(([k, v]) => pattern.test(k) && (value?.test(v) ?? true));
}

import { type SqlPart, type SqlTemplate, sqlText } from '../define/sql.ts';

/** What a column of a query is computed from. */
export interface Origin {
  /** Columns of relations, as `relation column`; of what decides which rows there are only what the expression itself names. */
  readonly from: ReadonlySet<string>;
  /** False where there may be more. */
  readonly known: boolean;
}
export type Origins = ReadonlyMap<string, Origin>;

/** Something in a query that this reader does not follow. */
class Unreadable extends Error {}

type Token =
  | { readonly type: 'word' | 'name' | 'sign' | 'relation'; readonly text: string }
  | { readonly type: 'value' }
  | { readonly type: 'group'; readonly sign: string; readonly tokens: readonly Token[] };

const TOKEN = new RegExp(
  [
    String.raw`(?<skip>[\s\u200b\ufeff]+|--[^\n\r]*|/\*(?:(?!/\*|\*/)[^])*\*/)`,
    String.raw`(?<value>[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|(?<dollar>\$\w*\$)[^]*?\k<dollar>|\d[\w.]*)`,
    '(?<name>"(?:[^"]|"")*")',
    String.raw`\uE000(?<part>\d+)\uE001`,
    String.raw`(?<word>[A-Za-z_\u0080-\udfff\uf900-\uffff][\w$\u0080-\udfff\uf900-\uffff]*)`,
    String.raw`(?<sign>::|->|:=|=>|\|\||[^])`,
  ].join('|'),
  'gy',
);

function tokenize({ parts }: SqlTemplate): Token[] {
  const text = parts.map((part, i) => (part.type === 'text' ? part.text : `\uE000${i}\uE001`)).join('');
  const open: { readonly sign: string; readonly tokens: Token[] }[] = [{ sign: '', tokens: [] }];
  const add = (token: Token): unknown => open.at(-1)?.tokens.push(token);
  for (const { groups = {} } of text.matchAll(TOKEN)) {
    const { skip, value, name, part, word, sign = '' } = groups;
    if (skip !== undefined) continue;
    if (value !== undefined) add({ type: 'value' });
    else if (name !== undefined) add({ type: 'name', text: name.slice(1, -1).replaceAll('""', '"').toLowerCase() });
    else if (word !== undefined) add({ type: 'word', text: word.toLowerCase() });
    else if (part !== undefined) add(tokenOf(parts[Number(part)]));
    else if ('([{'.includes(sign)) open.push({ sign, tokens: [] });
    else if (')]}'.includes(sign)) {
      const group = open.pop();
      if (!group || open.length === 0) throw new Unreadable('unbalanced brackets');
      add({ type: 'group', ...group });
    } else add({ type: 'sign', text: sign });
  }
  if (open.length !== 1) throw new Unreadable('unbalanced brackets');
  return open[0]?.tokens ?? [];
}
function tokenOf(part: SqlPart | undefined): Token {
  if (part?.type === 'relation') return { type: 'relation', text: part.input };
  return part?.type === 'column' ? { type: 'name', text: part.name.toLowerCase() } : { type: 'value' };
}

const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.type === 'word' && words.includes(token.text);
const isSign = (token: Token | undefined, sign: string): boolean => token?.type === 'sign' && token.text === sign;
const isParenthesis = (token: Token | undefined): token is Extract<Token, { type: 'group' }> =>
  token?.type === 'group' && token.sign === '(';
const nameOf = (token: Token | undefined): string | undefined =>
  token?.type === 'word' || token?.type === 'name' ? token.text : undefined;

function split(tokens: readonly Token[], at: (token: Token) => boolean): Token[][] {
  const pieces: Token[][] = [[]];
  for (const token of tokens) at(token) ? pieces.push([]) : pieces.at(-1)?.push(token);
  return pieces;
}

/** Tables by name: relations of the template, and what WITH defines. */
type Tables = ReadonlyMap<string, Origins>;

/**
 * What the columns of a query are computed from, by output column in lower case: through WITH, joins, subqueries in FROM, UNION and
 * `*`. Not followed are queries inside expressions, lambdas, recursion and what else SQL has.
 * @param relations columns of what `${…}` may stand for.
 * @returns in words why it cannot be told, where it cannot.
 */
export function columnOrigins(
  template: SqlTemplate,
  relations: ReadonlyMap<string, readonly string[]>,
): Origins | string {
  if (/[\uE000\uE001]/.test(sqlText(template))) return 'it has characters of private use';
  const tables = new Map<string, Origins>();
  for (const [relation, columns] of relations) {
    const origin = (column: string): Origin => ({ from: new Set([`${relation} ${column}`]), known: true });
    tables.set(`$${relation}`, new Map(columns.map((column) => [column.toLowerCase(), origin(column)])));
  }
  try {
    return query(tokenize(template), tables);
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}

function query(tokens: readonly Token[], outer: Tables): Origins {
  const tables = new Map(outer);
  const rest = isWord(tokens[0], 'with') ? readWith(tokens.slice(1), tables) : tokens;
  if (rest.some((token) => isWord(token, 'except', 'intersect'))) throw new Unreadable('EXCEPT or INTERSECT');
  const [first, ...others] = split(rest, (token) => isWord(token, 'union')).map((piece, i) => {
    const branch = i > 0 && isWord(piece[0], 'all') ? piece.slice(1) : piece;
    const [only] = branch;
    return [...(branch.length === 1 && isParenthesis(only) ? query(only.tokens, tables) : select(branch, tables))];
  });
  if (!first) throw new Unreadable('no query');
  if (others.some((other) => other.length !== first.length)) throw new Unreadable('a UNION of different columns');
  return new Map(
    first.map(([name, origin], i) => [name, both([origin, ...others.map((other) => other[i]?.[1] ?? UNKNOWN)])]),
  );
}

/** Adds the tables that WITH defines. @returns what stands after them. */
function readWith(tokens: readonly Token[], tables: Map<string, Origins>): readonly Token[] {
  for (let at = 0; ; at += 2) {
    const name = nameOf(tokens[at]);
    const start = at + 1;
    at = tokens.findIndex((token, i) => i >= start && isParenthesis(token));
    const body = tokens[at];
    const between = tokens.slice(start, at).filter((token) => !isWord(token, 'not', 'materialized'));
    if (name === undefined || !isParenthesis(body) || between.length !== 1 || !isWord(between[0], 'as')) {
      throw new Unreadable('a WITH that is not simple');
    }
    tables.set(name, query(body.tokens, tables));
    if (!isSign(tokens[at + 1], ',')) return tokens.slice(at + 1);
  }
}

const UNKNOWN: Origin = { from: new Set(), known: false };
const both = (origins: readonly Origin[]): Origin => ({
  from: new Set(origins.flatMap(({ from }) => [...from])),
  known: origins.every(({ known }) => known),
});

const CLAUSES = ['where', 'group', 'having', 'window', 'qualify', 'order', 'limit', 'offset', 'fetch', 'tablesample'];

interface Source {
  readonly alias: string | undefined;
  readonly columns: Origins;
}

function select(tokens: readonly Token[], tables: Tables): Origins {
  if (!isWord(tokens[0], 'select')) throw new Unreadable('something else than SELECT');
  const after = tokens.findIndex((token) => isWord(token, 'from', ...CLAUSES));
  let items = tokens.slice(1, after < 0 ? undefined : after);
  if (isWord(items[0], 'distinct', 'all')) items = items.slice(1);
  if (isWord(items[0], 'on')) items = items.slice(2);
  const sources = after >= 0 && isWord(tokens[after], 'from') ? from(tokens.slice(after + 1), tables) : [];
  const columns = new Map<string, Origin>();
  const add = (name: string, origin: Origin): void => {
    if (columns.has(name)) throw new Unreadable(`two columns named '${name}'`);
    columns.set(name, origin);
  };
  for (const item of split(items, (token) => isSign(token, ','))) {
    const [first, second, third] = item;
    if (item.length === 0) continue;
    if (isSign(first, '*') || (isSign(second, '.') && isSign(third, '*'))) {
      const of = isSign(first, '*') ? sources : sources.filter(({ alias }) => alias === nameOf(first));
      if (item.length !== (isSign(first, '*') ? 1 : 3) || of.length === 0) throw new Unreadable('a * with conditions');
      for (const source of of) for (const [name, origin] of source.columns) add(name, origin);
      continue;
    }
    const named = item.length > 2 && isWord(item.at(-2), 'as');
    const plain = item.length === 1 || (item.length === 3 && isSign(second, '.'));
    const name = named || plain ? nameOf(item.at(-1)) : undefined;
    if (name === undefined) throw new Unreadable('a column without AS');
    add(name, expression(named ? item.slice(0, -2) : item, sources, columns));
  }
  return columns;
}

const JOINS = ['join', 'inner', 'left', 'right', 'full', 'outer', 'cross', 'asof', 'on', 'using'];

function from(tokens: readonly Token[], tables: Tables): Source[] {
  const end = tokens.findIndex((token) => isWord(token, ...CLAUSES));
  const pieces = split(end < 0 ? tokens : tokens.slice(0, end), (token) => isSign(token, ',') || isWord(token, 'join'));
  return pieces.map((piece): Source => {
    const [table, ...rest] = piece;
    if (rest.some((token) => isWord(token, 'natural', 'semi', 'anti', 'positional')))
      throw new Unreadable('a special join');
    const columns = isParenthesis(table) ? query(table.tokens, tables) : tables.get(tableName(table));
    if (columns === undefined) throw new Unreadable('a table that is no input');
    const alias = rest.filter((token) => !isWord(token, 'as'));
    const named = !isWord(alias[0], ...JOINS) ? nameOf(alias[0]) : undefined;
    const next = alias[named === undefined ? 0 : 1];
    if (next !== undefined && !isWord(next, ...JOINS)) throw new Unreadable('a FROM that is not simple');
    return { alias: named ?? nameOf(table), columns };
  });
}
const tableName = (token: Token | undefined): string =>
  token?.type === 'relation' ? `$${token.text}` : (nameOf(token) ?? '');

/** The columns that an expression names. @param earlier columns of the same SELECT, which may be used by name. */
function expression(tokens: readonly Token[], sources: readonly Source[], earlier: Origins): Origin {
  const origins: Origin[] = [];
  const named = (name: string): Origin | undefined => {
    const found = sources.flatMap(({ columns }) => columns.get(name) ?? []);
    return found.length > 0 ? both(found) : earlier.get(name);
  };
  for (const [i, token] of tokens.entries()) {
    const [before, after] = [tokens[i - 1], tokens[i + 1]];
    if (token.type === 'group') {
      if (isWord(token.tokens[0], 'select', 'with', 'from')) origins.push(UNKNOWN);
      else origins.push(expression(token.tokens, sources, earlier));
    } else if (token.type === 'relation' || (token.type === 'sign' && ['->', ':=', '=>'].includes(token.text))) {
      origins.push(UNKNOWN);
    } else if (isSign(token, '*') && (before === undefined || isSign(before, ','))) {
      // count(*) needs no column.
      if (tokens.length > 1) origins.push(UNKNOWN);
    } else if (token.type === 'word' || token.type === 'name') {
      const isType = isSign(before, '::') || isWord(before, 'as');
      const isUnit = token.type === 'word' && before?.type === 'value';
      const isLiteral = token.type === 'word' && after?.type === 'value';
      if (isWord(token, 'lambda') || (isWord(token, 'columns') && isParenthesis(after))) origins.push(UNKNOWN);
      if (isType || isUnit || isLiteral || isParenthesis(after) || isSign(before, '.')) continue;
      const source = isSign(after, '.') ? sources.find(({ alias }) => alias === token.text) : undefined;
      const field = source && nameOf(tokens[i + 2]);
      const origin = source ? (source.columns.get(field ?? '') ?? UNKNOWN) : named(token.text);
      if (origin) origins.push(origin);
      // A word that is no column is a keyword, but a name has to be something.
      else if (token.type === 'name') origins.push(UNKNOWN);
    }
  }
  return both(origins);
}

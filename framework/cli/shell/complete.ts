import { type Token, tokens } from './statements.ts';
import { BEFORE_TABLES, BEGINNINGS, CLAUSES, FUNCTIONS, KEYWORDS } from './words.ts';

/** A table as a statement names it, `silver.klines`. */
export interface ShellTable {
  readonly name: string;
  /** Partition columns first. */
  readonly columns: readonly string[];
}

/** What the word at the cursor may become, and the word. */
export interface Completion {
  readonly candidates: readonly string[];
  readonly word: string;
}

const NOTHING: Completion = { candidates: [], word: '' };

/**
 * What may stand at the cursor of a statement: tables of the lake, columns of those that the statement names (also behind the cursor),
 * words of SQL; nothing inside of literals and comments. Columns come without the rest when nothing is typed yet.
 * @param before the statement as far as the cursor, `behind` the rest of it.
 */
export function completeSql(tables: readonly ShellTable[], before: string, behind: string): Completion {
  const written = currentOf(tokens(before));
  const last = written.at(-1);
  if (last?.open === true && last.type !== 'name') return NOTHING;
  const word = chainAtEnd(written);
  const ahead = written.slice(0, written.length - word.length).filter(isSaid);
  const { tables: named, aliases } = tablesIn(tables, [...ahead, ...untilEnd(tokens(behind)).filter(isSaid)]);
  const text = word.map((token) => token.text).join('');
  const dot = text.lastIndexOf('.');
  const qualifier = dot < 0 ? undefined : unquoted(text.slice(0, dot));
  const start = text.slice(dot + 1);
  const from = (all: readonly string[], lead = '') => ({
    candidates: unique(all.filter((one) => begins(one, start))).map((one) => `${lead}${one}`),
    word: text,
  });

  if (qualifier !== undefined) {
    const lead = text.slice(0, dot + 1);
    const meant = named.get(qualifier.toLowerCase()) ?? tableNamed(tables, qualifier);
    if (meant) return from(meant.columns.map(quoted), lead);
    return from(
      tablesOf(tables, qualifier).map(({ name }) => quoted(name.slice(qualifier.length + 1))),
      lead,
    );
  }
  const said = ahead.at(-1);
  const clause = ahead.findLast((token) => isWord(token, CLAUSES));
  if (clause && isWord(clause, BEFORE_TABLES) && (said === clause || isSign(said, ',')))
    return {
      candidates: tableNames(tables, text).candidates.map((name) => name.replace(bare(name), quoted(bare(name)))),
      word: text,
    };
  const cased = (list: readonly string[]) => list.map((one) => (/[a-z]/.test(text) ? one.toLowerCase() : one));
  if (said === undefined) return text === '' ? NOTHING : from(cased(BEGINNINGS));
  const columns = unique([...named.values()].flatMap((table) => table.columns)).map(quoted);
  return from(text === '' ? columns : [...columns, ...aliases, ...cased(KEYWORDS), ...FUNCTIONS]);
}

/** Tables by their names, with the zone or without it. */
export function tableNames(tables: readonly ShellTable[], text: string): Completion {
  const found = tables.map(({ name }) => name).filter((name) => begins(name, text) || begins(bare(name), text));
  return { candidates: found, word: text };
}

const bare = (name: string): string => name.slice(name.indexOf('.') + 1);
const isSaid = ({ type }: Token): boolean => type !== 'space' && type !== 'comment';
const isSign = (token: Token | undefined, sign: string): boolean => token?.type === 'sign' && token.text === sign;
const isWord = (token: Token | undefined, list: readonly string[]): boolean =>
  token?.type === 'word' && list.includes(token.text.toUpperCase());
const isName = (token: Token | undefined): token is Token => token?.type === 'word' || token?.type === 'name';
const unquoted = (text: string): string =>
  text.replaceAll(/"((?:[^"]|"")*)"?/g, (_, name: string) => name.replaceAll('""', '"'));
const quoted = (name: string): string => (/^[a-z_]\w*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const begins = (candidate: string, text: string): boolean =>
  unquoted(candidate).toLowerCase().startsWith(unquoted(text).toLowerCase());
const unique = (list: readonly string[]): readonly string[] => [...new Set(list)];

/** The statement that is being written: what stands behind the last semicolon. */
const currentOf = (all: readonly Token[]): readonly Token[] =>
  all.slice(all.findLastIndex((one) => isSign(one, ';')) + 1);
const untilEnd = (all: readonly Token[]): readonly Token[] => {
  const end = all.findIndex((one) => isSign(one, ';'));
  return end < 0 ? all : all.slice(0, end);
};

/** `zone.table.col` or the like at the end of what is written, unfinished. */
function chainAtEnd(written: readonly Token[]): readonly Token[] {
  let start = written.length;
  for (let i = written.length - 1; i >= 0; i--) {
    const [token, next] = [written[i], written[i + 1]];
    const joins = isSign(token, '.') || (isName(token) && (next === undefined || isSign(next, '.')));
    if (!joins || (isSign(token, '.') && isSign(next, '.'))) break;
    start = i;
  }
  return written.slice(start);
}

const tableNamed = (tables: readonly ShellTable[], name: string): ShellTable | undefined => {
  const same = (other: string) => other.toLowerCase() === name.toLowerCase();
  const found = tables.filter((table) => same(table.name) || same(bare(table.name)));
  return found.length === 1 ? found[0] : found.find((table) => same(table.name));
};
const tablesOf = (tables: readonly ShellTable[], zone: string): readonly ShellTable[] =>
  tables.filter(({ name }) => name.toLowerCase().startsWith(`${zone.toLowerCase()}.`));

interface Named {
  /** By what columns can be qualified with, in lower case: name, name without zone, alias. */
  readonly tables: ReadonlyMap<string, ShellTable>;
  readonly aliases: readonly string[];
}

/** The tables that a statement names. */
function tablesIn(tables: readonly ShellTable[], said: readonly Token[]): Named {
  const found = new Map<string, ShellTable>();
  const aliases: string[] = [];
  for (let i = 0; i < said.length; i++) {
    if (!isName(said[i]) || isSign(said[i - 1], '.')) continue;
    const length = isSign(said[i + 1], '.') && isName(said[i + 2]) ? 3 : 1;
    const name = said
      .slice(i, i + length)
      .map(({ text }) => unquoted(text))
      .join('');
    const table = tableNamed(tables, name);
    if (!table) continue;
    found.set(name.toLowerCase(), table);
    found.set(bare(name).toLowerCase(), table);
    const next = i + length + (isWord(said[i + length], ['AS']) ? 1 : 0);
    const alias = said[next];
    if (isName(alias) && !isWord(alias, [...CLAUSES, ...KEYWORDS])) {
      found.set(unquoted(alias.text).toLowerCase(), table);
      aliases.push(alias.text);
    }
    i += length - 1;
  }
  return { tables: found, aliases };
}

import { sqlTokens } from '../code/sql.ts';
import { LakehouseError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import { quoteLiteral } from '../define/sql.ts';

/** What parameters stand for, as SQL: literals, never text that somebody else wrote. By name without `$`, or by number from 1. */
export type Parameters = ReadonlyMap<string, string>;

const TYPE = /^[a-z_]\w*( [a-z]\w*)*( ?\( ?\d+( ?, ?\d+)? ?\))?(\[\d*\])*$/i;

/**
 * `day=2024-01-01` stands for `'2024-01-01'`: quoted text, of which DuckDB makes what its place asks for. `n:integer=5` stands
 * for `CAST('5' AS integer)`, and `n:integer` without a value for NULL of that type.
 * @throws LakehouseError `bad-parameter` (usage).
 */
export function parseParameters(given: readonly string[]): Parameters {
  const found = new Map<string, string>();
  for (const text of given) {
    const refuse = (why: string) =>
      new LakehouseError('bad-parameter', `--param '${text}': ${why}`, {
        hint: 'Write name=value, or name:type=value, e.g. --param day=2024-01-01 --param least:double=0.5',
      });
    const [, name, type, value] = /^\$?(\w+)(?::([^=]*))?(?:=(.*))?$/s.exec(text) ?? [];
    if (name === undefined) throw refuse('it does not begin with a name');
    if (type !== undefined && !TYPE.test(type)) throw refuse(`'${type}' is no type`);
    if (type === undefined && value === undefined) throw refuse('it has no value');
    const key = name.toLowerCase();
    if (found.has(key)) throw refuse('there are two values of it');
    const literal = quoteLiteral(value ?? null);
    found.set(key, type === undefined ? literal : `CAST(${literal} AS ${type})`);
  }
  return found;
}

/**
 * A statement with its parameters (`$name`, `$1`, and `?`, which are counted) replaced by what they stand for.
 * @throws LakehouseError `missing-parameter`, `unknown-parameter` (usage).
 */
export function withParameters(sql: string, parameters: Parameters): string {
  const missing = new Set<string>();
  const used = new Set<string>();
  let positional = 0;
  let text = '';
  let at = 0;
  for (const { token, start, end } of sqlTokens(sql)) {
    const name = token === '?' ? String(++positional) : /^[$?](\w+)$/.exec(token)?.[1]?.toLowerCase();
    if (name === undefined) continue;
    used.add(name);
    const value = parameters.get(name);
    if (value === undefined) missing.add(token === '?' ? `${name} (the ${ordinal(positional)} ?)` : token);
    // What touches a word would be read with it: E'…' and U&'…' are other literals than '…'.
    text += `${sql.slice(at, start)}${/[\w&]$/.test(sql.slice(at, start)) ? ' ' : ''}${value ?? ''}`;
    at = end;
  }
  if (missing.size > 0) {
    const names = [...missing];
    throw new LakehouseError(
      'missing-parameter',
      `The statement has ${names.length === 1 ? 'a parameter' : 'parameters'} without a value: ${names.join(', ')}`,
      { hint: names.map((name) => `--param ${name.replace(/^[$?]| .*/g, '')}=…`).join(' ') },
    );
  }
  const unknown = [...parameters.keys()].find((name) => !used.has(name));
  if (unknown !== undefined) {
    throw new LakehouseError('unknown-parameter', `The statement has no parameter '${unknown}'`, {
      hint: didYouMean(unknown, used) ?? (used.size === 0 ? `It has none: write $${unknown} in it.` : undefined),
    });
  }
  return text + sql.slice(at);
}

const ordinal = (n: number): string =>
  `${n}${['th', 'st', 'nd', 'rd'][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? 'th'}`;

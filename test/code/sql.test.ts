import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normalizeSql } from '../../framework/code/sql.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => connection.closeSync());

async function cell(sql: string, ...values: string[]): Promise<unknown> {
  return (await connection.runAndReadAll(sql, values)).getRows()[0]?.[0];
}

/** How DuckDB understands a statement; undefined if it does not parse. */
async function parsed(sql: string): Promise<unknown> {
  const tree: unknown = JSON.parse(
    String(await cell('SELECT json_serialize_sql($1::VARCHAR)', sql)),
    (key, value: unknown) => (key === 'query_location' ? undefined : value),
  );
  return typeof tree === 'object' && tree !== null && 'error' in tree && tree.error === false ? tree : undefined;
}

const QUERIES = [
  'SELECT 1',
  "SELECT 'it''s', E'a\\'b\\n', x'00', b'01', n'a', $$a'b -- c$$, $t$ /* $$ */ $t$ AS \"a\"\"b /* x */\"",
  'SELECT a.b, t.*, c::DECIMAL(18, 8), -d, - -e, f - -1, 1.5e-3, .5, 1_000, g$h FROM t AS a, u',
  "SELECT list_transform([1, 2], x -> x + 1), [1, 2, 3][1:2], {'k': 1, k2: [2]}, struct_pack(z := 1)",
  'SELECT a<-1, b>=-1, c<>-1, d*-1, e//2, f**2, g||h, NOT i, a<=b, a!=b, a^2, a&1, a%3, ~a, a==+1 FROM t',
  "SELECT j->'a', j->>'b' FROM t WHERE a BETWEEN 1 AND 2 AND s LIKE '%--%' ESCAPE '/'",
  'SELECT sum(x) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS "Sum" FROM t QUALIFY row_number() OVER () = 1',
  "WITH r AS (SELECT DATE '2020-01-01' AS d, INTERVAL 1 DAY AS i) SELECT d + i FROM r WHERE d > $from AND d < $to LIMIT 3",
  'SELECT größe, 名前, \'ü\' FROM "Ä"',
  "SELECT 'a' -- one\n  'b', e'c'\n'\\n', 'd'",
];

describe('DuckDB reads the normalised text as it reads the original', () => {
  test.each(QUERIES)('%s', async (sql) => {
    const tree = await parsed(sql);
    expect(tree).toBeDefined();
    expect(await parsed(normalizeSql(sql))).toEqual(tree);
  });
});

describe('what is blind and what counts', () => {
  test.each([
    ['a+b', 'a + b'],
    ['a -- why\n+b', 'a+b'],
    ['a /* x /* nested */ y */ + b', 'a+b'],
    ['a/**/+/***/b', 'a+b'],
    ['a-/* x */-b', 'a - -b'],
    ['f( a,b )', 'f(a, b)'],
    ['a<-1', 'a < - 1'],
    ['a>=-1', 'a >= -1'],
    ["'a'\n\t'b'", "'ab'"],
    ["'a' -- x -- y\r\n -- z\n 'b'\n'c'", "'abc'"],
    ["date'2020-01-01'", "date  '2020-01-01'"],
    ['SELECT\u00a01\u3000', 'SELECT 1'],
    ['1 -- the end', '1'],
    ['a::int', 'a :: int'],
  ])('%j = %j', (a, b) => expect(normalizeSql(a)).toBe(normalizeSql(b)));

  test.each([
    ['1 - -1', '1 --1'],
    ['a b', 'ab'],
    ["'a  b'", "'a b'"],
    ["'a -- b'", "'a '"],
    ["'a''b'", "'a' 'b'"],
    ["'a' 'b'", "'ab'"],
    ["'a'\n'b'", "'a' 'b'"],
    ["E'a\\'b'", "'a\\'"],
    ["E'a'", "e 'a'"],
    ['"a  b"', '"a b"'],
    ['"A"', '"a"'],
    ['$$a  b$$', '$$a b$$'],
    ['$a$ x $a$', '$b$ x $b$'],
    ['1.5', '1 .5'],
    ['a!=-1', 'a != -1'],
    ['x->-1', 'x -> -1'],
    ['x->/* no lambda to DuckDB */y', 'x -> y'],
    ['a::int', 'a: :int'],
    ['1e5', '1 e5'],
    ['$1', '$ 1'],
    ['a.b', 'a b'],
    ['/* /* */ a', 'a'],
  ])('%j ≠ %j', (a, b) => expect(normalizeSql(a)).not.toBe(normalizeSql(b)));

  test('the case of a name counts, for it reaches the data', async () => {
    expect(await cell('SELECT to_json(t)::VARCHAR FROM (SELECT 1 AS Close) t')).toBe('{"Close":1}');
    expect(normalizeSql('SELECT 1 AS Close')).not.toBe(normalizeSql('SELECT 1 AS close'));
  });

  test.each(["'a", '"a', "E'a\\", '$$a', '$t$ a $$', '/* a', '/* /* */', '--', '', "'", '\\', '\u0000'])(
    'unfinished text %j is kept for DuckDB to refuse',
    (text) => expect(normalizeSql(`${text} `).trim().length).toBeLessThanOrEqual(text.length + 1),
  );

  test('a long comment after a literal takes linear time', () => {
    expect(normalizeSql(`'a' ${'-'.repeat(50_000)}\n, ${"'b' --".repeat(20_000)}\n`)).toBe("'a' , 'b'");
  });
});

const token = fc.oneof(
  fc.constantFrom('SELECT', 'from', 'a', 'B', '_c', 'd$1', 'é', 'e', 'x', 'date'),
  fc.constantFrom('1', '1.5', '.5', '1e-5', '1_000', '$1', '$name', '?', '#1'),
  fc.constantFrom('(', ')', '[', ']', '{', '}', ',', ';', '.', '::', ':=', ':', '..'),
  fc.constantFrom(
    '+',
    '-',
    '*',
    '/',
    '<',
    '<=',
    '>=',
    '<>',
    '!=',
    '||',
    '->',
    '->>',
    '%',
    '~',
    '@',
    '**',
    '//',
    '=',
    '==',
    '!~~*',
  ),
  fc.string({ unit: fc.constantFrom('a', ' ', '"', '-', '/*', '*/', '$$', '\\', '\n', "''") }).map((s) => `'${s}'`),
  fc.string({ unit: fc.constantFrom('a', ' ', "''", "\\'", '--', '\\\\') }).map((s) => `E'${s}'`),
  fc.string({ unit: fc.constantFrom('a', ' ', "'", '--', '/*', '""', '\n') }).map((s) => `"${s}"`),
  fc.string({ unit: fc.constantFrom('a', ' ', "'", '--', '/*', '$b$', '\n') }).map((s) => `$t$${s}$t$`),
);
/** Adjacent literals would be continued by a line break, so they never come together. */
const tokens = fc
  .array(token, { minLength: 1, maxLength: 12 })
  .map((list) => list.filter((t, i) => !(t.endsWith("'") && list[i - 1]?.endsWith("'"))));
/** Starts with a space: `-` before a comment would make another one, and see TOUCHY. */
const gap = fc
  .array(fc.constantFrom(' ', '\n', '\t', '\r\n', '\u00a0', '-- it\'s "x" /*\n', '/* it\'s -- $$ /* " */ */', '/**/'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => ` ${parts.join('')}`);

describe('any text', () => {
  test('layout and comments between tokens change nothing, and tokens come out as they went in', () => {
    fc.assert(
      fc.property(tokens, fc.array(gap, { minLength: 14, maxLength: 14 }), (list, gaps) => {
        const text = list.map((t, i) => gaps[i] + t).join('') + gaps[13];
        expect(normalizeSql(text)).toBe(list.join(' '));
      }),
      { numRuns: 1000 },
    );
  });

  test('another token is another text', () => {
    fc.assert(
      fc.property(tokens, tokens, fc.array(gap, { minLength: 14, maxLength: 14 }), (a, b, gaps) => {
        const text = (list: string[]) => normalizeSql(list.map((t, i) => t + gaps[i]).join(''));
        expect(text(a) === text(b)).toBe(a.join('\0') === b.join('\0'));
      }),
    );
  });

  test('normalising twice is normalising once, for any characters', () => {
    const unit = fc.constantFrom(...'aE1.$\'"-+<>!/*\\\n =:()%xé', '\u00a0', '$$', '/*', '*/', '--');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
        const once = normalizeSql(text);
        expect(normalizeSql(once)).toBe(once);
      }),
      { numRuns: 5000 },
    );
  });

  test('DuckDB agrees on text that it can parse', async () => {
    const operator = fc.constantFrom(
      '+',
      '-',
      '*',
      '/',
      '<',
      '>=',
      '<>',
      '||',
      '=',
      '!=',
      '->',
      '**',
      '//',
      '==',
      '<<',
      '&',
      '%',
    );
    const gap = fc.constantFrom('', ' ', '', '\n', '/* x */', '-- x\n');
    const operand = fc.constantFrom(
      'a',
      '1',
      '-1',
      '- 1',
      '+1',
      '.5',
      "'x'",
      '"B"',
      "E'\\''",
      '$$y$$',
      '(a)',
      '[1]',
      'f(a,b)',
      'a::int',
      '@a',
      '~a',
    );
    const expression = fc.array(fc.tuple(operand, gap, operator, gap), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(expression, operand, async (terms, last) => {
        const sql = `SELECT ${terms.map((t) => t.join('')).join('')}${last} AS "Result"`;
        const tree = await parsed(sql);
        if (tree) expect(await parsed(normalizeSql(sql))).toEqual(tree);
      }),
      { numRuns: 400 },
    );
  });
});

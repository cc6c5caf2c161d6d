import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { completeSql, type ShellTable } from '../../framework/cli/shell/complete.ts';
import { openHistory, REMEMBERED } from '../../framework/cli/shell/history.ts';
import { isBlank, oneLine, splitStatements, tokens } from '../../framework/cli/shell/statements.ts';
import { sqlTokens } from '../../framework/code/sql.ts';
import { type Place, place } from './support.ts';

describe('where a statement ends', () => {
  test.each([
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2'], ''],
    ['SELECT 1', [], 'SELECT 1'],
    [' ; ;\n;', [], ''],
    ["SELECT ';', 'it''s;' ; x", ["SELECT ';', 'it''s;'"], ' x'],
    ["SELECT 'open;", [], "SELECT 'open;"],
    [String.raw`SELECT e'a\';b' ; x`, [String.raw`SELECT e'a\';b'`], ' x'],
    ['SELECT "a;""b" ;', ['SELECT "a;""b"'], ''],
    ['SELECT 1 -- not; here\n, 2;', ['SELECT 1 -- not; here\n, 2'], ''],
    ['SELECT /* a; /* b; */ c; */ 1;', ['SELECT /* a; /* b; */ c; */ 1'], ''],
    ['SELECT 1 /* open;', [], 'SELECT 1 /* open;'],
    ['SELECT $$a;b$$; SELECT $x$ $$; $x$;', ['SELECT $$a;b$$', 'SELECT $x$ $$; $x$'], ''],
    ['SELECT $name; SELECT $1;', ['SELECT $name', 'SELECT $1'], ''],
    ['-- nothing\n; SELECT 1;', ['SELECT 1'], ''],
    ["SELECT '€;', ÄÖ;", ["SELECT '€;', ÄÖ"], ''],
  ])('%s', (text, statements, rest) => {
    expect(splitStatements(text)).toEqual({ statements, rest });
    // Nothing is lost.
    expect(
      tokens(text)
        .map((token) => token.text)
        .join(''),
    ).toBe(text);
  });

  test('is where the lexer that hashes code sees a semicolon, whatever is written', () => {
    const pieces = [
      "'",
      "''",
      '"',
      '--',
      '\n',
      '/*',
      '*/',
      ';',
      '$$',
      '$a$',
      '$a',
      "e'",
      "xe'",
      '\\',
      'x',
      ' ',
      '1',
      '.',
      'ä',
      '€',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), (written) => {
        const text = written.join('');
        const semicolons = tokens(text).filter(({ type, text: sign }) => type === 'sign' && sign === ';');
        const known = [...sqlTokens(text)].filter(({ token }) => token === ';');
        expect(semicolons.map(({ at }) => at)).toEqual(known.map(({ start }) => start));
      }),
      { numRuns: 2000 },
    );
  });

  test('spaces and comments are nothing, but one without its end', () => {
    expect(['', ' \n', '-- x', '/* x */ -- y', '/* x', "'", '1'].map(isBlank)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('the history has a statement on one line that means the same, or not at all', () => {
    expect(oneLine('SELECT 1, -- one\n  2 /* two\n lines */\n;')).toBe('SELECT 1, /* one */ 2 /* two lines */ ;');
    expect(oneLine('SELECT 1 -- the */ end')).toBe('SELECT 1 -- the */ end');
    expect(oneLine('SELECT 1 -- a */ b\n;')).toBe('SELECT 1 /* a * / b */ ;');
    expect(oneLine("SELECT 'two\nlines';")).toBeUndefined();
  });
});

const tables: readonly ShellTable[] = [
  { name: 'gold.days', columns: ['symbol', 'date', 'low', 'high'] },
  { name: 'raw.days', columns: ['symbol', 'date', 'path'] },
  { name: 'silver.prices', columns: ['symbol', 'date', 'price', 'Open Time'] },
];

describe('completion', () => {
  // `|` is the cursor.
  test.each([
    // Tables
    ['FROM |', ['gold.days', 'raw.days', 'silver.prices'], ''],
    ['SELECT * FROM si|', ['silver.prices'], 'si'],
    ['SELECT * FROM Silver.|', ['Silver.prices'], 'Silver.'],
    ['SELECT * FROM pri|', ['silver.prices'], 'pri'],
    ['SELECT * FROM gold.days JOIN da|', ['gold.days', 'raw.days'], 'da'],
    ['SELECT * FROM gold.days, si|', ['silver.prices'], 'si'],
    ['DESCRIBE g|', ['gold.days'], 'g'],
    ['SELECT 1; FROM raw.|', ['raw.days'], 'raw.'],
    // Columns
    ['SELECT pric| FROM silver.prices', ['price'], 'pric'],
    ['SELECT pr| FROM silver.prices', ['price', 'preceding'], 'pr'],
    ['FROM silver.prices my_prices WHERE my| > 1', ['my_prices'], 'my'],
    ['SELECT | FROM silver.prices', ['symbol', 'date', 'price', '"Open Time"'], ''],
    ['SELECT p.| FROM silver.prices p', ['p.symbol', 'p.date', 'p.price', 'p."Open Time"'], 'p.'],
    ['SELECT p."op| FROM silver.prices AS p', ['p."Open Time"'], 'p."op'],
    ['SELECT prices.sy| FROM prices', ['prices.symbol'], 'prices.sy'],
    ['SELECT gold.days.h| FROM gold.days', ['gold.days.high'], 'gold.days.h'],
    ['FROM gold.days d JOIN silver.prices p ON d.sy|', ['d.symbol'], 'd.sy'],
    ['FROM gold.days d JOIN silver.prices p ON d.symbol = p.pr|', ['p.price'], 'p.pr'],
    ['FROM gold.days SELECT hi|; FROM silver.prices', ['high', 'histogram'], 'hi'],
    ['FROM gold.days SELECT pr|; FROM silver.prices', ['preceding'], 'pr'],
    // Words
    ['sel|', ['select'], 'sel'],
    ['SEL|', ['SELECT'], 'SEL'],
    ['', [], ''],
    ['FROM gold.days wher|', ['where'], 'wher'],
    ['FROM gold.days WHERE date BETW|', ['BETWEEN'], 'BETW'],
    ['SELECT tim|', ['timestamp', 'time_bucket'], 'tim'],
    // Nothing
    ["SELECT 'fr|", [], ''],
    ['SELECT 1 -- fr|', [], ''],
    ['SELECT 1 /* fr|', [], ''],
    ['SELECT x.|', [], 'x.'],
    ['SELECT 1.|', [], ''],
  ])('%s', (text, candidates, word) => {
    const [before = '', behind = ''] = text.split('|');
    expect(completeSql(tables, before, behind)).toEqual({ candidates, word });
  });

  test('a table of a key of several parts is written in quotes', () => {
    const deep = [{ name: 'gold.days/last', columns: ['high'] }];
    expect(completeSql(deep, 'FROM ', '').candidates).toEqual(['gold."days/last"']);
    expect(completeSql(deep, 'FROM gold.', '').candidates).toEqual(['gold."days/last"']);
  });
});

describe('history', () => {
  async function file(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-history-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    return join(directory, 'history');
  }
  const quiet = (text: string) => expect.fail(text);

  test('is the owner’s alone, latest first, without repetitions, and outlives the session', async () => {
    const path = await file();
    const first = await openHistory(path, quiet);
    for (const entry of ['a;', 'b;', 'b;', 'a;']) await first.add(entry);
    expect(first.entries).toEqual(['a;', 'b;']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    // Beside each other.
    const second = await openHistory(path, quiet);
    await second.add('c;');
    await first.add('d;');
    expect((await openHistory(path, quiet)).entries).toEqual(['d;', 'c;', 'a;', 'b;']);
  });

  test('is cut when it has become long', async () => {
    const path = await file();
    await writeFile(path, Array.from({ length: 2 * REMEMBERED + 1 }, (_, i) => `${i};\n`).join(''));
    expect((await openHistory(path, quiet)).entries.slice(0, 2)).toEqual([
      `${2 * REMEMBERED};`,
      `${2 * REMEMBERED - 1};`,
    ]);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(REMEMBERED + 1);
  });

  test('says once that it cannot be kept, and goes on', async () => {
    const said: string[] = [];
    const history = await openHistory(tmpdir(), (text) => said.push(text));
    await history.add('a;');
    expect(history.entries).toEqual(['a;']);
    expect(said).toEqual([expect.stringMatching(/^The history is not kept: EISDIR/)]);
  });
});

describe('statements from standard input', () => {
  let lake: Place;
  // One lake for all of them: a shell only reads.
  beforeAll(async () => {
    let remove: (() => void) | undefined;
    lake = await place((given) => {
      remove = given;
    });
    await lake.run(['materialize', '-q']);
    return remove;
  }, 60_000);
  const shell = (stdin: string, ...args: string[]) => lake.run(['shell', ...args], { stdin });

  test('one after another, over several lines, the last one without its semicolon', async () => {
    expect(
      await shell(
        [
          '-- how many',
          'SELECT symbol,',
          '  count(*) AS n FROM silver.prices GROUP BY 1 ORDER BY 1; SELECT 1 AS one;',
          '.format csv',
          '.limit 1',
          'FROM gold.days SELECT symbol, high ORDER BY ALL',
          '',
        ].join('\n'),
      ),
    ).toEqual({
      code: 0,
      out: 'symbol  n\nAAA     6\nBBB     6\n2 rows\none\n  1\n1 row\nsymbol,high\r\nAAA,201.00\r\n',
      err: 'Only the first 1 rows are shown; .limit 0 shows all.\n',
    });
  });

  test('stops where one fails, points at it, and says the exit code of query', async () => {
    expect(await shell('SELECT 1 AS a;\nSELECT\n  hihg FROM gold.days;\nSELECT 2 AS b;\n')).toEqual({
      code: 2,
      out: 'a\n1\n1 row\n',
      err: expect.stringMatching(/^lakehouse: query: Binder Error: .*"hihg".*LINE 2: {3}hihg FROM gold\.days\n +\^\n/s),
    });
    expect(await shell('DROP TABLE gold.days;')).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: Only one SELECT can be run: DROP is not a statement that only reads\n',
    });
  });

  test('--keep-going goes on, --json prints objects, errors too', async () => {
    expect(
      await shell('SELECT 1 AS a; FROM gold.dys; SELECT 2 AS b;\n.nothing\n.quit\nSELECT 3;', '--json', '--keep-going'),
    ).toEqual({
      code: 2,
      out: `${[
        '{"a":1}',
        `{"error":${JSON.stringify({
          message: "There is no table 'gold.dys'",
          code: 'unknown-table',
          kind: 'usage',
          hint: "Did you mean 'gold.days'?",
          details: { sql: 'FROM gold.dys', table: 'gold.dys' },
          cause: {
            message:
              'Catalog Error: Table with name dys does not exist!\nDid you mean "days"?\n\nLINE 1: FROM gold.dys\n             ^',
          },
        })}}`,
        '{"b":2}',
        `{"error":${JSON.stringify({
          message: "There is no command '.nothing'",
          code: 'bad-command',
          kind: 'usage',
          hint: 'Known: tables, schema, format, limit, output, read, param, asof, timing, quit, help',
        })}}`,
      ].join('\n')}\n`,
      err: '',
    });
  });

  test('dot-commands: tables, schema, output, read', async () => {
    await writeFile(join(lake.cwd, 'some.sql'), 'SELECT 7 AS seven;\n.format csv\nSELECT 8 AS eight');
    expect(
      await shell(
        '.tables days\n.tables s*\n.schema gold.months\n.schema raw/days\n.output out.csv\n.read some.sql\n.timing on\nSELECT 9 AS nine;',
      ),
    ).toEqual({
      code: 0,
      out: [
        'name       kind            description',
        'gold.days  table           One row per day.',
        'raw.days   original files  The files as they came.',
        'name           kind   description',
        'silver.prices  table  One row per minute.',
        'column   type           description',
        'symbol   VARCHAR        partition column',
        'month    DATE           partition column',
        'highest  DECIMAL(18,2)',
        'column  type     description',
        'symbol  VARCHAR  partition column',
        'date    DATE     partition column',
        'path    VARCHAR',
        'bytes   BIGINT',
        'eight\r\n8\r\nnine\r\n9\r',
        '',
      ].join('\n'),
      err: '1 row in 1 ms\n',
    });
    expect(await readFile(join(lake.cwd, 'out.csv'), 'utf8')).toBe('seven\n    7\n1 row\n');
  });

  test('parameters, and the lake as it was', async () => {
    const state = 'SELECT high FROM gold.days WHERE symbol = $sym AND date = $day;';
    expect(
      await shell(
        [
          '.format csv',
          '.param day=2024-01-02',
          '.param',
          state,
          'SELECT $n + 1 AS none;',
          '.asof @1',
          '.asof',
          'SELECT count(*) AS n FROM gold.days;',
          '.asof now',
          'SELECT count(*) AS n FROM gold.days;',
          '.param sym',
          state,
        ].join('\n'),
        '--param',
        'sym=AAA',
        '--param',
        'n:integer',
      ),
    ).toEqual({
      code: 2,
      out: [
        'parameter  given',
        '$sym       sym=AAA',
        '$n         n:integer',
        '$day       day=2024-01-02',
        'high\r',
        '202.00\r',
        'none\r',
        '\r',
        'revision 1',
        'n\r',
        '0\r',
        'n\r',
        '6\r',
        '',
      ].join('\n'),
      err: 'lakehouse: The statement has a parameter without a value: $sym\n  --param sym=…\n',
    });
  });

  test('to a file as Parquet; nothing of it where it fails', async () => {
    const statement = `SELECT count(*) AS n, max(high) AS high FROM '${lake.cwd}/rows.parquet';`;
    expect(
      await shell(
        `.format parquet\n.output rows.parquet\nFROM gold.days;\n.format csv\n${statement}`,
        '--allow',
        '.',
        '--timing',
      ),
    ).toEqual({
      code: 0,
      out: 'n,high\r\n6,203.00\r\n',
      err: expect.stringMatching(/^6 rows in 1 ms; gold\.days: 2 of 2 files, \S+ kB\n1 row in 1 ms\n$/),
    });
    expect(await shell(statement)).toMatchObject({ code: 2, out: '' });
    expect(await shell('.output none.csv\nFROM gold.dys;\n')).toMatchObject({ code: 2 });
    expect((await readdir(lake.cwd)).filter((name) => /rows|none/.test(name))).toEqual(['rows.parquet']);
  });

  test('a semicolon behind a dot-command is no part of it', async () => {
    expect(await shell('.tables gold.days;\n.quit;\n.nonsense\n')).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    ['.schema days', "There are several tables 'days'\n  Write 'gold.days' or 'raw.days'."],
    ['.schema pricse', "There is no table 'pricse'\n  Did you mean 'silver.prices'?"],
    ['.format cvs', "There is no format 'cvs'\n  Did you mean 'csv'?"],
    ['.limit x', '.limit x: it is a whole number\n  .help says what there is.'],
    ['.read itself.sql', './itself.sql reads itself'],
    ['.timng on', "There is no command '.timng'\n  Did you mean 'timing'?"],
    ['.quit now', '.quit takes no argument\n  .help says what there is.'],
    ['.read no.sql', /^Cannot read no\.sql: ENOENT/],
  ])('%s', async (line, message) => {
    await writeFile(join(lake.cwd, 'itself.sql'), '.read other.sql\n');
    await writeFile(join(lake.cwd, 'other.sql'), '.read ./itself.sql\n');
    const { code, out, err } = await shell(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.replace('lakehouse: ', '').trimEnd()).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  test('each statement sees the lake as it is then', async () => {
    const other = await place();
    await other.run(['materialize', '-q', '+gold/days']);
    const { PassThrough } = await import('node:stream');
    const stdin = new PassThrough();
    const said = other.run(['shell', '--format', 'csv'], { io: { stdin } });
    const high = "SELECT max(high) AS high FROM gold.days WHERE date = '2024-01-01';\n";
    stdin.write(high);
    await other.write('AAA', '2024-01-01', '0,999\n');
    expect((await other.run(['materialize', '-q', '+gold/days'])).code).toBe(0);
    stdin.end(high);
    const { out } = await said;
    expect(out.split('\r\n').at(-2)).toBe('999.00');
  });
});

import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Place, place, screen } from './support.ts';

const unzstd = (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input));

let here: Place;
const removals: (() => void)[] = [];
beforeAll(async () => {
  here = await place((remove) => removals.push(remove));
  // A month that is over is one file, a day of this one is another.
  for (const symbol of ['AAA', 'BBB']) await here.write(symbol, '2024-02-01', '0,301.5\n1,3201\n');
  await here.run(['materialize', '-q', '+gold/days']);
}, 60_000);
afterAll(() => {
  for (const remove of removals) remove();
});

const ask = (...args: string[]) => here.run(['query', '-q', ...args]);

describe('parameters', () => {
  test('mean quoted text, which becomes what its place asks for, or the type that is said', async () => {
    const sql = `SELECT symbol, date, price FROM prices
      WHERE symbol = $symbol AND date >= $day AND price > $Least AND minute = $1 AND at < ?1
      ORDER BY ALL LIMIT $n`;
    const params = ['symbol=AAA', 'day=2024-01-02', 'least=100', 'n=1', '1=1'].flatMap((one) => ['--param', one]);
    expect(await ask('-f', 'csv', sql.replace('AND at < ?1', ''), ...params)).toEqual({
      code: 0,
      out: 'symbol,date,price\r\nAAA,2024-01-02,202.00\r\n',
      err: '',
    });
    const types = "SELECT typeof($a) AS a, typeof($b) AS b, $c AS c, typeof($c) AS d, '$a' || $e AS e, ? + ? AS f";
    const typed = ['a=5', 'b:decimal(9,2)=5', 'c:date', "e=it's = $b", '1:integer=2', '2:integer=3'];
    expect((await ask('-f', 'ndjson', types, ...typed.flatMap((one) => ['--param', one]))).out).toBe(
      `{"a":"VARCHAR","b":"DECIMAL(9,2)","c":null,"d":"DATE","e":"$ait's = $b","f":5}\n`,
    );
  });

  test('stay apart from what they touch', async () => {
    // U&'\\0041' would be 'A'.
    const sql = 'SELECT u&$bits AS n, CASE WHEN u=$n THEN $text END AS t FROM (SELECT 6 AS u)';
    const params = ['bits:integer=3', 'n=6', 'text=\\0041'].flatMap((one) => ['--param', one]);
    expect((await ask('-f', 'csv', sql, ...params)).out).toBe('n,t\r\n2,\\0041\r\n');
    expect((await ask('-f', 'csv', 'SELECT u&$bits AS n FROM (SELECT 6 AS u)', '--param', 'bits=3')).out).toBe(
      'n\r\n2\r\n',
    );
  });

  test.each([
    [['SELECT $dy'], 'The statement has a parameter without a value: $dy\n  --param dy=…'],
    [['SELECT ?, ?', '--param', '1=x'], 'The statement has a parameter without a value: 2 (the 2nd ?)\n  --param 2=…'],
    [
      ['SELECT $day', '--param', 'day=1', '--param', 'dya=2'],
      "The statement has no parameter 'dya'\n  Did you mean 'day'?",
    ],
    [['SELECT 1', '--param', 'day=1'], "The statement has no parameter 'day'\n  It has none: write $day in it."],
    [
      ['SELECT $a', '--param', 'a:integer) AS x, (1=1'],
      "--param 'a:integer) AS x, (1=1': 'integer) AS x, (1' is no type\n  Write name=value, or name:type=value, e.g. --param day=2024-01-01 --param least:double=0.5",
    ],
    [
      ['SELECT $a', '--param', 'a'],
      "--param 'a': it has no value\n  Write name=value, or name:type=value, e.g. --param day=2024-01-01 --param least:double=0.5",
    ],
  ])('%j is refused', async (args, err) => {
    expect(await ask(...args)).toEqual({ code: 2, out: '', err: `lakehouse: ${err}\n` });
  });

  test('what does not fit is refused with its value', async () => {
    expect((await ask('FROM prices WHERE date = $day', '--param', 'day=yesterday')).err).toBe(
      'lakehouse: query: Conversion Error: invalid date field format: "yesterday", expected format is (YYYY-MM-DD)\n',
    );
    expect((await ask('SELECT $a + , 1', '--param', 'a=5')).err).toContain(
      "LINE 1: SELECT '5' + , 1\n                     ^\n",
    );
  });
});

describe('files as results', () => {
  const everything = `SELECT symbol, date, prices.at, price, minute, sum(minute) OVER () AS wide, price::DOUBLE / 4 AS d, minute > 0 AS b,
    [minute, NULL] AS l, {'a': price, 'b': [symbol]} AS s, NULL::VARCHAR AS n FROM prices ORDER BY ALL`;

  test('parquet is read by another reader as it is, types and all', async () => {
    const path = join(here.cwd, 'rows [1].parquet');
    expect(await ask(everything, '-f', 'parquet', '-o', 'rows [1].parquet', '--limit', '3')).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    const file = await asyncBufferFromFile(path);
    const { schema } = await parquetMetadataAsync(file);
    // DuckDB itself would make a DOUBLE of the sum.
    expect(schema.find(({ name }) => name === 'wide')).toMatchObject({
      converted_type: 'DECIMAL',
      precision: 38,
      scale: 0,
    });
    const rows = await parquetReadObjects({ file, compressors: { ZSTD: unzstd } });
    expect(rows).toHaveLength(3);
    expect(rows[0]).toEqual({
      symbol: 'AAA',
      date: new Date('2024-01-01'),
      at: new Date('2024-01-01T00:00:00Z'),
      price: 101.5,
      minute: 0,
      wide: 8,
      d: 25.375,
      b: false,
      l: [0, null],
      s: { a: 101.5, b: ['AAA'] },
      n: null,
    });
    expect((await readdir(here.cwd)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('arrow keeps every type exactly, also to standard output', async () => {
    const pieces: Uint8Array[] = [];
    const stdout = { ...screen(), write: (more: string | Uint8Array) => void pieces.push(Buffer.from(more)) };
    expect(await here.run(['query', everything, '-f', 'arrow'], { io: { stdout } })).toMatchObject({
      code: 0,
      err: '',
    });
    const found = tableFromIPC(Buffer.concat(pieces));
    expect(found.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'symbol Utf8',
      'date Date32<DAY>',
      'at Timestamp<MICROSECOND>',
      'price Decimal[18e+2]',
      'minute Int32',
      'wide Decimal[38e0]',
      'd Float64',
      'b Bool',
      'l List<Int32>',
      's Struct<{a:Decimal[18e+2], b:List<Utf8>}>',
      'n Utf8',
    ]);
    expect(found.numRows).toBe(16);
    expect([...found].map((row) => String(row))[1]).toBe(
      '{"symbol": "AAA", "date": 1704067200000, "at": 1704067260000, "price": 20100, "minute": 1, "wide": 8, "d": 50.25, "b": true, "l": [1,null], "s": {"a":"\\"20100\\"","b":["AAA"]}, "n": null}',
    );
    expect((await ask('SELECT 1 AS x WHERE FALSE', '-f', 'arrow', '-o', 'none.arrow')).code).toBe(0);
    expect(tableFromIPC(await readFile(join(here.cwd, 'none.arrow'))).schema.names).toEqual(['x']);
  });

  test('parquet of a PIVOT, whose columns are only known from the rows', async () => {
    const pivot = 'PIVOT prices ON symbol USING max(price) GROUP BY date';
    expect(await ask(pivot, '-f', 'parquet', '-o', 'pivot.parquet')).toEqual({ code: 0, out: '', err: '' });
    const file = await asyncBufferFromFile(join(here.cwd, 'pivot.parquet'));
    const rows = await parquetReadObjects({ file, compressors: { ZSTD: unzstd } });
    expect(rows.length).toBeGreaterThan(1);
    expect(Object.keys(rows[0] ?? {})).toEqual(['date', 'AAA', 'BBB']);
  });

  test('parquet goes to another program whole', async () => {
    const pieces: Uint8Array[] = [];
    const stdout = { ...screen(), write: (more: string | Uint8Array) => void pieces.push(Buffer.from(more)) };
    await here.run(['query', 'FROM prices', '-f', 'parquet'], { io: { stdout } });
    const bytes = Buffer.concat(pieces);
    expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  });

  test.each([
    [
      'arrow',
      'SELECT INTERVAL 1 DAY AS step',
      'Column \'step\' (INTERVAL) has no type in Arrow\n  Write CAST("step" AS VARCHAR) AS "step", or another type than it has.',
    ],
    [
      'arrow',
      "SELECT '170141183460469231731687303715884105727'::HUGEINT AS h",
      'Column \'h\': 170141183460469231731687303715884105727 has more digits than the 38 of Arrow\n  Write CAST("h" AS VARCHAR) AS "h", or AS DOUBLE.',
    ],
    ['parquet', "COPY (SELECT 1) TO 'x'", 'Only one SELECT can be run: COPY is not a statement that only reads'],
    ['parquet', "SELECT error('1')", 'query: Invalid Input Error: 1'],
  ])('%s: %s leaves no file', async (format, text, err) => {
    expect(await ask(text, '-f', format, '-o', 'x')).toEqual({ code: 2, out: '', err: `lakehouse: ${err}\n` });
    expect((await readdir(here.cwd)).filter((name) => name.startsWith('x'))).toEqual([]);
  });

  test('a directory that is not there is said', async () => {
    const path = join(here.cwd, 'nowhere/x.parquet');
    expect(await ask('SELECT 1', '-f', 'parquet', '-o', 'nowhere/x.parquet')).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining(
        `lakehouse: Cannot write ${path}: ENOENT: no such file or directory, open '${path}.`,
      ),
    });
  });

  test('a link goes on being one, and what is no file is not replaced', async () => {
    await symlink('linked.csv', join(here.cwd, 'link.csv'));
    await writeFile(join(here.cwd, 'linked.csv'), 'old');
    for (const format of ['csv', 'arrow', 'parquet'])
      expect((await ask('SELECT 1 AS x', '-f', format, '-o', 'link.csv')).code).toBe(0);
    expect(await ask('SELECT 1 AS x', '-f', 'csv', '-o', 'link.csv')).toEqual({ code: 0, out: '', err: '' });
    expect(await readlink(join(here.cwd, 'link.csv'))).toBe('linked.csv');
    expect(await readFile(join(here.cwd, 'linked.csv'), 'utf8')).toBe('x\r\n1\r\n');
    for (const [path, format] of [
      ['/dev/null', 'csv'],
      ['/dev/null', 'parquet'],
      [join(here.cwd, 'data'), 'csv'],
    ] as const)
      expect(await ask('SELECT 1', '-f', format, '-o', path)).toEqual({
        code: 2,
        out: '',
        err: `lakehouse: Cannot write ${path}: what is there is no file\n`,
      });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  test('are nothing for a terminal', async () => {
    const stdout = screen({ columns: 80 });
    expect((await here.run(['query', 'SELECT 1', '-f', 'arrow'], { io: { stdout } })).err).toBe(
      'lakehouse: arrow is bytes, and nothing for a terminal\n  Write it to a file (--output rows.arrow), or to another program (| …).\n',
    );
  });
});

describe('only files that are needed', () => {
  const one = "SELECT price FROM silver.prices WHERE symbol = 'AAA' AND date = '2024-02-01' ORDER BY price";

  test('are opened: the others may be damaged', async () => {
    const files = join(here.cwd, 'data/silver/prices');
    const names = (await readdir(files, { recursive: true })).filter((name) => name.endsWith('.parquet'));
    expect(names).toHaveLength(4);
    const damaged = new Map<string, Buffer>();
    for (const name of names.filter((each) => !/AAA.2024-02-01/.test(each))) {
      damaged.set(name, await readFile(join(files, name)));
      await writeFile(join(files, name), 'damaged');
    }
    expect(await ask('-f', 'csv', one)).toEqual({ code: 0, out: 'price\r\n301.50\r\n3201.00\r\n', err: '' });
    expect((await ask('-f', 'csv', "FROM prices WHERE symbol = 'AAA'")).code).toBe(1);
    for (const [name, content] of damaged) await writeFile(join(files, name), content);
  });

  test('are counted by --timing, with what it took', async () => {
    const text = await ask(one, '--timing', '-f', 'csv');
    expect(text.err).toMatch(/^2 rows in \S+ ?\S*; silver\.prices: 1 of 4 files, [\d.]+ \w+\n$/);
    const { err } = await ask(one, '--timing', '--json');
    expect(JSON.parse(err)).toEqual({
      rows: 2,
      ms: expect.any(Number),
      revision: expect.any(Number),
      scans: [{ asset: 'silver/prices', lake: 4, files: 1, bytes: expect.any(Number) }],
    });
  });

  test('are told by --explain, with the plan', async () => {
    const { out, code } = await ask(one, '--explain');
    expect([code, ...out.split('\n').slice(0, 2)]).toEqual([
      0,
      expect.stringMatching(/^table +files +of +bytes$/),
      expect.stringMatching(/^silver\.prices +1 +4 +[\d.]+ \w+$/),
    ]);
    expect(out).toContain('READ_PARQUET');
    const analyzed = JSON.parse((await ask(one, '--analyze', '--json')).out);
    expect(analyzed).toMatchObject({ scans: [{ files: 1, lake: 4 }], plan: expect.stringContaining('Total Time') });
  });
});

describe('files outside of the lake', () => {
  test('are read only where they are allowed', async () => {
    const [csv, directory] = [join(here.cwd, 'outside.csv'), join(here.cwd, 'more')];
    await writeFile(csv, 'symbol,weight\nAAA,2\n');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'a.csv'), 'symbol,weight\nBBB,3\n');
    const joined = (path: string) =>
      `SELECT DISTINCT symbol, weight FROM prices JOIN read_csv('${path}') USING (symbol)`;
    expect(await ask(joined(csv))).toEqual({
      code: 2,
      out: '',
      err: `lakehouse: The query may not read ${csv}, which is outside of the lake\n  Allow a file, or a directory with all that is in it: --allow ${csv}\n`,
    });
    expect((await ask('-f', 'csv', joined(csv), '--allow', 'outside.csv')).out).toBe('symbol,weight\r\nAAA,2\r\n');
    expect((await ask('-f', 'csv', joined(`${directory}/*.csv`), '--allow', 'more')).out).toBe(
      'symbol,weight\r\nBBB,3\r\n',
    );
    for (const path of [join(directory, 'a.csv'), join(here.cwd, 'data/.lakehouse/lake.json'), `${csv}.more`])
      expect((await ask(`FROM read_text('${path}')`, '--allow', 'outside.csv')).err).toContain('may not read');
    expect((await ask('SELECT 1', '--allow', 'nothing')).err).toBe(
      `lakehouse: ${join(here.cwd, 'nothing')}: there is no such file or directory to allow\n`,
    );
  });
});

import { cp, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { writeRows } from '../../framework/cli/rows.ts';
import { styleFor } from '../../framework/cli/style.ts';
import { canMount, noTmpfs, withTmpfs } from '../storage/tmpfs.ts';
import { place, screen } from './support.ts';

/** The system's temporary directory, for this test alone. */
async function ownTemporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-query-'));
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

describe('a lake that cannot be written', () => {
  const sum = ['query', '-f', 'csv', 'SELECT symbol, count(*) AS n FROM silver.prices GROUP BY 1 ORDER BY 1'];
  const answer = { code: 0, out: 'symbol,n\r\nAAA,6\r\nBBB,6\r\n', err: '' };

  test.skipIf(!canMount)(`on a disk mounted read-only is read all the same${noTmpfs}`, async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+gold/days']);
    await withTmpfs('size=16m', async ({ path, remount }) => {
      await cp(join(here.cwd, 'data'), path, { recursive: true });
      remount('ro');
      const temporary = await ownTemporary();
      expect(await here.run([...sum, '--set', `dataDir=${path}`])).toEqual(answer);
      const plan = await here.run(['plan', '-q', 'gold/days', '--force', '--set', `dataDir=${path}`]);
      expect({ code: plan.code, out: plan.out.split('\n')[0] }).toEqual({
        code: 0,
        out: 'gold/days  6 partitions to compute (6 forced)',
      });
      expect(await readdir(temporary)).toEqual([]);
    });
  });

  test('needs no temporary directory of its own, and makes none', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+gold/days']);
    const temporary = join(here.cwd, 'data/.lakehouse/tmp');
    await rm(temporary, { recursive: true });
    const system = await ownTemporary();
    expect(await here.run(sum)).toEqual(answer);
    expect(await readdir(join(here.cwd, 'data/.lakehouse'))).not.toContain('tmp');
    // Nor where none can be.
    await writeFile(temporary, 'a file');
    expect(await here.run(sum)).toEqual(answer);
    expect(await readdir(system)).toEqual([]);
  });

  test('and one that is not there yet is not made', async () => {
    const here = await place();
    expect(await here.run(['query', '-f', 'csv', 'SELECT count(*) AS n FROM silver.prices'])).toEqual({
      code: 0,
      out: 'n\r\n0\r\n',
      err: 'warning: There is no lake in data yet: all its tables are empty.\n',
    });
    for (const deep of [[], ['--deep']])
      expect(await here.run(['verify', ...deep, '--set', 'dataDir=./dta'])).toEqual({
        code: 2,
        out: '',
        err: 'lakehouse: There is no lake in dta yet\n  Look at the setting dataDir.\n',
      });
    expect((await readdir(here.cwd)).sort()).toEqual(['assets', 'in', 'lakehouse.yaml']);
  });
});

describe('what a DuckDB user types first', () => {
  test('SHOW TABLES, a table without its zone, SUMMARIZE, PIVOT', async () => {
    const here = await place();
    await here.run(['materialize', '-q']);
    const csv = async (sql: string) => (await here.run(['query', '-f', 'csv', sql])).out.split('\r\n').slice(0, -1);
    expect(await csv('SHOW TABLES')).toEqual(['name', 'gold.days', 'gold.months', 'raw.days', 'silver.prices']);
    expect((await csv('SHOW ALL TABLES')).map((line) => line.split(',').slice(1, 3).join('.'))).toEqual([
      'schema.name',
      'gold.days',
      'gold.months',
      'raw.days',
      'silver.prices',
    ]);
    expect(await csv('FROM prices SELECT count(*) AS n')).toEqual(['n', '12']);
    expect((await csv('SUMMARIZE silver.prices')).slice(1).map((line) => line.split(',')[0])).toEqual([
      'symbol',
      'date',
      'minute',
      'price',
      'at',
    ]);
    expect(await csv('PIVOT gold.days ON symbol USING max(high) GROUP BY date')).toEqual([
      'date,AAA,BBB',
      '2024-01-01,201.00,201.00',
      '2024-01-02,202.00,202.00',
      '2024-01-03,203.00,203.00',
    ]);
    expect(await here.run(['query', 'FROM days'])).toEqual({
      code: 2,
      out: '',
      err: "lakehouse: There are several tables 'days'\n  Write 'raw.days' or 'gold.days'.\n",
    });
  });

  test('a source is not a table, and what is wrong is pointed at', async () => {
    const here = await place();
    for (const [sql, err] of [
      ['FROM files.days', "files/days is a source, and sources are not tables\n  What is made of it: 'raw.days'."],
      ['SELECT 1,\n  2 2', 'query: Parser Error: syntax error at or near "2"\nLINE 2:   2 2\n            ^'],
    ])
      expect(await here.run(['query', '-q', sql as string])).toEqual({ code: 2, out: '', err: `lakehouse: ${err}\n` });
  });

  test('a damaged file and a missing one both fail, and are nobody’s misuse', async () => {
    const here = await place();
    await here.run(['materialize', '-q']);
    const directory = join(here.cwd, 'data/gold/days');
    const [name = ''] = (await readdir(directory, { recursive: true })).filter((path) => path.endsWith('.parquet'));
    await truncate(join(directory, name), 100);
    expect(await here.run(['query', 'FROM gold.days'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('lakehouse verify'),
    });
    await rm(join(directory, name));
    expect((await here.run(['query', 'FROM gold.days'])).code).toBe(1);
  });
});

describe('rows as they are printed', () => {
  const columns = [{ name: 'n', type: 'INTEGER' }];
  const shape = { limit: Number.POSITIVE_INFINITY, width: 80, style: styleFor(screen(), {}, false) };
  const printed = async (format: 'csv' | 'json' | 'ndjson' | 'table', batches: () => AsyncGenerator<number[][]>) => {
    const writes: string[] = [];
    const sink = { write: async (text: string | Uint8Array) => void writes.push(String(text)), closed: () => false };
    const result = { columns, batches: batches(), arrow: async function* () {}, close: async () => undefined };
    const failure = await writeRows(result, { ...shape, format }, sink).then(
      () => undefined,
      (error: Error) => error.message,
    );
    return { writes, failure };
  };

  test.each(['csv', 'json', 'ndjson', 'table'] as const)(
    'as %s: nothing stands there before the first rows, so that a query that fails at once can be asked again',
    async (format) => {
      const fails = async function* (): AsyncGenerator<number[][]> {
        yield [];
        throw new Error('gone');
      };
      expect(await printed(format, fails)).toEqual({ writes: [], failure: 'gone' });
    },
  );

  test('the head comes with the first rows, or alone where there are none', async () => {
    const some = async function* () {
      yield [];
      yield [[1]];
      yield [[2]];
    };
    const none = async function* () {};
    expect(await printed('csv', some)).toEqual({ writes: ['n\r\n1\r\n', '2\r\n'], failure: undefined });
    expect((await printed('json', some)).writes).toEqual(['[\n  {"n": 1}', ',\n  {"n": 2}', '\n]\n']);
    expect((await printed('csv', none)).writes).toEqual(['n\r\n']);
    expect((await printed('json', none)).writes).toEqual(['[]\n']);
    expect((await printed('ndjson', none)).writes).toEqual([]);
  });
});

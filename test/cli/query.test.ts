import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { canMount, noTmpfs, withTmpfs } from '../storage/tmpfs.ts';
import { place } from './support.ts';

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
    expect((await here.run(['query', '-f', 'csv', 'SELECT count(*) AS n FROM silver.prices'])).out).toBe('n\r\n0\r\n');
    expect(await readdir(here.cwd)).not.toContain('data');
  });
});

describe('what a DuckDB user types first', () => {
  test('SHOW TABLES, a table without its zone, SUMMARIZE, PIVOT', async () => {
    const here = await place();
    await here.run(['materialize', '-q']);
    const csv = async (sql: string) => (await here.run(['query', '-f', 'csv', sql])).out.split('\r\n').slice(0, -1);
    expect(await csv('SHOW TABLES')).toEqual(['name', 'days', 'days', 'months', 'prices']);
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
});

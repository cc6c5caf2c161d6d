import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset, check, columns, daily, dynamicDimension, integer, sql } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { defineLakehouse, type LakehouseDefinition } from '../../framework/define/lakehouse.ts';
import { type Place, place } from './support.ts';

const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };

/** What the place has, and two assets over it that do not bind. */
function broken(here: Place): LakehouseDefinition {
  const { assets } = here.tiny();
  const prices = assets.find(({ key }) => key === 'silver/prices');
  if (prices === undefined) throw new Error('there is no silver/prices');
  const shape = { partitions, columns: columns({ n: integer() }), sortBy: ['n'] as const };
  const misspelt = asset('gold/misspelt', {
    ...shape,
    inputs: { prices: prices as never },
    query: ({ prices }) => sql`
      SELECT count(pric)::INTEGER AS n
      FROM ${prices as never}`,
  });
  const wrong = asset('gold/wrong', {
    ...shape,
    inputs: { prices: prices as never },
    checks: [check('odd', ['n'], ({ rows }) => sql`SELECT now() FROM ${rows}`)],
    query: ({ prices }) => sql`SELECT count(*) AS n FROM ${prices as never}`,
  });
  return defineLakehouse({ assets: [...assets, misspelt, wrong] });
}

describe('a query that does not bind', () => {
  test('is found by the plan, which is shown all the same: exit code 2, and nothing is written', async () => {
    const here = await place();
    const definition = broken(here);
    const { code, out, err } = await here.run(['plan', '-q'], { definition });
    expect(code).toBe(2);
    expect(out).toContain('\ngold/misspelt  6 partitions to compute (6 missing)\n');
    expect(
      err.replaceAll(/\S+plan\.test\.ts:\d+/g, '<here>'),
    ).toBe(`lakehouse: 3 problems in queries and checks, so nothing runs:
  - <here>: gold/misspelt.query: Referenced column "pric" not found in FROM clause! Candidate bindings: "price"
    LINE 1: SELECT count(pric)::INTEGER AS n
                         ^
  - <here>: gold/wrong.query: the query does not give the declared columns: column 'n' is declared INTEGER, but the query gives BIGINT: write CAST(… AS INTEGER) AS n
  - <here>: gold/wrong.checks.odd: the query calls now(), which gives something else each time
    LINE 1: SELECT now() FROM \${rows}
                   ^
    Use the partition’s start or end, or a column of an input.
`);
    expect(existsSync(join(here.cwd, 'data'))).toBe(false);
  });

  test('is data in JSON', async () => {
    const here = await place();
    const { code, out, err } = await here.run(['plan', '-q', '--json', '+gold/misspelt'], { definition: broken(here) });
    const { will, issues } = JSON.parse(out) as { will: number; issues: unknown };
    expect({ code, err, will, issues }).toEqual({
      code: 2,
      err: '',
      will: 18,
      issues: [
        {
          code: 'query-invalid',
          path: ['gold/misspelt', 'query'],
          message:
            'Referenced column "pric" not found in FROM clause! Candidate bindings: "price"\nLINE 1: SELECT count(pric)::INTEGER AS n\n                     ^',
          at: { file: import.meta.filename, line: expect.any(Number) },
        },
      ],
    });
  });

  test('keeps materialize from running anything, and is in show', async () => {
    const here = await place();
    const definition = broken(here);
    const { code, out, err } = await here.run(['materialize', '-q'], { definition });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(
      /^lakehouse: 3 problems in queries and checks, so nothing runs:\n {2}- .*: gold\/misspelt\.query: /,
    );
    expect(await here.json(['runs'])).toMatchObject([{ outcome: 'failed', error: { code: 'bad-queries' } }]);
    expect((await here.run(['status', 'raw/days'], { definition })).out).toMatch(/\nraw\/days +- +- +6 /);
    // What is not selected is nobody's concern.
    expect((await here.run(['materialize', '-q', '+gold/days'], { definition })).code).toBe(0);

    const shown = await here.run(['show', 'gold/misspelt'], { definition });
    expect(shown.code).toBe(2);
    expect(shown.out).toContain('gold/misspelt.query: Referenced column "pric" not found');
    expect((await here.run(['show', 'gold/days'], { definition })).code).toBe(0);
    expect(await here.json(['show', 'gold/days'], { definition })).toMatchObject({ issues: [] });
  });

  test('is looked for only where something is to be computed', async () => {
    const here = await place();
    const definition = broken(here);
    expect((await here.run(['plan', '-q', '+gold/days'], { definition })).code).toBe(0);
    expect((await here.run(['plan', '-q', 'gold/misspelt', '--no-observe'], { definition })).code).toBe(0);
  });
});

describe('a plan without a table to compute', () => {
  const root = join(import.meta.dirname, '../..');
  const shown = `process.on('exit', () => {
    const { sharedObjects } = process.report.getReport();
    process._rawDebug(sharedObjects.some((file) => /duckdb/.test(file)) ? 'with DuckDB' : 'without DuckDB');
  });`;
  const definitions = `
    import { asset, bytes, columns, daily, defineLakehouse, integer, source, sql } from 'crypto-lakehouse';
    const partitions = { date: daily({ start: '2020-01-01', end: '2020-01-01' }) };
    const files = source('files/days', { partitions, observe: async function* () {
      yield { partition: { date: '2020-01-01' }, version: '1' };
    } });
    const raw = asset('raw/days', { partitions, inputs: { files }, format: bytes({ extension: '.x' }), compute: () => new Uint8Array(1) });
    const ones = asset('gold/ones', { partitions, columns: columns({ n: integer() }), sortBy: ['n'], query: () => sql\`SELECT 1 AS n\` });
    export const lakehouse = defineLakehouse({ assets: [raw, ones] });`;

  test('starts no engine', async () => {
    const here = await place();
    await writeFile(join(here.cwd, 'package.json'), '{ "type": "module" }');
    await writeFile(join(here.cwd, 'assets/index.ts'), definitions);
    await mkdir(join(here.cwd, 'node_modules'));
    await symlink(root, join(here.cwd, 'node_modules/crypto-lakehouse'));
    const run = (...args: string[]) => {
      const program = `import { main } from ${JSON.stringify(join(root, 'framework/cli/main.ts'))}; process.exitCode = await main(${JSON.stringify(args)});`;
      const importing = `data:text/javascript,${encodeURIComponent(shown)}`;
      const flags = ['--conditions=source', '--import', importing, '--input-type=module', '-e', program];
      const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: here.cwd, encoding: 'utf8', env: {} });
      return `${stdout.trimEnd().split('\n').at(-1)} ${stderr.trimEnd().split('\n').at(-1)}`;
    };
    expect(run('plan', '-q', '+raw/days')).toMatch(/^1 partition to compute: .* without DuckDB$/);
    expect(run('plan', '-q', '+gold/ones')).toMatch(/^1 partition to compute: .* with DuckDB$/);
    expect(run('materialize', '-q')).toMatch(/ with DuckDB$/);
    expect(run('plan', '-q')).toBe('Nothing is stale: 2 partitions fresh. without DuckDB');
    expect(run('materialize')).toMatch(/^Nothing to do: .* without DuckDB$/);
  });
});

describe('how long it would take', () => {
  const noDuration = (text: string) => text.replace(/\b\d+(\.\d+)? (ms|s)\b/g, '<time>');

  test('is judged by what it took, and said to be unknown of what never ran', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+silver/prices']);
    const forced = noDuration(
      (await here.run(['plan', '-q', '+gold/days', '--force', '-p', 'date=2024-01-01..2024-01-03'])).out,
    );
    expect(forced.split('\n').filter((line) => line.includes('batch'))).toEqual([
      '    1 batch · 6 files · 6 downloads of 84 B · about <time>',
      '    1 batch · 2 files · about <time>',
      '    1 batch · 2 files · time unknown (never run)',
      '18 partitions to compute: 3 batches, 10 files to write, 6 downloads of 84 B, at least <time>. 0 fresh.',
    ]);
    await here.run(['materialize', '-q']);
    await here.write('AAA', '2024-01-02', '0,7\n');
    const changed = noDuration((await here.run(['plan', '-q', '+gold/days'])).out);
    expect(changed.split('\n').filter((line) => line.includes('batch'))).toEqual([
      '    1 batch · 1 file · 1 download of 4 B · about <time>',
      '    1 batch · 1 file · up to <time>',
      '    1 batch · 1 file · up to <time>',
      expect.stringMatching(/: 3 batches, 3 files to write, 1 download of 4 B, up to <time>\./),
    ]);
  });

  test('is a number of milliseconds in JSON', async () => {
    const here = await place();
    await here.run(['materialize', '-q', '+silver/prices']);
    const plan = (await here.json(['plan', '-q', 'silver/prices', '--force', '--no-observe'])) as {
      estimatedMs: number;
      materialize: { will: number; estimatedMs: number }[];
    };
    expect(plan).toMatchObject({
      estimatedMs: expect.any(Number),
      materialize: [{ will: 6, estimatedMs: plan.estimatedMs }],
    });
    expect(plan.estimatedMs).toBeGreaterThan(0);
  });
});

test('code that was accepted is the same in both directions: going back makes nothing stale', async () => {
  const here = await place();
  await here.run(['materialize', '-q']);
  const edited = { definition: here.tiny({ factor: 2 }) };
  await here.run(['materialize', '-q', '--accept-code', 'gold/days'], edited);
  const plan = ['plan', '--no-observe', 'gold/days', '-p', 'date=2024-01-01..2024-01-03'];
  for (const options of [{}, edited])
    expect((await here.run(plan, options)).out).toBe('Nothing is stale: 6 partitions fresh.\n');
  expect((await here.run(plan, { definition: here.tiny({ factor: 3 }) })).out).toContain(
    '6 partitions to compute (6 code)',
  );
});

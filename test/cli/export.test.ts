import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import {
  asset,
  bytes,
  columns,
  daily,
  defineLakehouse,
  integer,
  notNull,
  rowsWhere,
  sql,
  text,
  timestamp,
  unique,
  view,
  within,
} from 'crypto-lakehouse';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Place, place } from './support.ts';

const date = daily({ start: '2024-01-01', end: '2024-01-02' });

/** Two days of numbers, one table of one partition, one without any content, a view, and original files. */
function lakehouse(factor = 1) {
  const numbers = asset('silver/numbers', {
    description: "Three numbers a day; it's all there is.",
    partitions: { date },
    columns: columns({
      n: integer().describe('The number.'),
      at: timestamp(),
      label: text().nullable().describe('May be {missing}.'),
    }),
    sortBy: ['n'],
    timeColumn: 'at',
    freshness: within({ hours: 30 }, { warn: { hours: 26 } }),
    checks: [
      unique('n'),
      notNull('label', { severity: 'warn' }),
      rowsWhere('positive', ['n'], ({ n }) => sql`${n} < 0`),
    ],
    query: (_, { partition }) =>
      sql`SELECT CAST(range * ${factor} AS INTEGER) AS n, CAST(${partition.date} AS TIMESTAMP) + to_hours(range) AS at, 'n' || range AS label FROM range(3)`,
  });
  const names = asset('gold/names', {
    columns: columns({ id: integer(), name: text() }),
    sortBy: ['id'],
    checks: [unique('id'), unique(['id', 'name'], { severity: 'warn' })],
    query: () => sql`SELECT 1 AS id, 'one' AS name`,
  });
  const never = asset('gold/never', {
    partitions: { date },
    inputs: { numbers },
    columns: columns({ n: integer() }),
    sortBy: ['n'],
    query: ({ numbers: rows }) => sql`SELECT ${rows.n} FROM ${rows}`,
  });
  const originals = asset('raw/files', {
    partitions: { date },
    format: bytes({ extension: '.txt' }),
    codeVersion: '1',
    compute: () => Buffer.from('x'),
  });
  const doubled = view('gold/doubled', {
    description: 'Numbers, twice as large.',
    inputs: { numbers },
    query: ({ numbers: rows }) => sql`SELECT ${rows.date}, 2 * ${rows.n} AS twice FROM ${rows}`,
  });
  return defineLakehouse({ assets: [numbers, names, never, originals], views: [doubled] });
}

const definition = lakehouse();
const SELECTED = 'silver/numbers or gold/names or raw/files';

/** How often the log was written to is not what these tests are about. */
const steady = (text: string): string => text.replace(/as of revision \d+/, 'as of revision N');

async function lake(atTheEnd?: (remove: () => void) => void): Promise<Place> {
  const made = await place(atTheEnd);
  expect(await made.run(['materialize', '-q', SELECTED], { definition })).toMatchObject({ code: 0, err: '' });
  return made;
}

/** What another program finds that knows nothing of the lake. */
async function rowsIn(file: string, statement: string): Promise<Record<string, DuckDBValue>[]> {
  const instance = await DuckDBInstance.create(file, file === ':memory:' ? {} : { access_mode: 'READ_ONLY' });
  try {
    const connection = await instance.connect();
    return (await connection.runAndReadAll(statement)).getRowObjects();
  } finally {
    instance.closeSync();
  }
}

describe('export duckdb', () => {
  const TABLES = "SELECT schema_name || '.' || table_name AS name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL";
  const VIEWS =
    "SELECT schema_name || '.' || view_name AS name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL";
  const COMMENTS =
    "SELECT column_name AS name, comment FROM duckdb_columns() WHERE table_name = 'numbers' ORDER BY column_index";
  const SUMS = 'SELECT date::VARCHAR AS date, sum(twice)::INTEGER AS sum FROM gold.doubled GROUP BY 1 ORDER BY 1';
  const comments = [
    { name: 'date', comment: 'partition column' },
    { name: 'n', comment: 'The number.' },
    { name: 'at', comment: null },
    { name: 'label', comment: 'May be {missing}.' },
  ];
  const sums = [
    { date: '2024-01-01', sum: 6 },
    { date: '2024-01-02', sum: 6 },
  ];

  test('views that a DuckDB of any other program can read, as long as no run replaces their files', async () => {
    const here = await lake();
    const { out, err, code } = await here.run(['export', 'duckdb', 'lake.duckdb'], { definition });
    expect({ code, out: steady(out), err }).toEqual({
      code: 0,
      out: [
        'lake.duckdb: 3 tables as views over 2 files and 1 view, as of revision N',
        'Left out are original files: raw/files.',
        'When a run replaces some of these files, their views fail: export again.',
        '',
      ].join('\n'),
      err: '',
    });
    // Under another name it is the same.
    const file = join(here.cwd, 'other.duckdb');
    await rename(join(here.cwd, 'lake.duckdb'), file);
    expect(await rowsIn(file, VIEWS)).toEqual([
      { name: 'gold.doubled', comment: 'Numbers, twice as large.' },
      { name: 'gold.names', comment: null },
      { name: 'gold.never', comment: null },
      { name: 'silver.numbers', comment: "Three numbers a day; it's all there is." },
    ]);
    expect(await rowsIn(file, COMMENTS)).toEqual(comments);
    expect(await rowsIn(file, SUMS)).toEqual(sums);
    expect(await rowsIn(file, 'SELECT count(*)::INTEGER AS n FROM gold.never')).toEqual([{ n: 0 }]);
    expect(
      await rowsIn(
        file,
        'SELECT revision::INTEGER AS r, has_rows, exported_at::DATE::VARCHAR AS day FROM lakehouse_export',
      ),
    ).toEqual([{ r: Number(/revision (\d+)/.exec(out)?.[1]), has_rows: false, day: '2024-02-02' }]);

    await here.run(['materialize', '-q', 'silver/numbers'], { definition: lakehouse(2) });
    await expect(rowsIn(file, SUMS)).rejects.toThrow(/No files found|No such file/);
    await here.run(['export', 'duckdb', 'other.duckdb', '--force'], { definition: lakehouse(2) });
    expect((await rowsIn(file, SUMS)).map(({ sum }) => sum)).toEqual([12, 12]);
  });

  test('--data: the rows themselves, for which the lake is not needed any more', async () => {
    const here = await lake();
    expect(await here.json(['export', 'duckdb', 'lake.duckdb', '--data'], { definition })).toEqual({
      file: join(here.cwd, 'lake.duckdb'),
      revision: expect.any(Number),
      data: true,
      tables: ['gold.names', 'gold.never', 'silver.numbers'],
      views: ['gold.doubled'],
      files: 2,
      leftOut: ['raw/files'],
    });
    await rm(join(here.cwd, 'data'), { recursive: true });
    const file = join(here.cwd, 'lake.duckdb');
    expect((await rowsIn(file, TABLES)).map(({ name }) => name)).toEqual([
      'gold.names',
      'gold.never',
      'main.lakehouse_export',
      'silver.numbers',
    ]);
    expect(await rowsIn(file, COMMENTS)).toEqual(comments);
    expect(await rowsIn(file, SUMS)).toEqual(sums);
  });

  test('the file is there whole or not at all, and none is replaced unasked', async () => {
    const here = await lake();
    const run = (...words: string[]) => here.run(['export', 'duckdb', ...words], { definition });
    const databases = async () => (await readdir(here.cwd)).filter((name) => name.includes('.duckdb')).sort();
    await writeFile(join(here.cwd, 'mine.duckdb'), 'mine');
    expect(await run('mine.duckdb')).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: mine.duckdb is there already\n  Replace it with --force.\n',
    });
    await writeFile(join(here.cwd, 'open.duckdb.wal'), '');
    expect(await run('open.duckdb', '--force')).toMatchObject({
      code: 2,
      err: expect.stringContaining('open.duckdb.wal lies there: some program has open.duckdb open, or died with it'),
    });
    expect(await run('nowhere/lake.duckdb')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^lakehouse: Cannot write \S+nowhere\/lake\.duckdb: ENOENT/),
    });
    expect(await run('mine.duckdb/lake.duckdb')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^lakehouse: Cannot write \S+mine\.duckdb\/lake\.duckdb: ENOTDIR/),
    });
    expect(await run('data', '--force')).toEqual({
      code: 2,
      out: '',
      err: 'lakehouse: data is a directory\n  Name a file in it.\n',
    });

    const silver = join(here.cwd, 'data/silver/numbers');
    const [name = ''] = (await readdir(silver, { recursive: true })).filter((path) => path.endsWith('.parquet'));
    await truncate(join(silver, name), 100);
    expect(await run('mine.duckdb', '--force', '--data')).toMatchObject({
      code: 1,
      err: expect.stringContaining('lakehouse verify'),
    });
    expect(await databases()).toEqual(['mine.duckdb', 'open.duckdb.wal']);
    expect(await readFile(join(here.cwd, 'mine.duckdb'), 'utf8')).toBe('mine');
  });
});

describe('export dbt', () => {
  let here: Place;
  beforeAll(async () => {
    let remove: (() => void) | undefined;
    here = await lake((given) => {
      remove = given;
    });
    return remove;
  }, 60_000);

  test('sources with columns, checks, freshness, and where the files are', async () => {
    const { out, err, code } = await here.run(['export', 'dbt'], { definition });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const yaml = steady(out)
      .replaceAll(here.cwd, '/lake')
      .replaceAll(/\.[0-9a-z]{17}\.parquet/g, '.GENERATION.parquet')
      .replaceAll(/code: \w{16}/g, 'code: CODE');
    expect(yaml).toMatchInlineSnapshot(`
      "# Written by lakehouse export dbt, as of revision N. Do not edit: export again.
      # Left out are original files: raw/files.
      version: 2
      sources:
        - name: gold
          description: Zone gold of the lakehouse.
          tables:
            - name: doubled
              description: Numbers, twice as large.
              meta:
                lakehouse:
                  asset: gold/doubled
                  kind: view
                external_location: (SELECT "date", 2 * "n" AS twice FROM read_parquet(['/lake/data/silver/numbers/2024-01.GENERATION.parquet'], hive_partitioning = false, union_by_name = true))
              columns:
                - name: date
                - name: twice
            - name: names
              meta:
                lakehouse:
                  asset: gold/names
                  kind: table
                  partitions: []
                  code: CODE
                external_location: read_parquet(['/lake/data/gold/names/all.GENERATION.parquet'], hive_partitioning = false, union_by_name = true)
              data_tests:
                - unique:
                    column_name: row("id", "name")
                    config:
                      severity: warn
              columns:
                - name: id
                  data_type: INTEGER
                  data_tests:
                    - unique
                - name: name
                  data_type: VARCHAR
            - name: never
              meta:
                lakehouse:
                  asset: gold/never
                  kind: table
                  partitions:
                    - date
                  code: CODE
                external_location: (SELECT CAST(NULL AS DATE) AS "date", CAST(NULL AS INTEGER) AS "n" WHERE FALSE)
              columns:
                - name: date
                  data_type: DATE
                  description: partition column
                - name: n
                  data_type: INTEGER
        - name: silver
          description: Zone silver of the lakehouse.
          tables:
            - name: numbers
              description: Three numbers a day; it's all there is.
              loaded_at_field: '"at"'
              freshness:
                warn_after:
                  count: 74
                  period: hour
                error_after:
                  count: 78
                  period: hour
              meta:
                lakehouse:
                  asset: silver/numbers
                  kind: table
                  partitions:
                    - date
                  code: CODE
                external_location: read_parquet(['/lake/data/silver/numbers/2024-01.GENERATION.parquet'], hive_partitioning = false, union_by_name = true)
              data_tests:
                - unique:
                    column_name: row("date", "n")
              columns:
                - name: date
                  data_type: DATE
                  description: partition column
                - name: n
                  data_type: INTEGER
                  description: The number.
                - name: at
                  data_type: TIMESTAMP
                - name: label
                  data_type: VARCHAR
                  description: May be {missing}.
                  data_tests:
                    - not_null:
                        config:
                          severity: warn
      "
    `);
  });

  test('what it says dbt-duckdb can read, and dbt’s own test of it holds', async () => {
    const sources = (await here.json(['export', 'dbt'], { definition })) as Sources;
    const read = await Promise.all(
      sources.sources.flatMap(({ name: zone, tables }) =>
        tables.map(async ({ name, meta, data_tests: tests = [] }) => {
          // As dbt-duckdb does: Python's str.format() makes one of two braces.
          const relation = meta.external_location.replaceAll('{{', '{').replaceAll('}}', '}');
          const [{ n = -1 } = {}] = await rowsIn(':memory:', `SELECT count(*)::INTEGER AS n FROM ${relation}`);
          const doubled = await Promise.all(
            tests.map(async (one) => {
              const { column_name: column } = one.unique;
              const grouped = `SELECT ${column} AS unique_field, count(*) AS n FROM ${relation} WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1`;
              return (await rowsIn(':memory:', grouped)).length;
            }),
          );
          return [`${zone}.${name}`, n, doubled];
        }),
      ),
    );
    expect(read).toEqual([
      ['gold.doubled', 6, []],
      ['gold.names', 1, [0]],
      ['gold.never', 0, []],
      ['silver.numbers', 6, [0]],
    ]);
  });

  test('to a file; --glob names directories', async () => {
    const { out, code } = await here.run(['export', 'dbt', '--glob', '--output', 'models/sources.yml'], { definition });
    expect({ code, out: steady(out) }).toEqual({
      code: 0,
      out: 'models/sources.yml: 4 tables of 2 sources, as of revision N\n',
    });
    const written = parse(await readFile(join(here.cwd, 'models/sources.yml'), 'utf8')) as Sources;
    const [numbers] = written.sources[1]?.tables ?? [];
    expect(numbers?.meta.external_location).toBe(
      `read_parquet('${here.cwd}/data/silver/numbers/**/*.parquet', hive_partitioning = false, union_by_name = true)`,
    );
    expect(await rowsIn(':memory:', `SELECT count(*)::INTEGER AS n FROM ${numbers?.meta.external_location}`)).toEqual([
      { n: 6 },
    ]);
  });
});

test('export alone says what can be exported', async () => {
  const here = await lake();
  const { out, code } = await here.run(['export'], { definition });
  expect({ code, out: steady(out) }).toEqual({
    code: 0,
    out: [
      'table           kind   files',
      'gold.doubled    view       -',
      'gold.names      table      1',
      'gold.never      table      0',
      'silver.numbers  table      1',
      '',
      'This is as of revision N. Left out are original files: raw/files.',
      'As a database file: lakehouse export duckdb lake.duckdb',
      'As sources of dbt:  lakehouse export dbt --output sources.yml',
      '',
    ].join('\n'),
  });
});

interface Sources {
  readonly sources: readonly {
    readonly name: string;
    readonly tables: readonly {
      readonly name: string;
      readonly meta: { readonly external_location: string };
      readonly data_tests?: readonly { readonly unique: { readonly column_name: string } }[];
    }[];
  }[];
}

import { expect, test } from 'vitest';
import type { Issue } from '../../framework/common/errors.ts';
import { asset } from '../../framework/define/asset.ts';
import { check, rowsWhere } from '../../framework/define/checks.ts';
import { bigint, columns, decimal, double, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension, monthly } from '../../framework/define/dimensions.ts';
import { bytes } from '../../framework/define/formats.ts';
import { firstAvailable, from } from '../../framework/define/inputs.ts';
import { overlapping } from '../../framework/define/mappings.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { type SqlTemplate, type SqlValue, sql } from '../../framework/define/sql.ts';
import { workshop } from './support.ts';

const shop = await workshop();
const symbol = dynamicDimension();
const partitions = { symbol, date: daily({ start: '2024-01-01' }) };
const shape = columns({ ts: timestamp(), k: bigint(), price: decimal(18, 8) });
const minutes = asset('silver/minutes', { partitions, columns: shape, sortBy: ['ts'], compute: () => [] });
const months = asset('silver/months', {
  partitions: { symbol, month: monthly({ start: '2024-01' }) },
  columns: shape,
  sortBy: ['ts'],
  compute: () => [],
});

type Query = (
  rows: SqlValue,
  partition: Readonly<Record<'date' | 'symbol' | 'start' | 'end', SqlValue>>,
) => SqlTemplate;
function gold(query: Query, more: object = {}): AssetDefinition {
  return asset('gold/probe', {
    partitions,
    inputs: { rows: minutes },
    columns: columns({ ts: timestamp(), v: double().nullable() }),
    sortBy: ['ts'],
    query: ({ rows }, { partition }) => query(rows, partition),
    ...more,
  });
}

const said = ({ path, message }: Issue) => `${path.join('.')}: ${message}`;
const problems = async (definition: AssetDefinition) => (await shop.engine.examine(definition)).issues.map(said);
const good = sql`SELECT 1`;

test('a misspelt column: DuckDB says what it knows, the caret stands in the query as it was written', async () => {
  const query: Query = (rows, p) => sql`
    -- Größen in €
    SELECT ${p.start} AS ts, 'ü€😀' AS x, pricee AS v
    FROM ${rows} WHERE ts >= ${p.start}`;
  expect(await problems(gold(query))).toEqual([
    `gold/probe.query: Referenced column "pricee" not found in FROM clause! Candidate bindings: "price"
LINE 2: SELECT \${partition.start} AS ts, 'ü€😀' AS x, pricee AS v
                                                      ^`,
  ]);
});

test.each<[string, Query, string]>([
  [
    'a misspelt table',
    (rows) => sql`SELECT ts, v FROM ${rows} JOIN minuts USING (ts)`,
    `gold/probe.query: the query reads 'minuts', which is not an input
LINE 1: SELECT ts, v FROM \${rows} JOIN minuts USING (ts)
                                       ^`,
  ],
  [
    'what changes from call to call',
    (rows) => sql`SELECT now()::TIMESTAMP AS ts, NULL AS v FROM ${rows}`,
    `gold/probe.query: the query calls now(), which gives something else each time
LINE 1: SELECT now()::TIMESTAMP AS ts, NULL AS v FROM \${rows}
               ^`,
  ],
  [
    'a file',
    () => sql`SELECT ts, v
      FROM read_parquet('x')`,
    `gold/probe.query: the query calls read_parquet(), which reads what no input declares
LINE 2: FROM read_parquet('x')
             ^`,
  ],
  [
    'a slip of the pen, after letters of several bytes',
    (rows) => sql`SELECT 'ü€😀' AS ts FORM ${rows} WHERE TRUE`,
    `gold/probe.query: the query is not one SELECT: syntax error at or near "FORM"
LINE 1: SELECT 'ü€😀' AS ts FORM \${rows} WHERE TRUE
                            ^`,
  ],
  [
    'an end too early',
    (rows) => sql`
      SELECT (ts FROM ${rows}
    `,
    `gold/probe.query: the query is not one SELECT: syntax error at or near "FROM"
LINE 1: SELECT (ts FROM \${rows}
                   ^`,
  ],
  [
    'types that do not go together, without all the functions there are',
    (rows) => sql`SELECT ts, k + ts AS v FROM ${rows}`,
    `gold/probe.query: No function matches the given name and argument types '+(BIGINT, TIMESTAMP)'. You might need to add explicit type casts.
LINE 1: SELECT ts, k + ts AS v FROM \${rows}
                     ^`,
  ],
  [
    'a long line is shown around the caret',
    (rows) =>
      sql`SELECT ts, ${sql.raw(Array.from({ length: 40 }, () => 'k + ').join(''))} nothing + ${sql.raw('1 + '.repeat(40))} 0.0 AS v FROM ${rows}`,
    `gold/probe.query: Referenced column "nothing" not found in FROM clause! Candidate bindings: "ts"
LINE 1: …${'k + '.repeat(15).slice(1)} nothing${' + 1'.repeat(8)} …
         ${' '.repeat(60)}^`,
  ],
])('%s', async (_, query, expected) => {
  expect(await problems(gold(query))).toEqual([expected]);
});

test('everything that is wrong is said at once: columns, inputs, checks each by itself', async () => {
  const raw = asset('bronze/raw', {
    partitions,
    format: bytes({ extension: '.bin' }),
    compute: () => new Uint8Array(),
  });
  const checks = [
    rowsWhere('first', ['v'], ({ v }) => sql`${v} > 0 AND vv < 0`),
    rowsWhere('fine', ['v'], ({ v }, partition) => sql`${v} < 0 OR ts < ${partition.start as SqlValue}`),
    check('second', ['v'], ({ rows }) => sql`SELECT * FROM ${rows} WHERE w IS NULL`),
    check('third', ['v'], ({ rows }) => sql`SELECT random() FROM ${rows}`),
  ];
  const definition = gold((rows) => sql`SELECT ts, price AS w FROM ${rows}`, {
    inputs: { rows: minutes, raw },
    checks,
  });
  const { issues } = await shop.engine.examine(definition);
  expect(issues.map(said)).toEqual([
    'gold/probe.inputs.raw: no query can read the bytes of bronze/raw',
    `gold/probe.query: the query does not give the declared columns:
  - column 'w' (DECIMAL(18,8)) is not a column of the asset. Did you mean 'v'?
  - column 'v' (DOUBLE) is missing from the query's result`,
    `gold/probe.checks.first: Referenced column "vv" not found in FROM clause! Candidate bindings: "v"
LINE 1: "v" > 0 AND vv < 0
                    ^`,
    `gold/probe.checks.second: Referenced column "w" not found in FROM clause! Candidate bindings: "date"
LINE 1: SELECT * FROM \${rows} WHERE w IS NULL
                                    ^`,
    `gold/probe.checks.third: the query calls random(), which gives something else each time
LINE 1: SELECT random() FROM \${rows}
               ^`,
  ]);
  for (const { at } of issues) expect(at?.file).toBe(import.meta.filename);
});

test('every alternative of an input is looked at', async () => {
  const either = { rows: firstAvailable(minutes, from(months, { month: overlapping() })) };
  expect(
    await problems(gold((rows) => sql`SELECT ts, k::DOUBLE AS v FROM ${rows} WHERE date > ts`, { inputs: either })),
  ).toEqual([
    `gold/probe.query: Referenced column "date" not found in FROM clause! Candidate bindings: "month"
LINE 1: SELECT ts, k::DOUBLE AS v FROM \${rows} WHERE date > ts
                                                     ^`,
  ]);
  // One problem, though it shows itself twice.
  expect(await problems(gold((rows) => sql`SELECT ts, kk::DOUBLE AS v FROM ${rows}`, { inputs: either }))).toHaveLength(
    1,
  );
});

test('a type that is none, and warnings, do not repeat the name of the asset', async () => {
  const odd: AssetDefinition = { ...gold(() => good), columns: [{ name: 'ts', type: 'TIMESTAMPP', nullable: false }] };
  expect(await problems(odd)).toEqual([
    expect.stringMatching(/^gold\/probe\.columns: Catalog Error: Type with name TIMESTAMPP/),
  ]);
  const { issues, warnings } = await shop.engine.examine(
    gold((rows) => sql`SELECT ts, avg(price::DOUBLE) OVER (ORDER BY ts) AS v FROM ${rows}`),
  );
  expect({ issues, warnings: warnings.map(said) }).toEqual({
    issues: [],
    warnings: [
      'gold/probe.query: runs one partition at a time: the window aggregate avg(DOUBLE) adds floating-point numbers in another order when fused',
    ],
  });
});

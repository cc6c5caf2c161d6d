import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isLakehouseError, type LakehouseError } from '../../framework/common/errors.ts';
import { asset } from '../../framework/define/asset.ts';
import { bigint, type Columns, columns, decimal, double, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { type SqlTemplate, type SqlValue, sql } from '../../framework/define/sql.ts';
import { bind, compute, partsOf, target, workshop } from './support.ts';

const shop = await workshop();
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const minutes = asset('silver/minutes', {
  partitions,
  columns: columns({ ts: timestamp(), k: bigint(), price: decimal(18, 8) }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  compute: () => [],
});
const targets = ['2024-01-01', '2024-01-02'].map((date) => target(minutes, { symbol: 'A', date }));
const source = await compute(shop, minutes, targets, [], {
  rows: targets.map(({ time }) =>
    Array.from({ length: 5 }, (_, m) => ({
      ts: new Date(time * 86_400_000 + m * 60_000),
      k: BigInt(m),
      price: `${m}.5`,
    })),
  ),
});
const parts = partsOf(source, targets);

type Query = (
  rows: SqlValue,
  partition: Readonly<Record<'date' | 'symbol' | 'start' | 'end', SqlValue>>,
) => SqlTemplate;
const COLUMNS = columns({ ts: timestamp(), k: bigint(), v: double().nullable() });
function gold(query: Query, shape: Columns = COLUMNS, rowwise = false): AssetDefinition {
  return asset('gold/probe', {
    partitions,
    inputs: { rows: minutes },
    columns: shape,
    sortBy: ['ts'],
    timeColumn: 'ts',
    rowwise,
    query: ({ rows }, { partition }) => query(rows, partition),
  });
}

/** The error of computing both days, which must leave no file. */
async function refusal(definition: AssetDefinition): Promise<LakehouseError> {
  const path = shop.newPath();
  const work = compute(shop, definition, targets, [bind('rows', minutes, parts, targets)], {
    packs: [{ path, targets: [0, 1], carry: [] }],
  });
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(existsSync(path)).toBe(false);
  if (!isLakehouseError(error)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

const said = ({ code, kind, message, hint }: LakehouseError) => ({ code, kind, message, hint });
/** Without the line of the query that it is about. */
const firstLine = ({ message }: LakehouseError) => message.split('\n')[0];

test('case 22: rows of another day are refused before anything is written, naming asset, partition and rows', async () => {
  const error = await refusal(
    gold((r) => sql`SELECT CASE WHEN k = 3 THEN ts + INTERVAL 1 DAY ELSE ts END AS ts, k, 1::DOUBLE AS v FROM ${r}`),
  );
  expect(said(error)).toEqual({
    code: 'rows-outside-partition',
    kind: 'data',
    message:
      'gold/probe symbol=A/date=2024-01-01: 1 row whose \'ts\' lies outside the partition (1 more partitions of the batch have such rows): {"symbol":"A","date":"2024-01-01","ts":"2024-01-02 00:03:00","k":3,"v":1}',
    hint: 'A query must return the rows of its own partition only: filter by the partition’s start and end.',
  });
  expect(error.details?.targets).toEqual([0, 1]);
});

test('case 22: so are rows that say they are of another partition', async () => {
  const error = await refusal(
    gold(
      (r, p) =>
        sql`SELECT CASE WHEN ${p.date} = DATE '2024-01-02' THEN 'B' ELSE symbol END AS symbol, ts, k, 1::DOUBLE AS v FROM ${r}`,
    ),
  );
  expect(error.code).toBe('rows-outside-partition');
  expect(error.message).toBe(
    `gold/probe symbol=A/date=2024-01-02: the query's 'symbol' differ from the partition's: {"symbol":"B"}`,
  );
  expect(error.details?.targets).toEqual([1]);
});

test('a query may give the partition columns it was given', async () => {
  const definition = gold((r) => sql`SELECT *, NULL::DOUBLE AS v FROM (SELECT * EXCLUDE (price) FROM ${r})`);
  const result = await compute(shop, definition, targets, [bind('rows', minutes, parts, targets)]);
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([5, 5]);
});

test('rows with equal sort keys are refused with the key', async () => {
  const error = await refusal(
    gold(
      (r, p) =>
        sql`SELECT date_trunc('hour', ts) AS ts, k, 1::DOUBLE AS v FROM ${r} WHERE ${p.date} = DATE '2024-01-02'`,
    ),
  );
  expect(said(error)).toEqual({
    code: 'duplicate-rows',
    kind: 'data',
    message: 'gold/probe symbol=A/date=2024-01-02: rows with the same ts: {"ts":"2024-01-02 00:00:00","rows":5}',
    hint: 'sortBy must be unique within a partition: remove duplicates in the query, e.g. with QUALIFY row_number() OVER (…) = 1.',
  });
});

test('NULL where none may be is refused', async () => {
  const error = await refusal(
    gold((r) => sql`SELECT ts, nullif(k, 2) AS k, 1::DOUBLE AS v FROM ${r} WHERE ts < TIMESTAMP '2024-01-02'`),
  );
  expect(error.code).toBe('null-in-column');
  expect(error.message).toContain("gold/probe symbol=A/date=2024-01-01: 1 row with NULL in 'k', which is not nullable");
  expect(error.message).toContain('"ts":"2024-01-01 00:02:00"');
});

test('every column that does not fit is named, with what to write', async () => {
  const error = await refusal(gold((r) => sql`SELECT ts::TIMESTAMPTZ AS ts, price AS kk, price AS v FROM ${r}`));
  expect(said(error)).toEqual({
    code: 'schema-mismatch',
    kind: 'data',
    message: `gold/probe: the query does not give the declared columns:
  - column 'kk' (DECIMAL(18,8)) is not a column of the asset. Did you mean 'k'?
  - column 'ts' is declared TIMESTAMP, but the query gives TIMESTAMP WITH TIME ZONE: write CAST(… AS TIMESTAMP) AS ts
  - column 'k' (BIGINT) is missing from the query's result
  - column 'v' is declared DOUBLE, but the query gives DECIMAL(18,8): write CAST(… AS DOUBLE) AS v`,
    hint: undefined,
  });
});

test('lossless widening is done, silently losing anything is not', async () => {
  const wide = columns({ ts: timestamp(), k: bigint(), v: decimal(38, 10) });
  const definition = gold((r) => sql`SELECT ts, k::SMALLINT AS k, price::DECIMAL(10,2) AS v FROM ${r}`, wide);
  expect((await compute(shop, definition, targets, [bind('rows', minutes, parts, targets)])).outcomes[0]?.rows).toBe(5);
  const narrow = columns({ ts: timestamp(), k: bigint(), v: decimal(18, 4) });
  expect((await refusal(gold((r) => sql`SELECT ts, k::HUGEINT AS k, price AS v FROM ${r}`, narrow))).message).toBe(
    `gold/probe: the query does not give the declared columns:
  - column 'k' is declared BIGINT, but the query gives HUGEINT: write CAST(… AS BIGINT) AS k
  - column 'v' is declared DECIMAL(18,4), but the query gives DECIMAL(18,8): write CAST(… AS DECIMAL(18,4)) AS v`,
  );
});

test.each([
  'random()',
  'now()',
  'current_timestamp',
  'current_date',
  'today()',
  'uuid()',
  'gen_random_uuid()',
  'current_localtimestamp()',
  "current_setting('threads')",
])('volatile: %s is refused', async (call) => {
  const error = await refusal(
    gold((r) => sql`SELECT ts, k, CASE WHEN ${sql.raw(call)}::VARCHAR = '' THEN 1.0::DOUBLE END AS v FROM ${r}`),
  );
  expect(error).toMatchObject({ code: 'query-volatile', kind: 'data' });
  expect(firstLine(error)).toMatch(/^gold\/probe: the query calls \w+\(\), which gives something else each time$/);
});

test('what no input declares cannot be read', async () => {
  const messageOf = async (query: Query) => firstLine(await refusal(gold(query)));
  expect(await messageOf(() => sql`SELECT ts, k, 1::DOUBLE AS v FROM read_parquet(${parts[0]?.path ?? ''})`)).toBe(
    'gold/probe: the query calls read_parquet(), which reads what no input declares',
  );
  expect(
    await messageOf(() => sql`SELECT ts, k, 1::DOUBLE AS v FROM ${sql.identifier(parts[0]?.path ?? '')}`),
  ).toContain('which is not an input');
  expect(await messageOf(() => sql`SELECT * FROM row`)).toBe(
    "gold/probe: the query reads 'row', which is not an input",
  );
  expect(await messageOf((r) => sql`SELECT ts, k, 1::DOUBLE AS v FROM ${r} USING SAMPLE 2`)).toBe(
    'gold/probe: the query takes a sample, which differs from run to run',
  );
  expect(await messageOf(() => sql`DELETE FROM x`)).toContain('gold/probe: the query is not one SELECT');
  expect(await messageOf((r) => sql`SELECT ts, k, 1::DOUBLE AS v FROM ${r}; SELECT 1`)).toBe(
    'gold/probe: the query is not one SELECT: it has 2 statements',
  );
  expect(await messageOf((r) => sql`SELECT ts, kk AS k, 1::DOUBLE AS v FROM ${r}`)).toContain(
    'gold/probe: Referenced column "kk" not found in FROM clause!',
  );
});

test('rowwise must be rowwise', async () => {
  const messageOf = async (query: Query) => (await refusal(gold(query, COLUMNS, true))).message;
  expect(await messageOf((r) => sql`SELECT ts, k, sum(k) OVER (ORDER BY ts)::DOUBLE AS v FROM ${r}`)).toBe(
    'gold/probe: declared rowwise, but the query has an operator over several rows: window',
  );
  expect(await messageOf((r) => sql`SELECT DISTINCT ts, k, 1::DOUBLE AS v FROM ${r}`)).toContain(
    'over several rows: distinct',
  );
  expect(await messageOf((r) => sql`SELECT ts, k, 1::DOUBLE AS v FROM ${r} ORDER BY ts LIMIT 3`)).toContain(
    'over several rows: limit',
  );
  expect(await messageOf((r) => sql`SELECT min(ts) AS ts, count(*) AS k, 1::DOUBLE AS v FROM ${r}`)).toContain(
    'over several rows: aggregate and group by',
  );
  expect(await messageOf((r) => sql`SELECT ts, k, (SELECT max(k) FROM ${r})::DOUBLE AS v FROM ${r}`)).toContain(
    'over several rows',
  );
  expect(await messageOf((r, p) => sql`SELECT ${p.start} AS ts, k, 1::DOUBLE AS v FROM ${r}`)).toBe(
    "gold/probe: declared rowwise, but the query uses the partition's 'start'",
  );
});

test('rowwise passes through subqueries, CTEs and stars', async () => {
  const plain = gold((r) => sql`SELECT ts, k, price::DOUBLE AS v FROM ${r} WHERE k > 1`);
  const expected = await compute(shop, plain, targets, [bind('rows', minutes, parts, targets)]);
  for (const query of [
    (r) => sql`SELECT ts, k, price::DOUBLE AS v FROM ${r} x WHERE x.k > 1`,
    (r) => sql`SELECT * EXCLUDE (price), price::DOUBLE AS v FROM (SELECT * FROM ${r}) WHERE k > 1`,
    (r) =>
      sql`WITH a AS (SELECT ts, k, price FROM ${r}), b AS (SELECT * FROM a WHERE k > 1) SELECT ts, k, price::DOUBLE AS v FROM b`,
    (r, p) => sql`SELECT ts, k, price::DOUBLE AS v FROM ${r} WHERE k > length(${p.symbol})`,
  ] satisfies Query[]) {
    const result = await compute(shop, gold(query, COLUMNS, true), targets, [bind('rows', minutes, parts, targets)]);
    expect(result.outcomes).toEqual(expected.outcomes);
  }
});

test('examine reports without data: errors and what may differ from run to run', async () => {
  expect(await shop.engine.examine(gold((r) => sql`SELECT ts, kk AS k, 1::DOUBLE AS v FROM ${r}`))).toMatchObject({
    issues: [{ code: 'query-invalid', path: ['gold/probe', 'query'] }],
    warnings: [],
  });
  expect(
    await shop.engine.examine(
      gold((r) => sql`SELECT min(ts) AS ts, sum(k)::BIGINT AS k, sum(price::DOUBLE) AS v FROM ${r}`),
    ),
  ).toEqual({
    issues: [],
    warnings: [
      {
        code: 'order-dependent',
        path: ['gold/probe', 'query'],
        message: 'sum(DOUBLE) without ORDER BY may differ from run to run',
        hint: 'Write sum(x ORDER BY t), or add decimals or integers.',
      },
    ],
  });
  expect(
    await shop.engine.examine(
      gold((r) => sql`SELECT min(ts) AS ts, count(*) AS k, sum(price::DOUBLE ORDER BY ts) AS v FROM ${r}`),
    ),
  ).toEqual({ issues: [], warnings: [] });
  // Of a scalar subquery DuckDB takes the first row, and makes sure that there is no other: only what was written is warned of.
  for (const [written, message] of [
    [sql`price`, undefined],
    [sql`first(price)`, 'first(DECIMAL) without ORDER BY may differ from run to run'],
  ] as const)
    expect(
      (
        await shop.engine.examine(
          gold(
            (r) => sql`SELECT ts, k, 1.0::DOUBLE + coalesce((SELECT ${written}::DOUBLE FROM ${r}), 0) AS v FROM ${r}`,
          ),
        )
      ).warnings.map((warning) => warning.message),
    ).toEqual(message === undefined ? [] : [message]);
});

test('a type that DuckDB has not', async () => {
  const definition: AssetDefinition = {
    ...gold((r) => sql`SELECT ts, k, 1::DOUBLE AS v FROM ${r}`),
    columns: [{ name: 'ts', type: 'TIMESTAMPP', nullable: false }],
  };
  expect(await refusal(definition)).toMatchObject({
    code: 'bad-column-type',
    message: expect.stringContaining('gold/probe: Catalog Error: Type with name TIMESTAMPP does not exist!'),
  });
});

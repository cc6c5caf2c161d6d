import { describe, expect, test } from 'vitest';
import { isSqlTemplate, SQL_PART, type SqlTemplate, sql } from '../../../framework/define/sql.ts';
import { asset, columns, double, ifPresent, text, timestamp } from '../../../framework/index.ts';
import { assetColumns } from '../../../framework/report/columns.ts';
import { columnOrigins } from '../../../framework/report/sql-columns.ts';
import { traceColumn } from '../../../framework/tui/read/columns.ts';
import { crypto } from './support.ts';

const t = { [SQL_PART]: { type: 'relation', input: 't' } } as const;
const u = { [SQL_PART]: { type: 'relation', input: 'u' } } as const;
const column = (name: string) => ({ name, [SQL_PART]: { type: 'column', name } }) as const;
const [a, b] = [column('a'), column('b')];
const relations = new Map([
  ['t', ['a', 'b', 'day', 'Odd']],
  ['u', ['a', 'c']],
]);

/** `x: t.a t.b` for every output column, a question mark where there may be more. */
function told(query: SqlTemplate): string | readonly string[] {
  const origins = columnOrigins(query, relations);
  if (typeof origins === 'string') return origins;
  return [...origins].map(([name, { from, known }]) =>
    [`${name}:`, ...[...from].map((text) => text.replace(' ', '.')), ...(known ? [] : ['?'])].join(' '),
  );
}

describe('a query tells what its columns are computed from', () => {
  // biome-ignore format: a table
  test.each<[string, SqlTemplate, readonly string[]]>([
    ['names', sql`SELECT ${a}, b, ${b} + 1 AS c FROM ${t}`, ['a: t.a', 'b: t.b', 'c: t.b']],
    ['several', sql`SELECT round(a * coalesce(b, 0.5), 2) AS x, 1 AS one FROM ${t}`, ['x: t.a t.b', 'one:']],
    ['any case', sql`select A as X, "odd" as y from ${t}`, ['x: t.a', 'y: t.Odd']],
    ['aggregates and windows', sql`SELECT count(*) AS n, max(a) FILTER (WHERE b > 1) AS m, sum(a) OVER (PARTITION BY b) AS s FROM ${t} GROUP BY day`, ['n:', 'm: t.a t.b', 's: t.a t.b']],
    ['conditions', sql`SELECT CASE WHEN a > 1 THEN b ELSE NULL END AS x FROM ${t} WHERE day > 1 ORDER BY day`, ['x: t.a t.b']],
    ['no types and units', sql`SELECT a::DAY AS x, CAST(a AS DAY) AS y, a + INTERVAL 1 DAY AS z, DAY '2020-01-01' AS w FROM ${t}`, ['x: t.a', 'y: t.a', 'z: t.a', 'w:']],
    ['no text and comments', sql`SELECT 'a' || $$ b $$ AS x, /* b */ a AS y -- b
      FROM ${t}`, ['x:', 'y: t.a']],
    ['earlier columns of the same SELECT', sql`SELECT a + 1 AS x, x * 2 AS y, a AS b, b AS z FROM ${t}`, ['x: t.a', 'y: t.a', 'b: t.a', 'z: t.b']],
    ['joins', sql`SELECT x.a, y.c, b FROM ${t} AS x LEFT JOIN ${u} y ON x.a = y.a`, ['a: t.a', 'c: u.c', 'b: t.b']],
    ['USING', sql`SELECT a, c FROM ${t} JOIN ${u} USING (a)`, ['a: t.a u.a', 'c: u.c']],
    ['WITH', sql`WITH p AS (SELECT a + b AS x, day FROM ${t}), q AS MATERIALIZED (SELECT *, x * 2 AS y FROM p) SELECT q.*, y AS z FROM q, ${u} AS other`, ['x: t.a t.b', 'day: t.day', 'y: t.a t.b', 'z: t.a t.b']],
    ['a table in place of another', sql`WITH u AS (SELECT b AS a FROM ${t}) SELECT a FROM u`, ['a: t.b']],
    ['queries in FROM', sql`SELECT DISTINCT x FROM (SELECT a AS x FROM ${t}) AS s`, ['x: t.a']],
    ['UNION by place', sql`SELECT a, b FROM ${t} UNION ALL (SELECT c, a FROM ${u}) UNION SELECT 1 AS p, 2 AS q`, ['a: t.a u.c', 'b: t.b u.a']],
  ])('%s', (_, query, expected) => {
    expect(told(query)).toEqual(expected);
  });

  // biome-ignore format: a table
  test.each<[string, SqlTemplate, string | readonly string[]]>([
    ['a query in an expression', sql`SELECT (SELECT max(c) FROM ${u}) AS x, a AS y FROM ${t}`, ['x: ?', 'y: t.a']],
    ['a lambda', sql`SELECT list_transform([b], v -> v + a) AS x, list_filter([a], lambda v: v > 1) AS y FROM ${t}`, ['x: t.b t.a ?', 'y: t.a ?']],
    ['several columns at once', sql`SELECT max(COLUMNS('a')) AS x, hash(t.*) AS y FROM ${t} AS t`, ['x: ?', 'y: ?']],
    ['a quoted name that is no column', sql`SELECT ${column('nothing')} + a AS x FROM ${t}`, ['x: t.a ?']],
    ['* with conditions', sql`SELECT * EXCLUDE (a) FROM ${t}`, 'a * with conditions'],
    ['a column without a name', sql`SELECT a + 1 FROM ${t}`, 'a column without AS'],
    ['columns of one name', sql`SELECT * FROM ${t}, ${u}`, "two columns named 'a'"],
    ['a table from elsewhere', sql`SELECT a FROM range(10)`, 'a table that is no input'],
    ['recursion', sql`WITH RECURSIVE p AS (SELECT a FROM ${t}) SELECT a FROM p`, 'a WITH that is not simple'],
    ['columns renamed in WITH', sql`WITH p(x) AS (SELECT a FROM ${t}) SELECT x FROM p`, 'a WITH that is not simple'],
    ['columns renamed in FROM', sql`SELECT x FROM ${t} AS p(x)`, 'a FROM that is not simple'],
    ['PIVOT', sql`SELECT a FROM ${t} PIVOT (sum(b) FOR a IN (1))`, 'a FROM that is not simple'],
    ['joins that hide a table', sql`SELECT * FROM ${t} SEMI JOIN ${u} USING (a)`, 'a special join'],
    ['INTERSECT', sql`SELECT a FROM ${t} INTERSECT SELECT a FROM ${u}`, 'EXCEPT or INTERSECT'],
    ['FROM first', sql`FROM ${t} SELECT a`, 'something else than SELECT'],
    ['UNION BY NAME', sql`SELECT a FROM ${t} UNION BY NAME SELECT a FROM ${u}`, 'something else than SELECT'],
    ['brackets', sql`SELECT (a AS x FROM ${t}`, 'unbalanced brackets'],
  ])('or says that it does not: %s', (_, query, expected) => {
    expect(isSqlTemplate(query)).toBe(true);
    expect(told(query)).toEqual(expected);
  });
});

describe('an asset', () => {
  const table = { columns: columns({ at: timestamp(), price: double() }), sortBy: ['at'] } as const;
  const first = asset('silver/first', { ...table, rows: () => [] } as never);
  const node = (definition: unknown) => ({ key: 'gold/x', definition }) as never;

  test('tells of its columns in their order, by the names of the assets it reads', () => {
    const graph = crypto();
    const { columns, why } = assetColumns(graph.node('gold/klines_monthly'));
    expect(why).toBeUndefined();
    expect([...columns].slice(0, 5)).toEqual([
      ['open_time', []],
      ['open', ['open', 'open_time'].map((column) => ({ asset: 'gold/klines_daily', column }))],
      ['high', [{ asset: 'gold/klines_daily', column: 'high' }]],
      ['low', [{ asset: 'gold/klines_daily', column: 'low' }]],
      ['close', ['close', 'open_time'].map((column) => ({ asset: 'gold/klines_daily', column }))],
    ]);
    expect([...columns.keys()]).toEqual(graph.node('gold/klines_monthly').definition.columns.map(({ name }) => name));
    // Both alternatives of an input.
    expect(assetColumns(graph.node('silver/klines')).columns.get('open_time')).toEqual([
      { asset: 'bronze/klines_monthly', column: 'open_time' },
      { asset: 'bronze/klines_daily', column: 'open_time' },
    ]);
    // A dimension of what is read is a column, too.
    expect(assetColumns(graph.node('gold/market_overview')).columns.get('symbol')).toEqual([
      { asset: 'gold/klines_daily', column: 'symbol' },
    ]);
  });

  test('that is not a query tells nothing', () => {
    const graph = crypto();
    expect(assetColumns(graph.node('gold/indicators'))).toMatchObject({
      why: 'it is computed by code, not by a query',
    });
    expect(assetColumns(graph.node('gold/indicators')).columns.get('sma_20')).toBeUndefined();
    expect(assetColumns(graph.node('binance/klines_daily_archive')).why).toBe('it comes from outside');
  });

  test('says why it does not tell', () => {
    const inputs = { first: ifPresent(first as never) };
    const definition = asset('gold/x', {
      columns: columns({ at: timestamp(), name: text() }),
      sortBy: ['at'],
      inputs,
      query: ({ first }: { first: never }) => sql`SELECT at, (SELECT 'x') AS name FROM ${first}`,
    } as never);
    const { columns: told, why } = assetColumns(node(definition));
    expect([[...told], why]).toEqual([
      [
        ['at', [{ asset: 'silver/first', column: 'at' }]],
        ['name', undefined],
      ],
      'its query has an expression that is not followed',
    ]);
  });
});

test('a column is traced through all assets', () => {
  const { upstream, downstream, unknown, edges } = traceColumn(crypto(), 'gold/klines_daily', 'quote_volume');
  const bronze = ['volume', 'open_time', 'quote_volume', 'exchange'];
  expect([...upstream]).toEqual([
    ['silver/klines', ['volume', 'quote_volume']],
    ['silver/klines_patches', ['volume', 'quote_volume']],
    ['bronze/klines_monthly', bronze],
    ['bronze/klines_daily', bronze],
  ]);
  expect([...downstream]).toEqual([
    ['gold/klines_monthly', ['quote_volume', 'vwap']],
    ['gold/market_overview', ['quote_volume', 'quote_volume_share', 'quote_volume_rank']],
  ]);
  // The query of patches reads what is not among these assets.
  expect([...unknown.keys()]).toEqual(['silver/klines_patches', 'bronze/klines_monthly', 'bronze/klines_daily']);
  expect([...edges].sort()).toEqual([
    'bronze/klines_daily silver/klines',
    'bronze/klines_monthly silver/klines',
    'gold/klines_daily gold/klines_monthly',
    'gold/klines_daily gold/market_overview',
    'silver/klines gold/klines_daily',
    'silver/klines_patches gold/klines_daily',
  ]);
});

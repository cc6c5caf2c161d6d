import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { check, noGaps, rowCount, rowsWhere, unique } from '../../framework/define/checks.ts';
import { bigint, columns, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { sql } from '../../framework/define/sql.ts';
import { compute, target, workshop } from './support.ts';

const shop = await workshop();
const checked = asset('silver/checked', {
  partitions: { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) },
  columns: columns({ ts: timestamp(), low: bigint(), high: bigint() }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  checks: [
    rowsWhere('ordered', ['low', 'high'], ({ low, high }) => sql`${high} < ${low}`),
    unique('low'),
    rowCount({ min: 2 }),
    noGaps('ts', () => sql.raw('INTERVAL 1 MINUTE')),
    check(
      'last_is_late',
      ['ts'],
      ({ rows, partition }) =>
        sql`SELECT max(ts) AS last FROM ${rows} HAVING max(ts) < ${partition.start ?? null} + INTERVAL 2 MINUTE`,
    ),
  ],
  compute: () => [],
});
const targets = ['2024-01-01', '2024-01-02', '2024-01-03'].map((date) => target(checked, { symbol: "O'X", date }));
const row = (time: number, minute: number, low: bigint, high: bigint) => ({
  ts: new Date(time * 86_400_000 + minute * 60_000),
  low,
  high,
});

test('failures come per partition and check, with rows and a statement that shows them', async () => {
  const [a, b, c] = targets;
  if (!a || !b || !c) throw new Error('targets');
  const result = await compute(shop, checked, targets, [], {
    rows: [
      [row(a.time, 0, 1n, 2n), row(a.time, 1, 2n, 3n), row(a.time, 2, 3n, 4n)],
      [row(b.time, 0, 5n, 4n), row(b.time, 1, 5n, 3n), row(b.time, 4, 6n, 9n)],
      [],
    ],
  });
  expect(result.checks.map(({ sql: _, ...failure }) => failure)).toEqual([
    {
      check: 'ordered',
      target: 1,
      failedRows: 2,
      sample: [
        { symbol: "O'X", date: '2024-01-02', ts: '2024-01-02 00:00:00', low: 5, high: 4 },
        { symbol: "O'X", date: '2024-01-02', ts: '2024-01-02 00:01:00', low: 5, high: 3 },
      ],
    },
    { check: 'unique_low', target: 1, failedRows: 1, sample: [{ low: 5, occurrences: 2 }] },
    { check: 'row_count', target: 2, failedRows: 1, sample: [{ row_count: 0 }] },
    {
      check: 'no_gaps_ts',
      target: 1,
      failedRows: 1,
      sample: [{ after: '2024-01-02 00:01:00', before: '2024-01-02 00:04:00' }],
    },
  ]);
  const files = result.packs.map(({ path }) => path);
  for (const { sql: statement, failedRows } of result.checks) {
    const again = await shop.engine.query(statement, [{ definition: checked, files }], new AbortController().signal);
    let rows = 0;
    for await (const batch of again.batches) rows += batch.length;
    expect(rows).toBe(failedRows);
  }
  expect(result.checks[0]?.sql).toBe(
    `SELECT * FROM "silver"."checked" WHERE "symbol" = 'O''X' AND "date" = DATE '2024-01-02' AND ("high" < "low")`,
  );
});

test('a check that does not bind is an issue', async () => {
  const broken = asset('silver/broken', {
    partitions: {},
    columns: columns({ k: bigint() }),
    sortBy: ['k'],
    checks: [check('odd', ['k'], ({ rows }) => sql`SELECT missing FROM ${rows}`)],
    compute: () => [],
  });
  const { issues } = await shop.engine.examine(broken);
  expect(issues).toMatchObject([
    {
      code: 'query-invalid',
      path: ['silver/broken', 'checks'],
      message: expect.stringContaining('silver/broken, check odd: Referenced column "missing" not found'),
    },
  ]);
});

test('a check on rows must say the same tomorrow', async () => {
  const late = asset('silver/late', {
    partitions: {},
    columns: columns({ ts: timestamp() }),
    sortBy: ['ts'],
    checks: [rowsWhere('not_in_future', ['ts'], ({ ts }) => sql`${ts} > now()::TIMESTAMP`)],
    compute: () => [],
  });
  const { issues } = await shop.engine.examine(late);
  expect(issues).toMatchObject([
    {
      code: 'query-volatile',
      message: expect.stringContaining('silver/late, check not_in_future: the query calls now()'),
    },
  ]);
  const work = compute(shop, late, [target(late, {})], [], { rows: [[{ ts: new Date(0) }]] });
  await expect(work).rejects.toMatchObject({ code: 'query-volatile' });
});

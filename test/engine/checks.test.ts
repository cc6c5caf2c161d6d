import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { check, noGaps, rowCount, rowsWhere, unique } from '../../framework/define/checks.ts';
import { bigint, columns, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension, monthly } from '../../framework/define/dimensions.ts';
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
    const again = await shop.engine.query(
      statement ?? '',
      [{ definition: checked, files }],
      new AbortController().signal,
    );
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
      path: ['silver/broken', 'checks', 'odd'],
      message: expect.stringMatching(/^Referenced column "missing" not found/),
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
      path: ['silver/late', 'checks', 'not_in_future'],
      message: expect.stringMatching(/^the query calls now\(\)/),
    },
  ]);
  const work = compute(shop, late, [target(late, {})], [], { rows: [[{ ts: new Date(0) }]] });
  await expect(work).rejects.toMatchObject({ code: 'query-volatile' });
});

// What the query says is what counts: a proof may only spare it. Times are in steps of 20 seconds, so some are off the grid.
test('no gaps: a partition is proven to have none only where the query finds none', async () => {
  const gapless = (name: string, step: string) =>
    asset(`silver/${name}`, {
      partitions: { series: dynamicDimension(), month: monthly({ start: '2024-01' }) },
      columns: columns({ at: timestamp(), id: bigint() }),
      sortBy: ['id'],
      timeColumn: 'at',
      checks: [
        noGaps('at', () => sql.raw(step)),
        // The same query, and nothing that spares it.
        check(
          'by_query',
          ['at'],
          ({ rows }) =>
            sql`SELECT previous AS after, "at" AS before FROM (SELECT "at", lag("at") OVER (ORDER BY "at") AS previous FROM ${rows}) WHERE "at" <> previous + ${sql.raw(step)}`,
        ),
      ],
      compute: () => [],
    });
  const assets = [
    gapless('minutes', 'INTERVAL 1 MINUTE'),
    gapless('thirty_days', 'INTERVAL 30 DAYS'),
    gapless('months', 'INTERVAL 1 MONTH'),
  ];
  const unit = [20_000, 15 * 86_400_000, 15 * 86_400_000];
  const places = fc.array(fc.nat({ max: 8 }), { maxLength: 5 });
  const regular = fc
    .record({ from: fc.nat({ max: 3 }), step: fc.constantFrom(2, 3), n: fc.nat({ max: 5 }) })
    .map(({ from, step, n }) => Array.from({ length: n }, (_, i) => from + i * step));
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 2 }),
      fc.array(fc.oneof(places, regular), { minLength: 1, maxLength: 6 }),
      async (which, series) => {
        const definition = assets[which] as (typeof assets)[number];
        const all = series.map((_, i) => target(definition, { series: `s${i}`, month: '2024-01' }));
        const rows = series.map((list) =>
          list
            .filter((place) => which === 0 || place < 3)
            .map((place, i) => ({
              at: new Date(Date.UTC(2024, 0, 1) + place * (unit[which] as number)),
              id: BigInt(i),
            })),
        );
        const { checks } = await compute(shop, definition, all, [], { rows });
        const of = (name: string) =>
          checks.filter((one) => one.check === name).map(({ target, failedRows }) => ({ target, failedRows }));
        expect(of('no_gaps_at')).toEqual(of('by_query'));
      },
    ),
    {
      numRuns: 60,
      // Rare by chance: as long as a gapless one, with a duplicate or a value off the grid.
      examples: [
        [0, [[0, 3, 3, 9]]],
        [0, [[0, 3, 4, 9]]],
        [2, [[0, 2]]],
      ],
    },
  );
});

import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { monotonic, ohlcConsistent, unique } from '../../framework/define/checks.ts';
import { bigint, columns, double, integer, text } from '../../framework/define/columns.ts';
import { references } from '../../framework/define/comparisons.ts';
import { dynamicDimension } from '../../framework/define/dimensions.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { sql } from '../../framework/define/sql.ts';
import type { CheckFailure } from '../../framework/engine/port.ts';
import { bind, compute, partsOf, samePartition, target, workshop } from './support.ts';

const shop = await workshop();
const partitions = { symbol: dynamicDimension() };
const never = new AbortController().signal;

const brief = (failures: readonly CheckFailure[]) =>
  failures.map(({ check, target: ordinal, failedRows, sample }) => ({ check, target: ordinal, failedRows, sample }));

/** Computes one partition per list of rows, checked as it is written and again as it lies there: both must say the same. */
async function twice(definition: AssetDefinition, rows: readonly (readonly object[])[]) {
  const targets = rows.map((_, i) => target(definition, { symbol: `S${i}` }));
  const written = await compute(shop, definition, targets, [], { rows });
  const path = written.packs[0]?.path ?? '';
  const again = await shop.engine.check({
    definition,
    targets,
    paths: targets.map(() => path),
    inputs: [],
    signal: never,
  });
  expect(again.checks).toEqual(written.checks);
  expect(again.rows).toBe(rows.flat().length);
  return { checks: written.checks, path };
}

test('monotonic goes by the order of the asset, leaves NULL out, and strictly allows no equals', async () => {
  const make = (strictly: boolean) =>
    asset(`silver/${strictly ? 'strict' : 'loose'}`, {
      partitions,
      columns: columns({ n: integer(), id: bigint().nullable() }),
      sortBy: ['n'],
      checks: [monotonic('id', { strictly })],
      compute: () => [],
    });
  const rows = [[1n, 2n, null, 3n], [1n, 1n, 2n], [5n, null, 4n, 6n], []].map((ids) =>
    ids.map((id, n) => ({ n, id })).reverse(),
  );
  expect(brief((await twice(make(false), rows)).checks)).toEqual([
    { check: 'monotonic_id', target: 2, failedRows: 1, sample: [{ n: 2, previous: 5, value: 4 }] },
  ]);
  expect(brief((await twice(make(true), rows)).checks)).toEqual([
    { check: 'monotonic_id', target: 1, failedRows: 1, sample: [{ n: 1, previous: 1, value: 1 }] },
    { check: 'monotonic_id', target: 2, failedRows: 1, sample: [{ n: 2, previous: 5, value: 4 }] },
  ]);
});

test('the four prices of a candle agree, whatever the columns are called', async () => {
  const candles = asset('silver/candles', {
    partitions,
    columns: columns({ n: integer(), open: double(), top: double(), low: double(), last: double() }),
    sortBy: ['n'],
    checks: [ohlcConsistent({ high: 'top', close: 'last' })],
    compute: () => [],
  });
  const good = { open: 2, top: 4, low: 1, last: 3 };
  const bad = [{ top: 2.5 }, { top: 1.5 }, { low: 2.5 }, { low: 3.5 }, { low: 5 }, { last: 0.5 }, { open: 9 }];
  const rows = [[good, { open: 1, top: 1, low: 1, last: 1 }], bad.map((change) => ({ ...good, ...change }))];
  const { checks } = await twice(
    candles,
    rows.map((list) => list.map((row, n) => ({ n, ...row }))),
  );
  expect(checks).toMatchObject([{ check: 'ohlc_consistent', target: 1, failedRows: bad.length }]);
  expect(checks[0]?.sample).toHaveLength(5);
});

test('unique counts NULLs as alike, of one column and of several', async () => {
  const pairs = asset('silver/pairs', {
    partitions,
    columns: columns({ n: integer(), a: text().nullable(), b: text().nullable() }),
    sortBy: ['n'],
    checks: [unique('a'), unique(['a', 'b'])],
    compute: () => [],
  });
  const rows: (readonly [string | null, string | null])[][] = [
    [
      ['x', 'y'],
      [null, 'y'],
      ['z', 'y'],
    ],
    [
      [null, 'y'],
      [null, 'y'],
    ],
    [
      ['x', null],
      ['x', 'y'],
    ],
    [
      ['x', null],
      ['x', null],
    ],
  ];
  const { checks } = await twice(
    pairs,
    rows.map((list) => list.map(([a, b], n) => ({ n, a, b }))),
  );
  expect(brief(checks)).toEqual([
    { check: 'unique_a', target: 1, failedRows: 1, sample: [{ a: null, occurrences: 2 }] },
    { check: 'unique_a', target: 2, failedRows: 1, sample: [{ a: 'x', occurrences: 2 }] },
    { check: 'unique_a', target: 3, failedRows: 1, sample: [{ a: 'x', occurrences: 2 }] },
    { check: 'unique_a_b', target: 1, failedRows: 1, sample: [{ a: null, b: 'y', occurrences: 2 }] },
    { check: 'unique_a_b', target: 3, failedRows: 1, sample: [{ a: 'x', b: null, occurrences: 2 }] },
  ]);
});

test('a query’s batch holds each partition against its own part of an input', async () => {
  const names = asset('base/names', {
    partitions,
    columns: columns({ name: text() }),
    sortBy: ['name'],
    compute: () => [],
  });
  const used = asset('silver/used', {
    partitions,
    inputs: { names },
    columns: columns({ name: text().nullable() }),
    sortBy: ['name'],
    checks: [references('name', 'names')],
    query: ({ names: n }) => sql`SELECT CASE WHEN ${n.name} = 'odd' THEN 'even' ELSE ${n.name} END AS name FROM ${n}`,
  });
  const list = [
    ['a', 'b'],
    ['a', 'odd'],
    ['even', 'odd2'],
  ];
  const upstream = list.map((_, i) => target(names, { symbol: `S${i}` }));
  const made = await compute(shop, names, upstream, [], { rows: list.map((own) => own.map((name) => ({ name }))) });
  const targets = list.map((_, i) => target(used, { symbol: `S${i}` }));
  const input = bind('names', names, partsOf(made, upstream), targets, samePartition);
  const { checks, packs } = await compute(shop, used, targets, [input]);
  expect(brief(checks)).toEqual([
    { check: 'references_names_name', target: 1, failedRows: 1, sample: [{ symbol: 'S1', name: 'even' }] },
  ]);
  const views = [
    { definition: names, files: [made.packs[0]?.path ?? ''] },
    { definition: used, files: [packs[0]?.path ?? ''] },
  ];
  const shown = await shop.engine.query(checks[0]?.sql ?? '', views, never);
  const rows: unknown[] = [];
  for await (const batch of shown.batches) rows.push(...batch);
  expect(rows).toEqual([['S1', 'even']]);
});

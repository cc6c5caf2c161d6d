import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { columns, double, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { self } from '../../framework/define/inputs.ts';
import { earlier } from '../../framework/define/mappings.ts';
import { sql } from '../../framework/define/sql.ts';
import { bind, compute, hex, partsOf, target, workshop } from './support.ts';

const shop = await workshop();
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const ticks = asset('silver/ticks', {
  partitions,
  columns: columns({ ts: timestamp(), x: double() }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  compute: () => [],
});
const level = asset('gold/level', {
  partitions,
  inputs: { rows: ticks, before: self({ date: earlier({ days: 1 }) }) },
  columns: columns({ ts: timestamp(), v: double() }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  query: ({ rows, before }, { partition }) => sql`
    SELECT ${partition.start} AS ts, 0.5 * coalesce((SELECT max(v) FROM ${before}), 0) + (SELECT sum(x ORDER BY ts) FROM ${rows}) AS v`,
});

test('a chain of days in one batch is the chain computed day by day', async () => {
  const days = Array.from({ length: 12 }, (_, i) =>
    target(level, { symbol: 'A', date: `2024-01-${String(i + 1).padStart(2, '0')}` }),
  );
  const source = await compute(shop, ticks, days, [], {
    rows: days.map(({ time }, i) => [{ ts: new Date(time * 86_400_000), x: i + 0.1 }]),
  });
  const input = (of: typeof days) => bind('rows', ticks, partsOf(source, days), of);

  let known: ReturnType<typeof partsOf> = [];
  const expected: string[] = [];
  for (const day of days) {
    const before = bind('before', level, known, [day], (t, p) => p.time === t.time - 1);
    const result = await compute(shop, level, [day], [input([day]), before]);
    known = partsOf(result, [day]);
    expected.push(hex(result.outcomes[0]?.version));
  }

  // The first four are committed already; the others read them and each other, given in another order.
  const start = await compute(
    shop,
    level,
    days.slice(0, 4),
    [input(days.slice(0, 4)), bind('before', level, [], days.slice(0, 4))],
    {
      sequential: { selfInput: 'before', own: Int32Array.from([1, 0, 2, 1, 3, 2]) },
    },
  );
  expect(start.outcomes.map(({ version }) => hex(version))).toEqual(expected.slice(0, 4));
  const rest = days.slice(4).reverse();
  const committed = bind('before', level, partsOf(start, days.slice(0, 4)), rest, (t, p) => p.time === t.time - 1);
  const own = rest.flatMap((t, i) => rest.flatMap((u, j) => (u.time === t.time - 1 ? [i, j] : [])));
  const later = await compute(shop, level, rest, [input(rest), committed], {
    sequential: { selfInput: 'before', own: Int32Array.from(own) },
  });
  expect(later.outcomes.map(({ version }) => hex(version)).reverse()).toEqual(expected.slice(4));
  expect(new Set(expected).size).toBe(12);
});

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { columns, decimal, double, integer, text, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { from } from '../../framework/define/inputs.ts';
import { window } from '../../framework/define/mappings.ts';
import { sql } from '../../framework/define/sql.ts';
import type { Engine } from '../../framework/engine/port.ts';
import { bind, compute, hex, partsOf, target, workshop } from './support.ts';

const shop = await workshop();
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const ticks = asset('silver/ticks', {
  partitions,
  columns: columns({ ts: timestamp(), x: double().nullable(), d: decimal(18, 8), s: text(), n: integer().nullable() }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  compute: () => [],
});
const DAYS = 20;
const targets = ['A', 'B'].flatMap((symbol) =>
  Array.from({ length: DAYS }, (_, i) => target(ticks, { symbol, date: `2024-01-${String(i + 1).padStart(2, '0')}` })),
);

/** A day of minutes, awkward values among them; `gap` leaves seven minutes out. */
function day(time: number, gap: boolean) {
  return Array.from({ length: 1440 }, (_, m) => ({
    ts: new Date(time * 86_400_000 + m * 60_000),
    x: [Number.NaN, -0, null, 1e-300, 1e300, 0.1][m % 97] ?? Math.sin(m * 7919 + time) * 100,
    d: `${m}.${String((m * 7919) % 1e8).padStart(8, '0')}`,
    s: ['', 'short', 'longer than twelve bytes, so not inlined', '漢字'][m % 4] ?? '',
    n: m % 5 === 0 ? null : m,
  })).filter((_, m) => !gap || m < 700 || m >= 707);
}
const stored = await compute(shop, ticks, targets, [], { rows: targets.map(({ time }, i) => day(time, i === 4)) });
const parts = partsOf(stored, targets);

const rolling = asset('gold/rolling', {
  partitions,
  inputs: { rows: from(ticks, { date: window({ days: 15 }) }) },
  columns: columns({ ts: timestamp(), mean: double(), deviation: double().nullable(), exact: double() }),
  sortBy: ['ts'],
  timeColumn: 'ts',
  query: ({ rows }, { partition }) => sql`
    SELECT ts, avg(v) OVER w AS mean, stddev_samp(v) OVER w AS deviation, (sum(d) OVER w)::DOUBLE AS exact
    FROM (SELECT ts, d, coalesce(nullif(x, 'NaN'::DOUBLE), 0) % 1000 AS v FROM ${rows})
    WINDOW w AS (ORDER BY ts ROWS BETWEEN 999 PRECEDING AND CURRENT ROW)
    QUALIFY ts >= ${partition.start}`,
});

test('case 23: a rolling mean has the same bits alone and in a batch, with seven minutes missing two weeks earlier', async () => {
  const wanted = targets.slice(DAYS - 6, DAYS);
  const reads = (t: (typeof targets)[number], p: (typeof targets)[number]) =>
    p.values.symbol === t.values.symbol && p.time <= t.time && p.time > t.time - 15;
  const input = bind('rows', ticks, parts, wanted, reads);
  const together = await compute(shop, rolling, wanted, [input]);
  expect(together.outcomes.map(({ rows }) => rows)).toEqual(wanted.map(() => 1440));
  for (const [i, one] of wanted.entries()) {
    const alone = await compute(shop, rolling, [one], [bind('rows', ticks, parts, [one], reads)]);
    expect(hex(alone.outcomes[0]?.version)).toBe(hex(together.outcomes[i]?.version));
  }
});

const ordered = asset('gold/ordered', {
  partitions,
  inputs: { rows: ticks },
  columns: columns({
    s: text(),
    total: double(),
    exact: decimal(38, 8),
    zero: double(),
    nan: double(),
    moving: double(),
    missing: integer().nullable(),
  }),
  sortBy: ['s'],
  query: ({ rows }) => sql`
    WITH w AS (SELECT *, avg(x) OVER (PARTITION BY s ORDER BY ts ROWS 99 PRECEDING) AS m FROM ${rows} WHERE NOT isnan(coalesce(x, 0)))
    SELECT s, sum(x ORDER BY ts) AS total, sum(d) AS exact, -0.0::DOUBLE AS zero, '-nan'::DOUBLE AS nan,
      arg_max(m, ts) AS moving, NULL::INTEGER AS missing FROM w GROUP BY s`,
});

async function everything(engine: Engine) {
  const copied = await compute(shop, ticks, targets, [], {
    engine,
    rows: targets.map(({ time }, i) => day(time, i === 4)),
  });
  const some = targets.slice(3, 9);
  const computed = await compute(shop, ordered, some, [bind('rows', ticks, parts, some)], { engine });
  const files = [...copied.packs, ...computed.packs].map(({ path }) => path);
  return {
    versions: [...copied.outcomes, ...computed.outcomes].map(({ version }) => hex(version)),
    files: await Promise.all(files.map((path) => readFile(path))),
  };
}

test('case 24: ordered sums, −0, NaN, NULL and text give the same bytes and versions on 1, 2 and 4 threads, ten times', async () => {
  const first = await everything(shop.engine);
  for (const threads of [1, 2, 4]) {
    const engine = shop.open({ threads });
    for (let round = 0; round < 10; round++) {
      const again = await everything(engine);
      expect(again.versions).toEqual(first.versions);
      expect(again.files.map((bytes, i) => bytes.equals(first.files[i] ?? Buffer.alloc(0)))).toEqual([true, true]);
    }
  }
}, 120_000);

test('case 24: −0 is stored as 0, and every NaN as one', async () => {
  const [one] = targets;
  const probe = asset('gold/zeros', {
    partitions,
    inputs: {},
    columns: columns({ k: integer(), x: double() }),
    sortBy: ['k'],
    query: () =>
      sql`SELECT 1 AS k, -0.0::DOUBLE AS x UNION ALL SELECT 2, 'nan'::DOUBLE UNION ALL SELECT 3, '-nan'::DOUBLE`,
  });
  const clean = asset('gold/zeros', {
    partitions,
    columns: columns({ k: integer(), x: double() }),
    sortBy: ['k'],
    compute: () => [],
  });
  const mine = one ? [one] : [];
  const queried = await compute(shop, probe, mine);
  const given = await compute(shop, clean, mine, [], {
    rows: [
      [
        { k: 1, x: 0 },
        { k: 2, x: Number.NaN },
        { k: 3, x: Number.NaN },
      ],
    ],
  });
  const negative = await compute(shop, clean, mine, [], {
    rows: [
      [
        { k: 3, x: -Number.NaN },
        { k: 1, x: -0 },
        { k: 2, x: Number.NaN },
      ],
    ],
  });
  const bytes = async (result: typeof queried) => readFile(result.packs[0]?.path ?? '');
  expect((await bytes(queried)).equals(await bytes(given))).toBe(true);
  expect((await bytes(negative)).equals(await bytes(given))).toBe(true);
  expect(queried.outcomes).toEqual(given.outcomes);
});

test('a pack has the same bytes whatever the batch it was written in', async () => {
  const month = targets.slice(0, DAYS);
  const rows = month.map(({ time }, i) => day(time, i === 4));
  const whole = await compute(shop, ticks, month, [], { rows });
  const reversed = await compute(shop, ticks, [...month].reverse(), [], { rows: [...rows].reverse() });
  // Day by day, each time carrying what the pack held before.
  let path = '';
  for (const [i, one] of month.entries()) {
    const carry =
      i === 0
        ? []
        : [
            {
              path,
              keep: month
                .slice(0, i)
                .map(({ values, time }, j) => ({ values, time, version: whole.outcomes[j]?.version })),
            },
          ];
    const next = shop.newPath();
    await compute(shop, ticks, [one], [], { rows: [rows[i] ?? []], packs: [{ path: next, targets: [0], carry }] });
    path = next;
  }
  const bytes = await readFile(whole.packs[0]?.path ?? '');
  expect((await readFile(reversed.packs[0]?.path ?? '')).equals(bytes)).toBe(true);
  expect((await readFile(path)).equals(bytes)).toBe(true);
});

test('the row hash is the one that versions in existing lakes were made with', async () => {
  const [one] = targets;
  const pinned = asset('gold/pinned', {
    partitions,
    columns: columns({
      ts: timestamp(),
      x: double(),
      d: decimal(18, 8),
      wide: decimal(38, 8),
      s: text(),
      n: integer().nullable(),
    }),
    sortBy: ['ts'],
    compute: () => [],
  });
  const row = (ts: string, s: string) => ({
    ts: new Date(ts),
    x: 0.1,
    d: '1.5',
    wide: '12345678901234567890.00000001',
    s,
    n: null,
  });
  const result = await compute(shop, pinned, one ? [one] : [], [], {
    rows: [[row('2024-01-01T00:00:00Z', 'a'), row('2024-01-01T00:01:00Z', 'longer than twelve bytes')]],
  });
  expect(hex(result.outcomes[0]?.version)).toMatchInlineSnapshot(`"020000009990161d63c03e0926d8dce3"`);
});

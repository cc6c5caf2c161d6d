import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns, date, decimal, double, text, timestamp } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { bytes } from '../../framework/define/formats.ts';
import { bronze, kline, klineCsv } from './klines.ts';
import { bind, compute, partsOf, rawPart, target, workshop, zipPart } from './support.ts';

const shop = await workshop();
const signal = new AbortController().signal;
const ticks = asset('silver/ticks', {
  partitions: { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) },
  columns: columns({
    ts: timestamp(),
    price: decimal(38, 8),
    x: double().nullable(),
    n: bigint(),
    day: date(),
    s: text().nullable(),
  }),
  sortBy: ['ts'],
  compute: () => [],
});
const targets = ['2024-01-02', '2024-01-01'].flatMap((day) =>
  ['A', 'B'].map((symbol) => target(ticks, { symbol, date: day })),
);
const row = (time: number, m: number) => ({
  ts: new Date(time * 86_400_000 + m),
  price: `${m}.00000001`,
  x: m === 1 ? null : m / 3,
  n: BigInt(m),
  day: '2024-02-29',
  s: m === 0 ? null : 'x',
});
const stored = await compute(shop, ticks, targets, [], {
  rows: targets.map(({ time }) => [row(time, 2), row(time, 0), row(time, 1)]),
});

// Target 1 of the batch reads symbol A of both days.
const input = bind(
  'rows',
  ticks,
  partsOf(stored, targets),
  targets.slice(0, 2),
  (t, p) => t === targets[1] && p.values.symbol === 'A',
);
const reader = shop.engine.reader(input, 1, signal);

test('rows come in order of time and sortBy, in TypeScript types', async () => {
  expect(reader.asset).toBe('silver/ticks');
  expect(reader.partitions).toEqual(
    ['2024-01-02', '2024-01-01'].map((day) => ({
      key: `symbol=A/date=${day}`,
      values: { symbol: 'A', date: day },
      path: stored.packs[0]?.path,
    })),
  );
  const rows = await reader.rows();
  expect(rows.map(({ date: day, n }) => [day, n])).toEqual([
    ['2024-01-01', 0n],
    ['2024-01-01', 1n],
    ['2024-01-01', 2n],
    ['2024-01-02', 0n],
    ['2024-01-02', 1n],
    ['2024-01-02', 2n],
  ]);
  expect(rows[1]).toEqual({
    symbol: 'A',
    date: '2024-01-01',
    ts: new Date('2024-01-01T00:00:00.001Z'),
    price: '1.00000001',
    x: null,
    n: 1n,
    day: '2024-02-29',
    s: 'x',
  });
});

test('columns come as typed arrays', async () => {
  expect(await reader.columns(['ts', 'price', 'x', 's', 'n'])).toEqual({
    ts: BigInt64Array.from([
      1704067200000000n,
      1704067200001000n,
      1704067200002000n,
      1704153600000000n,
      1704153600001000n,
      1704153600002000n,
    ]),
    price: Float64Array.from([0.00000001, 1.00000001, 2.00000001, 0.00000001, 1.00000001, 2.00000001]),
    x: Float64Array.from([0, Number.NaN, 2 / 3, 0, Number.NaN, 2 / 3]),
    s: [null, 'x', 'x', null, 'x', 'x'],
    n: [0n, 1n, 2n, 0n, 1n, 2n],
  });
  await expect(reader.columns(['nope'])).rejects.toMatchObject({ code: 'unknown-column' });
  await expect(reader.bytes()).rejects.toMatchObject({ code: 'no-single-file' });
});

test('a target without partitions reads nothing', async () => {
  const nothing = shop.engine.reader(input, 0, signal);
  expect([nothing.partitions, await nothing.rows(), await nothing.columns(['x', 's'])]).toEqual([
    [],
    [],
    { x: new Float64Array(), s: [] },
  ]);
});

test('original files: bytes, and the rows of a CSV as text', async () => {
  const archive = await zipPart(shop, bronze, kline('A', '2024-01-01'), klineCsv('2024-01-01', { minutes: 2 }));
  const one = [target(bronze, kline('A', '2024-01-01'))];
  const raw = shop.engine.reader(bind('raw', bronze, [archive], one), 0, signal);
  expect((await raw.rows()).map(({ symbol, open_time }) => [symbol, open_time])).toEqual([
    ['A', '1704067200000'],
    ['A', '1704067260000'],
  ]);
  expect((await raw.bytes()).subarray(0, 2)).toEqual(Buffer.from('PK'));

  const blobs = asset('bronze/blobs', {
    partitions: { symbol: dynamicDimension() },
    format: bytes({ extension: '.json' }),
    compute: () => new Uint8Array(),
  });
  const part = await rawPart(shop, blobs, { symbol: 'A' }, Buffer.from('{}'));
  const blob = shop.engine.reader(bind('raw', blobs, [part], [target(blobs, { symbol: 'A' })]), 0, signal);
  expect(Buffer.from(await blob.bytes()).toString()).toBe('{}');
  await expect(blob.rows()).rejects.toMatchObject({ code: 'input-not-a-table' });
});

test('what one target cannot read keeps no other from reading', async () => {
  const holes = asset('silver/holes', {
    partitions: { date: daily({ start: '2024-01-01' }) },
    columns: columns({ id: bigint(), at: timestamp().nullable() }),
    sortBy: ['id'],
    compute: () => [],
  });
  const days = ['2024-01-01', '2024-01-02', '2024-01-03'].map((day) => target(holes, { date: day }));
  const made = await compute(shop, holes, days, [], {
    rows: days.map((_, i) => [{ id: 1n, at: i === 1 ? null : new Date(0) }]),
  });
  const parts = partsOf(made, days).map((part) => ({ ...part, rows: 1 }));
  const each = bind('rows', holes, parts, days, (t, p) => t.time === p.time);
  const read = await Promise.allSettled(days.map((_, i) => shop.engine.reader(each, i, signal).columns(['at'])));
  expect(read.map((one) => (one.status === 'rejected' ? one.reason.code : one.value))).toEqual([
    { at: BigInt64Array.from([0n]) },
    'null-instant',
    { at: BigInt64Array.from([0n]) },
  ]);
});

test('what targets read together is what each would read alone, and its own', async () => {
  const parts = partsOf(stored, targets);
  // Symbol A reads both days, B its own; and one target nothing.
  const reads = (t: (typeof targets)[number], p: (typeof parts)[number]) =>
    t.values.symbol === p.values.symbol && (t.values.symbol === 'A' || t.time === p.time);
  const alone = bind('rows', ticks, parts, targets, reads);
  for (const rows of [3, 60_000, 131_073]) {
    const together = { ...alone, parts: parts.map((part) => ({ ...part, rows })) };
    for (const ordinal of [0, 1, 2, 3, 0]) {
      const [one, all] = [
        shop.engine.reader({ ...alone }, ordinal, signal),
        shop.engine.reader(together, ordinal, signal),
      ];
      expect(await all.rows()).toEqual(await one.rows());
      const columns = await all.columns(['x', 's', 'ts']);
      expect(columns).toEqual(await one.columns(['x', 's', 'ts']));
      expect(columns.ts?.length).toBe(targets[ordinal]?.values.symbol === 'A' ? 6 : 3);
      (columns.x as Float64Array).fill(0);
      (columns.s as unknown[]).fill('changed');
    }
  }
});

import { expect, test } from 'vitest';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { asset } from '../../framework/define/asset.ts';
import {
  bigint,
  boolean,
  columns,
  date,
  decimal,
  double,
  integer,
  text,
  timestamp,
} from '../../framework/define/columns.ts';
import { dynamicDimension } from '../../framework/define/dimensions.ts';
import { compute, rowsOf, target, workshop } from './support.ts';

const shop = await workshop();
const everything = asset('gold/everything', {
  partitions: { symbol: dynamicDimension() },
  columns: columns({
    k: integer(),
    ts: timestamp().nullable(),
    d: date().nullable(),
    price: decimal(18, 8).nullable(),
    wide: decimal(38, 0).nullable(),
    x: double().nullable(),
    big: bigint().nullable(),
    s: text().nullable(),
    yes: boolean().nullable(),
  }),
  sortBy: ['k'],
  compute: () => [],
});
const targets = ['A', 'B'].map((symbol) => target(everything, { symbol }));
const empty = { ts: null, d: null, price: null, wide: null, x: null, big: null, s: null, yes: null };
const full = {
  k: 1,
  ts: new Date('2024-01-01T00:00:00.123Z'),
  d: '2024-02-29',
  price: '-1.10',
  wide: '99999999999999999999999999999999999999',
  x: Number.POSITIVE_INFINITY,
  big: -9223372036854775808n,
  s: "it's",
  yes: true,
};

test('values of every type arrive exactly', async () => {
  const result = await compute(shop, everything, targets, [], { rows: [[full, { k: 2, ...empty }], []] });
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([2, 0]);
  expect(
    await rowsOf(
      shop,
      everything,
      result.packs.map(({ path }) => path),
    ),
  ).toEqual([
    [
      'A',
      1,
      '2024-01-01 00:00:00.123',
      '2024-02-29',
      '-1.10000000',
      '99999999999999999999999999999999999999',
      Number.POSITIVE_INFINITY,
      -9223372036854775808n,
      "it's",
      true,
    ],
    ['A', 2, null, null, null, null, null, null, null, null],
  ]);
});

test('many rows of several partitions', async () => {
  const rows = targets.map((_, t) => Array.from({ length: 5000 }, (__, k) => ({ ...full, k: 4999 - k, x: t + k / 7 })));
  const result = await compute(shop, everything, targets, [], { rows });
  expect(result.outcomes.map(({ rows: n }) => n)).toEqual([5000, 5000]);
});

test.each<[string, object, string]>([
  ['a missing column', { k: 1 }, "column 'ts': is missing"],
  ['another column instead', { ...empty, kk: 1 }, "column 'k': is missing, while 'kk' is not a column"],
  ['an extra column', { ...full, extra: 1 }, "column 'extra': is not a column of the asset"],
  ['null where none may be', { ...full, k: null }, "column 'k': is null, but the column is not nullable"],
  ['a fraction in an integer', { ...full, k: 1.5 }, "column 'k': 1.5 is not a whole number that fits INTEGER"],
  ['an integer too wide', { ...full, k: 2 ** 31 }, "column 'k': 2147483648 is not a whole number that fits INTEGER"],
  ['a number for text', { ...full, s: 5 }, "column 's': 5 is not a string"],
  ['text for a number', { ...full, x: '5' }, `column 'x': "5" is not a number`],
  ['an invalid date', { ...full, ts: new Date(Number.NaN) }, "column 'ts': an invalid Date is not a valid Date"],
  ['a day that is not', { ...full, d: '2023-02-29' }, `column 'd': "2023-02-29" is not a date like '2024-01-31'`],
  [
    'a number for a decimal',
    { ...full, price: 1.1 },
    "column 'price': 1.1 is not a decimal number as text that fits DECIMAL(18,8) exactly",
  ],
  ['a digit too many', { ...full, price: '0.000000001' }, `column 'price': "0.000000001" is not a decimal`],
  ['a decimal too large', { ...full, price: '10000000000' }, `column 'price': "10000000000" is not a decimal`],
  ['a number for a boolean', { ...full, yes: 1 }, "column 'yes': 1 is not a boolean"],
])('%s is refused with its place', async (_, row, message) => {
  const error: unknown = await compute(shop, everything, targets, [], { rows: [[], [full, row]] }).catch(
    (e: unknown) => e,
  );
  if (!isLakehouseError(error)) throw new Error(`not refused: ${String(error)}`);
  expect(error).toMatchObject({
    code: 'row-mismatch',
    kind: 'data',
    details: { asset: 'gold/everything', targets: [1] },
  });
  expect(error.message).toContain(`gold/everything symbol=B: row 2, ${message}`);
});

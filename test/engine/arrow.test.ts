import { type RecordBatch, Table, tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { arrowStream } from '../../framework/engine/arrow.ts';
import { workshop } from './support.ts';

const shop = await workshop();

async function asked(sql: string): Promise<{ table: Table; streamed: Table; batches: number[] }> {
  const result = await shop.engine.query(sql, [], new AbortController().signal);
  const batches: RecordBatch[] = [];
  for await (const batch of result.arrow()) batches.push(batch);
  const pieces: Uint8Array[] = [];
  for await (const bytes of arrowStream(
    (async function* () {
      yield* batches;
    })(),
  ))
    pieces.push(bytes);
  return {
    table: new Table(batches),
    streamed: tableFromIPC(Buffer.concat(pieces)),
    batches: batches.map(({ numRows }) => numRows),
  };
}

/** Three rows: a value, NULL, and another one. */
const TYPES: readonly [type: string, first: string, last: string, arrow: string, values: unknown[]][] = [
  ['BOOLEAN', 'TRUE', 'FALSE', 'Bool', [true, null, false]],
  ['TINYINT', '-128', '127', 'Int8', [-128, null, 127]],
  ['SMALLINT', '-32768', '1', 'Int16', [-32768, null, 1]],
  ['INTEGER', '-2147483648', '7', 'Int32', [-2147483648, null, 7]],
  ['BIGINT', '-9223372036854775808', '9007199254740993', 'Int64', [-9223372036854775808n, null, 9007199254740993n]],
  ['UTINYINT', '255', '0', 'Uint8', [255, null, 0]],
  ['USMALLINT', '65535', '0', 'Uint16', [65535, null, 0]],
  ['UINTEGER', '4294967295', '0', 'Uint32', [4294967295, null, 0]],
  ['UBIGINT', '18446744073709551615', '0', 'Uint64', [18446744073709551615n, null, 0n]],
  [
    'HUGEINT',
    '-99999999999999999999999999999999999999',
    '1',
    'Decimal[38e0]',
    [-99999999999999999999999999999999999999n, null, 1n],
  ],
  ['FLOAT', '0.5', "'nan'", 'Float32', [0.5, null, Number.NaN]],
  ['DOUBLE', '0.1', "'-inf'", 'Float64', [0.1, null, Number.NEGATIVE_INFINITY]],
  ['DECIMAL(4,1)', '-1.5', '999.9', 'Decimal[4e+1]', [-15n, null, 9999n]],
  ['DECIMAL(18,8)', '-0.00000001', '1.5', 'Decimal[18e+8]', [-1n, null, 150000000n]],
  [
    'DECIMAL(38,10)',
    '-1234567890123456789012345678.0123456789',
    '0',
    'Decimal[38e+10]',
    [-12345678901234567890123456780123456789n, null, 0n],
  ],
  ['VARCHAR', "'a𝕏'", "''", 'Utf8', ['a𝕏', null, '']],
  ["ENUM('x', 'y')", "'y'", "'x'", 'Utf8', ['y', null, 'x']],
  [
    'UUID',
    "'6f1b6a0e-8a0c-4b2a-9d3e-000000000001'",
    "'6f1b6a0e-8a0c-4b2a-9d3e-000000000002'",
    'Utf8',
    ['6f1b6a0e-8a0c-4b2a-9d3e-000000000001', null, '6f1b6a0e-8a0c-4b2a-9d3e-000000000002'],
  ],
  ['BLOB', "'\\x00\\xFF'", "''", 'Binary', [Uint8Array.of(0, 255), null, Uint8Array.of()]],
  ['DATE', "'1969-12-31'", "'2024-02-29'", 'Date32<DAY>', [-86_400_000, null, Date.UTC(2024, 1, 29)]],
  ['TIME', "'23:59:59.999999'", "'00:00'", 'Time64<MICROSECOND>', [86_399_999_999n, null, 0n]],
  [
    'TIMESTAMP',
    "'2024-01-31 12:00:00.000001'",
    "'1969-12-31 23:59:59.5'",
    'Timestamp<MICROSECOND>',
    [1706702400000.001, null, -500],
  ],
  [
    'TIMESTAMPTZ',
    "'2024-01-31 12:00:00+01'",
    "'1970-01-01 00:00:00+00'",
    'Timestamp<MICROSECOND, UTC>',
    [1706698800000, null, 0],
  ],
  ['TIMESTAMP_S', "'2024-01-31'", "'1970-01-01'", 'Timestamp<SECOND>', [Date.UTC(2024, 0, 31), null, 0]],
  ['TIMESTAMP_MS', "'2024-01-31'", "'1970-01-01'", 'Timestamp<MILLISECOND>', [Date.UTC(2024, 0, 31), null, 0]],
  ['TIMESTAMP_NS', "'1970-01-01 00:00:01'", "'1970-01-01'", 'Timestamp<NANOSECOND>', [1000, null, 0]],
];

test.each(TYPES)('%s', async (type, first, last, arrow, values) => {
  const rows = [first, 'NULL', last].map((value) => `(CAST(${value} AS ${type}))`).join(', ');
  for (const table of Object.values(await asked(`SELECT v FROM (VALUES ${rows}) t(v)`)).slice(0, 2) as Table[]) {
    expect(String(table.schema.fields[0]?.type)).toBe(arrow);
    expect(
      [...(table.getChild('v') ?? [])].map((value) =>
        type.startsWith('DECIMAL') || type === 'HUGEINT' ? decimalOf(value) : value,
      ),
    ).toEqual(values);
  }
});

/** Arrow's library hands out the four words. */
function decimalOf(words: Uint32Array | null): bigint | null {
  return (
    words &&
    BigInt.asIntN(
      128,
      words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n),
    )
  );
}

test('lists, structs, and both in each other, with NULL at every place', async () => {
  const { table, streamed } = await asked(`SELECT * FROM (VALUES
    (1, [[1, NULL], NULL, []], {'a': 'x', 'b': [{'c': 1.5}]}), (2, NULL, NULL), (3, [], {'a': NULL, 'b': [NULL, {'c': NULL}]})
  ) t(i, l, s)`);
  for (const one of [table, streamed])
    expect(one.toArray().map((row) => JSON.parse(String(row)))).toEqual([
      { i: 1, l: [[1, null], null, []], s: { a: 'x', b: [{ c: '"15"' }] } },
      { i: 2, l: null, s: null },
      { i: 3, l: [], s: { a: null, b: [null, { c: null }] } },
    ]);
  expect(streamed.schema.fields.map(String)).toEqual([
    'i: Int32',
    'l: List<List<Int32>>',
    's: Struct<{a:Utf8, b:List<Struct<{c:Decimal[2e+1]}>>}>',
  ]);
});

test('many rows come in batches of some 65,000, none lost and none twice', async () => {
  const { streamed, batches } = await asked(
    "SELECT i, CASE WHEN i % 3 <> 0 THEN 'n' || i END AS t FROM range(200000) r(i) ORDER BY i",
  );
  expect(batches.every((rows, i) => i === batches.length - 1 || (rows >= 65_536 && rows < 70_000))).toBe(true);
  const [i, t] = [streamed.getChild('i'), streamed.getChild('t')];
  let wrong = 0;
  for (let row = 0; row < 200_000; row++)
    if (i?.get(row) !== BigInt(row) || t?.get(row) !== (row % 3 === 0 ? null : `n${row}`)) wrong++;
  expect([streamed.numRows, wrong]).toEqual([200_000, 0]);
});

test.each(['INTERVAL 1 DAY', "MAP {'a': 1}", "'01'::BIT", "[{'a': TIMETZ '00:00:00+01'}]"])(
  '%s is refused by its name',
  async (value) => {
    await expect(asked(`SELECT 1 AS fine, ${value} AS other`)).rejects.toMatchObject({
      code: 'arrow-type',
      kind: 'usage',
      message: expect.stringContaining("Column 'other' ("),
    });
  },
);

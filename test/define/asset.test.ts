import { describe, expect, test } from 'vitest';
import { sqlText } from '../../framework/define/sql.ts';
import {
  acceptedValues,
  asset,
  type CheckContext,
  check,
  columns,
  daily,
  decimal,
  double,
  dynamicDimension,
  hourly,
  inRange,
  monthly,
  noGaps,
  notNull,
  partitionKey,
  rowCount,
  rowsWhere,
  source,
  sql,
  staticDimension,
  text,
  timestamp,
  unique,
  weekly,
  window,
  yearly,
  zipCsv,
} from '../../framework/index.ts';
import { shown } from '../graph/support.ts';

const exchange = staticDimension(['binance']);
const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01', end: '2020-12-31', lag: 1 });
const query = () => sql`SELECT 1`;

describe('a definition', () => {
  const klines = asset('silver/klines', {
    partitions: { exchange, market, symbol, date },
    columns: columns({ open_time: timestamp().describe('Start.'), close: decimal(18, 8).nullable() }),
    sortBy: ['open_time'],
    query: (_, { partition }) => sql`SELECT ${partition.symbol}, ${partition.end}`,
  });

  test('is plain data with defaults', () => {
    const { space: _, compute, module, line, ...rest } = klines;
    expect(rest).toEqual({
      [Symbol.for('crypto-lakehouse/definition')]: 1,
      kind: 'asset',
      key: 'silver/klines',
      description: undefined,
      group: 'silver',
      tags: {},
      kinds: [],
      owners: [],
      metadata: {},
      freshness: [],
      retry: undefined,
      pool: 'default',
      barMs: undefined,
      issues: [],
      inputs: [],
      columns: [
        { name: 'open_time', type: 'TIMESTAMP', nullable: false, description: 'Start.' },
        { name: 'close', type: 'DECIMAL(18,8)', nullable: true, description: undefined },
      ],
      sortBy: ['open_time'],
      timeColumn: undefined,
      rowwise: false,
      storage: { type: 'table', packs: ['partition', 'month', 'year'] },
      source: undefined,
      checks: [],
      keepWithdrawn: false,
      config: undefined,
      codeVersion: undefined,
    });
    expect(compute?.type === 'sql' && sqlText(compute.template)).toBe('SELECT $partition_symbol, $partition_end');
    expect(module).toBe(import.meta.url);
    expect(line).toBeGreaterThan(0);
    expect(Object.isFrozen(klines)).toBe(true);
  });

  test('has the space of its dimensions, the last time included', () => {
    expect(klines.space.dimensions).toEqual([
      { type: 'static', name: 'exchange', values: ['binance'] },
      { type: 'static', name: 'market', values: ['spot', 'um'] },
      { type: 'dynamic', name: 'symbol' },
      { type: 'time', name: 'date', grain: 'day', start: 18262, end: 18628, lag: 1 },
    ]);
    expect(klines.space.time).toBe(klines.space.dimensions[3]);
    expect(klines.space.listed).toEqual(klines.space.dimensions.slice(0, 3));
  });

  test.each([
    [hourly({ start: '2020-01-01T00' }), ['partition', 'month', 'year']],
    [weekly({ start: '2020-01-06' }), ['partition', 'month', 'year']],
    [monthly({ start: '2020-01' }), ['partition', 'year']],
    [yearly({ start: '2020' }), ['partition']],
    [market, ['partition']],
  ])('of %j has packs %j', (dimension, packs) => {
    const { storage, issues } = asset('gold/x', {
      partitions: { dimension },
      columns: columns({ at: timestamp() }),
      sortBy: ['at'],
      query,
    });
    expect([storage, issues]).toEqual([{ type: 'table', packs }, []]);
  });

  test('of files has text columns and no order', () => {
    const raw = asset('bronze/x', { format: zipCsv({ columns: ['a', 'b'] }), compute: () => new Uint8Array() });
    expect([raw.columns, raw.storage, raw.compute?.type, raw.issues]).toEqual([
      [
        { name: 'a', type: 'VARCHAR', nullable: false },
        { name: 'b', type: 'VARCHAR', nullable: false },
      ],
      { type: 'raw', format: { type: 'zip-csv', extension: '.zip', columns: ['a', 'b'] } },
      'bytes',
      [],
    ]);
  });

  test('of a source says when its data is late and when it is over', () => {
    const observe = async function* () {};
    expect(source('binance/x', { observe }).source).toEqual({
      observe,
      read: undefined,
      wanted: undefined,
      auditEveryMs: 24 * 3_600_000,
      publicationLagMs: 48 * 3_600_000,
      liveForMs: 30 * 86_400_000,
    });
    expect(source('binance/x', { observe, publicationLagHours: 1, liveForDays: 2 }).source).toMatchObject({
      wanted: undefined,
      auditEveryMs: 24 * 3_600_000,
      publicationLagMs: 3_600_000,
      liveForMs: 2 * 86_400_000,
    });
  });

  test('fills in what a retry policy leaves out', () => {
    const { retry } = asset('gold/x', { columns: columns({ a: text() }), sortBy: ['a'], retry: { retries: 0 }, query });
    expect(retry).toEqual({ retries: 0, delayMs: 500, maxDelayMs: 30_000 });
  });
});

describe('partitionKey', () => {
  const klines = asset('silver/klines', {
    partitions: { exchange, market, symbol, date },
    columns: columns({ at: timestamp() }),
    sortBy: ['at'],
    query,
  });

  test('is the hive key in declared order', () => {
    const key = partitionKey(klines, { date: '2020-01-02', symbol: 'A/B', market: 'spot', exchange: 'binance' });
    expect(key).toBe('exchange=binance/market=spot/symbol=A%2FB/date=2020-01-02');
    expect(partitionKey(klines, { market: 'um', symbol: 'BTCUSDT', date: '2020-01-02' })).toBe(
      'exchange=binance/market=um/symbol=BTCUSDT/date=2020-01-02',
    );
    expect(partitionKey(asset('gold/x', { columns: columns({ a: text() }), sortBy: ['a'], query }), {})).toBe('');
  });
  test('refuses what the compiler could not', () => {
    const wrong = [
      { market: 'um', symbol: 'BTCUSDT', date: '2020-02-30' },
      { market: 'um', symbol: 'BTCUSDT' },
      { market: 'um', date: '2020-02-03' },
    ];
    expect(wrong.map((key) => shown(() => partitionKey(klines, key as never))).join('\n')).toMatchInlineSnapshot(`
      "bad-partition-value: '2020-02-30' is not a day for 'date' (silver/klines)
      => Write it like 2024-01-01.
      missing-dimension: The key has no 'date' (silver/klines)
      missing-dimension: A series lacks a value for 'symbol'"
    `);
  });
});

test('checks are queries on one partition', () => {
  const { checks, issues } = asset('silver/klines', {
    partitions: { market, date },
    columns: columns({ at: timestamp(), close: double(), side: text() }),
    sortBy: ['at'],
    checks: [
      notNull('close'),
      unique(['at', 'side']),
      inRange('close', { min: 0, max: 1.5 }),
      inRange('at', { min: new Date(0) }, { severity: 'warn' }),
      acceptedValues('side', ['buy', "o'clock"], { description: 'Sides.' }),
      rowCount({ min: 1 }, { blocking: false }),
      noGaps('at', ({ market: value }) => sql`${value ?? ''}::INTERVAL`),
      rowsWhere('any', ['close', 'at'], (row) => sql`least(${sql.join(Object.values(row))}) < 0`),
      check(
        'mine',
        ['close'],
        ({ rows, partition }: CheckContext<'close'>) =>
          sql`SELECT ${rows.close} FROM ${rows} WHERE ${partition.date ?? ''} IS NULL`,
      ),
    ],
    query,
  });
  expect(issues).toEqual([]);
  const lines = checks.map(({ name, severity, blocking, description, test: { type, ...template } }) =>
    [name, severity, blocking, description ?? '', type, ...Object.values(template).map(sqlText)].join(' | '),
  );
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "not_null_close | error | true |  | rows | "close" IS NULL
    unique_at_side | error | true |  | query | SELECT "at", "side", count(*) AS occurrences FROM $input_rows GROUP BY "at", "side" HAVING count(*) > 1 | count(*) = count(DISTINCT ("at", "side"))
    range_close | error | true |  | rows | ("close" < 0 OR "close" > 1.5e+0::DOUBLE)
    range_at | warn | false |  | rows | ("at" < TIMESTAMP '1970-01-01 00:00:00.000')
    accepted_side | error | true | Sides. | rows | "side" NOT IN ('buy', 'o''clock')
    row_count | error | false |  | query | SELECT count(*) AS row_count FROM $input_rows HAVING count(*) < 1 OR count(*) > 9007199254740991 | count(*) BETWEEN 1 AND 9007199254740991
    no_gaps_at | warn | false |  | query | SELECT previous AS after, "at" AS before FROM (SELECT "at", lag("at") OVER (ORDER BY "at") AS previous FROM $input_rows) WHERE "at" <> previous + $partition_market::INTERVAL | count(DISTINCT "at") = count("at") AND min(epoch_us("at") % epoch_us($partition_market::INTERVAL)) = max(epoch_us("at") % epoch_us($partition_market::INTERVAL)) AND (epoch_us(max("at"))::HUGEINT - epoch_us(min("at"))) = (count("at") - 1)::HUGEINT * epoch_us($partition_market::INTERVAL) AND datepart('year', $partition_market::INTERVAL) = 0 AND datepart('month', $partition_market::INTERVAL) = 0
    any | error | true |  | rows | least("close", "at") < 0
    mine | error | true |  | query | SELECT "close" FROM $input_rows WHERE $partition_date IS NULL"
  `);
});

test('windows go back whatever the sign', () => {
  expect(
    [
      window({ bars: 400 }),
      window({ days: -3, ahead: { days: 1 } }),
      window({ hours: 2, ahead: { hours: 1 } }),
      window({ partitions: 2, ahead: { partitions: 1 } }),
    ].map(({ time }) => time),
  ).toEqual([
    { rule: 'window', from: { bars: -400 }, to: { index: 0 } },
    { rule: 'window', from: { days: -3 }, to: { days: 1 } },
    { rule: 'window', from: { hours: -2 }, to: { hours: 1 } },
    { rule: 'window', from: { index: -2 }, to: { index: 1 } },
  ]);
});

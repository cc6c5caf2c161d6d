import {
  all,
  asset,
  columns,
  daily,
  decimal,
  double,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  ifPresent,
  inRange,
  integer,
  isLakehouseError,
  monthly,
  overlapping,
  self,
  source,
  sql,
  text,
  timestamp,
  window,
  writeZip,
} from 'crypto-lakehouse';
import { expectPartitionwise, fixedClock, runAsset, temporaryLake } from 'crypto-lakehouse/testing';
import { describe, expect, test } from 'vitest';
import { fewDays, NOON, smallLake } from './lake.ts';

const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01' });
const config = 'nothing: the test runner renames imports, which the code version would warn of';
const feed = source('feed/prices', { partitions: { symbol, date }, observe: async function* () {} });
const prices = asset('silver/prices', {
  partitions: { symbol, date },
  inputs: { feed },
  columns: columns({ at: timestamp(), price: double(), note: text().nullable() }),
  sortBy: ['at'],
  timeColumn: 'at',
  config,
  compute: async ({ inputs, partition }) => {
    const lines = Buffer.from(await inputs.feed.bytes())
      .toString()
      .split('\n');
    return lines.map((price, i) => ({
      at: new Date((partition.start?.getTime() ?? 0) + i * 60_000),
      price: Number(price),
      note: null,
    }));
  },
});
const day = asset('gold/day', {
  partitions: { symbol, date },
  inputs: { prices },
  columns: columns({ high: double(), rows: integer() }),
  sortBy: ['rows'],
  checks: [inRange('high', { max: 100 }, { severity: 'error' })],
  query: ({ prices }) => sql`SELECT max(${prices.price}) AS high, CAST(count(*) AS INTEGER) AS rows FROM ${prices}`,
});
const weekly = asset('gold/mean', {
  partitions: { symbol, date },
  inputs: { prices: from(prices, { date: window({ days: 2 }) }) },
  columns: columns({ mean: double() }),
  sortBy: ['mean'],
  query: ({ prices }) => sql`SELECT avg(${prices.price}) AS mean FROM ${prices}`,
});
const at = (text: string) => new Date(`2024-01-${text}Z`);

const failure = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
  throw new Error('nothing was thrown');
};

describe('runAsset', () => {
  test('computes one partition of rows that are written down, with its checks', async () => {
    const partition = { symbol: 'A', date: '2024-01-05' } as const;
    const rows = [
      { at: at('05T00:00'), price: 1.5 },
      { at: at('05T00:01'), price: 102, note: 'high' },
    ];
    expect(await runAsset(day, { inputs: { prices: rows }, partition })).toEqual({
      rows: [{ high: 102, rows: 2 }],
      bytes: undefined,
      checks: [
        {
          check: 'range_high',
          severity: 'error',
          passed: false,
          failedRows: 1,
          sample: [expect.objectContaining({ high: 102 })],
        },
      ],
    });
    const { rows: none, checks } = await runAsset(day, { inputs: { prices: rows.slice(0, 1) }, partition });
    expect(none).toEqual([{ high: 1.5, rows: 1 }]);
    expect(checks.map(({ passed }) => passed)).toEqual([true]);
  });

  test('bytes are what sources and originals are given', async () => {
    const partition = { symbol: 'A', date: '2024-01-05' } as const;
    const { rows } = await runAsset(prices, { inputs: { feed: '1.5\n2' }, partition });
    expect(rows).toEqual([
      { at: at('05T00:00'), price: 1.5, note: null },
      { at: at('05T00:01'), price: 2, note: null },
    ]);
    const { zips, ticks } = smallLake(new Map());
    const zip = writeZip('x.csv', Buffer.from('0,1.25\n'), { modified: at('05T00:00') });
    const key = { market: 'um', symbol: 'A', date: '2024-01-05' } as const;
    const { rows: made } = await runAsset(ticks, { inputs: { raw: zip }, partition: key });
    expect(made.map(({ at, price }) => ({ at, price }))).toEqual(
      [{ at: at('05T00:00'), price: '1.25' }].map((one) => one),
    );
    const { bytes, rows: original } = await runAsset(zips, { inputs: { feed: zip }, partition: key });
    expect(Buffer.compare(bytes ?? Buffer.alloc(0), zip)).toBe(0);
    expect(original).toEqual([{ minute: '0', price: '1.25' }]);
  });

  test('rows of several partitions are told apart by their time, or named', async () => {
    const partition = { symbol: 'A', date: '2024-01-03' } as const;
    const rows = [
      { at: at('01T00:00'), price: 1 },
      { at: at('02T00:00'), price: 2 },
      { at: at('03T00:00'), price: 6 },
    ];
    expect((await runAsset(weekly, { inputs: { prices: rows }, partition })).rows).toEqual([{ mean: 3 }]);
    const month = asset('gold/month', {
      partitions: { month: monthly({ start: '2024-01' }) },
      inputs: { day: from(day, { symbol: all(), date: overlapping() }) },
      columns: columns({ high: double() }),
      sortBy: ['high'],
      query: ({ day }) => sql`SELECT sum(${day.high}) AS high FROM ${day}`,
    });
    const named = [
      { partition: { symbol: 'A', date: '2024-01-03' }, rows: [{ high: 1, rows: 1 }] },
      { partition: { symbol: 'B', date: '2024-01-04' }, rows: [{ high: 2, rows: 1 }] },
    ] as const;
    expect((await runAsset(month, { inputs: { day: named }, partition: { month: '2024-01' } })).rows).toEqual([
      { high: 3 },
    ]);
    expect(
      await failure(runAsset(month, { inputs: { day: [{ high: 1, rows: 1 }] }, partition: { month: '2024-01' } })),
    ).toEqual({
      code: 'which-partition',
      message: "gold/month: input 'day': it does not follow which 'symbol' is meant",
      hint: "Name them: [{ partition: { symbol: '…', date: '…' }, rows: … }]",
    });
  });

  test('optional inputs may be left out, of alternatives the first is given, and an asset reads itself', async () => {
    const other = asset('silver/other', {
      partitions: { symbol, date },
      inputs: { feed },
      columns: columns({ at: timestamp(), price: double(), note: text().nullable() }),
      sortBy: ['at'],
      config,
      compute: () => [],
    });
    const total = asset('gold/total', {
      partitions: { symbol, date },
      inputs: {
        prices: firstAvailable(prices, other),
        extra: ifPresent(day),
        before: self({ date: earlier({ days: 1 }) }),
      },
      columns: columns({ total: double(), extra: integer() }),
      sortBy: ['total'],
      query: ({ prices, extra, before }) =>
        sql`SELECT (SELECT sum(${prices.price}) FROM ${prices}) + coalesce((SELECT max(${before.total}) FROM ${before}), 0) AS total,
          CAST((SELECT count(*) FROM ${extra}) AS INTEGER) AS extra`,
    });
    const given = [
      { partition: { symbol: 'A', date: '2024-01-01' }, rows: [{ at: at('01T00:00'), price: 1 }] },
      { partition: { symbol: 'A', date: '2024-01-02' }, rows: [{ at: at('02T00:00'), price: 2 }] },
    ] as const;
    const partition = { symbol: 'A', date: '2024-01-02' } as const;
    expect((await runAsset(total, { inputs: { prices: given }, partition })).rows).toEqual([{ total: 3, extra: 0 }]);
  });

  test('what is wrong with the inputs is said', async () => {
    const partition = { symbol: 'A', date: '2024-01-05' } as const;
    const run = (inputs: object, options: object = {}) => runAsset(day, { inputs, partition, ...options });
    expect(await failure(run({ price: [] }))).toEqual({
      code: 'unknown-input',
      message: "gold/day has no input 'price' that could be given",
      hint: "Did you mean 'prices'?",
    });
    expect(await failure(run({ prices: [{ at: at('05T00:00'), prize: 1 }] }))).toMatchObject({
      code: 'row-mismatch',
      message: expect.stringContaining('silver/prices symbol=A/date=2024-01-05: row 1') as string,
    });
    expect(await failure(runAsset(feed, { partition }))).toMatchObject({ code: 'not-computed' });
    expect(await failure(run({ prices: 'text' }))).toMatchObject({ code: 'rows-or-bytes' });
    expect(await failure(run({}))).toMatchObject({ code: 'no-such-partition' });
    expect(await failure(run({ prices: [] }, { now: '2024-01-05T12:00Z' }))).toMatchObject({
      code: 'no-such-partition',
    });
    expect(await failure(run({ prices: [] }, { partition: { symbol: 'A', date: '2024-01' } }))).toMatchObject({
      code: 'bad-partition-value',
    });
  });

  test('a failure of the asset is thrown as it is', async () => {
    const { bars } = smallLake(new Map());
    const partition = { market: 'um', symbol: 'A', date: '2024-01-05' } as const;
    const tick = { at: at('05T00:00'), price: '666.00', trades: 1n, name: 'x' };
    expect(await failure(runAsset(bars, { inputs: { ticks: [tick] }, partition }))).toMatchObject({
      code: 'unlucky',
      message: expect.stringContaining('a price is 666') as string,
    });
  });

  test('resources are what compute functions find', async () => {
    const fetched = asset('bronze/fetched', {
      partitions: { date },
      inputs: { feed: from(feed, { symbol: all() }) },
      columns: columns({ name: text() }),
      sortBy: ['name'],
      config,
      compute: ({ resources }) => [{ name: String(resources.name) }],
    });
    const inputs = { feed: [{ partition: { symbol: 'A', date: '2024-01-05' }, bytes: '' }] } as const;
    const run = runAsset(fetched, { inputs, partition: { date: '2024-01-05' }, resources: { name: 'me' } });
    expect((await run).rows).toEqual([{ name: 'me' }]);
  });
});

describe('expectPartitionwise', () => {
  const inputs = {
    prices: ['01', '02', '03'].flatMap((day) =>
      ['A', 'B'].map((symbol) => ({
        partition: { symbol, date: `2024-01-${day}` as '2024-01-01' },
        rows: [{ at: at(`${day}T00:00`), price: Number(day) }],
      })),
    ),
  };

  test('passes what is the same alone and together', async () => {
    await expectPartitionwise(day, { inputs });
    await expectPartitionwise(weekly, { inputs, partitions: [{ symbol: 'B', date: '2024-01-02' }] });
  });

  test('shows the first difference of what is not', async () => {
    let calls = 0;
    const counted = asset('gold/counted', {
      partitions: { symbol, date },
      inputs: { prices },
      columns: columns({ n: integer(), price: decimal(9, 2) }),
      sortBy: ['n'],
      config,
      compute: async ({ inputs }) => {
        const [row] = await inputs.prices.rows();
        calls++;
        return [{ n: 1, price: (Number(row?.price) + (calls > 6 ? 1 : 0)).toFixed(2) }];
      },
    });
    expect(await failure(expectPartitionwise(counted, { inputs }))).toMatchObject({
      code: 'not-partitionwise',
      message:
        'gold/counted symbol=A/date=2024-01-01 is not the same alone and together with 5 others: row 1, \'price\' is "2.00" alone, "1.00" together',
    });
  });

  test('one partition proves nothing', async () => {
    const [first] = inputs.prices;
    if (!first) throw new Error('there are no inputs');
    expect(await failure(expectPartitionwise(day, { inputs: { prices: [first] } }))).toMatchObject({
      code: 'too-few-partitions',
    });
  });
});

describe('temporaryLake', () => {
  test('is a lake whose clock stands still until it is put on', async () => {
    const days = fewDays();
    const { definition, bars } = smallLake(days);
    await using lake = await temporaryLake({ definition, now: NOON });
    await lake.materialize();
    const [row] = (await lake.status(bars)).assets;
    expect(row?.lastComputed).toEqual(new Date(NOON));
    days.set('spot AAA 2024-03-02', [50]);
    const changed = async () => (await lake.materialize()).counts.computed;
    expect(await changed()).toBe(0);
    lake.clock.advance({ hours: 12 });
    // A zip, a note, a table and a bar of the new day; and February of three series, of which nothing more is awaited now.
    expect(await changed()).toBe(7);
  });

  test('a clock is put where one says, and needs a zone', () => {
    const clock = fixedClock('2024-01-31');
    clock.advance({ days: 1, hours: 1, minutes: 1, seconds: 1, ms: 1 });
    expect(new Date(clock.now()).toISOString()).toBe('2024-02-01T01:01:01.001Z');
    clock.set('2024-01-01T01:00+01:00');
    expect(clock.now()).toBe(Date.UTC(2024, 0, 1));
    expect(() => fixedClock('2024-01-31 12:00')).toThrow("'2024-01-31 12:00' is not an instant");
  });
});

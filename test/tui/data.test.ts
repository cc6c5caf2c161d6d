import {
  asset,
  bigint,
  columns,
  daily,
  defineLakehouse,
  double,
  isLakehouseError,
  staticDimension,
  text,
  timestamp,
} from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseFilter } from '../../framework/partition/filter.ts';
import { previewData, problemOf, runSql } from '../../framework/tui/read/data.ts';
import { run } from '../materialize/lake.ts';
import { tiny } from '../materialize/support.ts';

const never = new AbortController().signal;
const LIMITS = { rows: 3, candles: 100 };

const failure = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    return isLakehouseError(error) ? [error.code, error.kind, error.message] : error;
  }
};

/** Bars of one market at 09:30 and so on: the price of minute `i` of day `d` opens at 100 d + i. */
function bars() {
  const start = Date.parse('2020-04-01T09:30:00Z');
  return asset('gold/bars', {
    partitions: { market: staticDimension(['spot', 'um']), date: daily({ start: '2020-04-01', end: '2020-04-02' }) },
    inputs: {},
    columns: columns({
      open_time: timestamp(),
      open: double(),
      high: double(),
      low: double(),
      close: double(),
      note: text().nullable(),
      trades: bigint(),
    }),
    sortBy: ['open_time'],
    timeColumn: 'open_time',
    compute: ({ partition }) => {
      const day = Number(partition.values.date.slice(-2));
      if (partition.values.market === 'um') return [];
      return Array.from({ length: 10 }, (_, i) => ({
        open_time: new Date(start + (day - 1) * 86_400_000 + i * 60_000),
        open: 100 * day + i,
        high: 100 * day + i + 5,
        low: 100 * day - i,
        close: 100 * day + i + 1,
        note: i % 4 === 0 ? null : i === 1 ? 'NULL' : `n${i}`,
        trades: 2n ** 60n + BigInt(i),
      }));
    },
  });
}
const withBars = () => defineLakehouse({ assets: [bars()], settings: { tiny: z.object({ directory: z.string() }) } });

describe('the data of a partition', () => {
  test('is its first and last rows, its statistics, and how many rows there are', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 3, 9).days('B', '2020-02', 1, 1, 4);
    await run(lake, { selection: '+silver/ticks' });
    const preview = await previewData(lake, 'silver/ticks', 'symbol=A/date=2020-02-02', LIMITS, never);
    expect(preview).toMatchObject({
      asset: 'silver/ticks',
      partition: 'symbol=A/date=2020-02-02',
      rowCount: 9,
      candles: [],
    });
    expect(preview.first).toEqual({
      columns: [
        { name: 'open_time', type: 'TIMESTAMP', numeric: false },
        { name: 'price', type: 'DECIMAL(18,4)', numeric: true },
        { name: 'amount', type: 'DOUBLE', numeric: true },
      ],
      rows: [0, 1, 2].map((i) => [
        `2020-02-02 00:0${i}:00`,
        expect.stringMatching(/^\d+\.2500$/),
        expect.stringMatching(/^0\.\d+$/),
      ]),
      more: true,
    });
    expect(preview.last?.rows.map(([time]) => time)).toEqual([
      '2020-02-02 00:06:00',
      '2020-02-02 00:07:00',
      '2020-02-02 00:08:00',
    ]);
    const prices = (
      await runSql(
        lake,
        "SELECT price FROM silver.ticks WHERE symbol = 'A' AND date = '2020-02-02' ORDER BY 1",
        99,
        never,
      )
    ).rows;
    expect(preview.stats.map(({ distinct: _, ...stat }) => stat)).toMatchObject([
      { name: 'open_time', type: 'TIMESTAMP', nulls: 0, min: '2020-02-02 00:00:00', max: '2020-02-02 00:08:00' },
      { name: 'price', type: 'DECIMAL(18,4)', nulls: 0, min: prices[0]?.[0], max: prices.at(-1)?.[0] },
      { name: 'amount', type: 'DOUBLE', nulls: 0 },
    ]);
    for (const { distinct } of preview.stats) expect(distinct).toBeGreaterThan(6);
  });

  test('is read from the pack that it shares with others, and after it has been replaced', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 29, 5);
    await run(lake, { selection: '+silver/ticks' });
    expect([...lake.state.files('silver/ticks')]).toHaveLength(1);
    const at = (partition: string) => previewData(lake, 'silver/ticks', partition, LIMITS, never);
    expect((await at('date=2020-02-29,symbol=A')).first.rows[0]?.[0]).toBe('2020-02-29 00:00:00');
    expect((await at('date=2020-02-29,symbol=A')).rowCount).toBe(5);
    archive.days('A', '2020-02', 29, 29, 7);
    await run(lake, { selection: '+silver/ticks' });
    expect((await at('date=2020-02-29,symbol=A')).rowCount).toBe(7);
    expect((await at('date=2020-02-28,symbol=A')).rowCount).toBe(5);
  });

  test('of originals are the files', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    await run(lake, { selection: '+bronze/days' });
    const one = await previewData(lake, 'bronze/days', 'symbol=A/date=2020-02-01', LIMITS, never);
    expect(one.first.columns.map(({ name }) => name)).toEqual(['path', 'bytes']);
    expect(one.first.rows).toEqual([[expect.stringContaining('2020-02-01'), expect.stringMatching(/^\d+$/)]]);
    expect([one.last, one.rowCount]).toEqual([undefined, 1]);
    const all = await previewData(lake, 'bronze/days', undefined, LIMITS, never);
    expect([all.first.columns.map(({ name }) => name), all.rowCount]).toEqual([['symbol', 'date', 'path', 'bytes'], 2]);
  });

  test('of a whole asset has the columns of its partitions too', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2, 4).days('B', '2020-02', 1, 1, 4);
    await run(lake, { selection: '+silver/ticks' });
    const preview = await previewData(lake, 'silver/ticks', undefined, LIMITS, never);
    expect([
      preview.first.columns.map(({ name }) => name),
      preview.first.rows.length,
      preview.first.more,
      preview.last,
    ]).toEqual([['symbol', 'date', 'open_time', 'price', 'amount'], 3, true, undefined]);
    expect([preview.rowCount, preview.stats[0], preview.stats[1]]).toEqual([
      12,
      { name: 'symbol', type: 'VARCHAR', nulls: 0, distinct: 2, min: 'A', max: 'B' },
      { name: 'date', type: 'DATE', nulls: 0, distinct: 2, min: '2020-02-01', max: '2020-02-02' },
    ]);
  });

  test('has candles where there are prices over time, put together to what there is room for', async () => {
    const { lake } = await tiny({ definition: withBars() });
    await run(lake);
    const at = Date.parse('2020-04-02T09:30:00Z');
    const key = 'market=spot/date=2020-04-02';
    const all = await previewData(lake, 'gold/bars', key, LIMITS, never);
    expect(all.candles).toEqual(
      Array.from({ length: 10 }, (_, i) => ({
        at: at + i * 60_000,
        open: 200 + i,
        high: 205 + i,
        low: 200 - i,
        close: 201 + i,
      })),
    );
    const few = await previewData(lake, 'gold/bars', key, { rows: 3, candles: 2 }, never);
    expect(few.candles).toEqual([
      { at, open: 200, high: 209, low: 196, close: 205 },
      { at: at + 300_000, open: 205, high: 214, low: 191, close: 210 },
    ]);
    expect((await previewData(lake, 'gold/bars', key, { rows: 3, candles: 0 }, never)).candles).toEqual([]);
    // Of several series they would be of no price at all.
    expect((await previewData(lake, 'gold/bars', undefined, LIMITS, never)).candles).toEqual([]);
    // What is missing is told from what reads the same, and whole numbers keep their digits.
    expect(all.first.rows.map((row) => row.slice(-2))).toEqual([
      ['NULL', '1152921504606846976'],
      ['"NULL"', '1152921504606846977'],
      ['n2', '1152921504606846978'],
    ]);
    expect(all.stats.at(-2)).toMatchObject({ name: 'note', nulls: 3, min: 'NULL', max: 'n9' });
  });

  test('may be no rows at all', async () => {
    const { lake } = await tiny({ definition: withBars() });
    await run(lake);
    const empty = await previewData(lake, 'gold/bars', 'market=um/date=2020-04-01', LIMITS, never);
    expect(empty).toMatchObject({ rowCount: 0, candles: [], last: undefined, first: { rows: [], more: false } });
    expect(empty.stats[1]).toEqual({
      name: 'open',
      type: 'DOUBLE',
      nulls: 0,
      distinct: 0,
      min: undefined,
      max: undefined,
    });
  });

  test('is refused with what to do where there is none', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 2);
    await run(lake, { selection: '+silver/ticks', filter: parseFilter('date=2020-02-01') });
    const preview = (name: string, partition?: string) => failure(previewData(lake, name, partition, LIMITS, never));
    expect(await preview('silver/tick')).toEqual(['unknown-asset', 'usage', "No asset is named 'silver/tick'"]);
    expect(await preview('src/days')).toEqual([
      'no-data',
      'usage',
      'src/days is a source: the lake keeps no data of it',
    ]);
    expect(await preview('silver/ticks', 'symbol=A/date=2020-02-02')).toEqual([
      'no-data',
      'usage',
      'silver/ticks symbol=A/date=2020-02-02 has no content',
    ]);
    expect(await preview('silver/ticks', 'symbol=A')).toEqual([
      'missing-dimension',
      'usage',
      "'symbol=A' does not say which 'date'",
    ]);
  });
});

describe('a statement', () => {
  test('runs over the whole lake, and gives as many rows as asked', async () => {
    const { lake, archive } = await tiny();
    archive.days('A', '2020-02', 1, 3, 4);
    await run(lake, { selection: '+silver/ticks' });
    expect(
      await runSql(lake, 'SELECT date, count(*) AS n, [1, NULL] AS l FROM ticks GROUP BY ALL ORDER BY 1', 2, never),
    ).toEqual({
      columns: [
        { name: 'date', type: 'DATE', numeric: false },
        { name: 'n', type: 'BIGINT', numeric: true },
        { name: 'l', type: 'INTEGER[]', numeric: false },
      ],
      rows: [
        ['2020-02-01', '4', '[1, null]'],
        ['2020-02-02', '4', '[1, null]'],
      ],
      more: true,
    });
    expect((await runSql(lake, 'SELECT 1 AS one', 5, never)).more).toBe(false);
    expect((await runSql(lake, 'SELECT range FROM range(5)', 5, never)).more).toBe(false);
  });

  test('says what is wrong with it', async () => {
    const { lake } = await tiny();
    const ask = (sql: string) => runSql(lake, sql, 5, never).then(() => undefined, problemOf);
    expect(await ask('SELECT FROM')).toEqual({
      message: 'Parser Error: syntax error at end of input',
      hint: undefined,
    });
    expect(await ask('SELECT * FROM silver.tick')).toEqual({
      message: expect.stringMatching(/^There is no table '.*tick'\nLINE 1: SELECT \* FROM silver\.tick\n {22}\^$/),
      hint: "Did you mean 'silver.ticks'?",
    });
    expect(await ask('SELECT\n  pric FROM silver.ticks WHERE price > 1')).toEqual({
      message:
        'Binder Error: Referenced column "pric" not found in FROM clause!\nCandidate bindings: "price"\nLINE 2:   pric FROM silver.ticks WHERE price > 1\n          ^',
      hint: undefined,
    });
    expect(await ask('DROP TABLE ticks')).toMatchObject({
      message: 'Only one SELECT can be run: DROP is not a statement that only reads',
    });
    expect(problemOf(new TypeError('x'))).toEqual({ message: 'x', hint: undefined });
    expect(problemOf('y')).toEqual({ message: 'y', hint: undefined });
  });

  test('ends when it is aborted', async () => {
    const { lake } = await tiny();
    const stop = new AbortController();
    const asked = runSql(lake, 'SELECT count(*) FROM range(10000000000000) a WHERE hash(a.range) = 7', 5, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(asked).rejects.toThrow('enough');
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { klineText } from '../../assets/klines.ts';
import { silverKlines } from '../../assets/silver/klines.ts';
import { alone, csvRows, database, hasArchive, type Row } from './sql.ts';

const db = database();

const template = silverKlines.compute?.type === 'sql' ? silverKlines.compute.template : undefined;
if (!template) throw new Error('silver/klines has no query');
const silver = (raw: string) =>
  alone(template, { target: {}, inputs: { raw: `(SELECT 'binance' AS exchange, * FROM ${raw})` } });

/** The first candle of 2020 as published, with some fields replaced. */
function line(more: Readonly<Record<number, string | null>> = {}): (string | null)[] {
  const fields: (string | null)[] = [
    ...[
      '1577836800000',
      '7195.24000000',
      '7196.25000000',
      '7183.14000000',
      '7186.68000000',
      '51.64281200',
      '1577836859999',
    ],
    ...['371233.51835535', '493', '19.59823000', '140888.41428273', '0'],
  ];
  return fields.map((field, i) => (i in more ? (more[i] ?? null) : field));
}
const OPEN_TIME = 0;
const OPEN = 1;
const VOLUME = 5;
const CLOSE_TIME = 6;
const QUOTE_VOLUME = 7;
const COUNT = 8;
const IGNORE = 11;

describe('rows', () => {
  test('a candle, with the types declared', async () => {
    expect(await db.rows(silver(csvRows(line())))).toEqual([
      {
        open_time: '2020-01-01 00:00:00',
        open: '7195.24000000',
        high: '7196.25000000',
        low: '7183.14000000',
        close: '7186.68000000',
        volume: '51.64281200',
        close_time: '2020-01-01 00:00:59.999',
        quote_volume: '371233.51835535',
        count: '493',
        taker_buy_volume: '19.59823000',
        taker_buy_quote_volume: '140888.41428273',
      },
    ]);
    const described = await db.rows(`DESCRIBE ${silver(csvRows(line()))}`);
    expect(described.map(({ column_name, column_type }) => [column_name, column_type])).toEqual(
      silverKlines.columns.map(({ name, type }) => [name, type]),
    );
  });

  test('trap 6: the same candle in microseconds is the same row', async () => {
    const micro = line({ [OPEN_TIME]: '1577836800000000', [CLOSE_TIME]: '1577836859999999' });
    expect(await db.rows(silver(csvRows(micro)))).toEqual(await db.rows(silver(csvRows(line()))));
  });

  test('traps 5 and 6: milliseconds and microseconds in one file, and 2017 with something in the last column', async () => {
    const rows = csvRows(
      line({ [OPEN_TIME]: '1735689599000', [IGNORE]: '7887.63551305' }),
      line({ [OPEN_TIME]: '1735689600000000', [CLOSE_TIME]: '1735689659999999' }),
    );
    const times = (await db.rows(silver(rows))).map(({ open_time }) => open_time);
    expect(times).toEqual(['2024-12-31 23:59:59', '2025-01-01 00:00:00']);
  });

  test('case 25, trap 16: volumes of 1e13 and 19-digit quote volumes are exact', async () => {
    const huge = line({
      [VOLUME]: '12345678901234.56789012',
      [QUOTE_VOLUME]: '12345678901.23456789',
      [OPEN]: '9999999999.99999999',
    });
    expect(await db.rows(silver(csvRows(huge)))).toMatchObject([
      { volume: '12345678901234.56789012', quote_volume: '12345678901.23456789', open: '9999999999.99999999' },
    ]);
  });

  test('traps 14 and 15: numbers may be written with fewer or more decimals from one row to the next', async () => {
    const rows = await db.rows(
      silver(csvRows(line({ [OPEN]: '36320', [VOLUME]: '0' }), line({ [OPEN]: '36319.5', [VOLUME]: '0.000' }))),
    );
    expect(rows).toMatchObject([
      { open: '36320.00000000', volume: '0.00000000' },
      { open: '36319.50000000', volume: '0.00000000' },
    ]);
  });

  test('the result does not depend on the session time zone', async () => {
    const before = await db.rows(silver(csvRows(line())));
    await db.run("SET TimeZone = 'America/New_York'");
    expect(await db.rows(silver(csvRows(line())))).toEqual(before);
    await db.run("SET TimeZone = 'UTC'");
  });
});

describe('what is no candle is refused, with the column, the text and the row', () => {
  const price = 'expected a number below 1e10 in size with at most 8 decimals';
  const amount = 'expected a number with at most 8 decimals';
  const time = 'expected milliseconds (13 digits) or microseconds (16 digits) since 1970';
  test.each([
    ['text', OPEN, 'abc', `open is 'abc' in the row with open_time 1577836800000: ${price}`],
    ['nothing', OPEN, null, `open is empty in the row with open_time 1577836800000: ${price}`],
    ['an empty string', VOLUME, '', `volume is '' in the row with open_time 1577836800000: ${amount}`],
    ['a ninth decimal', OPEN, '1.123456789', `open is '1.123456789' in`],
    ['a ninth decimal of an amount', QUOTE_VOLUME, '1.123456789', `quote_volume is '1.123456789' in`],
    ['trap 17: scientific notation', OPEN, '7.19524E3', `open is '7.19524E3' in`],
    ['scientific notation of an amount', VOLUME, '1e2', `volume is '1e2' in`],
    ['a price too large', OPEN, '10000000000', `open is '10000000000' in`],
    ['an amount too large', VOLUME, '1'.repeat(31), `volume is '${'1'.repeat(31)}' in`],
    ['not a number', OPEN, 'NaN', `open is 'NaN' in`],
    [
      'trap 17: a spreadsheet time',
      OPEN_TIME,
      '1.57784E+12',
      `open_time is '1.57784E+12' in the row with open_time 1.57784E+12: ${time}`,
    ],
    ['trap 17: a spreadsheet time of 13 characters', CLOSE_TIME, '1.5778368E+12', `close_time is '1.5778368E+12' in`],
    ['seconds', OPEN_TIME, '1577836800', `open_time is '1577836800' in`],
    ['nanoseconds', CLOSE_TIME, '1577836800000000000', `close_time is '1577836800000000000' in`],
    ['no time', OPEN_TIME, null, `open_time is empty in the row with open_time (empty): ${time}`],
    ['half a trade', COUNT, '1.5', `count is '1.5' in the row with open_time 1577836800000: expected an integer`],
    ['no count', COUNT, null, `count is empty in`],
  ])('%s', async (_, field, text, message) => {
    await expect(db.rows(silver(csvRows(line(), line({ [field]: text }))))).rejects.toThrow(message);
  });

  test('one bad row among many good ones is found', async () => {
    await db.run(`CREATE OR REPLACE TABLE many AS SELECT r.* FROM ${csvRows(line())} r, range(5000)`);
    await db.run(`INSERT INTO many SELECT * FROM ${csvRows(line({ [OPEN]: 'x' }))}`);
    await expect(db.rows(silver('many'))).rejects.toThrow(`open is 'x' in`);
  });
});

/** The bad rows of a check over rows of silver, by the name of the check; only those that have any. */
async function findings(rows: string, interval: string): Promise<Record<string, Row[]>> {
  const found: Record<string, Row[]> = {};
  for (const { name, test } of silverKlines.checks) {
    const bound = { target: { interval: `'${interval}'` }, inputs: { rows } };
    const sql =
      test.type === 'query'
        ? alone(test.select, bound)
        : `SELECT open_time FROM ${rows} WHERE ${alone(test.bad, bound)}`;
    const bad = await db.rows(sql);
    if (bad.length > 0) found[name] = bad;
  }
  return found;
}

describe('checks', () => {
  const minute = (i: number, more: Readonly<Record<number, string>> = {}) =>
    line({
      [OPEN_TIME]: String(1577836800000 + i * 60_000),
      [CLOSE_TIME]: String(1577836859999 + i * 60_000),
      ...more,
    });
  const checked = async (...lines: (string | null)[][]) => {
    await db.run(`CREATE OR REPLACE TABLE checked AS ${silver(csvRows(...lines))}`);
    return findings('checked', '1m');
  };

  test('trap 13: are silent about good candles, also ones without trades', async () => {
    const flat = { 1: '5', 2: '5', 3: '5', 4: '5', 5: '0', 7: '0', 8: '0', 9: '0', 10: '0' };
    expect(await checked(minute(0), minute(1, flat), minute(2))).toEqual({});
  });
  test('prices that contradict each other', async () => {
    const open_time = '2020-01-01 00:00:00';
    expect(await checked(minute(0, { 2: '7186.00000000' }))).toEqual({ ohlc_consistent: [{ open_time }] });
    expect(await checked(minute(0, { 3: '7187.00000000' }))).toEqual({ ohlc_consistent: [{ open_time }] });
    expect(await checked(minute(0, { 5: '-1' }))).toEqual({ amounts_not_negative: [{ open_time }] });
    expect(await checked(minute(0, { 8: '-1' }))).toEqual({ amounts_not_negative: [{ open_time }] });
  });
  test('traps 7 and 8: the row of 2020-12-21 that ends before it starts: kept, reported, and holding up nothing', async () => {
    const published = line({ [OPEN_TIME]: '1608559200000', [CLOSE_TIME]: '1608558440521' });
    expect(await checked(published)).toEqual({ close_time_after_open_time: [{ open_time: '2020-12-21 14:00:00' }] });
    const check = silverKlines.checks.find(({ name }) => name === 'close_time_after_open_time');
    expect(check).toMatchObject({ severity: 'error', blocking: false });
  });
  test('traps 9 and 10: a hole, and a bar off the grid', async () => {
    expect(await checked(minute(0), minute(3))).toEqual({
      no_gaps_open_time: [{ after: '2020-01-01 00:00:00', before: '2020-01-01 00:03:00' }],
    });
    expect(await checked(minute(0, { [OPEN_TIME]: '1577836814789' }))).toEqual({
      on_grid: [{ open_time: '2020-01-01 00:00:14.789' }],
    });
  });
  test('which hold up what is computed from the rows', () => {
    expect(silverKlines.checks.filter(({ blocking }) => blocking).map(({ name }) => name)).toEqual([
      'ohlc_consistent',
      'amounts_not_negative',
    ]);
  });
});

describe.skipIf(!hasArchive)('real files (skipped without ../shared/data)', () => {
  const day = (name: string) => `data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-${name}.zip`;

  test('three days of minutes are 4,320 rows and add up to the 72 hours of the monthly file', async () => {
    const minutes = await db.load('minutes', day('01'), day('02'), day('03'));
    const hours = await db.load('hours', 'data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2020-01.zip');
    await db.run(`CREATE OR REPLACE TABLE silver_minutes AS ${silver(minutes)}`);
    await db.run(`CREATE OR REPLACE TABLE silver_hours AS ${silver(hours)}`);
    expect(await db.rows('SELECT count(*) AS n FROM silver_minutes')).toEqual([{ n: '4320' }]);
    const compared = `time_bucket(INTERVAL 1 HOUR, open_time) AS hour, arg_min(open, open_time) AS open, max(high) AS high,
      min(low) AS low, arg_max(close, open_time) AS close, sum(volume) AS volume, sum(quote_volume) AS quote_volume,
      sum(count) AS count, sum(taker_buy_volume) AS tb, sum(taker_buy_quote_volume) AS tq`;
    const added = await db.rows(`SELECT ${compared} FROM silver_minutes GROUP BY hour ORDER BY hour`);
    const published = await db.rows(
      `SELECT ${compared} FROM silver_hours WHERE open_time < TIMESTAMP '2020-01-04' GROUP BY hour ORDER BY hour`,
    );
    expect(published).toHaveLength(72);
    expect(added).toEqual(published);
    expect(await findings('silver_minutes', '1m')).toEqual({});
    expect(await findings('silver_hours', '1h')).toEqual({});
  });

  test.each([
    ['data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-12.zip', '1h', 744, '2024-12-31 23:59:59.999'],
    ['data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2025-01.zip', '1h', 744, '2025-01-31 23:59:59.999'],
    ['data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-05-08.zip', '1h', 24, '2026-05-08 23:59:59.999'],
    ['data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2022-05-28.zip', '1m', 1440, '2022-05-28 23:59:59.999'],
    [
      'data/futures/um/monthly/klines/1000PEPEUSDT/5m/1000PEPEUSDT-5m-2025-01.zip',
      '5m',
      8928,
      '2025-01-31 23:59:59.999',
    ],
    [
      'data/futures/cm/daily/klines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2022-10-24.zip',
      '1m',
      1440,
      '2022-10-24 23:59:59.999',
    ],
  ])('%s', async (path, interval, rows, last) => {
    await db.run(`CREATE OR REPLACE TABLE real AS ${silver(await db.load('real_text', path))}`);
    const seen = await db.rows('SELECT count(*)::INTEGER AS n, max(close_time) AS last FROM real');
    expect(seen).toEqual([{ n: rows, last }]);
    expect(await findings('real', interval)).toEqual({});
  });

  test('trap 10: the outage of 2020-06-28 is a hole that is reported', async () => {
    await db.load('june', 'data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2020-06.zip');
    await db.run(`CREATE OR REPLACE TABLE real AS ${silver('june')}`);
    expect(await findings('real', '1h')).toMatchObject({
      no_gaps_open_time: [{ after: '2020-06-28 01:00:00', before: '2020-06-28 05:00:00' }],
    });
  });
});

const captures = join(import.meta.dirname, '../../../shared/data/rest/binance');
const noCaptures = !existsSync(captures);
describe.skipIf(noCaptures)(
  `captured answers${noCaptures ? ' (skipped: no captured answers at ../shared/data)' : ''}`,
  () => {
    const lists = (noCaptures ? [] : readdirSync(captures)).filter(
      (name) => /-klines-.*\.json$/.test(name) && !name.includes('error'),
    );

    test.each(lists)('traps 16 and 27: %s is the same in silver, number for number', async (name) => {
      const rows = JSON.parse(readFileSync(join(captures, name), 'utf8')) as (string | number)[][];
      await db.run(`CREATE OR REPLACE TABLE captured AS ${silver(csvRows(...rows.map((row) => row.map(String))))}`);
      const numbers = [
        'open',
        'high',
        'low',
        'close',
        'volume',
        'quote_volume',
        'taker_buy_volume',
        'taker_buy_quote_volume',
      ];
      const found = await db.rows(
        `SELECT epoch_ms(open_time)::VARCHAR AS open_time, epoch_ms(close_time)::VARCHAR AS close_time, count::VARCHAR AS count, ${numbers.map((column) => `${column}::VARCHAR AS ${column}`).join(', ')} FROM captured ORDER BY 1`,
      );
      const at: Record<string, number> = Object.fromEntries(klineText.map((column, i) => [column, i]));
      const eight = (text: string) => {
        const [whole, decimals = ''] = text.split('.');
        return `${whole}.${decimals.padEnd(8, '0')}`;
      };
      expect(found).toEqual(
        rows.map((row) => {
          const text = (column: string) => String(row[at[column] ?? -1]);
          return Object.fromEntries([
            ...['open_time', 'close_time', 'count'].map((column) => [column, text(column)]),
            ...numbers.map((column) => [column, eight(text(column))]),
          ]);
        }),
      );
    });

    test('are eleven lists of candles', () => {
      expect(lists.length).toBe(11);
    });
  },
);

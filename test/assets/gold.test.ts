import { describe, expect, test } from 'vitest';
import { goldKlinesDaily } from '../../assets/gold/klines_daily.ts';
import { goldKlinesMonthly } from '../../assets/gold/klines_monthly.ts';
import { goldMarketOverview } from '../../assets/gold/market_overview.ts';
import { silverKlines } from '../../assets/silver/klines.ts';
import { silverKlinesPatches } from '../../assets/silver/klines_quality.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import type { SqlTemplate } from '../../framework/define/sql.ts';
import { alone, type Bound, database, dayTarget, fused, hasArchive, type Row } from './sql.ts';

const db = database();

function templateOf(asset: AssetDefinition): SqlTemplate {
  if (asset.compute?.type !== 'sql') throw new Error(`${asset.key} has no query`);
  return asset.compute.template;
}
const daily = templateOf(goldKlinesDaily);
const monthly = templateOf(goldKlinesMonthly);
const overview = templateOf(goldMarketOverview);

/** The rows of each partition, computed alone; fails if the fused statement gives anything else. */
async function compute(template: SqlTemplate, bounds: readonly Bound[]): Promise<Row[][]> {
  const results = await Promise.all(bounds.map((bound) => db.rows(alone(template, bound))));
  const sorted = (rows: Row[]) => rows.map((row) => JSON.stringify(row)).sort();
  const together = sorted(await db.rows(fused(template, bounds)));
  expect(together).toEqual(sorted(results.flatMap((rows, __target) => rows.map((row) => ({ __target, ...row })))));
  return results;
}

const spot = { symbol: "'BTCUSDT'", market: "'spot'", interval: "'8h'" };

/** Rows of silver: open time, open, high, low, close, volume, quote volume, count, taker volume, taker quote volume. */
function bars(...rows: readonly (readonly [string, ...number[]])[]): string {
  const values = rows.map(
    ([at, open, high, low, close, volume, quote, count, taker, takerQuote]) =>
      `(TIMESTAMP '${at}', ${open}, ${high}, ${low}, ${close}, ${volume}, NULL, ${quote}, ${count}, ${taker}, ${takerQuote})`,
  );
  const columns = silverKlines.columns.map(({ name, type }) => `${name}::${type} AS ${name}`).join(', ');
  const names = silverKlines.columns.map(({ name }) => name).join(', ');
  return `(SELECT ${columns} FROM (VALUES ${values.join(', ')}) v(${names}))`;
}

const none = (asset: AssetDefinition, more: string[] = []) =>
  `(SELECT ${[...more, ...asset.columns.map(({ name, type }) => `NULL::${type} AS ${name}`)].join(', ')} WHERE false)`;

// Two days of 8-hour bars; the second lacks its last.
const twoDays = bars(
  ['2024-01-01 00:00:00', 10, 12, 9, 11, 1, 11, 5, 1, 11],
  ['2024-01-01 08:00:00', 11, 15, 10, 14, 2, 26, 6, 0, 0],
  ['2024-01-01 16:00:00', 14, 14, 8, 10, 3, 33, 7, 2, 22],
  ['2024-01-02 00:00:00', 10, 11, 10, 10.5, 4, 42, 8, 1, 10.5],
  ['2024-01-02 08:00:00', 10.5, 13, 10, 12.5, 4, 46, 9, 3, 34.5],
);

describe('gold/klines_daily', () => {
  const day = (date: string, klines: string, more = spot, patches = none(silverKlinesPatches)): Bound => ({
    target: dayTarget(date, more),
    inputs: { klines, patches },
  });

  test('a day and the next, which lacks a bar: by hand', async () => {
    const result = await compute(daily, [
      day('2024-01-01', `(SELECT * FROM ${twoDays} WHERE open_time < TIMESTAMP '2024-01-02')`),
      day('2024-01-02', twoDays),
    ]);
    expect(result).toEqual([
      [
        {
          open_time: '2024-01-01 00:00:00',
          ...{ open: 10, high: 15, low: 8, close: 10, volume: 6, quote_volume: 70, taker_buy_volume: 3 },
          ...{ taker_share: 0.5, vwap: 70 / 6, trades: '18', bars: 3, expected_bars: 3 },
          ...{ simple_return: null, log_return: null, available_at: '2024-01-02 00:00:00' },
        },
      ],
      [
        {
          open_time: '2024-01-02 00:00:00',
          ...{ open: 10, high: 13, low: 10, close: 12.5, volume: 8, quote_volume: 88, taker_buy_volume: 4 },
          ...{ taker_share: 0.5, vwap: 11, trades: '17', bars: 2, expected_bars: 3 },
          ...{ simple_return: 0.25, log_return: Math.log(1.25), available_at: '2024-01-02 16:00:00' },
        },
      ],
    ]);
  });

  test('columns and types are those declared', async () => {
    const described = await db.rows(`DESCRIBE ${alone(daily, day('2024-01-02', twoDays))}`);
    expect(described.map(({ column_name, column_type }) => [column_name, column_type]).sort()).toEqual(
      goldKlinesDaily.columns.map(({ name, type }) => [name, type]).sort(),
    );
  });

  test('a day without bars has no row, whatever the day before', async () => {
    const result = await compute(daily, [day('2024-01-03', none(silverKlines)), day('2024-01-03', twoDays)]);
    expect(result).toEqual([[], []]);
  });

  test('bars of other sources count like its own, in the day and the day before, and no others of their months', async () => {
    const [whole, next] = await compute(daily, [
      day('2024-01-01', `(SELECT * FROM ${twoDays} WHERE open_time < TIMESTAMP '2024-01-02')`),
      day('2024-01-02', twoDays),
    ]);
    const noon = (condition: string) => `(SELECT * FROM ${twoDays} WHERE ${condition})`;
    const patches = bars(
      ['2023-12-30 00:00:00', 1, 99, 1, 99, 9, 9, 9, 9, 9],
      ['2024-01-01 16:00:00', 14, 14, 8, 10, 3, 33, 7, 2, 22],
      ['2024-01-03 00:00:00', 1, 99, 1, 99, 9, 9, 9, 9, 9],
    );
    const patched = await compute(daily, [
      day('2024-01-01', noon("open_time < TIMESTAMP '2024-01-01 16:00:00'"), spot, patches),
      day('2024-01-02', noon("open_time <> TIMESTAMP '2024-01-01 16:00:00'"), spot, patches),
      day('2024-01-01', none(silverKlines), spot, patches),
    ]);
    expect(patched).toMatchObject([whole, next, [{ bars: 1, close: 10, simple_return: null }]]);
  });

  test('a day without trades has prices, and no averages', async () => {
    const flat = bars(['2024-01-01 00:00:00', 5, 5, 5, 5, 0, 0, 0, 0, 0]);
    const [[row] = []] = await compute(daily, [day('2024-01-01', flat)]);
    expect(row).toMatchObject({ close: 5, volume: 0, vwap: null, taker_share: null, trades: '0', bars: 1 });
  });

  test('trap 3: cm: contracts of 100 USD for BTC and 10 USD for others become coins and USD', async () => {
    // 50 contracts traded for 0.25 BTC at 20,000 USD, 10 of them bought by takers for 0.05 BTC.
    const contracts = bars(['2024-01-01 00:00:00', 20_000, 20_000, 20_000, 20_000, 50, 0.25, 3, 10, 0.05]);
    const cm = { ...spot, market: "'cm'", symbol: "'BTCUSD_PERP'" };
    const [[btc] = [], [eth] = []] = await compute(daily, [
      day('2024-01-01', contracts, cm),
      day('2024-01-01', contracts, { ...cm, symbol: "'ETHUSD_240628'" }),
    ]);
    expect(btc).toMatchObject({
      volume: 0.25,
      quote_volume: 5000,
      taker_buy_volume: 0.05,
      taker_share: 0.2,
      vwap: 20_000,
    });
    expect(eth).toMatchObject({ volume: 0.25, quote_volume: 500 });
  });

  test('sums are the same on any number of threads, in any order of rows', async () => {
    await db.run(`CREATE OR REPLACE TABLE long AS SELECT TIMESTAMP '2024-01-01' + to_seconds(i) AS open_time,
      ${['open', 'high', 'low', 'close', 'volume', 'quote_volume', 'taker_buy_volume', 'taker_buy_quote_volume'].map((name, k) => `(0.1 + (hash(i * 31 + ${k}) % 1000000000) / 7)::DECIMAL(38,8) AS ${name}`)},
      NULL::TIMESTAMP AS close_time, 1::BIGINT AS count FROM range(86400) t(i)`);
    const results = new Set<string>();
    for (const threads of [1, 2, 4]) {
      await db.run(`SET threads = ${threads}`);
      for (const order of ['open_time', 'open_time DESC', 'hash(open_time)']) {
        const rows = await db.rows(alone(daily, day('2024-01-01', `(SELECT * FROM long ORDER BY ${order})`)));
        results.add(JSON.stringify(rows));
      }
    }
    expect(results.size).toBe(1);
  });
});

describe('gold/klines_monthly', () => {
  const january: Bound['target'] = {
    start: "TIMESTAMP '2024-01-01'",
    end: "TIMESTAMP '2024-02-01'",
    ...spot,
  };
  const days = (...rows: readonly (readonly (string | number | null)[])[]) => {
    const names = goldKlinesDaily.columns.map(({ name }) => name);
    const values = rows.map(
      (row) => `(${row.map((v) => (typeof v === 'string' ? `TIMESTAMP '${v}'` : String(v))).join(', ')})`,
    );
    const columns = goldKlinesDaily.columns.map(({ name, type }) => `${name}::${type} AS ${name}`);
    return `(SELECT ${columns.join(', ')} FROM (VALUES ${values.join(', ')}) v(${names.join(', ')}))`;
  };

  test('two days of a month: by hand', async () => {
    const input = days(
      ['2024-01-02', 11, 14, 10, 12, 3, 36, 1, 1 / 3, 12, 20, 3, 3, 0.2, Math.log(1.2), '2024-01-03'],
      ['2024-01-03', 12, 13, 7, 9, 1, 9, 1, 1, 9, 5, 2, 3, -0.25, Math.log(0.75), '2024-01-03 16:00:00'],
    );
    const [[row] = []] = await compute(monthly, [{ target: january, inputs: { days: input } }]);
    const { simple_return, log_return, ...rest } = row ?? {};
    expect(rest).toEqual({
      open_time: '2024-01-01 00:00:00',
      ...{ open: 11, high: 14, low: 7, close: 9, volume: 4, quote_volume: 45, taker_buy_volume: 2, taker_share: 0.5 },
      ...{ vwap: 11.25, trades: '25', bars: 5, expected_bars: 93, available_at: '2024-01-03 16:00:00' },
    });
    // From 10, the close before the first day, to 9.
    expect(simple_return).toBeCloseTo(-0.1, 14);
    expect(log_return).toBeCloseTo(Math.log(0.9), 14);
  });

  test('no return without a close before the first day; no row without days', async () => {
    const first = days(['2024-01-02', 11, 14, 10, 12, 3, 36, 1, 0.3, 12, 20, 3, 3, null, null, '2024-01-03']);
    const result = await compute(monthly, [
      { target: january, inputs: { days: first } },
      { target: january, inputs: { days: none(goldKlinesDaily) } },
    ]);
    expect(result[0]).toMatchObject([{ close: 12, simple_return: null, log_return: null }]);
    const described = await db.rows(`DESCRIBE ${alone(monthly, { target: january, inputs: { days: first } })}`);
    expect(described.map(({ column_name, column_type }) => [column_name, column_type]).sort()).toEqual(
      goldKlinesMonthly.columns.map(({ name, type }) => [name, type]).sort(),
    );
    expect(result[1]).toEqual([]);
  });
});

describe('gold/market_overview', () => {
  const on = (exchange: string, market: string) => ({ exchange: `'${exchange}'`, market: `'${market}'` });
  const day = (...rows: readonly (readonly [string, number, number, string?])[]): Bound => {
    const selects = rows.map(
      ([symbol, close, quote, at = '2024-01-02']) =>
        `SELECT '${symbol}' AS symbol, ${close}::DOUBLE AS close, 0.5::DOUBLE AS simple_return, ${quote}::DOUBLE AS quote_volume, TIMESTAMP '${at}' AS available_at`,
    );
    return { target: on('binance', 'spot'), inputs: { days: `(${selects.join(' UNION ALL ')})` } };
  };

  test('symbols are compared with those of the same quote asset', async () => {
    const bound = day(
      ['BTCUSDT', 40_000, 600],
      ['ETHUSDT', 2_000, 200, '2024-01-02 00:01:00'],
      ['XRPUSDT', 1, 200],
      ['ETHBTC', 0.05, 3],
      ['BTCUSDT_240329', 40_000, 0],
      ['ABC', 1, 5, '2024-01-01 12:00:00'],
    );
    const [rows = []] = await compute(overview, [bound]);
    const shown = rows
      .map((r) => [r.symbol, r.quote_asset, r.quote_volume_share, r.quote_volume_rank, r.available_at])
      .sort();
    expect(shown).toEqual([
      ['ABC', null, null, null, '2024-01-01 12:00:00'],
      ['BTCUSDT', 'USDT', 0.6, 1, '2024-01-02 00:01:00'],
      ['BTCUSDT_240329', 'USDT', 0, 4, '2024-01-02 00:01:00'],
      ['ETHBTC', 'BTC', 1, 1, '2024-01-02 00:00:00'],
      ['ETHUSDT', 'USDT', 0.2, 2, '2024-01-02 00:01:00'],
      ['XRPUSDT', 'USDT', 0.2, 2, '2024-01-02 00:01:00'],
    ]);
    expect(rows.find((r) => r.symbol === 'ETHUSDT')).toMatchObject({
      close: 2_000,
      simple_return: 0.5,
      quote_volume: 200,
    });
  });

  test.each([
    ['binance', 'spot', 'BTCFDUSD', 'FDUSD'],
    ['binance', 'spot', 'BTCTUSD', 'TUSD'],
    ['binance', 'spot', 'TUSDT', 'USDT'],
    ['binance', 'spot', 'TUSDUSDT', 'USDT'],
    ['binance', 'spot', 'BTCUSD1', 'USD1'],
    ['binance', 'spot', 'ADAEUR', 'EUR'],
    ['binance', 'spot', 'BTCEURI', 'EURI'],
    ['binance', 'spot', 'BNBBTC', 'BTC'],
    ['binance', 'spot', 'USDTTRY', 'TRY'],
    ['binance', 'um', 'BTCUSDC', 'USDC'],
    ['binance', 'um', 'BTCBUSD_210129', 'BUSD'],
    ['binance', 'cm', 'BTCUSD_PERP', 'USD'],
    ['binance', 'cm', 'BNBUSD_PERP', 'USD'],
    ['binance', 'cm', 'DOTUSD_240628', 'USD'],
    ['coinbase', 'spot', 'BTC-USD', 'USD'],
    ['coinbase', 'spot', 'ETH-BTC', 'BTC'],
    ['kraken', 'spot', 'XBTUSD', 'USD'],
    ['kraken', 'spot', 'DOTUSD', 'USD'],
    ['kraken', 'spot', 'ETHXBT', 'XBT'],
    ['kraken', 'spot', 'BNBUSD', 'USD'],
  ])('%s %s: %s is quoted in %s', async (exchange, market, symbol, quote) => {
    const bound = { ...day([symbol, 1, 1]), target: on(exchange, market) };
    expect(await db.rows(alone(overview, bound))).toMatchObject([{ quote_asset: quote }]);
  });

  test('a day without trades has no shares', async () => {
    expect(await db.rows(alone(overview, day(['BTCUSDT', 1, 0])))).toMatchObject([
      { quote_volume_share: null, quote_volume_rank: 1 },
    ]);
  });

  test('columns and types are those declared; two days in one statement do not mix', async () => {
    const described = await db.rows(`DESCRIBE ${alone(overview, day(['BTCUSDT', 1, 1]))}`);
    expect(described.map(({ column_name, column_type }) => [column_name, column_type])).toEqual(
      goldMarketOverview.columns.map(({ name, type }) => [name, type]),
    );
    const result = await compute(overview, [day(['BTCUSDT', 1, 1], ['ETHUSDT', 1, 3]), day(['BTCUSDT', 1, 5])]);
    expect(result.map((rows) => rows.map((r) => r.quote_volume_share).sort())).toEqual([[0.25, 0.75], [1]]);
  });
});

describe.skipIf(!hasArchive)('real files (skipped without ../shared/data)', () => {
  const silver = (raw: string) =>
    alone(templateOf(silverKlines), {
      target: {},
      inputs: { raw: `(SELECT 'binance' AS exchange, * FROM ${raw})` },
    });
  const minute = { ...spot, interval: "'1m'" };

  test('2020-01-02 of BTCUSDT from minutes, against numbers added up in JavaScript', async () => {
    const path = (day: string) => `data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-${day}.zip`;
    await db.run(`CREATE OR REPLACE TABLE minutes AS ${silver(await db.load('text', path('01'), path('02')))}`);
    const bound = (date: string, where: string): Bound => ({
      target: dayTarget(date, minute),
      inputs: { klines: `(SELECT * FROM minutes WHERE ${where})`, patches: none(silverKlinesPatches) },
    });
    const [[first] = [], [second] = []] = await compute(daily, [
      bound('2020-01-01', "open_time < TIMESTAMP '2020-01-02'"),
      bound('2020-01-02', 'true'),
    ]);
    const text = await db.rows('SELECT * FROM text ORDER BY open_time');
    const [before, rows] = [text.slice(0, 1440), text.slice(1440)];
    const numbers = (name: string) => rows.map((row) => Number(row[name]));
    const sum = (name: string) => numbers(name).reduce((a, b) => a + b, 0);
    const close = numbers('close').at(-1) ?? 0;
    expect(second).toMatchObject({
      open: numbers('open')[0],
      high: Math.max(...numbers('high')),
      low: Math.min(...numbers('low')),
      close,
      trades: String(sum('count')),
      ...{ bars: 1440, expected_bars: 1440, available_at: '2020-01-03 00:00:00' },
    });
    expect(second?.volume).toBeCloseTo(sum('volume'), 6);
    expect(second?.vwap).toBeCloseTo(sum('quote_volume') / sum('volume'), 6);
    expect(second?.taker_share).toBeCloseTo(sum('taker_buy_volume') / sum('volume'), 12);
    expect(second?.simple_return).toBeCloseTo(close / Number(before.at(-1)?.close) - 1, 14);
    expect(first?.simple_return).toBeNull();
  });

  test.each([
    [
      'data/futures/cm/daily/klines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2022-10-24.zip',
      '2022-10-24',
      'cm',
      'BTCUSD_PERP',
      '1m',
    ],
    ['data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2022-05-28.zip', '2022-05-28', 'um', 'BTCUSDT', '1m'],
    [
      'data/futures/um/monthly/klines/1000PEPEUSDT/5m/1000PEPEUSDT-5m-2025-01.zip',
      '2025-01-31',
      'um',
      '1000PEPEUSDT',
      '5m',
    ],
    ['data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-05-08.zip', '2026-05-08', 'spot', 'BTCUSDT', '1h'],
  ])(
    '%s: the average price is one that was traded, in the units of every market',
    async (path, date, market, symbol, interval) => {
      await db.run(`CREATE OR REPLACE TABLE real AS ${silver(await db.load('text', path))}`);
      const target = dayTarget(date, { market: `'${market}'`, symbol: `'${symbol}'`, interval: `'${interval}'` });
      const klines = `(SELECT * FROM real WHERE open_time < ${target.end})`;
      const patches = none(silverKlinesPatches);
      const [[row] = []] = await compute(daily, [{ target, inputs: { klines, patches } }]);
      expect(row?.bars).toBe(row?.expected_bars);
      expect(Number(row?.vwap)).toBeGreaterThan(Number(row?.low));
      expect(Number(row?.vwap)).toBeLessThan(Number(row?.high));
      const check = goldKlinesDaily.checks[0];
      if (check?.test.type !== 'rows') throw new Error('no check');
      const rows = alone(daily, { target, inputs: { klines, patches } });
      expect(await db.rows(`SELECT * FROM (${rows}) WHERE ${alone(check.test.bad, { target, inputs: {} })}`)).toEqual(
        [],
      );
      expect(
        await db.rows(
          `SELECT * FROM (SELECT * REPLACE (vwap * 2 AS vwap) FROM (${rows})) WHERE ${alone(check.test.bad, { target, inputs: {} })}`,
        ),
      ).toHaveLength(1);
    },
  );
});

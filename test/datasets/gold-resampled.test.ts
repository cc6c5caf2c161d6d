import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MIRROR } from '../materialize/lake.ts';
import { type MirrorFile, mirrorLake } from './lake.ts';
import { exchangeWith, restLake } from './rest-lake.ts';

const columns =
  'open_time, open, high, low, close, volume, quote_volume, count, taker_buy_volume, taker_buy_quote_volume';
const doubles = columns.replace(/(open|high|low|close|\w*volume)(?=,|$)/g, '$1::DOUBLE');
const SELECT = '+gold/klines_resampled or +silver/klines';

/** Bars of gold that are not the exchange's own, and the other way round. */
const differing = (where: string) => {
  const gold = `SELECT market, symbol, interval, ${columns} FROM gold.klines_resampled WHERE ${where}`;
  const own = `SELECT market, symbol, interval, ${doubles} FROM silver.klines WHERE ${where}`;
  return `(${gold} EXCEPT ${own}) UNION ALL (${own} EXCEPT ${gold})`;
};

describe('gold/klines_resampled', () => {
  test("in contracts too, bars made of minutes are the exchange's own, of every length", async () => {
    const now = () => Date.UTC(2024, 0, 4, 12);
    const intervals = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'] as const;
    const exchange = await exchangeWith({
      seed: 'resampled',
      listings: [
        { market: 'spot', symbol: 'BTCUSDT', price: 40_000 },
        { market: 'cm', symbol: 'BTCUSD_PERP', price: 40_000 },
      ],
      intervals,
      from: '2024-01-02',
      to: '2024-01-02',
      now,
    });
    const { materialize, rows } = await restLake(exchange, now, [
      `exchanges.binance.intervals=[${intervals.join(',')}]`,
      'exchanges.binance.rest.enabled=false',
    ]);
    const { failed, events } = await materialize(SELECT);
    expect(failed).toEqual([]);
    expect(JSON.stringify(events)).not.toContain('reconciles_silver_klines');
    expect(await rows(differing("interval <> '1m'"))).toEqual([]);
    expect(
      await rows(
        'SELECT interval, count(*), min(base_interval), max(base_interval), any_value(expected_bars), bool_or(incomplete) FROM gold.klines_resampled GROUP BY 1 ORDER BY 2 DESC',
      ),
    ).toEqual(
      [3, 5, 15, 30, 60, 120, 240, 360, 480, 720, 1440].map((minutes, i) => [
        intervals[i + 1],
        BigInt((2 * 1440) / minutes),
        '1m',
        '1m',
        minutes,
        false,
      ]),
    );
  });

  const START = Date.UTC(2024, 4, 1);
  const MINUTE = 60_000;
  const bar = (minute: number, length: number, prices: string) =>
    `${START + minute * MINUTE},${prices},2,${START + (minute + length) * MINUTE - 1},20,3,1,10,0`;
  const of = (interval: string, ...lines: string[]) =>
    ({
      ...{ type: 'klines', market: 'spot', cadence: 'daily', symbol: 'BTCUSDT', period: '2024-05-01' },
      interval,
      csv: `${lines.join('\n')}\n`,
    }) as MirrorFile;

  test('of the shortest bars there are; holes are counted, and where there is nothing nothing is made up', async () => {
    const { materialize, rows } = await mirrorLake(
      [
        of('1m', bar(1, 1, '10,12,9,11'), bar(3, 1, '11,11,8,10'), bar(60, 1, '10,10,10,10')),
        of('5m', bar(0, 5, '1,1,1,1')),
        { ...of('5m', bar(0, 5, '10,12,9,11'), bar(5, 5, '11,15,11,14')), symbol: 'ETHUSDT' },
        { ...of('1h', bar(0, 60, '10,12,9,11')), symbol: 'SOLUSDT' },
      ],
      ['exchanges.binance.intervals=[1m,5m,1h,1d]'],
    );
    expect((await materialize('+gold/klines_resampled')).failed).toEqual([]);
    const some =
      'symbol, interval, open_time::VARCHAR, open, high, low, close, volume, count, base_interval, bars, expected_bars, incomplete, available_at::VARCHAR';
    const day = '2024-05-01';
    expect(
      await rows(
        `SELECT ${some} FROM gold.klines_resampled ORDER BY symbol, interval = '1d', expected_bars, open_time`,
      ),
    ).toEqual([
      ['BTCUSDT', '5m', `${day} 00:00:00`, 10, 12, 8, 10, 4, 6n, '1m', 2, 5, true, `${day} 00:05:00`],
      ['BTCUSDT', '5m', `${day} 01:00:00`, 10, 10, 10, 10, 2, 3n, '1m', 1, 5, true, `${day} 01:05:00`],
      ['BTCUSDT', '1h', `${day} 00:00:00`, 10, 12, 8, 10, 4, 6n, '1m', 2, 60, true, `${day} 01:00:00`],
      ['BTCUSDT', '1h', `${day} 01:00:00`, 10, 10, 10, 10, 2, 3n, '1m', 1, 60, true, `${day} 02:00:00`],
      ['BTCUSDT', '1d', `${day} 00:00:00`, 10, 12, 8, 10, 6, 9n, '1m', 3, 1440, true, '2024-05-02 00:00:00'],
      ['ETHUSDT', '1h', `${day} 00:00:00`, 10, 15, 9, 14, 4, 6n, '5m', 2, 12, true, `${day} 01:00:00`],
      ['ETHUSDT', '1d', `${day} 00:00:00`, 10, 15, 9, 14, 4, 6n, '5m', 2, 288, true, '2024-05-02 00:00:00'],
      ['SOLUSDT', '1d', `${day} 00:00:00`, 10, 12, 9, 11, 2, 3n, '1h', 1, 24, true, '2024-05-02 00:00:00'],
    ]);
  });

  test('lengths that are only computed are not fetched', async () => {
    const { materialize, rows } = await mirrorLake(
      [of('1m', bar(0, 1, '10,12,9,11')), of('5m', bar(0, 5, '1,1,1,1'))],
      ['exchanges.binance.intervals=[1m]', 'gold.intervals=[5m,4h]'],
    );
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(await rows('SELECT DISTINCT interval FROM silver.klines')).toEqual([['1m']]);
    expect(await rows('SELECT interval, close FROM gold.klines_resampled ORDER BY 1')).toEqual([
      ['4h', 11],
      ['5m', 11],
    ]);
  });

  test("a bar that does not agree with the exchange's own is reported", async () => {
    const { materialize } = await mirrorLake(
      [of('1m', bar(0, 1, '10,12,9,11')), of('5m', bar(0, 5, '10,12,9,11.5'))],
      ['exchanges.binance.intervals=[1m,5m]'],
    );
    expect(JSON.stringify((await materialize(SELECT)).events)).toContain('reconciles_silver_klines');
  });
});

const noMirror = !existsSync(MIRROR);
test.skipIf(noMirror)(
  `real minutes of 2020-01-01..03 are the exchange's own hours${noMirror ? ' (skipped: no real files at ../shared/data)' : ''}`,
  async () => {
    const { lake, rows, materialize } = await mirrorLake(
      [],
      [
        `exchanges.binance.archive.directory=${MIRROR}`,
        'exchanges.binance.symbols=BTCUSDT',
        'exchanges.binance.markets=[spot]',
        'exchanges.binance.dataTypes=[klines]',
        'exchanges.binance.intervals=[1m,1h]',
        'exchanges.binance.start=2020-01-01',
      ],
    );
    expect(lake.graph.node('gold/klines_resampled').definition.key).toBe('gold/klines_resampled');
    expect((await materialize(SELECT)).failed).toEqual([]);
    const days = "market = 'spot' AND interval = '1h' AND date BETWEEN '2020-01-01' AND '2020-01-03'";
    expect(await rows(`SELECT count(*), bool_or(incomplete) FROM gold.klines_resampled WHERE ${days}`)).toEqual([
      [72n, false],
    ]);
    expect(await rows(differing(days))).toEqual([]);
  },
);

import { describe, expect, test } from 'vitest';
import { excerpt, mirrorLake, noExcerpts, skipped } from './lake.ts';

const HEADER =
  'time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,accumulated_fill_quantity';
const um = { type: 'liquidationSnapshot', market: 'um', cadence: 'daily', symbol: 'BTCUSDT' } as const;
const cm = { ...um, market: 'cm', symbol: 'BTCUSD_PERP' } as const;
const csv = (...lines: string[]) => [HEADER, ...lines, ''].join('\n');
const sell = '1711843200500,SELL,LIMIT,IOC,0.500,70000.0,69000.0,FILLED,0.100,0.500';
const buy = '1711843201000,BUY,LIMIT,IOC,0.020,71000.0,70500.0,FILLED,0.020,0.020';
const late = '1711846800000,SELL,LIMIT,IOC,1.000,70000.0,69500.5,PARTIALLY_FILLED,0.250,0.250';
const day = { ...um, period: '2024-03-31', csv: csv(buy, sell, sell, buy, late, late, late, late) };

describe('silver/liquidations', () => {
  test('trap 18: what the archive has twice is one row, and how often it was there is kept', async () => {
    const { materialize, rows } = await mirrorLake([day]);
    expect((await materialize('+silver/liquidations')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT time::VARCHAR, side, average_price::VARCHAR, accumulated_fill_quantity::VARCHAR, copies FROM silver.liquidations ORDER BY 1',
      ),
    ).toEqual([
      ['2024-03-31 00:00:00.5', 'SELL', '69000.00000000', '0.50000000', 2],
      ['2024-03-31 00:00:01', 'BUY', '70500.00000000', '0.02000000', 2],
      ['2024-03-31 01:00:00', 'SELL', '69500.50000000', '0.25000000', 4],
    ]);
  });

  test('an unknown side is refused, with its row', async () => {
    const { materialize } = await mirrorLake([{ ...day, csv: csv(sell.replace('SELL', 'SHORT')) }]);
    const { failed } = await materialize('+silver/liquidations');
    expect(JSON.stringify(failed)).toContain(
      "side is 'SHORT' in the row with time 1711843200500: expected BUY or SELL",
    );
  });

  test('trap 18: withdrawn upstream, days after the last are neither waited for nor failures; holes before it are unavailable', async () => {
    const other = { ...um, period: '2024-03-28', csv: csv(sell.replace('1711843200500', '1711584000500')) };
    const { existing, materialize } = await mirrorLake([other, day]);
    expect((await materialize('+silver/liquidations')).failed).toEqual([]);
    expect(existing('silver/liquidations')).toEqual({
      ready: ['2024-03-28', '2024-03-31'],
      awaiting: [],
      unavailable: ['2024-03-29', '2024-03-30'],
    });
  });
});

describe('gold', () => {
  test('bars by side, in base and quote amounts', async () => {
    const { materialize, rows } = await mirrorLake([day], ['exchanges.binance.intervals=[1m,1h]']);
    expect((await materialize('+gold/liquidations')).failed).toEqual([]);
    expect(
      await rows(
        `SELECT interval, open_time::VARCHAR, side, liquidations, quantity, notional, largest_notional, available_at::VARCHAR
        FROM gold.liquidations ORDER BY ALL`,
      ),
    ).toEqual([
      ['1h', '2024-03-31 00:00:00', 'BUY', 1n, 0.02, 1410, 1410, '2024-03-31 01:00:00'],
      ['1h', '2024-03-31 00:00:00', 'SELL', 1n, 0.5, 34500, 34500, '2024-03-31 01:00:00'],
      ['1h', '2024-03-31 01:00:00', 'SELL', 1n, 0.25, 17375.125, 17375.125, '2024-03-31 02:00:00'],
      ['1m', '2024-03-31 00:00:00', 'BUY', 1n, 0.02, 1410, 1410, '2024-03-31 00:01:00'],
      ['1m', '2024-03-31 00:00:00', 'SELL', 1n, 0.5, 34500, 34500, '2024-03-31 00:01:00'],
      ['1m', '2024-03-31 01:00:00', 'SELL', 1n, 0.25, 17375.125, 17375.125, '2024-03-31 01:01:00'],
    ]);
  });

  test('the largest of all symbols; contracts of cm are valued in USD', async () => {
    const eth = { ...day, symbol: 'ETHUSDT', csv: csv(sell.replace('0.100,0.500', '0.100,0.300')) };
    const coin = { ...cm, period: '2024-03-31', csv: csv('1711843200500,SELL,LIMIT,IOC,7,70000,50000.0,FILLED,6,7') };
    const { materialize, rows } = await mirrorLake([day, eth, coin]);
    expect((await materialize('+gold/largest_liquidations')).failed).toEqual([]);
    expect(
      await rows('SELECT market, rank, symbol, side, quantity, notional FROM gold.largest_liquidations ORDER BY 1, 2'),
    ).toEqual([
      ['cm', 1, 'BTCUSD_PERP', 'SELL', 0.014, 700],
      ['um', 1, 'BTCUSDT', 'SELL', 0.5, 34500],
      ['um', 2, 'ETHUSDT', 'SELL', 0.3, 20700],
      ['um', 3, 'BTCUSDT', 'SELL', 0.25, 17375.125],
      ['um', 4, 'BTCUSDT', 'BUY', 0.02, 1410],
    ]);
  });
});

describe.skipIf(noExcerpts)(`real liquidations${skipped}`, () => {
  test('trap 18: COIN-M of 2023-06-25 and 2024-10-01', async () => {
    const { materialize, rows } = await mirrorLake([
      { ...cm, period: '2023-06-25', csv: excerpt('cm-liquidationSnapshot-BTCUSD_PERP-2023-06-25.first3.csv') },
      { ...cm, period: '2024-10-01', csv: excerpt('cm-liquidationSnapshot-2024-10-01.four-rows.csv') },
    ]);
    expect((await materialize('+silver/liquidations')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT date, side, accumulated_fill_quantity::INTEGER, average_price::VARCHAR, copies FROM silver.liquidations ORDER BY time',
      ),
    ).toEqual([
      ['2023-06-25', 'BUY', 7, '30631.60000000', 2],
      ['2023-06-25', 'BUY', 43, '30631.60000000', 1],
      ['2024-10-01', 'BUY', 7, '63425.10000000', 2],
      ['2024-10-01', 'SELL', 1, '63020.90000000', 2],
    ]);
  });
});

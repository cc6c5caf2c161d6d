import { describe, expect, test } from 'vitest';
import { excerpt, mirrorLake, noExcerpts, skipped } from './lake.ts';

const HEADER =
  'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio';
const um = { type: 'metrics', market: 'um', cadence: 'daily', symbol: 'BTCUSDT' } as const;
const row = (time: string, interest: string) => `${time},BTCUSDT,${interest},6000.5000000000000000,1.2,"",1.10,0.5`;
const day = (period: string, ...lines: string[]) => ({ ...um, period, csv: [HEADER, ...lines, ''].join('\n') });
const starts = 'SELECT date, period_start::VARCHAR, create_time::VARCHAR FROM silver.metrics ORDER BY 1, 2';

describe('silver/metrics', () => {
  test('trap 19: rows out of order and twice, quoted empty ratios, and zeros beyond 8 decimals', async () => {
    const late = row('2026-09-15 00:25:00', '2.5000000000000000');
    const { materialize, rows } = await mirrorLake([day('2026-09-15', late, row('2026-09-15 00:00:00', '1.25'), late)]);
    expect((await materialize('+silver/metrics')).failed).toEqual([]);
    expect(
      await rows(
        `SELECT period_start::VARCHAR, sum_open_interest::VARCHAR, sum_open_interest_value::VARCHAR,
          count_toptrader_long_short_ratio::VARCHAR, sum_toptrader_long_short_ratio, sum_taker_long_short_vol_ratio::VARCHAR FROM silver.metrics`,
      ),
    ).toEqual([
      ['2026-09-15 00:00:00', '1.25000000', '6000.50000000', '1.20000000', null, '0.50000000'],
      ['2026-09-15 00:25:00', '2.50000000', '6000.50000000', '1.20000000', null, '0.50000000'],
    ]);
  });

  test('um wrote the end of the 5 minutes up to 2026-06-24, and their start since: no label is lost or twice', async () => {
    const { materialize, rows } = await mirrorLake([
      day('2026-06-24', row('2026-06-24 00:05:00', '1'), row('2026-06-25 00:00:00', '2')),
      day('2026-06-25', row('2026-06-25 00:00:00', '3'), row('2026-06-25 23:55:00', '4')),
    ]);
    expect((await materialize('+silver/metrics')).failed).toEqual([]);
    expect(await rows(starts)).toEqual([
      ['2026-06-24', '2026-06-24 00:00:00', '2026-06-24 00:05:00'],
      ['2026-06-24', '2026-06-24 23:55:00', '2026-06-25 00:00:00'],
      ['2026-06-25', '2026-06-25 00:00:00', '2026-06-25 00:00:00'],
      ['2026-06-25', '2026-06-25 23:55:00', '2026-06-25 23:55:00'],
    ]);
  });

  test('a file says what its labels are; where its ends are missing the market and the date do', async () => {
    const middle = (period: string) => day(period, row(`${period} 12:00:00`, '1'));
    const { materialize, rows } = await mirrorLake([
      day('2023-01-01', row('2023-01-01 00:00:00', '1'), row('2023-01-01 00:05:00', '1')),
      middle('2023-01-02'),
      middle('2026-07-01'),
      { ...middle('2023-01-02'), market: 'cm' },
    ]);
    expect((await materialize('+silver/metrics')).failed).toEqual([]);
    expect(await rows(starts.replace('SELECT', 'SELECT market,').replace('ORDER BY 1, 2', 'ORDER BY 1, 2, 3'))).toEqual(
      [
        ['cm', '2023-01-02', '2023-01-02 12:00:00', '2023-01-02 12:00:00'],
        ['um', '2023-01-01', '2023-01-01 00:00:00', '2023-01-01 00:00:00'],
        ['um', '2023-01-01', '2023-01-01 00:05:00', '2023-01-01 00:05:00'],
        ['um', '2023-01-02', '2023-01-02 11:55:00', '2023-01-02 12:00:00'],
        ['um', '2026-07-01', '2026-07-01 12:00:00', '2026-07-01 12:00:00'],
      ],
    );
  });

  test.each([
    [
      'another symbol',
      row('2026-09-15 00:00:00', '1').replace('BTCUSDT', 'BTCUSD_PERP'),
      "file_symbol is 'BTCUSD_PERP'",
    ],
    ['a ninth decimal', row('2026-09-15 00:00:00', '1.1234567890000001'), "sum_open_interest is '1.1234567890000001'"],
    ['another way to write a time', row('15/09/2026 00:00', '1'), "create_time is '15/09/2026 00:00'"],
  ])('%s is refused, with its row', async (_, line, message) => {
    const { materialize } = await mirrorLake([day('2026-09-15', line)]);
    expect(JSON.stringify((await materialize('+silver/metrics')).failed)).toContain(message);
  });

  test('two rows of one time that contradict each other are refused', async () => {
    const { materialize } = await mirrorLake([
      day('2026-09-15', row('2026-09-15 00:00:00', '1'), row('2026-09-15 00:00:00', '2')),
    ]);
    expect(JSON.stringify((await materialize('+silver/metrics')).failed)).toContain('duplicate-rows');
  });

  test('gold/open_interest: the change since 5 minutes, an hour and a day, over midnight too', async () => {
    const { materialize, rows } = await mirrorLake([
      day(
        '2026-09-15',
        row('2026-09-15 00:00:00', '80'),
        row('2026-09-15 23:00:00', '50'),
        row('2026-09-15 23:55:00', '200'),
      ),
      day('2026-09-16', row('2026-09-16 00:00:00', '100'), row('2026-09-16 00:10:00', '100')),
    ]);
    expect((await materialize('+gold/open_interest')).failed).toEqual([]);
    expect(
      await rows(
        `SELECT period_start::VARCHAR, open_interest, change_5m, change_1h, change_24h, top_positions_long_short, taker_buy_sell, available_at::VARCHAR
        FROM gold.open_interest WHERE date = '2026-09-16' ORDER BY 1`,
      ),
    ).toEqual([
      ['2026-09-16 00:00:00', 100, -0.5, 1, 0.25, null, 0.5, '2026-09-16 00:05:00'],
      ['2026-09-16 00:10:00', 100, null, null, null, null, 0.5, '2026-09-16 00:15:00'],
    ]);
  });
});

describe.skipIf(noExcerpts)(`real metrics${skipped}`, () => {
  test('traps 12 and 19: USD-M of 2026-09-15 with a hole, COIN-M of 2023-06-25 without ratios', async () => {
    const { materialize, rows } = await mirrorLake([
      { ...um, period: '2026-09-15', csv: excerpt('um-metrics-BTCUSDT-2026-09-15.two-rows.csv') },
      {
        ...um,
        market: 'cm',
        symbol: 'BTCUSD_PERP',
        period: '2023-06-25',
        csv: excerpt('cm-metrics-BTCUSD_PERP-2023-06-25.first3.csv'),
      },
    ]);
    expect((await materialize('+silver/metrics')).failed).toEqual([]);
    expect(
      await rows(
        `SELECT market, period_start::VARCHAR, sum_open_interest::VARCHAR, sum_open_interest_value::VARCHAR, count_long_short_ratio::VARCHAR
        FROM silver.metrics ORDER BY 1, 2`,
      ),
    ).toEqual([
      ['cm', '2023-06-25 00:00:00', '5578700.00000000', '18265.00911826', null],
      ['cm', '2023-06-25 00:05:00', '5578209.00000000', '18261.90678854', null],
      ['cm', '2023-06-25 00:10:00', '5574401.00000000', '18244.30356547', null],
      ['um', '2026-09-15 00:00:00', '103513.56100000', '8088539305.18390000', '1.17124703'],
      ['um', '2026-09-15 00:25:00', '103351.07900000', '8059947582.00190000', '1.18010094'],
    ]);
  });
});

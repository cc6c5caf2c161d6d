import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MIRROR } from '../materialize/lake.ts';
import { excerpt, mirrorLake, noExcerpts, skipped } from './lake.ts';

const HEADER = 'calc_time,funding_interval_hours,last_funding_rate';
const um = { type: 'fundingRate', market: 'um', cadence: 'monthly', symbol: 'BTCUSDT', period: '2024-01' } as const;
const of = (...lines: string[]) => ({ ...um, csv: [HEADER, ...lines, ''].join('\n') });
const SELECT = '+silver/funding_rates';

describe('silver/funding_rates', () => {
  test('trap 11: jitter goes, the slot stays, and so does what was published', async () => {
    const { materialize, rows } = await mirrorLake([
      of('1704067199998,8,0.00010000', '1704096000011,8,-0.00000123', '1704124800000,4,0.00037409'),
    ]);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows(
        'SELECT date, funding_time::VARCHAR, funding_rate::VARCHAR, interval_hours, calc_time::VARCHAR FROM silver.funding_rates ORDER BY 2',
      ),
    ).toEqual([
      ['2024-01-01', '2024-01-01 00:00:00', '0.00010000', 8, '2023-12-31 23:59:59.998'],
      ['2024-01-01', '2024-01-01 08:00:00', '-0.00000123', 8, '2024-01-01 08:00:00.011'],
      ['2024-01-01', '2024-01-01 16:00:00', '0.00037409', 4, '2024-01-01 16:00:00'],
    ]);
  });

  test('a rate that cannot be read exactly is refused, with its row', async () => {
    const { materialize } = await mirrorLake([of('1704096000011,8,1.0E-4')]);
    const { failed } = await materialize(SELECT);
    expect(JSON.stringify(failed)).toContain("last_funding_rate is '1.0E-4' in the row with calc_time 1704096000011");
  });
});

describe.skipIf(noExcerpts)(`real funding rates${skipped}`, () => {
  test('COIN-M of 2023-06 and the month of USD-M in the mirror', async () => {
    const csv = excerpt('cm-fundingRate-BTCUSD_PERP-2023-06.first3.csv');
    const cm = {
      type: 'fundingRate',
      market: 'cm',
      cadence: 'monthly',
      symbol: 'BTCUSD_PERP',
      period: '2023-06',
    } as const;
    const { materialize, rows } = await mirrorLake([{ ...cm, csv }]);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows('SELECT symbol, count(*), min(funding_time)::VARCHAR FROM silver.funding_rates GROUP BY 1'),
    ).toEqual([['BTCUSD_PERP', 3n, '2023-06-01 00:00:00']]);
  });

  test.skipIf(!existsSync(MIRROR))('all of 2026-04 fall into 8-hour slots', async () => {
    const { materialize, rows } = await mirrorLake([], [`exchanges.binance.archive.directory=${MIRROR}`]);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows(
        'SELECT count(*), count(DISTINCT funding_time), max(hour(funding_time) % 8), max(epoch_ms(calc_time - funding_time)) > 0 FROM silver.funding_rates',
      ),
    ).toEqual([[90n, 90n, 0n, true]]);
  });
});

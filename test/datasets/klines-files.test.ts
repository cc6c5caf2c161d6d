import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MirrorFile, mirrorLake } from './lake.ts';

const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
const HAND_MADE =
  'open_time,open,high,low,close,volume,close_time,quote_asset_volume,number_of_trades,taker_buy_base_asset_volume,taker_buy_quote_asset_volume,ignore';
const um = { type: 'klines', market: 'um', cadence: 'daily', symbol: 'BTCUSDT', interval: '1h' } as const;
const SELECT = '+silver/klines';
const hourly = ['exchanges.binance.intervals=[1h]'];

/** Hours of a day, and the header where there is one. */
function day(
  period: string,
  { header, hours = [0, 1], last = '0' }: { header?: string; hours?: number[]; last?: string },
) {
  const start = Date.parse(`${period}T00:00:00Z`);
  const rows = hours.map(
    (hour) => `${start + hour * 3_600_000},2,4,1,3,10,${start + hour * 3_600_000 + 3_599_999},25,7,5,12.5,${last}`,
  );
  return [...(header ? [header] : []), ...rows, ''].join('\n');
}

describe('files of candles', () => {
  test('traps 1, 2, 4, 5: header or not is decided by each file, days and months, whatever its words and its last column', async () => {
    const month = ['2022-04-01', '2022-04-02'].map((period) => day(period, {})).join('');
    const files: MirrorFile[] = [
      { ...um, period: '2022-03-27', csv: day('2022-03-27', {}) },
      { ...um, period: '2022-03-28', csv: day('2022-03-28', { header: HEADER }) },
      { ...um, period: '2022-03-29', csv: day('2022-03-29', { header: HAND_MADE }) },
      { ...um, period: '2022-03-30', csv: day('2022-03-30', { last: '7887.63551305' }) },
      { ...um, period: '2022-04-01', csv: day('2022-04-01', { header: HEADER }) },
      { ...um, cadence: 'monthly', period: '2022-04', csv: month },
    ];
    const { materialize, rows } = await mirrorLake(files, hourly);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows('SELECT date, count(*), sum(quote_volume)::VARCHAR FROM silver.klines GROUP BY 1 ORDER BY 1'),
    ).toEqual(
      ['2022-03-27', '2022-03-28', '2022-03-29', '2022-03-30', '2022-04-01', '2022-04-02'].map((date) => [
        date,
        2n,
        '50.00000000',
      ]),
    );
  });

  test('trap 24: a day that nobody ever published is unavailable, and no failure', async () => {
    const { materialize, existing } = await mirrorLake(
      ['2024-05-01', '2024-05-03'].map((period) => ({ ...um, period, csv: day(period, {}) })),
      hourly,
    );
    const { failed, outcome } = await materialize(SELECT);
    expect([failed, outcome]).toEqual([[], 'succeeded']);
    expect(existing('silver/klines')).toEqual({
      ready: ['2024-05-01', '2024-05-03'],
      awaiting: [],
      unavailable: ['2024-05-02'],
    });
  });

  test('trap 9: bars off the grid are kept, also where one begins before the one before ends, and reported', async () => {
    const start = Date.parse('2018-02-11T00:00:00Z');
    // As published on 2018-02-11: it opens 28 minutes late and ends in the next one.
    const late = `${start + 10 * 3_600_000 + 1_694_789},2,4,1,3,10,${start + 11 * 3_600_000 + 1_694_788},25,7,5,12.5,0`;
    const csv = `${day('2018-02-11', { hours: [9] })}${late}\n${day('2018-02-11', { hours: [11] })}`;
    const { materialize, rows } = await mirrorLake([{ ...um, market: 'spot', period: '2018-02-11', csv }], hourly);
    const { failed, events } = await materialize(SELECT);
    expect(failed).toEqual([]);
    expect(await rows('SELECT open_time::VARCHAR FROM silver.klines ORDER BY 1')).toEqual([
      ['2018-02-11 09:00:00'],
      ['2018-02-11 10:28:14.789'],
      ['2018-02-11 11:00:00'],
    ]);
    expect(JSON.stringify(events)).toContain('on_grid');
  });
});

const MANGLED = '../shared/data/excerpts/mangled-by-third-parties/bbgo-BTCUSDT-1h-2023-11-18.csv';
const noMangled = !existsSync(MANGLED);
test.skipIf(noMangled)(
  `traps 4 and 17: what a spreadsheet made of a file is refused, with the first of its rows${noMangled ? ' (skipped: no real files at ../shared/data)' : ''}`,
  async () => {
    const { materialize, rows } = await mirrorLake(
      [
        { ...um, market: 'spot', period: '2023-11-18', csv: readFileSync(MANGLED, 'utf8') },
        { ...um, market: 'spot', period: '2023-11-19', csv: day('2023-11-19', {}) },
      ],
      hourly,
    );
    const { failed } = await materialize(SELECT);
    expect(failed.map((event) => 'key' in event && event.key)).toHaveLength(1);
    expect(JSON.stringify(failed)).toContain(
      "open_time is '1.70027E+12' in the row with open_time 1.70027E+12: expected milliseconds (13 digits)",
    );
    expect(await rows('SELECT date, count(*) FROM silver.klines GROUP BY 1')).toEqual([['2023-11-19', 2n]]);
  },
);

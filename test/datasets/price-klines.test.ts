import { describe, expect, test } from 'vitest';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import { evaluateNow } from '../../framework/report/evaluated.ts';
import { freshnessNow } from '../../framework/report/freshness.ts';
import { excerpt, type MirrorFile, mirrorLake, noExcerpts, skipped } from './lake.ts';

const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
const start = Date.UTC(2024, 4, 1);
const hour = (i: number, close: string, rest = ',0') =>
  `${start + i * 3_600_000},${close},${close},${close},${close},0,${start + i * 3_600_000 + 3_599_999},0,60,0,0${rest}`;
const um = { market: 'um', cadence: 'daily', symbol: 'BTCUSDT', interval: '1h', period: '2024-05-01' } as const;
const csv = (...lines: string[]) => [HEADER, ...lines, ''].join('\n');
const hourly = ['exchanges.binance.intervals=[1h]'];

describe('candles of prices', () => {
  test('mark, index and premium index; a premium may be negative and amounts may be left blank', async () => {
    const blank = `${start},-0.00012300,-0.00010000,-0.00020000,-0.00015000,,${start + 3_599_999},,,,,`;
    const { materialize, rows } = await mirrorLake(
      [
        { ...um, type: 'markPriceKlines', csv: csv(hour(0, '60000.12345678')) },
        { ...um, type: 'indexPriceKlines', csv: csv(hour(0, '60001')) },
        { ...um, type: 'premiumIndexKlines', csv: csv(blank) },
      ],
      hourly,
    );
    const { failed } = await materialize(
      '+silver/mark_price_klines or +silver/index_price_klines or +silver/premium_index_klines',
    );
    expect(failed).toEqual([]);
    const all = 'open_time::VARCHAR, high::VARCHAR, low::VARCHAR, close::VARCHAR, close_time::VARCHAR, count';
    const time = ['2024-05-01 00:00:00', '2024-05-01 00:59:59.999'] as const;
    expect(await rows(`SELECT ${all} FROM silver.mark_price_klines`)).toEqual([
      [time[0], '60000.12345678', '60000.12345678', '60000.12345678', time[1], 60n],
    ]);
    expect(await rows('SELECT close::VARCHAR FROM silver.index_price_klines')).toEqual([['60001.00000000']]);
    expect(await rows(`SELECT ${all} FROM silver.premium_index_klines`)).toEqual([
      [time[0], '-0.00010000', '-0.00020000', '-0.00015000', time[1], null],
    ]);
  });

  test('nothing is expected of data that the settings do not want', async () => {
    const { lake, materialize } = await mirrorLake(
      [{ ...um, type: 'markPriceKlines', csv: csv(hour(0, '1')) }],
      ['exchanges.binance.dataTypes=[klines]'],
    );
    await materialize('+silver/*');
    const known = [...freshnessNow(lake, evaluateNow(lake)).keys()];
    expect(known.filter((key) => key.startsWith('silver/'))).toEqual(['silver/klines']);
  });

  test('the month before the day, as for klines', async () => {
    const month = { ...um, cadence: 'monthly', period: '2024-05' } as const;
    const { materialize, rows } = await mirrorLake(
      [
        { ...month, type: 'markPriceKlines', csv: csv(hour(0, '2'), hour(24, '3')) },
        { ...um, type: 'markPriceKlines', csv: csv(hour(0, '1')) },
      ],
      hourly,
    );
    expect((await materialize('+silver/mark_price_klines')).failed).toEqual([]);
    expect(await rows('SELECT date, close::DOUBLE FROM silver.mark_price_klines ORDER BY 1')).toEqual([
      ['2024-05-01', 2],
      ['2024-05-02', 3],
    ]);
  });

  test('gold/basis: um by its symbol, cm by its pair; the mark price where it is', async () => {
    const cm = { ...um, market: 'cm' } as const;
    const kline = (i: number, close: string) => hour(i, close).replace(',0,0,0', ',1,1,0');
    const files: MirrorFile[] = [
      { ...um, type: 'klines', csv: csv(kline(0, '60060.5'), kline(1, '60000')) },
      { ...um, type: 'indexPriceKlines', csv: csv(hour(0, '60000'), hour(2, '60000')) },
      { ...um, type: 'markPriceKlines', csv: csv(hour(0, '60030')) },
      { ...cm, symbol: 'BTCUSD_PERP', type: 'klines', csv: csv(kline(0, '59970')) },
      { ...cm, symbol: 'BTCUSD_240628', type: 'klines', csv: csv(kline(0, '61200')) },
      { ...cm, symbol: 'BTCUSD', type: 'indexPriceKlines', csv: csv(hour(0, '60000')) },
    ];
    const { materialize, rows } = await mirrorLake(files, hourly);
    expect((await materialize('+gold/basis')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT market, symbol, open_time::VARCHAR, basis, round(relative_basis, 12), mark_basis, available_at::VARCHAR FROM gold.basis ORDER BY ALL',
      ),
    ).toEqual([
      ['cm', 'BTCUSD_240628', '2024-05-01 00:00:00', 1200, 0.02, null, '2024-05-01 01:00:00'],
      ['cm', 'BTCUSD_PERP', '2024-05-01 00:00:00', -30, -0.0005, null, '2024-05-01 01:00:00'],
      ['um', 'BTCUSDT', '2024-05-01 00:00:00', 60.5, 0.001008333333, 30, '2024-05-01 01:00:00'],
    ]);
  });
});

describe('candles longer than a day', () => {
  const DAY = 86_400_000;
  const long = (opens: string, days: number, close = '2') =>
    `${Date.parse(opens)},1,3,1,${close},10,${Date.parse(opens) + days * DAY - 1},15,4,5,8,0`;
  const spot = { type: 'klines', market: 'spot', cadence: 'monthly', symbol: 'BTCUSDT' } as const;
  const lines = (...all: string[]) => `${all.join('\n')}\n`;
  const files: MirrorFile[] = [
    { ...spot, interval: '3d', period: '2024-05', csv: lines(long('2024-05-01', 3), long('2024-05-31', 3)) },
    { ...spot, interval: '1w', period: '2024-05', csv: lines(long('2024-05-06', 7), long('2024-05-27', 7)) },
    { ...spot, interval: '1mo', period: '2024-02', csv: lines(long('2024-02-01', 29)) },
    { ...spot, interval: '1d', period: '2024-05', csv: lines(long('2024-05-01', 1)) },
  ];
  const wanted = ['exchanges.binance.intervals=[1d,3d,1w,1mo]'];

  test('by the month in which they open, whatever month they end in', async () => {
    const { materialize, rows, existing } = await mirrorLake(files, wanted);
    expect((await materialize('+silver/long_klines or +silver/klines')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT interval, month, open_time::VARCHAR, close_time::VARCHAR FROM silver.long_klines ORDER BY 1, 3',
      ),
    ).toEqual([
      ['1mo', '2024-02-01', '2024-02-01 00:00:00', '2024-02-29 23:59:59.999'],
      ['1w', '2024-05-01', '2024-05-06 00:00:00', '2024-05-12 23:59:59.999'],
      ['1w', '2024-05-01', '2024-05-27 00:00:00', '2024-06-02 23:59:59.999'],
      ['3d', '2024-05-01', '2024-05-01 00:00:00', '2024-05-03 23:59:59.999'],
      ['3d', '2024-05-01', '2024-05-31 00:00:00', '2024-06-02 23:59:59.999'],
    ]);
    expect(existing('silver/long_klines')).toEqual({
      ready: ['2024-02', '2024-05', '2024-05'],
      awaiting: [],
      unavailable: [],
    });
    expect(await rows('SELECT DISTINCT interval FROM silver.klines')).toEqual([['1d']]);
  });

  test('of mark price, index and premium index too', async () => {
    const types = ['markPriceKlines', 'indexPriceKlines', 'premiumIndexKlines'] as const;
    const week = csv(hour(0, '1').replace(String(start), String(Date.parse('2024-05-06'))));
    const { materialize, rows } = await mirrorLake(
      types.map((type) => ({ ...um, type, cadence: 'monthly', interval: '1w', period: '2024-05', csv: week })),
      wanted,
    );
    expect((await materialize('+silver/long_*_klines')).failed).toEqual([]);
    const names = ['mark_price', 'index_price', 'premium_index'];
    const counts = names.map((name) => `(SELECT count(*) FROM silver.long_${name}_klines WHERE month = '2024-05-01')`);
    expect(await rows(`SELECT ${counts.join(', ')}`)).toEqual([[1n, 1n, 1n]]);
  });

  test('a candle that opens in another month is refused', async () => {
    const csv = lines(long('2024-04-29', 7), long('2024-05-06', 7));
    const { materialize } = await mirrorLake([{ ...spot, interval: '1w', period: '2024-05', csv }], wanted);
    const { failed } = await materialize('+silver/long_klines');
    expect(JSON.stringify(failed)).toContain('rows-outside-partition');
  });

  test('silver.all_klines is both', async () => {
    const { lake, materialize, rows } = await mirrorLake(files, wanted);
    await materialize('+silver/long_klines or +silver/klines');
    const asked = await lakeViews(lake, openFiles(lake), ({ key }) => key === 'silver/all_klines');
    const read = asked.filter((view) => 'files' in view && view.files.length > 0);
    expect(read.map(({ definition }) => definition.key).sort()).toEqual(['silver/klines', 'silver/long_klines']);
    expect(await rows('SELECT interval, count(*), min(date) FROM silver.all_klines GROUP BY 1 ORDER BY 1')).toEqual([
      ['1d', 1n, '2024-05-01'],
      ['1mo', 1n, '2024-02-01'],
      ['1w', 2n, '2024-05-06'],
      ['3d', 2n, '2024-05-01'],
    ]);
  });
});

describe.skipIf(noExcerpts)(`real candles${skipped}`, () => {
  test('first rows of seconds, minutes and hours', async () => {
    const spot = { type: 'klines', market: 'spot', cadence: 'daily', symbol: 'BTCUSDT' } as const;
    const { materialize, rows } = await mirrorLake(
      [
        { ...spot, interval: '1s', period: '2026-09-05', csv: excerpt('spot-klines-BTCUSDT-1s-2026-09-05.head5.csv') },
        { ...spot, interval: '1m', period: '2026-09-15', csv: excerpt('spot-klines-BTCUSDT-1m-2026-09-15.first4.csv') },
        {
          ...spot,
          symbol: 'ADABTC',
          interval: '1m',
          period: '2021-11-27',
          csv: excerpt('spot-klines-ADABTC-1m-2021-11-27.first10.csv'),
        },
        {
          ...spot,
          market: 'um',
          interval: '1h',
          period: '2026-09-15',
          csv: excerpt('um-klines-BTCUSDT-1h-2026-09-15.first3.csv'),
        },
      ],
      ['exchanges.binance.intervals=[1s,1m,1h]'],
    );
    expect((await materialize('+silver/klines')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT market, symbol, interval, count(*), max(close_time)::VARCHAR, sum(quote_volume)::VARCHAR FROM silver.klines GROUP BY 1, 2, 3 ORDER BY ALL',
      ),
    ).toEqual([
      ['spot', 'ADABTC', '1m', 10n, '2021-11-27 00:09:59.999', '10.99493034'],
      ['spot', 'BTCUSDT', '1m', 4n, '2026-09-15 00:03:59.999', '2196588.57842540'],
      ['spot', 'BTCUSDT', '1s', 5n, '2026-09-05 00:00:04.999', '4140.76653800'],
      ['um', 'BTCUSDT', '1h', 3n, '2026-09-15 02:59:59.999', '1327688015.15720000'],
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { statuses, work } from '../materialize/support.ts';
import { mirrorLake, writeFiles } from './lake.ts';

const HOUR = 3_600_000;
const of = { type: 'klines', market: 'spot', symbol: 'BTCUSDT', interval: '1h' } as const;
const midnight = (date: string) => Date.parse(`${date}T00:00:00Z`);

/** A line of the archive for an hour of a day; `close` tells rows apart. */
function line(date: string, hour: number, close = '10.00000000'): string {
  const open = midnight(date) + hour * HOUR;
  const amounts = ['1.00000000', open + HOUR - 1, '10.00000000', '5', '0.50000000', '5.00000000', '0'];
  return [open, '10.00000000', '20.00000000', '5.00000000', close, ...amounts].join(',');
}
const hours = (date: string, without: readonly number[] = []): string[] =>
  Array.from({ length: 24 }, (_, hour) => hour)
    .filter((hour) => !without.includes(hour))
    .map((hour) => line(date, hour));
const daily = (period: string, lines: readonly string[]) =>
  ({ ...of, cadence: 'daily', period, csv: `${lines.join('\n')}\n` }) as const;
const monthly = (lines: readonly string[]) =>
  ({ ...of, cadence: 'monthly', period: '2024-01', csv: `${lines.join('\n')}\n` }) as const;

const JANUARY = 'exchange=binance/market=spot/symbol=BTCUSDT/interval=1h/month=2024-01';
const DAYS = Array.from({ length: 31 }, (_, i) => `2024-01-${String(i + 1).padStart(2, '0')}`);
const ALL = 'bronze/klines_daily or +silver/klines_reconciliation or +silver/klines_gaps or silver/klines_patches';

/** Both archives, with these days of the monthly file written otherwise. */
async function lakeWith(
  inMonth: Readonly<Record<string, readonly string[]>>,
  inDays: Readonly<Record<string, readonly string[]>>,
) {
  const made = await mirrorLake([
    monthly(DAYS.flatMap((day) => inMonth[day] ?? hours(day))),
    ...Object.entries(inDays).map(([day, lines]) => daily(day, lines)),
  ]);
  // By themselves daily files of a month that is there are not needed: they are fetched because they are asked for.
  expect((await made.materialize('+bronze/klines_daily')).failed).toEqual([]);
  expect((await made.materialize(ALL)).failed).toEqual([]);
  return made;
}

describe('sources of the same day', () => {
  test('that agree give no rows, no gaps and nothing filled', async () => {
    const { rows } = await lakeWith({}, { '2024-01-02': hours('2024-01-02') });
    expect(await rows('SELECT * FROM silver.klines_reconciliation')).toEqual([]);
    expect(await rows('SELECT * FROM silver.klines_gaps')).toEqual([]);
    expect(await rows('SELECT count(*), count(filled_from) FROM silver.klines_filled')).toEqual([[744n, 0n]]);
  });

  test('that disagree: missing, different and doubled bars, with who says what', async () => {
    const day = '2024-01-02';
    const { rows } = await lakeWith(
      { [day]: hours(day, [5, 6]) },
      {
        [day]: [...hours(day, [7]).slice(0, 10), line(day, 11, '11.00000000'), ...hours(day).slice(12), line(day, 23)],
      },
    );
    expect(
      await rows(
        'SELECT hour(open_time), source, problem, best_source, detail FROM silver.klines_reconciliation ORDER BY 1, 2, 3',
      ),
    ).toEqual([
      [5n, 'monthly', 'missing', 'daily', null],
      [6n, 'monthly', 'missing', 'daily', null],
      [7n, 'daily', 'missing', 'monthly', null],
      [11n, 'daily', 'differs', 'monthly', 'close: 10.00000000 / 11.00000000'],
      [23n, 'daily', 'duplicate', 'monthly', '2 times'],
    ]);
    expect(await rows('SELECT hour(gap_start), hour(gap_end), bars, kind, sources FROM silver.klines_gaps')).toEqual([
      [5n, 7n, 2, 'missing_in_source', 'daily,monthly'],
    ]);
    expect(
      await rows('SELECT hour(open_time), filled_from FROM silver.klines_filled WHERE filled_from IS NOT NULL'),
    ).toEqual([
      [5n, 'daily'],
      [6n, 'daily'],
    ]);
    expect(await rows(`SELECT count(*) FROM silver.klines WHERE date = '${day}'`)).toEqual([[22n]]);
  });

  test('a gap in all of them is an outage, in the only one unconfirmed; hours before the first bar of all are no outage', async () => {
    const { rows } = await lakeWith(
      {
        '2024-01-01': hours('2024-01-01', [0, 1, 2]),
        '2024-01-02': hours('2024-01-02', [4]),
        '2024-01-03': hours('2024-01-03', [0, 9, 10, 20]),
      },
      { '2024-01-02': hours('2024-01-02', [4]) },
    );
    expect(
      await rows('SELECT month, hour(gap_start), bars, kind, sources FROM silver.klines_gaps ORDER BY gap_start'),
    ).toEqual([
      ['2024-01-01', 0n, 3, 'before_listing', 'monthly'],
      ['2024-01-01', 4n, 1, 'outage', 'daily,monthly'],
      ['2024-01-01', 0n, 1, 'unconfirmed', 'monthly'],
      ['2024-01-01', 9n, 2, 'unconfirmed', 'monthly'],
      ['2024-01-01', 20n, 1, 'unconfirmed', 'monthly'],
    ]);
    expect(await rows('SELECT count(filled_from) FROM silver.klines_filled')).toEqual([[0n]]);
  });
});

const QUALITY = '+silver/klines_reconciliation or +silver/klines_gaps or +silver/klines_patches';
const EVERYTHING = `${QUALITY} or +gold/klines_daily`;
const whole = DAYS.map((day) => daily(day, hours(day)));

describe('a monthly file', () => {
  test('is enough: for a comparison alone no daily one is fetched, and what is fetched later is compared', async () => {
    const { lake, materialize, rows } = await mirrorLake([monthly(DAYS.flatMap((day) => hours(day))), ...whole]);
    expect(work((await materialize(QUALITY)).events)).toMatchObject({ 'bronze/klines_monthly': '1/1' });
    expect(new Set(Object.values(statuses(lake, 'bronze/klines_daily')))).toEqual(new Set(['unneeded']));
    expect(statuses(lake, 'silver/klines_reconciliation')).toEqual({ [JANUARY]: 'fresh' });
    expect(work((await materialize(QUALITY)).events)).toEqual({});

    await materialize('+bronze/klines_daily');
    expect(work((await materialize(QUALITY)).events)).toEqual({
      'silver/klines_reconciliation': '1/0',
      'silver/klines_gaps': '1/0',
      'silver/klines_patches': '1/0',
    });
    expect(await rows('SELECT count(filled_from) FROM silver.klines_filled')).toEqual([[0n]]);
  });

  test('that lacks days which daily files have takes them from silver, not from gold', async () => {
    const { mirror, materialize, rows } = await mirrorLake(whole);
    const gold = 'SELECT date::VARCHAR, bars, simple_return, available_at::VARCHAR FROM gold.klines_daily ORDER BY 1';
    expect((await materialize('+gold/klines_daily')).failed).toEqual([]);
    const before = await rows(gold);
    expect(before.length).toBe(31);
    const lacking = DAYS.slice(10, 16);
    writeFiles(mirror, [monthly(DAYS.flatMap((day) => (lacking.includes(day) ? [] : hours(day))))]);
    const { failed } = await materialize('+gold/klines_daily');
    expect(failed).toEqual([]);
    expect(await rows('SELECT count(DISTINCT date) FROM silver.klines')).toEqual([[25n]]);
    expect(await rows(gold)).toEqual(before);
  });

  test('with a line twice: that day fails in silver and is told, and silver.klines_filled has it; the others are there', async () => {
    const { lake, materialize, rows } = await mirrorLake([
      monthly(DAYS.flatMap((day) => (day === '2024-01-05' ? [...hours(day), line(day, 7)] : hours(day)))),
    ]);
    const { failed } = await materialize(EVERYTHING);
    expect(failed).toMatchObject([{ asset: 'silver/klines', error: { code: 'duplicate-rows' } }]);
    expect(await rows('SELECT open_time::VARCHAR, source, problem, detail FROM silver.klines_reconciliation')).toEqual([
      ['2024-01-05 07:00:00', 'monthly', 'duplicate', '2 times'],
    ]);
    expect(await rows('SELECT count(*), count(filled_from) FROM silver.klines_filled')).toEqual([[744n, 24n]]);
    // The day and the one after it, whose return is since then.
    const gold = Object.entries(statuses(lake, 'gold/klines_daily'));
    expect(gold.filter(([, status]) => status !== 'fresh').map(([key]) => key.slice(-10))).toEqual([
      '2024-01-05',
      '2024-01-06',
    ]);
    expect(work((await materialize(EVERYTHING)).events)).toEqual({});
  });
});

import { describe, expect, test } from 'vitest';
import { excerpt, mirrorLake, noExcerpts, skipped } from './lake.ts';

const TICKER = 'update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time';
const DEPTH = 'timestamp,percentage,depth,notional';
const um = { market: 'um', cadence: 'daily', symbol: 'BTCUSDT', period: '2024-01-15' } as const;
const at = (time: string) => Date.parse(`2024-01-15T${time}Z`);
const quote = (id: number, bid: string, ask: string, time: string) =>
  `${id},${bid},1.5,${ask},2.5,${at(time)},${at(time) + 5}`;
const ticker = (...lines: string[]) => ({ ...um, type: 'bookTicker', csv: [TICKER, ...lines, ''].join('\n') }) as const;
const depth = (...lines: string[]) => ({ ...um, type: 'bookDepth', csv: [DEPTH, ...lines, ''].join('\n') }) as const;

describe('silver/book_ticker', () => {
  test('rows out of order come in order', async () => {
    const { materialize, rows } = await mirrorLake([
      ticker(quote(9, '100.1', '100.3', '00:00:02'), quote(7, '100', '100.2', '00:00:01')),
    ]);
    expect((await materialize('+silver/book_ticker')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT update_id, best_bid_price::VARCHAR, best_ask_qty::VARCHAR, transaction_time::VARCHAR, event_time::VARCHAR FROM silver.book_ticker',
      ),
    ).toEqual([
      [7n, '100.00000000', '2.50000000', '2024-01-15 00:00:01', '2024-01-15 00:00:01.005'],
      [9n, '100.10000000', '2.50000000', '2024-01-15 00:00:02', '2024-01-15 00:00:02.005'],
    ]);
  });

  test('gold/spread: a quote weighs as long as it holds, within its bar', async () => {
    const { materialize, rows } = await mirrorLake(
      [
        ticker(
          quote(1, '100', '102', '00:00:00'), // 15 seconds
          quote(2, '100', '106', '00:00:15'), // 45 seconds
          quote(3, '99', '101', '00:01:30'),
        ),
      ],
      ['exchanges.binance.intervals=[1m]'],
    );
    expect((await materialize('+gold/spread')).failed).toEqual([]);
    const columns =
      'open_time::VARCHAR, updates, bid, ask, spread, mid, relative_spread, last_spread, available_at::VARCHAR';
    expect(await rows(`SELECT ${columns} FROM gold.spread ORDER BY 1`)).toEqual([
      ['2024-01-15 00:00:00', 2n, 100, 106, 5, 102.5, 5 / 102.5, 6, '2024-01-15 00:01:00'],
      ['2024-01-15 00:01:00', 1n, 99, 101, 2, 100, 0.02, 2, '2024-01-15 00:02:00'],
    ]);
  });
});

describe('silver/book_depth', () => {
  test('traps 12 and 20: -5 and -5.00 are one band, times are UTC', async () => {
    const { materialize, rows } = await mirrorLake([
      depth('2024-01-15 00:00:06,-5,10.5,1000', '2024-01-15 00:00:06,0.20,1.250000000000,125.5'),
      { ...depth('2024-01-16 00:00:06,-5.00,10.5,1000'), period: '2024-01-16' },
    ]);
    expect((await materialize('+silver/book_depth')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT time::VARCHAR, percentage::VARCHAR, depth::VARCHAR, notional::VARCHAR FROM silver.book_depth ORDER BY time, percentage',
      ),
    ).toEqual([
      ['2024-01-15 00:00:06', '-5.00', '10.50000000', '1000.00000000'],
      ['2024-01-15 00:00:06', '0.20', '1.25000000', '125.50000000'],
      ['2024-01-16 00:00:06', '-5.00', '10.50000000', '1000.00000000'],
    ]);
  });

  test('trap 20: the same band twice at one time is refused, however it is written', async () => {
    const { materialize } = await mirrorLake([depth('2024-01-15 00:00:06,-5,1,1', '2024-01-15 00:00:06,-5.00,2,2')]);
    expect(JSON.stringify((await materialize('+silver/book_depth')).failed)).toContain('duplicate-rows');
  });

  test.each([
    ['-0.255', '1', "percentage is '-0.255' in the row with timestamp 2024-01-15 00:00:06"],
    ['-5.00', '1.123456789', "depth is '1.123456789' in the row with timestamp 2024-01-15 00:00:06"],
    ['-5.00', '1e3', "depth is '1e3' in the row with timestamp 2024-01-15 00:00:06"],
  ])('what cannot be read exactly is refused: %s %s', async (percentage, amount, message) => {
    const { materialize } = await mirrorLake([depth(`2024-01-15 00:00:06,${percentage},${amount},1`)]);
    expect(JSON.stringify((await materialize('+silver/book_depth')).failed)).toContain(message);
  });

  test('gold/depth_imbalance: bids against asks, band by band', async () => {
    const { materialize, rows } = await mirrorLake([
      depth(
        '2024-01-15 00:00:06,-1.00,30,3000',
        '2024-01-15 00:00:06,1.00,10,1010',
        '2024-01-15 00:00:06,-0.20,0,0',
        '2024-01-15 00:00:06,0.20,0,0',
        '2024-01-15 00:00:06,5.00,50,5000',
      ),
    ]);
    expect((await materialize('+gold/depth_imbalance')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT within_percent, bid_depth, ask_depth, bid_notional, ask_notional, imbalance, available_at::VARCHAR FROM gold.depth_imbalance ORDER BY 1',
      ),
    ).toEqual([
      [0.2, 0, 0, 0, 0, null, '2024-01-15 00:00:06'],
      [1, 30, 10, 3000, 1010, 0.5, '2024-01-15 00:00:06'],
    ]);
  });
});

describe.skipIf(noExcerpts)(`real order books${skipped}`, () => {
  test('traps 12 and 20: USD-M depth of 2026-09-15 and quotes of 2024-01-15', async () => {
    const { materialize, rows } = await mirrorLake([
      {
        ...um,
        type: 'bookDepth',
        period: '2026-09-15',
        csv: excerpt('um-bookDepth-BTCUSDT-2026-09-15.first3.csv'),
      },
      { ...um, type: 'bookTicker', csv: excerpt('um-bookTicker-BTCUSDT-2024-01-15.first3.csv') },
    ]);
    expect((await materialize('+silver/book_depth or +silver/book_ticker')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT percentage::VARCHAR, depth::VARCHAR, notional::VARCHAR FROM silver.book_depth ORDER BY percentage',
      ),
    ).toEqual([
      ['-5.00', '9258.55500000', '707988857.24850000'],
      ['-4.00', '8030.14200000', '616146194.07480000'],
      ['-3.00', '6411.43200000', '494014091.23180000'],
    ]);
    expect(
      await rows(
        'SELECT count(*), min(transaction_time)::VARCHAR, max(event_time)::VARCHAR, sum(best_ask_qty)::VARCHAR FROM silver.book_ticker',
      ),
    ).toEqual([[3n, '2024-01-15 00:00:00.014', '2024-01-15 00:00:00.034', '6.05600000']]);
  });
});

import { describe, expect, test } from 'vitest';
import { excerpt, type MirrorFile, mirrorLake, noExcerpts, skipped } from './lake.ts';

const AGG = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker';
const TRADES = 'id,price,qty,quote_qty,time,is_buyer_maker';
const spot = { type: 'aggTrades', market: 'spot', cadence: 'daily', symbol: 'BTCUSDT' } as const;
const um = { ...spot, market: 'um' } as const;

describe('silver/agg_trades', () => {
  test('trap 4: spot has eight columns, no header and True; futures have seven, a header and true', async () => {
    const { materialize, rows } = await mirrorLake([
      { ...spot, period: '2024-05-01', csv: '7,0.5,2.25,70,72,1714521600123,True,False\n' },
      { ...um, period: '2024-05-01', csv: `${AGG}\n9,60000.1,0.003,90,90,1714521600123,false\n` },
    ]);
    expect((await materialize('+silver/agg_trades')).failed).toEqual([]);
    const columns = 'price::VARCHAR, quantity::VARCHAR, first_trade_id, last_trade_id, transact_time::VARCHAR';
    expect(
      await rows(
        `SELECT market, agg_trade_id, ${columns}, is_buyer_maker, is_best_match FROM silver.agg_trades ORDER BY 1`,
      ),
    ).toEqual([
      ['spot', 7n, '0.50000000', '2.25000000', 70n, 72n, '2024-05-01 00:00:00.123', true, false],
      ['um', 9n, '60000.10000000', '0.00300000', 90n, 90n, '2024-05-01 00:00:00.123', false, null],
    ]);
  });

  test('a day that only the month has is read from it, and only its own rows', async () => {
    const row = (id: number, day: string) => `${id},1,1,${id},${id},${Date.parse(`${day}T12:00:00Z`)},true`;
    const month = [AGG, row(1, '2024-05-01'), row(2, '2024-05-02'), row(3, '2024-05-03'), ''].join('\n');
    const daily = `${AGG}\n${row(1, '2024-05-01')}\n`;
    const { materialize, rows } = await mirrorLake([
      { ...um, period: '2024-05-01', csv: daily },
      { ...um, cadence: 'monthly', period: '2024-05', csv: month },
    ]);
    expect((await materialize('+silver/agg_trades')).failed).toEqual([]);
    expect(await rows('SELECT date, agg_trade_id FROM silver.agg_trades ORDER BY 2')).toEqual([
      ['2024-05-01', 1n],
      ['2024-05-02', 2n],
      ['2024-05-03', 3n],
    ]);
  });

  test('what is neither true nor false is refused, with its row', async () => {
    const { materialize } = await mirrorLake([
      { ...um, period: '2024-05-01', csv: `${AGG}\n9,60000.1,0.003,90,90,1714521600123,maybe\n` },
    ]);
    expect(JSON.stringify((await materialize('+silver/agg_trades')).failed)).toContain(
      "is_buyer_maker is 'maybe' in the row with agg_trade_id 9: expected true or false",
    );
  });
});

describe('bars built of trades', () => {
  /** Trades of a day with the candles that an exchange makes of them, in whole numbers: 1e-2 of price and 1e-5 of quantity. */
  function simulated(market: 'spot' | 'um', day: string, seed: number): MirrorFile[] {
    const start = Date.parse(`${day}T00:00:00Z`);
    let state = seed;
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const text = (value: bigint, digits: number) => {
      const all = String(value).padStart(digits + 1, '0');
      return `${all.slice(0, -digits)}.${all.slice(-digits)}`;
    };
    const trades: string[] = [];
    const bars = new Map<number, { prices: bigint[]; v: bigint; q: bigint; n: bigint; tv: bigint; tq: bigint }>();
    let price = 6_000_000n;
    for (let id = 1, first = 10, at = 0; at < 3 * 3_600_000; id++) {
      price += BigInt(next(2001) - 1000);
      const quantity = BigInt(1 + next(500_000));
      const count = 1 + next(4);
      const maker = next(2) === 1;
      trades.push(
        `${id},${text(price, 2)},${text(quantity, 5)},${first},${first + count - 1},${start + at},${maker ? 'True' : 'False'}${market === 'spot' ? ',True' : ''}`,
      );
      const hour = Math.floor(at / 3_600_000);
      const bar = bars.get(hour) ?? { prices: [], v: 0n, q: 0n, n: 0n, tv: 0n, tq: 0n };
      bar.prices.push(price);
      bar.v += quantity;
      bar.q += quantity * price;
      bar.n += BigInt(count);
      bar.tv += maker ? 0n : quantity;
      bar.tq += maker ? 0n : quantity * price;
      bars.set(hour, bar);
      first += count;
      at += next(200_000);
    }
    const klines = [...bars].map(([hour, { prices, v, q, n, tv, tq }]) => {
      const opens = start + hour * 3_600_000;
      const sorted = [...prices].sort((a, b) => Number(a - b));
      const ohlc = [prices[0], sorted.at(-1), sorted[0], prices.at(-1)].map((value) => text(value ?? 0n, 2));
      return [opens, ...ohlc, text(v, 5), opens + 3_599_999, text(q, 7), n, text(tv, 5), text(tq, 7), 0].join(',');
    });
    const file = { market, cadence: 'daily', symbol: 'BTCUSDT', period: day } as const;
    return [
      { ...file, type: 'aggTrades', csv: `${trades.join('\n')}\n` },
      { ...file, type: 'klines', interval: '1h', csv: `${klines.join('\n')}\n` },
    ];
  }

  test("time bars are the exchange's own candles, and the comparison says so", async () => {
    const { materialize, rows } = await mirrorLake(
      [...simulated('spot', '2024-05-01', 1), ...simulated('um', '2024-05-01', 2)],
      ['exchanges.binance.intervals=[1h]'],
    );
    const { failed, events } = await materialize('+gold/trade_bars or +silver/klines');
    expect(failed).toEqual([]);
    expect(JSON.stringify(events)).not.toContain('reconciles_silver_klines');
    const compared = `market, open_time, open, high, low, close, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume`;
    const doubles = compared.replace(/(open|high|low|close|\w*volume)(?=,|$)/g, '$1::DOUBLE');
    expect(await rows('SELECT market, count(*) FROM gold.trade_bars GROUP BY 1 ORDER BY 1')).toEqual([
      ['spot', 3n],
      ['um', 3n],
    ]);
    expect(
      await rows(
        `(SELECT ${compared}, trades FROM gold.trade_bars) EXCEPT (SELECT ${doubles}, count FROM silver.klines)`,
      ),
    ).toEqual([]);
  });

  test('a candle that does not agree with its trades is reported', async () => {
    const files = simulated('um', '2024-05-01', 3);
    const wrong = files.map((file) =>
      file.type === 'klines' ? { ...file, csv: file.csv.replace(/,(\d+),([\d.]+,[\d.]+,0\n)/, ',1$1,$2') } : file,
    );
    const { materialize } = await mirrorLake(wrong, ['exchanges.binance.intervals=[1h]']);
    const { events } = await materialize('+gold/trade_bars or +silver/klines');
    expect(JSON.stringify(events)).toContain('reconciles_silver_klines');
  });

  test('cm: contracts become coins and USD', async () => {
    const cm = { ...um, market: 'cm', symbol: 'BTCUSD_PERP', period: '2024-05-01' } as const;
    const { materialize, rows } = await mirrorLake(
      [{ ...cm, csv: `${AGG}\n1,50000.0,5,1,1,1714521600123,true\n2,40000.0,2,2,3,1714521600124,false\n` }],
      ['exchanges.binance.intervals=[1m]'],
    );
    expect((await materialize('+gold/trade_bars')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT volume, quote_volume, trades, taker_buy_volume, vwap, available_at::VARCHAR FROM gold.trade_bars',
      ),
    ).toEqual([[0.015, 700, 3n, 0.005, 700 / 0.015, '2024-05-01 00:01:00']]);
  });

  test('volume bars: a bar ends with the trade that fills it, and begins anew each day', async () => {
    const row = (id: number, time: string, quantity: string, price = '10') =>
      `${id},${price},${quantity},${id},${id},${Date.parse(`${time}Z`)},false`;
    const file = (period: string, ...lines: string[]) => ({ ...um, period, csv: [AGG, ...lines, ''].join('\n') });
    const { materialize, rows } = await mirrorLake([
      file('2024-05-01', row(1, '2024-05-01T10:00:00', '500')), // a bar is 1 the day after, in volume, and 10 in turnover
      file(
        '2024-05-02',
        row(2, '2024-05-02T00:00:01', '0.4'),
        row(3, '2024-05-02T00:00:02', '0.6', '11'),
        row(4, '2024-05-02T00:00:03', '0.5'),
        row(5, '2024-05-02T00:00:04', '1.7', '9'), // fills bar 1 and all of bar 2
        row(6, '2024-05-02T00:00:05', '0.1'),
      ),
    ]);
    expect((await materialize('+gold/volume_bars or +gold/dollar_bars')).failed).toEqual([]);
    const columns = 'bar, open, high, low, close, volume, trades, threshold, available_at::VARCHAR';
    expect(await rows(`SELECT ${columns} FROM gold.volume_bars ORDER BY bar`)).toEqual([
      [0, 10, 11, 10, 11, 1, 2n, 1, '2024-05-02 00:00:02'],
      [1, 10, 10, 9, 9, 2.2, 2n, 1, '2024-05-02 00:00:04'],
      [3, 10, 10, 10, 10, 0.1, 1n, 1, '2024-05-03 00:00:00'],
    ]);
    // 4 and 6.6 fill a bar of 10, 5 lies in the second, 15.3 from 15.6 on too.
    expect(await rows('SELECT bar, quote_volume, threshold FROM gold.dollar_bars ORDER BY bar')).toEqual([
      [0, 10.6, 10],
      [1, 20.3, 10],
      [3, 1, 10],
    ]);
  });
});

describe('silver/trades', () => {
  test('trap 4: spot has seven columns and no header, futures six and a header', async () => {
    const { materialize, rows } = await mirrorLake([
      { ...spot, type: 'trades', period: '2024-05-01', csv: '7,0.5,2.25,1.125,1714521600123,True,True\n' },
      { ...um, type: 'trades', period: '2024-05-01', csv: `${TRADES}\n9,60000.1,0.003,180.0003,1714521600123,false\n` },
    ]);
    expect((await materialize('+silver/trades')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT market, trade_id, quantity::VARCHAR, quote_quantity::VARCHAR, is_buyer_maker, is_best_match FROM silver.trades ORDER BY 1',
      ),
    ).toEqual([
      ['spot', 7n, '2.25000000', '1.12500000', true, true],
      ['um', 9n, '0.00300000', '180.00030000', false, null],
    ]);
  });
});

describe.skipIf(noExcerpts)(`real trades${skipped}`, () => {
  test('traps 4 and 6: spot in milliseconds and, from 2025 on, in microseconds; futures in milliseconds', async () => {
    const { materialize, rows } = await mirrorLake([
      { ...spot, period: '2019-06-01', csv: excerpt('spot-aggTrades-BTCUSDT-2019-06-01.head5.csv') },
      { ...spot, period: '2023-11-17', csv: excerpt('spot-aggTrades-BTCUSDT-2023-11-17.first4.csv') },
      { ...spot, period: '2026-09-15', csv: excerpt('spot-aggTrades-BTCUSDT-2026-09-15.first5.csv') },
      { ...um, period: '2026-09-15', csv: excerpt('um-aggTrades-BTCUSDT-2026-09-15.first5.csv') },
      { ...um, type: 'trades', period: '2026-09-15', csv: excerpt('um-trades-BTCUSDT-2026-09-15.first3.csv') },
    ]);
    expect((await materialize('+silver/agg_trades or +silver/trades')).failed).toEqual([]);
    expect(
      await rows(
        'SELECT market, date, count(*), max(transact_time)::VARCHAR, sum(quantity)::VARCHAR FROM silver.agg_trades GROUP BY 1, 2 ORDER BY 1, 2',
      ),
    ).toEqual([
      ['spot', '2019-06-01', 5n, '2019-06-01 00:00:00.547', '0.95220800'],
      ['spot', '2023-11-17', 4n, '2023-11-17 00:00:00.005', '0.00798000'],
      ['spot', '2026-09-15', 5n, '2026-09-15 00:00:00.830198', '0.03153000'],
      ['um', '2026-09-15', 5n, '2026-09-15 00:00:00.008', '0.15900000'],
    ]);
    expect(await rows('SELECT count(*), sum(quote_quantity)::VARCHAR, max(time)::VARCHAR FROM silver.trades')).toEqual([
      [3n, '7737.13720000', '2026-09-15 00:00:00.008'],
    ]);
  });
});

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lakehouse } from '../../assets/index.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { MIRROR, openTestLake, run } from '../materialize/lake.ts';
import { query } from './query.ts';

const absent = !existsSync(MIRROR);
const KLINES = /^(.*)-(1s|\d+[mhd])-(\d{4}-\d\d(?:-\d\d)?)\.zip$/;

/** Files of the mirror that are candles of a supported interval. */
function klineFiles(): string[] {
  return readdirSync(MIRROR, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.includes('/klines/') && KLINES.test(path.split('/').at(-1) ?? ''),
  );
}

describe.skipIf(absent)(`real exchange files${absent ? ' (skipped: no mirror at ../shared/data/archive)' : ''}`, () => {
  let directory: string;
  let lake: OpenedLake;
  let first: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'real-'));
    lake = await openTestLake(lakehouse, directory, {
      sets: [
        `exchanges.binance.archive.directory=${MIRROR}`,
        'exchanges.binance.markets=[spot,um,cm]',
        'exchanges.binance.symbols=*',
        'exchanges.binance.intervals=[1m,5m,1h]',
      ],
    });
    first = await run(lake);
  }, 300_000);
  afterAll(async () => {
    await lake?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('every supported file lands in bronze', async () => {
    const landed = await query(
      lake,
      'SELECT (SELECT count(*) FROM bronze.klines_daily) + (SELECT count(*) FROM bronze.klines_monthly)',
    );
    expect(landed).toEqual([[BigInt(klineFiles().length)]]);
    expect(first.events.filter((e) => e.type === 'partition-failed')).toEqual([]);
    expect(first.outcome).toBe('succeeded');
  });

  test('the three BTCUSDT 1m days give exactly 4,320 silver rows', async () => {
    expect(
      await query(
        lake,
        "SELECT date, count(*) FROM silver.klines WHERE market = 'spot' AND symbol = 'BTCUSDT' AND interval = '1m' GROUP BY date ORDER BY date",
      ),
    ).toEqual([
      ['2020-01-01', 1440n],
      ['2020-01-02', 1440n],
      ['2020-01-03', 1440n],
    ]);
  });

  test('aggregated to hours they equal the 72 hourly rows of the 2020-01 monthly file', async () => {
    const columns = 'open, high, low, close, volume, quote_volume, count';
    const hours = `SELECT date_trunc('hour', open_time) AS open_time, arg_min(open, open_time) AS open, max(high) AS high, min(low) AS low, arg_max(close, open_time) AS close, sum(volume)::DECIMAL(38,8) AS volume, sum(quote_volume)::DECIMAL(38,8) AS quote_volume, sum(count)::BIGINT AS count
      FROM silver.klines WHERE market = 'spot' AND symbol = 'BTCUSDT' AND interval = '1m' GROUP BY ALL`;
    const published =
      'SELECT open_time, ' +
      columns +
      " FROM silver.klines WHERE market = 'spot' AND symbol = 'BTCUSDT' AND interval = '1h' AND open_time >= '2020-01-01' AND open_time < '2020-01-04'";
    expect(await query(lake, `SELECT count(*) FROM (${published})`)).toEqual([[72n]]);
    expect(
      await query(
        lake,
        `(SELECT open_time, ${columns} FROM (${hours}) EXCEPT SELECT * FROM (${published})) UNION ALL (SELECT * FROM (${published}) EXCEPT SELECT open_time, ${columns} FROM (${hours}))`,
      ),
    ).toEqual([]);
  });

  test('an hour that was published by month is the same as by day, in microseconds and milliseconds', async () => {
    // 2025-01 is in microseconds; close_time of both eras ends one millisecond before the next bar.
    expect(
      await query(
        lake,
        "SELECT count(*), count(DISTINCT close_time - open_time) FROM silver.klines WHERE symbol = 'BTCUSDT' AND market = 'spot' AND interval = '1h' AND date >= '2024-12-01'",
      ),
    ).toMatchObject([[expect.any(BigInt), 1n]]);
  });

  test('gold follows: one row per day, and nothing looks ahead', async () => {
    expect(
      await query(
        lake,
        'SELECT count(*) FROM gold.klines_daily d ANTI JOIN silver.klines s USING (exchange, market, symbol, interval, date)',
      ),
    ).toEqual([[0n]]);
    expect(await query(lake, 'SELECT count(*) FROM gold.indicators WHERE available_at <= open_time')).toEqual([[0n]]);
  });

  test('a second run does nothing', async () => {
    const again = await run(lake);
    expect(again.counts).toMatchObject({ computed: 0, failed: 0 });
    expect(again.plan.steps.filter((s) => s.type === 'materialize')).toEqual([]);
  });
});

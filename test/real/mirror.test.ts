import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArchiveKey } from '../../assets/exchanges/binance/layout.ts';
import { lakehouse } from '../../assets/index.ts';
import { inflateMember, readSingleMember } from '../../framework/formats/zip.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { onS3, stored } from '../materialize/bucket.ts';
import { MIRROR, openTestLake, run } from '../materialize/lake.ts';
import { packs, status } from '../materialize/support.ts';
import { needsS3, s3Available, startS3 } from '../support/s3.ts';
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
  const sets = [
    `exchanges.binance.archive.directory=${MIRROR}`,
    'exchanges.binance.markets=[spot,um,cm]',
    'exchanges.binance.symbols=*',
    'exchanges.binance.intervals=[1m,5m,1h]',
  ];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'real-'));
    lake = await openTestLake(lakehouse, directory, { sets });
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

  test('traps 1, 2, 5, 14, 16, 22: every file has in silver as many rows as it has lines, with exactly their amounts', async () => {
    // With and without a header line, whatever the last column holds, and however a zero is written.
    const units = (text = '') => {
      const [whole = '', decimals = ''] = text.split('.');
      return BigInt(whole + decimals.padEnd(8, '0'));
    };
    const expected: unknown[][] = [];
    const headers: string[] = [];
    for (const path of klineFiles()) {
      const file = parseArchiveKey(path);
      if (file === undefined) throw new Error(path);
      const csv = new TextDecoder().decode(inflateMember(readSingleMember(readFileSync(join(MIRROR, path)), path)));
      expect(csv.endsWith('\n')).toBe(true);
      const lines = csv.trimEnd().split('\n');
      const isHeader = /^[a-z]/.test(lines[0] ?? '');
      if (isHeader) headers.push(`${file.market} ${file.symbol} ${file.period}`);
      const rows = lines.slice(isHeader ? 1 : 0).map((line) => line.split(','));
      const sums = [5, 7, 9, 10].map((field) => rows.reduce((sum, row) => sum + units(row[field]), 0n));
      const trades = rows.reduce((sum, row) => sum + BigInt(row[8] ?? ''), 0n);
      expected.push([file.market, file.symbol, file.interval, file.period, BigInt(rows.length), ...sums, trades]);
    }
    // The seam is not one date: BTCUSDT has a header on 2022-01-01 and 03-28, and none on the days after and before.
    expect(headers.filter((name) => name.startsWith('um BTCUSDT 2022')).sort()).toEqual([
      'um BTCUSDT 2022-01-01',
      'um BTCUSDT 2022-03-28',
      'um BTCUSDT 2022-09-05',
    ]);
    const amounts = ['volume', 'quote_volume', 'taker_buy_volume', 'taker_buy_quote_volume'];
    const sums = amounts.map((name) => `sum(${name})`).join(', ');
    const of = (bronze: string, format: string) => {
      const period = `strftime(s.date::DATE, '${format}')`;
      const published = `SELECT market, symbol, interval, strftime(${bronze}::DATE, '${format}') AS period FROM bronze.klines_${bronze === 'date' ? 'daily' : 'monthly'}`;
      return `SELECT s.market, s.symbol, s.interval, ${period}, count(*), ${sums}, sum(count) FROM silver.klines s SEMI JOIN (${published}) b ON ${period} = b.period AND s.market = b.market AND s.symbol = b.symbol AND s.interval = b.interval GROUP BY ALL`;
    };
    const found = await query(lake, `${of('date', '%Y-%m-%d')} UNION ALL ${of('month', '%Y-%m')}`);
    const sorted = (rows: unknown[][]) => rows.map((row) => row.join(' ')).sort();
    expect(sorted(found.map((row) => row.map((cell, i) => (i >= 5 && i <= 8 ? units(String(cell)) : cell))))).toEqual(
      sorted(expected),
    );
  });

  test('trap 3: an average price lies between low and high, of contracts too, where volumes mean something else', async () => {
    const average = "CASE WHEN market = 'cm' THEN volume * 100 / quote_volume ELSE quote_volume / volume END";
    expect(
      await query(
        lake,
        `SELECT market, count(*) > 0, count(*) FILTER (${average} NOT BETWEEN low * 0.9999 AND high * 1.0001) FROM silver.klines WHERE volume > 0 GROUP BY 1 ORDER BY 1`,
      ),
    ).toEqual([
      ['cm', true, 0n],
      ['spot', true, 0n],
      ['um', true, 0n],
    ]);
  });

  test('trap 7: bars that end at another time than they should are kept as published', async () => {
    expect(
      await query(
        lake,
        'SELECT open_time::VARCHAR, close_time::VARCHAR FROM silver.klines WHERE close_time <> open_time + interval::INTERVAL - INTERVAL 1 MILLISECOND ORDER BY 1',
      ),
    ).toEqual([
      ['2017-09-06 15:00:00', '2017-09-06 16:00:00'],
      ['2019-06-07 21:00:00', '2019-06-07 21:13:13.524'],
      ['2020-02-19 11:00:00', '2020-02-19 11:35:32.286'],
      ['2020-03-04 09:00:00', '2020-03-04 09:21:46.694'],
    ]);
  });

  test('trap 10: the hours that are missing in the months of spot are holes, not rows', async () => {
    const months = await query(
      lake,
      "SELECT strftime(open_time, '%Y-%m') AS month, (24 * date_diff('day', date_trunc('month', min(open_time)), date_trunc('month', min(open_time)) + INTERVAL 1 MONTH) - count(*))::INTEGER AS missing FROM silver.klines WHERE interval = '1h' AND market = 'spot' GROUP BY 1 HAVING missing > 0 AND count(*) > 24 ORDER BY 1",
    );
    expect(months).toEqual(
      Object.entries({
        ...{ '2017-09': 7, '2018-06': 11, '2018-10': 3, '2018-11': 7, '2019-03': 6, '2019-05': 10, '2019-08': 8 },
        ...{ '2019-11': 4, '2020-02': 6, '2020-03': 1, '2020-04': 2, '2020-06': 3, '2020-11': 1, '2021-03': 1 },
        ...{ '2021-09': 2 },
      }),
    );
    const found = await query(
      lake,
      "SELECT sum(bars)::INTEGER FROM silver.klines_gaps WHERE interval = '1h' AND market = 'spot' AND kind = 'unconfirmed'",
    );
    expect(found).toEqual([[months.reduce((sum, [, missing]) => sum + Number(missing), 0)]]);
  });

  test('traps 13 and 14: bars without trades are rows, flat and zero, however the file writes that', async () => {
    expect(
      await query(
        lake,
        "SELECT date::VARCHAR, count(*), count(*) FILTER (open = high AND high = low AND low = close AND volume = 0 AND quote_volume = 0) FROM silver.klines WHERE count = 0 AND interval = '1m' GROUP BY 1 ORDER BY 1",
      ),
    ).toEqual([
      ['2022-05-01', 29n, 29n],
      ['2022-05-28', 35n, 35n],
      ['2022-10-24', 1n, 1n],
      ['2023-09-12', 19n, 19n],
    ]);
  });

  test('trap 6: an hour that was published by month is the same as by day, in microseconds and milliseconds', async () => {
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

  test.skipIf(!s3Available)(`on S3 every file is the same, and so are the answers${needsS3}`, async () => {
    await using server = await startS3();
    const elsewhere = mkdtempSync(join(tmpdir(), 'real-s3-'));
    const far = await openTestLake(lakehouse, elsewhere, { sets: [...sets, ...onS3(server, 'real')] });
    try {
      expect((await run(far)).counts).toEqual(first.counts);
      expect(packs(far)).toEqual(packs(lake));
      const objects = await stored(server, 'real');
      for (const { path, sha256 } of far.state.files()) expect([path, objects.get(path)]).toEqual([path, sha256]);
      for (const asset of lake.graph.order) expect([asset, status(far, asset)]).toEqual([asset, status(lake, asset)]);
      const sums =
        'SELECT market, symbol, interval, count(*), sum(volume), max(close_time) FROM silver.klines GROUP BY ALL ORDER BY ALL';
      expect(await query(far, sums)).toEqual(await query(lake, sums));
      expect((await run(far)).counts).toMatchObject({ computed: 0, failed: 0 });
    } finally {
      await far.close();
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });
});

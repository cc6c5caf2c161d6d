import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { archiveKey, checksumKey } from '../../assets/exchanges/binance/layout.ts';
import { captured, noCaptured, serve } from '../exchanges/rest-support.ts';
import { MIRROR, run } from '../materialize/lake.ts';
import { statuses } from '../materialize/support.ts';
import { excerpt, mirrorLake, noExcerpts, skipped, writeFiles } from './lake.ts';
import { exchangeWith, restLake } from './rest-lake.ts';

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

  test('a funding that is there twice is refused', async () => {
    const { materialize } = await mirrorLake([of('1704096000000,8,0.00010000', '1704096000011,8,0.00020000')]);
    const { failed } = await materialize(SELECT);
    expect(JSON.stringify(failed)).toContain('duplicate-rows');
  });

  test('a month whose CHECKSUM is wrong has no days, not empty ones; that of another symbol does not mind', async () => {
    const month = of('1704096000011,8,0.00010000');
    const { lake, mirror, materialize, rows } = await mirrorLake([month, { ...month, symbol: 'ETHUSDT' }]);
    const checksum = join(mirror, checksumKey(archiveKey(um)));
    writeFileSync(checksum, `${'0'.repeat(64)}  BTCUSDT-fundingRate-2024-01.zip`);
    const days = () => Object.groupBy(Object.entries(statuses(lake, 'silver/funding_rates')), ([, status]) => status);
    expect((await materialize(SELECT)).failed.map(({ asset }) => asset)).toEqual(['bronze/funding_rates']);
    const { blocked = [], fresh = [], ...others } = days();
    expect(blocked.map(([key]) => key.includes('symbol=BTCUSDT'))).toEqual(Array(31).fill(true));
    expect(fresh.map(([key]) => key.includes('symbol=ETHUSDT'))).toEqual(Array(31).fill(true));
    expect(others).toEqual({});
    expect(await rows('SELECT symbol, count(*) FROM silver.funding_rates GROUP BY 1')).toEqual([['ETHUSDT', 1n]]);

    writeFiles(mirror, [month]);
    expect((await run(lake, { selection: SELECT, retryFailed: true })).counts).toMatchObject({ computed: 1 + 31 });
    expect(days()).toMatchObject({ fresh: { length: 62 } });
  });

  test('a rate that cannot be read exactly is refused, with its row', async () => {
    const { materialize } = await mirrorLake([of('1704096000011,8,1.0E-4')]);
    const { failed } = await materialize(SELECT);
    expect(JSON.stringify(failed)).toContain("last_funding_rate is '1.0E-4' in the row with calc_time 1704096000011");
  });
});

describe('funding rates of REST', () => {
  let clock = 0;
  beforeEach(() => {
    clock = Date.UTC(2024, 1, 1, 1);
  });
  const exchange = () =>
    exchangeWith({
      seed: 'funding',
      listings: [
        { market: 'um', symbol: 'BTCUSDT', price: 40_000, days: [{ from: '2024-01-30' }] },
        { market: 'cm', symbol: 'BTCUSD_PERP', price: 40_000, days: [{ from: '2024-01-30' }] },
      ],
      intervals: ['1h'],
      from: '2024-01-30',
      to: '2024-01-29',
      now: () => clock,
    });
  const only = [
    'exchanges.binance.dataTypes=[funding_rates]',
    'exchanges.binance.rest.days=2',
    'exchanges.binance.markets=[um,cm]',
  ];
  const SQL =
    'SELECT market, funding_time::VARCHAR, funding_rate::VARCHAR, interval_hours, calc_time::VARCHAR, mark_price::VARCHAR FROM silver.funding_rates ORDER BY 1, 2';

  test('closed days with mark price; hours since the funding before, also over midnight', async () => {
    const served = await exchange();
    const { materialize, rows } = await restLake(served, () => clock, only);
    expect((await materialize(SELECT)).failed).toEqual([]);
    const all = await rows(SQL);
    expect(all.map(([market, time, , hours]) => [market, time, hours])).toEqual(
      ['cm', 'um'].flatMap((market) =>
        ['30 00', '30 08', '30 16', '31 00', '31 08', '31 16'].map((time, i) => [
          market,
          `2024-01-${time}:00:00`,
          i === 0 ? null : 8, // listed on the 30th
        ]),
      ),
    );
    expect(all.every(([, , , , , price]) => Number(price) > 20_000)).toBe(true);
    expect(all.some(([, time, , , calculated]) => calculated !== time)).toBe(true);
    // Of each market exchangeInfo and two days, all of weight 1.
    expect([served.requests.rest, served.requests.weight]).toEqual([6, 6]);
  });

  test("the archive's month arrives: its hours replace those counted, mark prices stay, days before have none", async () => {
    const served = await exchange();
    const mirror = mkdtempSync(join(tmpdir(), 'funding-'));
    onTestFinished(() => rmSync(mirror, { recursive: true }));
    mkdirSync(join(mirror, 'data/none'), { recursive: true });
    const { materialize, rows } = await restLake(served, () => clock, [
      ...only,
      'exchanges.binance.markets=[um]',
      `exchanges.binance.archive.directory=${mirror}`,
    ]);
    await materialize(SELECT);
    const before = await rows(SQL);
    const lines = before.map(([, , rate, , calculated]) => `${Date.parse(`${calculated}Z`)},8,${rate}`);
    writeFiles(mirror, [of('1706572800003,8,0.00012345', ...lines.slice(1))]);
    clock += 86_400_000;
    expect((await materialize(SELECT)).failed).toEqual([]);
    const after = await rows(SQL);
    expect(after).toEqual([
      ['um', '2024-01-30 00:00:00', '0.00012345', 8, '2024-01-30 00:00:00.003', before[0]?.[5]],
      ...before.slice(1),
      ...after.slice(6),
    ]);
    expect(after.slice(6).map(([, time, , hours]) => [time, hours])).toEqual([
      ['2024-02-01 00:00:00', 8],
      ['2024-02-01 08:00:00', 8],
      ['2024-02-01 16:00:00', 8],
    ]);
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

  test.skipIf(noCaptured).each([
    ['cm', 'cm-fundingRate-BTCUSD_PERP-50rows.json', '2020-11-11', '2020-11-02', 9],
    ['um', 'um-fundingRate-BTCUSDT-100rows.json', '2020-10-18', '2020-09-17', 31],
  ] as const)(
    'trap 11: captured answers of %s, of 2020: jitter, no mark price',
    async (market, file, today, start, days) => {
      const all = JSON.parse(captured(file)) as { fundingTime: number }[];
      const serverTime = Date.parse(`${today}T12:00:00Z`);
      const [symbol] = (JSON.parse(captured(`${market}-exchangeInfo.json`)) as { symbols: object[] }).symbols;
      const server = await serve(({ pathname, searchParams }) => {
        if (pathname.endsWith('exchangeInfo')) {
          return { body: JSON.stringify({ serverTime, rateLimits: [], symbols: [symbol] }) };
        }
        if (!pathname.endsWith('fundingRate')) return { body: '<ListBucketResult/>' };
        const [from = 0, to = 0] = ['startTime', 'endTime'].map((name) => Number(searchParams.get(name)));
        return { body: JSON.stringify(all.filter((row) => row.fundingTime >= from && row.fundingTime <= to)) };
      });
      const { materialize, rows } = await restLake(server, () => serverTime, [
        ...[`exchanges.binance.markets=[${market}]`, 'exchanges.binance.dataTypes=[funding_rates]'],
        `exchanges.binance.start=${start}`,
      ]);
      expect((await materialize(SELECT)).failed).toEqual([]);
      const fundings = BigInt(3 * days);
      expect(
        await rows(
          'SELECT count(*), count(DISTINCT funding_time), max(hour(funding_time) % 8), min(interval_hours), max(interval_hours), max(epoch_ms(calc_time - funding_time)) > 0, count(mark_price) FROM silver.funding_rates',
        ),
      ).toEqual([[fundings, fundings, 0n, 8, 8, true, 0n]]);
    },
  );
});

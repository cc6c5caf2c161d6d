import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { klinesKey } from '../../assets/exchanges/binance/layout.ts';
import type { SimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { inflateMember, readSingleMember } from '../../framework/formats/zip.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { captured, noCaptured, type Reply, serve, skipped } from '../exchanges/rest-support.ts';
import { MIRROR } from '../materialize/lake.ts';
import { packs, statuses, work } from '../materialize/support.ts';
import { exchangeWith, restLake } from './rest-lake.ts';

const SELECT = '+silver/klines';
/** The morning after a month of microseconds in the archive's spot files. */
const NOW = Date.UTC(2025, 1, 1, 12);
const now = () => NOW;
const month = {
  seed: 'rest',
  listings: [
    { market: 'spot', symbol: 'BTCUSDT', price: 100_000 },
    { market: 'um', symbol: 'BTCUSDT', price: 100_000 },
    { market: 'cm', symbol: 'BTCUSD_PERP', price: 100_000 },
  ],
  intervals: ['1h'],
  from: '2025-01-01',
  now,
} as const;
/** The same exchange, of which the archive has published nothing. */
const unpublished = { ...month, from: '2025-02-01', to: '2025-01-31' };

const silver = (lake: OpenedLake) => Object.entries(packs(lake)).filter(([path]) => path.includes('silver/klines'));
const twice = ({ requests }: SimulatedExchange) => [...requests.byQuery].filter(([, times]) => times > 1);

describe('silver/klines from REST', () => {
  test('a month through bulk, REST and both is the same bytes; nothing is asked twice', async () => {
    const listings = month.listings.filter(({ market }) => market !== 'um');
    const bulk = await exchangeWith({ ...month, listings, to: '2025-01-31' });
    const rest = await exchangeWith({ ...unpublished, listings });
    const mixed = await exchangeWith({ ...month, listings, to: '2025-01-20', monthlyPublished: false });
    const lakes = await Promise.all(
      [bulk, rest, mixed].map(async (exchange) => {
        const opened = await restLake(exchange, now);
        expect((await opened.materialize(SELECT)).failed).toEqual([]);
        return opened;
      }),
    );
    const [first = [], ...others] = lakes.map(({ lake }) => silver(lake));
    expect(first.length).toBe(2);
    expect(others).toEqual([first, first]);

    const days = [0, 31, 11];
    for (const [i, exchange] of [bulk, rest, mixed].entries()) {
      const { requests } = exchange;
      // One exchangeInfo for each market: 20 + 1 + 1. A day of hours weighs 2 (spot) and 1 (cm).
      expect([requests.rest, requests.weight]).toEqual([3 + 2 * (days[i] ?? 0), 22 + 3 * (days[i] ?? 0)]);
      expect(twice(exchange)).toEqual([]);
    }
    // The day that is not over yet is not asked for.
    expect(await lakes[1]?.rows('SELECT max(date)::VARCHAR, max(open_time)::VARCHAR FROM silver.klines')).toEqual([
      ['2025-01-31', '2025-01-31 23:00:00'],
    ]);
    // Looking again costs nothing, and finds nothing to do.
    rest.resetRequests();
    expect(work((await (lakes[1] ?? expect.fail()).materialize(SELECT)).events)).toEqual({});
    expect(rest.requests.rest).toBe(0);
  });

  test('minutes, in pages; the archive comes later and changes nothing downstream', async () => {
    const listings = [{ market: 'um', symbol: 'BTCUSDT', price: 100_000 }] as const;
    const options = { ...month, listings, intervals: ['1m'] as const };
    let clock = Date.UTC(2025, 0, 30, 12);
    const exchange = await exchangeWith({ ...options, from: '2025-01-27', to: '2025-01-28', now: () => clock });
    const { lake, materialize } = await restLake(exchange, () => clock, [
      'exchanges.binance.intervals=[1m]',
      'exchanges.binance.start=2025-01-27',
    ]);
    await materialize('+gold/klines_daily');
    const asked = [...exchange.requests.byQuery.keys()].filter((key) => key.startsWith('fapi/v1/klines'));
    expect(asked.length).toBe(3); // 499 + 499 + 442 rows of the 29th, weight 6
    expect(exchange.requests.weight).toBe(20 + 1 + 1 + 6);
    exchange.resetRequests();
    exchange.archive.addDay();
    clock += 3_600_000;
    expect(work((await materialize('+gold/klines_daily')).events)).toEqual({
      'bronze/klines_daily': '1/1',
      'silver/klines': '1/0',
    });
    expect(statuses(lake, 'silver/klines')).toMatchObject({
      'exchange=binance/market=um/symbol=BTCUSDT/interval=1m/date=2025-01-29': 'fresh',
    });
    expect(exchange.requests.weight).toBe(22);
  });

  test('errors in passing, bodies that break off and 429 along the way: complete and right all the same', async () => {
    const [sound, faulty] = [await exchangeWith(unpublished), await exchangeWith(unpublished)];
    faulty.fail('api/v3/exchangeInfo', { status: 429, retryAfter: '0' });
    faulty.fail('api/v3/klines', { status: 503 }, 2);
    faulty.fail('fapi/v1/klines', { resetAfterBytes: 100 }, 2);
    const lakes = [sound, faulty].map(async (exchange) => {
      const opened = await restLake(exchange, now, ['exchanges.binance.rest.days=4']);
      expect((await opened.materialize(SELECT)).failed).toEqual([]);
      return silver(opened.lake);
    });
    const [one = [], two] = await Promise.all(lakes);
    expect(one.length).toBeGreaterThan(0);
    expect(two).toEqual(one);
    expect(faulty.requests.rest).toBe(sound.requests.rest + 5);
  });

  test('a ban: nothing more is sent, what had come stays, and the next run goes on', async () => {
    const listings = [{ market: 'spot', symbol: 'BTCUSDT', price: 100_000 }] as const;
    let clock = NOW;
    const exchange = await exchangeWith({ ...unpublished, listings, now: () => clock });
    const { lake, materialize, rows } = await restLake(exchange, () => clock, [
      'workflow.retryAttempts=0',
      'exchanges.binance.rest.concurrency=1',
      'exchanges.binance.rest.days=5',
    ]);
    await materialize('binance/klines_rest');
    const banned = JSON.stringify({
      code: -1003,
      msg: `Way too much request weight used; IP banned until ${NOW + 120_000}.`,
    });
    exchange.resetRequests();
    exchange.fail('api/v3/klines', { status: 418, body: banned });
    const { failed } = await materialize(SELECT);
    expect(failed.length).toBeGreaterThan(0);
    expect(JSON.stringify(failed)).toContain('has banned this address until 2025-02-01T12:02:00.000Z');
    expect([...exchange.requests.byQuery.keys()].filter((key) => key.includes('klines')).length).toBe(1);
    clock += 121_000;
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(await rows('SELECT count(DISTINCT date) FROM silver.klines')).toEqual([[5n]]);
    expect(silver(lake).length).toBe(1);
  });

  test('days that are no longer asked for stay; only the last ones are fetched', async () => {
    const listings = [{ market: 'spot', symbol: 'BTCUSDT', price: 100_000 }] as const;
    let clock = NOW;
    const exchange = await exchangeWith({ ...unpublished, listings, now: () => clock });
    const { materialize, rows } = await restLake(exchange, () => clock, ['exchanges.binance.rest.days=2']);
    await materialize(SELECT);
    clock += 4 * 86_400_000;
    expect(work((await materialize(SELECT)).events)).toEqual({ 'bronze/klines_rest': '2/2', 'silver/klines': '2/2' });
    expect(await rows('SELECT DISTINCT date::VARCHAR FROM silver.klines ORDER BY 1')).toEqual([
      ['2025-01-30'],
      ['2025-01-31'],
      ['2025-02-03'],
      ['2025-02-04'],
    ]);
  });

  test('a day that has just ended is asked for again until its last candle is there', async () => {
    const listings = [{ market: 'um', symbol: 'BTCUSDT', price: 100_000 }] as const;
    let clock = Date.UTC(2025, 1, 1, 0, 2);
    const exchange = await exchangeWith({ ...unpublished, listings, now: () => clock });
    const { materialize, rows } = await restLake(exchange, () => clock, [
      ...['exchanges.binance.rest.days=1', 'workflow.retryAttempts=0'],
    ]);
    exchange.fail('fapi/v1/klines', { status: 200, body: '[]' });
    const { failed } = await materialize(SELECT);
    expect(failed).toMatchObject([{ error: { code: 'rest-short', message: expect.stringContaining('no candles') } }]);
    clock += 600_000;
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(await rows('SELECT date::VARCHAR, count(*) FROM silver.klines GROUP BY 1')).toEqual([['2025-01-31', 24n]]);
  });

  test('451: the run ends and says what to do', async () => {
    const exchange = await exchangeWith({ ...month, to: '2025-01-31' });
    const body = JSON.stringify({ code: 0, msg: 'Service unavailable from a restricted location' });
    exchange.fail('api/v3/exchangeInfo', { status: 451, body }, 9);
    const { materialize } = await restLake(exchange, now, ['exchanges.binance.markets=[spot]']);
    await expect(materialize(SELECT)).rejects.toMatchObject({
      ...{ code: 'observe-failed', kind: 'usage' },
      message: expect.stringContaining('451 (Service unavailable from a restricted location)'),
      hint: expect.stringContaining('exchanges.binance.rest.enabled=false'),
    });
  });

  test('off by default: nothing is asked; a simulated lake never asks a real exchange', async () => {
    const exchange = await exchangeWith(unpublished);
    const off = await restLake(exchange, now, ['exchanges.binance.rest.enabled=false']);
    await off.materialize(SELECT);
    expect(exchange.requests.rest).toBe(0);
    const simulated = await restLake(exchange, now, [
      'exchanges.binance.archive.simulated=true',
      'exchanges.binance.rest.baseUrls.spot=https://exchange.invalid',
      'exchanges.binance.markets=[spot]',
    ]);
    await expect(simulated.materialize(SELECT)).rejects.toThrow(
      'A simulated lake must not have data of exchange.invalid',
    );
  });

  test('trap 27: futures are asked for from the day of their listing to that of their end; spot not when it is delisted', async () => {
    const exchange = await exchangeWith({
      ...unpublished,
      listings: [
        { market: 'um', symbol: 'NEWUSDT', days: [{ from: '2025-01-29' }] },
        { market: 'cm', symbol: 'OLDUSD_PERP', days: [{ from: '2024-01-01', to: '2025-01-04' }] },
        { market: 'spot', symbol: 'GONEUSDT', days: [{ to: '2025-01-20' }] },
      ],
    });
    const { materialize, rows } = await restLake(exchange, now);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows(
        'SELECT symbol, min(date)::VARCHAR, max(date)::VARCHAR, count(*) FROM silver.klines GROUP BY 1 ORDER BY 1',
      ),
    ).toEqual([
      ['NEWUSDT', '2025-01-29', '2025-01-31', 72n],
      ['OLDUSD_PERP', '2025-01-01', '2025-01-04', 96n],
    ]);
    expect(exchange.requests.rest).toBe(3 + 3 + 4);
  });
});

test('mark, index and premium index candles too; the index is of a pair', async () => {
  const serverTime = Date.UTC(2024, 4, 2, 12);
  const contract = { contractType: 'PERPETUAL', onboardDate: Date.UTC(2024, 4, 1), deliveryDate: 4_133_404_800_000 };
  const info = { serverTime, rateLimits: [], symbols: [{ ...contract, symbol: 'BTCUSD_PERP', pair: 'BTCUSD' }] };
  const server = await serve(({ pathname, searchParams }) => {
    if (pathname.endsWith('exchangeInfo')) return { body: JSON.stringify(info) };
    if (!pathname.startsWith('/dapi')) return { body: '<ListBucketResult/>' };
    const open = Number(searchParams.get('startTime'));
    const price = pathname.includes('premium') ? '-0.00012300' : '60000.1';
    const row = [open, price, price, price, price, '0', open + 3_599_999, '0', 60, '0', '0', '0'];
    return { body: JSON.stringify([row]) };
  });
  const types = ['mark_price_klines', 'index_price_klines', 'premium_index_klines'];
  const { materialize, rows } = await restLake(server, () => serverTime, [
    ...['exchanges.binance.markets=[cm]', `exchanges.binance.dataTypes=[${types.join(',')}]`],
  ]);
  expect((await materialize(types.map((type) => `+silver/${type}`).join(' or '))).failed).toEqual([]);
  const select = (type: string) => `SELECT symbol, date::VARCHAR, close::VARCHAR, count FROM silver.${type}`;
  expect(await rows(`${types.map(select).join(' UNION ALL ')} ORDER BY 1, 3`)).toEqual([
    ['BTCUSD', '2024-05-01', '60000.10000000', 60n],
    ['BTCUSD_PERP', '2024-05-01', '-0.00012300', 60n],
    ['BTCUSD_PERP', '2024-05-01', '60000.10000000', 60n],
  ]);
  // What the market has is asked once for all three.
  const span = 'interval=1h&startTime=1714521600000&endTime=1714607999999&limit=25';
  expect(server.asked.filter((path) => path.startsWith('/dapi')).sort()).toEqual([
    '/dapi/v1/exchangeInfo',
    `/dapi/v1/indexPriceKlines?pair=BTCUSD&${span}`,
    `/dapi/v1/markPriceKlines?symbol=BTCUSD_PERP&${span}`,
    `/dapi/v1/premiumIndexKlines?symbol=BTCUSD_PERP&${span}`,
  ]);
});

describe.skipIf(noCaptured || !existsSync(MIRROR))(`captured answers and real archive${skipped}`, () => {
  type Row = [number, ...unknown[]];
  const pages = () =>
    ['spot-klines-BTCUSDT-1h-1000rows-page1.json', 'spot-klines-BTCUSDT-1h-468rows-page2.json'].flatMap(
      (name) => JSON.parse(captured(name)) as Row[],
    );

  test('trap 10: the hours of 2020-05 and 2020-06 are those of the archive, all fields, the outage too', async () => {
    const [info, all] = [JSON.parse(captured('spot-exchangeInfo.json')) as object, pages()];
    const serverTime = Date.UTC(2020, 6, 1, 3);
    const answer = ({ pathname, searchParams }: URL): Reply => {
      if (pathname.endsWith('exchangeInfo')) return { body: JSON.stringify({ ...info, serverTime }) };
      if (!pathname.endsWith('klines')) return { body: '<ListBucketResult/>' };
      const [from = 0, to = 0, limit] = ['startTime', 'endTime', 'limit'].map((name) => Number(searchParams.get(name)));
      return { body: JSON.stringify(all.filter(([open]) => open >= from && open <= to).slice(0, limit)) };
    };
    const server = await serve(answer);
    const clock = () => serverTime;
    const spot = [
      'exchanges.binance.markets=[spot]',
      'exchanges.binance.symbols=BTCUSDT',
      'exchanges.binance.rest.days=61',
    ];
    const rest = await restLake(server, clock, [...spot, 'exchanges.binance.start=2020-05-01']);
    expect((await rest.materialize(SELECT)).failed).toEqual([]);
    const bulk = await restLake(server, clock, [
      ...spot,
      ...['exchanges.binance.rest.enabled=false', `exchanges.binance.archive.directory=${MIRROR}`],
      'exchanges.binance.start=2020-05-01',
    ]);
    await bulk.materialize(SELECT);
    const known = (lake: OpenedLake) => silver(lake).filter(([path]) => /2020-0[56]/.test(path));
    expect(known(rest.lake).length).toBeGreaterThan(0);
    expect(known(rest.lake)).toEqual(known(bulk.lake));
    expect(await rest.rows("SELECT count(*) FROM silver.klines WHERE date = '2020-06-28'")).toEqual([[21n]]);
    // The twelfth field is in no table: answers and files as text.
    const texts = (['2020-05', '2020-06'] as const).flatMap((period) => {
      const of = { market: 'spot', cadence: 'monthly', symbol: 'BTCUSDT', interval: '1h', period } as const;
      const zip = readFileSync(join(MIRROR, klinesKey(of)));
      return new TextDecoder()
        .decode(inflateMember(readSingleMember(zip, period)))
        .trim()
        .split('\n');
    });
    const asked = all.filter(([open]) => open >= Date.UTC(2020, 4) && open < Date.UTC(2020, 6));
    expect(asked.map((row) => row.join())).toEqual(texts);
  });

  test('trap 27: USD-M from its first day on, prices with and without decimals', async () => {
    const all = JSON.parse(captured('um-klines-BTCUSDT-1d-from-listing.json')) as Row[];
    const serverTime = Date.UTC(2019, 8, 18, 12);
    const [symbol] = (JSON.parse(captured('um-exchangeInfo.json')) as { symbols: object[] }).symbols;
    const info = { serverTime, rateLimits: [], symbols: [{ ...symbol, onboardDate: all[0]?.[0] }] };
    const server = await serve(({ pathname, searchParams }) => {
      if (pathname.endsWith('exchangeInfo')) return { body: JSON.stringify(info) };
      if (!pathname.endsWith('klines')) return { body: '<ListBucketResult/>' };
      const [from = 0, to = 0] = ['startTime', 'endTime'].map((name) => Number(searchParams.get(name)));
      return { body: JSON.stringify(all.filter(([open]) => open >= from && open <= to)) };
    });
    const { materialize, rows } = await restLake(server, () => serverTime, [
      ...['exchanges.binance.markets=[um]', 'exchanges.binance.intervals=[1d]'],
    ]);
    expect((await materialize(SELECT)).failed).toEqual([]);
    expect(
      await rows(
        'SELECT count(*), min(date)::VARCHAR, max(date)::VARCHAR, (arg_min(open, open_time))::VARCHAR, arg_min(high, open_time)::VARCHAR FROM silver.klines',
      ),
    ).toEqual([[10n, '2019-09-08', '2019-09-17', '10000.00000000', '10412.65000000']]);
    expect(server.asked.filter((path) => path.startsWith('/fapi/v1/klines?')).length).toBe(10);
  });
});

import { describe, expect, test } from 'vitest';
import { cheapestPage, endpoints } from '../../assets/exchanges/binance/rest/endpoints.ts';
import { fetchFunding, fetchKlines, type KlinesRequest } from '../../assets/exchanges/binance/rest/pages.ts';
import { CAPTURED, captured, clientOf, clockAt, noCaptured, serve, skipped } from './rest-support.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const START = Date.UTC(2024, 0, 15);
const never = new AbortController().signal;
const day: KlinesRequest = {
  type: 'klines',
  market: 'spot',
  symbol: 'BTCUSDT',
  interval: '1m',
  startMs: START,
  endMs: START + DAY,
};

/** An exchange that has these open times and answers ranges of them. */
const exchangeOf = (times: readonly number[]) =>
  serve(({ searchParams }) => {
    const [from = 0, to = 0, limit] = ['startTime', 'endTime', 'limit'].map((name) => Number(searchParams.get(name)));
    const rows = times.filter((time) => time >= from && time <= to).slice(0, limit);
    return { body: JSON.stringify(rows.map((time) => [time, '1'])) };
  });
const grid = (ms: number, count: number, from = START) => Array.from({ length: count }, (_, i) => from + i * ms);

async function fetched(times: readonly number[], of: Partial<KlinesRequest> = {}) {
  const { url, asked } = await exchangeOf(times);
  const client = clientOf(url, clockAt(START + 2 * DAY));
  const { bodies } = await fetchKlines(client, { ...day, ...of }, never);
  const opened = bodies.flatMap((body) => (JSON.parse(new TextDecoder().decode(body)) as [number][]).map(([t]) => t));
  return { opened, asked, pages: bodies.length, weight: client.sent.weight };
}

describe('pages', () => {
  test('the least weight: one request where it is enough, 499 rows at a time where that is cheaper', () => {
    const of = (market: 'spot' | 'um', rows: number) => {
      const { limit, weight } = cheapestPage(endpoints[market].klines, rows);
      return [limit, weight];
    };
    expect([25, 97, 150, 289, 1441].map((rows) => of('um', rows))).toEqual([
      [25, 1],
      [97, 1],
      [150, 2],
      [289, 2],
      [499, 2],
    ]);
    expect([2, 1441].map((rows) => of('spot', rows))).toEqual([
      [2, 2],
      [1000, 2],
    ]);
  });

  test('a day of minutes: spot in two requests of weight 2, futures in three', async () => {
    const times = grid(MINUTE, 1440);
    const spot = await fetched([START - MINUTE, ...times, START + DAY]);
    expect([spot.opened, spot.weight]).toEqual([times, 4]);
    expect(spot.asked).toEqual([
      '/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1705276800000&endTime=1705363199999&limit=1000',
      '/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1705336740001&endTime=1705363199999&limit=442',
    ]);
    const um = await fetched(times, { market: 'um' });
    expect([um.opened, um.asked.length, um.weight]).toEqual([times, 3, 6]);
  });

  test('an hour, and a day, are one request each', async () => {
    const hours = await fetched(grid(3_600_000, 24), { interval: '1h', market: 'cm' });
    expect([hours.opened.length, hours.asked.length, hours.weight]).toEqual([24, 1, 1]);
    const one = await fetched([START], { interval: '1d' });
    expect([one.opened, one.asked.length]).toEqual([[START], 1]);
  });

  test('a hole ends nothing, also one that a page begins with', async () => {
    const times = grid(MINUTE, 1440).filter((_, i) => i < 900 || i >= 1100);
    const { opened, asked } = await fetched(times);
    expect([opened, asked.length]).toEqual([times, 2]);
  });

  test('a page that is full is not the last: candles off their grid are had too', async () => {
    const times = [...grid(3_600_000, 24), START + 1000, START + 2000].sort((a, b) => a - b);
    const { opened, asked } = await fetched(times, { interval: '1h' });
    expect([opened, asked.length]).toEqual([times, 2]);
  });

  test('a day without candles is an empty answer', async () => {
    const { opened, pages } = await fetched([]);
    expect([opened, pages]).toEqual([[], 1]);
  });

  test('1mo is 1M, and of a pair where it is one of pairs', async () => {
    const { asked } = await fetched([], { type: 'indexPriceKlines', market: 'cm', symbol: 'BTCUSD', interval: '1mo' });
    expect(asked).toEqual([
      '/dapi/v1/indexPriceKlines?pair=BTCUSD&interval=1M&startTime=1705276800000&endTime=1705363199999&limit=2',
    ]);
  });

  test('trap 27: a start that was moved, or times that were ignored, are no answer', async () => {
    const { url } = await serve(() => ({ body: JSON.stringify([[START + 5 * DAY, '1']]) }));
    await expect(fetchKlines(clientOf(url, clockAt(START)), day, never)).rejects.toMatchObject({
      ...{ code: 'rest-other-range', kind: 'data' },
      message: expect.stringContaining('to 2024-01-16T00:00:00.000Z, and the answer has 2024-01-20T00:00:00.000Z'),
    });
  });

  test.each([
    ['an object', '{"code":0}'],
    ['a row without a time', '[["1","2"]]'],
    ['a row that is none', '[7]'],
  ])('%s is refused', async (_, body) => {
    const { url } = await serve(() => ({ body }));
    await expect(fetchKlines(clientOf(url, clockAt(START)), day, never)).rejects.toMatchObject({ code: 'rest-shape' });
  });
});

describe.skipIf(noCaptured)(`captured answers${skipped}`, () => {
  interface Captured {
    readonly file: string;
    readonly path: string;
    readonly query: string;
  }
  const index = (): Captured[] => JSON.parse(captured('INDEX.json')) as Captured[];

  test(`every list of candles in ${CAPTURED} is accepted for its span`, async () => {
    const lists = index().filter(({ path, file }) => /\/klines$/.test(path) && !file.includes('error'));
    for (const { file, path } of lists) {
      const body = captured(file);
      const times = (JSON.parse(body) as [number][]).map(([open]) => open);
      const { url, asked } = await serve(() => ({ body }));
      const market = path.startsWith('/api') ? 'spot' : path.startsWith('/fapi') ? 'um' : 'cm';
      const span = { startMs: times[0] ?? 0, endMs: (times.at(-1) ?? 0) + 1 };
      const { bodies } = await fetchKlines(
        clientOf(url, clockAt(START)),
        { ...day, market, interval: file.includes('1M') ? '1mo' : '1s', ...span },
        never,
      );
      expect([file, Buffer.from(bodies[0] ?? []).toString() === body, asked.length]).toEqual([file, true, 1]);
    }
    expect(lists.length).toBe(10);
  });

  test('trap 27: times in seconds were ignored; such an answer is refused', async () => {
    const { url } = await serve(() => ({
      body: captured('um-klines-LTCUSDT-5m-seconds-timestamps-in-request-500rows.json'),
    }));
    const span = { startMs: 1_602_816_289, endMs: 1_602_819_889 };
    await expect(
      fetchKlines(clientOf(url, clockAt(START)), { ...day, market: 'um', interval: '5m', ...span }, never),
    ).rejects.toMatchObject({ code: 'rest-other-range' });
  });

  test('trap 11: funding times jitter, and are in their span', async () => {
    const body = captured('um-fundingRate-BTCUSDT-2020-01.json');
    const { url, asked } = await serve(() => ({ body }));
    const bytes = await fetchFunding(
      clientOf(url, clockAt(START)),
      { market: 'um', symbol: 'BTCUSDT', startMs: 1_577_836_800_000, endMs: 1_580_515_200_000, also: undefined },
      never,
    );
    expect(Buffer.from(bytes).toString()).toBe(body);
    expect(asked).toEqual([
      '/fapi/v1/fundingRate?symbol=BTCUSDT&startTime=1577836800000&endTime=1580515199999&limit=1000',
    ]);
  });
});

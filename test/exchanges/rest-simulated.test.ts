import { describe, expect, onTestFinished, test } from 'vitest';
import { restMarkets } from '../../assets/exchanges/binance/rest/market.ts';
import { fetchKlines } from '../../assets/exchanges/binance/rest/pages.ts';
import { type SimulatedExchange, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { type Clock, clockAt } from './rest-support.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2024, 2, 1, 12, 0, 20);
const never = new AbortController().signal;

async function simulated(clock: Clock, weightPerMinute: number): Promise<SimulatedExchange> {
  const exchange = await startSimulatedExchange({
    seed: 'limits',
    listings: [{ market: 'spot', symbol: 'BTCUSDT', price: 40_000 }],
    intervals: ['1h'],
    from: '2024-02-01',
    to: '2024-01-31',
    now: clock.now,
    weightPerMinute,
  });
  onTestFinished(() => exchange.close());
  return exchange;
}

function spotOf(exchange: SimulatedExchange, { now, sleep }: Clock) {
  const baseUrls = { spot: exchange.url, um: exchange.url, cm: exchange.url };
  const settings = { enabled: true, days: 7, timeoutMs: 5000, concurrency: 4, baseUrls };
  return restMarkets(settings, { now, sleep, simulated: true })('spot');
}

const day = (number: number) => ({
  ...({ type: 'klines', market: 'spot', symbol: 'BTCUSDT', interval: '1h' } as const),
  startMs: Date.UTC(2024, 1, number),
  endMs: Date.UTC(2024, 1, number) + DAY,
});

describe('the limits of an exchange', () => {
  test('trap 28: are learned from exchangeInfo and kept: nobody is told to slow down', async () => {
    const clock = clockAt(NOW);
    const exchange = await simulated(clock, 40);
    const { client, info } = spotOf(exchange, clock);
    await info({ signal: never });
    const days = Array.from({ length: 29 }, (_, i) => fetchKlines(client, day(i + 1), never));
    expect((await Promise.all(days)).length).toBe(29);
    // 36 a minute: exchangeInfo weighs 20, which leaves 8 days, then 18 and 3.
    expect(clock.ms).toBeGreaterThanOrEqual(Date.UTC(2024, 2, 1, 12, 2));
    expect([client.sent, exchange.requests.rest]).toEqual([{ requests: 30, weight: 78 }, 30]);
  });

  test('are those of the address: what others use there counts', async () => {
    const clock = clockAt(NOW);
    const exchange = await simulated(clock, 100);
    const { client, info } = spotOf(exchange, clock);
    await info({ signal: never });
    for (let i = 0; i < 34; i++) await fetch(`${exchange.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1`);
    await fetchKlines(client, day(1), never);
    expect(clock.waits).toEqual([]); // only the answer tells
    await fetchKlines(client, day(2), never);
    expect(clock.waits).toEqual([40_000]);
  });

  test('when they are passed all the same: waits for the minute to end, and a ban ends by itself', async () => {
    const clock = clockAt(NOW);
    const exchange = await simulated(clock, 20);
    const { client } = spotOf(exchange, clock);
    for (let i = 0; i < 10; i++) await fetch(`${exchange.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1`);
    await fetchKlines(client, day(1), never);
    expect([clock.waits, client.sent.requests]).toEqual([[40_000], 2]);
    for (let i = 0; i < 20; i++) await fetch(`${exchange.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1`);
    const banned = { code: 'rest-banned', message: expect.stringContaining('until 2024-03-01T12:03:00.000Z') };
    await expect(fetchKlines(client, day(2), never)).rejects.toMatchObject(banned);
    await expect(fetchKlines(client, day(2), never)).rejects.toMatchObject(banned);
    clock.ms = Date.UTC(2024, 2, 1, 12, 3);
    expect((await fetchKlines(client, day(2), never)).bodies.length).toBe(1);
    expect(client.sent.requests).toBe(4);
  });
});

test('exchangeInfo is asked once for all who want it within a minute', async () => {
  const clock = clockAt(NOW);
  const exchange = await simulated(clock, 6000);
  const { info } = spotOf(exchange, clock);
  let asked = 0;
  const ask = () => info({ signal: never, onRequest: () => asked++ });
  const [one, two] = await Promise.all([ask(), ask()]);
  expect(two).toBe(one);
  clock.ms += 59_000;
  await ask();
  expect([asked, exchange.requests.rest]).toEqual([1, 1]);
  clock.ms += 2000;
  expect((await ask()).serverTimeMs).toBe(clock.ms);
  expect([asked, exchange.requests.rest]).toEqual([2, 2]);
});

test('another run that ends does not take the answer away', async () => {
  const clock = clockAt(NOW);
  const exchange = await simulated(clock, 6000);
  const { info } = spotOf(exchange, clock);
  const ended = new AbortController();
  const first = info({ signal: ended.signal });
  const second = info({ signal: never });
  ended.abort(new Error('over'));
  await expect(first).rejects.toThrow('over');
  expect((await second).symbols.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
});

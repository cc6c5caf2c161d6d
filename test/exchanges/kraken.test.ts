import { existsSync, readFileSync } from 'node:fs';
import { asset, daily, defineLakehouse, source, sql, staticDimension } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { krakenAnswer, krakenText } from '../../assets/exchanges/kraken/klines.ts';
import { klineTextTable } from '../../assets/exchanges/rest/text.ts';
import { candle } from '../../assets/klines.ts';
import { candleColumns } from '../../assets/silver/candles.ts';
import { type Answer, answeredLake, startAnswers } from './answers.ts';

const CAPTURES = '../shared/data/rest/kraken';
const noCaptures = !existsSync(CAPTURES);
const skipped = noCaptures ? ' (skipped: nothing at ../shared/data)' : '';
const SILVER = '+silver/klines';

/** What Kraken calls pairs, and what people call them. */
const PAIRS = JSON.stringify({
  error: [],
  result: { XXBTZUSD: { altname: 'XBTUSD' }, 'XXBTZUSD.d': { altname: 'XBTUSD.d' }, XETHZUSD: { altname: 'ETHUSD' } },
});

/** The last 720 candles up to now, whatever is asked for; the last one is open. Those at the full day are without trades. */
function lastCandles(url: URL, nowMs: number): Answer {
  if (url.pathname === '/0/public/AssetPairs') return PAIRS;
  const step = Number(url.searchParams.get('interval')) * 60;
  const since = Number(url.searchParams.get('since'));
  const open = Math.floor(nowMs / 1000 / step) * step;
  const times = Array.from({ length: 720 }, (_, i) => open - (719 - i) * step).filter((at) => at > since);
  const rows = times.map((at) => {
    const price = `${2000 + (at % 86_400) / step}.500`;
    return at % 86_400 === 0
      ? [at, price, price, price, price, '0.000', '0.00000000', 0]
      : [at, price, '2999.900', '1000.100', price, '2000.123', '1.01200000', 7];
  });
  return JSON.stringify({ error: [], result: { XXBTZUSD: rows, last: open - step } });
}

async function krakenLake(now: string, answer: (url: URL, nowMs: number) => Answer, sets: readonly string[] = []) {
  const clock = { now: Date.parse(now) };
  const server = await startAnswers((url) => answer(url, clock.now));
  const lake = await answeredLake({
    now: () => clock.now,
    sets: [
      'exchanges.kraken.enabled=true',
      `exchanges.kraken.baseUrl=${server.url}`,
      'exchanges.kraken.requestsPerSecond=1000',
      'exchanges.kraken.symbols=XBTUSD',
      ...sets,
    ],
  });
  return { ...lake, ...server, clock };
}

test('a day that has just ended is asked for again until its last candle is there, for six hours', async () => {
  const clocks = { exchange: Date.parse('2024-01-10T00:02Z') };
  const behind = (url: URL): Answer => {
    const { error, result } = JSON.parse(lastCandles(url, clocks.exchange) as string);
    if (url.pathname === '/0/public/AssetPairs') return PAIRS;
    // Without the last whole hour.
    return JSON.stringify({ error, result: { XXBTZUSD: result.XXBTZUSD.slice(0, -2) } });
  };
  const sets = ['exchanges.kraken.days=1', 'workflow.retryAttempts=0'];
  const { materialize, rows, clock } = await krakenLake('2024-01-10T00:02Z', behind, sets);
  expect(await materialize(SILVER)).toMatchObject([
    {
      error: {
        code: 'rest-short',
        message: expect.stringMatching(/candles up to 2024-01-09T22:00.*one at 2024-01-09T23:00/),
      },
    },
  ]);
  clock.now += 6 * 3_600_000;
  expect(await materialize(SILVER)).toEqual([]);
  expect(await rows('SELECT count(*), max(hour(open_time)) FROM silver.klines')).toEqual([[23n, 22n]]);
});

test("a day is over by the exchange's clock, not by a wrong one here", async () => {
  const late = (url: URL): Answer => ({
    status: 200,
    headers: { date: new Date('2024-01-09T23:30Z').toUTCString() },
    body: lastCandles(url, Date.parse('2024-01-09T23:30Z')) as string,
  });
  const { materialize, rows } = await krakenLake('2024-01-10T00:30Z', late, ['exchanges.kraken.days=1']);
  expect(await materialize(SILVER)).toEqual([]);
  expect(await rows('SELECT DISTINCT date FROM silver.klines')).toEqual([['2024-01-08']]);
});

test('trap 26: strings under another key, minutes without trades, the open candle left out', async () => {
  const { materialize, rows, requests } = await krakenLake('2024-01-10T12:00Z', lastCandles, [
    'exchanges.kraken.days=2',
  ]);
  expect(await materialize(SILVER)).toEqual([]);
  expect(
    await rows(
      'SELECT exchange, symbol, interval, date, count(*), min(open_time)::VARCHAR, max(open_time)::VARCHAR, sum(volume)::VARCHAR, sum(count)::INTEGER FROM silver.klines GROUP BY ALL ORDER BY date',
    ),
  ).toEqual([
    ['kraken', 'XBTUSD', '1h', '2024-01-08', 24n, '2024-01-08 00:00:00', '2024-01-08 23:00:00', '23.27600000', 161],
    ['kraken', 'XBTUSD', '1h', '2024-01-09', 24n, '2024-01-09 00:00:00', '2024-01-09 23:00:00', '23.27600000', 161],
  ]);
  expect(
    await rows(
      "SELECT open::VARCHAR, high::VARCHAR, low::VARCHAR, close::VARCHAR, volume::VARCHAR, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume FROM silver.klines WHERE open_time IN ('2024-01-08 00:00:00', '2024-01-08 01:00:00') ORDER BY open_time",
    ),
  ).toEqual([
    ['2000.50000000', '2000.50000000', '2000.50000000', '2000.50000000', '0.00000000', null, null, 0n, null, null],
    ['2001.50000000', '2999.90000000', '1000.10000000', '2001.50000000', '1.01200000', null, null, 7n, null, null],
  ]);
  expect(requests).toEqual([
    '/0/public/AssetPairs',
    '/0/public/OHLC?pair=XBTUSD&interval=60&since=1704671999',
    '/0/public/OHLC?pair=XBTUSD&interval=60&since=1704758399',
  ]);
});

test('trap 26: only days of which all candles are among the last 720; what was fetched is kept', async () => {
  const { materialize, rows, clock } = await krakenLake('2024-01-10T02:00Z', lastCandles, [
    'exchanges.kraken.intervals=5m',
    'exchanges.kraken.days=30',
  ]);
  const days = () =>
    rows(
      'SELECT interval, min(date)::VARCHAR, max(date)::VARCHAR, count(*) FROM silver.klines GROUP BY ALL ORDER BY 1',
    );
  expect(await materialize(SILVER)).toEqual([]);
  expect(await days()).toEqual([['5m', '2024-01-08', '2024-01-09', 2n * 288n]]);
  clock.now = Date.parse('2024-01-11T12:00Z');
  expect(await materialize(SILVER)).toEqual([]);
  expect(await days()).toEqual([['5m', '2024-01-08', '2024-01-10', 3n * 288n]]);
});

test('an error beside status 200: too many requests are tried again, an unknown pair is not', async () => {
  const errors = ['EGeneral:Too many requests', 'EService:Busy'];
  const busy = await krakenLake(
    '2024-01-10T12:00Z',
    (url, now) => {
      const error = url.pathname === '/0/public/OHLC' && errors.shift();
      return error ? JSON.stringify({ error: [error] }) : lastCandles(url, now);
    },
    ['exchanges.kraken.days=1'],
  );
  expect(await busy.materialize(SILVER)).toEqual([]);
  expect(busy.requests.length).toBe(4);

  const gone = await krakenLake(
    '2024-01-10T12:00Z',
    (url, now) =>
      url.pathname === '/0/public/OHLC' ? '{"error":["EQuery:Unknown asset pair"]}' : lastCandles(url, now),
    ['exchanges.kraken.days=1'],
  );
  expect(JSON.stringify(await gone.materialize(SILVER))).toContain('answered 200 (EQuery:Unknown asset pair)');
  expect(gone.requests.length).toBe(2);
});

test('a day that got out of reach since it was seen is not fetched in part', async () => {
  const { materialize, clock, requests } = await krakenLake('2024-01-10T02:00Z', lastCandles, [
    'exchanges.kraken.intervals=5m',
    'exchanges.kraken.days=1',
  ]);
  await materialize('kraken/klines_rest');
  clock.now = Date.parse('2024-01-12T02:00Z');
  const [failed] = await materialize('bronze/kraken_klines', { observe: false });
  expect(failed).toMatchObject({ error: { code: 'rest-too-old', kind: 'data' } });
  expect(requests).toEqual(['/0/public/AssetPairs']);
});

test('minutes are no setting: no day of them is ever whole', async () => {
  const lake = krakenLake('2024-01-10T12:00Z', lastCandles, ['exchanges.kraken.intervals=1m']);
  await expect(lake).rejects.toThrow(/exchanges\.kraken\.intervals/);
});

describe.skipIf(noCaptures)(`captured answers${skipped}`, () => {
  const real = (name: string): string => readFileSync(`${CAPTURES}/${name}`, 'utf8');

  test('pairs by their short names, without dark pools', async () => {
    const { materialize, requests } = await krakenLake(
      '2024-01-10T12:00Z',
      (url, now) => (url.pathname === '/0/public/AssetPairs' ? real('xchange-AssetPairs.json') : lastCandles(url, now)),
      ['exchanges.kraken.days=1', 'exchanges.kraken.symbols=XBT?U*'],
    );
    await materialize('+bronze/kraken_klines');
    const asked = requests.slice(1).map((path) => new URLSearchParams(path.replace(/.*[?]/, '')).get('pair'));
    expect(asked).toEqual(['XBTEUR']);
  });

  test('too many requests', async () => {
    const { materialize } = await krakenLake(
      '2024-01-10T12:00Z',
      (url, now) =>
        url.pathname === '/0/public/OHLC' ? real('errors/200-EGeneral-too-many-requests.json') : lastCandles(url, now),
      ['exchanges.kraken.days=1', 'workflow.retryAttempts=0'],
    );
    const [failed] = await materialize(SILVER);
    expect(failed).toMatchObject({ error: { code: 'rest-rate-limited', kind: 'transient' } });
  });

  // Of minutes no whole day can be had, so these go the way of the others in a lake of their own.
  test('trap 26: 720 minutes of 2017 as rows of silver, 17 of them without trades', async () => {
    const body = real('xchange-OHLC-XXBTZUSD-1m-2017-08.json');
    const partitions = { exchange: staticDimension(['kraken']), date: daily({ start: '2017-01-01' }) };
    const rest = source('kraken/capture', {
      partitions,
      observe: async function* () {
        yield { partition: { exchange: 'kraken', date: '2017-08-10' }, version: 'capture' };
      },
      read: async () => ({ bytes: Buffer.from(body), version: 'capture' }),
    });
    const raw = asset('bronze/kraken', {
      partitions,
      inputs: { rest },
      format: krakenAnswer,
      compute: ({ inputs }) => inputs.rest.bytes(),
    });
    const text = asset('bronze/kraken_text', {
      ...klineTextTable,
      partitions,
      inputs: { raw },
      query: ({ raw }) => sql`SELECT ${krakenText(raw)} FROM ${raw}`,
    });
    const typed = asset('silver/kraken', {
      partitions,
      inputs: { text },
      columns: candle,
      sortBy: ['open_time'],
      query: ({ text }) => sql`SELECT ${candleColumns(text)} FROM ${text}`,
    });
    const { materialize, rows } = await answeredLake({
      definition: defineLakehouse({ assets: [rest, raw, text, typed] }),
      now: () => Date.parse('2017-08-12T12:00Z'),
      sets: [],
    });
    expect(await materialize('+silver/kraken')).toEqual([]);
    const published = (JSON.parse(body) as { result: { XXBTZUSD: [number, ...string[]][] } }).result.XXBTZUSD;
    expect(
      await rows(
        'SELECT epoch(open_time)::INTEGER, open::DOUBLE, high::DOUBLE, low::DOUBLE, close::DOUBLE, volume::DOUBLE, count::INTEGER FROM silver.kraken ORDER BY open_time',
      ),
    ).toEqual(
      published.map(([at, open, high, low, close, , volume, count]) =>
        [at, open, high, low, close, volume, count].map(Number),
      ),
    );
    expect(await rows('SELECT count(*) FROM silver.kraken WHERE count = 0 AND volume = 0')).toEqual([[17n]]);
  });
});

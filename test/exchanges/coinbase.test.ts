import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Answer, answeredLake, startAnswers } from './answers.ts';

const CAPTURES = '../shared/data/rest/coinbase';
const noCaptures = !existsSync(CAPTURES);
const SILVER = '+silver/klines';
const products = (...ids: string[]) => JSON.stringify(ids.map((id) => ({ id, status: 'online' })));

/** The lake of a Coinbase that answers so, at an instant: one day of BTC-USD unless set otherwise. */
async function coinbaseLake(now: string, answer: (url: URL) => Answer, sets: readonly string[] = []) {
  const server = await startAnswers(answer);
  const clock = { now: Date.parse(now) };
  const lake = await answeredLake({
    now: () => clock.now,
    sets: [
      'exchanges.coinbase.enabled=true',
      `exchanges.coinbase.baseUrl=${server.url}`,
      'exchanges.coinbase.requestsPerSecond=1000',
      'exchanges.coinbase.symbols=BTC-USD',
      'exchanges.coinbase.intervals=1m',
      'exchanges.coinbase.days=1',
      ...sets,
    ],
  });
  return { ...lake, ...server, clock };
}

/** Candles between two ends as Coinbase answers them: newest first, and some from before the start. */
function candles(url: URL, row: (at: number) => string | undefined): Answer {
  const step = Number(url.searchParams.get('granularity'));
  const [start = 0, end = 0] = ['start', 'end'].map((name) => Date.parse(url.searchParams.get(name) ?? '') / 1000);
  if ((end - start) / step >= 300) {
    return { status: 400, body: '{"message":"granularity too small for the requested time range"}' };
  }
  const rows: string[] = [];
  for (let at = end; at >= start - 2 * step; at -= step)
    rows.push(...((row(at) ?? []).length > 0 ? [row(at) ?? ''] : []));
  return `[${rows.join(',')}]`;
}

const price = (at: number): string => String(10000 + ((at / 60) % 1440) / 100);

test('trap 25: newest first, numbers with noise, at most 300 at once, holes left out', async () => {
  const hole = Date.parse('2024-01-01T00:07Z') / 1000;
  const noisy = Date.parse('2024-01-01T05:00Z') / 1000;
  const small = noisy + 60;
  const { materialize, rows, requests } = await coinbaseLake('2024-01-02T12:00Z', (url) =>
    url.pathname === '/products'
      ? products('BTC-USD', 'ETH-USD')
      : candles(url, (at) => {
          const volume = at === noisy ? '2.2357688599999963' : at === small ? '1.5e-05' : '1';
          return at === hole ? undefined : `[${at},${price(at)},20000,${price(at)},${price(at)},${volume}]`;
        }),
  );
  expect(await materialize(SILVER)).toEqual([]);
  expect(
    await rows(
      "SELECT exchange, symbol, interval, date, count(*), count(DISTINCT open_time), min(open_time)::VARCHAR, max(open_time)::VARCHAR, bool_or(open_time = '2024-01-01 00:07:00') FROM silver.klines GROUP BY ALL",
    ),
  ).toEqual([
    ['coinbase', 'BTC-USD', '1m', '2024-01-01', 1439n, 1439n, '2024-01-01 00:00:00', '2024-01-01 23:59:00', false],
  ]);
  expect(
    await rows(
      "SELECT open::VARCHAR, high::VARCHAR, low::VARCHAR, close::VARCHAR, volume::VARCHAR, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume FROM silver.klines WHERE open_time IN ('2024-01-01 05:00:00', '2024-01-01 05:01:00') ORDER BY open_time",
    ),
  ).toEqual([
    [
      '10003.00000000',
      '20000.00000000',
      '10003.00000000',
      '10003.00000000',
      '2.23576886',
      null,
      null,
      null,
      null,
      null,
    ],
    [
      '10003.01000000',
      '20000.00000000',
      '10003.01000000',
      '10003.01000000',
      '0.00001500',
      null,
      null,
      null,
      null,
      null,
    ],
  ]);
  // Once the products, and a day of minutes in fives of 300; a day that is over is not asked for again.
  expect(requests.map((path) => path.replace(/[?].*/, ''))).toEqual([
    '/products',
    ...Array(5).fill('/products/BTC-USD/candles'),
  ]);
  expect(await materialize(SILVER)).toEqual([]);
  expect(requests.slice(6)).toEqual(['/products']);
});

test('the day that is not over is not asked for, and days that are no longer looked at are kept', async () => {
  const answer = (url: URL) =>
    url.pathname === '/products' ? products('BTC-USD') : candles(url, (at) => `[${at},1,2,1,2,3]`);
  const { materialize, rows, clock } = await coinbaseLake('2024-01-03T00:00:30Z', answer, [
    'exchanges.coinbase.intervals=1d',
    'exchanges.coinbase.days=2',
  ]);
  const dates = () => rows('SELECT date FROM silver.klines ORDER BY 1').then((all) => all.flat());
  await materialize(SILVER);
  // The third has begun, but trades of the second may still be counted.
  expect(await dates()).toEqual(['2023-12-31', '2024-01-01']);
  clock.now = Date.parse('2024-01-04T12:00Z');
  await materialize(SILVER);
  expect(await dates()).toEqual(['2023-12-31', '2024-01-01', '2024-01-02', '2024-01-03']);
});

test('a product that there is not is an error that suggests one; one that there was keeps what there is of it', async () => {
  let listed = products('BTC-USD', 'OLD-USD');
  const answer = (url: URL) => (url.pathname === '/products' ? listed : candles(url, (at) => `[${at},1,2,1,2,3]`));
  const sets = ['exchanges.coinbase.intervals=1d', 'exchanges.coinbase.symbols=[BTC-USD,OLD-USD]'];
  const known = await coinbaseLake('2024-01-02T12:00Z', answer, sets);
  await known.materialize(SILVER);
  listed = products('BTC-USD');
  known.clock.now = Date.parse('2024-01-03T12:00Z');
  expect(await known.materialize(SILVER)).toEqual([]);
  expect(await known.rows('SELECT symbol, date FROM silver.klines ORDER BY ALL')).toEqual([
    ['BTC-USD', '2024-01-01'],
    ['BTC-USD', '2024-01-02'],
    ['OLD-USD', '2024-01-01'],
  ]);
  const never = await coinbaseLake('2024-01-02T12:00Z', answer, ['exchanges.coinbase.symbols=BTC-USDT']);
  await expect(never.materialize(SILVER)).rejects.toMatchObject({
    kind: 'usage',
    message: expect.stringContaining("exchanges.coinbase.symbols: the exchange has no 'BTC-USDT'"),
    hint: expect.stringContaining('BTC-USD'),
  });
});

test('what cannot be read exactly is refused, with its row', async () => {
  const volumes = { 'A-USD': '0.123456789', 'B-USD': 'null', 'C-USD': '"much"', 'D-USD': '20000.123456785' };
  const { materialize } = await coinbaseLake(
    '2024-01-02T12:00Z',
    ({ pathname }) =>
      pathname === '/products'
        ? products(...Object.keys(volumes))
        : `[[1704067200,1,2,1,2,${volumes[pathname.split('/')[2] as keyof typeof volumes]}]]`,
    ['exchanges.coinbase.intervals=1d', 'exchanges.coinbase.symbols=*'],
  );
  const failed = JSON.stringify(await materialize(SILVER));
  for (const said of ["is '0.123456789'", 'is empty', "is 'much'", "is '20000.123456785'"]) {
    expect(failed).toContain(
      `volume ${said} in the row with time 1704067200: expected a number with at most 8 decimals`,
    );
  }
});

describe.skipIf(noCaptures)(`captured answers${noCaptures ? ' (skipped: nothing at ../shared/data)' : ''}`, () => {
  const real = (name: string): string => readFileSync(`${CAPTURES}/${name}`, 'utf8');
  /** The same body whatever the range: with more in it than was asked for. */
  const replay = (body: string) => (url: URL) => (url.pathname === '/products' ? products('BTC-USD') : body);

  test('trap 25: ten minutes of 2018, with their noise', async () => {
    const { materialize, rows } = await coinbaseLake(
      '2018-02-02T12:00Z',
      replay(real('xchange-exchange-candles-1m-2018-02-01.json')),
    );
    expect(await materialize(SILVER)).toEqual([]);
    expect(
      await rows(
        "SELECT strftime(open_time, '%M'), open::VARCHAR, high::VARCHAR, low::VARCHAR, close::VARCHAR, volume::VARCHAR FROM silver.klines ORDER BY open_time",
      ),
    ).toEqual([
      ['00', '10099.99000000', '10099.99000000', '10099.98000000', '10099.98000000', '1.87868123'],
      ['01', '10099.98000000', '10099.99000000', '10069.46000000', '10069.47000000', '5.56541081'],
      ['02', '10069.47000000', '10098.55000000', '10069.47000000', '10098.55000000', '2.91525070'],
      ['03', '10099.00000000', '10099.99000000', '10098.99000000', '10099.98000000', '16.05741194'],
      ['04', '10099.99000000', '10149.91000000', '10099.99000000', '10149.91000000', '9.32733184'],
      ['05', '10149.91000000', '10166.25000000', '10149.91000000', '10156.99000000', '6.64827256'],
      ['06', '10156.99000000', '10157.00000000', '10156.99000000', '10156.99000000', '2.23576886'],
      ['07', '10156.99000000', '10157.00000000', '10127.89000000', '10130.00000000', '1.03676274'],
      ['08', '10129.99000000', '10130.00000000', '10106.01000000', '10106.01000000', '4.72752152'],
      ['09', '10106.01000000', '10120.21000000', '10106.00000000', '10120.21000000', '2.85107455'],
    ]);
  });

  test('350 minutes of 2025: all that an answer has, none of the holes', async () => {
    const [recorded] = JSON.parse(real('bbgo-http-recording-exchange-candles-BTC-USD-60.json')) as [
      { response: { body: string } },
    ];
    const published = JSON.parse(recorded.response.body) as [number, number, number, number, number, number][];
    const { materialize, rows } = await coinbaseLake('2025-08-19T12:00Z', replay(recorded.response.body));
    expect(await materialize(SILVER)).toEqual([]);
    const columns = ['low', 'high', 'open', 'close', 'volume'].map((name) => `${name}::DOUBLE`);
    expect(
      await rows(`SELECT epoch(open_time)::INTEGER, ${columns.join(', ')} FROM silver.klines ORDER BY open_time DESC`),
    ).toEqual(published.map((row) => row.map((number, i) => (i === 5 ? Number(number.toFixed(8)) : number))));
    expect(published.length).toBe(350);
  });
});

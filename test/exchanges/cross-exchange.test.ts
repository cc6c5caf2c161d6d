import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type MirrorFile, writeFiles } from '../datasets/lake.ts';
import { answeredLake, startAnswers } from './answers.ts';

const hour = (date: string, at: number): number => Date.parse(`${date}T00:00Z`) + at * 3_600_000;

/** A day of Binance's archive with a close per hour. */
function binanceDay(date: string, closes: readonly number[]): MirrorFile {
  const lines = closes.map((close, i) => {
    const open = hour(date, i);
    return [open, close, close, close, close, '1', open + 3_599_999, close, 1, '0', '0', '0'].join(',');
  });
  const of = { type: 'klines', market: 'spot', cadence: 'daily', symbol: 'BTCUSDT', interval: '1h' } as const;
  return { ...of, period: date, csv: `${lines.join('\n')}\n` };
}

test('gold/cross_exchange_spread: who has a bar, and how far apart the closes are', async () => {
  const server = await startAnswers(({ pathname }) => {
    if (pathname === '/products') return '[{"id":"BTC-USD"},{"id":"ETH-USD"}]';
    if (pathname === '/0/public/AssetPairs') return '{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD"}}}';
    const seconds = [0, 1, 2].map((i) => hour('2024-01-02', i) / 1000);
    // Hour 1 is missing on Coinbase, hours 2 and 3 on Kraken.
    if (pathname.startsWith('/products/')) {
      return JSON.stringify(
        [seconds[2], seconds[0]].map((at) => [at, 1, 2000, 101, pathname.includes('BTC') ? 101 : 7, 1]),
      );
    }
    const rows = [seconds[0], seconds[1]].map((at) => [at, '99.5', '99.5', '99.5', '99.5', '99.5', '1.0', 1]);
    return JSON.stringify({ error: [], result: { XXBTZUSD: rows, last: 0 } });
  });
  const lake = (directory: string) =>
    answeredLake({
      now: () => Date.parse('2024-01-03T12:00Z'),
      sets: [
        'exchanges.binance.enabled=true',
        `exchanges.binance.archive.directory=${directory}`,
        'exchanges.binance.symbols=BTCUSDT',
        ...['coinbase', 'kraken'].flatMap((name) => [
          `exchanges.${name}.enabled=true`,
          `exchanges.${name}.baseUrl=${server.url}`,
          `exchanges.${name}.requestsPerSecond=1000`,
          `exchanges.${name}.days=1`,
        ]),
        'exchanges.kraken.symbols=XBTUSD',
      ],
    });
  const { directory, ...first } = await lake('<dataDir>/mirror');
  mkdirSync(join(directory, 'lake/mirror/data'), { recursive: true });
  writeFiles(join(directory, 'lake/mirror'), [
    binanceDay('2024-01-01', [98]),
    binanceDay('2024-01-02', [100, 100, 100, 100]),
  ]);
  expect(await first.materialize('+gold/cross_exchange_spread')).toEqual([]);
  expect(
    await first.rows(
      'SELECT pair, date, hour(open_time)::INTEGER, close_binance, close_coinbase, close_kraken, exchanges, spread, round(relative_spread, 9), hour(available_at)::INTEGER FROM gold.cross_exchange_spread ORDER BY 1, 3',
    ),
  ).toEqual([
    ['BTC-USD', '2024-01-02', 0, 100, 101, 99.5, 3, 1.5, 0.014975042, 1],
    ['BTC-USD', '2024-01-02', 1, 100, null, 99.5, 2, 0.5, 0.005012531, 2],
    ['BTC-USD', '2024-01-02', 2, 100, 101, null, 2, 1, 0.009950249, 3],
    ['BTC-USD', '2024-01-02', 3, 100, null, null, 1, null, null, 4],
    ['ETH-USD', '2024-01-02', 0, null, 7, null, 1, null, null, 1],
    ['ETH-USD', '2024-01-02', 2, null, 7, null, 1, null, null, 3],
  ]);
  // One table for all. The day that only Binance has makes no spread, so nothing asked for it.
  expect(await first.rows('SELECT exchange, symbol, count(*) FROM silver.klines GROUP BY ALL ORDER BY ALL')).toEqual([
    ['binance', 'BTCUSDT', 4n],
    ['coinbase', 'BTC-USD', 2n],
    ['coinbase', 'ETH-USD', 2n],
    ['kraken', 'XBTUSD', 2n],
  ]);
  // What an exchange does not publish is NULL further down, too.
  expect(await first.materialize('+gold/market_overview')).toEqual([]);
  expect(
    await first.rows(
      "SELECT exchange, close, volume, quote_volume, taker_share, vwap, trades::INTEGER FROM gold.klines_daily WHERE date = '2024-01-02' AND symbol <> 'ETH-USD' ORDER BY ALL",
    ),
  ).toEqual([
    ['binance', 100, 4, 400, 0, 100, 4],
    ['coinbase', 101, 2, null, null, null, null],
    ['kraken', 99.5, 2, null, null, null, 2],
  ]);
  expect(
    await first.rows(
      "SELECT exchange, symbol, quote_asset, quote_volume, quote_volume_share, quote_volume_rank FROM gold.market_overview WHERE date = '2024-01-02' ORDER BY ALL",
    ),
  ).toEqual([
    ['binance', 'BTCUSDT', 'USDT', 400, 1, 1],
    ['coinbase', 'BTC-USD', 'USD', null, null, null],
    ['coinbase', 'ETH-USD', 'USD', null, null, null],
    ['kraken', 'XBTUSD', 'USD', null, null, null],
  ]);
});

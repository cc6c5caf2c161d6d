import {
  asset,
  columns,
  double,
  from,
  ifPresent,
  inRange,
  integer,
  only,
  sql,
  timestamp,
  valuesBy,
} from 'crypto-lakehouse';
import { date, interval } from '../dimensions.ts';
import { barInterval, candleAsset, upToDate } from '../klines.ts';
import { pair, pairs, symbolsOf } from '../pairs.ts';
import { silverKlines } from '../silver/klines.ts';

const close = (exchange: string) =>
  double().nullable().describe(`Close of the bar on ${exchange}; NULL where it has no bar.`);

/** Exists where there are candles of another exchange than the first: alone it has no spread. */
export const goldCrossExchangeSpread = asset('gold/cross_exchange_spread', {
  ...candleAsset,
  description:
    'The same market on several exchanges, bar by bar: the closes, and how far apart they are. Binance is in USDT, the others in USD.',
  kinds: ['table', 'sql'],
  partitions: { pair, interval, date },
  inputs: {
    binance: ifPresent(
      from(silverKlines, {
        exchange: only('binance'),
        market: only('spot'),
        symbol: valuesBy('pair on binance', (_, values) => symbolsOf(values.pair, 'binance')),
      }),
    ),
    others: from(silverKlines, {
      exchange: only('coinbase', 'kraken'),
      market: only('spot'),
      symbol: valuesBy('pair on others', (_, values) => symbolsOf(values.pair, 'coinbase', 'kraken')),
    }),
  },
  config: pairs,
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    close_binance: close('Binance'),
    close_coinbase: close('Coinbase'),
    close_kraken: close('Kraken'),
    exchanges: integer().describe('How many of them have the bar.'),
    spread: double()
      .nullable()
      .describe('Highest minus lowest of the closes; NULL where only one exchange has the bar.'),
    relative_spread: double()
      .nullable()
      .describe('spread / mean of the closes, e.g. 0.001 is 0.1%; NULL where only one exchange has the bar.'),
    available_at: timestamp().describe(
      'From when on this row could be known: the end (exclusive, open_time + interval) of the bar.',
    ),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  freshness: upToDate,
  checks: [
    inRange(
      'relative_spread',
      { min: 0, max: 0.1 },
      { severity: 'warn', description: 'Exchanges are not 10% apart; if they are, one of them is another market.' },
    ),
  ],
  // Sums are of DECIMAL: exact, so the same in any order.
  query: ({ binance, others }, { partition }) => sql`
    WITH closes AS (
      SELECT ${binance.exchange} AS exchange, ${binance.open_time} AS open_time, ${binance.close} AS close FROM ${binance}
      UNION ALL
      SELECT ${others.exchange}, ${others.open_time}, ${others.close} FROM ${others}
    )
    SELECT
      open_time,
      max(close) FILTER (WHERE exchange = 'binance')::DOUBLE AS close_binance,
      max(close) FILTER (WHERE exchange = 'coinbase')::DOUBLE AS close_coinbase,
      max(close) FILTER (WHERE exchange = 'kraken')::DOUBLE AS close_kraken,
      count(*)::INTEGER AS exchanges,
      CASE WHEN count(*) > 1 THEN (max(close) - min(close))::DOUBLE END AS spread,
      CASE WHEN count(*) > 1 THEN (max(close) - min(close))::DOUBLE / (sum(close)::DOUBLE / count(*)) END AS relative_spread,
      open_time + ${barInterval(partition)} AS available_at
    FROM closes GROUP BY open_time`,
});

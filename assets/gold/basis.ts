import { asset, columns, double, from, ifPresent, same, sql, timestamp, valuesBy } from 'crypto-lakehouse';
import { silverIndexPriceKlines } from '../datasets/index_price_klines.ts';
import { silverMarkPriceKlines } from '../datasets/mark_price_klines.ts';
import { priceAsset } from '../datasets/price_candles.ts';
import { date, exchange, futuresMarket, interval, symbol } from '../dimensions.ts';
import { barInterval, upToDate } from '../klines.ts';
import { silverKlines } from '../silver/klines.ts';

/** Of a contract: an index is one of all contracts of a pair, BTCUSD of BTCUSD_PERP and BTCUSD_240628. */
const pairOf = (contract: string): readonly string[] => [contract.replace(/_[^_]*$/, '')];

/** The basis as in John C. Hull, "Options, Futures, and Other Derivatives", "Basis risk", with the sign of futures - spot. */
export const goldBasis = asset('gold/basis', {
  ...priceAsset,
  description:
    'How far a futures contract trades above (negative: below) its index, at the close of each bar that both have.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market: futuresMarket, symbol, interval, date },
  inputs: {
    contract: from(silverKlines, { market: same() }),
    index: from(silverIndexPriceKlines, { symbol: valuesBy('pair of a contract', pairOf) }),
    mark: ifPresent(silverMarkPriceKlines),
  },
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    close: double().describe('Close of the contract.'),
    index_close: double().describe('Close of the index.'),
    mark_close: double().nullable().describe('Close of the mark price; NULL where it is not there.'),
    basis: double().describe('close - index_close.'),
    relative_basis: double().nullable().describe('close / index_close - 1.'),
    mark_basis: double().nullable().describe('mark_close - index_close.'),
    available_at: timestamp().describe(
      'From when on this row could be known: the end (exclusive, open_time + interval) of the bar.',
    ),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  freshness: upToDate,
  // Differences are of DECIMAL, so exact.
  query: ({ contract, index, mark }, { partition }) => sql`
    SELECT
      c.open_time AS open_time,
      c.close::DOUBLE AS close,
      i.close::DOUBLE AS index_close,
      m.close::DOUBLE AS mark_close,
      (c.close - i.close)::DOUBLE AS basis,
      c.close::DOUBLE / nullif(i.close::DOUBLE, 0) - 1 AS relative_basis,
      (m.close - i.close)::DOUBLE AS mark_basis,
      c.open_time + ${barInterval(partition)} AS available_at
    FROM ${contract} AS c
    JOIN ${index} AS i ON i.open_time = c.open_time
    LEFT JOIN ${mark} AS m ON m.open_time = c.open_time`,
});

import {
  all,
  asset,
  columns,
  double,
  from,
  inRange,
  integer,
  type SqlTemplate,
  sql,
  text,
  timestamp,
} from 'crypto-lakehouse';
import { date, exchange, interval, market } from '../dimensions.ts';
import { candleAsset, type SqlValue, upToDate } from '../klines.ts';
import { goldKlinesDaily } from './klines_daily.ts';

/** What symbols end in: an archive says nothing about a symbol but its name. */
const quoteAssets =
  'ARS|AUD|BIDR|BNB|BRL|BTC|BUSD|BVND|COP|CZK|DAI|DOGE|DOT|ETH|EUR|EURI|FDUSD|GBP|IDRT|JPY|MXN|NGN|PAX|PLN|RON|RUB|SOL|TRX|TRY|TUSD|UAH|USD|USD1|USDC|USDP|USDS|USDT|UST|VAI|XRP|ZAR';

/** Kraken quotes in none of the coins that end in USD, so DOTUSD is in USD there; XBT is its bitcoin. */
const krakenQuoteAssets = 'AUD|CAD|CHF|DAI|ETH|EUR|GBP|JPY|USD|USDC|USDT|XBT';

/** The quote asset of a symbol of the partition's market. */
function quoteAsset(symbol: SqlValue, partition: Readonly<Record<'exchange' | 'market', SqlValue>>): SqlTemplate {
  const end = (assets: string) => sql`nullif(regexp_extract(${symbol}, ${`(${assets})(_.*)?$`}, 1), '')`;
  // Contracts of cm are all of a coin against the dollar: BNBUSD_PERP is not BN in BUSD.
  return sql`CASE WHEN ${partition.market} = 'cm' THEN 'USD' WHEN ${partition.exchange} = 'kraken' THEN ${end(krakenQuoteAssets)} ELSE ${end(quoteAssets)} END`;
}

export const goldMarketOverview = asset('gold/market_overview', {
  ...candleAsset,
  description: 'All symbols of a market on one day, ranked by the amount traded among those with the same quote asset.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, interval, date },
  inputs: { days: from(goldKlinesDaily, { symbol: all() }) },
  columns: columns({
    symbol: text().describe('The symbol as the exchange writes it.'),
    quote_asset: text()
      .nullable()
      .describe(
        'What prices and quote_volume are in, by the end of the symbol; NULL where that is none of the known ones.',
      ),
    close: double().describe('Close of the day.'),
    simple_return: double()
      .nullable()
      .describe('close / close of the day before - 1; NULL where that day has no bars.'),
    quote_volume: double()
      .nullable()
      .describe('Amount traded, in the quote asset; NULL where the exchange does not publish it.'),
    quote_volume_share: double()
      .nullable()
      .describe(
        'quote_volume / that of all symbols with the same quote asset, 0 to 1; NULL without trades, quote asset or quote_volume.',
      ),
    quote_volume_rank: integer()
      .nullable()
      .describe(
        '1 for the most traded symbol with this quote asset; equal amounts share a rank; NULL without quote asset or quote_volume.',
      ),
    available_at: timestamp().describe(
      'From when on this row could be known: the end (exclusive) of the last bar of any symbol it is compared with.',
    ),
  }),
  sortBy: ['symbol'],
  checks: [
    inRange(
      'quote_volume_share',
      { min: 0, max: 1.000001 },
      { severity: 'warn', description: 'A part is not more than the whole, but for rounding.' },
    ),
  ],
  freshness: upToDate,
  query: ({ days }, { partition }) => sql`
    WITH days AS (
      SELECT
        ${days.symbol} AS symbol,
        ${quoteAsset(days.symbol, partition)} AS quote_asset,
        ${days.close} AS close, ${days.simple_return} AS simple_return, ${days.quote_volume} AS quote_volume,
        ${days.available_at} AS available_at
      FROM ${days}
    ), compared AS (
      SELECT
        *,
        -- DECIMAL: a sum of doubles depends on their order.
        sum(quote_volume::DECIMAL(38,8)) OVER (PARTITION BY quote_asset)::DOUBLE AS total,
        rank() OVER (PARTITION BY quote_asset ORDER BY quote_volume DESC) AS place,
        max(available_at) OVER (PARTITION BY quote_asset) AS last_available_at
      FROM days
    )
    SELECT
      symbol, quote_asset, close, simple_return, quote_volume,
      CASE WHEN quote_asset IS NOT NULL THEN quote_volume / nullif(total, 0) END AS quote_volume_share,
      CASE WHEN quote_asset IS NOT NULL AND quote_volume IS NOT NULL THEN place::INTEGER END AS quote_volume_rank,
      CASE WHEN quote_asset IS NOT NULL THEN last_available_at ELSE available_at END AS available_at
    FROM compared`,
});

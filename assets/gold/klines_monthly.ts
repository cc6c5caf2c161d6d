import { asset, columns, from, overlapping, sql } from 'crypto-lakehouse';
import { exchange, interval, market, month, symbol } from '../dimensions.ts';
import { barInterval, candleAsset, upToDate } from '../klines.ts';
import { goldKlinesDaily, period, periodChecks } from './klines_daily.ts';

export const goldKlinesMonthly = asset('gold/klines_monthly', {
  ...candleAsset,
  description: 'One row per month, from its days: prices, amounts, VWAP and the return since the day before the month.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, month },
  inputs: { days: from(goldKlinesDaily, { date: overlapping() }) },
  columns: columns(period),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  checks: periodChecks,
  freshness: upToDate,
  // The first day knows the close before it, so no day of the month before is read: its return is carried on to the last close.
  query: ({ days }, { partition }) => {
    // A sum of doubles depends on their order, one of DECIMAL does not.
    const total = (amount: typeof days.volume) => sql`sum(${amount}::DECIMAL(38,8))::DOUBLE`;
    return sql`
      WITH month AS (
        SELECT
          arg_min(${days.open}, ${days.open_time}) AS open,
          max(${days.high}) AS high,
          min(${days.low}) AS low,
          arg_max(${days.close}, ${days.open_time}) AS close,
          ${total(days.volume)} AS volume,
          ${total(days.quote_volume)} AS quote_volume,
          ${total(days.taker_buy_volume)} AS taker_buy_volume,
          sum(${days.trades})::BIGINT AS trades,
          sum(${days.bars})::INTEGER AS bars,
          first(${days.close} ORDER BY ${days.open_time}) AS first_close,
          first(${days.simple_return} ORDER BY ${days.open_time}) AS first_simple_return,
          first(${days.log_return} ORDER BY ${days.open_time}) AS first_log_return,
          max(${days.available_at}) AS available_at
        FROM ${days} HAVING count(*) > 0
      )
      SELECT
        ${partition.start} AS open_time,
        open, high, low, close, volume, quote_volume, taker_buy_volume,
        taker_buy_volume / nullif(volume, 0) AS taker_share,
        quote_volume / nullif(volume, 0) AS vwap,
        trades, bars,
        (epoch_ms(${partition.end} - ${partition.start}) // epoch_ms(${barInterval(partition)}))::INTEGER AS expected_bars,
        (first_simple_return + 1) * (close / nullif(first_close, 0)) - 1 AS simple_return,
        first_log_return + ln(nullif(close, 0) / nullif(first_close, 0)) AS log_return,
        available_at
      FROM month`;
  },
});

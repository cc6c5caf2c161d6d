import { asset, firstAvailable, from, noGaps, ohlcConsistent, overlapping, rowsWhere, sql } from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly } from '../bronze/klines.ts';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barInterval, candle, candleAsset, upToDate } from '../klines.ts';
import { exactly } from './exact.ts';

/** Typed candles. Which of the two archives a day came from is recorded in the log, not in the rows. */
export const silverKlines = asset('silver/klines', {
  ...candleAsset,
  description:
    'Candles as the exchange published them, typed and exact: one row per bar, from the monthly file where there is one, else from the daily one. Bars the exchange left out are missing here too.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: { raw: firstAvailable(from(bronzeKlinesMonthly, { month: overlapping() }), bronzeKlinesDaily) },
  columns: candle,
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  rowwise: true,
  freshness: upToDate,
  checks: [
    ohlcConsistent(),
    rowsWhere(
      'amounts_not_negative',
      ['volume', 'quote_volume', 'count', 'taker_buy_volume', 'taker_buy_quote_volume'],
      (row) =>
        sql`least(${row.volume}, ${row.quote_volume}, ${row.count}, ${row.taker_buy_volume}, ${row.taker_buy_quote_volume}) < 0`,
      { description: 'No volume and no count is below zero.' },
    ),
    rowsWhere(
      'close_time_after_open_time',
      ['open_time', 'close_time'],
      ({ open_time, close_time }) => sql`${close_time} < ${open_time}`,
      {
        // The exchange has published such a row and will not correct it, and nothing downstream reads close_time.
        blocking: false,
        description: 'A bar does not end before it starts. Reported, but holds up nothing.',
      },
    ),
    noGaps('open_time', barInterval, {
      description: 'Bars follow each other without holes; an outage of the exchange leaves one.',
    }),
    rowsWhere(
      'on_grid',
      ['open_time'],
      ({ open_time }, partition) => sql`epoch_us(${open_time}) % epoch_us(${barInterval(partition)}) <> 0`,
      { severity: 'warn', description: 'Bars open at multiples of the interval.' },
    ),
  ],
  query: ({ raw }) => {
    const { amount, integer, price, time } = exactly(raw.open_time);
    return sql`
    SELECT
      ${time(raw.open_time)} AS open_time,
      ${price(raw.open)} AS open,
      ${price(raw.high)} AS high,
      ${price(raw.low)} AS low,
      ${price(raw.close)} AS close,
      ${amount(raw.volume)} AS volume,
      ${time(raw.close_time)} AS close_time,
      ${amount(raw.quote_volume)} AS quote_volume,
      ${integer(raw.count)} AS count,
      ${amount(raw.taker_buy_volume)} AS taker_buy_volume,
      ${amount(raw.taker_buy_quote_volume)} AS taker_buy_quote_volume
    FROM ${raw}`;
  },
});

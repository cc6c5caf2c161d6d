import { asset, firstAvailable, from, noGaps, overlapping, rowsWhere, sql } from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly, bronzeKlinesRest } from '../bronze/klines.ts';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { exchangeKlines } from '../exchanges/index.ts';
import { barInterval, candle, candleAsset, upToDate } from '../klines.ts';
import { candleChecks, candleColumns } from './candles.ts';

/**
 * Typed candles. Which of the two archives, or REST, a day came from is recorded in the log, not in the rows.
 *
 * A file with a line twice (there are such) fails its day with `duplicate-rows`, rather than every row of every day being compared for
 * the sake of it: the other days are there. silver/klines_reconciliation tells it, and when the month is over silver.klines_filled has the
 * day, each bar once. It comes back by itself when the exchange mends the file.
 */
export const silverKlines = asset('silver/klines', {
  ...candleAsset,
  description:
    'Candles as the exchange published them, typed and exact: one row per bar, from the monthly file where there is one, else from the daily one, else from REST. Bars the exchange left out are missing here too.',
  kinds: ['table', 'sql'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: {
    raw: firstAvailable(
      from(bronzeKlinesMonthly, { month: overlapping() }),
      bronzeKlinesDaily,
      bronzeKlinesRest,
      ...exchangeKlines,
    ),
  },
  columns: candle,
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  rowwise: true,
  freshness: upToDate,
  checks: [
    ...candleChecks,
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
  query: ({ raw }) => sql`SELECT ${candleColumns(raw)} FROM ${raw}`,
});

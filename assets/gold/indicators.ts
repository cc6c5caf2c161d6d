import {
  asset,
  columns,
  double,
  from,
  inRange,
  LakehouseError,
  rowsWhere,
  sql,
  timestamp,
  window,
} from 'crypto-lakehouse';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barMs, candleAsset, upToDate } from '../klines.ts';
import { silverKlines } from '../silver/klines.ts';
import { afterWarmUp, atr, bollinger, ema, emaWarmUp, realisedVolatility, rsi, sma, wilderWarmUp } from './formulas.ts';

/** More than the longest warm-up, 392 bars. */
const LOOKBACK_BARS = 400;

const indicator = (description: string) => double().nullable().describe(description);

/**
 * A function on typed arrays rather than SQL: a recursion is a line here and a blocked closed form there, a day with its
 * lookback takes two milliseconds, and IEEE arithmetic in a fixed order gives the same bits on every machine.
 *
 * The window is a time: 400 bars before the partition, rounded outwards to whole days. What counts for the warm-up is the bars that
 * exist in it, so after a long outage the recursive indicators are NULL for a while.
 */
export const goldIndicators = asset('gold/indicators', {
  ...candleAsset,
  description:
    'Technical indicators of every bar, from the bar itself and those before it. NULL where there are too few before it.',
  kinds: ['table', 'typescript'],
  partitions: { exchange, market, symbol, interval, date },
  inputs: { klines: from(silverKlines, { date: window({ bars: LOOKBACK_BARS }) }) },
  bar: ({ interval }) => barMs(interval),
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    close: double().describe('Close of the bar.'),
    sma_20: indicator('Simple moving average of the last 20 closes.'),
    ema_20: indicator('Exponential moving average of closes, weight 2/21. NULL with fewer than 294 bars before it.'),
    rsi_14: indicator(
      "Wilder's relative strength index of closes, 0 to 100. NULL with fewer than 392 bars before it, or where the price never moved.",
    ),
    bollinger_mid: indicator('Middle Bollinger band: the mean of the last 20 closes.'),
    bollinger_upper: indicator(
      'Upper Bollinger band: 2 standard deviations (population) of the last 20 closes above the middle.',
    ),
    bollinger_lower: indicator('Lower Bollinger band: as far below the middle.'),
    atr_14: indicator("Wilder's average true range, in the quote asset. NULL with fewer than 392 bars before it."),
    realised_volatility_30: indicator(
      'Standard deviation (sample) of the last 30 logarithmic returns, per bar and not annualised.',
    ),
    available_at: timestamp().describe(
      'From when on this row could be known: the end (exclusive, open_time + interval) of the bar.',
    ),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  checks: [
    inRange('rsi_14', { min: 0, max: 100 }, { severity: 'warn' }),
    rowsWhere(
      'bands_in_order',
      ['bollinger_lower', 'bollinger_mid', 'bollinger_upper'],
      (row) => sql`${row.bollinger_lower} > ${row.bollinger_mid} OR ${row.bollinger_mid} > ${row.bollinger_upper}`,
      { severity: 'warn', description: 'The lower band is not above the middle, nor that above the upper.' },
    ),
  ],
  freshness: upToDate,
  compute: async ({ inputs, partition }) => {
    const read = await inputs.klines.columns(['open_time', 'high', 'low', 'close']);
    const column = (name: string): Float64Array => {
      const values = read[name];
      if (values instanceof Float64Array) return values;
      throw new LakehouseError('column-type', `silver/klines: '${name}' was not read as Float64Array`, {
        kind: 'internal',
      });
    };
    const opens = read.open_time;
    const bar = barMs(partition.values.interval);
    if (!(opens instanceof BigInt64Array) || bar === undefined || partition.start === undefined) {
      throw new LakehouseError('column-type', `gold/indicators: ${partition.key} has no times`, { kind: 'internal' });
    }
    const [highs, lows, closes] = [column('high'), column('low'), column('close')];
    const bands = bollinger(closes, 20, 2);
    const series = {
      sma_20: sma(closes, 20),
      ema_20: afterWarmUp(ema(closes, 20), emaWarmUp(20)),
      rsi_14: afterWarmUp(rsi(closes, 14), wilderWarmUp(14)),
      bollinger_mid: bands.mid,
      bollinger_upper: bands.upper,
      bollinger_lower: bands.lower,
      atr_14: afterWarmUp(atr(highs, lows, closes, 14), wilderWarmUp(14)),
      realised_volatility_30: realisedVolatility(closes, 30),
    };
    const at = (values: Float64Array, i: number): number | null => {
      const value = values[i];
      return value === undefined || Number.isNaN(value) ? null : value;
    };
    const rows = [];
    for (const [i, close] of closes.entries()) {
      const openMs = Number((opens[i] ?? 0n) / 1000n);
      if (openMs < partition.start.getTime()) continue;
      rows.push({
        open_time: new Date(openMs),
        close,
        sma_20: at(series.sma_20, i),
        ema_20: at(series.ema_20, i),
        rsi_14: at(series.rsi_14, i),
        bollinger_mid: at(series.bollinger_mid, i),
        bollinger_upper: at(series.bollinger_upper, i),
        bollinger_lower: at(series.bollinger_lower, i),
        atr_14: at(series.atr_14, i),
        realised_volatility_30: at(series.realised_volatility_30, i),
        available_at: new Date(openMs + bar),
      });
    }
    return rows;
  },
});

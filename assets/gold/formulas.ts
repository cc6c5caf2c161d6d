// Indicators as pure functions of bars in time order. Where a value is not defined yet it is NaN, at the same index.
//
// Recursive ones (EMA, RSI, ATR) start from a seed at the first bars given, which are those of a window: the seed depends on where
// the window starts. Its weight shrinks with every bar, and after a warm-up it is below 1e-12, less than the rounding of prices.

/** Bars before an EMA's first trustworthy value: the seed weighs ((n - 1) / (n + 1)) ** (14 (n + 1)), below e ** -28. */
export const emaWarmUp = (n: number): number => 14 * (n + 1);

/** Bars before the first trustworthy value of Wilder's smoothing. The seed takes n of them; for n = 14 it weighs (13 / 14) ** 378, 7e-13. */
export const wilderWarmUp = (n: number): number => 28 * n;

/** The values, without the first `bars`. */
export function afterWarmUp(values: Float64Array, bars: number): Float64Array {
  return values.map((value, i) => (i < bars ? Number.NaN : value));
}

/** A statistic of `values[from]` up to, not including, `values[to]`. */
type Statistic = (values: Float64Array, from: number, to: number) => number;

/**
 * The statistic of every window of `n` values, oldest first. Every window is computed afresh: a running sum would carry
 * the rounding errors of what has left the window, and so depend on where the input starts.
 */
function rolling(values: Float64Array, n: number, of: Statistic): Float64Array {
  return values.map((_, i) => (i + 1 < n ? Number.NaN : of(values, i + 1 - n, i + 1)));
}

const mean: Statistic = (values, from, to) => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] ?? 0;
  return sum / (to - from);
};

/** @param lost degrees of freedom: 0 for a population, 1 for a sample. */
const deviation =
  (lost: 0 | 1): Statistic =>
  (values, from, to) => {
    const centre = mean(values, from, to);
    let squares = 0;
    for (let i = from; i < to; i++) squares += ((values[i] ?? 0) - centre) ** 2;
    return Math.sqrt(squares / (to - from - lost));
  };

/** Simple moving average: the mean of the last n values. */
export const sma = (values: Float64Array, n: number): Float64Array => rolling(values, n, mean);

/**
 * Exponential moving average with weight 2 / (n + 1) for the newest value, begun with the first value.
 * P. N. Haurlan, "Measuring Trend Values", 1968 (there for the weight 2 / (n + 1)).
 */
export function ema(values: Float64Array, n: number): Float64Array {
  const alpha = 2 / (n + 1);
  let last = values[0] ?? Number.NaN;
  return values.map((value) => {
    last += alpha * (value - last);
    return last;
  });
}

/**
 * Wilder's smoothing: ((n - 1) × the value before + the new one) / n, begun with the mean of the first n values.
 * J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978.
 * @param first index of the first value there is.
 */
function wilder(values: Float64Array, n: number, first: number): Float64Array {
  const seed = first + n - 1;
  let last = Number.NaN;
  return values.map((value, i) => {
    if (i < seed) return Number.NaN;
    last = i === seed ? mean(values, first, first + n) : (last * (n - 1) + value) / n;
    return last;
  });
}

/**
 * Relative strength index, 0 to 100: 100 × average gain / (average gain + average loss), both by Wilder's smoothing, the same
 * as his 100 - 100 / (1 + RS). Not defined (NaN) where the price has never moved.
 * J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section VI.
 */
export function rsi(closes: Float64Array, n: number): Float64Array {
  const changes = closes.map((close, i) => close - (closes[i - 1] ?? close));
  const gains = wilder(
    changes.map((change) => Math.max(change, 0)),
    n,
    1,
  ); // the first bar has no change
  const losses = wilder(
    changes.map((change) => Math.max(-change, 0)),
    n,
    1,
  );
  return gains.map((gain, i) => (100 * gain) / (gain + (losses[i] ?? Number.NaN)));
}

/**
 * Average true range: Wilder's smoothing of the largest of high - low, |high - previous close|, |low - previous close|. The first
 * bar's range is high - low.
 * J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section III.
 */
export function atr(highs: Float64Array, lows: Float64Array, closes: Float64Array, n: number): Float64Array {
  const ranges = highs.map((high, i) => {
    const low = lows[i] ?? Number.NaN;
    const previous = closes[i - 1];
    return previous === undefined ? high - low : Math.max(high, previous) - Math.min(low, previous);
  });
  return wilder(ranges, n, 0);
}

/**
 * Bollinger bands: the mean of the last n values, and k standard deviations of the population of these n above and below it.
 * John Bollinger, "Bollinger on Bollinger Bands", 2001 (n = 20, k = 2).
 */
export function bollinger(values: Float64Array, n: number, k: number): Record<'mid' | 'upper' | 'lower', Float64Array> {
  const mid = sma(values, n);
  const width = rolling(values, n, deviation(0));
  return {
    mid,
    upper: mid.map((centre, i) => centre + k * (width[i] ?? Number.NaN)),
    lower: mid.map((centre, i) => centre - k * (width[i] ?? Number.NaN)),
  };
}

/**
 * Realised volatility per bar: the standard deviation (sample, n - 1) of the last n logarithmic returns. Not annualised: multiply
 * by the square root of the bars in a year for that.
 * John C. Hull, "Options, Futures, and Other Derivatives", "Estimating volatility from historical data".
 */
export function realisedVolatility(closes: Float64Array, n: number): Float64Array {
  const returns = closes.map((close, i) => Math.log(close / (closes[i - 1] ?? Number.NaN)));
  return rolling(returns, n, deviation(1));
}

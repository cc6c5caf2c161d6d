import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterWarmUp,
  atr,
  bollinger,
  ema,
  emaWarmUp,
  realisedVolatility,
  rsi,
  sma,
  wilderWarmUp,
} from '../../assets/gold/formulas.ts';

const of = (...values: number[]) => Float64Array.from(values);
/** What is defined, to so many decimals. */
const rounded = (values: Float64Array, decimals: number) =>
  [...values].filter((value) => !Number.isNaN(value)).map((value) => Number(value.toFixed(decimals)));
const undefinedBars = (values: Float64Array) => values.findIndex((value) => !Number.isNaN(value));

/** The 33 closes of StockCharts' ChartSchool sheet on the RSI. */
const sheet = of(
  ...[44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931],
  ...[46.0328, 45.614, 46.282, 46.282, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521],
  ...[45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314],
);

describe('published examples', () => {
  test("RSI(14): ChartSchool's sheet", () => {
    const values = rsi(sheet, 14);
    expect(undefinedBars(values)).toBe(14);
    expect(rounded(values, 2)).toEqual([
      ...[70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38],
      ...[54.71, 50.42, 39.99, 41.46, 41.87, 45.46, 37.3, 33.08, 37.77],
    ]);
  });

  test("RSI(14): Wilder's own sheet of 1978, which he computed with two decimals cut off", () => {
    const closes = of(
      ...[
        54.8, 56.8, 57.85, 59.85, 60.57, 61.1, 62.17, 60.6, 62.35, 62.15, 62.35, 61.45, 62.8, 61.37, 62.5, 62.57, 60.8,
      ],
      ...[59.37, 60.35, 62.35, 62.17, 62.55, 64.55, 64.37, 65.3, 64.42, 62.9, 61.6, 62.05, 60.05, 59.7, 60.9, 60.25],
      ...[58.27, 58.7, 57.72, 58.1, 58.2],
    );
    const printed = [
      ...[74.36, 74.55, 65.75, 59.68, 61.98, 66.44, 65.75, 67.0, 71.43, 70.5, 72.14, 67.95],
      ...[60.78, 55.56, 56.71, 49.49, 48.19, 52.38, 50.0, 43.5, 45.36, 42.53, 44.13, 44.75],
    ];
    const values = rsi(closes, 14).subarray(14);
    expect(values).toHaveLength(printed.length);
    for (const [i, value] of values.entries()) expect(Math.abs(value - (printed[i] ?? 0))).toBeLessThan(0.55);
  });

  test("EMA(10): ChartSchool's sheet, begun with its 10-day mean", () => {
    const closes = of(
      ...[22.22, 22.15, 22.39, 22.38, 22.61, 23.36, 24.05, 23.75, 23.83, 23.95, 23.63],
      ...[23.82, 23.87, 23.65, 23.19, 23.1, 23.33, 22.68, 23.1, 22.4, 22.17],
    );
    const printed = [
      ...[22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.8, 22.97, 23.13, 23.28, 23.34],
      ...[23.43, 23.51, 23.53, 23.47, 23.4, 23.39, 23.26, 23.23, 23.08, 22.92],
    ];
    for (const [i, value] of ema(closes, 10).entries()) expect(Math.abs(value - (printed[i] ?? 0))).toBeLessThan(0.011);
  });

  test("ATR(14): ChartSchool's sheet", () => {
    const highs = of(
      ...[
        48.7, 48.72, 48.9, 48.87, 48.82, 49.05, 49.2, 49.35, 49.92, 50.19, 50.12, 49.66, 49.88, 50.19, 50.36, 50.57,
        50.65,
      ],
    );
    const lows = of(
      ...[
        47.79, 48.14, 48.39, 48.37, 48.24, 48.64, 48.94, 48.86, 49.5, 49.87, 49.2, 48.9, 49.43, 49.73, 49.26, 50.09,
        50.3,
      ],
    );
    const closes = of(
      ...[
        48.16, 48.61, 48.75, 48.63, 48.74, 49.03, 49.07, 49.32, 49.91, 50.13, 49.53, 49.5, 49.75, 50.03, 50.31, 50.52,
        50.41,
      ],
    );
    const values = atr(highs, lows, closes, 14);
    expect(undefinedBars(values)).toBe(13);
    for (const [i, printed] of [0.56, 0.59, 0.59, 0.57].entries()) {
      expect(Math.abs((values[13 + i] ?? 0) - printed)).toBeLessThan(0.011);
    }
  });
});

describe('by hand', () => {
  test('SMA', () => {
    expect([...sma(of(1, 2, 3, 4, 8), 3)]).toEqual([Number.NaN, Number.NaN, 2, 3, 5]);
  });
  test('EMA: weight 1/2 for n = 3', () => {
    expect([...ema(of(1, 2, 3, 4), 3)]).toEqual([1, 1.5, 2.25, 3.125]);
  });
  test('Bollinger bands use the deviation of the population: of 2 4 4 4 5 5 7 9 it is 2', () => {
    const { mid, upper, lower } = bollinger(of(2, 4, 4, 4, 5, 5, 7, 9), 8, 2);
    expect([mid[7], upper[7], lower[7]]).toEqual([5, 9, 1]);
    expect(undefinedBars(upper)).toBe(7);
  });
  test('realised volatility uses the deviation of a sample: returns 0, 1, 2 deviate by 1', () => {
    const closes = of(1, 1, Math.E, Math.E ** 3);
    expect(realisedVolatility(closes, 3)[3]).toBeCloseTo(1, 14);
    expect(undefinedBars(realisedVolatility(closes, 3))).toBe(3);
  });
  test('the true range reaches over a jump, up or down', () => {
    expect([...atr(of(10, 20, 6), of(9, 19, 5), of(9, 20, 5), 1)]).toEqual([1, 11, 15]);
  });
  test('RSI is 100 without losses, 0 without gains, and undefined where nothing moves', () => {
    expect(rsi(of(1, 2, 3, 4), 3)[3]).toBe(100);
    expect(rsi(of(4, 3, 2, 1), 3)[3]).toBe(0);
    expect(rsi(of(5, 5, 5, 5), 3)[3]).toBeNaN();
  });
  test('too few bars leave everything undefined, none at all nothing', () => {
    for (const values of [
      rsi(of(1, 2), 14),
      sma(of(1, 2), 3),
      atr(of(2, 3), of(1, 2), of(1, 3), 14),
      realisedVolatility(of(1, 2), 2),
    ]) {
      expect([...values]).toEqual([Number.NaN, Number.NaN]);
    }
    expect([...ema(of(), 20), ...rsi(of(), 14)]).toEqual([]);
  });
});

// The definitions written out as weighted sums over all bars, O(n²), sharing nothing with the recursions.
const weightedSum = (values: readonly number[], weight: (age: number) => number) =>
  values.reduce((sum, value, i) => sum + value * weight(values.length - 1 - i), 0);
const plainMean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function definitionOfEma(values: readonly number[], n: number): number {
  const a = 2 / (n + 1);
  const [first = 0, ...rest] = values;
  return first * (1 - a) ** rest.length + weightedSum(rest, (age) => a * (1 - a) ** age);
}

function definitionOfWilder(values: readonly number[], n: number): number {
  const rest = values.slice(n);
  return (
    plainMean(values.slice(0, n)) * (1 - 1 / n) ** rest.length + weightedSum(rest, (age) => (1 - 1 / n) ** age / n)
  );
}

/** Prices around 100 in steps of up to 0.5. */
const walk = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 40, maxLength: 120 }).map((steps) => {
  const prices = [10_000];
  for (const step of steps) prices.push((prices.at(-1) ?? 0) + step);
  return prices.map((price) => price / 100);
});

const close = (actual: number | undefined, expected: number) =>
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(expected)));

describe('against their definitions, on any price path', () => {
  test('EMA, RSI, ATR', () => {
    fc.assert(
      fc.property(walk, fc.integer({ min: 2, max: 20 }), (prices, n) => {
        const closes = of(...prices);
        close(ema(closes, n).at(-1), definitionOfEma(prices, n));

        const changes = prices.slice(1).map((price, i) => price - (prices[i] ?? 0));
        const gain = definitionOfWilder(
          changes.map((c) => Math.max(c, 0)),
          n,
        );
        const loss = definitionOfWilder(
          changes.map((c) => (c < 0 ? -c : 0)),
          n,
        );
        if (gain + loss > 0) expect(rsi(closes, n).at(-1)).toBeCloseTo(100 - 100 / (1 + gain / loss), 8);

        const highs = prices.map((price, i) => price + (i % 3) / 100);
        const lows = prices.map((price, i) => price - (i % 5) / 100);
        const ranges = prices.map((_, i) => {
          const [high = 0, low = 0, before] = [highs[i], lows[i], prices[i - 1]];
          return before === undefined
            ? high - low
            : Math.max(high - low, Math.abs(high - before), Math.abs(low - before));
        });
        close(atr(of(...highs), of(...lows), closes, n).at(-1), definitionOfWilder(ranges, n));
      }),
    );
  });

  test('SMA, Bollinger, realised volatility', () => {
    fc.assert(
      fc.property(walk, fc.integer({ min: 2, max: 30 }), (prices, n) => {
        const closes = of(...prices);
        const last = prices.slice(-n);
        const mean = plainMean(last);
        close(sma(closes, n).at(-1), mean);
        // König–Huygens: the mean of the squares minus the square of the mean.
        const variance = plainMean(last.map((price) => (price - 100) ** 2)) - (mean - 100) ** 2;
        expect(((bollinger(closes, n, 2).upper.at(-1) ?? 0) - mean) ** 2 / 4).toBeCloseTo(variance, 9);

        const returns = prices.slice(1).map((price, i) => Math.log(price) - Math.log(prices[i] ?? 0));
        const window = returns.slice(-n);
        const pairs = window.flatMap((a, i) => window.slice(i + 1).map((b) => (a - b) ** 2));
        // The sample variance is half the mean squared difference of all pairs.
        const sample = plainMean(pairs) / 2;
        expect((realisedVolatility(closes, n).at(-1) ?? 0) ** 2).toBeCloseTo(sample, 12);
      }),
    );
  });

  test('what is rolling depends on its window only, to the bit', () => {
    fc.assert(
      fc.property(walk, fc.integer({ min: 0, max: 8 }), (prices, cut) => {
        const [all, some] = [of(...prices), of(...prices.slice(cut))];
        const last = (values: Float64Array) =>
          [sma(values, 20), bollinger(values, 20, 2).upper, realisedVolatility(values, 30)].map((v) => v.at(-1));
        expect(last(some)).toEqual(last(all));
      }),
    );
  });
});

describe('warm-up', () => {
  test('is as long as agreed', () => {
    expect([emaWarmUp(20), wilderWarmUp(14)]).toEqual([294, 392]);
    expect([...afterWarmUp(of(1, 2, 3), 2)]).toEqual([Number.NaN, Number.NaN, 3]);
  });

  test('after it, the seed weighs less than 1e-12', () => {
    // What one unit in the seed alone still makes out: every other bar is zero.
    const bars = 500;
    const seeded = (seed: number) => Float64Array.from({ length: bars }, (_, i) => (i < seed ? 1 : 0));
    expect(ema(seeded(1), 20)[emaWarmUp(20)]).toBeLessThan(1e-12);
    const flat = new Float64Array(bars);
    expect(atr(seeded(14), flat, flat, 14)[13]).toBe(1);
    expect(atr(seeded(14), flat, flat, 14)[wilderWarmUp(14)]).toBeLessThan(1e-12);
    // 14 gains of 1 as the seed of the RSI, then nothing until one loss of 1: RS is what is left of the gains, 14 times.
    const closes = Float64Array.from({ length: bars }, (_, i) => Math.min(i, 14) - (i < wilderWarmUp(14) ? 0 : 1));
    expect(rsi(closes, 14)[wilderWarmUp(14)]).toBeLessThan(100 * 14e-12);
    expect(rsi(closes, 14)[wilderWarmUp(14)]).toBeGreaterThan(0);
  });
});

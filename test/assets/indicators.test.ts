import { describe, expect, test } from 'vitest';
import { atr, ema, rsi } from '../../assets/gold/formulas.ts';
import { goldIndicators } from '../../assets/gold/indicators.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

interface Bar {
  readonly openMs: number;
  readonly close: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const start = Date.UTC(2024, 0, 20);

/** Calls the asset's function as the engine does, with the bars of a window. */
async function indicators(bars: readonly Bar[], interval = '1h'): Promise<Rows> {
  const { compute } = goldIndicators;
  if (compute?.type !== 'rows') throw new Error('gold/indicators has no function');
  const columns: Record<string, ArrayLike<unknown>> = {
    open_time: BigInt64Array.from(bars, ({ openMs }) => BigInt(openMs) * 1000n),
    high: Float64Array.from(bars, ({ close }) => close + 1),
    low: Float64Array.from(bars, ({ close }) => close - 1),
    close: Float64Array.from(bars, ({ close }) => close),
  };
  const unused = () => Promise.reject(new Error('not asked for'));
  return compute.fn({
    inputs: {
      klines: { asset: 'silver/klines', partitions: [], rows: unused, bytes: unused, columns: async () => columns },
    },
    partition: { key: 'k', values: { interval }, start: new Date(start), end: new Date(start + DAY) },
    resources: {},
    signal: new AbortController().signal,
    now: () => start,
  }) as Promise<Rows>;
}

/** Hourly bars from so many before the start to the end of the day: a price that wanders. */
const hours = (before: number): Bar[] =>
  Array.from({ length: before + 24 }, (_, i) => {
    const hour = i - before;
    return { openMs: start + hour * HOUR, close: 100 + 5 * Math.sin(hour / 7) + 3 * Math.sin(hour / 3) };
  });

describe('gold/indicators', () => {
  test('rows of the partition only, in order, with the declared columns, each known when its bar ends', async () => {
    const rows = await indicators(hours(408));
    expect(rows.map(({ open_time }) => open_time)).toEqual(hours(0).map(({ openMs }) => new Date(openMs)));
    expect(rows.map(({ available_at }) => available_at)).toEqual(hours(0).map(({ openMs }) => new Date(openMs + HOUR)));
    for (const row of rows)
      expect(Object.keys(row).sort()).toEqual(goldIndicators.columns.map(({ name }) => name).sort());
  });

  test('values are those of the formulas over the whole window', async () => {
    const bars = hours(408);
    const rows = await indicators(bars);
    const closes = Float64Array.from(bars, ({ close }) => close);
    const [highs, lows] = [closes.map((c) => c + 1), closes.map((c) => c - 1)];
    expect(rows.map(({ ema_20 }) => ema_20)).toEqual([...ema(closes, 20).subarray(408)]);
    expect(rows.map(({ rsi_14 }) => rsi_14)).toEqual([...rsi(closes, 14).subarray(408)]);
    expect(rows.map(({ atr_14 }) => atr_14)).toEqual([...atr(highs, lows, closes, 14).subarray(408)]);
    const last20 = [...closes.subarray(-20)];
    const mean = last20.reduce((a, b) => a + b) / 20;
    const deviation = Math.sqrt(last20.reduce((a, c) => a + (c - mean) ** 2, 0) / 20);
    const last = rows.at(-1) ?? {};
    expect(last.close).toBe(closes.at(-1));
    expect(last.sma_20).toBeCloseTo(mean, 12);
    expect(last.bollinger_mid).toBe(last.sma_20);
    expect(last.bollinger_upper).toBeCloseTo(mean + 2 * deviation, 12);
    expect(last.bollinger_lower).toBeCloseTo(mean - 2 * deviation, 12);
  });

  test('no value looks ahead: cutting the day short changes no row that is left', async () => {
    const bars = hours(408);
    const whole = await indicators(bars);
    expect(await indicators(bars.slice(0, -10))).toEqual(whole.slice(0, -10));
  });

  test('what is recursive is NULL until its warm-up is over, counted in bars that exist', async () => {
    const nulls = async (before: number, name: string) =>
      (await indicators(hours(before))).filter((row) => row[name] === null).length;
    const all = async (before: number) =>
      Promise.all(
        ['sma_20', 'bollinger_upper', 'realised_volatility_30', 'ema_20', 'rsi_14', 'atr_14'].map((name) =>
          nulls(before, name),
        ),
      );
    expect(await all(392)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await all(391)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(await all(293)).toEqual([0, 0, 0, 1, 24, 24]);
    expect(await all(29)).toEqual([0, 0, 1, 24, 24, 24]);
    expect(await all(0)).toEqual([19, 19, 24, 24, 24, 24]);
    const gap = hours(399).filter(({ openMs }) => openMs < start - 100 * HOUR || openMs >= start - 90 * HOUR);
    expect((await indicators(gap)).filter(({ rsi_14 }) => rsi_14 === null)).toHaveLength(3);
  });

  test('case 23: more history, or a hole in it, moves a rolling value by no bit and a recursive one by less than 1e-12', async () => {
    const short = await indicators(hours(408));
    for (const bars of [
      hours(2000),
      hours(2000).filter(({ openMs }) => openMs < start - 500 * HOUR || openMs > start - 490 * HOUR),
    ]) {
      const long = await indicators(bars);
      for (const [i, row] of long.entries()) {
        for (const [name, value] of Object.entries(row)) {
          const other = short[i]?.[name];
          if (['ema_20', 'rsi_14', 'atr_14'].includes(name)) {
            expect(Math.abs(Number(value) / Number(other) - 1)).toBeLessThan(1e-12);
          } else expect(value).toEqual(other);
        }
      }
    }
  });

  test('a day without bars has no rows', async () => {
    expect(await indicators(hours(100).slice(0, 100))).toEqual([]);
    expect(await indicators([])).toEqual([]);
  });

  test('a price that never moves has no RSI, and no deviation', async () => {
    const flat = await indicators(hours(408).map((bar) => ({ ...bar, close: 5 })));
    expect(flat.at(-1)).toMatchObject({
      rsi_14: null,
      sma_20: 5,
      bollinger_upper: 5,
      realised_volatility_30: 0,
      ema_20: 5,
      atr_14: 2,
    });
  });

  test('the window is as long as the warm-up needs, at any interval', () => {
    const [input] = goldIndicators.inputs;
    expect(input?.alternatives[0]?.mapping.time).toEqual({ rule: 'window', from: { bars: -400 }, to: { index: 0 } });
    expect(['1s', '15m', '1h', '12h', '1d'].map((interval) => goldIndicators.barMs?.({ interval }))).toEqual([
      ...[1_000, 900_000, HOUR, 12 * HOUR, DAY],
    ]);
  });
});

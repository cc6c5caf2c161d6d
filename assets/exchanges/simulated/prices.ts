import { LakehouseError } from 'crypto-lakehouse';
import type { Market } from '../binance/layout.ts';

// Made-up candles as a pure function of (seed, market, symbol, day). Every number is an integer of ticks, lots or their product,
// held exactly in a double (below 2^53), so that sums and comparisons are exact.

/** One symbol of the simulated exchange. */
export interface SimulatedSymbol {
  readonly seed: string;
  readonly market: Market;
  readonly symbol: string;
  /** About where the price moves; chosen by the seed when not given. Decides the tick size. */
  readonly price?: number | undefined;
  /** Whether the exchange has outages: minutes missing for all symbols of a market, on about every 29th day. Default true. */
  readonly outages?: boolean | undefined;
}

/** Decimal places: a value is its integer divided by 10 to this power. */
export interface Digits {
  readonly price: number;
  readonly volume: number;
  readonly quote: number;
}

/** Candles as columns of equal length, oldest first. All values are integers, see `digits`. */
export interface Klines {
  readonly digits: Digits;
  /** Milliseconds since 1970 UTC. */
  readonly openMs: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly quote: Float64Array;
  readonly trades: Float64Array;
  readonly takerVolume: Float64Array;
  readonly takerQuote: Float64Array;
}

export const MINUTE_MS = 60_000;
export const MINUTES = 1_440;
export const DAY_MS = MINUTES * MINUTE_MS;

const DAILY_VOLATILITY = 0.02;
const MINUTE_VOLATILITY = DAILY_VOLATILITY / Math.sqrt(MINUTES);
/** Mean of a minute, in quote coins: small enough that a day's sum in the finest unit stays below 2^53. */
const MINUTE_TURNOVER = 20_000;

/**
 * The 1-minute candles of one UTC day. Any day costs the same, none depends on another having been made; yet a day opens where
 * the day before closed. Some minutes have no trade (flat, zero volume); in an outage rows are missing.
 * @param day days since 1970-01-01 UTC.
 */
export function minuteKlines(of: SimulatedSymbol, day: number): Klines {
  const symbol = hash(`${of.seed}/${of.symbol}`);
  const price = of.price ?? 10 ** (4 * unit(mix(symbol, 1)));
  const digits = digitsOf(of.market, price);
  const tick = 10 ** digits.price;
  const open = Math.max(1, Math.round(price * level(symbol, day) * tick));
  const close = Math.max(1, Math.round(price * level(symbol, day + 1) * tick));
  const outage = of.outages === false ? undefined : outageOf(hash(`${of.seed}/${of.market}/outage`), day);
  const next = generator(hash(`${of.seed}/${of.market}/${of.symbol}/${day}`));

  // Steps of mean 0 and standard deviation 1; the drift taken out below ties both ends down.
  const walk = new Float64Array(MINUTES + 1);
  for (let i = 0; i < MINUTES; i++) walk[i + 1] = at(walk, i) + 2 * (next() + next() + next() - 1.5);
  const drift = at(walk, MINUTES) / MINUTES;

  const klines = emptyKlines(digits, MINUTES - (outage?.length ?? 0));
  const turnover = MINUTE_TURNOVER * (0.5 + next());
  let row = 0;
  let last = open;
  for (let i = 0; i < MINUTES; i++) {
    // Drawn before anything is decided, so that every minute takes the same number of draws.
    const [size, up, down, mid, taker, count] = [next(), next(), next(), next(), next(), next()];
    const quiet = size < 1 / 256 && i < MINUTES - 1;
    const bridge = open * MINUTE_VOLATILITY * (at(walk, i + 1) - drift * (i + 1));
    const target = Math.max(1, Math.round(open + ((close - open) * (i + 1)) / MINUTES + bridge));
    const from = last;
    if (!quiet) last = i === MINUTES - 1 ? close : target;
    if (outage && i >= outage.start && i < outage.start + outage.length) continue;

    const reach = quiet ? 0 : open * MINUTE_VOLATILITY;
    const high = Math.max(from, last) + Math.floor(reach * up * up);
    const low = Math.max(1, Math.min(from, last) - Math.floor(reach * down * down));
    const mean = low + Math.floor((high - low) * mid);
    const worth = quiet ? 0 : turnover * 3 * size * size * (1 + Math.abs(last - from) / (reach + 1));
    const volume = quiet ? 0 : volumeOf(of.market, worth, mean / tick, digits);
    const takerVolume = Math.floor(volume * (0.2 + 0.6 * taker));

    klines.openMs[row] = day * DAY_MS + i * MINUTE_MS;
    klines.open[row] = from;
    klines.high[row] = high;
    klines.low[row] = low;
    klines.close[row] = last;
    klines.volume[row] = volume;
    klines.quote[row] = quoteOf(of.market, volume, mean, price, digits);
    klines.trades[row] = quiet ? 0 : 1 + Math.floor((worth / 500) * (0.5 + count));
    klines.takerVolume[row] = takerVolume;
    klines.takerQuote[row] = quoteOf(of.market, takerVolume, mean, price, digits);
    row++;
  }
  return klines;
}

/**
 * Longer candles, exactly from shorter ones: first open, highest high, lowest low, last close, sums. A candle none of whose
 * minutes exist does not exist either.
 * @param lengthMs length of the longer candle; a divisor of the day.
 */
export function aggregateKlines(minutes: Klines, lengthMs: number): Klines {
  const starts: number[] = [];
  for (let i = 0; i < minutes.openMs.length; i++) {
    const bucket = Math.floor(at(minutes.openMs, i) / lengthMs);
    if (i === 0 || bucket !== Math.floor(at(minutes.openMs, i - 1) / lengthMs)) starts.push(i);
  }
  const result = emptyKlines(minutes.digits, starts.length);
  for (const [row, start] of starts.entries()) {
    const end = starts[row + 1] ?? minutes.openMs.length;
    result.openMs[row] = Math.floor(at(minutes.openMs, start) / lengthMs) * lengthMs;
    result.open[row] = at(minutes.open, start);
    result.high[row] = Math.max(...minutes.high.subarray(start, end));
    result.low[row] = Math.min(...minutes.low.subarray(start, end));
    result.close[row] = at(minutes.close, end - 1);
    for (const column of ['volume', 'quote', 'trades', 'takerVolume', 'takerQuote'] as const) {
      const sum = minutes[column].subarray(start, end).reduce((a, b) => a + b, 0);
      if (!Number.isSafeInteger(sum)) {
        throw new LakehouseError('simulated-overflow', `A ${column} of ${sum} is not exact`, { kind: 'internal' });
      }
      result[column][row] = sum;
    }
  }
  return result;
}

function emptyKlines(digits: Digits, rows: number): Klines {
  const column = (): Float64Array => new Float64Array(rows);
  return {
    digits,
    openMs: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
    quote: column(),
    trades: column(),
    takerVolume: column(),
    takerQuote: column(),
  };
}

/** Tick and lot sizes like the real ones: BTCUSDT spot 2 and 5 decimals, um 2 and 3, BTCUSD_PERP 1 and whole contracts. */
function digitsOf(market: Market, price: number): Digits {
  const ticks = Math.min(8, Math.max(2, 5 - Math.floor(Math.log10(price))));
  if (market === 'cm') return { price: ticks - 1, volume: 0, quote: 8 };
  const lots = Math.max(0, (market === 'spot' ? 7 : 5) - ticks);
  return { price: ticks, volume: lots, quote: ticks + lots };
}

/** What one cm contract is worth, in US dollars. */
const contractWorth = (price: number): number => (price > 1000 ? 100 : 10);

function volumeOf(market: Market, worth: number, price: number, digits: Digits): number {
  if (market === 'cm') return Math.ceil(worth / contractWorth(price));
  return Math.max(1, Math.round((worth / price) * 10 ** digits.volume));
}

/** Exactly mean price times volume; for cm the coins that so many contracts are, rounded to 8 decimals. */
function quoteOf(market: Market, volume: number, mean: number, price: number, digits: Digits): number {
  if (market !== 'cm') return mean * volume;
  return Math.round((volume * contractWorth(price) * 10 ** (digits.price + digits.quote)) / mean);
}

/**
 * Where the price stands at the start of a day, relative to its long mean: noise of periods 1, 2, 4 … 1024 days, each as large
 * as a random walk would move in it. So it looks like a random walk, yet any day is found alone.
 */
function level(symbol: number, day: number): number {
  let log = 0;
  for (let octave = 0; octave <= 10; octave++) {
    const period = 2 ** octave;
    const cell = Math.floor(day / period);
    const inside = day / period - cell;
    const here = noise(symbol, octave, cell) * (1 - inside) + noise(symbol, octave, cell + 1) * inside;
    log += DAILY_VOLATILITY * Math.sqrt(period) * here;
  }
  return Math.exp(log);
}

function outageOf(market: number, day: number): { start: number; length: number } | undefined {
  const dice = mix(market, day);
  if (dice % 29 !== 0) return undefined;
  return { start: 60 + (mix(dice, 1) % 1_100), length: 5 + (mix(dice, 2) % 180) };
}

const noise = (symbol: number, octave: number, cell: number): number => 2 * unit(mix(mix(symbol, octave), cell)) - 1;

const unit = (bits: number): number => bits / 2 ** 32;

/** FNV-1a over the UTF-16 units, then mixed: 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h, 0);
}

/** Two integers into 32 well-mixed bits (the finaliser of MurmurHash3). */
function mix(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Numbers in [0, 1) from a 32-bit state (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return unit((t ^ (t >>> 14)) >>> 0);
  };
}

/** A typed array's element that is known to be there. */
const at = (column: Float64Array, index: number): number => column[index] as number;

import { type FixedInterval, intervalMs, type Market } from '../binance/layout.ts';
import { DAY_MS, type Klines } from './prices.ts';

/** The header that um and cm files have; spot files have none. */
export const KLINES_HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n';

const HEADER_SINCE = Date.UTC(2022, 7, 11) / DAY_MS;
const MICROSECONDS_SINCE = Date.UTC(2025, 0, 1) / DAY_MS;

/** Whether a file whose last day is this one begins with a header. */
export function hasHeader(market: Market, day: number): boolean {
  return market !== 'spot' && day >= HEADER_SINCE;
}

/**
 * The rows of one day as the archive writes them, without header: LF after every row, spot padded to 8 decimals, spot times in
 * microseconds from 2025 on and in milliseconds before.
 */
export function klinesText(klines: Klines, market: Market, interval: FixedInterval, day: number): Uint8Array {
  const { digits } = klines;
  const spot = market === 'spot';
  const [price, volume, quote] = spot ? [8, 8, 8] : [digits.price, digits.volume, digits.quote];
  const perMs = spot && day >= MICROSECONDS_SINCE ? 1000 : 1;
  const rows = klines.openMs.length;
  const writer = digitWriter(rows * ROW_BYTES);
  const value = (column: Float64Array, row: number, digit: number, width: number): void => {
    writer.decimal(column[row] as number, digit, width);
    writer.byte(COMMA);
  };
  for (let row = 0; row < rows; row++) {
    const opens = (klines.openMs[row] as number) * perMs;
    writer.integer(opens);
    writer.byte(COMMA);
    value(klines.open, row, digits.price, price);
    value(klines.high, row, digits.price, price);
    value(klines.low, row, digits.price, price);
    value(klines.close, row, digits.price, price);
    value(klines.volume, row, digits.volume, volume);
    writer.integer(opens + intervalMs(interval) * perMs - 1);
    writer.byte(COMMA);
    value(klines.quote, row, digits.quote, quote);
    value(klines.trades, row, 0, 0);
    value(klines.takerVolume, row, digits.volume, volume);
    value(klines.takerQuote, row, digits.quote, quote);
    writer.byte(ZERO);
    writer.byte(NEWLINE);
  }
  return writer.bytes();
}

const [COMMA, POINT, ZERO, NEWLINE] = [0x2c, 0x2e, 0x30, 0x0a];
/** The widest row there can be: 9 values of 16 digits, 8 zeros and a point, two times, separators. */
const ROW_BYTES = 9 * 26 + 2 * 17 + 8;

const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

interface DigitWriter {
  byte(value: number): void;
  /** A non-negative integer below 2^53. */
  integer(value: number): void;
  /** `value / 10^digits` with `width` decimals, `width >= digits`. */
  decimal(value: number, digits: number, width: number): void;
  bytes(): Uint8Array;
}

/** Writes digits into bytes without strings in between: 17,000 numbers a day file would cost more than deflating them. */
function digitWriter(capacity: number): DigitWriter {
  const buffer = new Uint8Array(capacity);
  let end = 0;
  const padded = (value: number, width: number): void => {
    let rest = value | 0;
    for (let i = end + width - 1; i >= end; i--) {
      const tens = (rest / 10) | 0;
      buffer[i] = ZERO + rest - tens * 10;
      rest = tens;
    }
    end += width;
  };
  const integer = (value: number): void => {
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      integer(high);
      padded(value - high * 1e9, 9);
      return;
    }
    let width = 1;
    for (let limit = 10; value >= limit; limit *= 10) width++;
    padded(value, width);
  };
  const byte = (value: number): void => {
    buffer[end++] = value;
  };
  return {
    byte,
    integer,
    decimal: (value, digits, width) => {
      const scale = SCALES[digits] as number;
      const whole = Math.floor(value / scale);
      integer(whole);
      if (width === 0) return;
      byte(POINT);
      padded(value - whole * scale, digits);
      for (let i = digits; i < width; i++) buffer[end++] = ZERO;
    },
    bytes: () => buffer.subarray(0, end),
  };
}

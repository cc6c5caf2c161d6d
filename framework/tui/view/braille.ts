import type { Candle, Size } from '../model/data.ts';
import { cell, cut } from './text.ts';
import type { Paint, Theme } from './theme.ts';

// Charts of a given size. Time goes to the right; values are printed at the left.

/** A line through values, two dots wide and four high per cell. Not finite ones are gaps. Exactly `size.rows` lines. */
export function lineChart(values: readonly number[], size: Size, theme: Theme): string[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0 || size.rows < 1) return blank(size.rows);
  const scale = scaleOf(smallest(finite), largest(finite), size.rows);
  const room = size.columns - axisWidth(scale);
  if (room < 2) return blank(size.rows);
  const plot = theme.unicode ? brailleLine(values, room, scale) : asciiLine(values, room, scale);
  return withAxis(plot.map(theme.accent), scale, theme);
}

/**
 * Candles: bodies from open to close, wicks from low to high. Rising ones are thin and falling ones are filled, so that colours only
 * help. Of more than there is room for, neighbours are put together. The last line has times. Exactly `size.rows` lines.
 */
export function candleChart(candles: readonly Candle[], size: Size, theme: Theme): string[] {
  const rows = size.rows - 1;
  if (candles.length === 0 || rows < 2) return blank(size.rows);
  const scale = scaleOf(smallest(candles.map(({ low }) => low)), largest(candles.map(({ high }) => high)), rows);
  const axis = axisWidth(scale);
  const room = size.columns - axis;
  if (room < 2) return blank(size.rows);
  const shown = together(candles, room);
  // With a gap between them they are easier to tell apart.
  const step = shown.length * 2 <= room ? 2 : 1;
  const plot = Array.from({ length: rows }, (_, row) => candleRow(shown, step, row, scale, theme));
  const times = ' '.repeat(axis) + timeLine(shown, step, room, theme);
  return [...withAxis(plot, scale, theme), theme.faint(times)];
}

const blank = (rows: number): string[] => Array.from({ length: Math.max(rows, 0) }, () => '');
// Spreading a long array into Math.min overflows the stack.
const smallest = (values: readonly number[]): number => values.reduce((least, value) => Math.min(least, value));
const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value));

// --- the vertical axis ---------------------------------------------------------------------------------------------------------

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  /** Printed at the left of some rows. */
  readonly labels: ReadonlyMap<number, string>;
}

/** Rows between two labels. */
const APART = 4;

function scaleOf(least: number, most: number, rows: number): Scale {
  // All the same: in the middle.
  const spread = most > least ? 0 : Math.abs(least) * 0.01 || 1;
  const [low, high] = [least - spread, most + spread];
  const step = (high - low) / Math.max(rows, 1);
  const decimals = Math.min(Math.max(Math.ceil(-Math.log10(step)), 0), 10);
  const text = (value: number) =>
    Math.abs(value) < 1e9 ? value.toFixed(decimals) : value.toExponential(3).replace('+', '');
  const labels = new Map<number, string>();
  for (let row = 0; row < rows; row += APART) {
    // The middle of a row stands for it, but the ends of the scale are what they are.
    const value = row === 0 ? high : high - ((row + 0.5) / rows) * (high - low);
    labels.set(row, text(value));
  }
  if (rows > 1) {
    if (labels.has(rows - 2)) labels.delete(rows - 2);
    labels.set(rows - 1, text(low));
  }
  return { low, high, rows, labels };
}

const labelWidth = ({ labels }: Scale): number => Math.max(0, ...[...labels.values()].map((label) => label.length));
const axisWidth = (scale: Scale): number => labelWidth(scale) + 2;

function withAxis(plot: readonly string[], scale: Scale, theme: Theme): string[] {
  const columns = labelWidth(scale);
  return plot.map((line, row) => {
    const label = scale.labels.get(row);
    const tick = label === undefined ? theme.box.vertical : theme.box.teeRight;
    return `${theme.faint(cell(theme, label ?? '', columns, 'right'))} ${theme.border(tick)}${line}`;
  });
}

/** How many of `steps` parts of a row's height a value is below the top: 0 is the uppermost one of the first row. */
function depth({ low, high, rows }: Scale, value: number, steps: number): number {
  const last = rows * steps - 1;
  return Math.min(Math.max(Math.round(((high - value) / (high - low)) * last), 0), last);
}

// --- lines ---------------------------------------------------------------------------------------------------------------------

/** Values at evenly spread places: means where there are more values than places, straight lines in between where there are fewer. */
function spread(values: readonly number[], places: number): number[] {
  return Array.from({ length: places }, (_, i) => {
    if (values.length > places) {
      const part = values.slice(
        Math.floor((i * values.length) / places),
        Math.ceil(((i + 1) * values.length) / places),
      );
      const finite = part.filter(Number.isFinite);
      return finite.reduce((sum, value) => sum + value, 0) / finite.length;
    }
    const at = places === 1 ? 0 : (i / (places - 1)) * (values.length - 1);
    const [left, right] = [values[Math.floor(at)] ?? Number.NaN, values[Math.ceil(at)] ?? Number.NaN];
    return Number.isInteger(at) ? left : left + (right - left) * (at % 1);
  });
}

/** Calls back for each step of a line through the values: a column, and the steps from the one before it down or up to its own. */
function trace(
  values: readonly number[],
  scale: Scale,
  steps: number,
  mark: (column: number, from: number, to: number, at: number) => void,
): void {
  let before: number | undefined;
  for (const [column, value] of values.entries()) {
    if (!Number.isFinite(value)) {
      before = undefined;
      continue;
    }
    const at = depth(scale, value, steps);
    // Half of a jump is drawn in each of the two columns.
    const joint = before === undefined ? at : at > before ? before + 1 : at < before ? before - 1 : at;
    mark(column, Math.min(at, joint), Math.max(at, joint), at);
    before = at;
  }
}

/** Dots of a braille character by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

function brailleLine(values: readonly number[], columns: number, scale: Scale): string[] {
  const cells = new Uint8Array(columns * scale.rows);
  trace(spread(values, columns * 2), scale, 4, (column, from, to) => {
    for (let at = from; at <= to; at++) {
      const place = (at >> 2) * columns + (column >> 1);
      cells[place] = (cells[place] ?? 0) | (DOTS[column & 1 ? 1 : 0][at & 3] ?? 0);
    }
  });
  return Array.from({ length: scale.rows }, (_, row) =>
    Array.from(cells.subarray(row * columns, (row + 1) * columns), (dots) =>
      dots === 0 ? ' ' : String.fromCharCode(0x2800 + dots),
    ).join(''),
  );
}

function asciiLine(values: readonly number[], columns: number, scale: Scale): string[] {
  const rows = Array.from({ length: scale.rows }, () => new Array<string>(columns).fill(' '));
  trace(spread(values, columns), scale, 1, (column, from, to, at) => {
    for (let row = from; row <= to; row++) (rows[row] as string[])[column] = row === at ? '*' : '|';
  });
  return rows.map((row) => row.join(''));
}

// --- candles -------------------------------------------------------------------------------------------------------------------

/** At most so many: the open of the first, the highest high, the lowest low, the close of the last of each group. */
function together(candles: readonly Candle[], most: number): readonly Candle[] {
  if (candles.length <= most) return candles;
  const groups = Map.groupBy(candles, (_, i) => Math.floor((i * most) / candles.length));
  return Array.from(groups.values(), (group) =>
    group.reduce((all, { high, low, close }) => ({
      at: all.at,
      open: all.open,
      high: Math.max(all.high, high),
      low: Math.min(all.low, low),
      close,
    })),
  );
}

/** By what is in the upper and in the lower half of a cell: nothing, wick, body. */
const RISING = [' ╷╻', '╵│╽', '╹╿┃'] as const;
const FALLING = [' ╷▄', '╵│▄', '▀▀█'] as const;

function candleRow(candles: readonly Candle[], step: number, row: number, scale: Scale, theme: Theme): string {
  let line = '';
  let run = '';
  let paint: Paint = theme.good;
  for (const { open, high, low, close } of candles) {
    const half = (value: number) => depth(scale, value, 2);
    const part = (at: number): 0 | 1 | 2 => {
      if (at >= half(Math.max(open, close)) && at <= half(Math.min(open, close))) return 2;
      return at >= half(high) && at <= half(low) ? 1 : 0;
    };
    const [upper, lower] = [part(2 * row), part(2 * row + 1)];
    const rises = close >= open;
    const shape = (rises ? RISING : FALLING)[upper][lower] ?? ' ';
    const ascii = upper === 2 || lower === 2 ? (rises ? 'o' : '#') : upper + lower > 0 ? '|' : ' ';
    const wanted = rises ? theme.good : theme.bad;
    if (wanted !== paint && shape !== ' ') {
      line += paint(run);
      run = '';
      paint = wanted;
    }
    run += (theme.unicode ? shape : ascii).padEnd(step);
  }
  return line + paint(run);
}

const DAY = 86_400_000;

/** The times of the first, the middle and the last candle, as far as there is room. */
function timeLine(candles: readonly Candle[], step: number, room: number, theme: Theme): string {
  const [first, last] = [candles[0]?.at ?? 0, candles.at(-1)?.at ?? 0];
  const [from, to] = last - first < 2 * DAY ? [11, 16] : last - first < 700 * DAY ? [5, 10] : [0, 7];
  const text = (at: number) => new Date(at).toISOString().slice(from, to);
  const size = to - from;
  const end = Math.min(Math.max((candles.length - 1) * step + 1, size), room);
  const middle = Math.floor(candles.length / 2);
  const places = [
    { column: 0, at: first },
    { column: middle * step, at: candles[middle]?.at ?? 0 },
    { column: end - size, at: last },
  ];
  let line = '';
  for (const [i, { column, at }] of places.entries()) {
    const next = i === 1 ? end - size : room;
    if (column < line.length + (i > 0 ? 2 : 0) || (i === 1 && column + size + 2 > next)) continue;
    line += ' '.repeat(column - line.length) + text(at);
  }
  return cut(theme, line, room);
}

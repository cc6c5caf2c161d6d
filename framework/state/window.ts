import { LakehouseError } from '../common/errors.ts';

/** A window this wide is a mistake in the data (hours of two thousand years), not a series. */
const WIDEST = 1 << 24;

/** The columns' window must grow from `[base, base+length)` to hold `[lo, hi)`: the new base and length, with room to spare. */
export function grownWindow(
  base: number,
  length: number,
  lo: number,
  hi: number,
): readonly [base: number, length: number] {
  const from = length === 0 ? lo : Math.min(base, lo);
  const to = length === 0 ? hi : Math.max(base + length, hi);
  const spare = length === 0 ? 0 : length >> 1;
  const newBase = Math.floor((length > 0 && lo < base ? from - spare : from) / 16) * 16;
  const newEnd = Math.ceil((length > 0 && hi > base + length ? to + spare : to) / 16) * 16;
  if (newEnd - newBase > WIDEST) {
    throw new LakehouseError('time-window-too-wide', `A series cannot span the time indices ${from} to ${to}`, {
      kind: 'data',
      hint: 'A partition far from all others was probably parsed from a wrong date.',
    });
  }
  return [newBase, newEnd - newBase];
}

/** Columns of a window copied into a wider one. */
export function widen<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  column: T,
  into: T,
  shift: number,
): T {
  // An empty column has no place in time yet, and its shift no meaning.
  if (column.length > 0) into.set(column, shift);
  return into;
}

/**
 * Columns of whole numbers (0 to 2^32 − 1) packed as runs: what is written in batches takes a few bytes in all, what differs from
 * entry to entry about as many bytes as its steps need. Each run is the step from the value before, with a bit that says whether a
 * length follows, both as numbers of seven bits a byte, the lowest first.
 */
let scratch = new Uint8Array(1 << 12);

/** Bytes that one run takes at most. */
const LONGEST = 12;

export function packRuns(column: Uint8Array | Uint16Array | Uint32Array, from = 0, to = column.length): Uint8Array {
  let at = 0;
  let before = 0;
  for (let i = from; i < to; ) {
    const value = column[i] as number;
    const start = i++;
    while (i < to && column[i] === value) i++;
    if (at + LONGEST > scratch.length) scratch = grown(scratch);
    const step = value - before;
    const folded = step < 0 ? -2 * step - 1 : 2 * step;
    at = put(at, 2 * folded + (i - start > 1 ? 1 : 0));
    if (i - start > 1) at = put(at, i - start - 2);
    before = value;
  }
  return scratch.slice(0, at);
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(2 * bytes.length);
  more.set(bytes);
  return more;
}

function put(at: number, number: number): number {
  let rest = number;
  // Steps may have more than 32 bits.
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) scratch[at++] = (rest % 128) | 128;
  for (; rest > 127; rest >>>= 7) scratch[at++] = (rest & 127) | 128;
  scratch[at++] = rest;
  return at;
}

/** Calls back for each run, in order: entries `[from, to)` have the value. */
export function eachRun(packed: Uint8Array, visit: (value: number, from: number, to: number) => void): void {
  let value = 0;
  let from = 0;
  for (let at = 0; at < packed.length; ) {
    let byte = packed[at++] as number;
    let number = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = packed[at++] as number;
      number += (byte & 127) * scale;
    }
    let length = 1;
    if (number % 2 === 1) {
      byte = packed[at++] as number;
      length = 2 + (byte & 127);
      for (let scale = 128; byte > 127; scale *= 128) {
        byte = packed[at++] as number;
        length += (byte & 127) * scale;
      }
    }
    const folded = Math.floor(number / 2);
    value += folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
    visit(value, from, from + length);
    from += length;
  }
}

/** Longer runs are worth a call. */
const FILL = 32;

/** Puts a packed column into another one, from `start` on. */
export function unpackRuns(packed: Uint8Array, into: Uint8Array | Uint16Array | Uint32Array, start = 0): void {
  eachRun(packed, (value, from, to) => {
    if (to - from > FILL) into.fill(value, start + from, start + to);
    else for (let i = start + from; i < start + to; i++) into[i] = value;
  });
}

import { corrupt } from './sql.ts';

/** Columns of numbers as bytes: little endian whatever the machine, each column padded to 8 bytes so that it can be viewed in place. */
export type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function swap(bytes: Uint8Array, width: number): void {
  for (let i = 0; i + width <= bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Lays columns one after another. */
export function packColumns(columns: readonly Column[]): Uint8Array {
  const out = new Uint8Array(columns.reduce((size, column) => size + padded(column.byteLength), 0));
  let at = 0;
  for (const column of columns) {
    out.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    if (!LITTLE_ENDIAN) swap(out.subarray(at, at + column.byteLength), column.BYTES_PER_ELEMENT);
    at += padded(column.byteLength);
  }
  return out;
}

/** Reads columns in the order they were packed. What it returns are views of the bytes, not copies. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  }

  #take(length: number, width: number): [ArrayBufferLike, number, number] {
    const size = length * width;
    if (this.#at + size > this.#bytes.length) {
      throw corrupt('Packed columns end before their last value');
    }
    const start = this.#bytes.byteOffset + this.#at;
    if (!LITTLE_ENDIAN) swap(this.#bytes.subarray(this.#at, this.#at + size), width);
    this.#at += padded(size);
    return [this.#bytes.buffer, start, length];
  }

  u8(length: number): Uint8Array {
    return new Uint8Array(...this.#take(length, 1));
  }
  u16(length: number): Uint16Array {
    return new Uint16Array(...this.#take(length, 2));
  }
  u32(length: number): Uint32Array {
    return new Uint32Array(...this.#take(length, 4));
  }
  i32(length: number): Int32Array {
    return new Int32Array(...this.#take(length, 4));
  }
  f64(length: number): Float64Array {
    return new Float64Array(...this.#take(length, 8));
  }
}

/** One column from the same column of several parts. */
export function concatenate<T extends Column>(total: T, parts: Iterable<Column>): T {
  let at = 0;
  for (const part of parts) {
    total.set(part, at);
    at += part.length;
  }
  return total;
}

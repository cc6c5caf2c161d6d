/** Takes columns that are needed for a moment out of memory that is used again and again. */
export class Scratch {
  #buffer = new ArrayBuffer(1 << 16);
  #top = 0;

  /** Runs `work`; the columns that it took are free afterwards and must not be used any more. */
  during<T>(work: () => T): T {
    const top = this.#top;
    try {
      return work();
    } finally {
      this.#top = top;
    }
  }

  #take(bytes: number): number {
    // What was taken before stays in the memory it is in.
    if (this.#top + bytes > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(Math.max(2 * this.#buffer.byteLength, 2 * bytes));
      this.#top = 0;
    }
    const start = this.#top;
    this.#top += Math.ceil(bytes / 8) * 8;
    return start;
  }

  /** All zeros, as the others are. */
  u8(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#buffer, start, length).fill(0);
  }
  u16(length: number): Uint16Array {
    const start = this.#take(2 * length);
    return new Uint16Array(this.#buffer, start, length).fill(0);
  }
  u32(length: number): Uint32Array {
    const start = this.#take(4 * length);
    return new Uint32Array(this.#buffer, start, length).fill(0);
  }
  i32(length: number): Int32Array {
    const start = this.#take(4 * length);
    return new Int32Array(this.#buffer, start, length).fill(0);
  }
}

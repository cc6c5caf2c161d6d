/** Something that is kept packed, and whose columns are only there while it is used. */
export interface Packable {
  /** Lets the columns go; what was written into them is packed first. */
  pack(): void;
}

/** Remembers what was unpacked of late, and has the oldest packed again, so that all of it together stays small. */
export class Unpacked {
  readonly #most: number;
  readonly #held = new Map<Packable, number>();
  #bytes = 0;

  /** @param most bytes of columns in all, as far as one owner has not more. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Says that an owner has columns of this size now. The others may be packed, this one stays. */
  hold(owner: Packable, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(owner) ?? 0);
    this.#held.delete(owner);
    this.#held.set(owner, bytes);
    for (const [oldest, size] of this.#held) {
      if (this.#bytes <= this.#most || oldest === owner) return;
      this.#held.delete(oldest);
      this.#bytes -= size;
      oldest.pack();
    }
  }
}

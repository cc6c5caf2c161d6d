interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

/**
 * Bounds how many bytes of originals are in memory at a time, by the sizes they were listed with. Served in order, so that what is large
 * gets its turn; what is larger than all there is goes alone.
 */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;
  readonly #waiting: Waiting[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Does something that holds so many bytes until it ends.
   * @throws the signal's reason while it waits.
   */
  async run<T>(bytes: number, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(bytes, signal);
    try {
      return await task();
    } finally {
      this.#held -= bytes;
      this.#next();
    }
  }

  #enter(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
        this.#next();
      };
      const begin = () => {
        signal.removeEventListener('abort', leave);
        this.#held += bytes;
        resolve();
      };
      const waiting = { bytes, begin };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || (this.#held > 0 && this.#held + first.bytes > this.#limit)) return;
      this.#waiting.shift();
      first.begin();
    }
  }
}

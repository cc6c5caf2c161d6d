import { AsyncResource } from 'node:async_hooks';
import PQueue from 'p-queue';
import type { Settings } from '../config/schema.ts';
import { HeldBytes } from './held.ts';
import { delay } from './retry.ts';

/** At most so many starts in any time of that length. */
export interface Rate {
  readonly starts: number;
  readonly perSeconds: number;
}

export interface PoolSettings {
  /** How much of each pool goes on at once; `default` bounds the statements. */
  readonly slots: Readonly<Record<string, number>>;
  /** The same for pools that are not named there. */
  readonly defaultSlots: number;
  readonly rates: Readonly<Record<string, Rate>>;
}

export function poolSettings({ workflow }: Pick<Settings, 'workflow'>): PoolSettings {
  return {
    // Statements use all cores by themselves, so two at a time are enough; other pools wait for networks.
    slots: { default: 2, ...workflow.pools },
    defaultSlots: workflow.concurrencyLimit,
    rates: workflow.rates,
  };
}

/** Originals that are in memory at a time: eight at once of the usual sizes are far less, monthly trades are one or two. */
const HELD_BYTES = 512 * 1024 * 1024;

export interface Waiting {
  /** Aborted: waits no longer. What has begun goes on. */
  readonly signal: AbortSignal;
  /** The greater goes first. Default 0. */
  readonly priority?: number | undefined;
}

/** What the work of all runs of a process waits for, by the names of pools: that one of the slots is free, and that it may begin. */
export class Pools {
  /** Of all pools together: their memory is one. */
  readonly originals = new HeldBytes(HELD_BYTES);
  #settings: PoolSettings;
  readonly #slots = new Map<string, PQueue>();
  readonly #lines = new Map<string, { readonly line: PQueue; readonly begun: number[] }>();

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** Others from now on. What runs in a pool that has become smaller goes on. */
  configure(settings: PoolSettings): void {
    this.#settings = settings;
    for (const [pool, queue] of this.#slots) queue.concurrency = this.slotsOf(pool);
  }

  slotsOf(pool: string): number {
    return this.#settings.slots[pool] ?? this.#settings.defaultSlots;
  }

  /**
   * Does something when a slot is free.
   * @throws the signal's reason while it waits.
   */
  async run<T>(pool: string, task: () => Promise<T>, { signal, priority = 0 }: Waiting): Promise<T> {
    const queue = this.#slots.get(pool) ?? new PQueue({ concurrency: this.slotsOf(pool) });
    this.#slots.set(pool, queue);
    // The queue would leave a task that has begun to itself when its signal is aborted: it is to hear of waiting only.
    const waiting = new AbortController();
    const leave = () => waiting.abort(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    // The queue begins it on behalf of whatever has ended: it is to be part of what asked for it (traces).
    const begin = AsyncResource.bind(() => {
      signal.removeEventListener('abort', leave);
      return task();
    });
    return queue.add(begin, { signal: waiting.signal, priority });
  }

  /**
   * Resolves when one more may begin, if the pool has a rate, and counts it. The clock is one that nobody puts forward or back.
   * @throws the signal's reason while it waits.
   */
  async begin(pool: string, { signal, priority = 0 }: Waiting): Promise<void> {
    if (this.#settings.rates[pool] === undefined) return;
    const found = this.#lines.get(pool) ?? { line: new PQueue({ concurrency: 1 }), begun: [] };
    this.#lines.set(pool, found);
    await found.line.add(() => this.#next(pool, found.begun, signal), { signal, priority });
  }

  async #next(pool: string, begun: number[], signal: AbortSignal): Promise<void> {
    for (;;) {
      const rate = this.#settings.rates[pool];
      if (rate === undefined) return;
      const window = rate.perSeconds * 1000;
      const now = performance.now();
      while ((begun[0] ?? now) <= now - window) begun.shift();
      const oldest = begun.at(-rate.starts);
      if (oldest === undefined) {
        begun.push(now);
        return;
      }
      await delay(Math.ceil(oldest + window - now), signal);
    }
  }
}

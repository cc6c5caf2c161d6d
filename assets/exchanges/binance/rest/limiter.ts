import { setTimeout } from 'node:timers/promises';
import { LakehouseError } from 'crypto-lakehouse';

/** So much within every full window of the clock: the exchange counts by clock minutes, not by the last sixty seconds. */
export interface RateLimit {
  /** Whether each request counts with its weight or as one. */
  readonly counts: 'weight' | 'requests';
  readonly windowMs: number;
  readonly limit: number;
}

export interface Limiter {
  /**
   * Resolves when a request may be sent; it counts from then on. The function it gives is to be called when the answer, or none, came,
   * with the answer's headers.
   * @throws LakehouseError `rest-banned`, without waiting, while the address is banned; the signal's reason while it waits.
   */
  enter(weight: number, signal: AbortSignal | undefined): Promise<(headers?: Headers) => void>;
  /** The limits as the exchange gives them, from now on. */
  setLimits(limits: readonly RateLimit[]): void;
  /** Nothing is sent before this instant (milliseconds since 1970 UTC): the exchange asked to wait. */
  pause(untilMs: number): void;
  /** Nothing is sent before this instant, and nobody waits for it. */
  ban(untilMs: number): void;
}

/** What is left to others who use the same address, and to clocks that differ. */
const SHARE = 0.9;

interface Window extends RateLimit {
  start: number;
  used: number;
  /** Part of `used` that is still being answered. */
  pending: number;
}

/**
 * Keeps all requests to one host within its limits, by its own count and by that of the exchange, whichever is higher: others may use
 * the same address.
 * @param options.now milliseconds since 1970 UTC; `sleep` waits that many milliseconds.
 */
export function rateLimiter(options: {
  readonly host: string;
  readonly limits: readonly RateLimit[];
  readonly now: () => number;
  readonly sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}): Limiter {
  const { host, now, sleep = wait } = options;
  let windows = options.limits.map(open);
  let pausedUntil = 0;
  let bannedUntil = 0;

  const freeAt = (window: Window, cost: number, at: number): number => {
    const start = at - (at % window.windowMs);
    if (start !== window.start) Object.assign(window, { start, used: window.pending });
    // What is larger than all there is goes alone.
    const fits = window.used === 0 || window.used + cost <= window.limit * SHARE;
    return fits ? at : start + window.windowMs;
  };

  return {
    enter: async (weight, signal) => {
      for (;;) {
        signal?.throwIfAborted();
        const at = now();
        if (at < bannedUntil) throw banned(host, bannedUntil, at);
        const free = Math.max(pausedUntil, ...windows.map((window) => freeAt(window, costOf(window, weight), at)));
        if (free <= at) break;
        await sleep(free - at, signal);
      }
      const entered = windows;
      for (const window of entered) {
        window.used += costOf(window, weight);
        window.pending += costOf(window, weight);
      }
      return (headers) => {
        for (const window of entered) {
          window.pending -= costOf(window, weight);
          const said = headers && usedOf(window, headers);
          if (said !== undefined) window.used = Math.max(window.used, said + window.pending);
        }
      };
    },
    setLimits: (limits) => {
      windows = limits.map((limit) => {
        const known = windows.find(({ counts, windowMs }) => counts === limit.counts && windowMs === limit.windowMs);
        return known ? Object.assign(known, { limit: limit.limit }) : open(limit);
      });
    },
    pause: (untilMs) => {
      pausedUntil = Math.max(pausedUntil, untilMs);
    },
    ban: (untilMs) => {
      bannedUntil = Math.max(bannedUntil, untilMs);
    },
  };
}

/** The error of a request to a host that refuses this address until an instant; both times in milliseconds since 1970 UTC. */
export function banned(host: string, untilMs: number, nowMs: number, cause?: unknown): LakehouseError {
  const until = new Date(untilMs).toISOString();
  return new LakehouseError('rest-banned', `${host} has banned this address until ${until}`, {
    kind: 'transient',
    hint: 'Nothing is sent there before. Whatever else asks the exchange from this address counts too.',
    retryAfterMs: Math.max(0, untilMs - nowMs),
    cause,
    details: { host, until },
  });
}

const open = (limit: RateLimit): Window => ({ ...limit, start: -1, used: 0, pending: 0 });

const costOf = ({ counts }: RateLimit, weight: number): number => (counts === 'weight' ? weight : 1);

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** What the exchange says is used of a window: `x-mbx-used-weight-1m`. */
function usedOf({ counts, windowMs }: RateLimit, headers: Headers): number | undefined {
  const [unit, ms] = units.find(([, length]) => windowMs % length === 0) ?? [];
  if (counts !== 'weight' || ms === undefined) return undefined;
  const text = headers.get(`x-mbx-used-weight-${windowMs / ms}${unit}`) ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // A timer's longest time is 2^31 ms; whoever waits looks again anyway.
  await setTimeout(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => signal?.throwIfAborted());
}

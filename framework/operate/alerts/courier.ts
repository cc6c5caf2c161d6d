import { setTimeout } from 'node:timers/promises';
import type { Alerts } from './alerts.ts';

/** A clock may jump: it is looked at least this often. */
const LONGEST_SLEEP_MS = 10_000;

export interface Courier {
  /** Says that something new may wait. */
  readonly poke: () => void;
  /** Resolves after the signal, when nothing is being delivered any more. Never rejects. */
  readonly ended: Promise<void>;
}

/** Delivers whatever is due beside everything else, until told to stop. */
export function startCourier(alerts: Pick<Alerts, 'deliver'>, now: () => number, signal: AbortSignal): Courier {
  let bell = new AbortController();
  signal.addEventListener('abort', () => bell.abort(), { once: true });
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      bell = new AbortController();
      const next = (await alerts.deliver(signal)) ?? Number.POSITIVE_INFINITY;
      if (signal.aborted) return;
      const wait = Math.min(Math.max(next - now(), 0), LONGEST_SLEEP_MS);
      await setTimeout(wait, undefined, { signal: bell.signal }).catch(() => undefined);
    }
  };
  return { poke: () => bell.abort(), ended: work() };
}

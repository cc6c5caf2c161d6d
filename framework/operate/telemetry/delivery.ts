import { appendFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { serializeError } from '../../common/errors.ts';
import type { Log } from '../log.ts';

/** Takes things to be sent, and sends them beside everything else: nobody waits for it, and nothing fails by it. */
export interface Delivery<T> {
  readonly add: (items: readonly T[]) => void;
  /** Sends what is left, for so long at most. */
  readonly close: (patienceMs: number) => Promise<void>;
}

export interface DeliveryOptions<T> {
  /** What is sent, for the log. */
  readonly what: string;
  /** Sends some of them, in order. Throws what was not sent. */
  readonly send: (items: readonly T[], signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly told: (outcome: 'delivered' | 'dropped', count: number) => void;
  /** Most that wait; then the oldest are dropped. */
  readonly limit: number;
  /** Most that are sent at once. */
  readonly atOnce: number;
  /** Waits between the attempts of one sending, ms; after the last of them it is given up. */
  readonly delaysMs: readonly number[];
}

export function createDelivery<T>(options: DeliveryOptions<T>): Delivery<T> {
  const { what, send, log, told, limit, atOnce, delaysMs } = options;
  const waiting: T[] = [];
  const ending = new AbortController();
  let working: Promise<void> | undefined;
  let overflow = false;

  const drop = (count: number, why: string, fields: Readonly<Record<string, unknown>> = {}) => {
    told('dropped', count);
    log('warn', `${what} dropped: ${why}`, { dropped: count, ...fields });
  };
  const deliver = async (items: readonly T[]): Promise<void> => {
    for (const delayMs of [...delaysMs, undefined]) {
      try {
        await send(items, ending.signal);
        told('delivered', items.length);
        return;
      } catch (error) {
        if (delayMs === undefined || ending.signal.aborted)
          return drop(items.length, 'they could not be delivered', { error: serializeError(error) });
        await setTimeout(delayMs, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) await deliver(waiting.splice(0, atOnce));
    overflow = false;
    working = undefined;
  };
  return {
    add: (items) => {
      waiting.push(...items);
      const surplus = waiting.length - limit;
      if (surplus > 0) {
        waiting.splice(0, surplus);
        if (overflow) told('dropped', surplus);
        else drop(surplus, `${limit} wait already`);
        overflow = true;
      }
      if (waiting.length > 0) working ??= work();
    },
    close: async (patienceMs) => {
      const deadline = new AbortController();
      await Promise.race([
        working,
        setTimeout(patienceMs, undefined, { signal: deadline.signal }).catch(() => undefined),
      ]);
      deadline.abort();
      ending.abort();
      await working;
    },
  };
}

/** How long a server has to answer. */
const TIMEOUT_MS = 10_000;

/** Posts each as JSON. */
export function postJson(url: string, headers: Readonly<Record<string, string>>) {
  return async (items: readonly unknown[], signal: AbortSignal): Promise<void> => {
    for (const item of items) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(item),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The server answered ${response.status} ${response.statusText}`);
    }
  };
}

/** Appends each as a line. */
export function appendLines(file: string) {
  return (items: readonly unknown[]): Promise<void> =>
    appendFile(file, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}

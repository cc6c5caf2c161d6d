import { setTimeout } from 'node:timers/promises';

/**
 * Waits for work, but not for longer than a grace after the signal: work that does not heed it is left to itself then.
 * @throws the signal's reason where it was left.
 */
export async function orAborted<T>(signal: AbortSignal, work: () => Promise<T>, graceMs = 0): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const done = new AbortController();
  const abort = () => {
    if (graceMs === 0) return reject(signal.reason);
    setTimeout(graceMs, undefined, { signal: done.signal }).then(
      () => reject(signal.reason),
      () => undefined,
    );
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    done.abort();
  }
}

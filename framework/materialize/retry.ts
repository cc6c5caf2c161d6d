import pRetry from 'p-retry';
import { isLakehouseError, serializeError } from '../common/errors.ts';
import type { RetryPolicy } from '../define/model.ts';
import type { Emit } from './events.ts';

const PASSING = new Set(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EBUSY', 'EMFILE', 'ENOSPC', 'UND_ERR_SOCKET']);

/** Errors that may pass by themselves. What a person's code throws without saying anything is taken to be wrong for good. */
export function isTransient(error: unknown): boolean {
  if (isLakehouseError(error)) return error.kind === 'transient';
  return error instanceof Error && PASSING.has((error as NodeJS.ErrnoException).code ?? '');
}

/** Runs `task`, again with backoff and jitter while its errors are transient and attempts are left. A server's Retry-After is honoured. */
export async function withRetry<T>(asset: string, policy: RetryPolicy, signal: AbortSignal, emit: Emit, task: () => Promise<T>): Promise<T> {
  return pRetry(task, {
    retries: policy.retries,
    minTimeout: policy.delayMs,
    maxTimeout: policy.maxDelayMs,
    factor: 2,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => !signal.aborted && isTransient(error),
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft, retryDelay }) => {
      if (retriesLeft === 0 || signal.aborted || !isTransient(error)) return;
      const wait = Math.max((isLakehouseError(error) ? (error.retryAfterMs ?? 0) : 0) - retryDelay, 0);
      emit({ type: 'retry', asset, attempt: attemptNumber, delayMs: retryDelay + wait, error: serializeError(error) });
      if (wait > 0) await delay(Math.min(wait, 300_000), signal);
    },
  });
}

/** Waits, or rejects with the signal's reason. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

import { createHash } from 'node:crypto';
import { isLakehouseError, serializeError } from '../common/errors.ts';
import type { RetryPolicy } from '../define/model.ts';
import type { Emit } from './events.ts';

/** What systems and HTTP clients say of troubles that pass by themselves. */
const PASSING = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EBUSY',
  'EMFILE',
  'ENFILE',
  'ENOSPC',
]);
const LONGEST_WAIT_MS = 300_000;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Errors that may pass by themselves. What a person's code throws without saying anything is taken to be wrong for good. */
export function isTransient(error: unknown): boolean {
  if (isLakehouseError(error)) return error.kind === 'transient';
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return PASSING.has(code) || code.startsWith('UND_ERR_') || error.name === 'TimeoutError' || isTransient(error.cause);
}

/**
 * Whether the next run may fare better without anything having changed here. An access that is refused, an address or a client that is wrong
 * (`usage`) is not tried again at once, but it is the same for every partition, and no fault of any.
 */
export function mayPass(error: unknown): boolean {
  return isTransient(error) || isConflict(error) || (isLakehouseError(error) && error.kind === 'usage');
}

/** Another process came first; what was read or built on must be looked up again. */
export function isConflict(error: unknown): boolean {
  return isLakehouseError(error) && error.kind === 'conflict';
}

const ENDS_RUN = new Set([
  'stale-definitions',
  'claim-lost',
  'disk-full',
  'read-only-directory',
  'read-only',
  'state-corrupt',
  'state-too-new',
  'state-replaced',
]);
/** Of the bucket of the lake. What a person's code throws may have the same names. */
const STORE_ENDS_RUN = new Set([
  'access-denied',
  'credentials-expired',
  'credentials-refused',
  'no-credentials',
  'no-such-bucket',
  'clock-skew',
  'encryption-refused',
  'store-full',
]);

/** Errors that are no partition's fault and that every other partition would meet as well. */
export function endsRun(error: unknown): boolean {
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EROFS') return true;
  if (!isLakehouseError(error)) return false;
  return ENDS_RUN.has(error.code) || (STORE_ENDS_RUN.has(error.code) && error.details?.bucket !== undefined);
}

/** What waiting depends on. */
export interface RetryControl {
  /** Aborted: give up now. */
  readonly signal: AbortSignal;
  /** Aborted: what is running may finish, but is not tried again. */
  readonly stopping: AbortSignal;
  readonly emit: Emit;
  /** A fresh random name. */
  readonly id: () => string;
}

/**
 * Runs `task`, again with doubling waits and jitter while its errors are such that another try may help and attempts are left. A
 * server's Retry-After is honoured. Written out rather than taken from a library because a stop must end the wait but not the attempt.
 */
export async function withRetry<T>(
  asset: string,
  policy: RetryPolicy,
  control: RetryControl,
  task: () => Promise<T>,
  again: (error: unknown) => boolean = isTransient,
): Promise<T> {
  const { signal, stopping, emit } = control;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt > policy.retries || stopping.aborted || !again(error)) throw error;
      const backoff = Math.min(policy.delayMs * 2 ** (attempt - 1) * (1 + chance(control.id())), policy.maxDelayMs);
      const asked = isLakehouseError(error) ? Math.min(error.retryAfterMs ?? 0, LONGEST_WAIT_MS) : 0;
      const delayMs = Math.round(Math.max(backoff, asked));
      emit({ type: 'retry', asset, attempt, delayMs, error: serializeError(error) });
      await delay(delayMs, AbortSignal.any([signal, stopping])).catch(() => {
        signal.throwIfAborted();
        throw error;
      });
    }
  }
}

/** A number from 0 to 1 out of a random name: jitter only has to differ between those who wait. */
function chance(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32;
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

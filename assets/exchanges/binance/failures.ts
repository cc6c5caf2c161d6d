import { LakehouseError } from 'crypto-lakehouse';

/**
 * A Retry-After header (seconds, or an HTTP date) as milliseconds from now; undefined when absent or unreadable.
 */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** What an answer that is none means. @param retryAfter milliseconds. */
export function statusError(
  what: string,
  where: string,
  status: number,
  retryAfter: number | undefined,
  cause?: unknown,
): LakehouseError {
  const said = `${what}: ${where} answered ${status}`;
  const wait = retryAfter === undefined ? {} : { retryAfterMs: retryAfter };
  if (status === 429 || status === 418) {
    const hint =
      status === 418 ? 'This address is banned for a while: ask less often (fewer downloads at once).' : undefined;
    return failure('archive-rate-limited', 'transient', `${said}: too many requests`, cause, { ...wait, hint });
  }
  if (status >= 500 || status === 408) return failure('archive-unavailable', 'transient', said, cause, wait);
  if (status === 451) {
    return failure('archive-blocked', 'usage', `${said}: not served at this location`, cause, {
      hint: 'Use a mirror: a local directory, or another baseUrl and listUrl.',
    });
  }
  if (status === 401 || status === 403) {
    return failure('archive-forbidden', 'usage', `${said}: access denied`, cause, {
      hint: 'The archive is read anonymously. Check the URL, or whether a proxy stands in between.',
    });
  }
  return failure('archive-status', 'usage', said, cause, { hint: 'Check baseUrl and listUrl.' });
}

export function timedOut(what: string, timeoutMs: number, cause: unknown): LakehouseError {
  return failure('archive-timeout', 'transient', `${what} did not arrive within ${timeoutMs} ms`, cause);
}

export function failure(
  code: string,
  kind: 'usage' | 'transient',
  message: string,
  cause?: unknown,
  more: { hint?: string | undefined; retryAfterMs?: number } = {},
): LakehouseError {
  return new LakehouseError(code, message, { kind, cause, ...more });
}

/** The innermost message: `fetch failed` alone tells nobody anything. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message || error.name : reasonOf(error.cause);
}

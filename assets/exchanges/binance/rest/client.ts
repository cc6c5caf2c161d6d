import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import pLimit from 'p-limit';
import { reasonOf, retryAfterMs } from '../failures.ts';
import { bannedUntil, type Refusal, refusalError } from './errors.ts';
import { banned, type Limiter } from './limiter.ts';

export interface RestOptions {
  /** E.g. `https://api.binance.com`. */
  readonly baseUrl: string;
  /** Limit for one answer, body included, in milliseconds. */
  readonly timeoutMs: number;
  /** Most requests at once. */
  readonly concurrency: number;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly limiter: Limiter;
}

export interface RestRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>> | undefined;
  readonly weight: number;
  /** A limit of this path besides those of the host. */
  readonly also?: Limiter | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RestAnswer {
  /** As received. */
  readonly bytes: Uint8Array;
  /** What they say. */
  readonly json: unknown;
}

export interface RestClient {
  /** One request, sent when the limits allow it, and again after the wait when the exchange asks to slow down. */
  get(request: RestRequest): Promise<RestAnswer>;
  /** Requests sent so far and what they weighed. */
  readonly sent: { readonly requests: number; readonly weight: number };
}

/** How often a request is sent when it is answered by "too many requests". */
const TRIES = 3;

/**
 * The REST interface at one host, anonymous. Other failures are not tried again here (the caller does that, errors say whether to).
 * Proxies are Node's matter: NODE_USE_ENV_PROXY=1 with HTTPS_PROXY and NO_PROXY.
 * @throws LakehouseError from `get`: `rest-banned`, `rest-timeout`, `rest-unreachable`, `rest-truncated`, all transient, and those of
 * `refusalError`.
 */
export function restClient({ baseUrl, timeoutMs, concurrency, now, limiter }: RestOptions): RestClient {
  const base = baseUrl.replace(/\/+$/, '');
  const { host } = new URL(base);
  const inTurn = pLimit(concurrency);
  const sent = { requests: 0, weight: 0 };

  async function once({ path, query = {}, weight, also, signal: outer }: RestRequest): Promise<RestAnswer | Refusal> {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const what = search.size > 0 ? `${path}?${search}` : path;
    const leaveAlso = await also?.enter(weight, outer);
    const leave = await limiter.enter(weight, outer).catch((error: unknown) => {
      leaveAlso?.();
      throw error;
    });
    let headers: Headers | undefined;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      sent.requests += 1;
      sent.weight += weight;
      const response = await fetch(`${base}${what}`, { signal: outer ? AbortSignal.any([outer, timeout]) : timeout });
      headers = response.headers;
      const bytes = await bodyOf(response, what);
      if (response.ok) return { bytes, json: parse(bytes, what) };
      return {
        host,
        what,
        status: response.status,
        body: bytes,
        retryAfterMs: retryAfterMs(headers.get('retry-after'), now()),
      };
    } catch (cause) {
      outer?.throwIfAborted();
      if (timeout.aborted)
        throw transient('rest-timeout', `${what} did not arrive from ${host} within ${timeoutMs} ms`, cause);
      if (isLakehouseError(cause)) throw cause;
      throw transient('rest-unreachable', `${what} could not be fetched from ${host}: ${reasonOf(cause)}`, cause);
    } finally {
      leave(headers);
      leaveAlso?.();
    }
  }

  return {
    sent,
    get: (request) =>
      inTurn(async () => {
        for (let tries = 1; ; tries++) {
          const answer = await once(request);
          if ('json' in answer) return answer;
          const at = now();
          const error = refusalError(answer);
          if (answer.status === 418) {
            const until = bannedUntil(answer, at);
            limiter.ban(until);
            throw banned(host, until, at, error);
          }
          if (answer.status !== 429) throw error;
          // Nobody said how long: the exchange counts by minutes.
          limiter.pause(at + (answer.retryAfterMs ?? 60_000 - (at % 60_000)));
          if (tries === TRIES) throw error;
        }
      }),
  };
}

async function bodyOf(response: Response, what: string): Promise<Uint8Array> {
  const bytes = await response.bytes().catch((cause: unknown) => {
    throw transient('rest-truncated', `The answer to ${what} broke off: ${reasonOf(cause)}`, cause);
  });
  const announced = response.headers.get('content-length');
  if (announced === null || response.headers.has('content-encoding') || Number(announced) === bytes.length)
    return bytes;
  throw transient(
    'rest-truncated',
    `The answer to ${what} has ${bytes.length} bytes where ${announced} were announced`,
  );
}

function parse(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw transient('rest-truncated', `The answer to ${what} is not JSON, or not all of it: ${reasonOf(cause)}`, cause);
  }
}

function transient(code: string, message: string, cause?: unknown): LakehouseError {
  return new LakehouseError(code, message, { kind: 'transient', cause });
}

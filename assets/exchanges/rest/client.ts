import { isLakehouseError, LakehouseError } from 'crypto-lakehouse';
import PQueue from 'p-queue';
import { retryAfterMs } from '../binance/failures.ts';

export interface RestClientOptions {
  /** Whose it is, as in the settings: `coinbase`. */
  readonly exchange: string;
  /** E.g. `https://api.exchange.coinbase.com`. */
  readonly baseUrl: string;
  /** Limit for one answer, body included, in milliseconds. */
  readonly timeoutMs: number;
  /** Most requests that are sent in a second. */
  readonly requestsPerSecond: number;
  /**
   * What the exchange says is wrong in an answer, whatever its status: `refused` for good, or for now (`later`, `too often`). Undefined
   * where nothing is.
   */
  readonly problem: (answer: unknown) => { readonly said: string; readonly is?: 'later' | 'too often' } | undefined;
}

export interface RestCall {
  readonly query?: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970 UTC: needed for a Retry-After that is a date. */
  readonly now: () => number;
}

export interface RestAnswer {
  /** As received. */
  readonly bytes: Uint8Array;
  /** What they say. */
  readonly json: unknown;
  /** The server's clock, in whole seconds, as milliseconds since 1970 UTC; undefined where it does not tell. */
  readonly serverMs: number | undefined;
}

export interface RestClient {
  /** One GET, anonymous, sent when its turn comes. It is not tried again here: errors say whether that helps. */
  get(path: string, call: RestCall): Promise<RestAnswer>;
}

/**
 * A REST interface that limits requests by the second.
 * @throws LakehouseError from `get`, kind `transient`: `rest-rate-limited` and `rest-unavailable` (with `retryAfterMs` when the server
 * said it), `rest-timeout`, `rest-unreachable`, `rest-truncated`; kind `data`: `rest-refused`; kind `usage`: `rest-blocked`.
 */
export function restClient(options: RestClientOptions): RestClient {
  const { exchange, timeoutMs, requestsPerSecond: perSecond, problem } = options;
  const base = options.baseUrl.replace(/\/+$/, '');
  const { host } = new URL(base);
  const queue = new PQueue({ concurrency: Math.min(perSecond, 8), interval: 1000, intervalCap: perSecond });

  async function get(path: string, { query = {}, signal: outer, now }: RestCall): Promise<RestAnswer> {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const what = search.size > 0 ? `${path}?${search}` : path;
    outer.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${base}${what}`, { signal: AbortSignal.any([outer, timeout]) });
      const bytes = await response.bytes();
      const json = parsed(bytes);
      const wrong = problem(json);
      if (response.ok && wrong === undefined) {
        if (json === undefined) throw failure('rest-truncated', `The answer to ${what} is not JSON, or not all of it`);
        return { bytes, json, serverMs: Date.parse(response.headers.get('date') ?? '') || undefined };
      }
      const { status } = response;
      const said = `${what}: ${host} answered ${status}${wrong ? ` (${wrong.said})` : ''}`;
      const wait = { retryAfterMs: retryAfterMs(response.headers.get('retry-after'), now()) };
      if (status === 429 || wrong?.is === 'too often') {
        throw failure('rest-rate-limited', said, wait, `Ask less often: exchanges.${exchange}.requestsPerSecond.`);
      }
      if (status >= 500 || status === 408 || wrong?.is === 'later') throw failure('rest-unavailable', said, wait);
      if (status === 401 || status === 403 || status === 451) {
        const hint = `The exchange, or a proxy on the way, does not serve this address. Switch it off: exchanges.${exchange}.enabled=false.`;
        throw new LakehouseError('rest-blocked', said, { kind: 'usage', hint });
      }
      throw new LakehouseError('rest-refused', said, { kind: 'data' });
    } catch (cause) {
      outer.throwIfAborted();
      if (isLakehouseError(cause)) throw cause;
      if (timeout.aborted) {
        throw failure('rest-timeout', `${what} did not arrive from ${host} within ${timeoutMs} ms`, { cause });
      }
      throw failure('rest-unreachable', `${what} could not be fetched from ${host}: ${reasonOf(cause)}`, { cause });
    }
  }

  return { get: (path, call) => queue.add(() => get(path, call), { signal: call.signal }) };
}

/** Undefined when it is not JSON: a page of a proxy, or a part. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function failure(
  code: string,
  message: string,
  more: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  hint?: string,
): LakehouseError {
  return new LakehouseError(code, message, { kind: 'transient', hint, ...more });
}

/** The innermost message: `fetch failed` alone tells nobody anything. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message || error.name : reasonOf(error.cause);
}

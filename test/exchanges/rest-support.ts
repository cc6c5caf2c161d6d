import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RestClient, restClient } from '../../assets/exchanges/binance/rest/client.ts';
import { type Limiter, type RateLimit, rateLimiter } from '../../assets/exchanges/binance/rest/limiter.ts';

/** Answers that a real exchange gave, beside the repository; not part of it. */
export const CAPTURED = '../shared/data/rest/binance';
export const noCaptured = !existsSync(CAPTURED);
/** For the name of a suite that needs them. */
export const skipped = noCaptured ? ' (skipped: no captured answers at ../shared/data)' : '';

/** The text of a captured answer. */
export const captured = (name: string): string => readFileSync(join(CAPTURED, name), 'utf8');

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The connection is reset after so many bytes of the body. */
  readonly cutAt?: number;
  /** Nothing is ever answered. */
  readonly silent?: boolean;
}

/** An HTTP server for one test; `asked` are paths with their queries, in order. */
export async function serve(answer: (url: URL, nth: number) => Reply) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    asked.push(`${url.pathname}${url.search}`);
    const { status = 200, headers = {}, body = '[]', cutAt, silent = false } = answer(url, asked.length);
    if (silent) return;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    if (cutAt === undefined) response.end(body);
    else response.write(body.slice(0, cutAt), () => response.socket?.resetAndDestroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, asked };
}

export interface Clock {
  ms: number;
  /** How long was waited, each time. */
  readonly waits: number[];
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** A clock that stands still until everybody who has something to do waits; then it is as late as the first of them wants it. */
export function clockAt(ms: number): Clock {
  const sleeping: { readonly end: number; readonly wake: () => void }[] = [];
  const advance = () => {
    const first = Math.min(...sleeping.map(({ end }) => end));
    clock.ms = Math.max(clock.ms, first);
    for (const sleeper of sleeping.filter(({ end }) => end === first)) {
      sleeping.splice(sleeping.indexOf(sleeper), 1);
      sleeper.wake();
    }
    if (sleeping.length > 0) setImmediate(advance);
  };
  const clock: Clock = {
    ms,
    waits: [],
    now: () => clock.ms,
    sleep: async (wait, signal) => {
      signal?.throwIfAborted();
      clock.waits.push(wait);
      if (sleeping.length === 0) setImmediate(advance);
      await new Promise<void>((wake) => sleeping.push({ end: clock.ms + wait, wake }));
    },
  };
  return clock;
}

export const perMinute = (limit: number): RateLimit[] => [{ counts: 'weight', windowMs: 60_000, limit }];

/** A client with a clock of its own. */
export function clientOf(
  baseUrl: string,
  clock: Clock,
  options: { limits?: readonly RateLimit[]; timeoutMs?: number; concurrency?: number } = {},
): RestClient & { readonly limiter: Limiter } {
  const { limits = perMinute(6000), timeoutMs = 5000, concurrency = 4 } = options;
  const { now, sleep } = clock;
  const limiter = rateLimiter({ host: 'exchange', limits, now, sleep });
  return Object.assign(restClient({ baseUrl, timeoutMs, concurrency, now, limiter }), { limiter });
}

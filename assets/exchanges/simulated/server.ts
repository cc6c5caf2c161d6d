import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { LakehouseError } from 'crypto-lakehouse';
import { dayOf, type SimulatedArchive, type SimulatedArchiveOptions, simulatedArchive } from './archive.ts';
import { errorXml, listingPage, listingRequest, listingXml } from './listing.ts';
import { DAY_MS } from './prices.ts';
import { simulatedRest } from './rest.ts';

/** What goes wrong with an answer. */
export type Fault =
  /** This status instead of the answer. */
  | { readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** The headers at once, the body only after this many milliseconds. */
  | { readonly delayMs: number }
  /** The connection is reset after this many bytes of the body; all headers are as usual. */
  | { readonly resetAfterBytes: number };

/** The target of faults for all listings. */
export const LISTING = '?list';

export interface RequestCounts {
  readonly list: number;
  readonly get: number;
  readonly head: number;
  /** GETs of each object, whatever was answered. */
  readonly byKey: ReadonlyMap<string, number>;
  /** Requests of REST, and what they weighed. */
  readonly rest: number;
  readonly weight: number;
  /** Those of each path with its query. */
  readonly byQuery: ReadonlyMap<string, number>;
}

export interface SimulatedExchangeOptions extends SimulatedArchiveOptions {
  /** The exchange's clock, milliseconds since 1970 UTC, for REST. Default: 08:00 after the last published day. */
  readonly now?: () => number;
  /** Most weight of REST within a minute. */
  readonly weightPerMinute?: number;
}

export interface SimulatedExchange {
  /** Base URL of the objects, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** The bucket that lists them, path style. */
  readonly listUrl: string;
  /** Change it while the server runs: the next request sees it. */
  readonly archive: SimulatedArchive;
  /** Requests so far. */
  readonly requests: RequestCounts;
  resetRequests(): void;
  /** The next `times` requests (default 1) of this key, of `LISTING`, or of this path of REST (`api/v3/klines`), fail so. */
  fail(target: string, fault: Fault, times?: number): void;
  /**
   * From now on a GET of this key answers what it is at this moment, with its ETag, whatever the archive does to it, while the
   * listing tells the truth: a CDN that lags. Until `serveFresh`.
   */
  serveStale(key: string): void;
  serveFresh(key: string): void;
  close(): Promise<void>;
}

const BUCKET = 'data.binance.vision';

interface Stored {
  readonly body: Uint8Array;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
}

/** A simulated archive, and the REST interface beside it, behind real HTTP on the loopback interface. */
export async function startSimulatedExchange(options: SimulatedExchangeOptions): Promise<SimulatedExchange> {
  const archive = simulatedArchive(options);
  const faults = new Map<string, { fault: Fault; times: number }>();
  const stale = new Map<string, Stored>();
  const none = () => ({
    ...{ list: 0, get: 0, head: 0, rest: 0, weight: 0 },
    byKey: new Map<string, number>(),
    byQuery: new Map<string, number>(),
  });
  let counts = none();
  const morning = (dayOf(options.to) + 1) * DAY_MS + 8 * 3_600_000;
  const rest = simulatedRest({ ...options, now: options.now ?? (() => morning) });

  function takeFault(target: string): Fault | undefined {
    const found = faults.get(target);
    if (found === undefined) return undefined;
    found.times -= 1;
    if (found.times === 0) faults.delete(target);
    return found.fault;
  }

  function stored(key: string): Stored | undefined {
    const head = archive.head(key);
    const body = archive.body(key);
    return head && body && { ...head, body };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(url.pathname).slice(1);
    const key = path.startsWith(`${BUCKET}/`) ? path.slice(BUCKET.length + 1) : path;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return send(response, 405, {}, Buffer.from(errorXml('MethodNotAllowed', 'Read only')));
    }
    const reply = rest(url.pathname, url.searchParams);
    if (reply) {
      counts.rest += 1;
      counts.weight += reply.weight;
      counts.byQuery.set(`${path}${url.search}`, (counts.byQuery.get(`${path}${url.search}`) ?? 0) + 1);
      return send(response, reply.status, reply.headers, Buffer.from(reply.body), takeFault(path));
    }
    if (path === BUCKET || path === `${BUCKET}/`) return listing(url, response);
    if (request.method === 'HEAD') counts.head += 1;
    else {
      counts.get += 1;
      counts.byKey.set(key, (counts.byKey.get(key) ?? 0) + 1);
    }
    const fault = takeFault(key);
    const object = stale.get(key) ?? stored(key);
    if (object === undefined && !(fault && 'status' in fault)) {
      const code = url.searchParams.has('list-type') ? 'NoSuchBucket' : 'NoSuchKey';
      return send(response, 404, XML, Buffer.from(errorXml(code, key)), fault);
    }
    const headers = object && {
      etag: `"${object.etag}"`,
      'accept-ranges': 'bytes',
      'last-modified': new Date(object.modifiedMs).toUTCString(),
      'content-type': key.endsWith('.zip') ? 'application/zip' : 'binary/octet-stream',
    };
    const from = object && restFrom(request, object);
    if (object !== undefined && from !== undefined) {
      const range = `bytes ${from}-${object.bytes - 1}/${object.bytes}`;
      return send(response, 206, { ...headers, 'content-range': range }, object.body.subarray(from), fault);
    }
    return send(response, 200, headers ?? {}, object?.body ?? Buffer.alloc(0), fault, request.method === 'HEAD');
  }

  async function listing(url: URL, response: ServerResponse): Promise<void> {
    counts.list += 1;
    const fault = takeFault(LISTING);
    const asked = listingRequest(url.searchParams);
    const page = listingPage(archive.keys(), asked);
    // A page of objects nobody asked for yet takes seconds to make: other requests, and the client's timers, get their turn.
    for (const key of fault && 'status' in fault ? [] : page.keys) {
      archive.head(key);
      await setImmediate();
    }
    return send(response, 200, XML, Buffer.from(listingXml(archive, BUCKET, asked, page)), fault);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new LakehouseError('simulated-server', 'The simulated exchange has no port', { kind: 'internal' });
  }
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    listUrl: `${url}/${BUCKET}`,
    archive,
    get requests() {
      return counts;
    },
    resetRequests: () => {
      counts = none();
    },
    fail: (target, fault, times = 1) => {
      faults.set(target, { fault, times });
    },
    serveStale: (key) => {
      const object = stored(key);
      if (object === undefined)
        throw new LakehouseError('simulated-key', `There is no ${key} in the simulated archive`);
      stale.set(key, object);
    },
    serveFresh: (key) => {
      stale.delete(key);
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** From where on a GET wants the object, if it wants only its rest and that object; the one kind of range there is here. */
function restFrom(
  { method, headers: { range, 'if-range': only } }: IncomingMessage,
  object: Stored,
): number | undefined {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? Number.NaN);
  const isSame = only === undefined || only === `"${object.etag}"`;
  return method === 'GET' && isSame && from < object.bytes ? from : undefined;
}

const XML = { 'content-type': 'application/xml' };

async function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  fault?: Fault,
  headOnly = false,
): Promise<void> {
  if (fault && 'status' in fault) {
    const wait = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
    response.writeHead(fault.status, { ...XML, ...wait });
    response.end(headOnly ? undefined : (fault.body ?? errorXml('SimulatedFault', `Simulated ${fault.status}`)));
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': body.length });
  if (headOnly) {
    response.end();
  } else if (fault && 'delayMs' in fault) {
    response.flushHeaders();
    await setTimeout(fault.delayMs, undefined, { ref: false });
    response.end(body);
  } else if (fault) {
    response.write(body.subarray(0, fault.resetAfterBytes), () => response.socket?.resetAndDestroy());
  } else {
    response.end(body);
  }
}

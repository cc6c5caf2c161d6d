import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArchiveClient } from '../../assets/exchanges/binance/archive.ts';
import { httpArchive, retryAfterMs } from '../../assets/exchanges/binance/http.ts';
import { LISTING, type SimulatedExchange, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { collect } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);
const FOLDER = 'data/spot/daily/klines/BTCUSDT/1d/';
const KEY = `${FOLDER}BTCUSDT-1d-2023-01-05.zip`;

let exchange: SimulatedExchange;
let client: ArchiveClient;
beforeAll(async () => {
  exchange = await startSimulatedExchange({
    seed: 'http',
    listings: [{ market: 'spot', symbol: 'BTCUSDT', price: 30_000 }],
    intervals: ['1d'],
    from: '2022-01-01',
    to: '2023-06-30',
    monthlyPublished: false,
  });
  client = clientOf(exchange);
});
afterAll(() => exchange.close());

function clientOf({ url, listUrl }: { url: string; listUrl: string }, timeoutMs = 20_000): ArchiveClient {
  return httpArchive({ baseUrl: url, listUrl, timeoutMs, now: () => NOW });
}

/** What a rejected promise says, as the framework will see it. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    const { code, kind, retryAfterMs: wait } = error;
    return wait === undefined ? `${code} ${kind}` : `${code} ${kind} ${wait}`;
  }
  return 'success';
}

const listAll = async (from: ArchiveClient, prefix = FOLDER): Promise<string[]> =>
  (await collect(from.list(prefix))).map(({ key }) => key);

test('a listing of more than 1,000 keys comes in pages and is complete', async () => {
  exchange.resetRequests();
  const keys = exchange.archive.keys();
  expect(keys.length).toBe(2 * 546);
  expect(await listAll(client)).toEqual(keys);
  expect(exchange.requests).toMatchObject({ list: 2, get: 0, head: 0 });
  const after = keys[990] ?? '';
  const rest = await collect(client.list(FOLDER, { startAfter: after }));
  expect(rest.map(({ key }) => key)).toEqual(keys.slice(991));
  expect(exchange.requests.list).toBe(3);
});

test('versions are ETag and size', async () => {
  const [object] = await collect(client.list(KEY));
  const head = exchange.archive.head(KEY);
  expect(object).toEqual({
    key: KEY,
    bytes: head?.bytes,
    version: `${head?.etag}+${head?.bytes}`,
    modifiedMs: head?.modifiedMs,
  });
});

test('statuses of a GET', async () => {
  const outcomes: Record<string, unknown> = {};
  const faults = [
    '400',
    '401',
    '403',
    '404',
    '408',
    '418 120',
    '429 7',
    '429',
    '451',
    '500',
    '503 Thu, 01 Jan 2026 00:00:30 GMT',
    '502',
  ];
  for (const fault of faults) {
    const [status, ...wait] = fault.split(' ');
    exchange.fail(KEY, { status: Number(status), ...(wait.length > 0 && { retryAfter: wait.join(' ') }) });
    outcomes[fault] = await failure(client.get(KEY));
    expect(await failure(client.get(KEY))).toBe('success');
  }
  expect(outcomes).toEqual({
    400: 'archive-status usage',
    401: 'archive-forbidden usage',
    403: 'archive-forbidden usage',
    404: 'object-not-found transient',
    408: 'archive-unavailable transient',
    '418 120': 'archive-rate-limited transient 120000',
    '429 7': 'archive-rate-limited transient 7000',
    429: 'archive-rate-limited transient',
    451: 'archive-blocked usage',
    500: 'archive-unavailable transient',
    502: 'archive-unavailable transient',
    '503 Thu, 01 Jan 2026 00:00:30 GMT': 'archive-unavailable transient 30000',
  });
});

test('one attempt per get: retries are the caller’s', async () => {
  exchange.resetRequests();
  exchange.fail(KEY, { status: 500 });
  await failure(client.get(KEY));
  expect(exchange.requests.byKey.get(KEY)).toBe(1);
});

test('a listing is tried again by the SDK, three times', async () => {
  exchange.fail(LISTING, { status: 500 }, 2);
  expect((await listAll(client, KEY)).length).toBe(2);
  exchange.fail(LISTING, { status: 503 }, 3);
  expect(await failure(listAll(client))).toBe('archive-unavailable transient');
  exchange.fail(LISTING, { status: 403 });
  expect(await failure(client.listPrefixes(''))).toBe('archive-forbidden usage');
  expect((await listAll(client, KEY)).length).toBe(2);
});

test('a second page that fails fails the listing: what came before is not taken for all', async () => {
  const seen: string[] = [];
  const run = async (): Promise<void> => {
    for await (const { key } of client.list(FOLDER)) {
      if (seen.push(key) === 1) exchange.fail(LISTING, { status: 403 });
    }
  };
  expect(await failure(run())).toBe('archive-forbidden usage');
  expect(seen.length).toBe(1000);
});

test('a body that breaks off, comes too late, or never comes', async () => {
  exchange.fail(KEY, { resetAfterBytes: 50 });
  expect(await failure(client.get(KEY))).toBe('archive-truncated transient');
  exchange.fail(LISTING, { resetAfterBytes: 400 }, 3);
  expect(await failure(listAll(client))).toMatch(/^archive-(truncated|unreachable) transient$/);
  const hasty = clientOf(exchange, 300);
  exchange.fail(KEY, { delayMs: 60_000 });
  expect(await failure(hasty.get(KEY))).toBe('archive-timeout transient');
  exchange.fail(LISTING, { delayMs: 60_000 });
  expect(await failure(listAll(hasty))).toBe('archive-timeout transient');
});

test('aborting while a body is on its way gives the signal’s reason', async () => {
  const controller = new AbortController();
  exchange.fail(KEY, { delayMs: 60_000 });
  const getting = client.get(KEY, { signal: controller.signal });
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(getting).rejects.toBe(reason);
});

test('case 10: the listing shows the new version, the body is the old one, and get says so', async () => {
  const [before] = await collect(client.list(KEY));
  exchange.serveStale(KEY);
  exchange.archive.republish(KEY, { sameRowsOtherBytes: true });
  const [listed] = await collect(client.list(KEY));
  expect(listed?.version).not.toBe(before?.version);
  expect((await client.get(KEY)).version).toBe(before?.version);
  exchange.serveFresh(KEY);
  expect((await client.get(KEY)).version).toBe(listed?.version);
});

test('an object removed after it was listed', async () => {
  const key = KEY.replace('01-05', '01-09');
  exchange.archive.remove(key);
  expect(await failure(client.get(key))).toBe('object-not-found transient');
  exchange.archive.restore(key);
  expect(await failure(client.get(key))).toBe('success');
});

test('nobody listens; no such bucket; URLs that cannot be', async () => {
  const nobody = clientOf({ url: 'http://127.0.0.1:9', listUrl: 'http://127.0.0.1:9/bucket' });
  expect(await failure(nobody.get(KEY))).toBe('archive-unreachable transient');
  expect(await failure(listAll(nobody))).toBe('archive-unreachable transient');
  const otherBucket = clientOf({ url: exchange.url, listUrl: `${exchange.url}/other.bucket` });
  expect(await failure(listAll(otherBucket))).toBe('archive-bucket usage');
  for (const listUrl of ['ftp://x/y', 'nonsense', exchange.url, `${exchange.url}/b?x=1`]) {
    expect(() => clientOf({ url: exchange.url, listUrl })).toThrow(/listUrl/);
  }
});

test('answers that other servers give', async () => {
  const answers: Record<string, { headers: Record<string, string>; body: string }> = {
    '/weak': { headers: { etag: 'W/"abc"' }, body: '12345' },
    '/none': { headers: {}, body: '12345' },
    '/a%20b%2Bc/d%3F': { headers: { etag: '"plain"' }, body: '' },
  };
  const server: Server = createServer((request, response) => {
    const { headers, body } = answers[request.url ?? ''] ?? { headers: {}, body: '' };
    response.writeHead(body === '' && !headers.etag ? 404 : 200, headers).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const other = clientOf({ url: `${url}/`, listUrl: `${url}/bucket/` });
  expect(other.describe).toBe(url);
  expect((await other.get('weak')).version).toBe('abc+5');
  expect((await other.get('a b+c/d?')).version).toBe('plain+0');
  expect(await failure(other.get('none'))).toBe('archive-without-etag transient');
  server.close();
  server.closeAllConnections();
});

test('Retry-After: seconds, a date, a date that has passed, nonsense', () => {
  expect(
    ['7', ' 0 ', 'Thu, 01 Jan 2026 00:01:00 GMT', 'Wed, 31 Dec 2025 23:00:00 GMT', 'soon', '', null].map((h) =>
      retryAfterMs(h, NOW),
    ),
  ).toEqual([7000, 0, 60_000, 0, undefined, undefined, undefined]);
});

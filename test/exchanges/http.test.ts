import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { ArchiveClient } from '../../assets/exchanges/binance/archive.ts';
import { retryAfterMs } from '../../assets/exchanges/binance/failures.ts';
import { httpArchive } from '../../assets/exchanges/binance/http.ts';
import { listingPage, listingRequest, listingXml } from '../../assets/exchanges/simulated/listing.ts';
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

/** A bucket that answers like this, and what it is asked for. */
async function bucketThat(answer: (query: URLSearchParams) => string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    asked.push(searchParams.get('marker') ?? `version ${searchParams.get('list-type')}`);
    response.writeHead(200, { 'content-type': 'application/xml' }).end(answer(searchParams));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, client: clientOf({ url, listUrl: `${url}/bucket` }) };
}

test('trap 23: a bucket that knows the first version of the protocol only goes on by markers', async () => {
  const keys = exchange.archive.keys();
  const { asked, client } = await bucketThat((query) => {
    for (const name of ['list-type', 'start-after', 'continuation-token']) query.delete(name);
    const request = listingRequest(query);
    return listingXml(exchange.archive, 'bucket', request, listingPage(keys, request));
  });
  expect(await listAll(client)).toEqual(keys);
  // A marker is any key, also that of a CHECKSUM.
  expect(asked).toEqual(['version 2', keys[999]]);
  const after = keys[990] ?? '';
  const rest = await collect(client.list(FOLDER, { startAfter: after }));
  expect(rest.map(({ key }) => key)).toEqual(keys.slice(991));
  expect(asked.slice(2)).toEqual(['version 2', after]);
  expect(await client.listPrefixes('data/')).toEqual(await clientOf(exchange).listPrefixes('data/'));
  expect(await listAll(client, 'data/none/')).toEqual([]);
});

const CAPTURED = '../shared/data/rest/binance-s3';
const noCaptured = !existsSync(CAPTURED);
test.skipIf(noCaptured)(
  `trap 23: a page of the real bucket, of the first version, and an unknown prefix${noCaptured ? ' (skipped: no captured answers at ../shared/data)' : ''}`,
  async () => {
    const [page, empty] = ['algo-one-daily-page1.xml', 'algo-one-empty.xml'].map((name) =>
      readFileSync(`${CAPTURED}/${name}`, 'utf8'),
    );
    const { asked, client } = await bucketThat((query) => (query.has('marker') ? empty : page) ?? '');
    const folder = 'data/spot/daily/klines/BTCUSDT/1m/';
    const listed = await collect(client.list(folder));
    expect(listed.map(({ key }) => key)).toEqual(
      ['17', '18', '19', '20', '21', '22'].flatMap((day) =>
        ['', '.CHECKSUM'].map((end) => `${folder}BTCUSDT-1m-2017-08-${day}.zip${end}`),
      ),
    );
    expect(listed[0]).toEqual({
      key: `${folder}BTCUSDT-1m-2017-08-17.zip`,
      bytes: 29_761,
      version: '014a8d177da3bf9839c293f341804d26+29761',
      modifiedMs: Date.UTC(2023, 6, 18, 4, 11, 20),
    });
    expect(asked).toEqual(['version 2', `${folder}BTCUSDT-1m-2017-08-22.zip.CHECKSUM`]);
  },
);

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
  exchange.resetRequests();
  exchange.fail(KEY, { resetAfterBytes: 50 });
  expect(await client.get(KEY)).toEqual(await client.get(KEY));
  expect(exchange.requests.byKey.get(KEY)).toBe(3); // one for the rest
  exchange.fail(KEY, { resetAfterBytes: 0 });
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
  exchange.resetRequests();
  const getting = client.get(KEY, { signal: controller.signal });
  const reason = new Error('stop');
  await vi.waitUntil(() => exchange.requests.get === 1);
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

test('trap 24: an object removed after it was listed is a 404, and may come back', async () => {
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

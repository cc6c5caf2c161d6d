import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { httpArchive } from '../../assets/exchanges/binance/http.ts';
import { isLakehouseError } from '../../framework/common/errors.ts';

const OBJECT = randomBytes(1_000_000);
const ETAG = '"v1"';

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body of which a part is sent. */
  readonly body?: Buffer;
  /** Bytes of the body that are sent before the connection is closed. All, when not given. */
  readonly bytes?: number;
  /** It is not closed either. */
  readonly silent?: boolean;
}

function send(response: ServerResponse, { status = 200, headers, body = OBJECT, bytes, silent = false }: Answer): void {
  response.writeHead(status, { etag: ETAG, 'content-length': body.length, ...headers });
  if (bytes === undefined) response.end(body);
  else {
    response.write(body.subarray(0, bytes));
    // A reset could overtake what was sent before.
    if (!silent) response.socket?.end();
  }
}

/** The rest, as a server that knows ranges answers. */
function rest(from: number, more: Answer = {}): Answer {
  const range = `bytes ${from}-${OBJECT.length - 1}/${OBJECT.length}`;
  return { status: 206, body: OBJECT.subarray(from), ...more, headers: { 'content-range': range, ...more.headers } };
}

/** What a get gives where the server answers so, one request after the other, and what it asks for. */
async function got(answers: readonly Answer[], timeoutMs = 20_000) {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const answer = answers[asked.push(request.headers) - 1];
    if (answer) send(response, answer);
    else response.writeHead(500).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = httpArchive({ baseUrl: url, listUrl: `${url}/bucket`, timeoutMs, now: () => 0 });
  const result = await client.get('a.zip').then(
    ({ bytes, version, sha256 }) => ({ same: OBJECT.equals(bytes), version, sha256 }),
    (error: unknown) => (isLakehouseError(error) ? `${error.code} ${error.kind}: ${error.message}` : error),
  );
  return { result, asked: asked.map(({ range, 'if-range': only }) => (range ? `${range} of ${only}` : 'all')) };
}

const whole = {
  same: true,
  version: 'v1+1000000',
  sha256: createHash('sha256').update(OBJECT).digest('hex'),
};

test('a body that breaks off is continued where it stopped, and hashed as a whole', async () => {
  expect(await got([{}])).toEqual({ result: whole, asked: ['all'] });
  expect(await got([{ bytes: 400_000 }, rest(400_000, { bytes: 1000 }), rest(401_000)])).toEqual({
    result: whole,
    asked: ['all', 'bytes=400000- of "v1"', 'bytes=401000- of "v1"'],
  });
});

test('it is continued as often as a request brings something worth it, and three times besides', async () => {
  const four = (each: number): Answer[] =>
    Array.from({ length: 4 }, (_, i) => (i === 0 ? { bytes: each } : rest(i * each, { bytes: each })));
  expect((await got([...four(240_000), rest(960_000)])).result).toMatch(
    /^archive-truncated transient: .* broke off after 960000 of 1000000 bytes/,
  );
  expect((await got([...four(249_000).slice(0, 3), rest(747_000)])).result).toEqual(whole);
  const rich = [{ bytes: 300_000 }, rest(300_000, { bytes: 300_000 }), rest(600_000, { bytes: 300_000 })];
  const poor = [900_000, 901_000, 902_000].map((from) => rest(from, { bytes: 1000 }));
  expect((await got([...rich, ...poor, rest(903_000)])).result).toEqual(whole);
});

test('a body that is slow is continued when its time is up; one that hardly comes is given up', async () => {
  expect(await got([{ bytes: 300_000, silent: true }, rest(300_000)], 400)).toEqual({
    result: whole,
    asked: ['all', 'bytes=300000- of "v1"'],
  });
  const { result, asked } = await got([{ bytes: 3000, silent: true }, rest(3000)], 400);
  expect(result).toMatch(/^archive-timeout transient/);
  expect(asked).toEqual(['all']);
});

test('what cannot be continued for certain is an error that may pass', async () => {
  const broken = { bytes: 400_000 };
  const weak = { bytes: 400_000, headers: { etag: 'W/"v1"' } };
  const outcomes: Record<string, unknown> = {};
  const cases: Record<string, readonly Answer[]> = {
    'a weak ETag': [weak, rest(400_000)],
    'no ranges here': [broken, {}],
    'another object by now': [broken, { headers: { etag: '"v2"' } }],
    'the rest of another object': [broken, rest(400_000, { headers: { etag: '"v2"' } })],
    'another part': [broken, rest(500_000)],
    'it is gone': [broken, { status: 404, body: Buffer.alloc(0) }],
    'the server is down': [broken, { status: 503, body: Buffer.alloc(0) }],
  };
  for (const [name, answers] of Object.entries(cases)) {
    const { result, asked } = await got(answers);
    outcomes[name] = `${String(result).split(':')[0]} after ${asked.length}`;
  }
  expect(outcomes).toEqual({
    'a weak ETag': 'archive-truncated transient after 1',
    'no ranges here': 'archive-truncated transient after 2',
    'another object by now': 'archive-truncated transient after 2',
    'the rest of another object': 'archive-truncated transient after 2',
    'another part': 'archive-truncated transient after 2',
    'it is gone': 'object-not-found transient after 2',
    'the server is down': 'archive-unavailable transient after 2',
  });
});

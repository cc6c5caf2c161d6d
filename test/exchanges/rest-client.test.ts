import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { LakehouseError } from 'crypto-lakehouse';
import { describe, expect, onTestFinished, test } from 'vitest';
import { captured, clientOf, clockAt, noCaptured, perMinute, type Reply, serve, skipped } from './rest-support.ts';

const START = Date.UTC(2022, 7, 9, 12, 0, 30);
const ask = { path: '/api/v3/klines', query: { symbol: 'BTCUSDT', limit: 5 }, weight: 2 };

const failure = (promise: Promise<unknown>): Promise<LakehouseError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => (error instanceof LakehouseError ? error : Promise.reject(error)),
  );

async function refusedBy(reply: Reply): Promise<LakehouseError> {
  const { url } = await serve(() => reply);
  return failure(clientOf(url, clockAt(START), { timeoutMs: 200 }).get(ask));
}

test('an answer as received, and what it says; requests and weight are counted', async () => {
  const { url, asked } = await serve(() => ({ body: '[[1.10, "2"]]\n' }));
  const client = clientOf(`${url}/`, clockAt(START));
  const { bytes, json } = await client.get(ask);
  expect([new TextDecoder().decode(bytes), json]).toEqual(['[[1.10, "2"]]\n', [[1.1, '2']]]);
  expect(asked).toEqual(['/api/v3/klines?symbol=BTCUSDT&limit=5']);
  expect(client.sent).toEqual({ requests: 1, weight: 2 });
});

describe('limits', () => {
  test('429 with Retry-After: waits, then goes on, and so does everybody else', async () => {
    const { url, asked } = await serve((_, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': '7' } } : {}));
    const clock = clockAt(START);
    const client = clientOf(url, clock, { concurrency: 1 });
    await Promise.all([client.get(ask), client.get({ ...ask, path: '/other' })]);
    expect(clock.waits).toEqual([7000]);
    expect(asked).toEqual([
      '/api/v3/klines?symbol=BTCUSDT&limit=5',
      '/api/v3/klines?symbol=BTCUSDT&limit=5',
      '/other?symbol=BTCUSDT&limit=5',
    ]);
  });

  test('429 without it: waits for the next minute; told so three times, the caller is', async () => {
    const { url, asked } = await serve(() => ({ status: 429 }));
    const clock = clockAt(START);
    const error = await failure(clientOf(url, clock).get(ask));
    expect([error.code, error.kind, clock.waits, asked.length]).toEqual([
      'rest-rate-limited',
      'transient',
      [30_000, 60_000],
      3,
    ]);
  });

  test('418: nothing more is sent to that host until the ban ends', async () => {
    let refuse = true;
    const { url, asked } = await serve(() => (refuse ? { status: 418, headers: { 'retry-after': '120' } } : {}));
    const clock = clockAt(START);
    const client = clientOf(url, clock);
    const until = 'has banned this address until 2022-08-09T12:02:30.000Z';
    expect(await failure(client.get(ask))).toMatchObject({
      ...{ code: 'rest-banned', kind: 'transient', retryAfterMs: 120_000 },
      message: expect.stringContaining(until),
    });
    clock.ms += 60_000;
    expect((await failure(client.get(ask))).retryAfterMs).toBe(60_000);
    expect(asked.length).toBe(1);
    refuse = false;
    clock.ms += 60_000;
    await client.get(ask);
    expect([asked.length, clock.waits]).toEqual([2, []]);
  });

  test('the used weight in the answers slows down', async () => {
    const { url } = await serve(() => ({ headers: { 'X-MBX-USED-WEIGHT-1M': '89' } }));
    const clock = clockAt(START);
    const client = clientOf(url, clock, { limits: perMinute(100) });
    await client.get(ask);
    await client.get(ask);
    expect(clock.waits).toEqual([30_000]);
  });

  test('no more at once than allowed', async () => {
    let most = 0;
    let open = 0;
    const server = createServer((_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.end('[]');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = clientOf(`http://127.0.0.1:${port}`, clockAt(START), { concurrency: 3 });
    await Promise.all(Array.from({ length: 20 }, () => client.get(ask)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('refusals', () => {
  const msg = (code: number, text: string) => JSON.stringify({ code, msg: text });
  test.each<[string, Reply, { code: string; kind: string; retryAfterMs?: number }, string]>([
    ['451', { status: 451, body: msg(0, 'Restricted') }, { code: 'rest-blocked', kind: 'usage' }, '451 (Restricted)'],
    ['403', { status: 403, body: '<html>' }, { code: 'rest-forbidden', kind: 'usage' }, 'answered 403'],
    [
      '-1121',
      { status: 400, body: msg(-1121, 'Invalid symbol.') },
      { code: 'rest-unknown-symbol', kind: 'data' },
      '-1121: Invalid symbol.',
    ],
    ['-4088', { status: 400, body: msg(-4088, 'Maximum …') }, { code: 'rest-range', kind: 'internal' }, '-4088'],
    [
      '-1120',
      { status: 400, body: msg(-1120, 'Invalid interval.') },
      { code: 'rest-status', kind: 'usage' },
      'Invalid interval.',
    ],
    [
      '503',
      { status: 503, headers: { 'retry-after': '3' } },
      { code: 'rest-unavailable', kind: 'transient', retryAfterMs: 3000 },
      'answered 503',
    ],
    [
      'a body that breaks off',
      { body: '[[1,2],[3,4]]', cutAt: 5 },
      { code: 'rest-truncated', kind: 'transient' },
      'broke off',
    ],
    [
      'half a JSON',
      { body: '[[1,2],[3,' },
      { code: 'rest-truncated', kind: 'transient' },
      'is not JSON, or not all of it',
    ],
    [
      'a page in between',
      { body: '<html>sign in</html>' },
      { code: 'rest-truncated', kind: 'transient' },
      'is not JSON',
    ],
    ['no answer', { silent: true }, { code: 'rest-timeout', kind: 'transient' }, 'within 200 ms'],
  ])('%s', async (_, reply, expected, text) => {
    const error = await refusedBy(reply);
    expect(error).toMatchObject({ ...expected, message: expect.stringContaining(text) });
    expect(error.message).toContain('/api/v3/klines?symbol=BTCUSDT&limit=5');
    if (error.kind === 'usage') expect(error.hint).toMatch(/exchanges\.binance\.rest\./);
  });

  test('nobody there', async () => {
    const error = await failure(clientOf('http://127.0.0.1:9', clockAt(START)).get(ask));
    expect([error.code, error.kind]).toEqual(['rest-unreachable', 'transient']);
  });

  test('cancelled while the answer is awaited: the reason is what is thrown', async () => {
    const controller = new AbortController();
    const { url } = await serve(() => {
      controller.abort(new Error('enough'));
      return { silent: true };
    });
    await expect(clientOf(url, clockAt(START)).get({ ...ask, signal: controller.signal })).rejects.toThrow('enough');
  });
});

test('a proxy is what the environment says', async () => {
  const { url } = await serve(() => ({ body: '["through the proxy"]' }));
  const { port } = new URL(url);
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, client, head: Buffer) => {
    tunnels.push(request.url ?? '');
    const upstream = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    client.on('error', () => upstream.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  const at = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const script = `fetch('http://exchange.invalid/api').then(async (r) => console.log(await r.text()), (e) => console.log(String(e.cause)))`;
  const child = spawn(process.execPath, ['-e', script], {
    env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: at, HTTPS_PROXY: at },
  });
  const out = await child.stdout.setEncoding('utf8').toArray();
  expect([out.join('').trim(), tunnels]).toEqual(['["through the proxy"]', ['exchange.invalid:80']]);
});

describe.skipIf(noCaptured)(`refusals as the exchange worded them${skipped}`, () => {
  test('trap 28: 418 and 429 carry -1003, 451 carries 0; the ban ends when its text says', async () => {
    const clock = clockAt(Date.UTC(2022, 7, 10));
    const banned = await serve(() => ({ status: 418, body: captured('errors/418-code-1003.json') }));
    const client = clientOf(banned.url, clock);
    expect((await failure(client.get(ask))).message).toContain('until 2022-08-10T00:13:43.228Z');
    expect((await failure(client.get(ask))).retryAfterMs).toBe(823_228);
    expect(banned.asked.length).toBe(1);
    const limited = await refusedBy({ status: 429, body: captured('errors/429-code-1003-tail-reconstructed.json') });
    expect(limited.message).toContain('-1003: Too much request weight used');
    expect((await refusedBy({ status: 451, body: captured('errors/451-code-0-geo.json') })).message).toContain(
      "451 (Service unavailable from a restricted location according to 'b. Eligibility'",
    );
  });

  test('trap 27: more than 200 days of COIN-M, a symbol that is gone', async () => {
    const range = await refusedBy({ status: 400, body: captured('cm-klines-error-4088-over-200-days.json') });
    expect([range.code, range.message.includes('Maximum time interval is 200 days.')]).toEqual(['rest-range', true]);
    const gone = await refusedBy({ status: 400, body: captured('um-ticker24hr-error-1121-invalid-symbol.json') });
    expect(gone.code).toBe('rest-unknown-symbol');
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { coinbaseResource } from '../../assets/exchanges/coinbase/resource.ts';
import { krakenResource } from '../../assets/exchanges/kraken/resource.ts';
import { type Answer, startAnswers } from './answers.ts';

const settings = {
  enabled: true,
  symbols: ['*'],
  intervals: ['1h'],
  days: 1,
  timeoutMs: 10_000,
  requestsPerSecond: 1000,
};
const call = () => ({ signal: new AbortController().signal, now: () => Date.parse('2024-01-01T00:00Z') });

test.each<[string, Answer, object]>([
  [
    'too many requests, with the time to wait',
    { status: 429, body: '{"message":"Public rate limit exceeded"}', headers: { 'retry-after': '7' } },
    {
      code: 'rest-rate-limited',
      kind: 'transient',
      retryAfterMs: 7000,
      message: expect.stringMatching(/^\/products\?a=1: 127\.0\.0\.1:\d+ answered 429 \(Public rate limit exceeded\)$/),
      hint: 'Ask less often: exchanges.coinbase.requestsPerSecond.',
    },
  ],
  ['a page of an error', { status: 503, body: '<html>' }, { code: 'rest-unavailable', kind: 'transient' }],
  ['not served here', { status: 451, body: '' }, { code: 'rest-blocked', kind: 'usage' }],
  ['no such product', { status: 404, body: '{"message":"NotFound"}' }, { code: 'rest-refused', kind: 'data' }],
  ["a proxy's page", '<html>welcome</html>', { code: 'rest-truncated', kind: 'transient' }],
  ['half a list', '[[1704067200,1,2', { code: 'rest-truncated', kind: 'transient' }],
  ['a connection that ends in the middle', { cutAfter: '[[17' }, { code: 'rest-unreachable', kind: 'transient' }],
])('Coinbase: %s', async (_, answer, error) => {
  const { url } = await startAnswers(() => answer);
  const { client } = coinbaseResource({ ...settings, baseUrl: `${url}/` });
  await expect(client.get('/products', { ...call(), query: { a: 1 } })).rejects.toMatchObject(error);
});

test.each([
  ['EAPI:Rate limit exceeded', 'rest-rate-limited', 'transient'],
  ['EGeneral:Temporary lockout', 'rest-rate-limited', 'transient'],
  ['EService:Unavailable', 'rest-unavailable', 'transient'],
  ['EGeneral:Internal error', 'rest-unavailable', 'transient'],
  ['EGeneral:Invalid arguments', 'rest-refused', 'data'],
])('Kraken: %s', async (said, code, kind) => {
  const { url } = await startAnswers(() => JSON.stringify({ error: [said], result: {} }));
  const { client } = krakenResource({ ...settings, baseUrl: url });
  await expect(client.get('/0/public/OHLC', call())).rejects.toMatchObject({ code, kind });
});

test('nobody there', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const { client } = coinbaseResource({ ...settings, baseUrl: `http://127.0.0.1:${port}` });
  await expect(client.get('/products', call())).rejects.toMatchObject({ code: 'rest-unreachable', kind: 'transient' });
});

test('whoever is told to stop does not wait for a turn', async () => {
  const { url, requests } = await startAnswers(() => '[]');
  const { client } = coinbaseResource({ ...settings, baseUrl: url, requestsPerSecond: 1 });
  const stop = new AbortController();
  const first = client.get('/first', call());
  const second = client.get('/second', { ...call(), signal: stop.signal });
  stop.abort(new Error('stopped'));
  await expect(second).rejects.toThrow('stopped');
  expect((await first).json).toEqual([]);
  expect(requests).toEqual(['/first']);
});

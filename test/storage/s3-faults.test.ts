import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { describeS3, type Intercepted, type PassedRequest, refuse, type S3Proxy, s3Proxy } from '../support/s3.ts';
import { keysOf, sha, text } from './contract.ts';
import { type OpenOptions, type S3StoreUnderTest, storeOn } from './s3-support.ts';

type Intercept = (request: PassedRequest, response: ServerResponse) => Intercepted;

const isSmall = ({ method, url }: PassedRequest) => method === 'PUT' && !url.includes('uploadId');
const isPart = ({ url }: PassedRequest) => url.includes('partNumber=1');
const isCompletion = ({ method, url }: PassedRequest) => method === 'POST' && url.includes('uploadId');

/** By the real clock, also where the tests set another one. */
const NOW = Date.now;

/** What may become of a request on its way. */
const WAYS: Readonly<Record<string, Intercept>> = {
  before: (_, response) => response.destroy() !== undefined,
  midway: (_, response) => {
    response.req.once('data', () => response.destroy());
    return false;
  },
  after: () => 'drop',
  'without an answer': () => true,
};

describeS3('an S3 store on a bad line', (server) => {
  let under: S3StoreUnderTest;
  let proxy: S3Proxy;
  let intercept: Intercept = () => false;
  beforeEach(async () => {
    intercept = () => false;
    under = await storeOn(server());
    proxy = await s3Proxy(server().endpoint, (request, response) => intercept(request, response));
  });
  afterEach(async () => {
    vi.useRealTimers();
    await proxy.stop();
    await under.dispose();
  });

  const open = ({ connection, ...options }: OpenOptions = {}) =>
    under.open({ connection: { endpoint: proxy.endpoint, ...connection }, ...options });
  const stages = () => readdir(join(under.directory, 'staging'));
  const uploads = async (key: string) =>
    (await server().client.listMultipartUploads({ Bucket: server().bucket, Prefix: `${under.prefix}/${key}` })).Uploads
      ?.length ?? 0;

  const LARGE = randomBytes(6 * 1024 * 1024);
  const objects = [
    ['an object', isSmall, text('0123456789'.repeat(20_000)), Object.keys(WAYS)],
    ['a part', isPart, LARGE, ['midway', 'without an answer']],
    ['the end of an upload in parts', isCompletion, LARGE, ['before', 'after', 'without an answer']],
  ] as const;
  it.each(
    objects.flatMap(([what, isIt, bytes, ways]) =>
      (['auto', 'off'] as const).flatMap((conditionalWrites) =>
        ways
          .filter((way) => conditionalWrites === 'auto' || way === 'after')
          .map((way) => ({ what, way, conditionalWrites, isIt, bytes })),
      ),
    ),
  )('that breaks off $way, for $what ($conditionalWrites), makes it once and whole', async (one) => {
    let faults = 0;
    intercept = (request, response) => {
      if (!one.isIt(request) || faults > 0) return false;
      faults += 1;
      return WAYS[one.way]?.(request, response) ?? false;
    };
    const store = open({
      conditionalWrites: one.conditionalWrites,
      connection: { timeouts: { connectMs: 2000, requestMs: one.way === 'without an answer' ? 300 : 10_000 } },
    });
    expect(await store.put('a', one.bytes)).toMatchObject({ key: 'a', bytes: one.bytes.length });
    expect(faults).toBe(1);
    expect(sha(await under.store.read('a'))).toBe(sha(one.bytes));
    expect([await keysOf(under.store), await stages(), await uploads('a')]).toEqual([['a'], [], 0]);
    await expect(store.put('a', one.bytes)).rejects.toMatchObject({ code: 'object-exists' });
  });

  it('or is asked to slow down, again and again, does all in the end', async () => {
    let refusals = 0;
    intercept = (_, response) => {
      refusals += 1;
      return refusals <= 3 && refuse(response, 503, 'SlowDown');
    };
    const store = open({ connection: { maxAttempts: 5 } });
    const staged = await Promise.all(['a', 'b'].map((key) => store.stage(key)));
    await Promise.all(staged.map((one) => one.write(text(one.key))));
    expect((await store.commitAll(staged)).map(({ key }) => key)).toEqual(['a', 'b']);
    expect([await keysOf(under.store), await stages()]).toEqual([['a', 'b'], []]);
  });

  it('goes by the clock of the store where its own is wrong', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * 3_600_000 });
    const store = open();
    await store.put('a', text('mine'));
    expect(Buffer.from(await store.read('a')).toString()).toBe('mine');
    const isOff = proxy.requests.map(({ headers }) => Math.abs(signedMs(headers['x-amz-date']) - NOW()) > 3_600_000);
    expect(isOff).toEqual([true, ...isOff.slice(1).fill(false)]);
  });

  it('says so where the clocks do not come together', async () => {
    intercept = (_, response) => refuse(response, 403, 'RequestTimeTooSkewed', 'The difference is too large.');
    const error = open().put('a', text('x'));
    await expect(error).rejects.toMatchObject({
      code: 'clock-skew',
      kind: 'usage',
      hint: expect.stringContaining('clock'),
    });
    expect(proxy.requests.length).toBeLessThanOrEqual(6);
    expect(await stages()).toEqual([]);
  });
});

/** Of `20240101T120000Z`. */
function signedMs(signed: string | string[] | undefined): number {
  const [, y, mo, d, h, mi, sec] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(String(signed)) ?? [];
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${sec}Z`);
}

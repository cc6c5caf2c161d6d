import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isLakehouseError, serializeError } from '../../framework/common/errors.ts';
import { s3Store } from '../../framework/storage/s3.ts';
import { type S3ConnectionOptions, s3Connection } from '../../framework/storage/s3-client.ts';
import { describeS3, type PassedRequest, refuse, type S3Proxy, s3Proxy } from '../support/s3.ts';
import { keysOf, text } from './contract.ts';
import { connectionTo } from './s3-support.ts';

const ACCESS_KEY = 'AKIAHUNTERHUNTER0001';
const SECRET = 'hunter2/secret+key';
const TOKEN = 'session/hunter3/token==';

let directory: string;
let server: S3Proxy | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-s3-errors-'));
});
afterEach(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

it('asks those who give credentials once more when they refuse, not for ever', async () => {
  let asked = 0;
  const sts = createServer((request, response) => {
    asked += 1;
    request.resume();
    refuse(response, 403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }).listen(0, '127.0.0.1');
  await once(sts, 'listening');
  onTestFinished(() => void sts.close());
  const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  await writeFile(join(directory, 'token'), 'web identity');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'none'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'none'));
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(directory, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/lake');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', endpoint);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const timeouts = { connectMs: 2000, requestMs: 2000 };
  const connection = s3Connection({
    bucket: 'b',
    endpoint,
    checksums: 'supported',
    maxAttempts: 1,
    timeouts,
    parallel: 2,
  });
  await expect(storeBy(connection).head('x')).rejects.toMatchObject({ code: 'access-denied', kind: 'usage' });
  await expect(connection.credentials()).rejects.toMatchObject({ code: 'access-denied' });
  expect(asked).toBeLessThan(8);
});

const storeBy = (connection: ReturnType<typeof s3Connection>) =>
  s3Store({
    connection,
    prefix: 'lakes/one',
    encryption: { type: 'none' },
    conditionalWrites: 'auto',
    multipart: { thresholdMb: 5, partMb: 5 },
    parallel: 4,
    staging: join(directory, 'staging'),
    cache: { directory: join(directory, 'cache'), maxBytes: 1000 },
    now: () => 0,
    id: () => 'token',
  });

const connectTo = (endpoint: string, options: Partial<S3ConnectionOptions> = {}) =>
  s3Connection({
    bucket: 'lake',
    region: 'us-east-1',
    endpoint,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: SECRET,
    sessionToken: TOKEN,
    checksums: 'supported',
    maxAttempts: 1,
    timeouts: { connectMs: 500, requestMs: 500 },
    parallel: 4,
    ...options,
  });

/** A store at a server that answers everything so. */
async function answering(
  answer: (request: PassedRequest, response: ServerResponse) => true,
  options: Partial<S3ConnectionOptions> = {},
) {
  server = await s3Proxy('http://127.0.0.1:1', answer);
  return storeBy(connectTo(server.endpoint, options));
}

async function failureOf(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isLakehouseError(error)) throw new Error(`Expected a LakehouseError, got ${inspect(error)}`);
  return error;
}

describe('what an S3 store answers', () => {
  it.each([
    [404, 'NoSuchBucket', 'no-such-bucket', 'usage'],
    [403, 'AccessDenied', 'access-denied', 'usage'],
    [400, 'ExpiredToken', 'credentials-expired', 'usage'],
    [403, 'InvalidAccessKeyId', 'credentials-refused', 'usage'],
    [403, 'SignatureDoesNotMatch', 'credentials-refused', 'usage'],
    [301, 'PermanentRedirect', 'wrong-region', 'usage'],
    [400, 'AuthorizationHeaderMalformed', 'wrong-region', 'usage'],
    [403, 'RequestTimeTooSkewed', 'clock-skew', 'usage'],
    [503, 'SlowDown', 'store-busy', 'transient'],
    [503, 'ServiceUnavailable', 'store-busy', 'transient'],
    [429, 'TooManyRequests', 'store-busy', 'transient'],
    [500, 'InternalError', 'store-failed', 'transient'],
    [507, 'XMinioStorageFull', 'store-full', 'transient'],
    [400, 'KMS.NotFoundException', 'encryption-refused', 'usage'],
    [403, 'InvalidObjectState', 'object-archived', 'usage'],
    [400, 'InvalidStorageClass', 'store-refused', 'usage'],
  ])('%i %s is %s (%s), for each way to ask', async (status, name, code, kind) => {
    const store = await answering((_, response) => refuse(response, status, name));
    const ways = {
      put: () => store.put('a', text('x')),
      overwrite: () => store.overwrite('a', text('x')),
      read: () => store.read('a'),
      stream: () => store.createReadStream('a'),
      head: () => store.head('a'),
      list: () => keysOf(store),
      delete: () => store.delete('a'),
      path: () => store.reading().path({ key: 'a' }),
      sweep: () => store.sweepStaging(0, 1),
    };
    // Who was asked to slow down does so from then on, for seconds.
    for (const [way, ask] of Object.entries(ways).slice(0, code === 'store-busy' ? 1 : undefined)) {
      const error = await failureOf(ask());
      expect([way, error.code, error.kind]).toEqual([way, code, kind]);
      expect(error.message).toMatch(
        new RegExp(`^Cannot (?:read|write|list|delete) s3://lake/lakes/one/a?: .* \\((?:${name}|${status})\\)$`),
      );
      expect(error.hint).toMatch(/\w/);
    }
  });

  it('names the right that is lacking, the bucket, the key and the request', async () => {
    const store = await answering((_, response) => refuse(response, 403, 'AccessDenied', 'Access Denied.'));
    const lacking = await Promise.all(
      [store.put('a/b', text('x')), store.read('a/b'), keysOf(store), store.sweepStaging(0, 1)].map(failureOf),
    );
    expect(lacking.map(({ hint }) => hint?.replace(/;.*/, ''))).toEqual([
      'Allow these credentials s3:PutObject on arn:aws:s3:::lake/lakes/one/a/b',
      'Allow these credentials s3:GetObject on arn:aws:s3:::lake/lakes/one/a/b',
      'Allow these credentials s3:ListBucket on arn:aws:s3:::lake',
      'Allow these credentials s3:ListBucketMultipartUploads on arn:aws:s3:::lake',
    ]);
    expect(lacking[0]?.details).toEqual({
      bucket: 'lake',
      key: 'lakes/one/a/b',
      action: 'write',
      error: 'AccessDenied',
      status: 403,
      requestId: 'TESTREQUEST',
    });
  });

  it('says the region that the store names', async () => {
    const message = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    const store = await answering((_, response) => refuse(response, 400, 'AuthorizationHeaderMalformed', message));
    const error = await failureOf(store.read('a'));
    expect(error.message).toContain('the bucket is in the region eu-west-1');
    expect(error.hint).toContain('Set s3.region=eu-west-1');
  });

  it('is tried again while it asks to slow down, with pauses', async () => {
    let refusals = 0;
    const store = await answering(
      ({ method }, response) => {
        refusals += 1;
        if (refusals < 2) return refuse(response, 503, 'SlowDown');
        response.writeHead(method === 'GET' ? 200 : 404, { 'content-length': 2 });
        return response.end('ok') !== undefined || true;
      },
      { maxAttempts: 5 },
    );
    expect(Buffer.from(await store.read('a')).toString()).toBe('ok');
    expect(refusals).toBe(2);
  });

  it('may have been damaged: bytes without their checksum are read again, and never given out', async () => {
    let reads = 0;
    const store = await answering((_, response) => {
      reads += 1;
      response.writeHead(200, { 'content-length': 2, 'x-amz-checksum-crc32': 'AAAAAA==' }).end('ok');
      return true;
    });
    expect(await failureOf(store.read('a'))).toMatchObject({ code: 'object-corrupt', kind: 'data' });
    expect(reads).toBe(3);
  });

  it('may be no XML at all', async () => {
    const store = await answering((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<html>Bad Gateway');
      return true;
    });
    expect(await failureOf(store.read('a'))).toMatchObject({ code: 'store-failed', kind: 'transient' });
    expect(await failureOf(keysOf(store))).toMatchObject({ code: 'store-failed', kind: 'transient' });
  });
});

describe('a store that does not answer', () => {
  it('is named where nobody listens', async () => {
    const stopped = await s3Proxy('http://127.0.0.1:1');
    await stopped.stop();
    const error = await failureOf(storeBy(connectTo(stopped.endpoint)).read('a'));
    expect(error).toMatchObject({ code: 'store-unreachable', kind: 'transient' });
    expect(error.message).toBe(
      `Cannot read s3://lake/lakes/one/a: ${stopped.endpoint} cannot be reached (ECONNREFUSED)`,
    );
  });

  it('is given up after the time of the settings', async () => {
    const store = await answering(() => true, { timeouts: { connectMs: 100, requestMs: 100 } });
    expect(await failureOf(store.read('a'))).toMatchObject({ code: 'store-timeout', kind: 'transient' });
  });

  it('is told from one that breaks off', async () => {
    const store = await answering((_, response) => {
      response.destroy();
      return true;
    });
    expect(await failureOf(store.put('a', text('x')))).toMatchObject({ code: 'connection-lost', kind: 'transient' });
  });

  it('is not asked without credentials', async () => {
    const none = { accessKeyId: undefined, secretAccessKey: undefined, sessionToken: undefined };
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: join(directory, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    });
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) delete process.env[name];
    try {
      const store = storeBy(connectTo('http://127.0.0.1:1', none));
      expect(await failureOf(store.read('a'))).toMatchObject({ code: 'no-credentials', kind: 'usage' });
    } finally {
      process.env = before;
    }
  });
});

describe('credentials', () => {
  it('are in no error, whatever the store sends back', async () => {
    const seen = new Set<string>();
    const store = await answering(({ headers }, response) => {
      for (const name of Object.keys(headers)) seen.add(name);
      response.setHeader('x-amz-echo', [ACCESS_KEY, TOKEN]);
      const echoed = `${ACCESS_KEY} ${SECRET} ${TOKEN} ${headers.authorization} ${headers['x-amz-security-token']}`;
      return refuse(response, 403, 'SignatureDoesNotMatch', `<![CDATA[You sent ${echoed}]]>`);
    });
    const errors = await Promise.all(
      [store.put('a', text('x')), store.read('a'), store.head('a'), keysOf(store), store.delete('a')].map(failureOf),
    );
    expect(seen).toContain('x-amz-security-token');
    for (const error of errors) {
      const whole = [
        inspect(error, { depth: 20, showHidden: true, getters: true }),
        JSON.stringify(serializeError(error)),
        error.stack,
      ].join('\n');
      expect(whole).toContain('You sent *** *** ***');
      for (const secret of ['hunter', 'HUNTER', 'Signature=', 'AWS4-HMAC-SHA256 Credential=A'])
        expect(whole).not.toContain(secret);
    }
  });

  it('come from the profile where the settings have none, and the region with them', async () => {
    const before = { ...process.env };
    const none = { accessKeyId: undefined, secretAccessKey: undefined, sessionToken: undefined };
    await writeFile(join(directory, 'config'), '[profile lake]\nregion = eu-west-3\n');
    await writeFile(
      join(directory, 'credentials'),
      `[lake]\naws_access_key_id = hunter-id\naws_secret_access_key = ${SECRET}\n`,
    );
    Object.assign(process.env, {
      AWS_PROFILE: 'lake',
      AWS_CONFIG_FILE: join(directory, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    });
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) delete process.env[name];
    try {
      const connection = connectTo('http://127.0.0.1:1', { ...none, endpoint: undefined, region: undefined });
      expect([await connection.credentials(), await connection.region()]).toEqual([
        { accessKeyId: 'hunter-id', secretAccessKey: SECRET },
        'eu-west-3',
      ]);
      server = await s3Proxy('http://127.0.0.1:1', (_, response) => refuse(response, 403, 'Odd', 'You are hunter-id'));
      const error = await failureOf(storeBy(connectTo(server.endpoint, none)).read('a'));
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('hunter');
    } finally {
      process.env = before;
    }
  });

  it('are those that the connection gives to others, with the region', async () => {
    const connection = connectTo('http://127.0.0.1:1');
    expect([await connection.credentials(), await connection.region()]).toEqual([
      { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET, sessionToken: TOKEN, expiration: undefined },
      'us-east-1',
    ]);
  });
});

describeS3('a real server', (real) => {
  it('tells a missing bucket, a wrong key and a wrong id apart', async () => {
    const wrong = [
      { bucket: 'nowhere' },
      { secretAccessKey: 'not the secret of this server' },
      { accessKeyId: 'AKIANOBODYNOBODY0001' },
    ];
    for (const ask of ['read', 'head', 'put', 'list'] as const) {
      const errors = wrong.map(async (options) => {
        const store = storeBy(connectionTo(real(), { maxAttempts: 1, ...options }));
        const ways = {
          read: () => store.read('a'),
          head: () => store.head('a'),
          put: () => store.put('a', text('x')),
          list: () => keysOf(store),
        };
        return (await failureOf(ways[ask]())).code;
      });
      expect([ask, ...(await Promise.all(errors))]).toEqual([
        ask,
        'no-such-bucket',
        'credentials-refused',
        'credentials-refused',
      ]);
    }
  });
});

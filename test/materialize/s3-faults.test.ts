import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { S3Credentials } from '../../framework/storage/s3-client.ts';
import { place } from '../cli/support.ts';
import { connectionTo } from '../storage/s3-support.ts';
import {
  describeS3,
  type Intercepted,
  type PassedRequest,
  refuse,
  type S3Proxy,
  type S3Server,
  s3Proxy,
} from '../support/s3.ts';
import { onS3, stored } from './bucket.ts';
import { ticksOf, tinyLake } from './fixture.ts';
import { run } from './lake.ts';
import { atEnd, packs, status, type Tiny, temporaryDirectory, tiny, versions } from './support.ts';

type Intercept = (request: PassedRequest, response: ServerResponse) => Intercepted;

const puts = (zone: string) => (request: PassedRequest) =>
  request.method === 'PUT' && request.url.includes(`/${zone}/`);
const silver = puts('silver');

/** Of a run that cannot put its tables, and what it says. */
const FAULTS: readonly (readonly [string, string, Intercept])[] = [
  ['asks to slow down', 'store-busy', (request, response) => silver(request) && refuse(response, 503, 'SlowDown')],
  ['loses all answers', 'connection-lost', (request) => (silver(request) ? 'drop' : false)],
  [
    'shows nothing of what it took',
    'object-invisible',
    (request, response) =>
      request.method === 'HEAD' && /silver.*parquet/.test(request.url) && response.writeHead(404).end() !== undefined,
  ],
];

describeS3('a run on a store', (server) => {
  const environment = { ...process.env };
  afterEach(() => {
    process.env = { ...environment };
  });

  /** A lake with work to do, behind a proxy that lets everything pass until told otherwise. */
  async function faulty(prefix: string, sets = onS3(server(), prefix)) {
    let intercept: Intercept = () => false;
    const proxy = await s3Proxy(server().endpoint, (request, response) => intercept(request, response));
    atEnd(() => proxy.stop());
    const far = await tiny({
      sets: [...sets, `s3.endpoint=${proxy.endpoint}`, 's3.maxAttempts=2', 's3.graceMinutes=0'],
    });
    far.archive.days('A', '2020-02', 1, 2);
    proxy.clear();
    const now = (next: Intercept) => {
      intercept = next;
    };
    return { ...far, proxy, now };
  }

  /** What is there is what the log knows, the rest of the run is done by the next, and it is what it would have been. */
  async function recovers({ lake, directory, archive, proxy }: Tiny & { proxy: S3Proxy }, prefix: string) {
    const known = [...lake.state.files()].map(({ path, sha256 }): [string, string | undefined] => [path, sha256]);
    const there = [...(await stored(server(), prefix))].filter(([key]) => !key.includes('_catalog') && key[0] !== '.');
    expect(there.sort()).toEqual(known.sort());
    expect(readdirSync(join(directory, '.lakehouse', 'staging'))).toEqual([]);
    proxy.clear();
    expect((await run(lake)).outcome).toBe('succeeded');
    expect((await run(lake)).counts.computed).toBe(0);
    const local = await tiny({ archive: archive.directory, directory: `${directory}-local` });
    await run(local.lake);
    expect([packs(lake), versions(lake)]).toEqual([packs(local.lake), versions(local.lake)]);
  }

  test.each(FAULTS)(
    'that %s: says %s and which, leaves nothing, and the next one goes on',
    async (_, code, intercept) => {
      const far = await faulty(code);
      far.now(intercept);
      const { outcome, events } = await run(far.lake);
      expect(outcome).toBe('failed');
      const failures = events.flatMap((event) => (event.type === 'partition-failed' ? [event] : []));
      expect(failures.map(({ asset, partition, error }) => [asset, partition, error.code, error.kind]).sort()).toEqual(
        ['2020-02-01', '2020-02-02'].map((day) => ['silver/ticks', `symbol=A/date=${day}`, code, 'transient']),
      );
      expect(status(far.lake, 'bronze/days')).toEqual({ fresh: 2 });
      expect(far.proxy.requests.length).toBeLessThan(60);
      far.now(() => false);
      await recovers(far, code);
    },
    120_000,
  );

  test('that fails once in every way, is as if nothing had been', async () => {
    const far = await faulty('weather', onS3(server(), 'weather', 's3.maxAttempts=4', 's3.graceMinutes=0'));
    const times = new Map<string, number>();
    const nth = ({ method, url }: PassedRequest) => {
      const name = `${method} ${url.split('?')[0]}`;
      times.set(name, (times.get(name) ?? 0) + 1);
      return times.get(name);
    };
    let writes = 0;
    far.now((request, response) => {
      const n = nth(request);
      const { method, url } = request;
      if (method === 'PUT' && n === 1) {
        writes += 1;
        if (writes % 3 === 0) return 'drop';
        return writes % 3 === 1 ? refuse(response, 500, 'InternalError') : response.destroy() !== undefined;
      }
      const isData = /\.(zip|parquet)/.test(url);
      if (method === 'HEAD' && isData && n === 1) return response.writeHead(404).end() !== undefined;
      if (method !== 'GET' || !isData || (n ?? 0) > 2) return false;
      if (n === 1) return refuse(response, 404, 'NoSuchKey');
      response.writeHead(200, { 'content-length': 1000 }).write('half', () => response.destroy());
      return true;
    });
    expect((await run(far.lake)).outcome).toBe('succeeded');
    expect(writes).toBeGreaterThan(6);
    const cold = await far.open({
      sets: [
        ...onS3(server(), 'weather', 's3.maxAttempts=4', 's3.graceMinutes=0', `s3.endpoint=${far.proxy.endpoint}`),
        `s3.cache.directory=${await temporaryDirectory()}`,
      ],
    });
    const again = await run(cold, { selection: 'silver/ticks', force: true });
    expect([again.outcome, again.counts.computed, again.counts.changed]).toEqual(['succeeded', 2, 0]);
    expect(far.proxy.counts().GET).toBeGreaterThan(4);
    far.now(() => false);
    await recovers(far, 'weather');
  });

  test('of invented data is not one of real data, and is told where else to go', async () => {
    const far = await faulty('origin', onS3(server(), 'origin'));
    await expect(far.open({ definition: { ...tinyLake(), simulated: () => true } })).rejects.toMatchObject({
      code: 'mixed-origins',
      message: `s3://${server().bucket}/origin holds real data, and the configuration reads simulated data`,
      hint: 'Choose another directory and prefix: --set dataDir=./simulated --set s3.prefix=simulated',
    });
  });

  test('that lists what was, loses nothing by gc, and is found whole', async () => {
    const far = await faulty('stale', onS3(server(), 'stale', 's3.graceMinutes=0'));
    const { client, bucket } = server();
    const listed = async () => (await client.listObjectsV2({ Bucket: bucket, Prefix: 'stale/' })).Contents ?? [];
    const showing = (objects: Awaited<ReturnType<typeof listed>>) =>
      far.now(({ url }, response) => {
        const { searchParams } = new URL(url, 'http://x');
        if (!searchParams.has('list-type')) return false;
        const entries = objects
          .filter(({ Key = '' }) => Key.startsWith(searchParams.get('prefix') ?? ''))
          .map(
            ({ Key = '', Size, LastModified }) =>
              `<Contents><Key>${encodeURIComponent(Key)}</Key><Size>${Size}</Size><LastModified>${LastModified?.toISOString()}</LastModified></Contents>`,
          );
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.end(
          `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${entries.join('')}</ListBucketResult>`,
        );
        return true;
      });
    const terminal = await place((remove) => onTestFinished(remove));
    const lakehouse = (...args: string[]) => {
      const sets = [
        ...onS3(server(), 'stale', `s3.endpoint=${far.proxy.endpoint}`, 's3.graceMinutes=0'),
        `dataDir=${far.directory}`,
        `tiny.directory=${far.archive.directory}`,
      ];
      const io = { now: () => Date.now() + 7_200_000 };
      const all = [...args, ...sets.flatMap((one) => ['--set', one])];
      return terminal.run(all, { definition: tinyLake(), io });
    };
    await run(far.lake);
    const before = await listed();
    far.archive.put('A', '2020-02-01', ticksOf('2020-02-01', 9, 77));
    await run(far.lake);
    const after = await listed();
    expect(after.length).toBeGreaterThan(1);

    // Without the newest, and with what was removed since.
    showing(before);
    expect(await lakehouse('verify')).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });
    const gone = before.filter(({ Key }) => !after.some((there) => there.Key === Key)).length;
    expect(gone).toBeGreaterThan(1);
    const gc = await lakehouse('gc', '--yes', '--json');
    expect([gc.code, (JSON.parse(gc.out) as { unknown: number }).unknown]).toEqual([0, gone]);
    showing([]);
    expect(await lakehouse('gc', '--yes')).toMatchObject({ code: 0 });
    expect(await lakehouse('verify', '--deep')).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });
    far.now(() => false);
    await recovers(far, 'stale');
  });

  test('with static credentials that expire says so at once, and goes on with new ones', async () => {
    const [first, second] = [await session(server()), await session(server())];
    const keys = (of: S3Credentials) => [
      ...server().settings('expired'),
      's3.reads=cache',
      `s3.accessKeyId=${of.accessKeyId}`,
      `s3.secretAccessKey=${of.secretAccessKey}`,
      `s3.sessionToken=${of.sessionToken}`,
    ];
    const far = await faulty('expired', keys(first));
    let expired = false;
    let refused = 0;
    far.now((request, response) => {
      expired ||= silver(request);
      if (!expired || !isOf(first, request)) return false;
      refused += 1;
      return refuse(response, 400, 'ExpiredToken', 'The provided token has expired.');
    });
    const failure = await run(far.lake).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'credentials-expired',
      kind: 'usage',
      hint: expect.stringContaining('run again'),
    });
    expect(far.lake.state.runs(1)).toMatchObject([{ outcome: 'failed', error: { code: 'credentials-expired' } }]);
    // Not once for each partition that there is.
    expect(refused).toBeLessThan(12);
    expect([...far.lake.state.files('silver/ticks')]).toEqual([]);
    expect(status(far.lake, 'bronze/days')).toEqual({ fresh: 2 });
    const lake = await far.open({ sets: [...keys(second), `s3.endpoint=${far.proxy.endpoint}`] });
    await recovers({ ...far, lake }, 'expired');
    const names = readdirSync(join(far.directory, '.lakehouse')).filter((name) => name.startsWith('state.sqlite'));
    const log = names.map((name) => readFileSync(join(far.directory, '.lakehouse', name), 'latin1'));
    const shown = [inspect(failure, { depth: 20, showHidden: true }), ...log].join('\n');
    for (const secret of [first, second].flatMap((of) => [of.accessKeyId, of.secretAccessKey, of.sessionToken ?? '']))
      expect(shown.includes(secret)).toBe(false);
  });

  const asJson = ({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials, more: object = {}) =>
    JSON.stringify({
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      ...more,
    });
  test.each([
    [
      'a program that says when they end',
      ['credential_process = cat credentials'],
      (of: S3Credentials) => asJson(of, { Expiration: new Date(Date.now() + 60_000).toISOString() }),
    ],
    ['a program that does not', ['credential_process = cat credentials'], asJson],
    [
      'a file that is written anew',
      [],
      ({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials) =>
        `[lake]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
    ],
  ])('with credentials of %s goes on with fresh ones', async (what, lines, content) => {
    const [first, second] = [await session(server()), await session(server())];
    const directory = await temporaryDirectory();
    const file = join(directory, 'credentials');
    const give = (of: S3Credentials) => writeFileSync(file, content(of));
    give(first);
    await profile(directory, ...lines.map((line) => line.replace(' credentials', ` ${file}`)));
    const prefix = what.replaceAll(' ', '-');
    const far = await faulty(prefix, [...server().settings(prefix), 's3.reads=cache']);
    let expired = false;
    far.now((request, response) => {
      if (!expired && silver(request)) {
        give(second);
        expired = true;
      }
      return expired && isOf(first, request) && refuse(response, 400, 'ExpiredToken', 'The token has expired.');
    });
    expect((await run(far.lake)).outcome).toBe('succeeded');
    expect(far.proxy.requests.some((request) => isOf(second, request))).toBe(true);
    await recovers(far, prefix);
  });
});

/** Whether a request was signed with these. */
const isOf = ({ accessKeyId }: S3Credentials, { headers }: PassedRequest): boolean =>
  headers.authorization?.includes(`Credential=${accessKeyId}/`) === true;

/** Makes a profile of these lines the one of this process, and takes away what else would give credentials. */
async function profile(directory: string, ...lines: string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  writeFileSync(join(directory, 'config'), ['[profile lake]', ...lines, ''].join('\n'));
  Object.assign(process.env, {
    AWS_PROFILE: 'lake',
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) delete process.env[name];
}

/** Real ones for a while: the role of a profile, of the server's own STS. */
async function session(server: S3Server): Promise<S3Credentials> {
  const directory = await temporaryDirectory();
  const { region, accessKeyId, secretAccessKey, endpoint } = server;
  await profile(
    directory,
    'role_arn = arn:aws:iam::000000000000:role/lake',
    'source_profile = root',
    `region = ${region}`,
  );
  writeFileSync(
    join(directory, 'credentials'),
    `[root]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  );
  process.env.AWS_ENDPOINT_URL_STS = endpoint;
  return connectionTo(server, { accessKeyId: undefined, secretAccessKey: undefined }).credentials();
}

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore, Staged } from '../../framework/storage/store.ts';
import { describeS3, type Intercepted, type PassedRequest, refuse, s3Proxy } from '../support/s3.ts';
import { keysOf, sha, testObjectStore, text } from './contract.ts';
import { type OpenOptions, type S3StoreUnderTest, storeOn } from './s3-support.ts';

const MIB = 1024 * 1024;

/** Bytes of which no part is like another. */
function noise(bytes: number): Uint8Array {
  return new Uint8Array(bytes).map((_, i) => (i * 2_654_435_761) >>> 24);
}

async function stagedWith(store: ObjectStore, key: string, bytes: Uint8Array): Promise<Staged> {
  const staged = await store.stage(key);
  await writeFile(staged.path, bytes);
  return staged;
}

describeS3('S3', (server) => {
  testObjectStore({ name: 'S3', create: () => storeOn(server()), effort: 0.2 });

  let under: S3StoreUnderTest;
  const closing: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    under = await storeOn(server());
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await under.dispose();
  });

  const there = (key: string) => ({ Bucket: server().bucket, Key: `${under.prefix}/${key}` });

  /** A store on the same objects behind a proxy. */
  async function behind(
    intercept: (request: PassedRequest, response: ServerResponse) => Intercepted | Promise<Intercepted>,
    options: OpenOptions = {},
  ) {
    const proxy = await s3Proxy(server().endpoint, intercept);
    closing.push(() => proxy.stop());
    const connection = { endpoint: proxy.endpoint, ...options.connection };
    return { store: under.open({ ...options, connection }), proxy };
  }

  const isPut = ({ method, url }: PassedRequest) => method === 'PUT' && !url.includes('uploadId');

  it('says where it is', () => {
    expect([under.store.kind, under.store.root]).toEqual(['s3', `s3://${server().bucket}/${under.prefix}`]);
  });

  it('lets go of connections whose bytes nobody reads', async () => {
    const few = under.open({ connection: { parallel: 1, timeouts: { connectMs: 2000, requestMs: 600_000 } } });
    await few.put('a', noise(4 * MIB));
    for (let i = 0; i < 10; i++) (await few.createReadStream('a')).destroy();
    expect(await few.head('a')).toMatchObject({ bytes: 4 * MIB });
  });

  it('overwrites also where another process does so at the same moment', async () => {
    let puts = 0;
    const { store } = await behind((request) => {
      if (isPut(request)) puts += 1;
      return false;
    });
    const other = under.open();
    const { store: late } = await behind(async ({ method }) => {
      // Comes between the answer and the look at what is there.
      if (method === 'HEAD' && puts === 0) await store.overwrite('_catalog.json', text('of another'));
      return false;
    });
    await late.overwrite('_catalog.json', text('ours'));
    expect([puts, Buffer.from(await other.read('_catalog.json')).toString()]).toEqual([1, 'of another']);
  });

  describe('an upload in parts', () => {
    it('makes one object of a file above the threshold, at once', async () => {
      const bytes = noise(12 * MIB);
      const { store, proxy } = await behind(() => false);
      const staged = await stagedWith(store, 'large', bytes);
      expect(await staged.commit()).toMatchObject({ key: 'large', bytes: 12 * MIB });
      expect(proxy.requests.filter(({ url }) => url.includes('partNumber')).length).toBe(3);
      expect((await server().client.headObject(there('large'))).ETag).toMatch(/-3"$/);
      expect(sha(await store.read('large'))).toBe(sha(bytes));
      await expect(store.put('large', bytes)).rejects.toMatchObject({ code: 'object-exists', kind: 'conflict' });
      expect(
        (await server().client.listMultipartUploads({ Bucket: server().bucket, Prefix: there('large').Key })).Uploads,
      ).toBeUndefined();
    });

    it('is aborted where a part fails, and nothing is left', async () => {
      const { store, proxy } = await behind(
        ({ url }, response) => url.includes('partNumber=2') && refuse(response, 500, 'InternalError'),
        { connection: { maxAttempts: 1 } },
      );
      const staged = await stagedWith(store, 'large', noise(12 * MIB));
      await expect(staged.commit()).rejects.toMatchObject({ code: 'store-failed', kind: 'transient' });
      expect(proxy.requests.some(({ method, url }) => method === 'DELETE' && url.includes('uploadId'))).toBe(true);
      const left = await server().client.listMultipartUploads({ Bucket: server().bucket, Prefix: there('large').Key });
      expect([left.Uploads, await keysOf(under.store)]).toEqual([undefined, []]);
      expect(await readdir(join(under.directory, 'staging'))).toEqual([]);
    });

    it('can be tried again where something else ends it', async () => {
      const { client, bucket } = server();
      const { store } = await behind(
        async ({ method, url }) => {
          const UploadId = new URL(url, 'http://x').searchParams.get('uploadId');
          if (method === 'POST' && UploadId !== null)
            await client.abortMultipartUpload({ ...there('large'), UploadId });
          return false;
        },
        { pausesMs: [] },
      );
      const staged = await stagedWith(store, 'large', noise(6 * MIB));
      await expect(staged.commit()).rejects.toMatchObject({ code: 'stage-missing', kind: 'transient' });
      const left = await client.listMultipartUploads({ Bucket: bucket, Prefix: there('large').Key });
      expect([left.Uploads, await keysOf(under.store)]).toEqual([undefined, []]);
    });

    it('of a dead process is aborted with its stage', async () => {
      await server().client.createMultipartUpload(there('half'));
      await server().client.createMultipartUpload(there('half2'));
      const stage = join(under.directory, 'staging', 's-left');
      await mkdir(stage, { recursive: true });
      await writeFile(join(stage, '.upload'), 'half');
      expect(await under.store.sweepStaging(60_000, Date.now())).toBe(0);
      expect(await under.store.sweepStaging(60_000, Date.now() + 120_000)).toBe(1);
      const left = async (key: string) =>
        (await server().client.listMultipartUploads({ Bucket: server().bucket, Prefix: there(key).Key })).Uploads
          ?.length;
      expect([await left('half'), await left('half2')]).toEqual([undefined, 1]);
    });

    // MinIO lists uploads of a whole key only, so the proxy answers as S3 does.
    it('is swept when it is old and below the prefix, whoever began it', async () => {
      const now = Date.now();
      const at = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
      const upload = (key: string, minutes: number) =>
        `<Upload><Key>${encodeURIComponent(key)}</Key><UploadId>id-of-${key}</UploadId><Initiated>${at(minutes)}</Initiated></Upload>`;
      const { store, proxy } = await behind(({ method, url }, response) => {
        if (method === 'DELETE') return response.writeHead(204).end() !== undefined;
        if (!url.includes('uploads')) return false;
        const isFirst = !url.includes('key-marker');
        const uploads = isFirst
          ? [
              upload(`${under.prefix}/old`, 61),
              upload(`${under.prefix}/young`, 59),
              upload(`${under.prefix}/large`, 300),
            ]
          : [upload(`${under.prefix}/older`, 300), upload(`${under.prefix}er/old`, 300)];
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.end(
          `<?xml version="1.0"?><ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>${isFirst}</IsTruncated>` +
            `<NextKeyMarker>m</NextKeyMarker><NextUploadIdMarker>n</NextUploadIdMarker>${uploads.join('')}</ListMultipartUploadsResult>`,
        );
        return true;
      });
      // What another process is uploading for hours is none of them.
      const stage = join(under.directory, 'staging', 's-living');
      await mkdir(stage, { recursive: true });
      await writeFile(join(stage, '.upload'), 'large');
      expect(await store.sweepStaging(60 * 60_000, now)).toBe(2);
      const aborted = proxy.requests
        .filter(({ method }) => method === 'DELETE')
        .map(({ url }) => new URL(url, 'http://x').pathname);
      expect(aborted).toEqual([`/${server().bucket}/${under.prefix}/old`, `/${server().bucket}/${under.prefix}/older`]);
    });
  });

  it('asks for the encryption of the settings, for parts and for what is overwritten too', async () => {
    const kms = under.open({ encryption: { type: 'kms', kmsKeyId: server().kmsKeyId } });
    await kms.put('small', text('x'));
    await kms.put('large', noise(6 * MIB));
    await kms.overwrite('over', text('x'));
    await under.open({ encryption: { type: 's3' } }).put('s3', text('x'));
    await under.store.put('plain', text('x'));
    const heads = await Promise.all(
      ['small', 'large', 'over', 's3', 'plain'].map((key) => server().client.headObject(there(key))),
    );
    expect(heads.map(({ ServerSideEncryption: type, SSEKMSKeyId: id }) => [type, id?.replace(/.*:/, '')])).toEqual([
      ['aws:kms', 'lake-key'],
      ['aws:kms', 'lake-key'],
      ['aws:kms', 'lake-key'],
      ['AES256', undefined],
      [undefined, undefined],
    ]);
    expect(Buffer.from(await under.store.read('small')).toString()).toBe('x');
  });

  it('sends checksums along, or only where S3 insists', async () => {
    const sent = async (checksums: 'supported' | 'required') => {
      const { store, proxy } = await behind(() => false, { connection: { checksums } });
      await store.put(`small-${checksums}`, text('x'));
      await store.put(`large-${checksums}`, noise(6 * MIB));
      const puts = proxy.requests.filter(({ method }) => method === 'PUT');
      return puts.map(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined);
    };
    expect(await sent('supported')).toEqual([true, true, true]);
    expect(await sent('required')).toEqual([false, false, false]);
  });

  describe('a store without conditional writes', () => {
    it('is looked at first where the settings say so', async () => {
      const { store, proxy } = await behind(() => false, { conditionalWrites: 'off' });
      await store.put('a', text('first'));
      expect(proxy.requests.filter(isPut).map(({ headers }) => headers['if-none-match'])).toEqual([undefined]);
      await expect(store.put('a', text('second'))).rejects.toMatchObject({ code: 'object-exists' });
      expect(proxy.requests.filter(isPut).length).toBe(1);
      expect(Buffer.from(await store.read('a')).toString()).toBe('first');
    });

    it('is found out, once', async () => {
      const { store, proxy } = await behind(
        (request, response) =>
          isPut(request) && request.headers['if-none-match'] !== undefined && refuse(response, 501, 'NotImplemented'),
        { connection: { maxAttempts: 1 } },
      );
      await store.put('a', text('a'));
      await store.put('b', text('b'));
      expect(proxy.requests.filter(isPut).map(({ headers }) => headers['if-none-match'])).toEqual([
        '*',
        undefined,
        undefined,
      ]);
      await expect(store.put('a', text('c'))).rejects.toMatchObject({ code: 'object-exists' });
      expect(await keysOf(store)).toEqual(['a', 'b']);
    });
  });

  describe('an answer that gets lost', () => {
    it('leaves the object of the first attempt, which the second takes for its own', async () => {
      let dropped = 0;
      const { store, proxy } = await behind((request) => {
        const isFirst = isPut(request) && dropped === 0;
        if (isFirst) dropped += 1;
        return isFirst ? 'drop' : false;
      });
      expect(await store.put('a', text('mine'))).toMatchObject({ key: 'a', bytes: 4 });
      expect(proxy.requests.filter(isPut).length).toBe(2);
      expect(Buffer.from(await under.store.read('a')).toString()).toBe('mine');
    });

    it('leaves one that may not be shown yet', async () => {
      let [dropped, hidden] = [0, 2];
      const { store } = await behind(
        (request, response) => {
          if (isPut(request) && dropped === 0) {
            dropped += 1;
            return 'drop';
          }
          if (request.method !== 'HEAD' || dropped === 0 || hidden === 0) return false;
          hidden -= 1;
          return response.writeHead(404).end() !== undefined;
        },
        { pausesMs: [1, 1, 1] },
      );
      await under.store.put('before', text('x'));
      expect(await store.put('a', text('mine'))).toMatchObject({ key: 'a', bytes: 4 });
      expect([hidden, await keysOf(store)]).toEqual([0, ['a', 'before']]);
    });

    it('is no harm for an upload in parts either', async () => {
      let dropped = 0;
      const bytes = noise(6 * MIB);
      const { store, proxy } = await behind(({ method, url }) => {
        const isFirst = method === 'POST' && url.includes('uploadId') && dropped === 0;
        if (isFirst) dropped += 1;
        return isFirst ? 'drop' : false;
      });
      const staged = await stagedWith(store, 'large', bytes);
      expect(await staged.commit()).toMatchObject({ key: 'large', bytes: 6 * MIB });
      expect(proxy.requests.filter(({ method, url }) => method === 'POST' && url.includes('uploadId')).length).toBe(2);
      await using reading = store.reading();
      proxy.clear();
      expect(sha(await readFile(await reading.path({ key: 'large', sha256: sha(bytes) })))).toBe(sha(bytes));
      expect(proxy.requests).toEqual([]);
    });

    it("leaves nothing of a commit that fails, and does not touch another's object", async () => {
      await under.store.put('taken', text('before'));
      const { store } = await behind((request) => (isPut(request) && request.url.includes('lost') ? 'drop' : false), {
        connection: { maxAttempts: 1 },
      });
      const staged = await Promise.all(['fine', 'lost', 'also-fine'].map((key) => stagedWith(store, key, text(key))));
      await expect(store.commitAll(staged)).rejects.toMatchObject({ code: 'connection-lost', kind: 'transient' });
      expect(await keysOf(under.store)).toEqual(['taken']);
      expect(await readdir(join(under.directory, 'staging'))).toEqual([]);
      const again = await Promise.all(['fine', 'taken'].map((key) => stagedWith(store, key, text(key))));
      await expect(store.commitAll(again)).rejects.toMatchObject({ code: 'object-exists' });
      expect(await keysOf(under.store)).toEqual(['taken']);
    });
  });

  it('tries again where another is writing the key at the same moment', async () => {
    let conflicts = 0;
    const { store } = await behind((request, response) => {
      if (!isPut(request) || conflicts === 2) return false;
      conflicts += 1;
      return refuse(response, 409, 'ConditionalRequestConflict');
    });
    await store.put('a', text('a'));
    expect([conflicts, await keysOf(store)]).toEqual([2, ['a']]);
  });

  it('waits for an object that is not shown at once, and gives up in the end', async () => {
    let hidden = 3;
    const { store, proxy } = await behind(
      ({ method }, response) => {
        if (method !== 'HEAD' || hidden === 0) return false;
        hidden -= 1;
        return response.writeHead(404).end() !== undefined;
      },
      { pausesMs: [1, 1, 1, 1] },
    );
    await under.store.put('before', text('x'));
    await store.put('a', text('a'));
    expect(proxy.counts().HEAD).toBe(4);
    hidden = 100;
    await expect(store.put('b', text('b'))).rejects.toMatchObject({ code: 'object-invisible', kind: 'transient' });
    hidden = 0;
    expect(await keysOf(store)).toEqual(['a', 'before']);
  });

  describe('a body that breaks off', () => {
    const half = (times: number) => {
      let broken = 0;
      return (request: PassedRequest, response: ServerResponse) => {
        if (request.method !== 'GET' || request.url.includes('list-type') || broken === times) return false;
        broken += 1;
        response.writeHead(200, { 'content-length': 10 });
        response.write('01234', () => response.destroy());
        return true;
      };
    };

    it('is read again', async () => {
      await under.store.put('a', text('0123456789'));
      const { store } = await behind(half(2));
      expect(Buffer.from(await store.read('a')).toString()).toBe('0123456789');
      const other = await behind(half(2), { cache: { directory: join(under.directory, 'other'), maxBytes: 1000 } });
      await using reading = other.store.reading();
      expect(await reading.path({ key: 'a', sha256: sha(text('0123456789')) })).toMatch(/\/a$/);
      expect(other.proxy.counts()).toEqual({ GET: 3 });
    });

    it('is an error of the stream, never a short object', async () => {
      await under.store.put('a', text('0123456789'));
      const { store } = await behind(half(1));
      const read: Buffer[] = [];
      const reading = async () => {
        for await (const chunk of await store.createReadStream('a')) read.push(chunk);
      };
      await expect(reading()).rejects.toMatchObject({ code: 'connection-lost', kind: 'transient' });
      expect(Buffer.concat(read).toString()).toBe('01234');
      const { store: always } = await behind(half(100));
      await expect(always.read('a')).rejects.toMatchObject({ code: 'connection-lost' });
    });
  });

  it('lists more than a page, in order', async () => {
    const keys = Array.from({ length: 1100 }, (_, i) => `k/${String((i * 7919) % 1100).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => server().client.putObject({ ...there(key), Body: key })));
    const { store, proxy } = await behind(() => false);
    expect(await keysOf(store, 'k/')).toEqual([...keys].sort());
    expect(proxy.counts()).toEqual({ GET: 2 });
  });

  it('neither sees nor touches what lies outside its prefix, nor what no store has written', async () => {
    const { client, bucket } = server();
    const root = under.prefix;
    const outside = [`${root}b/x`, `${root}-x`, `zz-${root}/x`, `${root}/a/`, `${root}/.staging/s-1/x`];
    for (const key of outside) await client.putObject({ Bucket: bucket, Key: key, Body: 'foreign' });
    const [narrow, slash] = [under.open({ prefix: `${root}/a` }), under.open({ prefix: `${root}/` })];
    await narrow.put('x', text('x'));
    expect([await keysOf(narrow), await keysOf(slash), await keysOf(under.store)]).toEqual([['x'], ['a/x'], ['a/x']]);
    await expect(narrow.put('x'.repeat(252).concat('/x').repeat(4), text('x'))).rejects.toMatchObject({
      code: 'bad-key',
      message: expect.stringContaining(`with '${root}/a/' in front of it`),
    });
    expect(await narrow.delete('x')).toBe(true);
    await narrow.sweepStaging(0, Date.now() + 1000);
    await Promise.all(outside.map((Key) => client.headObject({ Bucket: bucket, Key })));
  });
});

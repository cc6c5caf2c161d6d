import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StageOwner } from '../../framework/storage/owner.ts';
import type { ObjectStore } from '../../framework/storage/store.ts';
import { describeS3, type Intercepted, type PassedRequest, type S3Proxy, s3Proxy } from '../support/s3.ts';
import { sha, text } from './contract.ts';
import { type OpenOptions, type S3StoreUnderTest, storeOn } from './s3-support.ts';
import { canMount, noTmpfs, withTmpfs } from './tmpfs.ts';

const SIZE = 1000;
const bytesOf = (name: string) => text(name.repeat(SIZE / name.length));
const shaOf = (name: string) => sha(bytesOf(name));
const known = (name: string) => ({ key: `silver/symbol=${name}/f.parquet`, sha256: shaOf(name) });

describeS3('the read cache', (server) => {
  let under: S3StoreUnderTest;
  let proxy: S3Proxy;
  let intercept: (request: PassedRequest) => Intercepted = () => false;
  beforeEach(async () => {
    intercept = () => false;
    under = await storeOn(server());
    proxy = await s3Proxy(server().endpoint, (request) => intercept(request));
  });
  afterEach(async () => {
    await proxy.stop();
    await under.dispose();
  });

  /** A store behind the proxy, as another process would open it on the same directory. */
  const open = (options: OpenOptions = {}) => under.open({ connection: { endpoint: proxy.endpoint }, ...options });
  /** Puts objects so that the cache knows nothing of them. */
  const putElsewhere = async (...names: string[]) => {
    const elsewhere = under.open({ cache: { directory: join(under.directory, 'elsewhere'), maxBytes: SIZE * 100 } });
    for (const name of names) await elsewhere.put(known(name).key, bytesOf(name));
  };
  const entries = async () => {
    const found = await readdir(join(under.directory, 'cache', 'objects'), { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile()).map(({ name }) => name);
  };
  const leases = () => readdir(join(under.directory, 'cache', 'leases')).catch(() => []);
  /** Reads the objects and lets go of them. */
  async function readAll(store: ObjectStore, ...names: string[]): Promise<void> {
    await using reading = store.reading();
    for (const name of names) expect(sha(await readFile(await reading.path(known(name))))).toBe(shaOf(name));
  }

  it('fetches an object once, and asks nothing when it is warm, in this process or the next', async () => {
    await putElsewhere('a', 'b');
    await readAll(open(), 'a', 'b');
    expect(proxy.counts()).toEqual({ GET: 2 });
    proxy.clear();
    await readAll(open(), 'a', 'b');
    expect(proxy.requests).toEqual([]);
    expect((await entries()).sort()).toEqual([shaOf('a'), shaOf('b')].sort());
    expect(await leases()).toEqual([]);
  });

  it('has what was committed here: what is read next downstream is not fetched', async () => {
    const store = open({ multipart: { thresholdMb: 5, partMb: 5 } });
    await store.put(known('a').key, bytesOf('a'));
    const large = new Uint8Array(6 * 1024 * 1024).fill(7);
    await store.put('large', large);
    proxy.clear();
    await readAll(store, 'a');
    await using reading = store.reading();
    expect((await stat(await reading.path({ key: 'large', sha256: sha(large) }))).size).toBe(large.length);
    expect(proxy.requests).toEqual([]);
  });

  it('keeps the names of files and of hive directories, one file for each object of a reading', async () => {
    await putElsewhere('a');
    await using reading = open().reading();
    const paths = await Promise.all(Array.from({ length: 10 }, () => reading.path(known('a'))));
    expect(new Set(paths).size).toBe(1);
    expect(paths[0]?.endsWith('/silver/symbol=a/f.parquet')).toBe(true);
    expect(proxy.counts()).toEqual({ GET: 1 });
  });

  it('fetches once what many readings ask for at the same moment', async () => {
    await putElsewhere('a', 'b');
    const store = open();
    await Promise.all(Array.from({ length: 12 }, (_, i) => readAll(store, i % 2 === 0 ? 'a' : 'b')));
    expect(proxy.counts()).toEqual({ GET: 2 });
    expect(await leases()).toEqual([]);
  });

  it('asks for the version of an object of which nothing is known, and fetches it when it is another one', async () => {
    const store = open();
    await store.overwrite('gold/_catalog.json', text('one'));
    const read = async () => {
      await using reading = store.reading();
      return readFile(await reading.path({ key: 'gold/_catalog.json' }), 'utf8');
    };
    proxy.clear();
    expect([await read(), await read()]).toEqual(['one', 'one']);
    expect(proxy.counts()).toEqual({ HEAD: 2, GET: 1 });
    await store.overwrite('gold/_catalog.json', text('two'));
    expect(await read()).toBe('two');
  });

  it('gives nobody what is not what the log knows', async () => {
    await server().client.putObject({
      Bucket: server().bucket,
      Key: `${under.prefix}/${known('a').key}`,
      Body: 'something else',
    });
    await using reading = open().reading();
    await expect(reading.path(known('a'))).rejects.toMatchObject({
      code: 'object-corrupt',
      kind: 'data',
      details: { key: known('a').key, expected: shaOf('a'), found: sha(text('something else')) },
    });
    expect(proxy.counts()).toEqual({ GET: 3 });
    await reading.close();
    expect([await leases(), await entries().catch(() => [])]).toEqual([[], []]);
  });

  it('is not misled by one object that is gone, of two with the same content', async () => {
    await putElsewhere('a');
    await using reading = open().reading();
    const gone = { key: 'silver/gone.parquet', sha256: shaOf('a') };
    const asked = await Promise.allSettled([reading.path(gone), reading.path(known('a'))]);
    const [missing, there] = asked;
    // Unless the other one was faster: it has the content.
    if (missing?.status === 'rejected')
      expect(missing.reason).toMatchObject({ code: 'object-missing', details: { key: gone.key } });
    expect(there?.status).toBe('fulfilled');
  });

  it('stays within its bound, and lets go what was not used for longest', async () => {
    await putElsewhere('a', 'b', 'c', 'd');
    let now = Date.now();
    const store = open({
      cache: { directory: join(under.directory, 'cache'), maxBytes: SIZE * 3.5 },
      now: () => (now += 1000),
    });
    await readAll(store, 'a', 'b', 'c');
    await readAll(store, 'a');
    expect((await entries()).length).toBe(3);
    await readAll(store, 'd');
    expect((await entries()).sort()).toEqual([shaOf('a'), shaOf('c'), shaOf('d')].sort());
    proxy.clear();
    await readAll(store, 'a', 'c', 'd');
    expect(proxy.requests).toEqual([]);
    await readAll(store, 'b');
    expect(proxy.counts()).toEqual({ GET: 1 });
  });

  it('takes no file from under a reader, be the bound ever so small', async () => {
    await putElsewhere('a', 'b', 'c');
    const small = { cache: { directory: join(under.directory, 'cache'), maxBytes: SIZE / 2 } };
    const [one, other] = [open(small), open(small)];
    await using reading = one.reading();
    const names = ['a', 'b', 'c'];
    const paths = await Promise.all(names.map((name) => reading.path(known(name))));
    await readAll(other, ...names);
    expect(await entries()).toEqual([]);
    const read = await Promise.all(paths.map((path) => readFile(path)));
    expect(read.map(sha)).toEqual(names.map(shaOf));
    await under.store.delete(known('a').key);
    expect(sha(await readFile(await reading.path(known('a'))))).toBe(shaOf('a'));
  });

  it('ends readings once, also while something is on its way, and refuses what is asked afterwards', async () => {
    await putElsewhere('a');
    const reading = open().reading();
    const path = reading.path(known('a'));
    await Promise.all([reading.close(), reading.close()]);
    await path;
    expect(await leases()).toEqual([]);
    await expect(reading.path(known('a'))).rejects.toMatchObject({ code: 'reading-closed', kind: 'internal' });
    await open().reading().close();
  });

  it("sweeps dead processes' readings, and no living one's", async () => {
    await putElsewhere('a');
    const owner = (pid: number): StageOwner => ({ host: 'here', pid, started: pid, isAlive: (asked) => asked === 1 });
    const [living, dead] = [open({ owner: owner(1) }), open({ owner: owner(2) })];
    const [kept] = await Promise.all([living.reading().path(known('a')), dead.reading().path(known('a'))]);
    const sweeper = open({ owner: owner(3) });
    expect(await sweeper.sweepStaging(60_000, Date.now())).toBe(0);
    expect(await sweeper.sweepStaging(60_000, Date.now() + 120_000)).toBe(1);
    expect(sha(await readFile(kept))).toBe(shaOf('a'));
    expect((await leases()).length).toBe(1);
  });

  it('refuses a key that leads out of the lease, also when its content is known', async () => {
    await putElsewhere('a');
    await readAll(open(), 'a');
    await using reading = open().reading();
    for (const key of ['../a', '/a', 'a/../../b', 'a\\b']) {
      await expect(reading.path({ key, sha256: shaOf('a') }), key).rejects.toMatchObject({ code: 'bad-key' });
    }
  });

  describe.skipIf(!canMount)(`disks${noTmpfs}`, () => {
    it('says that the disk is full, loses nothing, and goes on when there is space', async () => {
      await putElsewhere('a');
      await under.store.put('large', new Uint8Array(600_000));
      await withTmpfs('size=256k', async ({ path, remount }) => {
        const store = open({ cache: { directory: join(path, 'cache'), maxBytes: SIZE * 10_000 } });
        await using reading = store.reading();
        const full = { code: 'disk-full', kind: 'transient', message: expect.stringContaining(path) };
        await expect(reading.path({ key: 'large' })).rejects.toMatchObject(full);
        remount('size=4m');
        await using again = store.reading();
        expect((await stat(await again.path({ key: 'large' }))).size).toBe(600_000);
      });
    });

    it('has what was committed here also when it was staged on another disk', async () => {
      await withTmpfs('size=1m', async ({ path }) => {
        const store = open({ staging: join(path, 'staging') });
        await store.put(known('a').key, bytesOf('a'));
        proxy.clear();
        await readAll(store, 'a');
        expect(proxy.requests).toEqual([]);
        expect(await entries()).toEqual([shaOf('a')]);
      });
    });
  });
});

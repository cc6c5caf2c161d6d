import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveClient, compareKeys, fetchVerified } from '../../assets/exchanges/binance/archive.ts';
import { directoryArchive } from '../../assets/exchanges/binance/directory.ts';
import { httpArchive } from '../../assets/exchanges/binance/http.ts';
import type { SimulatedArchiveOptions } from '../../assets/exchanges/simulated/archive.ts';
import { writeMirror } from '../../assets/exchanges/simulated/mirror.ts';
import { type SimulatedExchange, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { collect } from './support.ts';

// What every ArchiveClient must do, over the same objects: the simulated exchange, and a mirror of it on disk.

const options: SimulatedArchiveOptions = {
  seed: 'contract',
  listings: [
    { market: 'spot', symbol: 'BTCUSDT', price: 30_000 },
    { market: 'spot', symbol: 'BTC', days: [{ to: '2023-01-02' }] },
    { market: 'spot', symbol: '币安人生USDT', price: 0.3, days: [{ from: '2023-01-31' }] },
    { market: 'um', symbol: 'BTCUSDT', price: 30_000, days: [{ from: '2023-01-30' }] },
  ],
  intervals: ['1h', '1d'],
  from: '2023-01-01',
  to: '2023-02-01',
};

const KEY = 'data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2023-01-05.zip';
const FOLDER = 'data/spot/daily/klines/BTCUSDT/1h/';

interface Subject {
  readonly client: ArchiveClient;
  readonly exchange: SimulatedExchange;
  /** Makes the client see what the simulated archive holds now. */
  readonly publish: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  http: async () => {
    const exchange = await startSimulatedExchange(options);
    const client = httpArchive({ baseUrl: exchange.url, listUrl: exchange.listUrl, timeoutMs: 20_000, now: () => 0 });
    return { client, exchange, publish: async () => undefined, close: () => exchange.close() };
  },
  directory: async () => {
    const exchange = await startSimulatedExchange(options);
    const directory = await mkdtemp(join(tmpdir(), 'archive-'));
    const publish = async (): Promise<void> => {
      await rm(join(directory, 'data'), { recursive: true, force: true });
      await writeMirror(exchange.archive, directory);
    };
    await publish();
    const close = async (): Promise<void> => {
      await exchange.close();
      await rm(directory, { recursive: true });
    };
    return { client: directoryArchive(directory), exchange, publish, close };
  },
};

describe.each(Object.entries(subjects))('ArchiveClient over %s', (_name, make) => {
  let subject: Subject;
  let client: ArchiveClient;
  beforeAll(async () => {
    subject = await make();
    client = subject.client;
  });
  afterAll(() => subject.close());

  test('lists everything, sorted by UTF-8 bytes, with size and time', async () => {
    const listed = await collect(client.list(''));
    const { archive } = subject.exchange;
    expect(listed.map(({ key }) => key)).toEqual(archive.keys());
    expect(listed.map(({ key }) => key)).toEqual(listed.map(({ key }) => key).sort(compareKeys));
    for (const { key, bytes, modifiedMs } of listed) {
      expect({ bytes, modifiedMs }).toEqual({
        bytes: archive.head(key)?.bytes,
        modifiedMs: archive.head(key)?.modifiedMs,
      });
    }
    expect(listed.length).toBe(2 * (2 * (32 + 2 + 2 + 3) + 2 * 4));
  });

  test('a prefix is text, not a directory', async () => {
    const keys = subject.exchange.archive.keys();
    for (const prefix of [
      FOLDER,
      'data/spot/daily/klines/BTC',
      `${FOLDER}BTCUSDT-1h-2023-01-0`,
      'data/futures',
      KEY,
      'nothing/',
      'd',
      `${KEY}/`,
    ]) {
      const listed = await collect(client.list(prefix));
      expect(listed.map(({ key }) => key)).toEqual(keys.filter((key) => key.startsWith(prefix)));
    }
  });

  test('startAfter goes on after a key, whether or not it exists', async () => {
    const keys = subject.exchange.archive.keys();
    for (const startAfter of [
      KEY,
      `${KEY}.CHECKSUM`,
      `${FOLDER}BTCUSDT-1h-2023-01-05`,
      'data/futures/',
      'data/spot/daily/klines/BTCUSDT',
      'zzz',
    ]) {
      const listed = await collect(client.list('data/', { startAfter }));
      expect(listed.map(({ key }) => key)).toEqual(keys.filter((key) => compareKeys(key, startAfter) > 0));
    }
  });

  test('prefixes one level down', async () => {
    expect(await client.listPrefixes('')).toEqual(['data/']);
    expect(await client.listPrefixes('data/')).toEqual(['data/futures/', 'data/spot/']);
    expect(await client.listPrefixes('data/spot/daily/klines/')).toEqual([
      'data/spot/daily/klines/BTC/',
      'data/spot/daily/klines/BTCUSDT/',
      'data/spot/daily/klines/币安人生USDT/',
    ]);
    expect(await client.listPrefixes(FOLDER)).toEqual([]);
    expect(await client.listPrefixes('nothing/')).toEqual([]);
  });

  test('get gives the bytes and the version that was listed, for every object', async () => {
    for (const { key, version } of await collect(client.list('data/futures/'))) {
      const content = await client.get(key);
      expect(content.version).toBe(version);
      expect(Buffer.from(content.bytes).equals(subject.exchange.archive.body(key) ?? Buffer.alloc(0))).toBe(true);
    }
    const [chinese] = await collect(client.list('data/spot/daily/klines/币'));
    expect((await client.get(chinese?.key ?? '')).version).toBe(chinese?.version);
  });

  test('what is not there', async () => {
    for (const key of ['data/nothing.zip', 'data/spot', FOLDER.slice(0, -1), `${KEY}/x`]) {
      await expect(client.get(key)).rejects.toMatchObject({
        code: 'object-not-found',
        kind: 'transient',
        details: { key },
      });
    }
  });

  test('trap 22: a republished object has another version, the others keep theirs', async () => {
    const before = await collect(client.list(FOLDER));
    subject.exchange.archive.republish(KEY, { sameRowsOtherBytes: true });
    await subject.publish();
    const after = await collect(client.list(FOLDER));
    const changed = after.filter(({ key, version }) => before.find((o) => o.key === key)?.version !== version);
    expect(changed.map(({ key }) => key)).toEqual([KEY, `${KEY}.CHECKSUM`]);
    expect((await client.get(KEY)).version).toBe(changed[0]?.version);
  });

  test('fetchVerified proves the bytes', async () => {
    const listed = await collect(client.list(KEY));
    const content = await fetchVerified(client, KEY);
    expect({ verified: content.verified, version: content.version, checksumVersion: content.checksumVersion }).toEqual({
      verified: true,
      version: listed[0]?.version,
      checksumVersion: listed[1]?.version,
    });
    const { verified, checksumVersion } = await fetchVerified(client, KEY, { checksumKnown: false });
    expect({ verified, checksumVersion }).toEqual({ verified: false, checksumVersion: undefined });
  });

  test('fetchVerified: a missing CHECKSUM is told, or an error where it was listed', async () => {
    const key = KEY.replace('01-05', '01-06');
    subject.exchange.archive.remove(`${key}.CHECKSUM`);
    await subject.publish();
    const content = await fetchVerified(client, key);
    expect({ verified: content.verified, checksumVersion: content.checksumVersion }).toEqual({
      verified: false,
      checksumVersion: undefined,
    });
    await expect(fetchVerified(client, key, { checksumKnown: true })).rejects.toMatchObject({
      code: 'object-not-found',
      details: { key: `${key}.CHECKSUM` },
    });
  });

  test('fetchVerified: damaged bytes are a data error', async () => {
    const key = KEY.replace('01-05', '01-07');
    subject.exchange.archive.corrupt(key);
    await subject.publish();
    await expect(fetchVerified(client, key)).rejects.toMatchObject({ code: 'checksum-mismatch', kind: 'data' });
  });

  test('an aborted signal stops every call with its reason', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(client.get(KEY, { signal })).rejects.toBe(reason);
    await expect(client.listPrefixes('data/', { signal })).rejects.toBe(reason);
    await expect(collect(client.list('data/', { signal }))).rejects.toBe(reason);
  });

  test('keys that leave the archive give nothing', async () => {
    for (const key of ['../x.zip', 'data/../../x.zip', '/etc/hostname']) {
      await expect(client.get(key)).rejects.toMatchObject({ name: 'LakehouseError' });
    }
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  inflateMember,
  LakehouseError,
  type Observation,
  type ObserveContext,
  readSingleMember,
  writeZip,
} from 'crypto-lakehouse';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { binanceKlinesDaily, binanceKlinesMonthly } from '../../assets/exchanges/binance/klines.ts';
import { type BinanceResource, binanceResource } from '../../assets/exchanges/binance/resource.ts';
import { writeMirror } from '../../assets/exchanges/simulated/mirror.ts';
import { type SimulatedExchange, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import { archive, hasArchive } from './sql.ts';

const now = () => Date.UTC(2024, 2, 10);
const NO_REST = { enabled: false, days: 7, timeoutMs: 5_000, concurrency: 4 };
const DAILY = 'data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01-31.zip';
const btc = { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', interval: '1h' };

let exchange: SimulatedExchange;
let resource: BinanceResource;

beforeEach(async () => {
  exchange = await startSimulatedExchange({
    seed: 'assets',
    from: '2024-01-30',
    to: '2024-03-02',
    intervals: ['1h', '4h'],
    listings: [
      { market: 'spot', symbol: 'BTCUSDT' },
      { market: 'spot', symbol: 'ETHUSDT' },
      { market: 'um', symbol: 'BTCUSDT', days: [{ from: '2024-02-28' }] },
    ],
  });
  resource = resourceOf({});
});
afterEach(() => exchange.close());

function resourceOf(more: { directory?: string; start?: string; concurrency?: number }): BinanceResource {
  const { directory, start = '2017-08-01', concurrency = 4 } = more;
  return binanceResource({
    start,
    dataTypes: ['klines'],
    rest: { ...NO_REST, baseUrls: { spot: exchange.url, um: exchange.url, cm: exchange.url } },
    archive: {
      baseUrl: exchange.url,
      listUrl: exchange.listUrl,
      directory,
      timeoutMs: 5_000,
      concurrency,
      simulated: false,
    },
  });
}

const runtime = () => ({ resources: { binance: resource }, signal: new AbortController().signal, now });

async function observe(
  source: AssetDefinition,
  wanted: Readonly<Record<string, readonly string[]>> = {},
  more: Partial<ObserveContext> = {},
): Promise<Observation[]> {
  if (!source.source) throw new Error(`${source.key} is no source`);
  const wants = (dimension: string, value: string) => wanted[dimension]?.includes(value) ?? true;
  const looking = {
    ...runtime(),
    wants,
    mode: 'audit' as const,
    known: () => undefined,
    listsFrom: () => undefined,
    request: () => undefined,
    ...more,
  };
  const seen: Observation[] = [];
  for await (const observation of source.source.observe(looking)) seen.push(observation);
  return seen;
}

async function read(source: AssetDefinition, values: Readonly<Record<string, string>>) {
  const partition = { key: 'k', values, start: undefined, end: undefined };
  const result = await source.source?.read?.({ ...runtime(), partition });
  if (!result) throw new Error(`${source.key} cannot be read`);
  return result;
}

/** What an observation and a read must agree on. */
async function observedVersion(date: string): Promise<string | undefined> {
  const seen = await observe(binanceKlinesDaily, { market: ['spot'], symbol: ['BTCUSDT'], interval: ['1h'] });
  return seen.find(({ partition }) => partition.date === date)?.version;
}

const failure = (promise: Promise<unknown>): Promise<LakehouseError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => (error instanceof LakehouseError ? error : Promise.reject(error)),
  );

describe('observe', () => {
  test('what is new: a long series from its newest file on, a short one in full; every request is counted', async () => {
    const wanted = { market: ['spot'], interval: ['1h'] };
    const from: unknown[] = [];
    let requests = 0;
    const seen = await observe(binanceKlinesDaily, wanted, {
      mode: 'head',
      known: ({ symbol }) => ({ count: symbol === 'BTCUSDT' ? 2000 : 20, newest: '2024-02-29' }),
      listsFrom: (values, time) => from.push([values, time]),
      request: () => {
        requests++;
      },
    });
    const dates = (symbol: string) =>
      seen.flatMap(({ partition }) => (partition.symbol === symbol ? [partition.date] : []));
    expect(dates('BTCUSDT')).toEqual(['2024-02-29', '2024-03-01', '2024-03-02']);
    expect(dates('ETHUSDT')).toHaveLength(33);
    expect(from).toEqual([[btc, '2024-02-29']]);
    expect(requests).toBe(exchange.requests.list);
    expect(requests).toBe(3);
  });

  test('every wanted file once, with its version and size; nothing is downloaded', async () => {
    const seen = await observe(binanceKlinesDaily);
    const counts = Map.groupBy(
      seen,
      ({ partition: { market, symbol, interval } }) => `${market} ${symbol} ${interval}`,
    );
    expect(Object.fromEntries([...counts].map(([series, { length }]) => [series, length]))).toEqual({
      ...{ 'spot BTCUSDT 1h': 33, 'spot BTCUSDT 4h': 33, 'spot ETHUSDT 1h': 33, 'spot ETHUSDT 4h': 33 },
      ...{ 'um BTCUSDT 1h': 4, 'um BTCUSDT 4h': 4 },
    });
    const one = seen.find(({ partition }) => partition.date === '2024-01-31');
    const { etag, bytes } = exchange.archive.head(DAILY) ?? {};
    expect(one).toMatchObject({ partition: { ...btc, date: '2024-01-31' }, bytes });
    expect(one?.version).toContain(etag);
    expect(exchange.requests.get).toBe(0);
  });

  test('months', async () => {
    const seen = await observe(binanceKlinesMonthly, { market: ['spot'], symbol: ['BTCUSDT'], interval: ['4h'] });
    expect(seen.map(({ partition }) => partition)).toEqual([
      { ...btc, interval: '4h', month: '2024-01' },
      { ...btc, interval: '4h', month: '2024-02' },
    ]);
  });

  test('what nobody wants is not listed', async () => {
    const seen = await observe(binanceKlinesDaily, { market: ['spot'], symbol: ['ETHUSDT'], interval: ['4h'] });
    expect(new Set(seen.map(({ partition: { symbol, interval } }) => `${symbol} ${interval}`))).toEqual(
      new Set(['ETHUSDT 4h']),
    );
    expect(exchange.requests.list).toBe(2); // the symbols, and one series
    exchange.resetRequests();
    expect(await observe(binanceKlinesDaily, { exchange: [] })).toEqual([]);
    expect(exchange.requests.list).toBe(0);
  });

  test('nothing before the setting `start`: that day and its month are in', async () => {
    resource = resourceOf({ start: '2024-02-29' });
    const wanted = { market: ['spot'], symbol: ['BTCUSDT'], interval: ['1h'] };
    const days = await observe(binanceKlinesDaily, wanted);
    expect(days.map(({ partition }) => partition.date)).toEqual(['2024-02-29', '2024-03-01', '2024-03-02']);
    const months = await observe(binanceKlinesMonthly, wanted);
    expect(months.map(({ partition }) => partition.month)).toEqual(['2024-02']);
  });

  test('the same in the same order however many listings run at once', async () => {
    const all = await observe(binanceKlinesDaily);
    for (const concurrency of [1, 3, 100]) {
      resource = resourceOf({ concurrency });
      expect(await observe(binanceKlinesDaily)).toEqual(all);
    }
  });

  test('a listing that fails fails the observation', async () => {
    exchange.fail('?list', { status: 403 }, 100);
    expect((await failure(observe(binanceKlinesDaily))).code).toBe('archive-forbidden');
  });
});

describe('read', () => {
  test('the bytes as published, at the version observed', async () => {
    const { bytes, version } = await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' });
    expect(Buffer.from(bytes).equals(exchange.archive.body(DAILY) ?? Buffer.alloc(0))).toBe(true);
    expect(version).toBe(await observedVersion('2024-01-31'));
    const month = await read(binanceKlinesMonthly, { ...btc, month: '2024-02' });
    const [, february] = await observe(binanceKlinesMonthly, {
      market: ['spot'],
      symbol: ['BTCUSDT'],
      interval: ['1h'],
    });
    expect(month.version).toBe(february?.version);
  });

  test('a mirror in a directory gives the same bytes, also at the version observed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-mirror-'));
    try {
      await writeMirror(exchange.archive, directory, 'data/spot/daily/klines/BTCUSDT/1h/');
      const served = await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' });
      resource = resourceOf({ directory });
      const { bytes, version } = await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' });
      expect(Buffer.from(bytes).equals(Buffer.from(served.bytes))).toBe(true);
      expect(version).toBe(await observedVersion('2024-01-31'));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('another version whenever the file changes, or only its CHECKSUM', async () => {
    const versions = [await observedVersion('2024-01-31')];
    exchange.archive.republish(DAILY, { sameRowsOtherBytes: true });
    versions.push(await observedVersion('2024-01-31'));
    exchange.archive.republish(`${DAILY}.CHECKSUM`, { bytes: Buffer.from('wrong') });
    versions.push(await observedVersion('2024-01-31'));
    expect(new Set(versions).size).toBe(3);
    expect(versions).not.toContain(undefined);
  });

  test('a damaged file is a data error', async () => {
    exchange.archive.corrupt(DAILY);
    const error = await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }));
    expect({ code: error.code, kind: error.kind }).toEqual({ code: 'checksum-mismatch', kind: 'data' });
    expect(error.message).toContain(DAILY);
  });

  test('a damaged file whose CHECKSUM was made of it is one too', async () => {
    exchange.archive.corrupt(DAILY, 'follows');
    const error = await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }));
    expect(error.code).toMatch(/^zip-/);
    expect(error.kind).toBe('data');
  });

  test('case 10: an old file from a cache beside the new CHECKSUM is not the data’s fault', async () => {
    exchange.serveStale(DAILY);
    exchange.archive.republish(DAILY, { sameRowsOtherBytes: true });
    const error = await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }));
    expect({ code: error.code, kind: error.kind }).toEqual({ code: 'archive-behind-listing', kind: 'transient' });
    exchange.serveFresh(DAILY);
    expect((await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' })).version).toBe(
      await observedVersion('2024-01-31'),
    );
  });

  test('an old CHECKSUM beside the new file neither', async () => {
    exchange.serveStale(`${DAILY}.CHECKSUM`);
    exchange.archive.republish(DAILY, { sameRowsOtherBytes: true });
    expect((await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }))).kind).toBe('transient');
  });

  test('an old file beside its old CHECKSUM is read, and its version says that it is not the one observed', async () => {
    exchange.serveStale(DAILY);
    exchange.serveStale(`${DAILY}.CHECKSUM`);
    exchange.archive.republish(DAILY, { sameRowsOtherBytes: true });
    const { version } = await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' });
    expect(version).not.toBe(await observedVersion('2024-01-31'));
  });

  test('a file that has disappeared', async () => {
    exchange.archive.remove(DAILY);
    const error = await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }));
    expect({ code: error.code, kind: error.kind }).toEqual({ code: 'object-not-found', kind: 'transient' });
  });

  test('a file that was never given a CHECKSUM is read without', async () => {
    exchange.archive.remove(`${DAILY}.CHECKSUM`);
    expect((await read(binanceKlinesDaily, { ...btc, date: '2024-01-31' })).version).toBe(
      await observedVersion('2024-01-31'),
    );
  });

  const zip = (name: string) => {
    const csv = '1706659200000,1,1,1,1,1,1706662799999,1,1,1,1,0\n';
    return Buffer.from(writeZip(name, Buffer.from(csv), { modified: new Date(now()) }));
  };
  const two = () => {
    // A zip cannot be written with two members here, so one says it has: the number of entries in the end record.
    const one = zip('BTCUSDT-1h-2024-01-31.csv');
    for (const at of [one.length - 14, one.length - 12]) one.writeUInt16LE(2, at);
    return one;
  };
  test.each([
    [
      'the member of another day',
      () => zip('BTCUSDT-1h-2024-01-30.csv'),
      'zip-member-name',
      'BTCUSDT-1h-2024-01-30.csv',
    ],
    ['a member with a path', () => zip('../BTCUSDT-1h-2024-01-31.csv'), 'zip-member-name', '../'],
    ['no zip', () => Buffer.from('<html>'), 'zip-not-a-zip', DAILY],
    ['nothing', () => Buffer.alloc(0), 'zip-not-a-zip', DAILY],
    ['two members', two, 'zip-several-members', DAILY],
  ])('%s', async (_, bytes, code, text) => {
    exchange.archive.republish(DAILY, { bytes: bytes() });
    const error = await failure(read(binanceKlinesDaily, { ...btc, date: '2024-01-31' }));
    expect({ code: error.code, kind: error.kind }).toEqual({ code, kind: 'data' });
    expect(error.message).toContain(text);
  });
});

describe.skipIf(!hasArchive)('the real mirror (skipped without ../shared/data)', () => {
  test('every kline file is observed, verified and read at the version observed', async () => {
    resource = resourceOf({ directory: archive });
    let files = 0;
    for (const [source, time] of [
      [binanceKlinesDaily, 'date'],
      [binanceKlinesMonthly, 'month'],
    ] as const) {
      for (const { partition, version, bytes } of await observe(source)) {
        const { [time]: period = '', ...series } = partition;
        const result = await read(source, { ...series, [time]: period });
        expect([result.version, result.bytes.length]).toEqual([version, bytes]);
        expect(inflateMember(readSingleMember(result.bytes, 'zip')).length).toBeGreaterThan(0);
        files += 1;
      }
    }
    expect(files).toBe(75);
  });
});

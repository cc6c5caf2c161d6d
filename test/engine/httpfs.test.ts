import { createHash } from 'node:crypto';
import { tracingChannel } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { bigint, columns, text } from '../../framework/define/columns.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { sql } from '../../framework/define/sql.ts';
import type { BoundInput, Engine, LakeView, RemoteAccess, RemoteSettings } from '../../framework/engine/port.ts';
import { httpfs, needsHttpfs } from '../support/httpfs.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { compute, partsOf, target, workshop } from './support.ts';

const signal = new AbortController().signal;
const shop = await workshop();
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const schema = columns({ n: bigint(), s: text() });
const ticks = asset('silver/ticks', { partitions, columns: schema, sortBy: ['n'], compute: () => [] });
const sums = asset('gold/sums', {
  partitions,
  inputs: { ticks },
  columns: columns({ total: bigint(), longest: text() }),
  query: ({ ticks: from }) => sql`SELECT sum(n)::BIGINT AS total, max(s) AS longest FROM ${from}`,
});
const targets = ['A', 'B%2F C'].map((symbol) => target(ticks, { symbol, date: '2024-01-01' }));
const SECRET = 'wrong/secret+that+nobody+must+see';

async function rows(engine: Engine, statement: string, views: readonly LakeView[]): Promise<unknown[]> {
  const result = await engine.query(statement, views, signal);
  const out: unknown[] = [];
  for await (const batch of result.batches) out.push(...batch);
  return out;
}

describe('without the extension', () => {
  const settings: RemoteSettings = {
    scope: 's3://lake/',
    pathStyle: true,
    required: false,
    extension: '/nowhere/httpfs.duckdb_extension',
    access: () => Promise.reject(new Error('nobody asks for credentials that are not used')),
  };

  test('it is said why, and everything else goes on', async () => {
    const engine = shop.open({ remote: settings });
    expect(await engine.remote()).toEqual({
      scope: undefined,
      why: 'IO Error: Extension "/nowhere/httpfs.duckdb_extension" not found.',
    });
    expect(await rows(engine, 'SELECT 1', [])).toEqual([[1]]);
  });

  test('it is an error where there is no other way, and says what to do', async () => {
    const { extension, ...installed } = settings;
    await expect(shop.open({ remote: { ...settings, required: true } }).remote()).rejects.toMatchObject({
      code: 'httpfs-unavailable',
      kind: 'usage',
      hint: 'Look at the setting s3.httpfs, or say --set s3.reads=cache.',
    });
    const { scope } = await shop.open({ remote: installed }).remote();
    if (scope !== undefined) return;
    await expect(shop.open({ remote: { ...installed, required: true } }).remote()).rejects.toMatchObject({
      code: 'httpfs-unavailable',
      hint: expect.stringContaining('INSTALL httpfs'),
    });
  });
});

describe.skipIf(needsHttpfs !== '')(`DuckDB reading a bucket${needsHttpfs}`, () => {
  let server: S3Server;
  let remote: RemoteSettings;
  let engine: Engine;
  let local: BoundInput;
  let there: BoundInput;
  const url = (name: string) => `s3://${server.bucket}/some where/${name}`;

  beforeAll(async () => {
    server = await startS3();
    const { accessKeyId, secretAccessKey, region, endpoint, bucket } = server;
    remote = {
      scope: `s3://${bucket}/some where/`,
      endpoint,
      pathStyle: true,
      extension: httpfs,
      required: true,
      access: async () => ({ region, accessKeyId, secretAccessKey }),
    };
    engine = shop.open({ remote });
    const stored = await compute(shop, ticks, targets, [], {
      rows: targets.map((_, i) => Array.from({ length: 3000 }, (__, n) => ({ n: BigInt(n), s: `${i} ${n}` }))),
    });
    const parts = partsOf(stored, targets);
    const Body = await readFile(parts[0]?.path ?? '');
    for (const Key of ['some where/date=1/symbol=B%252F/a.parquet', 'some where/other.parquet', 'else/a.parquet'])
      await server.client.putObject({ Bucket: bucket, Key, Body });
    const pairs = Int32Array.of(0, 0, 1, 1);
    local = { name: 'ticks', definition: ticks, parts, pairs };
    there = { ...local, parts: parts.map((part) => ({ ...part, path: url('date=1/symbol=B%252F/a.parquet') })) };
  }, 60_000);
  afterAll(() => server?.stop());

  test('gives the same bytes', async () => {
    const made = async (input: BoundInput) => {
      const { packs, outcomes } = await compute(shop, sums, targets, [input], { engine });
      const content = await readFile(packs[0]?.path ?? '');
      return { outcomes, sha256: createHash('sha256').update(content).digest('hex') };
    };
    expect(await engine.remote()).toEqual({ scope: remote.scope });
    expect(await made(there)).toEqual(await made(local));
    const paths = (input: BoundInput) => [...new Set(input.parts.map(({ path }) => path))];
    expect(await engine.carriable(ticks, paths(there), signal)).toEqual([true]);
    const [path = ''] = paths(there);
    const hashed = async (one: string) =>
      (await engine.hashPack(ticks, one, signal)).sort((a, b) => Buffer.compare(a.version, b.version));
    expect(await hashed(path)).toEqual(await hashed(paths(local)[0] ?? ''));
  });

  test('a query sees the files it is given, and nothing else of the bucket', async () => {
    const views: LakeView[] = [{ definition: ticks, files: there.parts.slice(0, 1).map(({ path }) => path) }];
    expect(
      await rows(engine, 'SELECT symbol, count(*), max(n) FROM silver.ticks GROUP BY 1 ORDER BY 1', views),
    ).toEqual([
      ['A', 3000n, 2999n],
      ['B%2F C', 3000n, 2999n],
    ]);
    for (const other of ['other.parquet', '*.parquet', '../else/a.parquet'])
      await expect(rows(engine, `SELECT * FROM read_parquet('${url(other)}')`, views), other).rejects.toThrow();
    await expect(rows(engine, `FROM read_text('${server.endpoint}/')`, views)).rejects.toThrow();
  });

  test('nobody is shown the credentials: not a query, not an error, not a trace', async () => {
    const seen: unknown[] = [];
    const channel = tracingChannel<unknown, object>('crypto-lakehouse:work');
    const listen = { start: (one: object) => seen.push(one), error: (one: object) => seen.push(one) };
    const all = { ...listen, end: () => undefined, asyncStart: () => undefined, asyncEnd: () => undefined };
    channel.subscribe(all);
    try {
      const views: LakeView[] = [{ definition: ticks, files: there.parts.slice(0, 1).map(({ path }) => path) }];
      seen.push(await rows(engine, "FROM duckdb_secrets() SELECT name, contains(secret_string, 'redacted')", views));
      for (const statement of [
        'FROM duckdb_secrets(redact = false)',
        "SELECT current_setting('s3_secret_access_key')",
        'FROM silver.nothing',
      ])
        seen.push(await rows(engine, statement, views).catch((error: unknown) => error));
      const access: RemoteAccess = { ...(await remote.access()), secretAccessKey: SECRET, sessionToken: `${SECRET}2` };
      const refused = shop.open({ remote: { ...remote, access: async () => access } });
      const error = await rows(refused, 'FROM silver.ticks', views).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ kind: 'transient' });
      seen.push(error, await rows(refused, 'FROM duckdb_secrets()', views).catch((cause: unknown) => cause));
    } finally {
      channel.unsubscribe(all);
    }
    const said = inspect(seen, { depth: 20, maxStringLength: null, maxArrayLength: null, showHidden: true });
    expect(said).toContain('silver.ticks');
    expect(said).toContain('lakehouse');
    for (const secret of [SECRET, server.secretAccessKey]) expect(said).not.toContain(secret);
  });

  test('keys of the environment are shown by no setting', async () => {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
    for (const name of names) process.env[name] = `${name} ${SECRET}`;
    try {
      const views: LakeView[] = [{ definition: ticks, files: there.parts.slice(0, 1).map(({ path }) => path) }];
      const found = await rows(engine, "SELECT name FROM duckdb_settings() WHERE contains(value, 'AWS_')", views);
      expect(found).toEqual([]);
    } finally {
      for (const name of names) delete process.env[name];
    }
  });

  test('credentials that are renewed are taken over by the work that begins then', async () => {
    const good = await remote.access();
    let access: RemoteAccess = { ...good, secretAccessKey: 'expired' };
    const renewed = shop.open({ remote: { ...remote, access: async () => access } });
    const [path = ''] = there.parts.map((part) => part.path);
    await expect(renewed.carriable(ticks, [path], signal)).rejects.toMatchObject({ kind: 'transient' });
    access = good;
    const all = await Promise.all(Array.from({ length: 20 }, () => renewed.carriable(ticks, [path], signal)));
    expect(all).toEqual(all.map(() => [true]));
  });

  test('an object that is gone is a missing file', async () => {
    const files = [url('gone.parquet')];
    await expect(engine.carriable(ticks, files, signal)).rejects.toMatchObject({
      code: 'file-missing',
      kind: 'transient',
    });
  });
});

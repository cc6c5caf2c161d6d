import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { httpfs, needsHttpfs } from '../support/httpfs.ts';
import { describeS3, s3Proxy } from '../support/s3.ts';
import { type Options, place } from './support.ts';

// Many commands each: seconds where there is nothing else to do, more where there is.
vi.setConfig({ testTimeout: 120_000 });

describeS3('a lake on S3, by the command line', (server) => {
  test('is made, asked, verified and cleaned as one in a directory, and nobody is shown a key', async () => {
    const { accessKeyId, secretAccessKey, client, bucket, env } = server();
    const here = await place();
    const sets = server()
      .settings('cli')
      .flatMap((one) => ['--set', one]);
    let said = '';
    const lakehouse = async ([command = '', ...args]: string[], more: Options['io'] = {}) => {
      const answer = await here.run([command, ...sets, ...args], { io: { env, ...more } });
      said += answer.out + answer.err;
      return answer;
    };
    const objects = async () =>
      ((await client.listObjectsV2({ Bucket: bucket, Prefix: 'cli/' })).Contents ?? []).map(({ Key = '' }) => Key);

    expect(await lakehouse(['materialize'])).toMatchObject({ code: 0 });
    expect((await lakehouse(['materialize'])).out).toContain('Nothing to do');
    expect(await lakehouse(['status'])).toMatchObject({ code: 0, out: expect.stringMatching(/gold\/days +6 +-/) });
    const rows = ['query', 'SELECT symbol, date, high FROM gold.days ORDER BY ALL LIMIT 2', '--format', 'csv'];
    expect((await lakehouse(rows)).out.split(/\r?\n/)).toEqual([
      'symbol,date,high',
      'AAA,2024-01-01,201.00',
      'AAA,2024-01-02,202.00',
      '',
    ]);
    expect((await lakehouse(['query', 'SELECT path FROM raw.days', '--format', 'csv'])).out).toMatch(
      `s3://${bucket}/cli/raw/days/symbol=AAA/`,
    );
    const through = 'Tables and original files are read from S3 through the local cache (s3.reads is cache).';
    expect((await lakehouse(['config', '--set', 's3.reads=cache'])).out).toContain(through);
    expect((await lakehouse(['daemon', '--once', '--set', 's3.reads=cache'])).out).toContain(through);

    // What a process left that died between the objects and the log.
    await client.putObject({ Bucket: bucket, Key: 'cli/gold/days/symbol=AAA/2024-01-01.lost.parquet', Body: 'x' });
    const now = () => Date.now() + 30 * 86_400_000;
    expect((await lakehouse(['verify'])).out).toContain('1 unknown');
    expect((await lakehouse(['gc'], { now })).out).toContain('2024-01-01.lost.parquet');
    expect(await objects()).toContain('cli/gold/days/symbol=AAA/2024-01-01.lost.parquet');
    expect(await lakehouse(['gc', '--yes'], { now })).toMatchObject({ code: 0 });
    expect(await objects()).not.toContain('cli/gold/days/symbol=AAA/2024-01-01.lost.parquet');
    expect(await lakehouse(['verify', '--deep'])).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });

    // The cache has the bytes as they were, and hides nothing.
    const [rotten = ''] = (await objects()).filter((key) => key.startsWith('cli/gold/days/'));
    const size = (await client.headObject({ Bucket: bucket, Key: rotten })).ContentLength ?? 0;
    await client.putObject({ Bucket: bucket, Key: rotten, Body: Buffer.alloc(size, 'rot') });
    expect(await lakehouse(['verify'])).toMatchObject({ code: 0, out: expect.stringContaining('verify --deep') });
    expect(await lakehouse(['verify', '--deep'])).toMatchObject({
      code: 1,
      out: expect.stringContaining(`${rotten.slice('cli/'.length)} has SHA-256`),
    });
    expect(await lakehouse(['wipe', 'gold/days', '--yes'])).toMatchObject({ code: 0 });
    expect(await lakehouse(['materialize'])).toMatchObject({ code: 0 });
    await client.deleteObject({
      Bucket: bucket,
      Key: (await objects()).find((key) => key.startsWith('cli/silver/prices')),
    });
    expect((await lakehouse(['verify'])).out).toContain('is missing');

    // Errors of the store.
    const wrong = { env: { ...env, AWS_SECRET_ACCESS_KEY: 'another/secret+key+that+is+wrong0123456' } };
    expect(await lakehouse(['verify'], wrong)).toMatchObject({
      code: 2,
      err: expect.stringContaining('SignatureDoesNotMatch'),
    });
    await using proxy = await s3Proxy(server().endpoint, (_, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end(
        `<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>${accessKeyId}</AWSAccessKeyId><StringToSign>${secretAccessKey}</StringToSign></Error>`,
      );
      return true;
    });
    expect(await lakehouse(['verify', '--set', `s3.endpoint=${proxy.endpoint}`])).toMatchObject({
      code: 2,
      err: expect.stringContaining('InvalidAccessKeyId'),
    });

    const state = await readFile(join(here.cwd, 'data/.lakehouse/state.sqlite'), 'latin1');
    for (const secret of [accessKeyId, secretAccessKey, wrong.env.AWS_SECRET_ACCESS_KEY]) {
      expect(said).not.toContain(secret);
      expect(state).not.toContain(secret);
    }
  });

  test.skipIf(needsHttpfs !== '')(`is read by DuckDB itself where that can be, and says so${needsHttpfs}`, async () => {
    const here = await place();
    const sets = [...server().settings('direct'), `s3.httpfs=${httpfs}`].flatMap((one) => ['--set', one]);
    let said = '';
    const lakehouse = async ([command = '', ...args]: string[]) => {
      const answer = await here.run([command, ...sets, ...args], { io: { env: server().env } });
      said += answer.out + answer.err;
      return answer;
    };
    expect((await lakehouse(['config'])).out).toContain("Tables are read from S3 by DuckDB's httpfs");
    expect(JSON.parse((await lakehouse(['config', '--json'])).out)).toMatchObject({ reads: { by: 'httpfs' } });
    expect(await lakehouse(['materialize'])).toMatchObject({ code: 0 });
    const rows = ['query', 'SELECT symbol, date, high FROM gold.days ORDER BY ALL LIMIT 1', '--format', 'csv'];
    expect((await lakehouse(rows)).out.split(/\r?\n/)).toEqual(['symbol,date,high', 'AAA,2024-01-01,201.00', '']);
    expect(await lakehouse(['verify', '--deep'])).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });

    const secrets = await lakehouse([
      'query',
      'SELECT d.high, s.* FROM gold.days d, duckdb_secrets() s LIMIT 1',
      '--format',
      'csv',
    ]);
    expect(secrets).toMatchObject({ code: 0, out: expect.stringContaining('redacted') });
    expect(said).not.toContain(server().secretAccessKey);

    const missing = ['--set', 's3.httpfs=/nowhere/httpfs.duckdb_extension'];
    expect(JSON.parse((await lakehouse(['config', '--json', ...missing])).out)).toMatchObject({
      reads: { by: 'cache', why: expect.stringContaining('/nowhere/httpfs.duckdb_extension') },
    });
    expect(await lakehouse([...rows, ...missing])).toMatchObject({ code: 0, out: expect.stringContaining('201.00') });
    expect(await lakehouse([...rows, ...missing, '--set', 's3.reads=httpfs'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('s3.reads=cache'),
    });
  });
});

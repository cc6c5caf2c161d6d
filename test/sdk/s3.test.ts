import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLakehouse } from 'crypto-lakehouse';
import { expect, onTestFinished, test } from 'vitest';
import { describeS3 } from '../support/s3.ts';
import { fewDays, smallLake } from './lake.ts';

describeS3('openLakehouse on S3', (server) => {
  test('computes and reads with the keys of the environment', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'lakehouse-sdk-'));
    onTestFinished(() => rm(cwd, { recursive: true, force: true }));
    const { env, bucket, client, secretAccessKey } = server();
    const { definition, ticks, bars, notes } = smallLake(fewDays());
    const set = [...server().settings('sdk'), 'dataDir=./log', 'workflow.retryAttempts=0'];
    await using lake = await openLakehouse({ cwd, env, definition, set, onWarning: () => undefined });
    expect({ root: lake.root, directory: lake.directory }).toEqual({
      root: `s3://${bucket}/sdk`,
      directory: join(cwd, 'log'),
    });
    expect(await lake.materialize()).toMatchObject({ outcome: 'succeeded', failures: [] });
    expect((await client.listObjectsV2({ Bucket: bucket, Prefix: 'sdk/gold/bars/' })).KeyCount).toBeGreaterThan(0);

    await using reader = await openLakehouse({ cwd, env, definition, set, mode: 'read', onWarning: () => undefined });
    const um = reader.read(bars, { market: 'um' }, { columns: ['day', 'high'] });
    expect(await um.rows()).toEqual([
      { day: '2024-01-30', high: '30.00' },
      { day: '2024-01-31', high: '31.00' },
      { day: '2024-02-01', high: '32.00' },
    ]);
    expect((await um.arrow()).numRows).toBe(3);
    expect(await reader.sql`SELECT count(*) AS n FROM ${ticks} WHERE symbol = ${'A_B'}`.rows()).toEqual([{ n: 3n }]);
    for await (const { bytes } of reader.read(notes, { symbol: 'A_B', date: '2024-02' }).originals())
      expect(Buffer.from(bytes).toString()).toBe('note of A_B');

    const wrong = { ...env, AWS_SECRET_ACCESS_KEY: 'not/the+right=secret' };
    const error = await openLakehouse({ cwd, env: wrong, definition, set }).then(String, String);
    expect(error).toContain('LakehouseError');
    expect(error).not.toContain('not/the+right');
    expect(error).not.toContain(secretAccessKey);
  });
});

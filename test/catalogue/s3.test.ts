import { expect, test } from 'vitest';
import { assetCatalogueSchema, catalogueSchema } from '../../framework/catalogue/document.ts';
import { ticksOf } from '../materialize/fixture.ts';
import { run } from '../materialize/lake.ts';
import { atEnd, NOW, tiny } from '../materialize/support.ts';
import { describeS3 } from '../support/s3.ts';
import { startGlue } from './glue-server.ts';

describeS3('a lake on S3', (server) => {
  test('has its catalogue there and its tables in Glue, and what either names exists: also what was named before', async () => {
    const glue = await startGlue();
    atEnd(async () => glue[Symbol.asyncDispose]());
    const { bucket, client, accessKeyId, secretAccessKey, settings } = server();
    let now = NOW;
    const { lake, archive } = await tiny({
      now: () => now,
      sets: [
        ...settings('lakes/one'),
        `s3.accessKeyId=${accessKeyId}`,
        `s3.secretAccessKey=${secretAccessKey}`,
        'catalogue.glue.enabled=true',
        'catalogue.glue.database=lake',
        'catalogue.glue.region=eu-central-1',
        'catalogue.glue.catalogId="123456789012"',
        `catalogue.glue.endpoint=${glue.endpoint}`,
      ],
    });
    const read = async (key: string) => {
      const { Body } = await client.getObject({ Bucket: bucket, Key: `lakes/one/${key}` });
      return (await Body?.transformToString()) ?? '';
    };
    const keys = async (prefix: string) => {
      const { Contents = [] } = await client.listObjectsV2({ Bucket: bucket, Prefix: `lakes/one/${prefix}` });
      return Contents.map(({ Key = '' }) => Key.slice('lakes/one/'.length));
    };
    const catalogued = async () => {
      const { assets } = catalogueSchema.parse(JSON.parse(await read('_catalog.json')));
      const document = assetCatalogueSchema.parse(JSON.parse(await read(assets['silver/ticks']?.catalog ?? '')));
      return document.series.flatMap(({ files }) => files.map(({ path }) => path));
    };
    const listed = async () => {
      const found: string[] = [];
      for (const { StorageDescriptor } of glue.state.partitions.get('silver_ticks')?.values() ?? []) {
        const manifest = `${StorageDescriptor.Location}/manifest`.replace(`s3://${bucket}/lakes/one/`, '');
        for (const uri of (await read(manifest)).trimEnd().split('\n'))
          found.push(uri.replace(`s3://${bucket}/lakes/one/`, ''));
      }
      return found;
    };

    archive.days('A', '2020-04', 1, 2).days('B', '2020-04', 1, 2);
    const first = await run(lake, { selection: '+silver/ticks' });
    expect(first.events.filter(({ type }) => type === 'warning')).toEqual([]);
    const before = await catalogued();
    expect(before).toEqual(await keys('silver/ticks/'));
    expect(await listed()).toEqual(before);

    archive.put('A', '2020-04-02', ticksOf('2020-04-02', 9, 77));
    await run(lake, { selection: '+silver/ticks' });
    const after = await catalogued();
    expect(await listed()).toEqual(after);
    expect(after).not.toEqual(before);
    // Those who have read the catalogue or a manifest before go on reading what it named.
    const there = await keys('silver/ticks/');
    expect([...before, ...after].filter((path) => !there.includes(path))).toEqual([]);

    now += 61 * 60_000;
    await run(lake, { selection: '+silver/ticks' });
    expect(await keys('silver/ticks/')).toEqual(after);
    expect(await listed()).toEqual(after);
  });
});

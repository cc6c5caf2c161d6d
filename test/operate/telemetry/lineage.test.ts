import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { createLineage, type LineageEvent, uuidOf } from '../../../framework/operate/telemetry/lineage.ts';
import { run } from '../../materialize/lake.ts';
import { tiny } from '../../materialize/support.ts';
import { canRead, readWith, receiver, telemetryOf, without } from './wire.ts';

/** Events of runs of a tiny lake: one in which a partition fails, one of which there is nothing to compute, one that was cut off. */
async function events() {
  const { lake, archive, directory } = await tiny();
  archive.days('AAA', '2020-04', 1, 3);
  archive.put('AAA', '2020-04-02', '2020-04-02 00:00:00,cheap,1\n');
  const file = join(directory, 'lineage.ndjson');
  const { url, received } = await receiver();
  const sets = [
    `telemetry.openLineage.file=${file}`,
    `telemetry.openLineage.url=${url}/`,
    'telemetry.openLineage.apiKey=hunter2',
    'telemetry.openLineage.namespace=lake',
  ];
  const telemetry = await telemetryOf(lake, directory, sets);
  const { run: id } = await run(lake, { selection: '+gold/*' }, telemetry.follow(lake, 'schedule nightly'));
  await run(lake, { selection: '+silver/ticks' }, telemetry.follow(lake, 'schedule nightly'));
  const cut = telemetry.follow(lake, 'materialize');
  cut({ type: 'run-started', run: 'cut', at: 0, selection: '*' });
  cut({ type: 'asset-started', asset: 'silver/ticks', partitions: 1, batches: 1, causes: {} });
  const counts = {
    computed: 0,
    changed: 0,
    failed: 0,
    held: 0,
    standing: 0,
    departed: 0,
    checksFailed: 0,
    rows: 0,
    bytes: 0,
  };
  cut({ type: 'run-finished', run: 'cut', outcome: 'cancelled', counts, ms: 1 });
  await telemetry.close();
  const text = readFileSync(file, 'utf8');
  const list = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LineageEvent);
  return { id, list, text, received, directory, log: telemetry.log };
}

const short = ({ eventType, job }: LineageEvent) => `${eventType} ${job.name}`;

test('each asset of a run begins and ends once, inside the run', async () => {
  const { id, list, received, log } = await events();
  expect(log).toEqual([]);
  expect(received.map(({ path, headers, body }) => [path, headers.authorization, JSON.parse(body)])).toEqual(
    list.map((event) => ['/api/v1/lineage', 'Bearer hunter2', event]),
  );
  expect(list.map(short).sort()).toEqual(
    [
      'START schedule nightly',
      ...['bronze/days', 'silver/ticks', 'gold/chain', 'gold/function', 'gold/overview', 'gold/window'].map(
        (a) => `START ${a}`,
      ),
      'COMPLETE bronze/days',
      'FAIL silver/ticks',
      ...['gold/chain', 'gold/function', 'gold/overview', 'gold/window'].map((a) => `COMPLETE ${a}`),
      'FAIL schedule nightly',
      'START schedule nightly',
      'FAIL schedule nightly',
      'START materialize',
      'START silver/ticks',
      'ABORT silver/ticks',
      'ABORT materialize',
    ].sort(),
  );
  const runs = Map.groupBy(list, (event) => event.run.runId);
  for (const [, own] of runs) expect(own.map(({ eventType }) => eventType === 'START')).toEqual([true, false]);
  const parents = list.filter(({ job }) => job.name === 'bronze/days').map(({ run }) => run.facets?.parent);
  expect(parents[0]).toMatchObject({
    run: { runId: uuidOf(id) },
    job: { namespace: 'lake', name: 'schedule nightly' },
  });
});

test('what was read and written, with schema, columns, numbers and what went wrong', async () => {
  const { list, directory, id } = await events();
  const ended = list.find((event) => short(event) === 'FAIL silver/ticks');
  const producer = 'urn:crypto-lakehouse:1.2.3';
  const facet = (version: string, name: string) => ({
    _producer: producer,
    _schemaURL: `https://openlineage.io/spec/facets/${version}/${name}.json#/$defs/${name}`,
  });
  const field = (name: string, type: string, i: number) => ({ name, type, ordinal_position: i });
  const dataSource = { ...facet('1-0-1', 'DatasourceDatasetFacet'), name: 'lake', uri: pathToFileURL(directory).href };
  const text = (name: string, i: number) => field(name, 'VARCHAR', i);
  expect(ended).toEqual({
    eventType: 'FAIL',
    eventTime: '2020-04-10T12:00:00.000Z',
    producer,
    schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
    run: {
      runId: uuidOf(`${id} silver/ticks`),
      facets: {
        parent: {
          ...facet('1-2-0', 'ParentRunFacet'),
          run: { runId: uuidOf(id) },
          job: { namespace: 'lake', name: 'schedule nightly' },
        },
        errorMessage: {
          ...facet('1-0-1', 'ErrorMessageRunFacet'),
          message: expect.stringContaining('cheap'),
          programmingLanguage: 'TypeScript',
        },
      },
    },
    job: {
      namespace: 'lake',
      name: 'silver/ticks',
      facets: {
        jobType: {
          ...facet('2-0-4', 'JobTypeJobFacet'),
          processingType: 'BATCH',
          integration: 'CRYPTO_LAKEHOUSE',
          jobType: 'ASSET',
        },
        sql: { ...facet('1-1-0', 'SQLJobFacet'), query: expect.stringMatching(/^SELECT /), dialect: 'duckdb' },
      },
    },
    inputs: [
      {
        namespace: 'lake',
        name: 'bronze/months',
        facets: {
          schema: {
            ...facet('1-2-0', 'SchemaDatasetFacet'),
            fields: [
              text('symbol', 1),
              field('month', 'DATE', 2),
              text('open_time', 3),
              text('price', 4),
              text('amount', 5),
            ],
          },
          dataSource,
        },
      },
      {
        namespace: 'lake',
        name: 'bronze/days',
        facets: {
          schema: {
            ...facet('1-2-0', 'SchemaDatasetFacet'),
            fields: [
              text('symbol', 1),
              field('date', 'DATE', 2),
              text('open_time', 3),
              text('price', 4),
              text('amount', 5),
            ],
          },
          dataSource,
        },
      },
    ],
    outputs: [
      {
        namespace: 'lake',
        name: 'silver/ticks',
        facets: {
          schema: {
            ...facet('1-2-0', 'SchemaDatasetFacet'),
            fields: [
              text('symbol', 1),
              field('date', 'DATE', 2),
              field('open_time', 'TIMESTAMP', 3),
              field('price', 'DECIMAL(18,4)', 4),
              field('amount', 'DOUBLE', 5),
            ],
          },
          dataSource,
          columnLineage: {
            ...facet('1-2-0', 'ColumnLineageDatasetFacet'),
            fields: Object.fromEntries(
              ['open_time', 'price', 'amount'].map((name) => [
                name,
                {
                  inputFields: ['bronze/months', 'bronze/days'].map((asset) => ({
                    namespace: 'lake',
                    name: asset,
                    field: name,
                  })),
                },
              ]),
            ),
          },
        },
        outputFacets: {
          outputStatistics: {
            ...facet('1-0-2', 'OutputStatisticsOutputDatasetFacet'),
            rowCount: 12,
            size: expect.any(Number),
          },
        },
      },
    ],
  });
});

test('an asset that fails before it begins begins and fails', async () => {
  const { lake } = await tiny();
  const eventsOf = createLineage({
    graph: lake.graph,
    namespace: 'n',
    job: 'j',
    store: { kind: 's3', root: 's3://bucket/lake' },
    version: '1',
    now: lake.now,
    redact: (text) => text.replaceAll('hunter2', '***'),
  });
  const counts = {
    computed: 0,
    changed: 0,
    failed: 2,
    held: 0,
    standing: 0,
    departed: 0,
    checksFailed: 0,
    rows: 0,
    bytes: 0,
  };
  const failed = (partition: string) =>
    eventsOf({
      type: 'partition-failed',
      asset: 'gold/chain',
      partition,
      error: { message: `no ${partition} hunter2` },
    });
  const told = [
    ...eventsOf({ type: 'run-started', run: 'r', at: 0, selection: '*' }),
    ...failed('a'),
    ...failed('b'),
    ...eventsOf({ type: 'run-finished', run: 'r', outcome: 'failed', counts, ms: 1 }),
  ];
  expect(told.map(short)).toEqual(['START j', 'START gold/chain', 'FAIL gold/chain', 'FAIL j']);
  expect(told.map(({ run }) => run.facets?.errorMessage?.message)).toEqual([
    undefined,
    undefined,
    'no a *** (the first of 2 partitions that failed)',
    '2 partitions failed, 0 failed a check',
  ]);
});

test.skipIf(!canRead)(`events are what the specification's own client knows${without}`, async () => {
  const { list, text } = await events();
  expect(readWith('openlineage', text)).toEqual(list.map(() => null));
  // The reader does refuse.
  const good = JSON.stringify(list.find((event) => short(event) === 'FAIL silver/ticks'));
  const bad = [
    good.replace(/"runId":"[0-9a-f]/, '"runId":"x'),
    good.replace('"name":"silver/ticks"', '"title":"silver/ticks"'),
    good.replace('"rowCount":12', '"rowCount":"12"'),
    good.replace('"fields":', '"columns":'),
    good.replace('1-2-0/SchemaDatasetFacet', '9-9-9/SchemaDatasetFacet'),
  ];
  expect(readWith('openlineage', bad.join('\n'))).toEqual(bad.map(() => expect.any(String)));
});

/** A checkout of the published specification; its schemas are read, not kept here. */
const spec = process.env.OPENLINEAGE_SPEC ?? '';
const hint = existsSync(spec) ? '' : ' (skipped: OPENLINEAGE_SPEC=<folder spec/ of the OpenLineage repository>)';

describe.skipIf(!existsSync(spec))(`the published JSON schemas${hint}`, () => {
  test('hold for every event and every facet', async () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const files = ['OpenLineage.json', ...readdirSync(join(spec, 'facets')).map((name) => join('facets', name))];
    const core = (JSON.parse(readFileSync(join(spec, 'OpenLineage.json'), 'utf8')) as { $id: string }).$id;
    // Facets that have not changed for long still name the core schema of their time.
    const read = (name: string) =>
      readFileSync(join(spec, name), 'utf8').replace(
        /https:\/\/openlineage\.io\/spec\/[\d-]+\/OpenLineage\.json/g,
        core,
      );
    const schemas = files.map((name) => JSON.parse(read(name)) as { $id: string });
    for (const schema of schemas) ajv.addSchema(schema);
    const idOf = (name: string) => schemas.find(({ $id }) => $id.endsWith(`/${name}`))?.$id;
    const problems = (ref: string, value: unknown) => (ajv.validate({ $ref: ref }, value) ? [] : (ajv.errors ?? []));
    const facetsOf = (value: unknown): Record<string, unknown>[] =>
      typeof value === 'object' && value !== null
        ? [
            ...('_schemaURL' in value ? [value as Record<string, unknown>] : []),
            ...Object.values(value).flatMap(facetsOf),
          ]
        : [];
    const { list } = await events();
    let looked = 0;
    for (const event of list) {
      expect(problems(`${core}#/$defs/RunEvent`, event)).toEqual([]);
      for (const facet of facetsOf(event)) {
        const name = /([A-Za-z]+)\.json#/.exec(String(facet._schemaURL))?.[1];
        expect(problems(`${idOf(`${name}.json`)}#/$defs/${name}`, facet)).toEqual([]);
        looked++;
      }
    }
    expect(looked).toBeGreaterThan(100);
  });
});

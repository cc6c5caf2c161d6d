import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AssetCatalogue } from '../../framework/catalogue/document.ts';
import type { GlueApi } from '../../framework/catalogue/glue/api.ts';
import { glueClient } from '../../framework/catalogue/glue/client.ts';
import { tableInput } from '../../framework/catalogue/glue/tables.ts';
import { publish } from '../../framework/materialize/catalogue.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { wipePartitions } from '../../framework/materialize/recorded.ts';
import { applyFilter, parseFilter } from '../../framework/partition/filter.ts';
import { presentSet } from '../../framework/plan/universe.ts';
import { ticksOf } from '../materialize/fixture.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { atEnd, type Tiny, temporaryDirectory, tiny } from '../materialize/support.ts';
import { type GlueServer, type Partition, startGlue } from './glue-server.ts';
import { kindsLake, NOON } from './kinds.ts';
import { python } from './python.ts';

const ROOT = 's3://bucket/lakes/test';
const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'the secret' };

const connect = (endpoint: string): Promise<GlueApi> =>
  glueClient({ database: 'lake', catalogId: '123456789012', region: 'eu-central-1', endpoint, credentials });

/** The lake as one on S3 that registers its tables. The objects are in a directory all the same: Glue never looks at them. */
function registering(lake: OpenedLake, endpoint: string, tablePrefix = ''): OpenedLake {
  const glue = { enabled: true, database: 'lake', tablePrefix };
  return {
    ...lake,
    store: { ...lake.store, root: ROOT },
    publishing: { ...lake.publishing, settings: { ...lake.publishing.settings, glue }, glue: () => connect(endpoint) },
  };
}

interface World extends Pick<Tiny, 'archive' | 'directory' | 'open'> {
  readonly server: GlueServer;
  readonly lake: OpenedLake;
}
async function world(): Promise<World> {
  const server = await startGlue();
  atEnd(async () => server[Symbol.asyncDispose]());
  const { lake, ...rest } = await tiny();
  return { ...rest, server, lake: registering(lake, server.endpoint) };
}

/** The files that a partition or table leads Athena to. */
async function manifest(directory: string, one: Partition | undefined): Promise<string[]> {
  const { Location = '' } = one?.StorageDescriptor ?? {};
  const text = await readFile(join(directory, Location.slice(ROOT.length), 'manifest'), 'utf8');
  return text.trimEnd().split('\n');
}
const current = ({ state }: OpenedLake, asset: string, series: string): string[] => {
  state.refresh();
  return [...state.files(asset)].flatMap((file) => (file.series === series ? [`${ROOT}/${file.path}`] : [])).sort();
};
const warnings = (events: readonly { readonly type: string }[]) => events.filter(({ type }) => type === 'warning');

test('after a run every table of the lake is there, over exactly the current files', async () => {
  const { server, lake, archive, directory } = await world();
  archive.days('A', '2020-01', 1, 3).days('B', '2020-01', 1, 3).days('B', '2020-04', 1, 2);
  const { events } = await run(lake, { selection: '+silver/ticks' });
  expect(warnings(events)).toEqual([]);
  expect(server.state.database).toEqual({ Name: 'lake' });
  expect([...server.state.tables.keys()].sort()).toEqual([
    'gold_chain',
    'gold_function',
    'gold_monthly',
    'gold_overview',
    'gold_window',
    'silver_ticks',
  ]);
  const storage = (location: string) => ({
    Columns: [
      { Name: 'date', Type: 'date' },
      { Name: 'open_time', Type: 'timestamp' },
      { Name: 'price', Type: 'decimal(18,4)' },
      { Name: 'amount', Type: 'double' },
    ],
    Location: `${ROOT}/_symlink_format_manifest/silver/ticks${location}`,
    InputFormat: 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      Parameters: { 'serialization.format': '1' },
    },
  });
  expect(server.state.tables.get('silver_ticks')).toEqual({
    Name: 'silver_ticks',
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: [{ Name: 'symbol', Type: 'string' }],
    StorageDescriptor: storage(''),
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      'lakehouse.lake': lake.state.meta('id'),
      'lakehouse.asset': 'silver/ticks',
      'lakehouse.catalog': expect.stringMatching(/^_catalog\/silver\/ticks\.\w+\.json$/),
      recordCount: '48',
      sizeKey: expect.stringMatching(/^\d+$/),
    },
  });
  const partitions = server.state.partitions.get('silver_ticks');
  expect(partitions?.get('["B"]')).toEqual({
    Values: ['B'],
    StorageDescriptor: storage('/symbol=B'),
    Parameters: { 'lakehouse.hash': expect.stringMatching(/^[0-9a-f]{32}$/) },
  });
  for (const symbol of ['A', 'B'])
    expect(await manifest(directory, partitions?.get(`["${symbol}"]`))).toEqual(
      current(lake, 'silver/ticks', `symbol=${symbol}`),
    );
  expect(current(lake, 'silver/ticks', 'symbol=B')).toHaveLength(3);
});

test('later runs ask once, and touch only what has changed', async () => {
  const { server, lake, archive, directory } = await world();
  archive.days('A', '2020-04', 1, 2).days('B', '2020-04', 1, 2).days('C', '2020-04', 1, 2);
  await run(lake, { selection: '+silver/ticks' });
  server.asked.length = 0;
  await run(lake, { selection: '+silver/ticks' });
  expect(server.asked).toEqual(['GetTables']);

  const before = new Map(server.state.partitions.get('silver_ticks'));
  server.asked.length = 0;
  archive.put('B', '2020-04-02', ticksOf('2020-04-02', 9, 77)).days('D', '2020-04', 1, 1);
  await run(lake, { selection: '+silver/ticks' });
  expect(server.asked).toEqual([
    'GetTables',
    'GetPartitions',
    'BatchCreatePartition',
    'BatchUpdatePartition',
    'UpdateTable',
  ]);
  const after = server.state.partitions.get('silver_ticks') ?? new Map();
  expect([...after.keys()].filter((key) => after.get(key) !== before.get(key))).toEqual(['["B"]', '["D"]']);
  expect(await manifest(directory, after.get('["B"]'))).toEqual(current(lake, 'silver/ticks', 'symbol=B'));

  // A series that is wiped.
  const node = lake.graph.node('silver/ticks');
  const set = applyFilter(
    node.space,
    presentSet(node, lake.state.refresh().asset('silver/ticks')),
    parseFilter('symbol=A'),
  );
  await wipePartitions(lake, 'silver/ticks', set, 'test', new AbortController().signal);
  server.asked.length = 0;
  const { changes } = await publish(lake);
  expect(changes).toEqual([
    {
      table: 'silver_ticks',
      asset: 'silver/ticks',
      change: 'updated',
      partitions: { created: 0, updated: 0, removed: 1 },
    },
  ]);
  expect(server.asked).toEqual(['GetTables', 'GetPartitions', 'BatchDeletePartition', 'UpdateTable']);
  expect([...after.keys()]).toEqual(['["B"]', '["C"]', '["D"]']);
  const gone = join(directory, '_symlink_format_manifest/silver/ticks/symbol=A/manifest');
  expect(existsSync(gone)).toBe(false);
});

test('many partitions go in as many requests as Glue takes, one that is throttled is repeated', async () => {
  await using server = await startGlue();
  const glue = await connect(server.endpoint);
  server.failNext('ThrottlingException', 'Rate exceeded');
  expect(await glue.tables()).toBeUndefined();
  await glue.createDatabase();
  await glue.createTable({ Name: 't', PartitionKeys: [{ Name: 'symbol', Type: 'string' }] });
  expect(await glue.tables()).toEqual([{ name: 't', parameters: {}, partitionKeys: ['symbol'] }]);
  const partitions = Array.from({ length: 230 }, (_, i) => ({
    Values: [`S${i}`],
    StorageDescriptor: { Location: 's3://bucket/x' },
    Parameters: { n: `${i}` },
  }));
  const values = partitions.map(({ Values }) => Values);
  server.asked.length = 0;
  await glue.createPartitions('t', partitions);
  const listed = await glue.partitions('t');
  await glue.updatePartitions('t', partitions.slice(0, 101));
  await glue.deletePartitions('t', values.slice(0, 51));
  const times = (name: string, count: number) => Array.from({ length: count }, () => name);
  expect(server.asked).toEqual([
    ...times('BatchCreatePartition', 3),
    // The server lists 40 at a time.
    ...times('GetPartitions', 6),
    ...times('BatchUpdatePartition', 2),
    ...times('BatchDeletePartition', 3),
  ]);
  expect(listed).toEqual(partitions.map(({ Values, Parameters }) => ({ values: Values, parameters: Parameters })));
  expect(await glue.partitions('t')).toHaveLength(179);
  // Batches are answered by 200, and what was not done is listed.
  await expect(glue.updatePartitions('t', partitions.slice(48, 53))).rejects.toMatchObject({
    code: 'glue-failed',
    message: 'Glue, updating partitions of t: EntityNotFoundException: Partition not found. (S48, and 2 more)',
  });
  glue.close();
});

test('what another process has made or removed meanwhile is no failure: what is made is as asked', async () => {
  await using server = await startGlue();
  const glue = await connect(server.endpoint);
  await glue.createDatabase();
  await glue.createTable({ Name: 't', PartitionKeys: [{ Name: 'symbol', Type: 'string' }] });
  const partition = (symbol: string, hash: string) => ({
    Values: [symbol],
    StorageDescriptor: { Location: 's3://bucket/x' },
    Parameters: { hash },
  });
  await glue.createPartitions('t', [partition('B', 'theirs')]);
  await glue.createPartitions('t', [partition('A', 'ours'), partition('B', 'ours')]);
  expect(await glue.partitions('t')).toEqual([
    { values: ['B'], parameters: { hash: 'ours' } },
    { values: ['A'], parameters: { hash: 'ours' } },
  ]);
  await glue.deletePartitions('t', [['A'], ['gone']]);
  expect((await glue.partitions('t')).map(({ values }) => values)).toEqual([['B']]);
  glue.close();
});

test('descriptions of several lines go in as Glue takes them', async () => {
  const { server, lake } = await world();
  const document: AssetCatalogue = {
    format: 1,
    lake: 'lake',
    asset: 'gold/a',
    revision: 1,
    description: `Two\nlines`,
    storage: 'parquet',
    code: '1',
    columns: [
      {
        name: 'x',
        type: 'DOUBLE',
        parquet: '',
        arrow: '',
        nullable: true,
        description: `One.\r\n  Two.\u0000${'😀'.repeat(200)}`,
      },
    ],
    partitionedBy: { series: [] },
    sortBy: [],
    statistics: { series: 0, files: 0, partitions: 0, rows: 0, bytes: 0 },
    series: [],
  };
  const input = tableInput(document, { name: 'gold_a', root: ROOT, catalog: 'c' });
  expect([input.Description, input.StorageDescriptor?.Columns?.[0]?.Comment]).toEqual([
    'Two lines',
    `One. Two. ${'😀'.repeat(122)}\ufffd`,
  ]);
  server.state.database = {};
  const glue = await connect(server.endpoint);
  await glue.createTable(input);
  expect([...server.state.tables.keys()]).toEqual(['gold_a']);
  glue.close();
  await lake.close();
});

test('a list of files that is lost is written again by a rebuild', async () => {
  const { lake, archive, directory, server } = await world();
  archive.days('A', '2020-04', 1, 1).days('B', '2020-04', 1, 1);
  await run(lake, { selection: '+silver/ticks' });
  const path = join(directory, '_symlink_format_manifest/silver/ticks/symbol=A/manifest');
  await rm(path);
  const { changes } = await publish(lake, { rebuild: true });
  expect(await manifest(directory, server.state.partitions.get('silver_ticks')?.get('["A"]'))).toEqual(
    current(lake, 'silver/ticks', 'symbol=A'),
  );
  // In Glue itself nothing had to change.
  expect(changes.find(({ asset }) => asset === 'silver/ticks')?.partitions).toEqual({
    created: 0,
    updated: 0,
    removed: 0,
  });
});

test('a table of somebody else is left alone, one of ours that is not wanted any more goes', async () => {
  const { server, lake, archive } = await world();
  archive.days('A', '2020-04', 1, 1);
  server.state.database = {};
  server.state.tables.set('silver_ticks', { Name: 'silver_ticks', Parameters: { owner: 'them' } });
  server.state.tables.set('other', { Name: 'other' });
  const { events, outcome } = await run(lake, { selection: '+silver/ticks' });
  expect(outcome).toBe('succeeded');
  expect(warnings(events)).toMatchObject([
    { message: 'silver/ticks is not registered in Glue: there is a table silver_ticks that is not of this lake' },
  ]);
  const renamed = registering(lake, server.endpoint, 'my_');
  const { changes } = await publish(renamed);
  expect(
    changes
      .filter(({ change }) => change === 'removed')
      .map(({ table }) => table)
      .sort(),
  ).toEqual(['gold_chain', 'gold_function', 'gold_monthly', 'gold_overview', 'gold_window']);
  expect([...server.state.tables.keys()].sort()).toEqual([
    'my_gold_chain',
    'my_gold_function',
    'my_gold_monthly',
    'my_gold_overview',
    'my_gold_window',
    'my_silver_ticks',
    'other',
    'silver_ticks',
  ]);
  expect(server.state.tables.get('silver_ticks')).toEqual({ Name: 'silver_ticks', Parameters: { owner: 'them' } });
});

test('what Glue refuses is a warning without secrets, and the next run does it', async () => {
  const { server, lake, archive } = await world();
  archive.days('A', '2020-04', 1, 1);
  server.state.database = {};
  // A wrong signature is answered by what was signed.
  const signed = 'The Canonical String for this request should have been\nx-amz-security-token:the token';
  server.failNext('InvalidSignatureException', `The signature of AKIAIOSFODNN7EXAMPLE does not match.\n${signed}`);
  const { events, outcome } = await run(lake, { selection: '+silver/ticks' });
  expect(outcome).toBe('succeeded');
  expect(warnings(events)).toEqual([
    {
      type: 'warning',
      asset: '',
      message: 'Glue, the tables of lake: InvalidSignatureException: The signature of *** does not match.',
      hint: 'The next run tries again; lakehouse catalogue sync does so now.',
    },
  ]);
  expect(JSON.stringify(events)).not.toContain(credentials.secretAccessKey);
  await run(lake, { selection: '+silver/ticks' });
  expect(server.state.partitions.get('silver_ticks')?.size).toBe(1);
});

test('a registration that broke off is gone on with', async () => {
  const { server, lake, archive } = await world();
  archive.days('A', '2020-04', 1, 1).days('B', '2020-04', 1, 1);
  await run(lake, { selection: '+silver/ticks' });
  // As it is when a process dies between the partitions and the table.
  const table = server.state.tables.get('silver_ticks');
  const { 'lakehouse.catalog': _, ...Parameters } = table?.Parameters ?? {};
  server.state.tables.set('silver_ticks', { Name: 'silver_ticks', ...table, Parameters });
  server.state.partitions.get('silver_ticks')?.delete('["B"]');
  server.asked.length = 0;
  await run(lake, { selection: 'silver/ticks', observe: false });
  expect(server.asked).toEqual(['GetTables', 'GetPartitions', 'BatchCreatePartition', 'UpdateTable']);
  expect([...(server.state.partitions.get('silver_ticks')?.keys() ?? [])]).toEqual(['["A"]', '["B"]']);
});

test('nothing is written with --dry-run', async () => {
  const { server, lake, archive, directory } = await world();
  archive.days('A', '2020-04', 1, 1);
  server.failNext('AccessDeniedException', 'not yet');
  server.state.database = {};
  await run(lake, { selection: '+silver/ticks' });
  server.asked.length = 0;
  const { written, changes } = await publish(lake, { rebuild: true, dryRun: true });
  expect(written).toHaveLength(6);
  expect(changes.find(({ asset }) => asset === 'silver/ticks')).toEqual({
    table: 'silver_ticks',
    asset: 'silver/ticks',
    change: 'created',
    partitions: { created: 1, updated: 0, removed: 0 },
  });
  expect(server.asked).toEqual(['GetTables']);
  expect(existsSync(join(directory, '_symlink_format_manifest'))).toBe(false);
});

test('a lake in a directory cannot be registered', async () => {
  await expect(tiny({ sets: ['catalogue.glue.enabled=true'] })).rejects.toMatchObject({
    code: 'glue-needs-s3',
    message: 'catalogue.glue.enabled is set, but the lake is in a directory',
  });
});

const moto = join(dirname(python), 'moto_server');
const hasMoto = existsSync(moto) && spawnSync(python, ['-c', 'import moto.glue']).status === 0;
const without = hasMoto
  ? ''
  : ' (SKIPPED: no moto; python3 -m venv node_modules/.wire && node_modules/.wire/bin/pip install -r test/catalogue/requirements.txt)';

test.skipIf(!hasMoto)(`moto, somebody else's Glue, takes all types and partitions${without}`, async () => {
  const server = spawn(moto, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(async () => {
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'close');
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
  while (address() === undefined) {
    if (server.exitCode !== null) throw new Error(said);
    await sleep(20);
  }
  const endpoint = address() ?? '';
  const directory = await temporaryDirectory();
  const opened = await openTestLake(kindsLake(), directory, { sets: ['engine.threads=1'], now: () => NOON });
  atEnd(() => opened.close());
  const lake = registering(opened, endpoint);
  const { events } = await run(lake);
  expect(warnings(events)).toEqual([]);
  const glue = await connect(endpoint);
  const tables = (await glue.tables()) ?? [];
  expect(tables.map(({ name, partitionKeys }) => [name, partitionKeys]).sort()).toEqual([
    ['gold_months_2', ['name']],
    ['gold_single', []],
    ['silver_hours', []],
    ['silver_kinds', ['name']],
  ]);
  expect((await glue.partitions('silver_kinds')).map(({ values }) => values[0]).sort()).toEqual([
    'NULL',
    'plain',
    'ü/=% x',
  ]);
  glue.close();
  const { changes, warnings: more } = await publish(lake, { rebuild: true });
  expect([more, changes.map(({ change, partitions }) => [change, Object.values(partitions)])]).toEqual([
    [],
    Array.from({ length: 4 }, () => ['updated', [0, 0, 0]]),
  ]);
});

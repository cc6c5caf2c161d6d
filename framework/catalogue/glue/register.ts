import { LakehouseError } from '../../common/errors.ts';
import { parallel } from '../../storage/parallel.ts';
import type { ObjectStore } from '../../storage/store.ts';
import type { Catalogue } from '../document.ts';
import { readAssetCatalogue } from '../read.ts';
import type { GlueApi, GlueTable } from './api.ts';
import {
  ASSET,
  CATALOG,
  type GlueSeries,
  HASH,
  LAKE,
  MANIFESTS,
  seriesInput,
  tableInput,
  tableName,
} from './tables.ts';

/** Manifests written at once. */
const WRITES = 16;

export interface Registration {
  readonly store: ObjectStore;
  /** Address of the lake, `s3://bucket/prefix`. */
  readonly root: string;
  readonly tablePrefix: string;
  /** Nothing is changed, it is only said what would be. */
  readonly dryRun?: boolean;
  /** All lists of files anew, whatever Glue says that they are. */
  readonly rebuild?: boolean;
}

/** What was done in Glue, or is to be done. */
export interface TableChange {
  readonly table: string;
  readonly asset: string;
  readonly change: 'created' | 'updated' | 'removed';
  readonly partitions: { readonly created: number; readonly updated: number; readonly removed: number };
}

export interface Registered {
  readonly changes: readonly TableChange[];
  /** What could not be registered, and why; one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes the tables of a Glue database what a catalogue says. A table that says of itself that it is as of the current document is
 * left alone; of others only the partitions that differ are touched. Tables that are not of this lake are never changed.
 * @throws LakehouseError `glue-failed`; what the store throws.
 */
export async function registerTables(
  glue: GlueApi,
  catalogue: Catalogue,
  registration: Registration,
): Promise<Registered> {
  const { dryRun = false, tablePrefix } = registration;
  let tables = await glue.tables();
  if (tables === undefined) {
    if (!dryRun) await glue.createDatabase();
    tables = [];
  }
  const existing = new Map(tables.map((table) => [table.name, table]));
  const changes: TableChange[] = [];
  const warnings: string[] = [];
  const wanted = new Map<string, string>();
  for (const [asset, { catalog, storage }] of Object.entries(catalogue.assets)) {
    if (storage !== 'parquet') continue;
    const name = tableName(tablePrefix, asset);
    const other = wanted.get(name);
    const table = existing.get(name);
    if (other !== undefined) {
      warnings.push(`${asset} is not registered in Glue: ${other} is table ${name} already`);
      continue;
    }
    wanted.set(name, asset);
    if (table && table.parameters[LAKE] !== catalogue.lake) {
      warnings.push(`${asset} is not registered in Glue: there is a table ${name} that is not of this lake`);
      continue;
    }
    if (table?.parameters[CATALOG] === catalog) continue;
    changes.push(await registerTable(glue, { lake: catalogue.lake, asset, catalog, name, table }, registration));
  }
  for (const { name, parameters } of tables) {
    if (parameters[LAKE] !== catalogue.lake || wanted.has(name)) continue;
    const asset = parameters[ASSET] ?? '';
    if (!dryRun) {
      await glue.deleteTable(name);
      // Of an asset that now has another name there, the manifests are those of that one.
      if (![...wanted.values()].includes(asset)) await removeManifests(registration.store, asset, new Set());
    }
    changes.push({ table: name, asset, change: 'removed', partitions: { created: 0, updated: 0, removed: 0 } });
  }
  return { changes, warnings };
}

interface Target {
  readonly lake: string;
  readonly asset: string;
  readonly catalog: string;
  readonly name: string;
  /** As it is registered now. */
  readonly table: GlueTable | undefined;
}

async function registerTable(
  glue: GlueApi,
  { lake, asset, catalog, name, table }: Target,
  { store, root, dryRun = false, rebuild = false }: Registration,
): Promise<TableChange> {
  const document = await readAssetCatalogue(store, lake, catalog);
  if (document === undefined)
    throw new LakehouseError(
      'catalogue-changed',
      `${catalog} is no longer there: another process wrote the catalogue`,
      {
        kind: 'conflict',
      },
    );
  const input = tableInput(document, { name, root, catalog });
  const keys = (input.PartitionKeys ?? []).map((key) => key.Name ?? '');
  const isPartitioned = keys.length > 0;
  const replaced = table !== undefined && table.partitionKeys.join() !== keys.join();
  const before = table && !replaced && isPartitioned ? await glue.partitions(name) : [];
  const hashes = new Map(before.map(({ values, parameters }) => [JSON.stringify(values), parameters[HASH]]));
  const series = document.series.map((one) => seriesInput(document, one, input, root));
  const identity = ({ values }: { readonly values: readonly string[] }) => JSON.stringify(values);
  const changed = series.filter((one) => hashes.get(identity(one)) !== one.hash);
  const isNew = (one: GlueSeries) => !hashes.has(identity(one));
  const here = new Set(series.map(identity));
  const gone = before.filter((one) => !here.has(identity(one)));
  const [created, updated] = [changed.filter(isNew), changed.filter((one) => !isNew(one))];
  const done: TableChange = {
    table: name,
    asset,
    change: table && !replaced ? 'updated' : 'created',
    partitions: isPartitioned
      ? { created: created.length, updated: updated.length, removed: gone.length }
      : { created: 0, updated: 0, removed: 0 },
  };
  if (dryRun) return done;

  // First the lists, then what points at them. Each is replaced in one piece.
  await parallel(WRITES)(rebuild ? series : changed, ({ manifestKey, manifest }) =>
    store.overwrite(manifestKey, Buffer.from(manifest)),
  );
  if (!isPartitioned && series.length === 0) await store.overwrite(`${MANIFESTS}${asset}/manifest`, Buffer.from(''));
  if (replaced) await glue.deleteTable(name);
  if (!table || replaced) {
    const { [CATALOG]: _, ...unfinished } = input.Parameters ?? {};
    await glue.createTable({ ...input, Parameters: unfinished });
  }
  if (isPartitioned) {
    await glue.createPartitions(
      name,
      created.map(({ partition }) => partition),
    );
    await glue.updatePartitions(
      name,
      updated.map(({ partition }) => partition),
    );
    await glue.deletePartitions(
      name,
      gone.map(({ values }) => values),
    );
  }
  if (gone.length > 0 || replaced)
    await removeManifests(store, asset, new Set(series.map(({ manifestKey }) => manifestKey)));
  await glue.updateTable(input);
  return done;
}

async function removeManifests(store: ObjectStore, asset: string, kept: ReadonlySet<string>): Promise<void> {
  const prefix = `${MANIFESTS}${asset}/`;
  for await (const { key } of store.list(prefix)) {
    // The key of another asset may begin with this one's; its names have no `=`.
    const isOwn = key
      .slice(prefix.length)
      .split('/')
      .slice(0, -1)
      .every((name) => name.includes('='));
    if (isOwn && !kept.has(key)) await store.delete(key);
  }
}

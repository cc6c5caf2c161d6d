import { canonicalHash } from '../../common/canonical.ts';
import type { AssetCatalogue, CatalogueSeries } from '../document.ts';
import { typeNames } from '../types.ts';
import type { PartitionInput, TableInput } from './api.ts';

/** Where the lists of files are that tables and partitions point at. */
export const MANIFESTS = '_symlink_format_manifest/';
/** Parameters of what is ours in Glue. */
export const LAKE = 'lakehouse.lake';
export const ASSET = 'lakehouse.asset';
/** The document that a table is registered as of; written last, so that what is unfinished is done again. */
export const CATALOG = 'lakehouse.catalog';
/** Hash of what a partition is registered with. */
export const HASH = 'lakehouse.hash';

/** `silver/klines` as a name in Glue. */
export function tableName(prefix: string, asset: string): string {
  return `${prefix}${asset.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`;
}

/**
 * A table of lists of files, not of a directory: in the directories lie files that others have replaced, which a table of theirs
 * would read as well. The listed dimensions are partition keys, and as Hive demands no columns; time is a column.
 * @param root address of the lake, `s3://bucket/prefix`.
 */
export function tableInput(
  { asset, lake, description, columns, partitionedBy, statistics }: AssetCatalogue,
  { name, root, catalog }: { readonly name: string; readonly root: string; readonly catalog: string },
): TableInput {
  const keys = new Set(partitionedBy.series);
  const hive = columns.map((column) => ({
    Name: column.name.toLowerCase(),
    Type: typeNames(column.type).hive,
    ...(column.description !== undefined && { Comment: lineOf(column.description, 255) }),
  }));
  const isKey = (_: unknown, i: number) => keys.has(columns[i]?.name ?? '');
  const data = hive.filter((column, i) => !isKey(column, i));
  return {
    Name: name,
    ...(description !== undefined && { Description: lineOf(description, 2048) }),
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: hive.filter(isKey),
    StorageDescriptor: storage(data, `${root}/${MANIFESTS}${asset}`),
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [LAKE]: lake,
      [ASSET]: asset,
      [CATALOG]: catalog,
      recordCount: String(statistics.rows),
      sizeKey: String(statistics.bytes),
    },
  };
}

/** As Glue takes it: so long at most, without line breaks, other control characters and halves of characters. */
const lineOf = (text: string, most: number): string =>
  text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .slice(0, most)
    .toWellFormed();

/** What one series is in Glue: a manifest and, where the table has partition keys, a partition. */
export interface GlueSeries {
  readonly values: readonly string[];
  readonly manifestKey: string;
  readonly manifest: string;
  readonly hash: string;
  readonly partition: PartitionInput;
}

export function seriesInput(
  { asset, partitionedBy }: AssetCatalogue,
  { values, files }: CatalogueSeries,
  { StorageDescriptor }: TableInput,
  root: string,
): GlueSeries {
  const [first] = files;
  const directory = first === undefined ? asset : first.path.slice(0, first.path.lastIndexOf('/'));
  const manifest = files.map(({ path }) => `${root}/${path}\n`).join('');
  const descriptor = storage(StorageDescriptor?.Columns ?? [], `${root}/${MANIFESTS}${directory}`);
  const hash = canonicalHash([manifest, descriptor]).slice(0, 32);
  const list = partitionedBy.series.map((name) => values[name] ?? '');
  return {
    values: list,
    manifestKey: `${MANIFESTS}${directory}/manifest`,
    manifest,
    hash,
    partition: { Values: list, StorageDescriptor: descriptor, Parameters: { [HASH]: hash } },
  };
}

function storage(columns: NonNullable<TableInput['StorageDescriptor']>['Columns'], location: string) {
  return {
    Columns: columns,
    Location: location,
    InputFormat: 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      Parameters: { 'serialization.format': '1' },
    },
  };
}

import { z } from 'zod';

/** Where whoever reads the lake without us begins: the one object with a fixed name. */
export const ROOT = '_catalog.json';
/** Prefix of what the root points at; never overwritten, so that one root stands for one state of the whole lake. */
export const PREFIX = '_catalog/';
/** Format of the documents. What a reader may rely on does not change without this number. */
export const FORMAT = 1;

const count = z.int().nonnegative();
/** What the files are: Parquet, or what kind of originals. */
const storage = z.enum(['parquet', 'zip-csv', 'json', 'bytes']);

/** What is counted of an asset, or of the whole of one. Times are those of partitions, as in their keys (UTC). */
const statistics = z.object({
  series: count,
  files: count,
  partitions: count,
  rows: count,
  bytes: count,
  /** First and last partition; absent where the asset has no time dimension, or nothing is there. */
  first: z.string().optional(),
  last: z.string().optional(),
});
export type Statistics = z.infer<typeof statistics>;

/** `_catalog.json`. */
export const catalogueSchema = z.object({
  format: z.literal(FORMAT),
  /** Id of the lake. */
  lake: z.string(),
  /** Revision of the log it was written at. */
  revision: count,
  /** ISO 8601, UTC. */
  generatedAt: z.iso.datetime(),
  assets: z.record(
    z.string(),
    z.object({
      /** Key of the asset's own document. */
      catalog: z.string(),
      /** Revision up to which that document is the asset as the log has it. */
      revision: count,
      /** Hash of what the document says of the declaration. */
      declared: z.string(),
      storage,
      statistics,
    }),
  ),
  /** Documents that no longer are pointed at, and since when (ms UTC): they stay a while for those who read an older root. */
  retired: z.array(z.object({ catalog: z.string(), at: z.number() })),
});
export type Catalogue = z.infer<typeof catalogueSchema>;

const columnSchema = z.object({
  name: z.string(),
  /** In DuckDB's words, e.g. `DECIMAL(18,8)`. */
  type: z.string(),
  /** As it is in the files: physical type, and the logical one if there is any, e.g. `INT64 DECIMAL(18,8)`. */
  parquet: z.string(),
  /** As Arrow names it, e.g. `decimal128(18, 8)`. */
  arrow: z.string(),
  nullable: z.boolean(),
  description: z.string().optional(),
});
export type CatalogueColumn = z.infer<typeof columnSchema>;

const fileSchema = z.object({
  /** Key of the object, relative to where `_catalog.json` is. */
  path: z.string(),
  bytes: count,
  /** Rows of the partitions that live in it. */
  rows: count,
  /** Hex. */
  sha256: z.string().optional(),
  /** How many partitions live in it. */
  partitions: count,
  /** Their times: one, or `first..last` of a run without gaps. Absent without a time dimension. */
  times: z.array(z.string()).optional(),
  /** It holds rows of other partitions too, which do not count: only those of `times` do. */
  partly: z.literal(true).optional(),
});
export type CatalogueFile = z.infer<typeof fileSchema>;

const seriesSchema = z.object({
  /** Its name in the lake, e.g. `exchange=binance/symbol=BTCUSDT`; empty where there are no listed dimensions. */
  series: z.string(),
  values: z.record(z.string(), z.string()),
  /** Versions of the code that made what is there. */
  code: z.array(z.string()),
  files: z.array(fileSchema),
  /** Each partition, where `catalogue.partitions` says so: rows, bytes (its share of the file) and the hash of its rows, hex. */
  partitions: z
    .array(z.object({ time: z.string().optional(), rows: count, bytes: z.number(), version: z.string() }))
    .optional(),
});
export type CatalogueSeries = z.infer<typeof seriesSchema>;

/** What the root points at: one asset. */
export const assetCatalogueSchema = z.object({
  format: z.literal(FORMAT),
  lake: z.string(),
  asset: z.string(),
  /** Revision of the log that the files are as of. */
  revision: count,
  description: z.string().optional(),
  storage,
  /** Version of the code as it is declared now. */
  code: z.string(),
  /** In the order of the files: listed dimensions, time, then data. */
  columns: z.array(columnSchema),
  partitionedBy: z.object({
    /** Listed dimensions, which are the directories, in order. Their columns are in the files too. */
    series: z.array(z.string()),
    time: z.object({ column: z.string(), grain: z.enum(['hour', 'day', 'week', 'month', 'year']) }).optional(),
  }),
  sortBy: z.array(z.string()),
  statistics,
  /** By their values, in order. */
  series: z.array(seriesSchema),
});
export type AssetCatalogue = z.infer<typeof assetCatalogueSchema>;

/** The public face: what asset modules import from 'crypto-lakehouse'. */
export { type ErrorKind, type Issue, isLakehouseError, LakehouseError } from './common/errors.ts';
export { didYouMean } from './common/suggest.ts';
export { type AssetOptions, asset, type SourceOptions, source } from './define/asset.ts';
export {
  acceptedValues,
  type CheckOptions,
  check,
  inRange,
  noGaps,
  notNull,
  rowCount,
  rowsWhere,
  unique,
} from './define/checks.ts';
export {
  bigint,
  boolean,
  type Column,
  type Columns,
  columns,
  date,
  decimal,
  double,
  integer,
  type RowOf,
  text,
  timestamp,
} from './define/columns.ts';
export {
  type DimensionShape,
  daily,
  dynamicDimension,
  hourly,
  monthly,
  type PartitionKey,
  staticDimension,
  type WrittenKey,
  weekly,
  yearly,
} from './define/dimensions.ts';
export { bytes, zipCsv } from './define/formats.ts';
export { firstAvailable, from, ifPresent, self } from './define/inputs.ts';
export { partitionKey } from './define/key.ts';
export { defineLakehouse, type LakehouseDefinition } from './define/lakehouse.ts';
export { all, at, dimension, earlier, only, overlapping, same, timesBy, valuesBy, window } from './define/mappings.ts';
export type {
  ComputeContext,
  InputReader,
  Observation,
  ObserveContext,
  PartitionContext,
  RuntimeContext,
} from './define/model.ts';
export { type ColumnReference, type SqlReference, type SqlTemplate, type SqlValue, sql } from './define/sql.ts';
export type { Asset, CheckContext, CheckSpec, TypesOf } from './define/types.ts';
export { inflateMember, readSingleMember, writeZip } from './formats/zip.ts';

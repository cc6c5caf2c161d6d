/** The public face: what asset modules, and programs that use a lake, import from 'crypto-lakehouse'. */
export { type AssetCatalogue, assetCatalogueSchema, type Catalogue, catalogueSchema } from './catalogue/document.ts';
export { type ErrorKind, type Issue, isLakehouseError, LakehouseError } from './common/errors.ts';
export { globMatcher } from './common/glob.ts';
export { didYouMean } from './common/suggest.ts';
export { type AssetOptions, asset, type SourceOptions, source } from './define/asset.ts';
export {
  type AutomationCondition,
  allDepsMatch,
  and,
  anyDepsMatch,
  checksPassed,
  codeChanged,
  cronTickPassed,
  failed,
  inLatestWindow,
  inProgress,
  labelled,
  missing,
  newlyFalse,
  newlyRequested,
  newlyTrue,
  newlyUpdated,
  not,
  or,
  replaced,
  since,
  stale,
  willBeRequested,
  without,
  withoutBacklog,
} from './define/automation.ts';
export type { CheckOptions, ComparisonOptions } from './define/check-spec.ts';
export {
  acceptedValues,
  check,
  inRange,
  monotonic,
  noGaps,
  notNull,
  ohlcConsistent,
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
export { type CommandCall, type CommandDefinition, command } from './define/command.ts';
export {
  type ColumnDrift,
  drift,
  type Reconciliation,
  type RowsDrift,
  reconciles,
  references,
} from './define/comparisons.ts';
export {
  type DimensionShape,
  type DynamicDimension,
  daily,
  dynamicDimension,
  hourly,
  monthly,
  type PartitionKey,
  type StaticDimension,
  staticDimension,
  type TimeDimensionSpec,
  type WrittenKey,
  weekly,
  yearly,
} from './define/dimensions.ts';
export { bytes, json, type TypedRawFormat, zipCsv } from './define/formats.ts';
export {
  type FreshnessOptions,
  type FreshnessPolicy,
  materializedWithin,
  type TimeSpan,
  within,
} from './define/freshness.ts';
export type { History } from './define/history.ts';
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
export {
  anyDepsInProgress,
  anyDepsMissing,
  anyDepsUpdated,
  depsChecksPassed,
  eager,
  onCron,
  onMissing,
  type PresetOptions,
} from './define/presets.ts';
export { type ScheduleDefinition, type ScheduleOptions, schedule, type TickContext } from './define/schedule.ts';
export {
  type PollContext,
  type PollFunction,
  type PollResult,
  type SensorDefinition,
  type SensorOptions,
  type SensorRequest,
  sensor,
} from './define/sensor.ts';
export { type ColumnReference, type SqlReference, type SqlTemplate, type SqlValue, sql } from './define/sql.ts';
export type { Asset, CheckContext, CheckSpec, InputSpec, Read, ReadSelf, TypesOf } from './define/types.ts';
export { type ViewDefinition, view } from './define/view.ts';
export { jsonSequence } from './formats/json.ts';
export { verifyMember } from './formats/verify.ts';
export { inflateMember, readSingleMember, writeZip } from './formats/zip.ts';
export type { RunCounts, RunEvent } from './materialize/events.ts';
export { type AutomationTester, automationTester, type TestedAutomation } from './operate/automation/tester.ts';
export { filesIn, httpChanged, type ListedFile, newFiles, newValues } from './operate/polls.ts';
export type { CheckFailed, LakeEvent, SubscribeOptions } from './sdk/events.ts';
export type { AssetExplanation } from './sdk/explain.ts';
export { openLakehouse } from './sdk/open.ts';
export type { PlanReport } from './sdk/plan.ts';
export type { Selection } from './sdk/selection.ts';
export type {
  AnyPartitions,
  AskOptions,
  AssetLag,
  AssetStatus,
  DimensionFilter,
  FailedCheck,
  FailedPartition,
  Lakehouse,
  LakeQuery,
  LakeRead,
  LakeSqlValue,
  LakeStatus,
  MaterializeOptions,
  MaterializeResult,
  ObserveOptions,
  OpenLakehouseOptions,
  PartitionsOf,
  QueryOptions,
  QueryParameters,
  ReadOptions,
  ReadRow,
  SqlParameter,
  SqlRow,
  StatusOptions,
  TimeRange,
  WorkOptions,
} from './sdk/types.ts';

/** For tests of a lake's assets, whatever runs them: what they import from 'crypto-lakehouse/testing'. */
export { type Clock, type Duration, fixedClock } from './sdk/testing/clock.ts';
export { expectPartitionwise } from './sdk/testing/partitionwise.ts';
export { runAsset } from './sdk/testing/run-asset.ts';
export { type TemporaryLake, type TemporaryLakeOptions, temporaryLake } from './sdk/testing/temporary.ts';
export type {
  AssetRun,
  CheckResult,
  Literal,
  LiteralInputs,
  LiteralPartition,
  LiteralRow,
  PartitionwiseOptions,
  RunAssetOptions,
  TestOptions,
} from './sdk/testing/types.ts';

import type { AutomationCondition } from './automation.ts';
import { callers } from './caller.ts';
import type { ColumnShape, Columns } from './columns.ts';
import { buildAsset, buildSource, type CommonOptions, type LooseOptions } from './definition.ts';
import type { DimensionShape } from './dimensions.ts';
import type { History } from './history.ts';
import type { Observation, ObserveContext, PackLevel, RawFormat, RuntimeContext, SourceDefinition } from './model.ts';
import type { SqlTemplate } from './sql.ts';
import type {
  Asset,
  CheckSpec,
  ComputeProblem,
  InputProblem,
  InputReads,
  InputsShape,
  QueryContext,
  ReadDims,
  ReadOf,
  ReadShape,
  Relation,
  ShapeOf,
  TypedComputeContext,
  TypedPartition,
} from './types.ts';

export interface AssetOptions<
  TDims extends DimensionShape,
  TInputs extends InputsShape,
  TColumns extends Columns | undefined,
  TFormat extends RawFormat | undefined,
  TResult,
> extends CommonOptions<TDims> {
  /** By the name they have in `query` or `compute`. One whose dimensions differ says how they map: `from(asset, { … })`. */
  readonly inputs?: TInputs;
  /** The columns of a table. */
  readonly columns?: TColumns;
  /** Instead of `columns`: the asset keeps original bytes, one file per partition. */
  readonly format?: TFormat;
  /** Columns that are unique within a partition; rows are stored in their order. Required for tables. */
  readonly sortBy?: readonly (keyof ShapeOf<TColumns, TFormat> & string)[];
  /** A TIMESTAMP column whose values must fall inside the partition's time. */
  readonly timeColumn?: keyof ShapeOf<TColumns, TFormat> & string;
  /** Every output row derives from one input row alone: batches are computed in one pass over the input. */
  readonly rowwise?: boolean;
  /** Ascending levels of time at which partitions share a file once that period is over. */
  readonly packs?: readonly PackLevel[];
  readonly checks?: readonly CheckSpec<keyof ShapeOf<TColumns, TFormat> & string>[];
  /** Partitions that once existed are kept when the source withdraws them. */
  readonly keepWithdrawn?: boolean;
  /**
   * How long files stay after others took their place: so far back queries can ask for the asset as it was (`--as-of`). `'30d'`,
   * `'12h'`, `{ days: 30 }`. Not part of the code version. Default: not at all.
   */
  readonly history?: History;
  /** When the daemon computes it by itself: `eager()`, `onCron('0 6 * * *')`, or a condition of your own. Default: never. */
  readonly automation?: AutomationCondition;
  /** Plain data the result depends on besides the code; part of the code version. */
  readonly config?: unknown;
  /** Replaces the automatic code version. */
  readonly codeVersion?: string;
  /** SQL for one partition. Of alternatives, a relation has the columns that all of them have. */
  readonly query?: (
    // Written out, so that the compiler prints the names of a relation and not where they come from.
    inputs: {
      readonly [K in keyof TInputs]: Relation<
        | (keyof ReadShape<ReadOf<TInputs[K]>, ShapeOf<TColumns, TFormat>> & string)
        | (keyof ReadDims<ReadOf<TInputs[K]>, TDims> & string)
      >;
    },
    context: QueryContext<TDims>,
  ) => SqlTemplate;
  /** Or a function for one partition: rows for a table, bytes for a `format`, or a promise of them. */
  readonly compute?: (context: TypedComputeContext<TInputs, TDims, ShapeOf<TColumns, TFormat>>) => TResult;
}

export interface SourceOptions<TDims extends DimensionShape> extends CommonOptions<TDims> {
  /** Lists what exists, at which version. Cheap: called by every plan and run that needs it. */
  readonly observe: (context: ObserveContext) => AsyncIterable<Observation>;
  /** Fetches one partition's bytes and says which version they are. */
  readonly read?: (
    context: RuntimeContext & {
      readonly partition: TypedPartition<TDims>;
    },
  ) => Promise<{ bytes: Uint8Array; version: string }>;
  /**
   * Whether the settings want this source at all. One that is not wanted is not looked at and nothing more is fetched from it: what was made
   * of it stays, and is all there is of it. Default: always.
   */
  readonly wanted?: (resources: Readonly<Record<string, unknown>>) => boolean;
  /** Hours after which everything has to be listed again, not only what is new (`context.mode`). Default 24. */
  readonly auditEveryHours?: number;
  /** Settings that decide what is listed, as text, e.g. a first date: where it changes, everything is listed again. */
  readonly auditOf?: (resources: Readonly<Record<string, unknown>>) => string;
  /** Hours after a partition's end until it is normally published. Default 48. */
  readonly publicationLagHours?: number;
  /** Days without anything new after which a series counts as ended. Default 30. */
  readonly liveForDays?: number;
}

const HOUR_MS = 3_600_000;

type Problem<TInputs extends InputsShape, TDims extends DimensionShape, TResult, TShape extends ColumnShape, TFormat> =
  | InputProblem<TInputs, TDims>
  | ComputeProblem<Awaited<TResult>, TShape, TFormat>;

/**
 * Declares a dataset: how one partition is computed from its inputs. Nothing is thrown here: problems are collected in the
 * definition and reported together when the lakehouse is loaded.
 *
 * What the compiler cannot say about one option alone (inputs whose dimensions do not fit, rows that are not the columns') it
 * says at `key`, where the parameter's type becomes the sentence: next to it every other place would show pages of types.
 */
export function asset<
  const TKey extends string,
  const TDims extends DimensionShape = Record<never, never>,
  const TInputs extends InputsShape = Record<never, never>,
  TColumns extends Columns | undefined = undefined,
  TFormat extends RawFormat | undefined = undefined,
  TResult = never,
>(
  key: [Problem<TInputs, TDims, TResult, ShapeOf<TColumns, TFormat>, TFormat>] extends [never]
    ? TKey
    : `definition error: ${Problem<TInputs, TDims, TResult, ShapeOf<TColumns, TFormat>, TFormat>}`,
  options: AssetOptions<TDims, TInputs, TColumns, TFormat, TResult>,
): Asset<
  { key: TKey; dims: TDims; shape: ShapeOf<TColumns, TFormat> },
  // Written out, so that a declaration file has what is read and not, in it, all that is upstream.
  { readonly [K in keyof TInputs as [InputReads<TInputs[K]>] extends [never] ? never : K]: InputReads<TInputs[K]> }
> {
  return buildAsset(key, options as unknown as LooseOptions, callers(asset)[0]);
}

/** Declares data that someone else writes: observed, never written. */
export function source<const TKey extends string, const TDims extends DimensionShape = Record<never, never>>(
  key: TKey,
  options: SourceOptions<TDims>,
): Asset<{ key: TKey; dims: TDims; shape: Record<never, never> }, never> {
  const definition: SourceDefinition = {
    wanted: options.wanted,
    auditEveryMs: (options.auditEveryHours ?? 24) * HOUR_MS,
    auditOf: options.auditOf,
    observe: options.observe,
    read: options.read as SourceDefinition['read'],
    publicationLagMs: (options.publicationLagHours ?? 48) * HOUR_MS,
    liveForMs: (options.liveForDays ?? 30) * 24 * HOUR_MS,
  };
  return buildSource(key, options as unknown as CommonOptions<DimensionShape>, definition, callers(source)[0]);
}

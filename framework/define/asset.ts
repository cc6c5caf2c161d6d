import type { Issue } from '../common/errors.ts';
import { serializeError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { ListedRule, TimeRule } from '../partition/mapping.ts';
import type { Dimension, PartitionSpace, SeriesValues } from '../partition/space.ts';
import { type Grain, parseIndex } from '../partition/time.ts';
import { callerModule } from './caller.ts';
import { type ColumnShape, type Columns, columnDefinitions } from './columns.ts';
import type { DimensionShape } from './dimensions.ts';
import {
  type AssetDefinition,
  type CheckDefinition,
  type ComputeDefinition,
  DEFINITION_BRAND,
  type InputDefinition,
  isDefinition,
  type Observation,
  type ObserveContext,
  type PackLevel,
  type RawFormat,
  type RetryPolicy,
  type RuntimeContext,
  type StorageDefinition,
} from './model.ts';
import { type ColumnReference, isSqlTemplate, SQL_PART, type SqlReference, type SqlTemplate } from './sql.ts';
import type {
  Asset,
  CheckInput,
  CheckSpec,
  ComputeResult,
  InputSpec,
  InputsShape,
  QueryContext,
  Relation,
  RelationOf,
  ShapeOf,
  TypedComputeContext,
} from './types.ts';

interface CommonOptions<TDims extends DimensionShape> {
  readonly description?: string;
  /** Default: the zone, the part of the key before the slash. */
  readonly group?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kinds?: readonly string[];
  readonly owners?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Named dimensions, in the order of the hive path: any number of listed ones, at most one of time. */
  readonly partitions?: TDims;
  readonly retry?: Partial<RetryPolicy>;
  /** Concurrency pool, default `default`; its size is the setting `workflow.pools.<name>`. */
  readonly pool?: string;
  /** Length of one bar in milliseconds for a partition's values, for `window({ bars })`. */
  readonly bar?: (values: Readonly<Record<string, string>>) => number | undefined;
}

export interface AssetOptions<
  TDims extends DimensionShape,
  TInputs extends InputsShape,
  TColumns extends Columns | undefined,
  TFormat extends RawFormat | undefined,
> extends CommonOptions<TDims> {
  readonly inputs?: TInputs & { readonly [K in keyof TInputs]: CheckInput<TInputs[K], TDims> };
  /** The columns of a table. */
  readonly columns?: TColumns;
  /** Instead of `columns`: the asset keeps original bytes, one file per partition. */
  readonly format?: TFormat;
  /** Columns that are unique within a partition; rows are stored in their order. Required for tables. */
  readonly sortBy?: readonly (keyof ShapeOf<TColumns, TFormat> & string)[];
  /** A TIMESTAMP column whose values must fall inside the partition's time. */
  readonly timeColumn?: keyof ShapeOf<TColumns, TFormat> & string;
  readonly rowwise?: boolean;
  readonly packs?: readonly PackLevel[];
  readonly checks?: readonly CheckSpec<keyof ShapeOf<TColumns, TFormat> & string>[];
  readonly keepWithdrawn?: boolean;
  readonly config?: unknown;
  readonly codeVersion?: string;
  /** SQL for one partition. */
  readonly query?: (inputs: { readonly [K in keyof TInputs]: RelationOf<TInputs[K]> }, context: QueryContext<TDims>) => SqlTemplate;
  /** Or a function for one partition: rows for a table, bytes for a `format`. */
  readonly compute?: (
    context: TypedComputeContext<TInputs, TDims>,
  ) => ComputeResult<ShapeOf<TColumns, TFormat>, TFormat> | Promise<ComputeResult<ShapeOf<TColumns, TFormat>, TFormat>>;
}

export interface SourceOptions<TDims extends DimensionShape> extends CommonOptions<TDims> {
  /** Lists what exists, at which version. Cheap: called by every plan and run that needs it. */
  readonly observe: (context: ObserveContext) => AsyncIterable<Observation>;
  /** Fetches one partition's bytes and says which version they are. */
  readonly read?: (
    context: RuntimeContext & { readonly partition: { readonly key: string; readonly values: Readonly<Record<keyof TDims & string, string>>; readonly start: Date | undefined; readonly end: Date | undefined } },
  ) => Promise<{ bytes: Uint8Array; version: string }>;
  /** Hours after a partition's end until it is normally published. Default 48. */
  readonly publicationLagHours?: number;
  /** Days without anything new after which a series counts as ended. Default 30. */
  readonly liveForDays?: number;
}

const KEY = /^[a-z][a-z0-9_]*(\/[a-z][a-z0-9_]*)+$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DAY_MS = 86_400_000;

/** Builds the space from named dimensions; problems go to `issues`. */
function buildSpace(key: string, shape: DimensionShape | undefined, issues: Issue[]): PartitionSpace {
  const dimensions: Dimension[] = [];
  for (const [name, spec] of Object.entries(shape ?? {})) {
    const path = [key, 'partitions', name];
    if (!NAME.test(name)) issues.push({ code: 'bad-name', path, message: 'a dimension is named in letters, digits and _' });
    if (spec.type === 'time') {
      const start = parseIndex(spec.grain as Grain, spec.start);
      const end = spec.end === undefined ? undefined : parseIndex(spec.grain as Grain, spec.end);
      if (start === undefined) issues.push({ code: 'bad-time', path: [...path, 'start'], message: `'${spec.start}' is not a ${spec.grain}`, hint: 'Write it as the partition key, e.g. 2017-01-01 (day), 2017-01 (month), 2017-01-01T00 (hour)' });
      if (spec.end !== undefined && end === undefined) issues.push({ code: 'bad-time', path: [...path, 'end'], message: `'${spec.end}' is not a ${spec.grain}` });
      dimensions.push({ type: 'time', name, grain: spec.grain, start: start ?? 0, ...(end !== undefined && { end: end + 1 }), lag: spec.lag });
    } else if (spec.type === 'static') {
      if (new Set(spec.values).size !== spec.values.length) issues.push({ code: 'duplicate-value', path, message: 'a value is listed twice' });
      const folded = new Set(spec.values.map((v) => v.toLowerCase()));
      if (folded.size !== new Set(spec.values).size) issues.push({ code: 'case-collision', path, message: 'two values differ only in case, which is one directory on some disks', hint: 'Use distinct words, e.g. 1mo instead of 1M' });
      dimensions.push({ type: 'static', name, values: spec.values });
    } else dimensions.push({ type: 'dynamic', name });
  }
  const times = dimensions.filter((d) => d.type === 'time');
  if (times.length > 1) issues.push({ code: 'two-time-dimensions', path: [key, 'partitions'], message: `has ${times.length} time dimensions (${times.map((d) => d.name).join(', ')}), at most one is possible`, hint: 'Keep one as the dimension and make the other a column' });
  const time = times[0];
  return { dimensions, ...(time?.type === 'time' && { time }), listed: dimensions.filter((d) => d.type !== 'time') };
}

function buildInputs(key: string, inputs: InputsShape | undefined, space: PartitionSpace, issues: Issue[]): InputDefinition[] {
  return Object.entries(inputs ?? {}).map(([name, given]) => {
    const spec: Pick<InputSpec, 'need' | 'alternatives'> = isDefinition(given)
      ? { need: 'required', alternatives: [{ asset: given as Asset, mappings: undefined }] }
      : (given as InputSpec);
    if (!NAME.test(name)) issues.push({ code: 'bad-name', path: [key, 'inputs', name], message: 'an input is named in letters, digits and _' });
    return {
      name,
      need: spec.need,
      alternatives: spec.alternatives.map(({ asset, mappings }) => {
        const upstream = asset?.space ?? space;
        const listed: Record<string, ListedRule> = {};
        let time: TimeRule = { rule: 'same' };
        for (const [dim, mapping] of Object.entries(mappings ?? {})) {
          const path = [key, 'inputs', name, dim];
          const known = upstream.dimensions.find((d) => d.name === dim);
          if (!known) issues.push({ code: 'unknown-dimension', path, message: `${asset?.key ?? key} has no dimension '${dim}'`, hint: didYouMean(dim, upstream.dimensions.map((d) => d.name)) });
          else if (known.type === 'time' && mapping.time) time = mapping.time;
          else if (known.type !== 'time' && mapping.listed) listed[dim] = mapping.listed;
          else issues.push({ code: 'wrong-mapping', path, message: `this mapping does not fit a ${known.type} dimension`, hint: known.type === 'time' ? 'Use window(), overlapping(), all(), at() or timesBy()' : 'Use all(), only(), dimension() or valuesBy()' });
        }
        if (upstream.time === undefined) time = { rule: 'all' };
        return { asset, mapping: { time, listed, ...(asset === undefined && { self: true }) } };
      }),
    };
  });
}

/** A relation: renders as the input's rows and hands out column references, refusing names it does not have. */
function relation(input: string, names: readonly string[], open: boolean): Relation<string> {
  const target = { [SQL_PART]: { type: 'relation', input } } as SqlReference;
  return new Proxy(target, {
    get(object, property) {
      if (typeof property === 'symbol') return Reflect.get(object, property) as unknown;
      if (!open && !names.includes(property)) throw new TypeError(`input '${input}' has no column '${property}'. ${didYouMean(property, names) ?? ''}`);
      return columnReference(property);
    },
    has: (object, property) => Reflect.has(object, property) || (typeof property === 'string' && names.includes(property)),
  }) as Relation<string>;
}

const columnReference = (name: string): ColumnReference => ({ name, [SQL_PART]: { type: 'column', name } });

function partitionReferences(space: PartitionSpace): QueryContext<DimensionShape>['partition'] {
  const names = [...space.dimensions.map((d) => d.name), ...(space.time ? ['start', 'end'] : [])];
  return new Proxy({} as Record<string, SqlReference>, {
    get(_, property) {
      if (typeof property === 'symbol') return undefined;
      if (!names.includes(property)) throw new TypeError(`the partition has no '${property}'. ${didYouMean(property, names) ?? ''}`);
      return { [SQL_PART]: { type: 'partition', name: property } };
    },
  }) as QueryContext<DimensionShape>['partition'];
}

function buildQuery(key: string, query: (inputs: never, context: never) => SqlTemplate, inputs: readonly InputDefinition[], space: PartitionSpace, issues: Issue[]): ComputeDefinition | undefined {
  const relations: Record<string, Relation<string>> = {};
  for (const { name, alternatives } of inputs) {
    const own = alternatives.some((a) => a.asset === undefined);
    const names = alternatives.map(({ asset }) => [...(asset?.columns ?? []).map((c) => c.name), ...(asset?.space.dimensions ?? []).map((d) => d.name)]);
    relations[name] = relation(name, names.reduce((all, one) => all.filter((n) => one.includes(n)), names[0] ?? []), own);
  }
  try {
    const template = query(relations as never, { partition: partitionReferences(space) } as never);
    if (isSqlTemplate(template)) return { type: 'sql', template };
    issues.push({ code: 'bad-query', path: [key, 'query'], message: 'query must return an sql`…` template' });
  } catch (error) {
    issues.push({ code: 'bad-query', path: [key, 'query'], message: serializeError(error).message });
  }
  return undefined;
}

interface LooseOptions extends CommonOptions<DimensionShape> {
  readonly inputs?: InputsShape;
  readonly columns?: Columns;
  readonly format?: RawFormat;
  readonly sortBy?: readonly string[];
  readonly timeColumn?: string;
  readonly rowwise?: boolean;
  readonly packs?: readonly PackLevel[];
  readonly checks?: readonly CheckSpec[];
  readonly keepWithdrawn?: boolean;
  readonly config?: unknown;
  readonly codeVersion?: string;
  readonly query?: (inputs: never, context: never) => SqlTemplate;
  readonly compute?: (context: never) => unknown;
}

function common(key: string, options: CommonOptions<DimensionShape>, issues: Issue[]) {
  if (!KEY.test(key)) issues.push({ code: 'bad-key', path: [key], message: 'an asset key is zone/name in lower case letters, digits and _', hint: `e.g. silver/klines` });
  const { retry } = options;
  return {
    [DEFINITION_BRAND]: 1 as const,
    key,
    description: options.description,
    group: options.group ?? key.split('/')[0] ?? key,
    tags: options.tags ?? {},
    kinds: options.kinds ?? [],
    owners: options.owners ?? [],
    metadata: options.metadata ?? {},
    space: buildSpace(key, options.partitions, issues),
    retry: retry && { retries: retry.retries ?? 3, delayMs: retry.delayMs ?? 500, maxDelayMs: retry.maxDelayMs ?? 30_000 },
    pool: options.pool ?? 'default',
    barMs: options.bar as ((values: SeriesValues) => number | undefined) | undefined,
    issues,
  };
}

function buildAsset(key: string, options: LooseOptions, module: string | undefined): AssetDefinition {
  const issues: Issue[] = [];
  const base = common(key, options, issues);
  const inputs = buildInputs(key, options.inputs, base.space, issues);
  const format = options.format;
  const columns = format ? format.columns.map((name) => ({ name, type: 'VARCHAR', nullable: false })) : columnDefinitions(options.columns);
  const names = columns.map((c) => c.name);

  if (!format && !options.columns) issues.push({ code: 'no-columns', path: [key], message: 'an asset needs columns (a table) or a format (original bytes)' });
  if (format && options.columns) issues.push({ code: 'columns-and-format', path: [key], message: 'has both columns and a format', hint: 'Columns of original files belong in the format: zipCsv({ columns: [...] })' });
  if (!options.query === !options.compute) issues.push({ code: 'one-compute', path: [key], message: options.query ? 'has both query and compute' : 'has neither query nor compute', hint: 'Give exactly one' });
  if (format && options.query) issues.push({ code: 'bytes-by-query', path: [key, 'query'], message: 'original bytes cannot come from a query', hint: 'Use compute and return bytes' });
  for (const name of names) {
    if (base.space.dimensions.some((d) => d.name === name)) issues.push({ code: 'column-is-dimension', path: [key, 'columns', name], message: `'${name}' is a partition dimension, which every row has already`, hint: 'Leave the column out' });
  }
  const mustExist = (list: readonly string[] | undefined, where: string) => {
    for (const name of list ?? []) if (!names.includes(name)) issues.push({ code: 'unknown-column', path: [key, where], message: `there is no column '${name}'`, hint: didYouMean(name, names) });
  };
  mustExist(options.sortBy, 'sortBy');
  mustExist(options.timeColumn === undefined ? [] : [options.timeColumn], 'timeColumn');
  if (!format && options.columns && (options.sortBy?.length ?? 0) === 0) issues.push({ code: 'no-sort', path: [key, 'sortBy'], message: 'a table needs sortBy: columns that are unique within a partition', hint: 'Equal inputs can only give equal files if the order of rows is said' });
  if (options.timeColumn && columns.find((c) => c.name === options.timeColumn)?.type !== 'TIMESTAMP') issues.push({ code: 'time-column-type', path: [key, 'timeColumn'], message: `'${options.timeColumn}' is not a timestamp()` });
  if (options.timeColumn && !base.space.time) issues.push({ code: 'time-column-without-time', path: [key, 'timeColumn'], message: 'the asset has no time dimension' });
  if (options.rowwise && !(options.timeColumn && options.query && inputs.length === 1)) issues.push({ code: 'rowwise', path: [key, 'rowwise'], message: 'needs a query, exactly one input and a timeColumn' });

  const rows = relation('rows', names, false);
  const partition = partitionReferences(base.space);
  const checks: CheckDefinition[] = [];
  for (const check of options.checks ?? []) {
    mustExist(check.columns, `checks.${check.name}`);
    try {
      checks.push({ name: check.name, description: check.description, severity: check.severity, blocking: check.blocking, test: check.build({ rows, partition }) });
    } catch (error) {
      issues.push({ code: 'bad-check', path: [key, 'checks', check.name], message: serializeError(error).message });
    }
  }
  const duplicate = checks.find((c, i) => checks.findIndex((o) => o.name === c.name) !== i);
  if (duplicate) issues.push({ code: 'duplicate-check', path: [key, 'checks', duplicate.name], message: 'two checks have this name' });

  const storage: StorageDefinition = format ? { type: 'raw', format } : { type: 'table', packs: options.packs ?? (base.space.time ? defaultPacks(base.space.time.grain) : ['partition']) };
  const compute = options.query
    ? buildQuery(key, options.query, inputs, base.space, issues)
    : options.compute && ({ type: format ? 'bytes' : 'rows', fn: options.compute } as ComputeDefinition);
  return Object.freeze({
    ...base,
    kind: 'asset' as const,
    inputs,
    columns,
    sortBy: options.sortBy ?? [],
    timeColumn: options.timeColumn,
    rowwise: options.rowwise ?? false,
    storage,
    compute,
    source: undefined,
    checks,
    keepWithdrawn: options.keepWithdrawn ?? false,
    config: options.config,
    codeVersion: options.codeVersion,
    module,
  });
}

const defaultPacks = (grain: Grain): PackLevel[] =>
  grain === 'year' ? ['partition'] : grain === 'month' ? ['partition', 'year'] : ['partition', 'month', 'year'];

type DimsOr<TDims> = [TDims] extends [DimensionShape] ? TDims : Record<never, never>;

/**
 * Declares a dataset: how one partition is computed from its inputs. Nothing is thrown here: problems are collected in the
 * definition and reported together when the lakehouse is loaded.
 */
export function asset<
  const TKey extends string,
  const TDims extends DimensionShape = Record<never, never>,
  const TInputs extends InputsShape = Record<never, never>,
  TColumns extends Columns | undefined = undefined,
  TFormat extends RawFormat | undefined = undefined,
>(
  key: TKey,
  options: AssetOptions<TDims, TInputs, TColumns, TFormat>,
): Asset<{ key: TKey; dims: DimsOr<TDims>; shape: ShapeOf<TColumns, TFormat> & ColumnShape }> {
  return buildAsset(key, options as unknown as LooseOptions, callerModule(asset)) as Asset<never> as Asset<{
    key: TKey;
    dims: DimsOr<TDims>;
    shape: ShapeOf<TColumns, TFormat> & ColumnShape;
  }>;
}

/** Declares data that someone else writes: observed, never written. */
export function source<const TKey extends string, const TDims extends DimensionShape = Record<never, never>>(
  key: TKey,
  options: SourceOptions<TDims>,
): Asset<{ key: TKey; dims: DimsOr<TDims>; shape: Record<never, never> }> {
  const issues: Issue[] = [];
  const definition: AssetDefinition = Object.freeze({
    ...common(key, options as unknown as CommonOptions<DimensionShape>, issues),
    kind: 'source' as const,
    inputs: [],
    columns: [],
    sortBy: [],
    timeColumn: undefined,
    rowwise: false,
    storage: { type: 'raw' as const, format: { type: 'bytes' as const, extension: '', columns: [] } },
    compute: undefined,
    source: {
      observe: options.observe,
      read: options.read as never,
      publicationLagMs: (options.publicationLagHours ?? 48) * 3_600_000,
      liveForMs: (options.liveForDays ?? 30) * DAY_MS,
    },
    checks: [],
    keepWithdrawn: false,
    config: undefined,
    codeVersion: undefined,
    module: callerModule(source),
  });
  return definition as Asset<{ key: TKey; dims: DimsOr<TDims>; shape: Record<never, never> }>;
}

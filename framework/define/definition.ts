import { canonicalJson } from '../common/canonical.ts';
import { type Issue, serializeError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { PartitionSpace } from '../partition/space.ts';
import type { Grain } from '../partition/time.ts';
import { type AutomationCondition, checkedAutomation } from './automation.ts';
import type { Site } from './caller.ts';
import { type Columns, columnDefinitions } from './columns.ts';
import type { DimensionShape } from './dimensions.ts';
import { buildFreshness, type Freshness } from './freshness.ts';
import { buildHistory, type History } from './history.ts';
import {
  type AssetDefinition,
  type ColumnDefinition,
  type ComputeDefinition,
  DEFINITION_BRAND,
  type PackLevel,
  type RawFormat,
  type RetryPolicy,
  type SourceDefinition,
  type StorageDefinition,
} from './model.ts';
import { buildChecks, buildQuery, type LooseQuery } from './query.ts';
import { checkNames, type Report, reporter } from './report.ts';
import { buildSpace } from './space.ts';
import type { CheckSpec, InputsShape } from './types.ts';
import { buildInputs } from './upstreams.ts';

/** What assets and sources have in common. */
export interface CommonOptions<TDims extends DimensionShape> {
  readonly description?: string;
  /** Default: the zone, the part of the key before the slash. */
  readonly group?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kinds?: readonly string[];
  readonly owners?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Named dimensions, in the order of the hive path: any number of listed ones, at most one of time. */
  readonly partitions?: TDims;
  /** How far behind each series may be: `within(…)`, `materializedWithin(…)`, or both in an array. */
  readonly freshness?: Freshness<TDims>;
  readonly retry?: Partial<RetryPolicy>;
  /** Concurrency pool, default `default`; its size is the setting `workflow.pools.<name>`. */
  readonly pool?: string;
  /** Length of one bar in milliseconds for a partition's values, for `window({ bars })`. */
  readonly bar?: (values: Readonly<Record<string, string>>) => number | undefined;
}

/** An asset's options without their types, which the compiler has checked if it was asked. */
export interface LooseOptions extends CommonOptions<DimensionShape> {
  readonly inputs?: InputsShape;
  readonly columns?: Columns;
  readonly format?: RawFormat;
  readonly sortBy?: readonly string[];
  readonly timeColumn?: string;
  readonly rowwise?: boolean;
  readonly packs?: readonly PackLevel[];
  readonly checks?: readonly CheckSpec[];
  readonly automation?: AutomationCondition;
  readonly keepWithdrawn?: boolean;
  readonly history?: History;
  readonly config?: unknown;
  readonly codeVersion?: string;
  readonly query?: LooseQuery;
  readonly compute?: (context: never) => unknown;
}

const KEY = /^[a-z][a-z0-9_]*(\/[a-z][a-z0-9_]*)+$/;

function common(key: string, options: CommonOptions<DimensionShape>, issues: Issue[], report: Report) {
  if (!KEY.test(key))
    report('bad-key', [], 'an asset key is zone/name in lower case letters, digits and _', 'e.g. silver/klines');
  const { retry } = options;
  const space = buildSpace(options.partitions ?? {}, report);
  return {
    [DEFINITION_BRAND]: 1 as const,
    key,
    description: options.description,
    group: options.group ?? key.split('/')[0] ?? key,
    tags: options.tags ?? {},
    kinds: options.kinds ?? [],
    owners: options.owners ?? [],
    metadata: options.metadata ?? {},
    space,
    freshness: buildFreshness(options.freshness, space, report),
    retry: retry && {
      retries: retry.retries ?? 3,
      delayMs: retry.delayMs ?? 500,
      maxDelayMs: retry.maxDelayMs ?? 30_000,
    },
    pool: options.pool ?? 'default',
    barMs: options.bar,
    issues,
  };
}

/** The definition of an asset. Nothing is thrown: what is wrong stands in its `issues`. */
export function buildAsset(key: string, options: LooseOptions, site: Site | undefined): AssetDefinition {
  const issues: Issue[] = [];
  const report = reporter(key, issues);
  const base = common(key, options, issues, report);
  const { space } = base;
  const inputs = buildInputs(options.inputs ?? {}, { key, space, hasBar: options.bar !== undefined }, report);
  const columns = buildColumns(options, space, report);
  checkTable(options, columns, space, report);
  if (options.rowwise && !(options.timeColumn && options.query && inputs.length === 1)) {
    report('rowwise', ['rowwise'], 'needs a query, exactly one input and a timeColumn');
  }
  return Object.freeze({
    ...base,
    kind: 'asset' as const,
    inputs,
    columns,
    sortBy: options.sortBy ?? [],
    timeColumn: options.timeColumn,
    rowwise: options.rowwise ?? false,
    storage: buildStorage(options, space, report),
    compute: buildCompute(options, inputs, { columns, space }, report),
    source: undefined,
    checks: buildChecks(
      options.checks ?? [],
      { key, space, columns, inputs, sortBy: options.sortBy ?? [], hasBar: options.bar !== undefined },
      report,
    ),
    automation: checkedAutomation(options.automation, report),
    keepWithdrawn: options.keepWithdrawn ?? false,
    historyMs: buildHistory(options.history, report),
    config: buildConfig(options.config, report),
    codeVersion: options.codeVersion,
    module: site?.module,
    line: site?.line,
  });
}

/** The definition of a source. */
export function buildSource(
  key: string,
  options: CommonOptions<DimensionShape>,
  source: SourceDefinition,
  site: Site | undefined,
): AssetDefinition {
  const issues: Issue[] = [];
  return Object.freeze({
    ...common(key, options, issues, reporter(key, issues)),
    kind: 'source' as const,
    inputs: [],
    columns: [],
    sortBy: [],
    timeColumn: undefined,
    rowwise: false,
    storage: { type: 'raw' as const, format: { type: 'bytes' as const, extension: '', columns: [] } },
    compute: undefined,
    source,
    checks: [],
    automation: undefined,
    keepWithdrawn: false,
    historyMs: undefined,
    config: undefined,
    codeVersion: undefined,
    module: site?.module,
    line: site?.line,
  });
}

function buildColumns({ columns, format }: LooseOptions, space: PartitionSpace, report: Report): ColumnDefinition[] {
  if (!format && Object.keys(columns?.shape ?? {}).length === 0) {
    report('no-columns', [], 'an asset needs columns (a table) or a format (original bytes)');
  }
  if (format && columns) {
    const hint = 'Columns of original files belong in the format: zipCsv({ columns: [...] })';
    report('columns-and-format', [], 'has both columns and a format', hint);
  }
  const definitions = format
    ? format.columns.map((name) => ({ name, type: 'VARCHAR', nullable: false }))
    : columnDefinitions(columns);
  const path = (name: string) => [format ? 'format' : 'columns', name];
  checkNames(
    definitions.map(({ name }) => name),
    'a column',
    path,
    report,
  );
  for (const { name } of definitions) {
    const problem = format ? undefined : columns?.shape[name]?.problem;
    if (problem !== undefined) report('bad-column', path(name), problem);
    if (space.dimensions.some((dimension) => dimension.name.toLowerCase() === name.toLowerCase())) {
      report(
        'column-is-dimension',
        path(name),
        `'${name}' is a partition dimension, which every row has already`,
        'Leave the column out',
      );
    }
  }
  return definitions;
}

function checkTable(
  options: LooseOptions,
  columns: readonly ColumnDefinition[],
  space: PartitionSpace,
  report: Report,
): void {
  const { format, sortBy = [], timeColumn, checks = [] } = options;
  const names = columns.map(({ name }) => name);
  const mustExist = (list: readonly string[], path: readonly string[]) => {
    for (const name of list) {
      if (!names.includes(name))
        report('unknown-column', path, `there is no column '${name}'`, didYouMean(name, names));
    }
  };
  mustExist(sortBy, ['sortBy']);
  for (const check of checks) mustExist(check.columns, ['checks', check.name]);
  if (format && checks.length > 0) {
    const hint = 'Check the table that is made of them';
    report('checks-on-bytes', ['checks'], 'original files are kept as they come and are not checked', hint);
  }
  if (!format && names.length > 0 && sortBy.length === 0) {
    const hint = 'Equal inputs can only give equal files if the order of rows is said';
    report('no-sort', ['sortBy'], 'a table needs sortBy: columns that are unique within a partition', hint);
  }
  if (timeColumn === undefined) return;
  mustExist([timeColumn], ['timeColumn']);
  const type = columns.find(({ name }) => name === timeColumn)?.type;
  if (type !== undefined && type !== 'TIMESTAMP')
    report('time-column-type', ['timeColumn'], `'${timeColumn}' is not a timestamp()`);
  if (!space.time) report('time-column-without-time', ['timeColumn'], 'the asset has no time dimension');
}

const PACK_LEVELS: readonly PackLevel[] = ['partition', 'month', 'year'];

/** Levels that hold more than one partition of this grain. */
function packLevels(grain: Grain | undefined): readonly PackLevel[] {
  if (grain === undefined || grain === 'year') return ['partition'];
  return grain === 'month' ? ['partition', 'year'] : PACK_LEVELS;
}

function buildStorage({ format, packs }: LooseOptions, { time }: PartitionSpace, report: Report): StorageDefinition {
  const possible = packLevels(time?.grain);
  const chosen = packs ?? possible;
  const ascending = possible.filter((level) => chosen.includes(level));
  if (format) {
    if (packs) report('bad-packs', ['packs'], 'original files are kept one by one', 'Leave it out');
    return { type: 'raw', format };
  }
  if (chosen.length === 0 || ascending.join() !== chosen.join()) {
    report('bad-packs', ['packs'], `[${chosen.join(', ')}] is not some of ${possible.join(', ')}, in this order`);
  }
  return { type: 'table', packs: chosen };
}

function buildCompute(
  options: LooseOptions,
  inputs: AssetDefinition['inputs'],
  own: Pick<AssetDefinition, 'columns' | 'space'>,
  report: Report,
): ComputeDefinition | undefined {
  const { query, compute, format } = options;
  if (!query === !compute) {
    report(
      'one-compute',
      [],
      query ? 'has both query and compute' : 'has neither query nor compute',
      'Give exactly one',
    );
  }
  if (query && format)
    report('bytes-by-query', ['query'], 'original bytes cannot come from a query', 'Use compute and return bytes');
  if (query) {
    const template = buildQuery(query, inputs, own, report);
    return template && { type: 'sql', template };
  }
  return compute && ({ type: format ? 'bytes' : 'rows', fn: compute } as ComputeDefinition);
}

function buildConfig(config: unknown, report: Report): unknown {
  try {
    if (config !== undefined) canonicalJson(config);
  } catch (error) {
    report('bad-config', ['config'], serializeError(error).message, 'Use plain data: it is part of the code version');
  }
  return config;
}

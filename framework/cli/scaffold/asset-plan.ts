import { canonicalJson } from '../../common/canonical.ts';
import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { DimensionSpec } from '../../define/dimensions.ts';
import { type AssetDefinition, type ColumnDefinition, isDefinition } from '../../define/model.ts';
import { buildSpace } from '../../define/space.ts';
import { timeType } from '../../engine/partitions.ts';
import type { Dimension } from '../../partition/space.ts';
import type { Exported } from './modules.ts';
import { isReserved } from './reserved.ts';

/** A dimension of a new asset, and what it is imported as. */
export interface PlannedDimension {
  readonly dimension: Dimension;
  readonly exported: Exported;
}

/** What a new asset is to be. */
export interface AssetPlan {
  /** `zone/name`. */
  readonly key: string;
  readonly form: 'sql' | 'function';
  readonly dimensions: readonly PlannedDimension[];
  readonly input: PlannedInput | undefined;
  /** Proposed: those of the input. */
  readonly columns: readonly ColumnDefinition[];
  readonly sortBy: readonly string[];
  readonly timeColumn: string | undefined;
}

export interface PlannedInput {
  readonly name: string;
  readonly definition: AssetDefinition;
  readonly exported: Exported;
  /** Its mappings as TypeScript, by dimension; undefined where it reads the same partition. */
  readonly mapping: Readonly<Record<string, 'all' | 'overlapping'>> | undefined;
}

export interface AssetRequest {
  readonly key: string;
  readonly form: 'sql' | 'function';
  /** Key of the asset that it reads. */
  readonly from: string | undefined;
  /** Names of dimensions; those of the input when absent. */
  readonly partitions: readonly string[] | undefined;
}

const KEY = /^[a-z][a-z0-9_]*(\/[a-z][a-z0-9_]*)+$/;

/**
 * @param assets everything in the lake.
 * @param exported what there is to import, see `exportsBelow`.
 * @throws LakehouseError (usage) `bad-key`, `asset-exists`, `unknown-asset`, `unknown-dimension`, `no-dimensions`, `no-values`,
 * `two-time-dimensions`, `not-exported`, `several-files`.
 */
export function planAsset(
  { key, form, from, partitions }: AssetRequest,
  assets: readonly AssetDefinition[],
  exported: readonly Exported[],
): AssetPlan {
  const keys = assets.map((one) => one.key);
  if (!KEY.test(key)) {
    throw new LakehouseError(
      'bad-key',
      `'${key}' is no key of an asset: zone/name in lower case letters, digits and _`,
      {
        hint: 'Write e.g. silver/trades.',
      },
    );
  }
  if (keys.includes(key)) throw new LakehouseError('asset-exists', `There is an asset ${key} already`);
  const upstream = from === undefined ? undefined : assets.find((one) => one.key === from);
  if (from !== undefined && upstream === undefined)
    throw new LakehouseError('unknown-asset', `No asset is named '${from}'`, { hint: didYouMean(from, keys) });
  const names = partitions ?? upstream?.space.dimensions.map(({ name }) => name);
  if (names === undefined) {
    throw new LakehouseError('no-dimensions', `It is not said what ${key} is made of, or how it is partitioned`, {
      hint: 'Give --from with an asset that it reads, or --partitions with names of dimensions.',
    });
  }
  const dimensions = names.map((name) => dimensionNamed(name, upstream, assets, exported));
  const times = dimensions.filter(({ dimension }) => dimension.type === 'time');
  if (times.length > 1)
    throw new LakehouseError('two-time-dimensions', `${names.join(', ')}: at most one dimension can be of time`);
  const dynamic = dimensions.find(({ dimension }) => dimension.type === 'dynamic');
  if (upstream === undefined && dynamic !== undefined) {
    throw new LakehouseError(
      'no-values',
      `The values of ${dynamic.dimension.name} are found in data, and ${key} reads none`,
      {
        hint: 'Give --from with an asset that has this dimension.',
      },
    );
  }
  return { key, form, dimensions, ...reading(upstream, dimensions, form, exported) };
}

/** Proposed where the rows themselves cannot be. */
export const ROWS: ColumnDefinition = {
  name: 'rows',
  type: 'INTEGER',
  nullable: false,
  description: 'How many rows it read.',
};

/** What comes of the input: rows as they are, those of several partitions with what tells them apart. */
function reading(
  upstream: AssetDefinition | undefined,
  dimensions: readonly PlannedDimension[],
  form: 'sql' | 'function',
  exported: readonly Exported[],
): Pick<AssetPlan, 'input' | 'columns' | 'sortBy' | 'timeColumn'> {
  if (upstream === undefined) {
    const columns = [{ name: 'value', type: 'DOUBLE', nullable: false, description: 'What it is.' }];
    return { input: undefined, columns, sortBy: ['value'], timeColumn: undefined };
  }
  const here = new Set(dimensions.map(({ dimension }) => dimension.name));
  const there = upstream.space.dimensions;
  const hasTime = dimensions.some(({ dimension }) => dimension.type === 'time');
  const gone = there.filter(({ name }) => !here.has(name));
  const mapping = Object.fromEntries(
    gone.map(({ name, type }) => [name, type === 'time' && hasTime ? ('overlapping' as const) : ('all' as const)]),
  );
  const isAdded = [...here].some((name) => there.every((one) => one.name !== name));
  // A column of time tells periods apart as well.
  const apart = gone.filter(({ type }) => type !== 'time' || upstream.timeColumn === undefined);
  const several = apart.map(({ name }) => name);
  const { columns, storage } = upstream;
  const optional = storage.type === 'raw' ? (storage.format.optional ?? []) : [];
  const proposed = [
    ...apart.map((one) => ({
      name: one.name,
      type: one.type === 'time' ? timeType(one.grain) : 'VARCHAR',
      nullable: false,
    })),
    ...columns.map((column) => ({ ...column, nullable: column.nullable || optional.includes(column.name) })),
  ];
  if (columns.length === 0 && gone.length > 0) {
    throw new LakehouseError(
      'several-files',
      `${upstream.key} keeps files, and one partition would be made of several`,
      {
        hint: `Keep its dimensions: --partitions ${there.map((one) => one.name).join(',')}`,
      },
    );
  }
  const last = upstream.key.slice(upstream.key.lastIndexOf('/') + 1);
  // The query takes it as a variable, beside `sql`.
  const name = isReserved(last) || last === 'sql' ? `${last}_rows` : last;
  const needsMapping = gone.length > 0 || isAdded;
  const input = {
    name,
    definition: upstream,
    exported: exportOf(upstream, exported),
    mapping: needsMapping ? mapping : undefined,
  };
  // A function gets rows without the partition columns that would tell those of several series apart.
  if (form === 'function' && several.length > 0 && columns.length > 0) {
    return { input, columns: [ROWS], sortBy: [ROWS.name], timeColumn: undefined };
  }
  const sorted = upstream.sortBy.length > 0 ? upstream.sortBy : columns.slice(0, 1).map((column) => column.name);
  const times = gone.some(({ type }) => type === 'time') ? [upstream.timeColumn ?? []].flat() : [];
  return {
    input,
    columns: proposed,
    sortBy: [...new Set([...several, ...times, ...sorted])],
    timeColumn: hasTime ? upstream.timeColumn : undefined,
  };
}

/** By what an asset is imported: from the module that declares it, if that exports it. */
function exportOf(asset: AssetDefinition, exported: readonly Exported[]): Exported {
  const found = exported.filter(({ value }) => isDefinition(value) && value.key === asset.key);
  const [best = undefined] = [...found].sort((a, b) => Number('entry' in a.from) - Number('entry' in b.from));
  if (best === undefined) {
    throw new LakehouseError('not-exported', `No module that the definitions import exports ${asset.key} by name`, {
      hint: 'Declare it in a module of its own: export const x = asset(…).',
    });
  }
  return best;
}

function dimensionNamed(
  name: string,
  upstream: AssetDefinition | undefined,
  assets: readonly AssetDefinition[],
  exported: readonly Exported[],
): PlannedDimension {
  const own = upstream?.space.dimensions.find((one) => one.name === name);
  const candidates = exported.flatMap((one): PlannedDimension[] =>
    isDimension(one.value) ? [{ exported: one, dimension: builtDimension(name, one.value) }] : [],
  );
  const wanted = own ?? assets.flatMap(({ space }) => space.dimensions).find((one) => one.name === name);
  const named = candidates.filter((one) => one.exported.name === name);
  const fitting =
    wanted === undefined
      ? named
      : [...named, ...candidates].filter(({ dimension }) => canonicalJson(dimension) === canonicalJson(wanted));
  const [best] = fitting.length > 0 || own !== undefined ? fitting : named;
  if (best !== undefined) return best;
  if (wanted !== undefined) {
    throw new LakehouseError('not-exported', `No module that the definitions import exports the dimension ${name}`, {
      hint: `Declare it in assets/dimensions.ts, say: export const ${name} = …, and import it where it is used.`,
    });
  }
  const known = new Set([
    ...assets.flatMap(({ space }) => space.dimensions.map((one) => one.name)),
    ...candidates.map((one) => one.exported.name),
  ]);
  throw new LakehouseError('unknown-dimension', `No dimension is named '${name}'`, { hint: didYouMean(name, known) });
}

function isDimension(value: unknown): value is DimensionSpec {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return (
    (value.type === 'static' && 'values' in value) ||
    (value.type === 'dynamic' && 'of' in value) ||
    (value.type === 'time' && 'grain' in value)
  );
}

function builtDimension(name: string, spec: DimensionSpec): Dimension {
  const [dimension] = buildSpace({ [name]: spec }, () => undefined).dimensions;
  if (dimension === undefined) throw new Error(`no dimension came of ${name}`);
  return dimension;
}

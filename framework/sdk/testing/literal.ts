import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import { partitionKey } from '../../define/key.ts';
import type { AssetDefinition, InputDefinition } from '../../define/model.ts';
import { resolveMapping } from '../../partition/mapping.ts';
import { type PartitionRef, type PartitionSpace, parseKey, printKey } from '../../partition/space.ts';
import { formatIndex, indexAt } from '../../partition/time.ts';

export type Row = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, string>>;

/** What a stand-in has of one partition. */
export interface Content {
  readonly ref: PartitionRef;
  readonly rows?: readonly Row[];
  readonly bytes?: Uint8Array;
}
/** What is read instead of an asset: by printed key. */
export interface Contents {
  readonly definition: AssetDefinition;
  readonly parts: Map<string, Content>;
}

interface Given {
  readonly partition: Key;
  readonly rows?: readonly Row[];
  readonly bytes?: Uint8Array | string;
}

/**
 * What each asset that is read has, by key.
 * @param target the partition computed, where there is only one.
 * @throws LakehouseError `not-computed`, `unknown-input`, `which-partition`, `rows-or-bytes`, those of `partitionKey` (usage).
 */
export function contentsOf(
  asset: AssetDefinition,
  inputs: Readonly<Record<string, unknown>>,
  target: PartitionRef | undefined,
): Map<string, Contents> {
  if (asset.kind === 'source')
    throw new LakehouseError('not-computed', `${asset.key} is a source: it is observed, not computed`, {
      hint: 'Test an asset that reads it, and give it bytes.',
    });
  const others = asset.inputs.filter((input) => input.alternatives.some((one) => one.asset !== undefined));
  const names = others.map(({ name }) => name);
  const unknown = Object.keys(inputs).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new LakehouseError('unknown-input', `${asset.key} has no input '${unknown}' that could be given`, {
      hint: didYouMean(unknown, names),
    });
  const found = new Map<string, Contents>();
  for (const input of others) {
    for (const { asset: definition } of input.alternatives)
      if (definition && !found.has(definition.key)) found.set(definition.key, { definition, parts: new Map() });
    // Of alternatives the first one is given.
    const [first] = input.alternatives;
    const into = first?.asset && found.get(first.asset.key);
    const literal = inputs[input.name];
    if (!into || literal === undefined) continue;
    for (const given of partitionsOf(asset, input, literal, target)) {
      const content = contentOf(asset, input.name, into.definition, given);
      into.parts.set(printKey(into.definition.space, content.ref), content);
    }
  }
  return found;
}

/** A partition that a person wrote down. */
export const refOf = (definition: AssetDefinition, key: Key): PartitionRef =>
  parseKey(definition.space, partitionKey(definition, key as never));

const isGiven = (one: unknown): one is Given =>
  typeof one === 'object' &&
  one !== null &&
  'partition' in one &&
  typeof one.partition === 'object' &&
  ('rows' in one || 'bytes' in one);

function contentOf({ key }: AssetDefinition, input: string, read: AssetDefinition, given: Given): Content {
  const { partition, rows, bytes } = given;
  const table = read.kind === 'asset' && read.storage.type === 'table';
  if (table ? rows === undefined : bytes === undefined)
    throw new LakehouseError(
      'rows-or-bytes',
      `${key}: input '${input}' reads ${read.key}, which has ${table ? 'rows' : 'bytes'}`,
      {
        hint: `Give it { partition, ${table ? 'rows' : 'bytes'} }.`,
      },
    );
  const nullable = Object.fromEntries(read.columns.flatMap((one) => (one.nullable ? [[one.name, null]] : [])));
  return {
    ref: refOf(read, partition),
    ...(rows && { rows: rows.map((row) => ({ ...nullable, ...row })) }),
    ...(bytes !== undefined && { bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes }),
  };
}

/** A literal by partitions. */
function partitionsOf(
  asset: AssetDefinition,
  input: InputDefinition,
  literal: unknown,
  target: PartitionRef | undefined,
): readonly Given[] {
  if (Array.isArray(literal) && literal.length > 0 && literal.every(isGiven)) return literal;
  const [first] = input.alternatives;
  const read = first?.asset;
  if (!read) return [];
  const refuse = (why: string): LakehouseError =>
    new LakehouseError('which-partition', `${asset.key}: input '${input.name}': ${why}`, {
      hint: `Name them: [{ partition: { ${read.space.dimensions.map(({ name }) => `${name}: '…'`).join(', ')} }, ${Array.isArray(literal) ? 'rows' : 'bytes'}: … }]`,
    });
  const { time } = read.space;
  const [lo, hi] = target ? upstreamTimes(asset, input, target) : [0, Number.POSITIVE_INFINITY];
  const series = seriesOf(read, first.mapping.listed, target, refuse);
  const at = (index: number): Key => (time ? { ...series, [time.name]: formatIndex(time.grain, index) } : series);
  if (!time || hi - lo === 1)
    return [
      { partition: at(lo), ...(Array.isArray(literal) ? { rows: literal as Row[] } : { bytes: literal as string }) },
    ];
  const column = read.timeColumn;
  if (!Array.isArray(literal) || column === undefined) throw refuse(`it reads several partitions of ${read.key}`);
  const byTime = Map.groupBy(literal as Row[], (row) => {
    const instant = row[column];
    if (instant instanceof Date && !Number.isNaN(instant.getTime())) return indexAt(time.grain, instant.getTime());
    throw refuse(`'${column}' of a row is no Date`);
  });
  return [...byTime].map(([index, rows]) => ({ partition: at(index), rows }));
}

/** Which times of an input the target reads. */
function upstreamTimes(asset: AssetDefinition, { alternatives }: InputDefinition, target: PartitionRef) {
  const [first] = alternatives;
  const resolved =
    first?.asset &&
    resolveMapping(first.mapping, asset.space, first.asset.space, { barMs: (values) => asset.barMs?.(values) });
  // What is wrong with it is said when the lake is opened.
  if (!resolved || 'issues' in resolved) return [0, 1] as const;
  return resolved.mapping.upstream(target.values, target.time);
}

/** The values of the one series that is read. */
function seriesOf(
  { space }: { readonly space: PartitionSpace },
  listed: Readonly<
    Record<string, { readonly rule: string; readonly dimension?: string; readonly values?: readonly string[] }>
  >,
  target: PartitionRef | undefined,
  refuse: (why: string) => LakehouseError,
): Key {
  return Object.fromEntries(
    space.listed.map(({ name, values = [] }) => {
      const rule = listed[name];
      const only = rule?.rule === 'only' ? rule.values : values;
      const same = rule === undefined || rule.rule === 'same' ? target?.values[name] : undefined;
      const value =
        same ??
        (rule?.rule === 'from' ? target?.values[rule.dimension ?? ''] : undefined) ??
        (only?.length === 1 ? only[0] : undefined);
      if (value === undefined) throw refuse(`it does not follow which '${name}' is meant`);
      return [name, value];
    }),
  );
}

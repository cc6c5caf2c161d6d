import { createHash } from 'node:crypto';
import type { AssetDefinition } from '../../framework/define/model.ts';
import type { BatchTarget, BoundInput, BoundPart } from '../../framework/engine/port.ts';
import { printKey, type SeriesValues } from '../../framework/partition/space.ts';
import { parseIndex } from '../../framework/partition/time.ts';

/** `{ symbol: 'A', date: '2024-01-01' }` as a target. */
export function target(definition: AssetDefinition, partition: Readonly<Record<string, string>>): BatchTarget {
  const { space } = definition;
  const { time } = space;
  const index = time ? parseIndex(time.grain, partition[time.name] ?? '') : 0;
  if (index === undefined) throw new Error(`not a time: ${JSON.stringify(partition)}`);
  const values: SeriesValues = Object.fromEntries(space.listed.map(({ name }) => [name, partition[name] ?? '']));
  return { values, time: index, key: printKey(space, { values, time: index }) };
}

export function sha16(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, 16));
}

/** Every target reads the parts for which `reads` holds; by default those with the same values and time. */
export function bind(
  name: string,
  definition: AssetDefinition,
  parts: readonly BoundPart[],
  targets: readonly BatchTarget[],
  reads: (target: BatchTarget, part: BoundPart) => boolean = (t, part) => samePartition(t, part),
): BoundInput {
  const pairs = targets.flatMap((t, i) => parts.flatMap((part, j) => (reads(t, part) ? [[i, j]] : [])));
  return { name, definition, parts, pairs: Int32Array.from(pairs.flat()) };
}

export function samePartition(a: BatchTarget, b: BatchTarget): boolean {
  return a.time === b.time && Object.entries(a.values).every(([name, value]) => (b.values[name] ?? value) === value);
}

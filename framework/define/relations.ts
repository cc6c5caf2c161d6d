import { didYouMean } from '../common/suggest.ts';
import type { PartitionSpace } from '../partition/space.ts';
import { type ColumnReference, SQL_PART, type SqlPart, type SqlReference } from './sql.ts';
import type { PartitionReferences, Relation } from './types.ts';

/**
 * Renders as the rows of an input and hands out references to its columns.
 * @throws TypeError for a column it has not, where the query is written.
 */
export function relation(input: string, names: readonly string[]): Relation<string> {
  const part = { type: 'relation', input } as const;
  const column = (name: string): ColumnReference => ({ name, [SQL_PART]: { type: 'column', name } });
  return references(part, names, column, `input '${input}' has no column`) as Relation<string>;
}

/**
 * References to the values of the partition computed: its dimensions, `start` and `end`.
 * @throws TypeError for anything else.
 */
export function partitionReferences({ dimensions, time }: PartitionSpace): PartitionReferences<string> {
  const names = [...dimensions.map((dimension) => dimension.name), ...(time ? ['start', 'end'] : [])];
  const value = (name: string): SqlReference => ({ [SQL_PART]: { type: 'partition', name } });
  return references(undefined, names, value, 'the partition has no') as PartitionReferences<string>;
}

function references(
  part: SqlPart | undefined,
  names: readonly string[],
  of: (name: string) => SqlReference,
  problem: string,
): object {
  return new Proxy(part === undefined ? {} : { [SQL_PART]: part }, {
    get(target, name) {
      if (typeof name === 'symbol') return Reflect.get(target, name) as unknown;
      if (names.includes(name)) return of(name);
      throw new TypeError(
        [`${problem} '${name}'`, didYouMean(name, names)].filter((text) => text !== undefined).join('. '),
      );
    },
    has: (target, name) => Reflect.has(target, name) || names.includes(String(name)),
  });
}

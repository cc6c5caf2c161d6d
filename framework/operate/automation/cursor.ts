import { canonicalHash } from '../../common/canonical.ts';
import type { AutomationCondition } from '../../define/automation.ts';
import type { PartitionSet } from '../../partition/set.ts';
import * as sets from '../../partition/set.ts';

/** Key under which the daemon remembers the {@link AutomationCursor} of an asset. */
export const cursorKey = (asset: string): string => `${CURSOR_KEYS}${asset}`;
export const CURSOR_KEYS = 'automation/cursor/';

/** A set of partitions as JSON: flat half-open ranges of time indices by series key. */
export type PackedPartitions = Readonly<Record<string, readonly number[]>>;

/**
 * What the evaluation of an asset's condition leaves for the next one: plain data, to be persisted together with the decision. Its size
 * goes with the number of series and of ranges in them, not with partitions.
 */
export interface AutomationCursor {
  /** When it was evaluated, ms UTC, and up to which revision of the log. */
  readonly at: number;
  readonly head: number;
  readonly requested: PackedPartitions;
  /**
   * By id of a node (see {@link nodeId}): what it has to remember. A node that is not in here is evaluated for the first time: so is
   * every part of a condition that was altered.
   */
  readonly nodes: Readonly<Record<string, PackedPartitions>>;
}

export const packPartitions = (set: PartitionSet): PackedPartitions =>
  Object.fromEntries(Array.from(set.bySeries, ([key, { bounds }]) => [key, bounds]));

export const unpackPartitions = (packed: PackedPartitions): PartitionSet =>
  sets.fromSeries(Object.entries(packed).map(([key, bounds]) => [key, { bounds }]));

const ids = new WeakMap<AutomationCondition, string>();

/**
 * The same for equal conditions, whatever they are called, in every process. What a node remembers depends on nothing but this and
 * the asset it is evaluated for, so it may move about in the tree.
 */
export function conditionId(condition: AutomationCondition): string {
  const known = ids.get(condition);
  if (known !== undefined) return known;
  const id = canonicalHash([condition.type, condition.arguments, condition.children.map(conditionId)]).slice(0, 16);
  ids.set(condition, id);
  return id;
}

/** A node of the condition of `owner`, evaluated for `asset`: the owner itself, or what it reads. */
export function nodeId(condition: AutomationCondition, owner: string, asset: string): string {
  return owner === asset ? conditionId(condition) : `${conditionId(condition)} ${asset}`;
}

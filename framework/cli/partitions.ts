import type { PartitionSet } from '../partition/set.ts';
import { printSet } from '../partition/set.ts';
import type { PartitionSpace } from '../partition/space.ts';
import { plural, truncateFront } from '../report/format.ts';

/** A set for people: a few lines that fit, or all of it. */
export function setLines(
  space: PartitionSpace,
  set: PartitionSet,
  limit: { readonly lines: number; readonly width: number } | undefined,
): string[] {
  const lines = printSet(space, set)
    .split('\n')
    .filter((line) => line !== '');
  if (!limit) return lines;
  const shown = lines.slice(0, limit.lines).map((line) => truncateFront(line, limit.width));
  const rest = lines.length - shown.length;
  return rest > 0 ? [...shown, `… and ${plural(rest, 'more group')} (--verbose)`] : shown;
}

import type { AssetDefinition } from '../define/model.ts';
import type { RangeSet } from '../partition/ranges.ts';
import * as ranges from '../partition/ranges.ts';
import { endOf, formatIndex, type Grain, indexAt, startOf } from '../partition/time.ts';

/**
 * The pack a partition belongs to when written at `now`: that of the largest level whose period is over. The name is the
 * stem of the file name. A pure function of the declaration, the time and the clock, so where a partition lives does not
 * depend on how the work was cut up.
 */
export function packName(definition: AssetDefinition, time: number, now: number): string {
  return packAt(definition, time, now).name;
}

/** The pack of a partition, and the time up to which (exclusive) those that follow surely belong to it as well. */
function packAt(
  definition: AssetDefinition,
  time: number,
  now: number,
): { readonly name: string; readonly end: number } {
  const grain = definition.space.time?.grain;
  if (grain === undefined) return { name: 'all', end: time + 1 };
  if (definition.storage.type === 'table') {
    const start = startOf(grain, time);
    for (const level of definition.storage.packs.toReversed()) {
      if (level === 'partition') continue;
      const period = indexAt(level as Grain, start);
      const periodEnd = endOf(level as Grain, period);
      // A week may reach past the end of the month it began in; it is over when both are.
      if (Math.max(periodEnd, endOf(grain, time)) > now) continue;
      const end = Math.min(indexAt(grain, periodEnd - 1) + 1, indexAt(grain, now));
      return { name: formatIndex(level as Grain, period), end: Math.max(end, time + 1) };
    }
  }
  return { name: formatIndex(grain, time), end: time + 1 };
}

/** Times cut up by the packs they belong to, into pieces of at most `limit` partitions. */
export function* cutByPack(
  definition: AssetDefinition,
  times: RangeSet,
  now: number,
  limit: number,
): Generator<{ readonly name: string; readonly times: RangeSet }> {
  let open: { readonly name: string; readonly pairs: [number, number][]; count: number } | undefined;
  for (const [lo, hi] of ranges.pairs(times)) {
    for (let from = lo; from < hi; ) {
      const { name, end } = packAt(definition, from, now);
      if (open && (open.name !== name || open.count >= limit)) {
        yield { name: open.name, times: ranges.fromRanges(open.pairs) };
        open = undefined;
      }
      open ??= { name, pairs: [], count: 0 };
      const to = Math.min(hi, end, from + limit - open.count);
      open.pairs.push([from, to]);
      open.count += to - from;
      from = to;
    }
  }
  if (open) yield { name: open.name, times: ranges.fromRanges(open.pairs) };
}

import type { AssetDefinition } from '../define/model.ts';
import { endOf, formatIndex, type Grain, indexAt, startOf } from '../partition/time.ts';

/**
 * The pack a partition belongs to when written at `now`: that of the largest level whose period is over. The name is the
 * stem of the file name. A pure function of the declaration, the time and the clock, so where a partition lives does not
 * depend on how the work was cut up.
 */
export function packName(definition: AssetDefinition, time: number, now: number): string {
  const grain = definition.space.time?.grain;
  if (grain === undefined) return 'all';
  if (definition.storage.type === 'table') {
    const start = startOf(grain, time);
    for (const level of definition.storage.packs.toReversed()) {
      if (level === 'partition') continue;
      const period = indexAt(level as Grain, start);
      // A week may reach past the end of the month it began in; it is over when both are.
      if (Math.max(endOf(level as Grain, period), endOf(grain, time)) <= now) return formatIndex(level as Grain, period);
    }
  }
  return formatIndex(grain, time);
}

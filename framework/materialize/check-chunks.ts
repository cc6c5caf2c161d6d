import type { CheckDefinition } from '../define/model.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { PartitionSet } from '../partition/set.ts';
import { printKey, readSeriesKey } from '../partition/space.ts';
import type { Target } from './bind.ts';
import type { Chosen } from './check-reads.ts';
import type { Lake } from './lake.ts';

/** Partitions of which the same checks are made, in the same statements. */
export interface CheckChunk {
  readonly checks: readonly CheckDefinition[];
  readonly chosen: Chosen;
  readonly targets: readonly Target[];
}

/** Which chunk a partition belongs to: those with the same key are alike. */
export interface Kind {
  readonly key: string;
  readonly checks: () => readonly CheckDefinition[];
  readonly chosen: () => Chosen;
}

interface Open extends CheckChunk {
  readonly targets: Target[];
  files: number;
  last: number;
}

/** A set cut into chunks of a batch's size, along files as far as that goes: no file is read for a few partitions twice. */
export function* chunked(
  lake: Lake,
  node: AssetNode,
  set: PartitionSet,
  kindOf: (target: Target) => Kind | undefined,
): Generator<CheckChunk> {
  const { maxPartitions, maxPacks } = lake.settings.limits;
  const chunks = new Map<string, Open>();
  for (const [seriesKey, times] of set.bySeries) {
    const values = readSeriesKey(seriesKey);
    const details = lake.state.details(node.key, seriesKey);
    for (const time of ranges.iterate(times)) {
      const target: Target = { seriesKey, values, time, key: printKey(node.space, { values, time }) };
      const kind = kindOf(target);
      if (kind === undefined) continue;
      const file = details?.file[time - details.base] ?? -1;
      let open = chunks.get(kind.key);
      const size = open?.targets.length ?? 0;
      const full =
        file === open?.last ? size >= 2 * maxPartitions : size >= maxPartitions / 2 || open?.files === maxPacks;
      if (open === undefined || full) {
        if (open !== undefined && open.checks.length > 0) yield open;
        open = { checks: kind.checks(), chosen: kind.chosen(), targets: [], files: 0, last: Number.NaN };
        chunks.set(kind.key, open);
      }
      open.targets.push(target);
      if (file !== open.last) open.files++;
      open.last = file;
    }
  }
  for (const open of chunks.values()) if (open.checks.length > 0) yield open;
}

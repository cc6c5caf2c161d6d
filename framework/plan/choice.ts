import type { Scratch } from '../common/scratch.ts';
import type { ResolvedInput } from '../graph/graph.ts';
import { type Aggregate, AVAILABLE, AWAITING, BLOCKED, isDeparture } from './aggregate.ts';
import type { LakeView } from './view.ts';

/** Where no alternative can be had. */
export const NO_CHOICE = 255;

/**
 * Labels of the chosen alternatives as recorded in the log: `raw=bronze/klines_daily`, several joined by commas; empty where there is
 * nothing to choose. Where an asset is more than one of the alternatives, with which number: `raw=silver/klines#2`.
 */
export function choiceLabel(inputs: readonly ResolvedInput[], chosen: (input: string) => number): string {
  return inputs
    .filter((input) => input.alternatives.length > 1)
    .map(({ name, alternatives }) => {
      const asset = alternatives[chosen(name)]?.asset ?? '';
      const several = alternatives.filter((alternative) => alternative.asset === asset).length > 1;
      return `${name}=${asset}${several ? `#${chosen(name) + 1}` : ''}`;
    })
    .join(',');
}

/** How good an alternative is, 0 being best, by the bits of what it reads. */
function rank(bits: number): number {
  if ((bits & AVAILABLE) === 0) return bits & AWAITING ? 3 : 4;
  if (bits & BLOCKED) return 2;
  return bits & AWAITING ? 1 : 0;
}

/**
 * Per point the first alternative that can be had in full: nothing of it failed for good or is still awaited; else the first of
 * which something is only awaited, else the first that failed. What failed in passing will be tried again and counts as to be had.
 * The aggregate of the chosen alternative goes into `into`, the newest departure from any of them into `left`: it may have been chosen before.
 */
export function choose(parts: readonly Aggregate[], into: Aggregate, left: Uint32Array, scratch: Scratch): Uint8Array {
  const length = into.bits.length;
  const chosen = scratch.u8(length).fill(NO_CHOICE);
  for (let i = 0; i < length; i++) {
    let best: Aggregate | undefined;
    let bestRank = 4;
    for (let a = 0; a < parts.length; a++) {
      const part = parts[a] as Aggregate;
      const newest = part.newest[i] as number;
      if (isDeparture(newest) && newest > (left[i] as number)) left[i] = newest;
      const own = rank(part.bits[i] as number);
      if (own >= bestRank) continue;
      bestRank = own;
      best = part;
      chosen[i] = a;
    }
    if (!best) continue;
    into.newest[i] = best.newest[i] as number;
    into.bits[i] = best.bits[i] as number;
  }
  return chosen;
}

/** The id in the log of the choice each point makes now; -1 where that choice was never recorded. */
export function choiceIds(
  inputs: readonly ResolvedInput[],
  view: LakeView,
  chosen: ReadonlyMap<string, Uint8Array>,
  length: number,
  scratch: Scratch,
): Int32Array | undefined {
  if (chosen.size === 0) return undefined;
  const columns = [...chosen.values()];
  const ids = new Map<number, number>();
  const out = scratch.i32(length);
  for (let i = 0; i < length; i++) {
    let signature = 0;
    for (const column of columns) signature = signature * 256 + (column[i] as number);
    let id = ids.get(signature);
    if (id === undefined) {
      id = view.choices.indexOf(choiceLabel(inputs, (input) => chosen.get(input)?.[i] ?? NO_CHOICE));
      ids.set(signature, id);
    }
    out[i] = id;
  }
  return out;
}

import type { AssetFreshness } from '../../plan/freshness.ts';
import { freshnessNow } from '../../report/freshness.ts';
import type { Snapshot } from '../read/snapshot.ts';

/** How far behind assets are that have a policy, as it was last measured. */
export interface Lags {
  readonly found: () => ReadonlyMap<string, AssetFreshness>;
  readonly isDue: (snapshot: Snapshot) => boolean;
  /** An asset at a time. @throws what `turn` throws. */
  readonly measure: (snapshot: Snapshot, turn: () => Promise<void>) => Promise<void>;
}

/** With nothing but time going on, lags are measured so often. */
const EVERY_MS = 60_000;
/** For many series it takes half a second: so many times as long is rested, however much is going on. */
const REST = 10;

export function createLags(now: () => number): Lags {
  let found: ReadonlyMap<string, AssetFreshness> = new Map();
  let of: Snapshot | undefined;
  let [began, ended] = [0, 0];
  return {
    found: () => found,
    isDue: (snapshot) => {
      // The difference counts: clocks are put back.
      const rested = Math.abs(now() - ended);
      return rested >= EVERY_MS || (snapshot !== of && rested >= REST * (ended - began));
    },
    measure: async (snapshot, turn) => {
      const { lake } = snapshot;
      const at = now();
      const measured = new Map<string, AssetFreshness>();
      for (const key of lake.graph.order) {
        if (lake.graph.node(key).definition.freshness.length === 0) continue;
        await turn();
        const one = freshnessNow(lake, { ...snapshot, at }, [key]).get(key);
        if (one) measured.set(key, one);
      }
      [found, of, began, ended] = [measured, snapshot, at, now()];
    },
  };
}

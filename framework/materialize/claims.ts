import type { ClaimToken, StateWriter } from '../state/store.ts';
import type { BatchContext } from './context.ts';
import type { Lake } from './lake.ts';
import { delay } from './retry.ts';

const CLAIM_POLL_MS = 200;
const SHORTEST_BEAT_MS = 20;

/**
 * Runs `work` under a claim on packs of the asset, kept alive meanwhile and released whatever happens. Waits for others who
 * hold one of the packs; resolves to undefined when the run is to stop before they let go.
 */
export async function withClaim<T>(
  context: BatchContext,
  packs: readonly string[],
  partitions: number,
  work: (claim: ClaimToken) => Promise<T>,
): Promise<T | undefined> {
  const { lake } = context;
  releaseKept(lake);
  const claim = await takeClaim(context, packs, partitions);
  if (claim === undefined) return undefined;
  const beat = () => {
    try {
      lake.state.renew(claim, lake.now());
    } catch {
      // The next beat tries again, and whether the claim held is decided inside the append.
    }
  };
  const heartbeat = setInterval(beat, Math.max(lake.settings.claimTtlMs / 3, SHORTEST_BEAT_MS));
  try {
    return await work(claim);
  } finally {
    clearInterval(heartbeat);
    release(lake, claim);
  }
}

async function takeClaim(
  { lake, node, run, signal, stopping, emit }: BatchContext,
  packs: readonly string[],
  partitions: number,
): Promise<ClaimToken | undefined> {
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    if (stopping.aborted) return undefined;
    const answer = lake.state.claim(
      node.key,
      packs,
      { run, host: lake.host, pid: lake.pid },
      lake.settings.claimTtlMs,
      lake.now(),
    );
    if ('token' in answer) return answer;
    const { heldBy } = answer;
    if (!told)
      emit({
        type: 'waiting',
        asset: node.key,
        partitions,
        heldBy: `run ${heldBy.run} (pid ${heldBy.pid} on ${heldBy.host})`,
      });
    await delay(CLAIM_POLL_MS, AbortSignal.any([signal, stopping])).catch(() => undefined);
  }
}

/** Claims that could not be given back, because the disk of the state was full. Others wait for them to expire, this process need not. */
const kept = new WeakMap<StateWriter, ClaimToken[]>();

function release({ state }: Lake, claim: ClaimToken): void {
  try {
    state.release(claim);
  } catch {
    // The error that keeps the state from being written is reported by the work.
    kept.set(state, [...(kept.get(state) ?? []), claim]);
  }
}

function releaseKept(lake: Lake): void {
  const claims = kept.get(lake.state) ?? [];
  kept.delete(lake.state);
  for (const claim of claims) release(lake, claim);
}

import type { ClaimToken } from '../state/store.ts';
import type { BatchContext } from './context.ts';
import { delay } from './retry.ts';

const CLAIM_POLL_MS = 200;
const SHORTEST_BEAT_MS = 20;

/**
 * Runs `work` under a claim on packs of the asset, kept alive meanwhile and released whatever happens. Waits for others who
 * hold one of the packs; resolves to undefined when the run is to stop before they let go.
 */
export async function withClaim<T>(context: BatchContext, packs: readonly string[], partitions: number, work: (claim: ClaimToken) => Promise<T>): Promise<T | undefined> {
  const { lake } = context;
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
    release(context, claim);
  }
}

async function takeClaim({ lake, node, run, signal, stopping, emit }: BatchContext, packs: readonly string[], partitions: number): Promise<ClaimToken | undefined> {
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    if (stopping.aborted) return undefined;
    const answer = lake.state.claim(node.key, packs, { run, host: lake.host, pid: lake.pid }, lake.settings.claimTtlMs, lake.now());
    if ('token' in answer) return answer;
    const { heldBy } = answer;
    if (!told) emit({ type: 'waiting', asset: node.key, partitions, heldBy: `run ${heldBy.run} (pid ${heldBy.pid} on ${heldBy.host})` });
    await delay(CLAIM_POLL_MS, AbortSignal.any([signal, stopping])).catch(() => undefined);
  }
}

function release({ lake }: BatchContext, claim: ClaimToken): void {
  try {
    lake.state.release(claim);
  } catch {
    // It expires by itself, and the error that keeps the state from being written is reported by the work.
  }
}

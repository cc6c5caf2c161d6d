import { rm } from 'node:fs/promises';
import type { BatchRequest, BatchTarget, Engine } from './port.ts';

/** A partition that came out differently with others than alone. */
export interface Difference {
  readonly target: BatchTarget;
  readonly alone: { readonly rows: number; readonly version: string };
  readonly together: { readonly rows: number; readonly version: string };
}

/**
 * Computes every target of a batch together and alone, and gives what differs: nothing, for a query that means one partition.
 * For the tests of assets, `rowwise` ones above all.
 * @param newPath gives a path for a new file; the files are removed again.
 */
export async function proveBatching(
  engine: Engine,
  request: Omit<BatchRequest, 'packs'>,
  newPath: () => string,
): Promise<Difference[]> {
  const compute = async (targets: readonly number[]) => {
    const path = newPath();
    try {
      const result = await engine.computeBatch({
        ...request,
        targets: targets.flatMap((ordinal) => request.targets[ordinal] ?? []),
        inputs: request.inputs.map((input) => ({ ...input, pairs: renumber(input.pairs, targets) })),
        ...(request.rows && {
          rows: { ...request.rows, targets: targets.map((ordinal) => request.rows?.targets[ordinal] ?? -1) },
        }),
        packs: [{ path, targets: targets.map((_, i) => i), carry: [] }],
      });
      return result.outcomes.map(({ rows, version }) => ({ rows, version: Buffer.from(version).toString('hex') }));
    } finally {
      await rm(path, { force: true });
    }
  };
  const together = await compute(request.targets.map((_, i) => i));
  const differences: Difference[] = [];
  for (const [ordinal, target] of request.targets.entries()) {
    const [alone] = await compute([ordinal]);
    const batched = together[ordinal];
    if (
      alone !== undefined &&
      batched !== undefined &&
      (alone.rows !== batched.rows || alone.version !== batched.version)
    ) {
      differences.push({ target, alone, together: batched });
    }
  }
  return differences;
}

function renumber(pairs: Int32Array, targets: readonly number[]): Int32Array {
  const place = new Map(targets.map((ordinal, i) => [ordinal, i]));
  const kept: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const target = place.get(pairs[i] ?? -1);
    if (target !== undefined) kept.push(target, pairs[i + 1] ?? 0);
  }
  return Int32Array.from(kept);
}

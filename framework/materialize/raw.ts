import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LakehouseError } from '../common/errors.ts';
import * as ranges from '../partition/ranges.ts';
import { packName } from '../plan/packs.ts';
import type { PackPlan } from '../plan/plan.ts';
import type { ClaimToken } from '../state/store.ts';
import type { Staged } from '../storage/store.ts';
import { asOf, bindInputs, choiceOf, filesMoved, findInputs, type Target } from './bind.ts';
import { computeContext, partsOf } from './compute.ts';
import { type BatchContext, isToldToStop, policyOf, retryControl } from './context.ts';
import { fileKey, planPacks } from './files.ts';
import { type Failure, finish } from './finish.ts';
import { openFiles } from './lake-files.ts';
import { endsRun, isConflict, withRetry } from './retry.ts';
import { movedError } from './table.ts';

const PIECE = 16 * 1024 * 1024;

interface Arrived {
  readonly target: Target;
  readonly staged: Staged;
  readonly sha256: Buffer;
  readonly bytes: number;
}

/** Large ones in pieces: nothing else goes on meanwhile, and a hash takes less than 2 GiB at a time. */
async function sha256Of(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (at > 0) await setImmediate();
    hash.update(bytes.subarray(at, at + PIECE));
  }
  return hash.digest();
}

/**
 * Original bytes: every partition is fetched, tried again and fails by itself; those that arrived are committed by one event.
 * @returns the targets that failed.
 */
export async function rawBatch(
  context: BatchContext,
  claim: ClaimToken,
  targets: readonly Target[],
): Promise<Failure[]> {
  const { lake, node, signal } = context;
  const started = performance.now();
  const { compute, storage } = node.definition;
  if (compute?.type !== 'bytes' || storage.type !== 'raw')
    throw new LakehouseError('not-raw', `${node.key} does not keep original bytes`, { kind: 'internal' });
  const { extension } = storage.format;
  const stem = (target: Target) => packName(node.definition, target.time, context.now);
  const index = lake.state.refresh();
  const found = findInputs(lake, node, context.evaluation, context.upstream, index, targets);
  await using files = openFiles(lake);
  const bound = await bindInputs(files, found, 'function');
  const engine = bound.length > 0 ? await lake.engine() : undefined;
  const staging: Staged[] = [];
  const arrived: Arrived[] = [];
  const failed: Failure[] = [];

  const fetch = async (target: Target, ordinal: number): Promise<void> => {
    try {
      const bytes = await context.breaker.run(() =>
        withRetry(node.key, policyOf(context), retryControl(context), async () => {
          await context.begin();
          return compute.fn(computeContext(lake, node, target, ordinal, found, bound, engine, signal));
        }),
      );
      if (!(bytes instanceof Uint8Array))
        throw new LakehouseError('not-bytes', `compute returned a ${typeof bytes} instead of a Uint8Array`, {
          kind: 'data',
        });
      const staged = await lake.store.stage(fileKey(lake, node, target.values, stem(target), extension));
      staging.push(staged);
      await staged.write(bytes);
      arrived.push({
        target,
        staged,
        sha256: await sha256Of(bytes),
        bytes: bytes.byteLength,
      });
    } catch (error) {
      if (!isToldToStop(error)) failed.push({ target, error });
    }
  };
  /** What it will hold in memory, as far as its sources have said. */
  const sizeOf = (ordinal: number) =>
    found.flatMap((input) => partsOf(input, ordinal)).reduce((sum, { bytes }) => sum + bytes, 0);
  /** Not even when the run is stopped while it waits. */
  const fetchInTurn = (target: Target, ordinal: number): Promise<void> =>
    context
      .pool(() => lake.pools.originals.run(sizeOf(ordinal), () => fetch(target, ordinal), signal))
      .catch((error: unknown) => void failed.push({ target, error }));
  try {
    // None of them rejects, so that nothing is still being written when the stages are discarded.
    await Promise.all(targets.map(fetchInTurn));
    signal.throwIfAborted();
    const fatal = failed.find(({ error }) => endsRun(error) || isConflict(error));
    if (fatal) throw fatal.error;
    if (failed.length > 0 && filesMoved(lake, found)) throw movedError(node, failed[0]?.error);
    if (arrived.length === 0) return failed;

    const order = new Map(targets.map((target, ordinal) => [target, ordinal]));
    arrived.sort((a, b) => (order.get(a.target) ?? 0) - (order.get(b.target) ?? 0));
    const packs = arrived.map(
      ({ target }): PackPlan => ({
        seriesKey: target.seriesKey,
        values: target.values,
        name: stem(target),
        times: ranges.range(target.time, target.time + 1),
      }),
    );
    const { supersedes } = planPacks(lake, node, packs, index, context.now);
    await finish(context, claim, {
      targets: arrived.map(({ target }) => target),
      outcomes: arrived.map(({ target, sha256, bytes }) => ({
        rows: 0,
        version: sha256.subarray(0, 16),
        bytes,
        choice: choiceOf(context.evaluation, target),
      })),
      planning: {
        packs: packs.map((pack) => ({ ...pack, times: [...ranges.iterate(pack.times)], carry: [] })),
        supersedes,
      },
      staged: arrived.map(({ staged }) => staged),
      hashes: arrived.map(({ sha256 }) => sha256.toString('hex')),
      checks: [],
      verified: asOf(index, found),
      ordered: false,
      started,
    });
    return failed;
  } finally {
    await Promise.all(staging.map((s) => s.discard()));
  }
}

import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import { inputsRead } from '../define/check-spec.ts';
import type { BatchRequest, BatchResult, BoundInput, BufferedRows, PackWrite, RowBuffer } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import { packName } from '../plan/packs.ts';
import type { PackPlan } from '../plan/plan.ts';
import type { CheckOutcome } from '../state/events.ts';
import type { ClaimToken } from '../state/store.ts';
import type { Staged } from '../storage/store.ts';
import {
  asOf,
  bindInputs,
  choiceOf,
  type FoundInput,
  filesMoved,
  findInputs,
  pointKey,
  renumbered,
  type Target,
} from './bind.ts';
import type { Outcome } from './commit.ts';
import { computeContext } from './compute.ts';
import { type BatchContext, isToldToStop, policyOf, retryControl } from './context.ts';
import { fileKey, type PackPlanning, packWrite, planCarriable, replacedMeanwhile } from './files.ts';
import { type Failure, finish } from './finish.ts';
import { openFiles } from './lake-files.ts';
import { endsRun, isConflict, withRetry } from './retry.ts';

/** Whether an asset reads itself at earlier times. */
export function isChain(node: AssetNode): boolean {
  return node.inputs.some((input) => input.alternatives.some((a) => a.mapping.self));
}

/**
 * Computes targets of one choice into packs and commits them by one event.
 * @returns the targets whose compute function failed; they are not in the event. A query fails as a whole.
 */
export async function tableBatch(
  context: BatchContext,
  claim: ClaimToken,
  targets: readonly Target[],
): Promise<Failure[]> {
  const { lake, node, signal } = context;
  const started = performance.now();
  const index = lake.state.refresh();
  const found = findInputs(lake, node, context.evaluation, context.upstream, index, targets);
  await using files = openFiles(lake);
  const staged: Staged[] = [];
  let planning: PackPlanning | undefined;
  try {
    const engine = await lake.engine();
    const bound = await bindInputs(files, found, node.definition.compute?.type === 'rows' ? 'function' : 'engine');
    const made =
      node.definition.compute?.type === 'rows'
        ? await computeRows(context, targets, found, await engine.rowBuffer(node.definition, signal), (i) =>
            computeContext(lake, node, targets[i] as Target, i, found, bound, engine, signal),
          )
        : undefined;
    const todo = made ? made.rows.targets.flatMap((i) => targets[i] ?? []) : targets;
    if (todo.length === 0) return made?.failed ?? [];

    planning = await planCarriable(lake, files, node, packsOf(context, todo), index, context.now, signal);
    const ordinals = new Map(todo.map((t, i) => [pointKey(t.seriesKey, t.time), i]));
    const packOf = new Map<string, number>();
    const packs: PackWrite[] = [];
    for (const [i, pack] of planning.packs.entries()) {
      const stage = await lake.store.stage(fileKey(lake, node, pack.values, pack.name, '.parquet'));
      staged.push(stage);
      packs.push(
        await packWrite(files, pack, stage.path, (time) => ordinals.get(pointKey(pack.seriesKey, time)) as number),
      );
      for (const time of pack.times) packOf.set(pointKey(pack.seriesKey, time), i);
    }
    const own = made || !isChain(node) ? undefined : ownReads(node, todo);
    const request: BatchRequest = {
      definition: node.definition,
      targets: todo,
      inputs: made ? forChecks(node, bound, made.rows.targets) : bound,
      packs,
      ...(made && { rows: made.rows }),
      ...(own && { sequential: own }),
      signal,
    };
    if (!made) await context.begin();
    const result = await context
      .pool(() => engine.computeBatch(request))
      .catch((error: unknown) => {
        throw todo.length < targets.length
          ? blaming(error, (ordinal) => targets.indexOf(todo[ordinal] as Target))
          : error;
      });
    const outcomes = todo.map((target, i): Outcome => {
      const { rows, version } = result.outcomes[i] as (typeof result.outcomes)[number];
      const pack = result.packs[packOf.get(pointKey(target.seriesKey, target.time)) ?? -1];
      return {
        rows,
        version,
        bytes: pack && pack.rows > 0 ? Math.round((pack.bytes * rows) / pack.rows) : 0,
        choice: choiceOf(context.evaluation, target),
      };
    });
    const verified = asOf(index, found);
    const ordered = own !== undefined && own.own.length > 0 && verified === index.head;
    await finish(context, claim, {
      targets: todo,
      outcomes,
      planning,
      staged,
      checks: checkOutcomes(node, todo, result.checks),
      verified,
      ordered,
      started,
    });
    return made?.failed ?? [];
  } catch (error) {
    const known = signal.aborted || endsRun(error) || isConflict(error);
    if (!known && (filesMoved(lake, found) || (planning && replacedMeanwhile(lake, planning))))
      throw movedError(node, error);
    throw error;
  } finally {
    await Promise.all(staged.map((s) => s.discard()));
  }
}

/** What checks read of the inputs of computed rows: for the targets that did not fail, by their new ordinals. */
function forChecks({ definition }: AssetNode, bound: readonly BoundInput[], targets: readonly number[]): BoundInput[] {
  const read = new Set(definition.checks.flatMap((check) => (check.reads.length === 0 ? [...inputsRead(check)] : [])));
  if (read.size === 0) return [];
  return bound
    .filter(({ name }) => read.has(name))
    .map((input) => ({ ...input, pairs: renumbered(input.pairs, targets) }));
}

export function movedError(node: AssetNode, cause: unknown): LakehouseError {
  return new LakehouseError('inputs-replaced', `${node.key}: a file was replaced while it was being read`, {
    kind: 'conflict',
    cause,
  });
}

interface MadeRows {
  /** Of the targets that did not fail, in order. */
  readonly rows: BufferedRows;
  readonly failed: Failure[];
}

/** How many targets of a batch wait for the pool at once: with all of them in line, the batches of other assets would come last. */
const LANES = 4;

/** Calls a compute function for every target; each is tried again and fails by itself. */
async function computeRows(
  context: BatchContext,
  targets: readonly Target[],
  found: readonly FoundInput[],
  buffer: RowBuffer,
  contextOf: (i: number) => ReturnType<typeof computeContext>,
): Promise<MadeRows> {
  const { lake, node, signal } = context;
  const { compute } = node.definition;
  if (compute?.type !== 'rows')
    throw new LakehouseError('not-rows', `${node.key} is not computed by a function`, { kind: 'internal' });
  const made: number[] = [];
  const failed: Failure[] = [];
  const lane = pLimit(LANES);
  // None of them rejects, so that nothing is still being computed when the others are given up.
  const inTurn = (target: Target, work: () => Promise<void>): Promise<void> =>
    context.pool(work).catch((error: unknown) => void failed.push({ target, error }));
  await Promise.all(
    targets.map((target, i) =>
      lane(() =>
        inTurn(target, async () => {
          try {
            const answer = await withRetry(node.key, policyOf(context), retryControl(context), async () => {
              await context.begin();
              return compute.fn(contextOf(i));
            });
            if (!Array.isArray(answer))
              throw new LakehouseError(
                'not-rows',
                `compute returned ${answer === null ? 'null' : `a ${typeof answer}`} instead of an array of rows`,
                { kind: 'data' },
              );
            buffer.add(i, target.key, answer);
            made.push(i);
          } catch (error) {
            if (!isToldToStop(error)) failed.push({ target, error });
          }
          // A function that never waits would leave no turn to anything else.
          await setImmediate();
        }),
      ),
    ),
  );
  signal.throwIfAborted();
  const fatal = failed.find(({ error }) => endsRun(error) || isConflict(error));
  if (fatal) throw fatal.error;
  if (failed.length > 0 && filesMoved(lake, found)) throw movedError(node, failed[0]?.error);
  return { rows: { buffer, targets: made.sort((a, b) => a - b) }, failed };
}

function packsOf({ node, now }: BatchContext, targets: readonly Target[]): PackPlan[] {
  return [...Map.groupBy(targets, (t) => t.seriesKey)].flatMap(([seriesKey, list]) =>
    [...Map.groupBy(list, (t) => packName(node.definition, t.time, now))].map(
      ([name, own]): PackPlan => ({
        seriesKey,
        values: (own[0] as Target).values,
        name,
        times: ranges.fromSorted(own.map((t) => t.time).sort((a, b) => a - b)),
      }),
    ),
  );
}

/** Which earlier targets of the same batch a chain's targets read. */
function ownReads(node: AssetNode, targets: readonly Target[]): { selfInput: string; own: Int32Array } {
  const input = node.inputs.find((i) => i.alternatives.some((a) => a.mapping.self));
  const mapping = input?.alternatives[0]?.mapping;
  const pairs: number[] = [];
  const bySeries = Map.groupBy(
    targets.map((target, ordinal) => ({ target, ordinal })),
    ({ target }) => target.seriesKey,
  );
  targets.forEach((target, ordinal) => {
    const [from, to] = mapping?.upstream(target.values, target.time) ?? [0, 0];
    const earlier = (bySeries.get(target.seriesKey) ?? []).filter(
      (o) => o.target.time >= from && o.target.time < Math.min(to, target.time),
    );
    for (const o of earlier.map((e) => e.ordinal).sort((a, b) => a - b)) pairs.push(ordinal, o);
  });
  return { selfInput: input?.name ?? '', own: Int32Array.from(pairs) };
}

/** The engine's error with the ordinals of the targets it blames counted otherwise. */
function blaming(error: unknown, ordinalOf: (ordinal: number) => number): unknown {
  const blamed = isLakehouseError(error) ? error.details?.targets : undefined;
  if (!isLakehouseError(error) || !Array.isArray(blamed)) return error;
  const { code, message, kind, hint, issues, cause, retryAfterMs, details } = error;
  return new LakehouseError(code, message, {
    kind,
    hint,
    issues,
    cause,
    retryAfterMs,
    details: { ...details, targets: blamed.map((ordinal) => ordinalOf(Number(ordinal))) },
  });
}

/** Failures as the log has them. */
export function checkOutcomes(
  node: AssetNode,
  targets: readonly Target[],
  failures: BatchResult['checks'],
): CheckOutcome[] {
  return failures.flatMap(({ target: ordinal, check: name, failedRows, sample, sql }) => {
    const target = targets[ordinal];
    const check = node.definition.checks.find((c) => c.name === name);
    if (!target || !check) return [];
    const { severity, blocking } = check;
    return [
      {
        series: target.seriesKey,
        values: target.values,
        time: target.time,
        check: name,
        severity,
        blocking,
        failedRows,
        sample,
        sql,
      },
    ];
  });
}

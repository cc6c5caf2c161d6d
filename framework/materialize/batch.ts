import { writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { isLakehouseError, LakehouseError, serializeError } from '../common/errors.ts';
import type { RetryPolicy } from '../define/model.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import { printKey } from '../partition/space.ts';
import type { AssetEvaluation } from '../plan/evaluate.ts';
import { packName } from '../plan/packs.ts';
import type { BatchPlan, PackPlan } from '../plan/plan.ts';
import { PRESENT } from '../plan/view.ts';
import type { CheckOutcome } from '../state/events.ts';
import type { ClaimToken } from '../state/store.ts';
import type { Staged } from '../storage/store.ts';
import { bindInputs, choiceOf, findInputs, type Target } from './bind.ts';
import { commit, type Outcome } from './commit.ts';
import { computeContext } from './compute.ts';
import type { Emit, RunCounts } from './events.ts';
import { fileKey, packWrite, planPacks } from './files.ts';
import type { Lake } from './lake.ts';
import { delay, isTransient, withRetry } from './retry.ts';

/** What all batches of one asset in one run share. */
export interface BatchContext {
  readonly lake: Lake;
  readonly run: string;
  readonly node: AssetNode;
  readonly evaluation: AssetEvaluation;
  /** Evaluations of what is upstream, made after it had its turn. */
  readonly upstream: (asset: string) => AssetEvaluation;
  /** Revision the evaluation was made at. */
  readonly head: number;
  readonly now: number;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  readonly counts: RunCounts;
  readonly pool: <T>(task: () => Promise<T>) => Promise<T>;
}

const CONFLICTS = 8;
const CLAIM_POLL_MS = 200;

function policyOf(context: BatchContext): RetryPolicy {
  const { retryAttempts, retryDelayMs } = context.lake.settings;
  return context.node.definition.retry ?? { retries: retryAttempts, delayMs: retryDelayMs, maxDelayMs: 30_000 };
}

/** Computes and commits one batch under a claim on its packs. Failures of partitions are recorded, not thrown. */
export async function runBatch(context: BatchContext, batch: BatchPlan): Promise<void> {
  const { lake, node } = context;
  const packs = batch.packs.map((p) => `${p.seriesKey}|${p.name}`);
  const claim = await claimPacks(context, packs, batch.partitions);
  let lost = false;
  const heartbeat = setInterval(() => {
    lost = lost || !lake.state.renew(claim, lake.now());
  }, Math.max(lake.settings.claimTtlMs / 3, 50));
  try {
    const index = lake.state.refresh();
    const targets = batch.packs.flatMap((pack) => targetsOf(node, pack)).filter((t) => !doneByOthers(context, index, t));
    const groups = new Map<string, Target[]>();
    for (const target of targets) {
      const choice = choiceOf(context.evaluation, target);
      groups.set(choice, [...(groups.get(choice) ?? []), target]);
    }
    for (const group of groups.values()) await runTargets(context, claim, group);
  } finally {
    clearInterval(heartbeat);
    if (!lost) lake.state.release(claim);
  }
}

async function claimPacks(context: BatchContext, packs: readonly string[], partitions: number): Promise<ClaimToken> {
  const { lake, node, run, signal, emit } = context;
  for (let told = false; ; ) {
    const answer = lake.state.claim(node.key, packs, { run, host: lake.host, pid: lake.pid }, lake.settings.claimTtlMs, lake.now());
    if ('token' in answer) return answer;
    if (!told) emit({ type: 'waiting', asset: node.key, partitions, heldBy: `run ${answer.heldBy.run} (pid ${answer.heldBy.pid} on ${answer.heldBy.host})` });
    told = true;
    await delay(CLAIM_POLL_MS, signal);
  }
}

function targetsOf(node: AssetNode, pack: PackPlan): Target[] {
  return Array.from(ranges.iterate(pack.times), (time) => ({ seriesKey: pack.seriesKey, values: pack.values, time, key: printKey(node.space, { values: pack.values, time }) }));
}

/** Whether another run computed the partition with this code since this one was evaluated: then it saw at least what we saw. */
function doneByOthers(context: BatchContext, index: ReturnType<Lake['state']['index']>, target: Target): boolean {
  const series = index.asset(context.node.key)?.series.get(target.seriesKey);
  const i = series ? target.time - series.base : -1;
  if (!series || i < 0 || i >= series.length || ((series.flags[i] as number) & PRESENT) === 0) return false;
  return (series.verified[i] as number) > context.head && index.codes[series.code[i] as number] === context.node.code;
}

/** Some targets of one choice; splits where one of them spoils the rest. */
async function runTargets(context: BatchContext, claim: ClaimToken, targets: readonly Target[]): Promise<void> {
  const { lake, node, signal, emit } = context;
  if (targets.length === 0) return;
  const head = lake.state.refresh().head;
  try {
    for (let conflicts = 0; ; conflicts++) {
      try {
        const started = performance.now();
        const raw = node.definition.storage.type === 'raw';
        await withRetry(node.key, raw ? { retries: 0, delayMs: 0, maxDelayMs: 0 } : policyOf(context), signal, emit, () =>
          raw ? rawBatch(context, claim, targets, started) : context.pool(() => tableBatch(context, claim, targets, started)),
        );
        return;
      } catch (error) {
        if (!(isLakehouseError(error) && error.kind === 'conflict') || fatal(error) || conflicts >= CONFLICTS) throw error;
        lake.state.refresh();
      }
    }
  } catch (error) {
    if (signal.aborted || fatal(error)) throw error;
    const transient = isTransient(error) || (isLakehouseError(error) && error.kind === 'conflict');
    if (targets.length === 1 || transient) return fail(context, head, targets.map((target) => ({ target, error })), transient);
    const known = knownBad(error, targets);
    if (known.length > 0 && known.length < targets.length) {
      const bad = new Set(known);
      fail(context, head, known.map((target) => ({ target, error })), false);
      return runTargets(context, claim, targets.filter((t) => !bad.has(t)));
    }
    const middle = targets.length >> 1;
    await runTargets(context, claim, targets.slice(0, middle));
    await runTargets(context, claim, targets.slice(middle));
  }
}

/** Errors that end the run rather than fail a partition: our claim or our definitions are no longer in force. */
function fatal(error: unknown): boolean {
  return isLakehouseError(error) && ['claim-lost', 'stale-definitions', 'state-corrupt'].includes(error.code);
}

/** The engine may know which targets are to blame; with one only, its message is about exactly that one. */
function knownBad(error: unknown, targets: readonly Target[]): Target[] {
  const ordinals = isLakehouseError(error) ? error.details?.['targets'] : undefined;
  if (!Array.isArray(ordinals) || ordinals.length !== 1) return [];
  return ordinals.flatMap((o) => (typeof o === 'number' && targets[o] ? [targets[o]] : []));
}

function fail(context: BatchContext, head: number, failures: readonly { target: Target; error: unknown }[], transient: boolean): void {
  const { lake, node, run, counts, emit } = context;
  if (failures.length === 0) return;
  lake.state.append({
    kind: 'failed',
    asset: node.key,
    run,
    code: node.code,
    head,
    failures: failures.map(({ target, error }) => ({ series: target.seriesKey, values: target.values, time: target.time, transient, error: serializeError(error) })),
  });
  counts.failed += failures.length;
  for (const { target, error } of failures) emit({ type: 'partition-failed', asset: node.key, partition: target.key, error: serializeError(error) });
}

async function tableBatch(context: BatchContext, claim: ClaimToken, targets: readonly Target[], started: number): Promise<void> {
  const { lake, node, signal } = context;
  const { definition } = node;
  const index = lake.state.refresh();
  const planning = planPacks(lake, node, packsOf(context, targets), index, context.now);
  const found = findInputs(lake, node, context.evaluation, context.upstream, index, targets);
  const staged: Staged[] = [];
  try {
    const engine = await lake.engine();
    const bound = await bindInputs(lake, found);
    const ordinals = new Map(targets.map((t, i) => [`${t.seriesKey}\n${t.time}`, i]));
    const packs = [];
    for (const pack of planning.packs) {
      const stage = await lake.store.stage(fileKey(lake, node, pack.values, pack.name, '.parquet'));
      staged.push(stage);
      packs.push(await packWrite(lake, pack, stage.path, (time) => ordinals.get(`${pack.seriesKey}\n${time}`) as number));
    }
    const { compute } = definition;
    const self = node.inputs.find((i) => i.alternatives.some((a) => a.mapping.self));
    const rows = compute?.type === 'rows' && !self ? await Promise.all(targets.map((target, i) => compute.fn(computeContext(lake, node, target, i, found, bound, engine, signal)))) : undefined;
    const result = await engine.computeBatch({
      definition,
      targets,
      inputs: bound,
      packs,
      ...(rows && { rows }),
      ...(self && { sequential: { selfInput: self.name, own: ownReads(node, self.name, targets) } }),
      signal,
    });
    const checks = checkOutcomes(context, targets, result.checks);
    const outcomes = targets.map((target, i): Outcome => {
      const o = result.outcomes[i] as (typeof result.outcomes)[number];
      const packIndex = planning.packs.findIndex((p) => p.seriesKey === target.seriesKey && p.times.includes(target.time));
      const pack = result.packs[packIndex];
      return { rows: o.rows, version: o.version, bytes: pack && pack.rows > 0 ? Math.round((pack.bytes * o.rows) / pack.rows) : 0, choice: choiceOf(context.evaluation, target) };
    });
    await finish(context, claim, { targets, outcomes, planning, staged, checks, verified: index.head, ordered: self !== undefined, started });
  } catch (error) {
    if (!signal.aborted && filesMoved(lake, found)) throw new LakehouseError('inputs-replaced', `${node.key}: an input file was replaced while it was being read`, { kind: 'conflict', cause: error });
    throw error;
  } finally {
    await Promise.all(staged.map((s) => s.discard()));
  }
}

/** Whether a file that a batch reads is no longer the one in which its partition lives. */
function filesMoved(lake: Lake, found: ReturnType<typeof findInputs>): boolean {
  lake.state.refresh();
  return found.some((input) => input.parts.some((part) => part.file !== undefined && lake.state.fileOf(input.definition.key, part.seriesKey, part.time)?.path !== part.file));
}

function packsOf(context: BatchContext, targets: readonly Target[]): PackPlan[] {
  const bySeries = new Map<string, Target[]>();
  for (const t of targets) bySeries.set(t.seriesKey, [...(bySeries.get(t.seriesKey) ?? []), t]);
  return [...bySeries].flatMap(([seriesKey, list]) => {
    const names = Map.groupBy(list, (t) => packNameOf(context, t));
    return [...names].map(([name, own]): PackPlan => ({ seriesKey, values: (own[0] as Target).values, name, times: ranges.fromSorted(own.map((t) => t.time).sort((a, b) => a - b)) }));
  });
}

/** Which earlier targets of the same batch a chain's targets read. */
function ownReads(node: AssetNode, selfInput: string, targets: readonly Target[]): Int32Array {
  const mapping = node.inputs.find((i) => i.name === selfInput)?.alternatives[0]?.mapping;
  const pairs: number[] = [];
  const bySeries = Map.groupBy(
    targets.map((target, ordinal) => ({ target, ordinal })),
    ({ target }) => target.seriesKey,
  );
  targets.forEach((target, ordinal) => {
    const [from, to] = mapping?.upstream(target.values, target.time) ?? [0, 0];
    const earlier = (bySeries.get(target.seriesKey) ?? []).filter((o) => o.target.time >= from && o.target.time < Math.min(to, target.time));
    for (const o of earlier.map((e) => e.ordinal).sort((a, b) => a - b)) pairs.push(ordinal, o);
  });
  return Int32Array.from(pairs);
}

function checkOutcomes(context: BatchContext, targets: readonly Target[], failures: readonly { check: string; target: number; failedRows: number; sample: readonly unknown[]; sql: string }[]): CheckOutcome[] {
  return failures.flatMap((failure) => {
    const target = targets[failure.target];
    const check = context.node.definition.checks.find((c) => c.name === failure.check);
    if (!target || !check) return [];
    return [{ series: target.seriesKey, values: target.values, time: target.time, check: check.name, severity: check.severity, blocking: check.blocking, failedRows: failure.failedRows, sample: failure.sample, sql: failure.sql }];
  });
}

interface Finish {
  readonly targets: readonly Target[];
  readonly outcomes: readonly Outcome[];
  readonly planning: ReturnType<typeof planPacks>;
  readonly staged: readonly Staged[];
  readonly checks: readonly CheckOutcome[];
  readonly verified: number;
  readonly ordered: boolean;
  readonly started: number;
}

async function finish(context: BatchContext, claim: ClaimToken, f: Finish): Promise<void> {
  const { lake, node, run, counts, emit, signal } = context;
  signal.throwIfAborted();
  const ms = performance.now() - f.started;
  const changed = await commit(lake, { node, run, verified: f.verified, ordered: f.ordered, targets: f.targets, outcomes: f.outcomes, planning: f.planning, staged: f.staged, checks: f.checks, guard: { claim }, ms });
  const rows = f.outcomes.reduce((sum, o) => sum + o.rows, 0);
  const bytes = f.outcomes.reduce((sum, o) => sum + o.bytes, 0);
  counts.computed += f.targets.length;
  counts.changed += changed;
  counts.rows += rows;
  counts.bytes += bytes;
  for (const check of f.checks) {
    if (check.severity === 'error') counts.checksFailed++;
    emit({ type: 'check-failed', asset: node.key, partition: printKey(node.space, { values: check.values, time: check.time }), check: check.check, severity: check.severity, failedRows: check.failedRows });
  }
  emit({ type: 'batch-finished', asset: node.key, partitions: f.targets.length, changed, rows, bytes, ms: Math.round(performance.now() - f.started) });
}

/** Original bytes: every partition is fetched and fails by itself; those that arrived are committed together. */
async function rawBatch(context: BatchContext, claim: ClaimToken, targets: readonly Target[], started: number): Promise<void> {
  const { lake, node, signal, emit } = context;
  const { definition } = node;
  if (definition.compute?.type !== 'bytes' || definition.storage.type !== 'raw') throw new LakehouseError('not-raw', `${node.key} does not keep original bytes`, { kind: 'internal' });
  const { fn } = definition.compute;
  const { extension } = definition.storage.format;
  const index = lake.state.refresh();
  const found = findInputs(lake, node, context.evaluation, context.upstream, index, targets);
  const bound = await bindInputs(lake, found);
  const engine = bound.length > 0 ? await lake.engine() : undefined;
  const arrived: { target: Target; staged: Staged; version: Uint8Array; bytes: number }[] = [];
  const failed: { target: Target; error: unknown }[] = [];
  try {
    await Promise.all(
      targets.map((target, ordinal) =>
        context.pool(async () => {
          try {
            const bytes = await withRetry(node.key, policyOf(context), signal, emit, async () => fn(computeContext(lake, node, target, ordinal, found, bound, engine, signal)));
            if (!(bytes instanceof Uint8Array)) throw new LakehouseError('not-bytes', `${node.key} ${target.key}: compute returned a ${typeof bytes} instead of a Uint8Array`, { kind: 'data' });
            const staged = await lake.store.stage(fileKey(lake, node, target.values, stemOf(node, target), extension));
            arrived.push({ target, staged, version: createHash('sha256').update(bytes).digest().subarray(0, 16), bytes: bytes.byteLength });
            await writeFile(staged.path, bytes);
          } catch (error) {
            if (signal.aborted) throw error;
            failed.push({ target, error });
          }
        }),
      ),
    );
    arrived.sort((a, b) => (a.target.seriesKey < b.target.seriesKey ? -1 : a.target.seriesKey > b.target.seriesKey ? 1 : a.target.time - b.target.time));
    const landed = arrived.filter((a) => !failed.some((f) => f.target === a.target));
    if (landed.length > 0) {
      const stems = landed.map(({ target }): PackPlan => ({ seriesKey: target.seriesKey, values: target.values, name: stemOf(node, target), times: ranges.range(target.time, target.time + 1) }));
      const planning = planPacks(lake, node, stems, index, context.now);
      await finish(context, claim, {
        targets: landed.map((a) => a.target),
        outcomes: landed.map((a) => ({ rows: 0, version: a.version, bytes: a.bytes, choice: choiceOf(context.evaluation, a.target) })),
        planning: { ...planning, packs: stems.map((p) => ({ ...p, times: [...ranges.iterate(p.times)], carry: [] })) },
        staged: landed.map((a) => a.staged),
        checks: [],
        verified: index.head,
        ordered: false,
        started,
      });
    }
  } finally {
    await Promise.all(arrived.map((a) => a.staged.discard()));
  }
  const passing = failed.filter((f) => isTransient(f.error));
  fail(context, index.head, passing, true);
  fail(context, index.head, failed.filter((f) => !passing.includes(f)), false);
}

const packNameOf = (context: BatchContext, target: Target): string => packName(context.node.definition, target.time, context.now);
const stemOf = (node: AssetNode, target: Target): string => packName(node.definition, target.time, Number.NEGATIVE_INFINITY);

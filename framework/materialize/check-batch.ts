import { inputsRead } from '../define/check-spec.ts';
import type { CheckDefinition } from '../define/model.ts';
import type { AssetNode, ResolvedInput } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import type { Universe } from '../plan/universe.ts';
import { PRESENT } from '../plan/view.ts';
import type { CheckOutcome, PackedSet } from '../state/events.ts';
import { bindInputs, filesMoved, findPartitions, findReads, renumbered, type Target } from './bind.ts';
import type { CheckChunk } from './check-chunks.ts';
import type { Lake } from './lake.ts';
import { openFiles } from './lake-files.ts';
import { isConflict } from './retry.ts';
import { checkOutcomes, movedError } from './table.ts';

/** How often files are looked up anew because others replaced them meanwhile. */
const ATTEMPTS = 8;

export interface CheckBatch extends CheckChunk {
  readonly universe: (asset: string) => Universe;
}

export interface CheckedBatch {
  readonly checked: number;
  /** Partitions made by code that had other columns, which these checks cannot be made of. */
  readonly outgrown: number;
  readonly failures: readonly CheckOutcome[];
}

/** Makes checks of some partitions and logs the results by one event. What has left meanwhile is left out. */
export async function makeChecks(
  lake: Lake,
  run: string,
  node: AssetNode,
  batch: CheckBatch,
  signal: AbortSignal,
): Promise<CheckedBatch> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await makeOnce(lake, run, node, batch, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function makeOnce(
  lake: Lake,
  run: string,
  node: AssetNode,
  { checks, chosen, targets, universe }: CheckBatch,
  signal: AbortSignal,
): Promise<CheckedBatch> {
  const index = lake.state.refresh();
  const there = targets.filter(({ seriesKey, time }) => {
    const state = index.asset(node.key)?.series.get(seriesKey);
    return state !== undefined && ((state.flags[time - state.base] ?? 0) & PRESENT) !== 0;
  });
  if (there.length === 0) return { checked: 0, outgrown: 0, failures: [] };
  const found = [
    findPartitions(lake, node, there, index.head),
    ...findReads(lake, readsOf(node, checks), index, there, {
      chosen: (input) => chosen.get(input),
      universe,
      computed: new Set(),
    }),
  ];
  await using files = openFiles(lake);
  try {
    const engine = await lake.engine();
    const [partitions, ...inputs] = await bindInputs(files, found, 'engine');
    const paths = partitions?.parts.map(({ path }) => path) ?? [];
    const packs = [...new Set(paths)];
    const fits = await engine.carriable(node.definition, packs, signal);
    const fitting = new Set(packs.filter((_, i) => fits[i]));
    const ordinals = there.flatMap((_, i) => (fitting.has(paths[i] as string) ? [i] : []));
    const outgrown = there.length - ordinals.length;
    if (ordinals.length === 0) return { checked: 0, outgrown, failures: [] };
    const made = ordinals.flatMap((i) => there[i] ?? []);
    const result = await engine.check({
      definition: { ...node.definition, checks },
      targets: made,
      paths: ordinals.map((i) => paths[i] as string),
      inputs: inputs.map((input) => ({
        ...input,
        pairs: renumbered(input.pairs, ordinals),
        summary: checks.flatMap(({ reads }) => reads).find(({ name }) => name === input.name)?.summary,
      })),
      signal,
    });
    const failures = checkOutcomes(node, made, result.checks);
    const gates = node.definition.checks.filter(({ severity, blocking }) => severity === 'error' && blocking);
    lake.state.append({
      kind: 'checked',
      asset: node.key,
      run,
      head: index.head,
      checks: checks.map(({ name }) => name),
      set: packed(made),
      decisive: gates.every((one) => checks.includes(one)),
      failures,
    });
    return { checked: made.length, outgrown, failures };
  } catch (error) {
    if (!signal.aborted && !isConflict(error) && filesMoved(lake, found)) throw movedError(node, error);
    throw error;
  }
}

function readsOf(node: AssetNode, checks: readonly CheckDefinition[]): readonly ResolvedInput[] {
  for (const { name } of checks) {
    const reads = node.checkReads.get(name);
    if (reads !== undefined) return reads;
  }
  const read = new Set(checks.flatMap((check) => [...inputsRead(check)]));
  return node.inputs.filter(({ name }) => read.has(name));
}

function packed(targets: readonly Target[]): PackedSet {
  return [...Map.groupBy(targets, ({ seriesKey }) => seriesKey)].map(([series, own]) => ({
    series,
    values: own[0]?.values ?? {},
    ranges: ranges.fromSorted(own.map(({ time }) => time).sort((a, b) => a - b)).bounds,
  }));
}

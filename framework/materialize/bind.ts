import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import type { BoundInput, BoundPart } from '../engine/port.ts';
import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { printKey, type SeriesValues } from '../partition/space.ts';
import { type AssetEvaluation, choiceLabel } from '../plan/evaluate.ts';
import { PRESENT } from '../plan/view.ts';
import type { LakeIndex } from '../state/index.ts';
import type { Lake } from './lake.ts';

/** One partition to compute, with what the log calls it. */
export interface Target {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  readonly time: number;
  /** Printed key. */
  readonly key: string;
}

/** An upstream partition that was mapped to some targets; a source has no file, only the version it was observed at. */
export interface FoundPart {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  readonly time: number;
  readonly key: string;
  readonly file: string | undefined;
  readonly version: Uint8Array;
}

export interface FoundInput {
  readonly name: string;
  readonly definition: AssetDefinition;
  readonly parts: readonly FoundPart[];
  /** Flat (target ordinal, part ordinal)*, sorted. */
  readonly pairs: Int32Array;
}

/** The alternatives a target reads, as the log records them; empty where there is nothing to choose. */
export function choiceOf(evaluation: AssetEvaluation, target: Target): string {
  const series = evaluation.series.get(target.seriesKey);
  return choiceLabel(evaluation.node.inputs, (input) => series?.chosen.get(input)?.[target.time - series.base] ?? 255);
}

/**
 * What a batch reads, resolved to files against one snapshot of the index: every present, existing upstream partition mapped to
 * a target. Synchronous, so that no event of this process can come between. All targets must have made the same choice.
 */
export function findInputs(
  lake: Lake,
  node: AssetNode,
  evaluation: AssetEvaluation,
  upstream: (asset: string) => AssetEvaluation,
  index: LakeIndex,
  targets: readonly Target[],
): FoundInput[] {
  const first = targets[0];
  return node.inputs.map((input) => {
    const chosen = first && input.alternatives.length > 1 ? (evaluation.series.get(first.seriesKey)?.chosen.get(input.name)?.[first.time - (evaluation.series.get(first.seriesKey)?.base ?? 0)] ?? 0) : 0;
    const alternative = input.alternatives[chosen] ?? input.alternatives[0];
    if (!alternative) throw new LakehouseError('no-alternative', `${node.key}: input '${input.name}' has nothing to read`, { kind: 'internal' });
    const { mapping } = alternative;
    const own = mapping.self ? evaluation : upstream(alternative.asset);
    const state = index.asset(alternative.asset);
    const definition = own.node.definition;

    // Series by join text, once per batch rather than per target.
    const joined = new Map<string, { key: string; values: SeriesValues }[]>();
    for (const [key, series] of state?.series ?? []) {
      const join = mapping.joinUp(series.values);
      if (join === undefined) continue;
      const list = joined.get(join);
      if (list) list.push({ key, values: series.values });
      else joined.set(join, [{ key, values: series.values }]);
    }
    const parts: FoundPart[] = [];
    const ordinals = new Map<string, number>();
    const pairs: number[] = [];
    targets.forEach((target, ordinal) => {
      const mine: number[] = [];
      const [from, to] = mapping.upstream(target.values, target.time);
      for (const join of mapping.joinDown(target.values)) {
        for (const { key, values } of joined.get(join) ?? []) {
          const series = state?.series.get(key);
          if (!series) continue;
          const exists = sets.rangesOf(own.universe.all, key);
          for (let t = Math.max(from, series.base); t < Math.min(to, series.base + series.length); t++) {
            if (((series.flags[t - series.base] as number) & PRESENT) === 0 || !ranges.has(exists, t)) continue;
            const id = `${key}\n${t}`;
            let part = ordinals.get(id);
            if (part === undefined) {
              part = parts.length;
              ordinals.set(id, part);
              parts.push(foundPart(lake, own.node, alternative.asset, key, values, t));
            }
            mine.push(part);
          }
        }
      }
      for (const part of mine.sort((a, b) => a - b)) pairs.push(ordinal, part);
    });
    return { name: input.name, definition, parts, pairs: Int32Array.from(pairs) };
  });
}

function foundPart(lake: Lake, node: AssetNode, asset: string, seriesKey: string, values: SeriesValues, time: number): FoundPart {
  const details = lake.state.details(asset, seriesKey);
  const i = details ? time - details.base : -1;
  if (!details || i < 0 || i >= details.length) throw new LakehouseError('no-details', `${asset} ${seriesKey}: the log has no details of partition ${time}`, { kind: 'internal' });
  const id = details.file[i] as number;
  return {
    seriesKey,
    values,
    time,
    key: printKey(node.space, { values, time }),
    file: id < 0 ? undefined : lake.state.file(id)?.path,
    version: details.version.slice(16 * i, 16 * i + 16),
  };
}

/** Inputs with absolute paths, for the engine. Sources are left out: only compute functions read them, through their own reader. */
export async function bindInputs(lake: Lake, found: readonly FoundInput[]): Promise<BoundInput[]> {
  const out: BoundInput[] = [];
  for (const input of found) {
    if (input.definition.kind === 'source') continue;
    const paths = new Map<string, string>();
    for (const part of input.parts) {
      if (part.file === undefined) throw new LakehouseError('no-file', `${input.definition.key} ${part.key} is in the log without a file`, { kind: 'internal', hint: 'Run `lakehouse verify`' });
      if (!paths.has(part.file)) paths.set(part.file, await lake.store.localPath(part.file));
    }
    const raw = input.definition.storage.type === 'raw';
    out.push({
      name: input.name,
      definition: input.definition,
      parts: input.parts.map((part): BoundPart => ({ values: part.values, time: part.time, key: part.key, path: paths.get(part.file as string) as string, ...(raw && { version: part.version }) })),
      pairs: input.pairs,
    });
  }
  return out;
}

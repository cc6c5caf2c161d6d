import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import type { BoundInput, BoundPart } from '../engine/port.ts';
import type { AssetNode, ResolvedInput } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import { printKey, type SeriesValues } from '../partition/space.ts';
import { type AssetEvaluation, choiceLabel } from '../plan/evaluate.ts';
import type { Universe } from '../plan/universe.ts';
import { PRESENT } from '../plan/view.ts';
import type { SeriesDetails } from '../state/details.ts';
import type { LakeIndex } from '../state/index.ts';
import type { Lake } from './lake.ts';
import type { LakeFiles } from './lake-files.ts';

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
  readonly rows: number;
  /** Size of its file; of a partition of a source, as it was listed. 0 where nobody said. */
  readonly bytes: number;
  readonly version: Uint8Array;
}

export interface FoundInput {
  readonly name: string;
  readonly definition: AssetDefinition;
  readonly parts: readonly FoundPart[];
  /** Flat (target ordinal, part ordinal)*, sorted. */
  readonly pairs: Int32Array;
  /** What was read is this revision's, at most: another process may have brought mapped partitions that this run knows nothing of. */
  readonly asOf: number;
}

/** One text per partition of an asset. */
export const pointKey = (seriesKey: string, time: number): string => `${seriesKey}\n${time}`;

/** Details and files as the log has them, each series and file looked up once: a batch may read hundreds of thousands of partitions. */
interface Lookup {
  details(asset: string, seriesKey: string): SeriesDetails | undefined;
  path(file: number): string | undefined;
}

function lookup(lake: Lake): Lookup {
  const details = new Map<string, SeriesDetails | undefined>();
  const paths = new Map<number, string | undefined>();
  return {
    details: (asset, seriesKey) => {
      const key = `${asset}\n${seriesKey}`;
      if (!details.has(key)) details.set(key, lake.state.details(asset, seriesKey));
      return details.get(key);
    },
    path: (file) => {
      if (!paths.has(file)) paths.set(file, lake.state.file(file)?.path);
      return paths.get(file);
    },
  };
}

/** The alternatives a target reads, as the log records them; empty where there is nothing to choose. */
export function choiceOf(evaluation: AssetEvaluation, target: Target): string {
  const series = evaluation.series.get(target.seriesKey);
  return choiceLabel(evaluation.node.inputs, (input) => series?.chosen.get(input)?.[target.time - series.base] ?? 255);
}

/** How what is read is told apart from what is there. */
interface Reading {
  /** Which alternative of an input is read. */
  chosen(input: string): number | undefined;
  universe(asset: string): Universe;
  /** Points of the asset itself that are no parts of what it reads of itself. */
  readonly computed: ReadonlySet<string>;
}

/**
 * What a batch reads, resolved to files against one snapshot of the index: every present, existing upstream partition mapped to
 * a target. Synchronous, so that no event of this process can come between; where one of another does, files are newer than the
 * index, and what was read is taken to be older than it is, which is safe. All targets must have made the same choice. Targets
 * of the same batch are no parts of a self input: they are computed anew.
 */
export function findInputs(
  lake: Lake,
  node: AssetNode,
  evaluation: AssetEvaluation,
  upstream: (asset: string) => AssetEvaluation,
  index: LakeIndex,
  targets: readonly Target[],
): FoundInput[] {
  const [first] = targets;
  const evaluated = first && evaluation.series.get(first.seriesKey);
  return findReads(lake, node.inputs, index, targets, {
    chosen: (input) => (first && evaluated ? evaluated.chosen.get(input)?.[first.time - evaluated.base] : undefined),
    universe: (asset) => (asset === node.key ? evaluation : upstream(asset)).universe,
    computed: new Set(targets.map((t) => pointKey(t.seriesKey, t.time))),
  });
}

/** The same for any inputs of the targets' asset. */
export function findReads(
  lake: Lake,
  inputs: readonly ResolvedInput[],
  index: LakeIndex,
  targets: readonly Target[],
  { chosen, universe, computed }: Reading,
): FoundInput[] {
  const known = lookup(lake);
  return inputs.map((input) => {
    const alternative = input.alternatives[chosen(input.name) ?? 0] ?? input.alternatives[0];
    if (!alternative)
      throw new LakehouseError('no-alternative', `Input '${input.name}' has nothing to read`, { kind: 'internal' });
    const { mapping } = alternative;
    const upstream = lake.graph.node(alternative.asset);
    const { all } = universe(alternative.asset);
    const state = index.asset(alternative.asset);
    const { definition } = upstream;

    // Series by join text, once per batch rather than per target; `ordinals` has the parts found so far, by time.
    const candidates = [...(state?.series.values() ?? [])].flatMap((series) => {
      const join = mapping.joinUp(series.values);
      return join === undefined
        ? []
        : [{ join, series, exists: sets.rangesOf(all, series.key), ordinals: new Map<number, number>() }];
    });
    const joined = Map.groupBy(candidates, ({ join }) => join);
    const parts: FoundPart[] = [];
    const pairs: number[] = [];
    let asOf = index.head;
    targets.forEach((target, ordinal) => {
      const mine: number[] = [];
      const [from, to] = mapping.upstream(target.values, target.time);
      for (const join of mapping.joinDown(target.values)) {
        for (const { series, exists, ordinals } of joined.get(join) ?? []) {
          const { key, values, base, length, flags, changed } = series;
          for (let t = Math.max(from, base); t < Math.min(to, base + length); t++) {
            let part = ordinals.get(t);
            if (part === undefined) {
              if (((flags[t - base] as number) & PRESENT) === 0 || (mapping.self && computed.has(pointKey(key, t))))
                continue;
              if (!ranges.has(exists, t)) {
                asOf = Math.min(asOf, (changed[t - base] as number) - 1);
                continue;
              }
              part = parts.length;
              ordinals.set(t, part);
              parts.push(foundPart(known, upstream, key, values, t));
            }
            mine.push(part);
          }
        }
      }
      for (const part of mine.sort((a, b) => a - b)) pairs.push(ordinal, part);
    });
    return { name: input.name, definition, parts, pairs: Int32Array.from(pairs), asOf };
  });
}

/** Partitions of an asset as an input of themselves: each is read as it is. */
export function findPartitions(lake: Lake, node: AssetNode, targets: readonly Target[], head: number): FoundInput {
  const known = lookup(lake);
  return {
    name: node.key,
    definition: node.definition,
    parts: targets.map(({ seriesKey, values, time }) => foundPart(known, node, seriesKey, values, time)),
    pairs: Int32Array.from(targets.flatMap((_, ordinal) => [ordinal, ordinal])),
    asOf: head,
  };
}

function foundPart(
  { details: detailsOf, path }: Lookup,
  node: AssetNode,
  seriesKey: string,
  values: SeriesValues,
  time: number,
): FoundPart {
  const details = detailsOf(node.key, seriesKey);
  const i = details ? time - details.base : -1;
  if (!details || i < 0 || i >= details.length)
    throw new LakehouseError('no-details', `${node.key} ${seriesKey}: the log has no details of partition ${time}`, {
      kind: 'internal',
    });
  const id = details.file[i] as number;
  return new Part(node, seriesKey, values, time, id < 0 ? undefined : path(id), details);
}

/** A batch may have hundreds of thousands of parts: their keys are printed, and versions copied, only for those that are asked. */
class Part implements FoundPart {
  readonly seriesKey: string;
  readonly values: SeriesValues;
  readonly time: number;
  readonly file: string | undefined;
  readonly #node: AssetNode;
  readonly #details: SeriesDetails;

  constructor(
    node: AssetNode,
    seriesKey: string,
    values: SeriesValues,
    time: number,
    file: string | undefined,
    details: SeriesDetails,
  ) {
    this.#node = node;
    this.seriesKey = seriesKey;
    this.values = values;
    this.time = time;
    this.file = file;
    this.#details = details;
  }

  get key(): string {
    return printKey(this.#node.space, this);
  }

  get rows(): number {
    return this.#details.rows[this.time - this.#details.base] ?? 0;
  }

  get bytes(): number {
    return this.#details.bytes[this.time - this.#details.base] ?? 0;
  }

  get version(): Uint8Array {
    const at = 16 * (this.time - this.#details.base);
    return this.#details.version.slice(at, at + 16);
  }
}

/**
 * Inputs with what is opened to read them, for the engine: it stays as long as `files`. Sources are left out: only compute functions
 * read them, through their own reader.
 * @param readers who reads: the engine alone, or a function too, which may open the files by itself.
 * @throws LakehouseError of kind `conflict` when a file is gone since the inputs were looked up.
 */
export async function bindInputs(
  files: LakeFiles,
  found: readonly FoundInput[],
  readers: 'engine' | 'function',
): Promise<BoundInput[]> {
  const assets = found.filter(({ definition }) => definition.kind !== 'source');
  return Promise.all(
    assets.map(async ({ name, definition, parts, pairs }): Promise<BoundInput> => {
      const raw = definition.storage.type === 'raw';
      const distinct = [...new Set(parts.map((part) => fileOf(definition, part)))];
      const open = raw || readers === 'function' ? files.original : files.table;
      const fetched = await Promise.all(distinct.map((file) => open(file)));
      const paths = new Map(distinct.map((file, i) => [file, fetched[i] as string]));
      const bound = parts.map((part): BoundPart => {
        const path = paths.get(fileOf(definition, part)) as string;
        if (!raw) return tablePart(part, path);
        return { values: part.values, time: part.time, key: part.key, path, version: part.version };
      });
      return { name, definition, parts: bound, pairs };
    }),
  );
}

function fileOf({ key }: AssetDefinition, part: FoundPart): string {
  if (part.file !== undefined) return part.file;
  throw new LakehouseError('no-file', `${key} ${part.key} lives in no file`, {
    kind: 'conflict',
    hint: 'It has just left the lake. If that stays so, run `lakehouse verify`.',
  });
}

function tablePart(part: FoundPart, path: string): BoundPart {
  const { values, time } = part;
  return {
    values,
    time,
    path,
    get key() {
      return part.key;
    },
    get rows() {
      return part.rows;
    },
  };
}

/** Pairs of the targets at these places, which are ascending. */
export function renumbered(pairs: Int32Array, ordinals: readonly number[]): Int32Array {
  const place = new Map(ordinals.map((ordinal, i) => [ordinal, i]));
  const kept: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const target = place.get(pairs[i] as number);
    if (target !== undefined) kept.push(target, pairs[i + 1] as number);
  }
  return Int32Array.from(kept);
}

/** Whether a file that a batch reads is no longer the one in which its partition lives. */
export function filesMoved(lake: Lake, found: readonly FoundInput[]): boolean {
  lake.state.refresh();
  const known = lookup(lake);
  const current = (asset: string, { seriesKey, time }: FoundPart): string | undefined => {
    const details = known.details(asset, seriesKey);
    const id = details?.file[time - details.base] ?? -1;
    return id < 0 ? undefined : known.path(id);
  };
  return found.some(({ definition, parts }) =>
    parts.some((part) => part.file !== undefined && current(definition.key, part) !== part.file),
  );
}

/** The revision that what was found is as of. */
export function asOf(index: LakeIndex, found: readonly FoundInput[]): number {
  return Math.min(index.head, ...found.map((input) => input.asOf));
}

/** What a node reads of others. */
export function othersRead(node: AssetNode): string[] {
  const read = node.inputs.flatMap((input) => input.alternatives.flatMap((a) => (a.mapping.self ? [] : [a.asset])));
  return [...new Set(read)];
}

import type { AssetNode } from '../graph/graph.ts';
import * as ranges from '../partition/ranges.ts';
import * as sets from '../partition/set.ts';
import type { JoinIndex } from './aggregate.ts';
import type { SeriesEvaluation } from './evaluated.ts';
import type { Edge } from './reads.ts';
import type { Universe } from './universe.ts';
import type { AssetView, LakeView } from './view.ts';

export interface AssetEvaluation {
  readonly key: string;
  readonly node: AssetNode;
  readonly universe: Universe;
  readonly series: ReadonlyMap<string, SeriesEvaluation>;
  /** What it was made of, so that a later evaluation need not make again what has stayed the same. */
  readonly made?: Made;
}

export interface Made {
  readonly head: number;
  readonly state: AssetView | undefined;
  /** The upstream evaluations, of every alternative of every input. */
  readonly upstream: readonly AssetEvaluation[];
  /** The code versions that count as the current one. */
  readonly same: readonly string[];
  readonly edges: readonly Edge[];
  /** Only what the graph, the log and the clock say; nobody asked for more. */
  readonly plain: boolean;
}

/** What an asset is evaluated from now. */
export interface Basis {
  readonly universe: Universe;
  readonly view: LakeView;
  readonly state: AssetView | undefined;
  readonly edges: readonly Edge[];
}

/** Whether all that an asset was evaluated from is the very same, so that its series need not be looked at. */
export function nothingNew(
  { universe, series, made }: AssetEvaluation,
  now: Universe,
  view: LakeView,
  state: AssetView | undefined,
  read: readonly AssetEvaluation[],
): boolean {
  if (universe !== now || made?.state !== state || !read.every((one, i) => one === made?.upstream[i])) return false;
  return made?.head === view.head || ![...series.values()].some(({ leaving }) => leaving);
}

/** Upstream series that read like those of before are those of before, so that to compare them once is enough. */
export function unlessSame(
  before: JoinIndex<SeriesEvaluation> | undefined,
  now: JoinIndex<SeriesEvaluation>,
): JoinIndex<SeriesEvaluation> {
  if (!before) return now;
  const out = new Map<string, readonly SeriesEvaluation[]>();
  for (const [join, series] of now) {
    const earlier = before.get(join);
    const same = earlier?.length === series.length && series.every((one, i) => one.content === earlier[i]?.content);
    out.set(join, same ? earlier : series);
  }
  return out;
}

/** Whether nothing that a series was evaluated from is another than it was. */
export function stillHolds(known: SeriesEvaluation, key: string, before: AssetEvaluation, now: Basis): boolean {
  const { universe, state, view, edges } = now;
  if (known.state !== state?.series.get(key)) return false;
  if (known.leaving && before.made?.head !== view.head) return false;
  for (const part of ['all', 'ready', 'unavailable'] as const) {
    if (!ranges.equals(sets.rangesOf(before.universe[part], key), sets.rangesOf(universe[part], key))) return false;
  }
  return edges.every(({ input, indexes }, n) =>
    input.alternatives.every((alternative, m) => {
      const earlier = before.made?.edges[n]?.indexes[m];
      return alternative.mapping.joinDown(known.values).every((join) => indexes[m]?.get(join) === earlier?.get(join));
    }),
  );
}

export const sameUniverse = (a: Universe, b: Universe): boolean =>
  a === b || (['all', 'ready', 'awaiting', 'unavailable'] as const).every((part) => sets.equals(a[part], b[part]));

import { Scratch } from '../common/scratch.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { type LakeView, PRESENT, type SeriesView } from '../plan/view.ts';
import type { RunRecord } from '../state/store.ts';

/** Wanted sources that were never looked at, and everything below them: what is counted there is only what is known so far. */
export function notKnown(lake: Pick<OpenedLake, 'graph' | 'resources'>, view: LakeView): Set<string> {
  const { graph } = lake;
  const found = new Set<string>();
  for (const key of graph.order) {
    const node = graph.node(key);
    const never = node.definition.kind === 'source' && view.asset(key)?.lastObservedAt === undefined && node.wanted;
    if (never || graph.upstreamOf(key).some((up) => found.has(up))) found.add(key);
  }
  return found;
}

/** Sources that the settings do not want, and what cannot be made without them. */
export function notWanted(lake: Pick<OpenedLake, 'graph' | 'resources'>): Set<string> {
  const { graph } = lake;
  const found = new Set<string>();
  for (const key of graph.order) {
    const node = graph.node(key);
    const { kind, inputs } = node.definition;
    const has = ({ alternatives }: (typeof inputs)[number]) =>
      alternatives.every(({ asset }) => asset !== undefined && found.has(asset.key));
    const idle =
      kind === 'source'
        ? !node.wanted
        : inputs.length > 0 && (inputs.every(has) || inputs.some((input) => input.need === 'required' && has(input)));
    if (idle) found.add(key);
  }
  return found;
}

/** The run that computed something of an asset last. Runs come latest first. */
export function lastRunOf(asset: string, view: LakeView, runs: readonly RunRecord[]): RunRecord | undefined {
  let newest = 0;
  for (const series of view.asset(asset)?.series.values() ?? []) newest = Math.max(newest, newestVerified(series));
  return newest === 0 ? undefined : runs.find(({ startedRevision }) => startedRevision <= newest);
}

const scratch = new Scratch();
const known = new WeakMap<SeriesView, number>();

/** The log position up to which the most recently computed partition had seen its inputs. Series of a view never alter. */
function newestVerified(series: SeriesView): number {
  const found = known.get(series);
  if (found !== undefined) return found;
  const newest = scratch.during(() => {
    const { verified, flags } = series.columns(scratch);
    let most = 0;
    for (let i = 0; i < verified.length; i++)
      if ((flags[i] as number) & PRESENT && (verified[i] as number) > most) most = verified[i] as number;
    return most;
  });
  known.set(series, newest);
  return newest;
}

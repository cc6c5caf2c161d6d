import type { AssetDefinition } from '../define/model.ts';
import type { OpenedLake } from '../materialize/open.ts';
import { applyFilter, type PartitionFilter } from '../partition/filter.ts';
import type { PartitionSet } from '../partition/set.ts';
import { type AssetFreshness, summarize } from '../plan/freshness.ts';
import { evaluateNow } from '../report/evaluated.ts';
import { freshnessNow } from '../report/freshness.ts';
import { lastRunOf, notKnown } from '../report/latest.ts';
import { unobserved } from './plan.ts';
import { countsOf, requireMatch } from './select.ts';

/** How many partitions of an asset are in which status. */
export type StatusCounts = ReturnType<typeof countsOf>;
export type AssetKind = 'source' | 'raw' | 'table';

/** An asset in numbers. Instants are ms UTC. */
export interface StatusRow {
  readonly asset: string;
  readonly kind: AssetKind;
  /** False where a source upstream was never observed: the counts are only what is known so far. */
  readonly known: boolean;
  readonly counts: StatusCounts;
  readonly lastObservedAt: number | undefined;
  /** When all of the source was listed, not only what is new. */
  readonly lastAuditedAt: number | undefined;
  readonly lastComputedAt: number | undefined;
  readonly lastRun: string | undefined;
  /** Of the series asked for; undefined without a policy. */
  readonly freshness: AssetFreshness | undefined;
}

export interface StatusReport {
  readonly revision: number;
  /** Sources upstream that nobody has ever looked at. */
  readonly neverObserved: readonly string[];
  readonly rows: readonly StatusRow[];
}

export const kindOf = ({ kind, storage }: AssetDefinition): AssetKind =>
  kind === 'source' ? 'source' : storage.type === 'raw' ? 'raw' : 'table';

/**
 * What there is of some assets.
 * @throws LakehouseError `no-such-partition` (usage) for a filter that lets nothing through.
 */
export function statusOf(lake: OpenedLake, keys: readonly string[], filter: PartitionFilter | undefined): StatusReport {
  const { evaluations, view } = evaluateNow(lake);
  requireMatch(lake, view, keys, filter);
  const untold = notKnown(lake, view);
  const runs = lake.state.runs(1000);
  const late = freshnessNow(lake, { view, evaluations, at: lake.now() }, keys);
  const rows = keys.flatMap((key): StatusRow[] => {
    const evaluation = evaluations.get(key);
    if (!evaluation) return [];
    const within = filter && applyFilter(evaluation.node.space, evaluation.universe.all, filter);
    const state = view.asset(key);
    const whole = late.get(key);
    const kind = kindOf(evaluation.node.definition);
    const last = kind === 'source' ? undefined : lastRunOf(key, view, runs);
    return [
      {
        asset: key,
        kind,
        known: !untold.has(key),
        counts: countsOf(evaluation, within),
        lastObservedAt: kind === 'source' ? state?.lastObservedAt : undefined,
        lastAuditedAt: kind === 'source' ? state?.lastAuditedAt : undefined,
        lastComputedAt: last && (last.finishedAt ?? last.startedAt),
        lastRun: last?.run,
        freshness: whole && within ? ofSeries(whole, within) : whole,
      },
    ];
  });
  return { revision: view.head, neverObserved: unobserved(lake, keys), rows };
}

/** Of the series that have partitions in a set. */
function ofSeries({ asset, policies, series, why }: AssetFreshness, { bySeries }: PartitionSet): AssetFreshness {
  const asked = [...series.values()].filter((one) => bySeries.has(one.series));
  return summarize(asset, policies, asked, why);
}

import type { AssetGraph } from '../graph/graph.ts';
import * as sets from '../partition/set.ts';
import { estimateMs } from '../plan/estimate.ts';
import type { MaterializeStep, Planning } from '../plan/plan.ts';
import type { StateReader } from '../state/store.ts';
import { fetching, recentBatches, type SizeOf } from './cost.ts';
import { bytes, duration, plural } from './format.ts';

/** What computing something takes. */
export interface PlanCost {
  readonly batches: number;
  readonly files: number;
  /** Partitions of sources that are read, and their bytes as far as the sources say. */
  readonly fetches: number;
  readonly downloadBytes: number;
  /** Judged by what earlier runs took; undefined where a part of it was never computed. */
  readonly estimatedMs: number | undefined;
  /** Of those parts for which it is known. */
  readonly knownMs: number;
}

/** What a step of a plan takes, all that it may compute included. */
export function stepCost(
  { graph, state }: { readonly graph: AssetGraph; readonly state: StateReader },
  { evaluations }: Pick<Planning, 'evaluations'>,
  step: MaterializeStep,
  sizeOf: SizeOf,
): PlanCost {
  const { asset, batches, files } = step;
  const read = fetching(graph, evaluations, asset, sets.union(step.will, step.may), sizeOf);
  const ms = estimateMs(
    recentBatches(state, asset),
    batches.map(({ partitions }) => partitions),
  );
  const estimatedMs = ms === undefined ? undefined : Math.round(ms);
  return {
    batches: batches.length,
    files,
    fetches: read.fetches,
    downloadBytes: read.bytes,
    estimatedMs,
    knownMs: estimatedMs ?? 0,
  };
}

/** Of several steps. Assets are taken to have their turns one after the other. */
export function totalCost(costs: readonly PlanCost[]): PlanCost {
  const sum = (of: (cost: PlanCost) => number) => costs.reduce((all, cost) => all + of(cost), 0);
  const knownMs = sum((cost) => cost.knownMs);
  return {
    batches: sum(({ batches }) => batches),
    files: sum(({ files }) => files),
    fetches: sum(({ fetches }) => fetches),
    downloadBytes: sum(({ downloadBytes }) => downloadBytes),
    estimatedMs: costs.some(({ estimatedMs }) => estimatedMs === undefined) ? undefined : knownMs,
    knownMs,
  };
}

/** `12 downloads of 3.4 MB` */
export const downloads = ({ fetches, downloadBytes }: Pick<PlanCost, 'fetches' | 'downloadBytes'>): string =>
  `${plural(fetches, 'download')}${downloadBytes > 0 ? ` of ${bytes(downloadBytes)}` : ''}`;

/** `about 12 s`, `up to 12 s` where some of it may not be computed, `at least 12 s` where a part is not known. */
export function timeNeeded({ estimatedMs, knownMs }: Pick<PlanCost, 'estimatedMs' | 'knownMs'>, may: number): string {
  if (estimatedMs !== undefined) return `${may > 0 ? 'up to' : 'about'} ${duration(estimatedMs)}`;
  return knownMs > 0 ? `at least ${duration(knownMs)}` : 'time unknown';
}

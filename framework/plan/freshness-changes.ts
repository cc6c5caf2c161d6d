import type { AssetFreshness, SeriesFreshness } from './freshness.ts';

/** A series that is late, as it was last told. */
export interface LateSeries {
  readonly status: 'warn' | 'overdue';
  /** Since when, ms UTC. */
  readonly since: number;
}

/** The series that are late, by asset and series. Plain data to be kept from one look to the next; empty when nothing is late. */
export type LateMemory = Readonly<Record<string, Readonly<Record<string, LateSeries>>>>;

/** Some series of an asset that have come to be in another state, all in the same way. */
export interface FreshnessChange {
  readonly asset: string;
  readonly from: 'on-time' | 'warn' | 'overdue';
  /** `gone`: there is no such series or policy any more, so nothing is late. */
  readonly to: 'on-time' | 'warn' | 'overdue' | 'gone';
  /** When the first of them came into the new state; where nothing says when, the instant of the look. ms UTC. */
  readonly since: number;
  /** In the order of keys. */
  readonly series: readonly string[];
  /** Of those that are late the one furthest behind. */
  readonly worst: Pick<SeriesFreshness, 'series' | 'basis' | 'lagMs' | 'limitMs' | 'newest'> | undefined;
}

/**
 * What has changed since the last look, each change once: a series that stays overdue is not told again, one that comes to be on
 * time is told once, and so is one that ceases to be. A series of which nothing can be told stays what it was: it is neither late anew nor
 * cleared. Series that change alike are one change, so a silent exchange is one per asset.
 * @param current Of every asset that has a policy.
 */
export function transitions(
  previous: LateMemory,
  current: ReadonlyMap<string, AssetFreshness>,
  now: number,
): { readonly changes: readonly FreshnessChange[]; readonly memory: LateMemory } {
  const changes: FreshnessChange[] = [];
  const memory: Record<string, Record<string, LateSeries>> = {};
  for (const asset of [...new Set([...Object.keys(previous), ...current.keys()])].sort()) {
    const before = new Map(Object.entries(previous[asset] ?? {}));
    const found = current.get(asset);
    const kept: [string, LateSeries][] = [];
    const moves = new Map<string, Move>();
    const move = (key: string, to: FreshnessChange['to'], since: number, is?: SeriesFreshness) => {
      const from = before.get(key)?.status ?? 'on-time';
      const known = moves.get(`${from} ${to}`) ?? { asset, from, to, since, series: [], worst: undefined };
      moves.set(`${from} ${to}`, known);
      known.since = Math.min(known.since, since);
      known.series.push(key);
      known.worst = further(known.worst, is);
    };
    for (const key of [...new Set([...before.keys(), ...(found?.series.keys() ?? [])])].sort()) {
      const was = before.get(key);
      const is = found?.series.get(key);
      const status = is?.status ?? (found?.why === 'never-observed' ? 'unknown' : 'gone');
      if (status === 'unknown') {
        if (was) kept.push([key, was]);
      } else if (status === 'on-time' || status === 'gone') {
        if (was) move(key, status, now);
      } else {
        const since = was?.status === status ? was.since : (is?.since ?? now);
        kept.push([key, { status, since }]);
        if (was?.status !== status) move(key, status, since, is);
      }
    }
    changes.push(...moves.values());
    if (kept.length > 0) memory[asset] = Object.fromEntries(kept);
  }
  return { changes, memory };
}

/** A change that is being gathered. */
interface Move extends FreshnessChange {
  since: number;
  readonly series: string[];
  worst: FreshnessChange['worst'];
}

function further(a: FreshnessChange['worst'], b: SeriesFreshness | undefined): FreshnessChange['worst'] {
  if (!b || (a && (a.lagMs ?? 0) - a.limitMs >= (b.lagMs ?? 0) - b.limitMs)) return a;
  const { series, basis, lagMs, limitMs, newest } = b;
  return { series, basis, lagMs, limitMs, newest };
}

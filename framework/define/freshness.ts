import type { PartitionSpace } from '../partition/space.ts';
import type { DimensionShape, TimeDimensionSpec } from './dimensions.ts';
import type { Report } from './report.ts';

/** A length of time: the sum of what is given. */
export type TimeSpan =
  | { readonly minutes: number; readonly hours?: number; readonly days?: number }
  | { readonly hours: number; readonly minutes?: number; readonly days?: number }
  | { readonly days: number; readonly minutes?: number; readonly hours?: number };

/**
 * What the lag of a series is measured by. `data`: how long something newer than its newest content has been due.
 * `materialization`: how long ago it was last computed, or found to be up to date.
 */
export type FreshnessBasis = 'data' | 'materialization';

/** How far behind each series of an asset may be. Plain data; no part of the code version. */
export interface FreshnessPolicy<TBasis extends string = FreshnessBasis> {
  readonly basis: TBasis;
  /** A series that lags more than this is overdue. */
  readonly limitMs: number;
  /** One that lags more than this is warned of. */
  readonly warnMs: number | undefined;
}

export interface FreshnessOptions {
  /** Less than the limit: from here on the series is warned of. */
  readonly warn?: TimeSpan;
}

export const milliseconds = ({ minutes = 0, hours = 0, days = 0 }: TimeSpan): number =>
  minutes * 60_000 + hours * 3_600_000 + days * 86_400_000;

const policy = <const TBasis extends FreshnessBasis>(
  basis: TBasis,
  limit: TimeSpan,
  options: FreshnessOptions = {},
): FreshnessPolicy<TBasis> => ({
  basis,
  limitMs: milliseconds(limit),
  warnMs: options.warn && milliseconds(options.warn),
});

/**
 * By data time: what is published is in the asset at most this long after it is normally published, that is after the end of its
 * period and the `publicationLagHours` of the sources it is made of. `within({ hours: 30 }, { warn: { hours: 26 } })`
 */
export const within = (limit: TimeSpan, options?: FreshnessOptions): FreshnessPolicy<'data'> =>
  policy('data', limit, options);

/**
 * By the clock of the lake: a run computed something of each series, or a look at the sources found nothing to compute, at most
 * this long ago. A source: it was observed. `materializedWithin({ days: 1 })`
 */
export const materializedWithin = (limit: TimeSpan, options?: FreshnessOptions): FreshnessPolicy<'materialization'> =>
  policy('materialization', limit, options);

/** By data time only where there is time: else the compiler prints the sentence. What is loosely typed is looked at when it is declared. */
type BasisFor<TDims extends DimensionShape> = string extends keyof TDims
  ? FreshnessBasis
  : [Extract<TDims[keyof TDims], TimeDimensionSpec>] extends [never]
    ? 'materialization' | 'there is no time dimension to be behind in: write materializedWithin(…)'
    : FreshnessBasis;

/** One policy, or one of each kind: both must hold. */
export type Freshness<TDims extends DimensionShape> =
  | FreshnessPolicy<BasisFor<TDims>>
  | readonly FreshnessPolicy<BasisFor<TDims>>[];

const NAMES: Readonly<Record<FreshnessBasis, string>> = { data: 'within', materialization: 'materializedWithin' };

/** The policies as data; what is wrong with them is reported. */
export function buildFreshness(
  declared: FreshnessPolicy | readonly FreshnessPolicy[] | undefined,
  space: PartitionSpace,
  report: Report,
): readonly FreshnessPolicy[] {
  const policies = declared === undefined ? [] : 'basis' in declared ? [declared] : declared;
  const seen = new Set<FreshnessBasis>();
  for (const { basis, limitMs, warnMs } of policies) {
    const name = NAMES[basis];
    const refuse = (code: string, message: string, hint?: string) =>
      report(code, ['freshness'], `${name}(): ${message}`, hint);
    if (seen.has(basis)) refuse('duplicate-freshness', 'is there twice', 'Keep one of them');
    seen.add(basis);
    const possible = (ms: number) => Number.isFinite(ms) && ms > 0;
    if (!possible(limitMs)) {
      refuse('bad-freshness', 'the limit is no length of time above zero', `Write e.g. ${name}({ hours: 30 })`);
    }
    if (warnMs !== undefined && !(possible(warnMs) && warnMs < limitMs)) {
      const hint = `Write e.g. ${name}({ hours: 30 }, { warn: { hours: 26 } })`;
      refuse('bad-freshness', '`warn` is not between zero and the limit', hint);
    }
    if (basis === 'data' && !space.time) {
      const hint = 'Write materializedWithin() to say how often it is to be computed';
      refuse('freshness-without-time', 'the asset has no time dimension to be behind in', hint);
    }
  }
  return policies;
}

import type { SerializedError } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import * as ranges from '../../partition/ranges.ts';
import * as sets from '../../partition/set.ts';
import { printKey, readSeriesKey } from '../../partition/space.ts';
import { withStatus } from '../../plan/evaluate.ts';
import { type EvaluatedAt, freshnessNow } from '../../report/freshness.ts';
import { checkFailuresOf, departuresOf, type StoredEvent } from '../../state/events.ts';
import { unpackPartitions } from '../automation/cursor.ts';
import type { OperateReader, TickKind } from '../store.ts';
import type { CheckNews, CheckResults, FailingAsset, LakeFacts, TickHistory } from './facts.ts';

/** Events that a first look reads back. */
const FIRST_EVENTS = 5_000;
/** Partitions of an asset among which the one is sought that failed most often. */
const LOOKED_THROUGH = 5_000;

const ENDED = ['succeeded', 'failed', 'interrupted'] as const;

/**
 * How the latest ticks ended, of everything that has some. What was skipped says nothing, however much there is of it; nor does what
 * went wrong when a person asked for it, who has seen it. What went well then is well.
 * @param limit ticks of each outcome; no fewer than failures in a row are counted.
 */
export function tickFacts(
  store: Pick<OperateReader, 'ticks'>,
  names: Iterable<{ readonly kind: TickKind; readonly name: string }>,
  limit = 10,
): TickHistory[] {
  return Array.from(names, ({ kind, name }) => {
    const ticks = ENDED.flatMap((outcome) =>
      store.ticks({ kind, name, outcome, decided: outcome !== 'succeeded', limit }),
    );
    return { kind, name, ticks: ticks.sort((a, b) => b.id - a.id) };
  });
}

/**
 * What there is to know of an evaluated lake: costs time per asset, per thing that is bad, and per event since the last look.
 * @param options.checkedTo revision up to which results of checks are known already; 0 for none.
 * @param options.storage whether the bytes of all files are to be added up.
 */
export function lakeFacts(
  lake: Pick<OpenedLake, 'graph' | 'state' | 'resources'>,
  evaluated: EvaluatedAt,
  options: { readonly checkedTo: number; readonly storage: boolean },
): LakeFacts {
  return {
    freshness: freshnessNow(lake, evaluated),
    failures: failing(lake, evaluated),
    checks: checkNews(lake, evaluated.view.head, options.checkedTo),
    nameOf: (asset, series, time) => printKey(lake.graph.node(asset).space, { values: readSeriesKey(series), time }),
    storageBytes: options.storage ? storageBytes(lake) : undefined,
  };
}

function failing({ graph, state }: Pick<OpenedLake, 'graph' | 'state'>, { evaluations }: EvaluatedAt): FailingAsset[] {
  const index = state.index();
  return graph.order.flatMap((asset): FailingAsset[] => {
    const evaluation = evaluations.get(asset);
    if (!evaluation) return [];
    let [partitions, looked] = [0, 0];
    let worst: { series: string; time: number; attempts: number; revision: number } | undefined;
    const failed = withStatus(evaluation, 'failed');
    for (const [series, time] of sets.points(failed)) {
      // What failed a check has no failure: that is told by its own rule.
      const failure = index.asset(asset)?.failure(series, time);
      if (failure) partitions++;
      const { attempts = 0, revision = 0 } = failure ?? {};
      if (failure && attempts > (worst?.attempts ?? 0)) worst = { series, time, attempts, revision };
      if (++looked === LOOKED_THROUGH) break;
    }
    if (!worst) return [];
    const { series, time, attempts, revision } = worst;
    return [
      {
        asset,
        partitions: looked === LOOKED_THROUGH ? sets.countOf(failed) : partitions,
        worst: {
          partition: printKey(graph.node(asset).space, { values: readSeriesKey(series), time }),
          attempts,
          ...lastWords(state, revision, series, time),
        },
      },
    ];
  });
}

function lastWords(
  state: OpenedLake['state'],
  revision: number,
  series: string,
  time: number,
): { readonly at: number | undefined; readonly error: SerializedError | undefined } {
  const [found] = state.events({ after: revision - 1, limit: 1 });
  if (found?.revision !== revision || found.event.kind !== 'failed') return { at: undefined, error: undefined };
  const failure = found.event.failures.find((one) => one.series === series && one.time === time);
  return { at: found.at, error: failure?.error };
}

function checkNews({ graph, state }: Pick<OpenedLake, 'graph' | 'state'>, head: number, checkedTo: number): CheckNews {
  const known = new Map(
    graph.order.flatMap((key) => {
      const { checks } = graph.node(key).definition;
      return checks.length > 0 ? [[key, new Set(checks.map(({ name }) => name))] as const] : [];
    }),
  );
  const results: CheckResults[] = [];
  // A state that was replaced begins anew.
  const after = checkedTo === 0 || checkedTo > head ? Math.max(head - FIRST_EVENTS, 0) : checkedTo;
  for (const stored of state.events({ after })) {
    if (stored.revision > head) break;
    if (!('asset' in stored.event) || !known.has(stored.event.asset)) continue;
    const result = resultsOf(stored);
    if (result) results.push(result);
  }
  return { to: head, known, results };
}

function resultsOf({ event, at }: StoredEvent): CheckResults | undefined {
  if (event.kind === 'departed') {
    const gone = departuresOf(event).map((one) => [one.series, one.ranges]);
    return { asset: event.asset, at, set: unpackPartitions(Object.fromEntries(gone)), checks: undefined, failed: [] };
  }
  if (event.kind !== 'materialized' && event.kind !== 'checked') return undefined;
  const set =
    event.kind === 'checked'
      ? unpackPartitions(Object.fromEntries(event.set.map((one) => [one.series, one.ranges])))
      : sets.fromSeries(event.outcomes.map(({ series, times }) => [series, ranges.fromSorted(times.toSorted())]));
  return {
    asset: event.asset,
    at,
    set,
    checks: event.kind === 'checked' ? event.checks : undefined,
    // The log also has those that passed where they were expected to fail.
    failed: checkFailuresOf(event)
      .filter(({ failedRows }) => failedRows > 0)
      .map(({ check, severity, series, time }) => ({ check, severity, series, time })),
  };
}

const storageBytes = ({ state }: Pick<OpenedLake, 'state'>): number =>
  state.filesTaken().reduce((sum, { bytes }) => sum + bytes, 0);

import type { AssetDefinition } from '../../define/model.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import * as ranges from '../../partition/ranges.ts';
import { printKey, readSeriesKey } from '../../partition/space.ts';
import { PRESENT } from '../../plan/view.ts';
import { checkFailuresOf, type NewEvent, outcomesOf } from '../../state/events.ts';
import type { CheckRow } from '../model/data.ts';

/** How far back results are looked for: events of the log. Older ones count, but are not shown one by one. */
const EVENTS = 5_000;
const HISTORY = 40;
const FAILURES = 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Building = Mutable<Omit<CheckRow, 'failures' | 'history'>> & {
  failures: Mutable<CheckRow>['failures'][number][];
  history: CheckRow['history'][number][];
  /** Newest result by partition. */
  results: Map<string, boolean>;
};

/** Partitions that were checked at an event. */
function pointsOf(event: NewEvent): string[] {
  const parts =
    event.kind === 'checked'
      ? event.set.map(({ series, ranges: bounds }) => ({ series, times: ranges.iterate({ bounds }) }))
      : outcomesOf(event);
  return parts.flatMap(({ series, times }) => Array.from(times, (time) => `${series}|${time}`));
}

/** Which checks were made at an event: a batch makes all but comparisons. */
function madeAt(event: NewEvent, { checks }: AssetDefinition): (check: string) => boolean {
  if (event.kind === 'checked') return (name) => event.checks.includes(name);
  const own = checks.filter(({ reads }) => reads.length === 0).map(({ name }) => name);
  return (name) => event.kind === 'materialized' && own.includes(name);
}

/** Every check of the definitions with its results in the recent log. */
export function checkRows(lake: OpenedLake): CheckRow[] {
  const { graph, state } = lake;
  const { head } = state.index();
  return graph.order.flatMap((asset): CheckRow[] => {
    const node = graph.node(asset);
    const building = new Map(
      node.definition.checks.map(({ name, severity, blocking, description }): [string, Building] => [
        name,
        {
          asset,
          check: name,
          severity,
          blocking,
          description,
          passed: 0,
          failed: 0,
          failures: [],
          history: [],
          results: new Map(),
        },
      ]),
    );
    if (building.size === 0) return [];
    const content = state.index().asset(asset)?.series;
    const isPresent = (point: string): boolean => {
      const bar = point.lastIndexOf('|');
      const series = content?.get(point.slice(0, bar));
      return series !== undefined && ((series.flags[Number(point.slice(bar + 1)) - series.base] ?? 0) & PRESENT) !== 0;
    };
    for (const { event, at } of state.events({ asset, after: Math.max(head - EVENTS, 0) })) {
      const points = pointsOf(event);
      const made = madeAt(event, node.definition);
      for (const [name, row] of building) {
        if (!made(name)) continue;
        const bad = checkFailuresOf(event).filter((one) => one.check === name && one.failedRows > 0);
        row.history.push({ at, checked: points.length, failed: bad.length });
        for (const point of points) row.results.set(point, true);
        for (const { series, time, failedRows, sample, sql } of bad) {
          row.results.set(`${series}|${time}`, false);
          row.failures.push({
            partition: printKey(node.space, { values: readSeriesKey(series), time }),
            failedRows,
            at,
            sample: (sample ?? []).map((one) => JSON.stringify(one)),
            sql,
          });
        }
      }
    }
    return [...building.values()].map(({ results, failures, history, ...row }) => {
      // What has left the lake since is no result of anything.
      const current = [...results].filter(([point]) => isPresent(point));
      const failed = current.filter(([, passed]) => !passed).length;
      return {
        ...row,
        passed: current.length - failed,
        failed,
        failures: failures.reverse().slice(0, FAILURES),
        history: history.slice(-HISTORY),
      };
    });
  });
}

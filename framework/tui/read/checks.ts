import type { OpenedLake } from '../../materialize/open.ts';
import { printKey, readSeriesKey } from '../../partition/space.ts';
import { outcomesOf } from '../../state/events.ts';
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

/** Every check of the definitions with its results in the recent log. */
export function checkRows(lake: OpenedLake): CheckRow[] {
  const { graph, state } = lake;
  const head = state.index().head;
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
    for (const { event, at } of state.events({ asset, after: Math.max(head - EVENTS, 0) })) {
      if (event.kind !== 'materialized') continue;
      const points = outcomesOf(event).flatMap(({ series, times }) => Array.from(times, (time) => `${series}|${time}`));
      for (const [name, row] of building) {
        const bad = (event.checks ?? []).filter((one) => one.check === name && one.failedRows > 0);
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
      const failed = [...results.values()].filter((passed) => !passed).length;
      return {
        ...row,
        passed: results.size - failed,
        failed,
        failures: failures.reverse().slice(0, FAILURES),
        history: history.slice(-HISTORY),
      };
    });
  });
}

import type { AlertSeverity } from '../../common/alerts.ts';
import * as sets from '../../partition/set.ts';
import { packPartitions, unpackPartitions } from '../automation/cursor.ts';
import type { CheckNews, CheckResults } from './facts.ts';
import type { AlertMemory, FailingCheck } from './model.ts';

type Checks = AlertMemory['checks'];

/** Which checks fail for which partitions after what the log has said since. Checks that are no longer declared are forgotten. */
export function failingChecks(before: Checks, { known, results }: CheckNews): Checks {
  const failing = new Map(Object.entries(before).map(([asset, checks]) => [asset, new Map(Object.entries(checks))]));
  for (const one of results) {
    const checks = failing.get(one.asset) ?? new Map<string, FailingCheck>();
    failing.set(one.asset, checks);
    take(checks, one);
  }
  const out: Record<string, Record<string, FailingCheck>> = {};
  for (const [asset, checks] of [...failing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kept = [...checks].filter(([name]) => known.get(asset)?.has(name));
    if (kept.length > 0) out[asset] = Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return out;
}

function take(checks: Map<string, FailingCheck>, { set, checks: made, failed, at }: CheckResults): void {
  for (const name of new Set([...checks.keys(), ...failed.map(({ check }) => check)])) {
    if (made && !made.includes(name)) continue;
    const before = checks.get(name);
    const bad = failed.filter(({ check }) => check === name);
    const partitions = sets.union(
      sets.subtract(unpackPartitions(before?.partitions ?? {}), set),
      sets.fromPoints(bad.map(({ series, time }) => [series, time])),
    );
    const severity: AlertSeverity | undefined = bad.at(-1)?.severity ?? before?.severity;
    if (severity === undefined || sets.isEmpty(partitions)) checks.delete(name);
    else checks.set(name, { severity, since: before?.since ?? at, partitions: packPartitions(partitions) });
  }
}

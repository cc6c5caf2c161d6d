import { ALERT_SEVERITIES, type AlertSeverity } from '../../common/alerts.ts';
import type { Facts } from './facts.ts';
import { failingChecks } from './failing-checks.ts';
import type { ActiveAlert, Alert, AlertMemory, Notice, RuleSettings } from './model.ts';
import { circuits, reload, restart } from './rules-daemon.ts';
import { checks, failures, freshness, repeatedFailures, storage } from './rules-lake.ts';
import { isSaidBy, repeatedTicks, runs } from './rules-ticks.ts';
import type { Verdict } from './verdict.ts';

export interface Decision {
  /** What has become bad, or worse. */
  readonly raise: readonly Notice[];
  /** What has been bad for so long that it is told again. */
  readonly remind: readonly Notice[];
  readonly clear: readonly Notice[];
  readonly memory: AlertMemory;
}

const HOUR_MS = 3_600_000;
/** So many times what was told is news. */
const MUCH_MORE = 10;

/**
 * What is to be told now. Pure. What becomes bad is raised once, and once more where it gets more severe, ten times as much or further
 * series of an asset become late; when it is over that is told once. A rule that is switched off forgets what it had raised.
 * @param now ms UTC.
 */
export function alertsOf(facts: Facts, memory: AlertMemory, settings: RuleSettings, now: number): Decision {
  const known = lookedAt(facts, memory);
  const { verdicts, late } = judge(facts, known, settings, now);
  const active = new Map(Object.entries(memory.active).filter(([, { alert }]) => settings.rules.includes(alert.rule)));
  const raise: Notice[] = [];
  const clear: Notice[] = [];
  for (const { rule, scope, holds, over } of verdicts) {
    if (!settings.rules.includes(rule)) continue;
    const held = new Set(holds.map(({ alert }) => alert.key));
    for (const { alert: found, again } of holds) {
      const known = active.get(found.key);
      const alert = known ? { ...found, since: Math.min(known.alert.since, found.since) } : found;
      const loudest = louder(known?.loudest, alert.severity);
      const { count } = found;
      const grew = known?.toldCount !== undefined && (count ?? 0) >= MUCH_MORE * known.toldCount;
      const news = !known || again || loudest !== known.loudest || grew;
      if (news) raise.push({ kind: 'raised', at: now, alert });
      active.set(alert.key, {
        alert,
        raisedAt: known?.raisedAt ?? now,
        toldAt: news ? now : known.toldAt,
        loudest,
        toldCount: news ? count : known.toldCount,
      });
    }
    for (const [key, { alert }] of active) {
      if (!key.startsWith(scope) || held.has(key)) continue;
      const why = over(alert);
      if (why === undefined) continue;
      active.delete(key);
      clear.push({ kind: 'cleared', at: now, alert: { ...alert, severity: memorySeverity(memory, key) }, why });
    }
  }
  const remind = reminders(active, facts, settings.repeatHours * HOUR_MS, now);
  return { raise, remind, clear, memory: { ...known, active: Object.fromEntries([...active].sort(byKey)), late } };
}

function lookedAt({ lake }: Facts, memory: AlertMemory): AlertMemory {
  if (!lake) return memory;
  return { ...memory, checks: failingChecks(memory.checks, lake.checks), checkedTo: lake.checks.to };
}

function judge(facts: Facts, memory: AlertMemory, settings: RuleSettings, now: number) {
  const { ticks, lake } = facts;
  const late = lake && freshness(lake, memory, settings, now);
  const verdicts: Verdict[] = [
    ...restart(facts, memory, settings, now),
    ...reload(facts, memory, settings, now),
    ...(ticks ? [runs(ticks, settings), repeatedTicks(ticks, settings)] : []),
    ...(lake ? [failures(lake.failures, settings, now), repeatedFailures(lake.failures, settings, now)] : []),
    ...(late ? [late.verdict] : []),
    ...(lake ? [checks(memory, lake, settings), storage(lake, settings, now)] : []),
    ...circuits(facts, settings, now),
  ];
  return { verdicts, late: late?.late ?? memory.late };
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

const louder = (a: AlertSeverity | undefined, b: AlertSeverity): AlertSeverity =>
  a !== undefined && ALERT_SEVERITIES.indexOf(a) > ALERT_SEVERITIES.indexOf(b) ? a : b;

/** As it was told: whoever was told of an error must hear that it is over, though it was but a warning in the end. */
const memorySeverity = ({ active }: AlertMemory, key: string): AlertSeverity => active[key]?.loudest ?? 'warn';

/** What alerts about it are judged by: of what is not looked at now it cannot be told whether it still is so. */
const JUDGED_BY = {
  asset: 'lake',
  lake: 'lake',
  schedule: 'ticks',
  sensor: 'ticks',
  automation: 'ticks',
  daemon: undefined,
} as const satisfies Record<Alert['subject']['kind'], keyof Facts | undefined>;

function reminders(active: Map<string, ActiveAlert>, facts: Facts, repeatMs: number, now: number): Notice[] {
  if (repeatMs === 0) return [];
  const due = [...active.values()].filter(({ toldAt, alert }) => {
    const by = JUDGED_BY[alert.subject.kind];
    return now - toldAt >= repeatMs && !isSaidBy(alert.key, active) && (by === undefined || facts[by] !== undefined);
  });
  for (const one of due) active.set(one.alert.key, { ...one, toldAt: now });
  return due.map(({ alert }): Notice => ({ kind: 'reminder', at: now, alert }));
}

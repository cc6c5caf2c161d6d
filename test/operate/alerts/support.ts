import { ALERT_RULES } from '../../../framework/common/alerts.ts';
import { alertsOf } from '../../../framework/operate/alerts/decide.ts';
import type { Facts, FailingAsset, LakeFacts } from '../../../framework/operate/alerts/facts.ts';
import {
  type AlertMemory,
  NOTHING_REMEMBERED,
  type Notice,
  type RuleSettings,
} from '../../../framework/operate/alerts/model.ts';
import type { TickOutcome, TickRecord } from '../../../framework/operate/store.ts';
import { type AssetFreshness, type SeriesFreshness, summarize } from '../../../framework/plan/freshness.ts';

export const START = Date.parse('2026-11-23T00:00:00Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** As the command line writes them. */
export const command = (...words: readonly string[]): string =>
  ['lakehouse', ...words].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ');

export const RULES: RuleSettings = {
  rules: ALERT_RULES,
  repeatHours: 0,
  repeatedFailures: 3,
  storageQuota: undefined,
  storageWarnPercent: 90,
  command,
};

/** What is told at each look, as lines `00:00 raised error <title>`; what is remembered goes through JSON in between. */
export class Watch {
  memory: AlertMemory = NOTHING_REMEMBERED;
  readonly told: string[] = [];
  readonly notices: Notice[] = [];
  settings: RuleSettings;

  constructor(settings: Partial<RuleSettings> = {}) {
    this.settings = { ...RULES, ...settings };
  }

  look(afterMs: number, facts: Facts): this {
    const now = START + afterMs;
    const { raise, clear, remind, memory } = alertsOf(facts, this.memory, this.settings, now);
    this.memory = JSON.parse(JSON.stringify(memory));
    for (const notice of [...raise, ...clear, ...remind]) {
      this.notices.push(notice);
      const { kind, at, alert } = notice;
      this.told.push(`${new Date(at).toISOString().slice(11, 16)} ${kind} ${alert.severity} ${alert.title}`);
    }
    return this;
  }

  get active(): string[] {
    return Object.keys(this.memory.active);
  }
}

/** A lake in which all is well, but for what is given. */
export function lakeOf(given: Partial<LakeFacts> = {}): Facts {
  return {
    lake: {
      freshness: new Map(),
      failures: [],
      checks: { to: 1, known: new Map(), results: [] },
      nameOf: (_asset, series, time) => `${series} ${time}`,
      storageBytes: undefined,
      ...given,
    },
  };
}

export function failing(asset: string, attempts = 1, message = 'no such host'): FailingAsset {
  return {
    asset,
    partitions: 2,
    worst: { partition: 'date=2026-11-22', attempts, at: START - HOUR, error: { message } },
  };
}

export function late(asset: string, series: Readonly<Record<string, SeriesFreshness['status']>>): AssetFreshness {
  return summarize(
    asset,
    [],
    Object.entries(series).map(([name, status]): SeriesFreshness => {
      const isLate = status === 'warn' || status === 'overdue';
      return {
        series: `symbol=${name}`,
        status,
        basis: 'data',
        lagMs: status === 'unknown' ? undefined : isLate ? 31 * HOUR : 0,
        limitMs: 30 * HOUR,
        deadline: undefined,
        since: isLate ? START - HOUR : undefined,
        newest: 'date=2026-11-20',
        why: status === 'unknown' ? 'never-computed' : undefined,
      };
    }),
  );
}

export const freshness = (...assets: readonly AssetFreshness[]): Facts =>
  lakeOf({ freshness: new Map(assets.map((one) => [one.asset, one])) });

/** Ticks of a schedule, latest first, a minute apart. */
export function ticksOf(name: string, ...outcomes: readonly TickOutcome[]): Facts {
  const ticks = outcomes.map((outcome, i): TickRecord => {
    const at = START - i * MINUTE;
    return {
      id: outcomes.length - i,
      kind: 'schedule',
      name,
      due: at,
      at,
      outcome,
      decision: outcome === 'failed' ? 'it was due; disk on fire' : 'it was due',
      ticks: 1,
      byHand: false,
      attempt: 1,
      begunAt: at,
      finishedAt: outcome === 'running' ? undefined : at + 1000,
      run: `run${outcomes.length - i}`,
      error: outcome === 'failed' ? { message: 'disk on fire', code: 'fire', hint: 'Call somebody.' } : undefined,
    };
  });
  return { ticks: [{ kind: 'schedule', name, ticks }] };
}

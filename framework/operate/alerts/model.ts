import type { AlertRule, AlertSeverity } from '../../common/alerts.ts';
import type { LateMemory } from '../../plan/freshness-changes.ts';
import type { PackedPartitions } from '../automation/cursor.ts';

/** Something that is bad now. Plain data. */
export interface Alert {
  /** What it is about, `rule/…`: of two with the same key the later one is news of the earlier one. */
  readonly key: string;
  readonly rule: AlertRule;
  readonly severity: AlertSeverity;
  /** What is bad, in a few words that go on being true until it is over: `gold/klines is late`. */
  readonly title: string;
  /** More about it, a line or several. */
  readonly text: string;
  readonly subject: {
    readonly kind: 'asset' | 'schedule' | 'sensor' | 'automation' | 'lake' | 'daemon';
    readonly name: string;
  };
  /** Since when, ms UTC. */
  readonly since: number;
  /** What to call to see more, or to mend it: `lakehouse explain gold/klines date=2024-01-02`. */
  readonly next?: string;
  /** How many partitions, or times: ten times as many as were told are told again. */
  readonly count?: number;
  /** Facts for machines. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What somebody is told: that it has become bad, still is, or is over. */
export interface Notice {
  readonly kind: 'raised' | 'reminder' | 'cleared';
  /** ms UTC. */
  readonly at: number;
  readonly alert: Alert;
  /** Of what is over: why that is so. */
  readonly why?: string;
}

/** An alert that was raised and is not over. */
export interface ActiveAlert {
  readonly alert: Alert;
  /** ms UTC. */
  readonly raisedAt: number;
  /** When somebody was last told, ms UTC. */
  readonly toldAt: number;
  /** The most severe that was told: who heard of that hears that it is over. */
  readonly loudest: AlertSeverity;
  /** How many there were when somebody was last told; undefined where that is not counted. */
  readonly toldCount?: number | undefined;
}

/** The partitions of which a check failed when it was last made. */
export interface FailingCheck {
  readonly severity: AlertSeverity;
  /** ms UTC. */
  readonly since: number;
  readonly partitions: PackedPartitions;
}

/** What is remembered from one look to the next. Plain data; its size goes with what is bad. */
export interface AlertMemory {
  /** By key. */
  readonly active: Readonly<Record<string, ActiveAlert>>;
  /** Series that were told to be late. */
  readonly late: LateMemory;
  /** By asset and name of the check. */
  readonly checks: Readonly<Record<string, Readonly<Record<string, FailingCheck>>>>;
  /** Revision of the log up to which results of checks were read. */
  readonly checkedTo: number;
  /** Those who were told what there is, as `name:type`: whoever else comes is told what stands. */
  readonly destinations: readonly string[];
}

export interface RuleSettings {
  readonly rules: readonly AlertRule[];
  /** Hours after which what still is bad is told again; 0 for never. */
  readonly repeatHours: number;
  /** From how many failures in a row on something counts as failing again and again. */
  readonly repeatedFailures: number;
  /** Bytes; undefined for no limit. */
  readonly storageQuota: number | undefined;
  readonly storageWarnPercent: number;
  /** A command of this program, as it is to be typed for this lake. */
  readonly command: (...words: readonly string[]) => string;
}

export const NOTHING_REMEMBERED: AlertMemory = { active: {}, late: {}, checks: {}, checkedTo: 0, destinations: [] };

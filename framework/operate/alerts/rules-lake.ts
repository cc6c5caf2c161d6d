import * as sets from '../../partition/set.ts';
import { transitions } from '../../plan/freshness-changes.ts';
import { bytes, plural } from '../../report/format.ts';
import { freshnessLines } from '../../report/freshness.ts';
import { unpackPartitions } from '../automation/cursor.ts';
import type { FailingAsset, LakeFacts } from './facts.ts';
import type { Alert, AlertMemory, RuleSettings } from './model.ts';
import type { Verdict } from './verdict.ts';

const UNTOLD = 'what went wrong is no longer in the log';

/** Where more is said of a partition; what has no dimensions has but one, without a name. */
const lookAt = (command: RuleSettings['command'], asset: string, partition: string): string =>
  partition === '' ? command('status', asset) : command('explain', asset, partition);

/** Partitions that could not be computed. */
export function failures(list: readonly FailingAsset[], { command }: RuleSettings, now: number): Verdict {
  return {
    rule: 'failures',
    scope: 'failures/',
    holds: list.map(({ asset, partitions, worst }) => ({
      alert: {
        key: `failures/${asset}`,
        rule: 'failures',
        severity: 'error',
        title: `partitions of ${asset} fail`,
        text: `${plural(partitions, 'partition')}; ${worst.partition || 'it'}: ${worst.error?.message ?? UNTOLD}`,
        subject: { kind: 'asset', name: asset },
        since: worst.at ?? now,
        next: lookAt(command, asset, worst.partition),
        count: partitions,
        fields: { partitions, partition: worst.partition, code: worst.error?.code },
      },
    })),
    over: () => 'none of them fails any more',
  };
}

/** One of them failed many times in a row. */
export function repeatedFailures(
  list: readonly FailingAsset[],
  { repeatedFailures, command }: RuleSettings,
  now: number,
): Verdict {
  return {
    rule: 'retries',
    scope: 'retries/asset/',
    holds: list.flatMap(({ asset, worst: { partition, attempts, at, error } }) => {
      if (attempts < repeatedFailures) return [];
      const alert: Alert = {
        key: `retries/asset/${asset}`,
        rule: 'retries',
        severity: 'error',
        title: `a partition of ${asset} fails again and again`,
        text: `${partition || 'it'} failed ${attempts} times in a row; the last time: ${error?.message ?? UNTOLD}`,
        subject: { kind: 'asset', name: asset },
        since: at ?? now,
        next: lookAt(command, asset, partition),
        count: attempts,
        fields: { partition, attempts, code: error?.code },
      };
      return [{ alert }];
    }),
    over: () => 'it does not any more',
  };
}

/** Series that are late. Also says which of them were told, for the next look. */
export function freshness(
  lake: LakeFacts,
  { active, late }: AlertMemory,
  { command }: RuleSettings,
  now: number,
): { readonly verdict: Verdict; readonly late: AlertMemory['late'] } {
  const { changes, memory } = transitions(late, lake.freshness, now);
  const worse = new Set(changes.flatMap(({ asset, to }) => (to === 'warn' || to === 'overdue' ? [asset] : [])));
  const holds = Object.entries(memory).map(([asset, series]) => {
    const key = `freshness/${asset}`;
    const all = Object.values(series);
    const overdue = all.filter(({ status }) => status === 'overdue').length;
    const found = lake.freshness.get(asset);
    // Of what nothing can be told now, what was told holds.
    const text = found && found.status !== 'unknown' ? freshnessLines(found).join('; ') : active[key]?.alert.text;
    const alert: Alert = {
      key,
      rule: 'freshness',
      severity: overdue > 0 ? 'error' : 'warn',
      title: `${asset} is late`,
      text: text ?? 'how late it is cannot be told now',
      subject: { kind: 'asset', name: asset },
      since: Math.min(...all.map(({ since }) => since)),
      next: command('status', `+${asset}`),
      fields: { series: all.length, overdue, lagMs: found?.worst?.lagMs, limitMs: found?.worst?.limitMs },
    };
    return { alert, again: worse.has(asset) };
  });
  const over = ({ subject }: Alert) =>
    lake.freshness.get(subject.name)?.status === 'on-time'
      ? 'it is on time again'
      : 'what was late is not expected any more';
  return { verdict: { rule: 'freshness', scope: 'freshness/', holds, over }, late: memory };
}

/** Checks that fail for content of the lake. */
export function checks(
  { checks: failing }: AlertMemory,
  { nameOf }: Pick<LakeFacts, 'nameOf'>,
  { command }: RuleSettings,
): Verdict {
  return {
    rule: 'checks',
    scope: 'checks/',
    holds: Object.entries(failing).flatMap(([asset, byName]) =>
      Object.entries(byName).map(([check, { severity, since, partitions }]) => {
        const set = unpackPartitions(partitions);
        const count = sets.countOf(set);
        const [first] = sets.points(set);
        const partition = first === undefined ? '' : nameOf(asset, ...first);
        const which = partition === '' ? '' : count === 1 ? `: ${partition}` : `, the first ${partition}`;
        const alert: Alert = {
          key: `checks/${asset}/${check}`,
          rule: 'checks',
          severity,
          title: `check ${check} of ${asset} fails`,
          text: `for ${plural(count, 'partition')}${which}`,
          next: lookAt(command, asset, partition),
          count,
          subject: { kind: 'asset', name: asset },
          since,
          fields: { check, partitions: count, partition },
        };
        return { alert };
      }),
    ),
    over: () => 'it fails for none of the partitions there are',
  };
}

/** The files of the lake take more than they should. */
export function storage(
  { storageBytes: used }: LakeFacts,
  { storageQuota: quota, storageWarnPercent, command }: RuleSettings,
  now: number,
): Verdict {
  if (quota === undefined)
    return { rule: 'storage', scope: 'storage', holds: [], over: () => 'there is no quota any more' };
  if (used === undefined) return { rule: 'storage', scope: 'storage', holds: [], over: () => undefined };
  const share = `${bytes(used)} of ${bytes(quota)} (${Math.floor((100 * used) / quota)}%)`;
  const alert: Alert = {
    key: 'storage',
    rule: 'storage',
    severity: used >= quota ? 'error' : 'warn',
    title: used >= quota ? 'the lake exceeds its storage quota' : 'the lake comes near its storage quota',
    text: `${share}. What nothing needs any more can be removed.`,
    next: command('gc'),
    subject: { kind: 'lake', name: 'storage' },
    since: now,
    fields: { bytes: used, quota },
  };
  const holds = used >= (quota * storageWarnPercent) / 100 ? [{ alert }] : [];
  return { rule: 'storage', scope: 'storage', holds, over: () => share };
}

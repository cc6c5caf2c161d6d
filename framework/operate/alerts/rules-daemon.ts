import { duration, instant } from '../../report/format.ts';
import { whyOpen } from '../circuit.ts';
import type { Facts } from './facts.ts';
import type { Alert, AlertMemory, RuleSettings } from './model.ts';
import type { Verdict } from './verdict.ts';

/** A daemon that has run for so long after a crash is taken to be well. */
const STABLE_MS = 10 * 60_000;

/** The daemon before this one died; over when this one has lived for a while. Of many times the first, second, fourth, … are told. */
export function restart(
  { crashed }: Facts,
  { active }: AlertMemory,
  { repeatedFailures, command }: RuleSettings,
  now: number,
): Verdict[] {
  const known = active.restart?.alert;
  const at = Number(known?.fields.at);
  if (!crashed) {
    if (!known || now - at < STABLE_MS) return [];
    return [
      { rule: 'restart', scope: 'restart', holds: [], over: () => `it has been running for ${duration(now - at)}` },
    ];
  }
  const { host, pid } = crashed.owner;
  const times = Number(known?.fields.times ?? 0) + 1;
  const alert: Alert = {
    key: 'restart',
    rule: 'restart',
    severity: times < repeatedFailures ? 'warn' : 'error',
    title: times === 1 ? 'the daemon died and was replaced' : `the daemon died ${times} times`,
    text: `Process ${pid} on ${host} was last heard of at ${instant(crashed.heartbeatAt)}. What it was doing is begun again. Why it died its log may tell, or that of the machine (out of memory?).`,
    next: command('schedules'),
    subject: { kind: 'daemon', name: host },
    since: crashed.heartbeatAt,
    fields: { at: now, times, host, pid },
  };
  return [
    {
      rule: 'restart',
      scope: 'restart',
      holds: [{ alert, again: Number.isInteger(Math.log2(times)) }],
      over: () => undefined,
    },
  ];
}

/** Settings or definitions could not be loaded. */
export function reload(
  { reload: last }: Facts,
  { active }: AlertMemory,
  { command }: RuleSettings,
  now: number,
): Verdict[] {
  if (!last) return [];
  const { error } = last;
  const alert = (text: string): Alert => ({
    key: 'reload',
    rule: 'reload',
    severity: 'error',
    title: 'settings or definitions cannot be loaded',
    text,
    next: command('schedules'),
    subject: { kind: 'daemon', name: 'reload' },
    since: now,
    fields: { code: error?.code },
  });
  const text = `${error?.message.replace(/[.:]$/, '')}. The daemon goes on with what was loaded before; mend them and send it SIGHUP.`;
  // Whoever has mended one thing wants to hear of the next.
  const holds = error ? [{ alert: alert(text), again: active.reload?.alert.text !== text }] : [];
  return [{ rule: 'reload', scope: 'reload', holds, over: () => 'they were loaded' }];
}

/** Sources that are left alone because they do not answer. */
export function circuits({ circuits: found }: Facts, { command }: RuleSettings, now: number): Verdict[] {
  if (!found) return [];
  return [
    {
      rule: 'circuit',
      scope: 'circuit/',
      holds: [...found].flatMap(([source, circuit]) => {
        const why = whyOpen(circuit, now);
        if (why === undefined) return [];
        const { failures, since, until } = circuit;
        const alert: Alert = {
          key: `circuit/${source}`,
          rule: 'circuit',
          severity: 'warn',
          title: `source ${source} does not answer`,
          text: `It is left alone for a while: ${why}`,
          next: command('observe', source),
          subject: { kind: 'asset', name: source },
          since,
          fields: { failures, until: new Date(until).toISOString() },
        };
        return [{ alert }];
      }),
      // While it is tried again nothing is known.
      over: ({ subject }) => (found.has(subject.name) ? undefined : 'it answers again'),
    },
  ];
}

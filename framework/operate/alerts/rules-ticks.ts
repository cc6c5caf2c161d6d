import { instant } from '../../report/format.ts';
import type { TickHistory } from './facts.ts';
import type { Alert, RuleSettings } from './model.ts';
import type { Verdict } from './verdict.ts';

const ended = ({ ticks }: TickHistory) =>
  ticks.filter(({ outcome }) => !['queued', 'running', 'skipped'].includes(outcome));

/** The latest ticks, as far back as they all went wrong. */
function wrong(history: TickHistory, outcomes: readonly string[]) {
  const list = ended(history);
  const end = list.findIndex(({ outcome }) => !outcomes.includes(outcome));
  return end === -1 ? list : list.slice(0, end);
}

const historyOf = (ticks: readonly TickHistory[], { subject }: Alert) =>
  ticks.find(({ kind, name }) => kind === subject.kind && name === subject.name);

/** `schedule nightly`; of conditions there is but one kind of tick. */
const nameOf = ({ kind, name }: Pick<TickHistory, 'kind' | 'name'>) =>
  kind === 'automation' ? 'automation' : `${kind} ${name}`;

/** The name that means it alone, as `lakehouse schedules ticks` wants it. */
const askedFor = ({ kind, name }: Pick<TickHistory, 'kind' | 'name'>, all: readonly TickHistory[]) =>
  all.filter((one) => one.name === name).length > 1 ? `${kind}:${name}` : name;

/** Whatever is due fails, until it succeeds again. */
export function runs(ticks: readonly TickHistory[], { command }: RuleSettings): Verdict {
  const finished = (history: TickHistory): TickHistory => ({
    ...history,
    ticks: history.ticks.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed'),
  });
  return {
    rule: 'runs',
    scope: 'runs/',
    holds: ticks.flatMap((history) => {
      const failed = wrong(finished(history), ['failed']);
      const [last] = failed;
      if (!last) return [];
      const { kind, name, run, due, error, decision } = last;
      const hint = error?.hint === undefined ? '' : ` ${error.hint}`;
      const alert: Alert = {
        key: `runs/${kind}/${name}`,
        rule: 'runs',
        severity: 'error',
        title: `${nameOf(last)} fails`,
        text: `${decision}.${hint}`,
        next: run === undefined ? command('schedules', 'ticks', askedFor(last, ticks)) : command('runs', 'show', run),
        subject: { kind, name },
        since: Math.min(...failed.map(({ finishedAt, at }) => finishedAt ?? at)),
        fields: { run, due: new Date(due).toISOString(), code: error?.code },
      };
      return [{ alert }];
    }),
    over: (alert) => {
      const history = historyOf(ticks, alert);
      if (!history) return 'there is no such thing any more';
      const [last] = finished(history).ticks;
      return last && `it succeeded at ${instant(last.finishedAt ?? last.at)}`;
    },
  };
}

/** What fails again and again is not told as well to fail. */
export const isSaidBy = (key: string, active: ReadonlyMap<string, unknown>): boolean =>
  key.startsWith('runs/') && active.has(`retries/tick/${key.slice('runs/'.length)}`);

/** It fails, or is interrupted, many times in a row. */
export function repeatedTicks(ticks: readonly TickHistory[], { repeatedFailures, command }: RuleSettings): Verdict {
  return {
    rule: 'retries',
    scope: 'retries/tick/',
    holds: ticks.flatMap((history) => {
      const list = wrong(history, ['failed', 'interrupted']);
      const [last] = list;
      if (!last || list.length < repeatedFailures) return [];
      const { kind, name, run, outcome, decision } = last;
      const times = list.length === ended(history).length ? `at least ${list.length}` : String(list.length);
      const alert: Alert = {
        key: `retries/tick/${kind}/${name}`,
        rule: 'retries',
        severity: 'error',
        title: `${nameOf(last)} fails again and again`,
        text: `${times} times in a row it failed or was interrupted; the last time: ${decision}.`,
        subject: { kind, name },
        since: Math.min(...list.map(({ at }) => at)),
        next: command('schedules', 'ticks', askedFor(last, ticks)),
        fields: { run, outcome, times: list.length },
      };
      return [{ alert }];
    }),
    over: (alert) => {
      const history = historyOf(ticks, alert);
      if (!history) return 'there is no such thing any more';
      const [last] = ended(history);
      return last?.outcome === 'succeeded' ? `it succeeded at ${instant(last.finishedAt ?? last.at)}` : undefined;
    },
  };
}

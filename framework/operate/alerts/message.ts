import { instant, number, plural } from '../../report/format.ts';
import type { Notice } from './model.ts';

/** Which of several lakes speaks. */
export interface Origin {
  readonly host: string;
  /** Directory of the lake. */
  readonly lake: string;
}

/** What is brought to a destination: the same however often it is tried. */
export interface Message {
  /** The same for every attempt: who has seen it already may drop it. */
  readonly id: string;
  /** ms UTC. */
  readonly at: number;
  readonly origin: Origin;
  readonly notices: readonly Notice[];
}

const LONGEST_TEXT = 400;
const LEADS = { raised: '', reminder: 'still ', cleared: 'over: ' } as const;
const ORDER = ['raised', 'cleared', 'reminder'] as const;

/** One line that says what there is: `error: gold/klines is late`, `3 new, 1 over`. */
export function titleOf({ notices }: Pick<Message, 'notices'>): string {
  const [only] = notices;
  if (only && notices.length === 1) return lead(only) + oneLine(only.alert.title);
  const count = (kind: Notice['kind']) => notices.filter((notice) => notice.kind === kind).length;
  const words = { raised: 'new', cleared: 'over', reminder: 'still so' };
  return ORDER.flatMap((kind) => (count(kind) > 0 ? [`${number(count(kind))} ${words[kind]}`] : [])).join(', ');
}

const lead = ({ kind, alert }: Notice) => (kind === 'cleared' ? LEADS.cleared : `${LEADS[kind]}${alert.severity}: `);

/** One line per notice, the new and severe first; beyond `most` it says how many more there are. */
export function linesOf({ notices }: Pick<Message, 'notices'>, most: number): string[] {
  const rank = ({ kind, alert }: Notice) => 2 * ORDER.indexOf(kind) + (alert.severity === 'error' ? 0 : 1);
  const sorted = [...notices].sort((a, b) => rank(a) - rank(b));
  const rest = sorted.length - most;
  return [...sorted.slice(0, most).map(lineOf), ...(rest > 0 ? [`and ${number(rest)} more`] : [])];
}

function lineOf(notice: Notice): string {
  const { kind, at, alert, why } = notice;
  const when = kind === 'cleared' ? `at ${instant(at)}` : `since ${instant(alert.since)}`;
  return `${lead(notice)}${oneLine(alert.title)}, ${when}: ${short(why ?? alert.text)}`;
}

/** Of a text that may be anything one line that is not too long. */
function short(text: string): string {
  const line = oneLine(text);
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT - 1)}…` : line;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** For people. */
export function textOf(message: Message, most: number): string {
  const { origin, notices } = message;
  const title = notices.length > 1 ? ` (${plural(notices.length, 'alert')}: ${titleOf(message)})` : '';
  return [`lakehouse ${origin.lake} on ${origin.host}${title}`, ...linesOf(message, most)].join('\n');
}

/** For machines: every notice in full, instants in ISO 8601. */
export function jsonOf(message: Message): object {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    type: 'lakehouse.alerts',
    id: message.id,
    timestamp: iso(message.at),
    data: {
      origin: message.origin,
      title: titleOf(message),
      alerts: message.notices.map(({ kind, at, alert: { since, ...alert }, why }) => ({
        ...alert,
        kind,
        at: iso(at),
        since: iso(since),
        ...(why !== undefined && { why }),
      })),
    },
  };
}

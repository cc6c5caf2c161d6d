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
const WORDS = { raised: 'new', cleared: 'over', reminder: 'still so' } as const;

/** One line that says what there is, the worst first: `error: gold/klines is late`, `error: gold/klines is late (and 2 new, 1 over)`. */
export function titleOf({ notices }: Pick<Message, 'notices'>): string {
  const [first, ...rest] = standing(notices);
  if (!first) return '';
  return lead(first) + oneLine(first.alert.title) + (rest.length > 0 ? ` (and ${countsOf(rest)})` : '');
}

/** `2 new, 1 over, 1 still so` */
function countsOf(notices: readonly Notice[]): string {
  const count = (kind: Notice['kind']) => notices.filter((notice) => notice.kind === kind).length;
  return ORDER.flatMap((kind) => (count(kind) > 0 ? [`${number(count(kind))} ${WORDS[kind]}`] : [])).join(', ');
}

/** What is told last of each alert, the new and severe first: what came and went again within one message is over. */
export function standing(notices: readonly Notice[]): Notice[] {
  const rank = ({ kind, alert }: Notice) => 2 * ORDER.indexOf(kind) + (alert.severity === 'error' ? 0 : 1);
  return [...new Map(notices.map((notice) => [notice.alert.key, notice])).values()].sort((a, b) => rank(a) - rank(b));
}

const lead = ({ kind, alert }: Notice) => (kind === 'cleared' ? LEADS.cleared : `${LEADS[kind]}${alert.severity}: `);

/** One line per alert, the new and severe first; beyond `most` it says how many more there are. */
export function linesOf({ notices }: Pick<Message, 'notices'>, most: number): string[] {
  const all = standing(notices);
  const rest = all.length - most;
  return [...all.slice(0, most).map(lineOf), ...(rest > 0 ? [`and ${number(rest)} more`] : [])];
}

/** What, since when, more about it, and what to do. */
function lineOf(notice: Notice): string {
  const { kind, at, alert, why } = notice;
  const since = instant(alert.since);
  const when = kind === 'cleared' ? `${since.replace(' UTC', '')} to ${instant(at)}` : `since ${since}`;
  const next = kind === 'cleared' || alert.next === undefined ? '' : `. Next: ${alert.next}`;
  const text = short(why ?? alert.text).replace(next === '' ? '' : /\.$/, '');
  return `${lead(notice)}${oneLine(alert.title)}, ${when}: ${text}${next}`;
}

/** Of a text that may be anything one line that is not too long. */
function short(text: string): string {
  const line = oneLine(text);
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT - 1)}…` : line;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** For people. Of what a telephone shows, the first line, the worst is to be seen. */
export function textOf(message: Message, most: number): string {
  const { origin } = message;
  const all = standing(message.notices);
  const counts = all.length > 1 ? ` (${plural(all.length, 'alert')}: ${countsOf(all)})` : '';
  return [...linesOf(message, most), `lakehouse ${origin.lake} on ${origin.host}${counts}`].join('\n');
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

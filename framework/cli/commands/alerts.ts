import { formatIssue } from '../../common/errors.ts';
import { readMemory } from '../../operate/alerts/alerts.ts';
import { readOutbox, readSent } from '../../operate/alerts/delivery.ts';
import { type Destination, destinationsOf } from '../../operate/alerts/destinations.ts';
import { titleOf } from '../../operate/alerts/message.ts';
import type { ActiveAlert } from '../../operate/alerts/model.ts';
import type { OutboxEntry, SentRecord } from '../../operate/alerts/outbox.ts';
import { instant, plural, table } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { activeDaemon, withOperate } from '../tickers.ts';

export async function run(context: Context, { limit }: { readonly limit: number }): Promise<number | undefined> {
  const { console, io } = context;
  const { settings, untold } = (await context.settings()).loaded;
  const destinations = destinationsOf(settings.alerts);
  return withOperate(context, true, (store) => {
    const active = Object.values(readMemory(store).active);
    const waiting = [...readOutbox(store).values()].sort((a, b) => a.createdAt - b.createdAt);
    const sent = readSent(store).slice(0, limit);
    const daemon = activeDaemon(io, store.lease()) !== undefined;
    console.result(
      {
        daemon,
        destinations: destinations.map(({ name, type }) => ({ name, type })),
        problems: untold,
        active: active.map(activeJson),
        waiting: waiting.map(waitingJson),
        sent: sent.map(({ createdAt, sentAt, ...rest }) => ({
          ...rest,
          createdAt: iso(createdAt),
          sentAt: iso(sentAt),
        })),
      },
      () =>
        [
          activeText(context, active),
          ...(waiting.length > 0 ? [waitingText(context, waiting)] : []),
          ...(sent.length > 0 ? [sentText(context, sent)] : []),
          ...(untold.length > 0
            ? [
                `These cannot be told, and so the daemon does not start:\n${untold.map((issue) => `  - ${formatIssue(issue)}`).join('\n')}`,
              ]
            : []),
          closing(context, destinations, daemon),
        ].join('\n\n'),
    );
    return undefined;
  });
}

const iso = (ms: number) => new Date(ms).toISOString();

const activeJson = ({ alert, raisedAt, toldAt }: ActiveAlert) => ({
  ...alert,
  since: iso(alert.since),
  raisedAt: iso(raisedAt),
  toldAt: iso(toldAt),
});

const waitingJson = ({ notices, createdAt, nextAt, ...rest }: OutboxEntry) => ({
  ...rest,
  title: titleOf({ notices }),
  notices: notices.length,
  createdAt: iso(createdAt),
  nextAt: iso(nextAt),
});

function activeText({ console }: Context, active: readonly ActiveAlert[]): string {
  if (active.length === 0) return 'No alert is raised.';
  return table(
    [
      { title: 'SEVERITY', whole: true },
      { title: 'SINCE', whole: true },
      { title: 'WHAT', whole: true },
      { title: 'MORE' },
    ],
    active.map(({ alert }) => [alert.severity, instant(alert.since), alert.title, alert.text.replace(/\s+/g, ' ')]),
    console.style.strong,
    console.tableWidth,
  );
}

function waitingText({ console }: Context, waiting: readonly OutboxEntry[]): string {
  return table(
    [
      { title: 'WAITS FOR', whole: true },
      { title: 'UNTIL', whole: true },
      { title: 'ATTEMPTS', align: 'right' },
      { title: 'WHAT' },
      { title: 'WHY' },
    ],
    waiting.map(({ destination, nextAt, attempts, notices, error }) => [
      destination,
      instant(nextAt),
      String(attempts),
      titleOf({ notices }),
      error ?? 'what else happens may be added',
    ]),
    console.style.strong,
    console.tableWidth,
  );
}

function sentText({ console }: Context, sent: readonly SentRecord[]): string {
  return table(
    [
      { title: 'SENT TO', whole: true },
      { title: 'AT', whole: true },
      { title: 'ATTEMPTS', align: 'right' },
      { title: 'WHAT' },
    ],
    sent.map(({ destination, sentAt, attempts, title }) => [destination, instant(sentAt), String(attempts), title]),
    console.style.strong,
    console.tableWidth,
  );
}

function closing({ again }: Context, destinations: readonly Destination[], daemon: boolean): string {
  const names = destinations.map(({ name, type }) => (name === type ? name : `${name} (${type})`));
  const told =
    names.length === 0
      ? `Nobody is told: name somebody under 'alerts.destinations' in lakehouse.yaml.`
      : `${plural(names.length, 'destination')}: ${names.join(', ')}. ${again('alerts', 'test')}  tries them out.`;
  return daemon ? told : `${told}\nNo daemon is active: nothing is noticed or sent. Start one with ${again('daemon')}`;
}

import { serializeError } from '../../common/errors.ts';
import type { Log } from '../log.ts';
import type { OperateReader, OperateStore } from '../store.ts';
import type { Destination } from './destinations.ts';
import { type Origin, titleOf } from './message.ts';
import type { Notice } from './model.ts';
import { afterFailure, byDestination, isDue, type OutboxEntry, queued, type SentRecord } from './outbox.ts';
import { noDestination, type SendControl, send } from './send.ts';

/** Keys of what is remembered; only the active daemon writes them. */
const OUTBOX_KEY = 'alerts/outbox/';
const SENT_KEY = 'alerts/sent/';
/** Messages that were delivered and stay listed. */
const SENT_KEPT = 100;

export interface DeliveryOptions extends Pick<SendControl, 'now' | 'env' | 'fetch'> {
  readonly store: OperateStore;
  readonly log: Log;
  /** Names that rise with time. */
  readonly id: () => string;
  readonly origin: Origin;
  /** Takes secrets out of what errors, servers and programs say. */
  readonly redact: (text: string) => string;
  readonly settings: () => {
    readonly destinations: readonly Destination[];
    readonly maxLines: number;
    readonly groupSeconds: number;
    readonly giveUpHours: number;
  };
}

/** What waits to be delivered, by id. */
export function readOutbox(store: OperateReader): Map<string, OutboxEntry> {
  return store.recallAll(OUTBOX_KEY) as Map<string, OutboxEntry>;
}

/** What was delivered, latest first. */
export function readSent(store: OperateReader): SentRecord[] {
  return ([...store.recallAll(SENT_KEY).values()] as SentRecord[]).sort((a, b) => b.sentAt - a.sentAt);
}

/**
 * Brings messages to their destinations. A message is forgotten when it has been delivered: after a crash it may come twice, with the
 * same id, but it comes.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #outbox: Map<string, OutboxEntry>;
  /** Ids, oldest first. */
  readonly #sent: string[];
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#outbox = readOutbox(options.store);
    this.#sent = readSent(options.store)
      .map(({ id }) => id)
      .reverse();
  }

  /** Writes notices down to be delivered, together with other facts, all or none. */
  add(noticesFor: (destination: Destination) => readonly Notice[], facts: Readonly<Record<string, unknown>>): void {
    const { store, now, id, settings } = this.#options;
    const { destinations, groupSeconds } = settings();
    const grouping = { now: now(), groupMs: groupSeconds * 1000, id };
    const entries = queued(this.#outbox.values(), noticesFor, destinations, grouping);
    store.remember({ ...facts, ...Object.fromEntries(entries.map((one) => [OUTBOX_KEY + one.id, one])) });
    for (const entry of entries) this.#outbox.set(entry.id, entry);
  }

  /** See `Alerts.deliver`. One call after the other. */
  deliver(signal: AbortSignal, all: boolean): Promise<number | undefined> {
    const work = this.#working.then(() => this.#deliver(signal, all));
    this.#working = work;
    return work;
  }

  async #deliver(signal: AbortSignal, all: boolean): Promise<number | undefined> {
    const queues = [...byDestination(this.#outbox.values()).values()];
    await Promise.all(queues.map((queue) => this.#work(queue, signal, all)));
    const heads = [...byDestination(this.#outbox.values()).values()].flatMap(([head]) => head?.nextAt ?? []);
    return heads.length > 0 ? Math.min(...heads) : undefined;
  }

  /** In order: while one cannot be delivered, those behind it wait. */
  async #work(queue: readonly OutboxEntry[], signal: AbortSignal, all: boolean): Promise<void> {
    for (const { id } of queue) {
      // More may have been put into it meanwhile.
      const entry = this.#outbox.get(id);
      if (!entry) continue;
      const due = isDue(entry, this.#options.now()) || (all && entry.attempts === 0);
      if (!due || signal.aborted || !(await this.#try(entry, signal))) return;
    }
  }

  /** Whether it is done with, so that the next one may be tried. */
  async #try(waiting: OutboxEntry, signal: AbortSignal): Promise<boolean> {
    const { now, origin, env, fetch, settings } = this.#options;
    const { destinations, maxLines, giveUpHours } = settings();
    const entry = { ...waiting, attempts: waiting.attempts + 1 };
    // From now on nothing is added to it.
    this.#outbox.set(entry.id, entry);
    const destination = destinations.find(({ name }) => name === entry.destination);
    if (!destination) return this.#giveUp(entry, noDestination(entry.destination));
    try {
      const { id, createdAt: at, notices } = entry;
      const note = await send(
        destination,
        { id, at, origin, notices },
        { signal, now, maxLines, env, ...(fetch && { fetch }) },
      );
      return this.#delivered(entry, note);
    } catch (error) {
      if (signal.aborted) {
        this.#outbox.set(waiting.id, waiting);
        return false;
      }
      const later = afterFailure(entry, error, now(), giveUpHours * 3_600_000);
      return later ? this.#later(later) : this.#giveUp(entry, error);
    }
  }

  #delivered({ id, destination, notices, createdAt, attempts }: OutboxEntry, note: string | undefined): true {
    const { log, now, redact } = this.#options;
    const title = titleOf({ notices });
    const record: SentRecord = { id, destination, title, notices: notices.length, createdAt, sentAt: now(), attempts };
    this.#sent.push(id);
    const old = this.#sent.splice(0, Math.max(this.#sent.length - SENT_KEPT, 0));
    this.#outbox.delete(id);
    this.#remember({
      [OUTBOX_KEY + id]: undefined,
      [SENT_KEY + id]: record,
      ...Object.fromEntries(old.map((one) => [SENT_KEY + one, undefined])),
    });
    const also = note === undefined ? '' : `; ${redact(note)}`;
    log(note === undefined ? 'info' : 'warn', `alert sent: ${title}${also}`, fieldsOf({ id, destination, attempts }));
    return true;
  }

  #later(entry: OutboxEntry): false {
    const { log, redact } = this.#options;
    const later = { ...entry, error: redact(entry.error ?? '') };
    this.#outbox.set(later.id, later);
    this.#remember({ [OUTBOX_KEY + later.id]: later });
    log('warn', `an alert could not be delivered and is tried again: ${later.error}`, {
      ...fieldsOf(later),
      next: new Date(later.nextAt).toISOString(),
    });
    return false;
  }

  #giveUp(entry: OutboxEntry, error: unknown): true {
    const { log, redact } = this.#options;
    this.#outbox.delete(entry.id);
    this.#remember({ [OUTBOX_KEY + entry.id]: undefined });
    const reason = redact(error instanceof Error ? error.message : String(error));
    log('error', `an alert was not delivered and is given up: ${titleOf(entry)}; ${reason}`, fieldsOf(entry));
    return true;
  }

  /** What cannot be written down is as it was after the next start: it is delivered, or given up, again. */
  #remember(facts: Readonly<Record<string, unknown>>): void {
    try {
      this.#options.store.remember(facts);
    } catch (error) {
      this.#options.log('error', 'the outbox of alerts could not be written', { error: serializeError(error) });
    }
  }
}

const fieldsOf = ({ id, destination, attempts }: Pick<OutboxEntry, 'id' | 'destination' | 'attempts'>) => ({
  destination,
  delivery: id,
  attempt: attempts,
});

import { isLakehouseError } from '../../common/errors.ts';
import { type Destination, wants } from './destinations.ts';
import { isRefused } from './failure.ts';
import type { Notice } from './model.ts';

/** A message that waits to be delivered to one destination. Plain data. */
export interface OutboxEntry {
  readonly id: string;
  readonly destination: string;
  readonly notices: readonly Notice[];
  /** ms UTC. */
  readonly createdAt: number;
  /** When it is tried, or tried again. Until its first attempt, what else happens is added to it. */
  readonly nextAt: number;
  readonly attempts: number;
  /** What the last attempt said. */
  readonly error?: string;
}

/** A message that was delivered. */
export interface SentRecord {
  readonly id: string;
  readonly destination: string;
  readonly title: string;
  readonly notices: number;
  /** ms UTC. */
  readonly createdAt: number;
  readonly sentAt: number;
  readonly attempts: number;
}

const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** However long a busy server asks for. */
const LONGEST_ASKED_MS = 3_600_000;
/** Attempts at a message that is refused for what it is. */
const REFUSALS = 3;

/**
 * The entries that notices are put into, one per destination that wants some: new ones, or those still open with more in them.
 * @param noticesFor what a destination may be told of.
 */
export function queued(
  outbox: Iterable<OutboxEntry>,
  noticesFor: (destination: Destination) => readonly Notice[],
  destinations: readonly Destination[],
  { now, groupMs, id }: { readonly now: number; readonly groupMs: number; readonly id: () => string },
): OutboxEntry[] {
  const open = new Map<string, OutboxEntry>();
  for (const entry of outbox) if (entry.attempts === 0 && entry.nextAt > now) open.set(entry.destination, entry);
  return destinations.flatMap((destination): OutboxEntry[] => {
    const wanted = noticesFor(destination).filter((notice) => wants(destination, notice));
    if (wanted.length === 0) return [];
    const { name } = destination;
    const entry = open.get(name);
    if (entry) return [{ ...entry, notices: [...entry.notices, ...wanted] }];
    return [{ id: id(), destination: name, notices: wanted, createdAt: now, nextAt: now + groupMs, attempts: 0 }];
  });
}

/** Whether it is to be tried at an instant. What waits for longer than anything may was put off by a clock that has been put back. */
export const isDue = ({ nextAt }: OutboxEntry, now: number): boolean =>
  nextAt <= now || nextAt - now > LONGEST_ASKED_MS;

/** The entry after an attempt that failed; undefined when it is given up. `attempts` counts this attempt already. */
export function afterFailure(
  entry: OutboxEntry,
  error: unknown,
  now: number,
  giveUpMs: number,
): OutboxEntry | undefined {
  if (now - entry.createdAt >= giveUpMs || (isRefused(error) && entry.attempts >= REFUSALS)) return undefined;
  const asked = isLakehouseError(error) ? Math.min(error.retryAfterMs ?? 0, LONGEST_ASKED_MS) : 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (entry.attempts - 1), LONGEST_WAIT_MS);
  const message = error instanceof Error ? error.message : String(error);
  return { ...entry, nextAt: now + Math.max(wait, asked), error: message };
}

/** By destination, oldest first: each hears of things in the order in which they happened. */
export function byDestination(outbox: Iterable<OutboxEntry>): Map<string, OutboxEntry[]> {
  const queues = new Map<string, OutboxEntry[]>();
  const sorted = [...outbox].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  for (const entry of sorted) queues.set(entry.destination, [...(queues.get(entry.destination) ?? []), entry]);
  return queues;
}
